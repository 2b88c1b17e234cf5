"""Plug it together: settings, wiring, ASGI and the process."""
