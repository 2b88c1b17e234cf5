"""What happens later: jobs that one node does for all, in its background."""
