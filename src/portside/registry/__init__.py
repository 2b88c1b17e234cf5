"""What does the registry do? The use cases, one module a noun; the only room that changes state."""
