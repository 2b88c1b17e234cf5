"""Lifecycle policies: the grammar of the document, and what it does to images. Pure (ecr-behaviour 4)."""
