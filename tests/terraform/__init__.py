"""Terraform's AWS provider against Portside: `make terraform`."""
