"""What seals the rest: the master key's port and its local adapter."""
