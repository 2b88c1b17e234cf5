"""How do we talk to others? Other registries and image sources, as Source and Target, and the one verb that copies."""
