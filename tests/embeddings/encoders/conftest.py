"""Small networks run fastest on one thread: two would wait for each other at every layer of a busy machine."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def all_of_them(one_thread: None) -> None:
    """Every module of this folder on one thread."""
