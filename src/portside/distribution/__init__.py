"""Docker speaks: the OCI Distribution routes."""
