"""Who asks, and may they? Signatures, tokens and decisions; pure: secrets, documents and the clock are handed in."""
