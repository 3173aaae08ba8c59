"""FAISS behaves the same where another library has loaded its torch bridge."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import faiss.contrib.torch_utils
import numpy as np
from gallery.index import load_faiss, search_lists

faiss = load_faiss()
rows = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
index = faiss.IndexIVFFlat(faiss.IndexFlatIP(8), 8, 4, faiss.METRIC_INNER_PRODUCT)
index.train(rows)
index.add(rows)
scores, ids = search_lists(index, rows[:3], 1, probes=4, allowed=np.arange(200) >= 2)
exact = (rows[:3] @ rows[2:].T).argmax(axis=1) + 2
assert ids[:, 0].tolist() == exact.tolist(), (ids, exact)
"""


def test_lists_are_searched_with_a_selection_beside_torch_utils() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
