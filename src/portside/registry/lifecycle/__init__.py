"""Lifecycle policies of repositories: kept, rehearsed and applied."""
