"""Whether ground truth and what is scored against it name the same things at all."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nothing_shared"]


def nothing_shared(kind: str, truth: Iterable[str], others: Iterable[str]) -> str:
    """That ground truth and the rest name no `kind` ("video", "sign") in common, with examples; "" where they do."""
    sides = dict.fromkeys(truth), dict.fromkeys(others)
    if not all(sides) or sides[0].keys() & sides[1].keys():
        return ""
    rule = "; a video goes by its file's name without folder and ending" if kind == "video" else ""
    return f"no {kind} in common: {_few(sides[0])} in the ground truth, {_few(sides[1])} on the other side{rule}"


def _few(names: Iterable[str], most: int = 3) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
