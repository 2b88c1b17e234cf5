"""The STS operations."""
