"""Scoring, splits and readers of benchmarks' ground truth. Depends on nothing else of this toolkit."""
