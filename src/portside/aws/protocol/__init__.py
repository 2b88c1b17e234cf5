"""How AWS requests are read and answered."""
