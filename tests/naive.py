"""Slow, obvious versions of what the library does fast: brute-force twins for the tests."""
