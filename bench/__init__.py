"""The benchmark behind `make bench`: Portside beside distribution and zot (docs/explanation/performance.md)."""
