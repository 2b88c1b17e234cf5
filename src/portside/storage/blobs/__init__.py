"""Where bytes lie: one port, its adapters, and the sealing wrapper."""
