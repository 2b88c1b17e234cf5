"""Where rows lie: one schema on two dialects."""
