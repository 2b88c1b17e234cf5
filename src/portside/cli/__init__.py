"""What people type: one command tree."""
