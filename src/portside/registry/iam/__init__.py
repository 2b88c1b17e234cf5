"""Identities: what IAM does, one module a noun."""
