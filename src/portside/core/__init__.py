"""What is it called? Nouns and pure rules; the standard library only, no I/O, no clock, no event loop."""
