"""`portside doctor`: the five prerequisites of a push in order, then its permissions; what is so, and what to do."""
