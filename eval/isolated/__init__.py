"""Scores of isolated recognition: accuracy with intervals, confusion, retrieval, files of predictions."""

from .scores import IsolatedScore, compare_isolated, isolated_score, rank_labels

__all__ = ["IsolatedScore", "compare_isolated", "isolated_score", "rank_labels"]
