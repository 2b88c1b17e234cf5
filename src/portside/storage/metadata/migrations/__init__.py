"""Migrations: how older data becomes today's schema. `versions/` holds one step a file, oldest first."""
