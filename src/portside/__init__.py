"""Portside: Amazon ECR that anyone can run."""

__version__ = "0.1.0"
