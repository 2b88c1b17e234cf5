"""Pushing from outside: push, pull, copy, login, doctor. Knows core, identity, remote and nothing else."""
