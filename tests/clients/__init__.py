"""Drivers for the real container clients that the wire tests run."""
