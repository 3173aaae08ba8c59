"""Isolated signs: classify a clip, combine networks, show what a network looked at."""
