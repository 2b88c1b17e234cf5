"""Where is it kept? Bytes, rows and keys behind small ports."""
