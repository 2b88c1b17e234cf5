"""The benchmark behind `make bench`: Portside beside Debian's docker-registry (docs/explanation/performance.md)."""
