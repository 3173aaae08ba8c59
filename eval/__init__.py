"""Scoring, splits and readers of benchmarks' ground truth. Depends on nothing else of this toolkit."""

import _sign_spotter  # noqa: F401  (it finds safe_files beside a user's own module of that name)
