"""The OCI's own conformance suite: built, run against a server of its own, and reported (`make conformance`)."""
