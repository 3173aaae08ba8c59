"""From what several encoders say to the odds that a sign is there: weights fitted on development data.

One logistic map for every set of encoders that a video may have, so that a video without pictures, or a sign that one
gallery lacks, has a calibrated score too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import read_json, write_json

__all__ = ["FusedCalibration", "fit_fusion"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FusedCalibration:
    """Weights of encoders by which of them say something.

    Attributes:
        encoders: ids of the encoders, the first one first.
        judged: the first one's value is the log odds of its judge; else it is a normalised track like the others'.
        maps: numbers of the encoders that say something ("0+2") → (bias, a weight for each of them).
        facts: how it was fitted.
    """

    encoders: tuple[str, ...]
    judged: bool
    maps: Mapping[str, tuple[float, tuple[float, ...]]]
    facts: Mapping[str, str | float | int]

    def log_odds(self, values: Sequence[NDArray[np.floating] | None]) -> Floats:
        """(N,) of each encoder's values (N,); None or NaN where one says nothing.

        Raises:
            ValueError: no encoder says anything.
        """
        said = [None if v is None else np.asarray(v, np.float64) for v in values]
        there = [v for v in said if v is not None]
        if not there:
            raise ValueError("no encoder says anything about these candidates")
        rows = np.stack([np.full(len(there[0]), np.nan) if v is None else v for v in said], axis=1)
        known = ~np.isnan(rows)
        odds = np.full(len(rows), -np.inf)
        for pattern in np.unique(known, axis=0):
            mine = (known == pattern).all(axis=1)
            chosen = np.flatnonzero(pattern)
            if not len(chosen):
                continue
            bias, weights = self.maps["+".join(map(str, chosen.tolist()))]
            odds[mine] = bias + rows[mine][:, chosen] @ np.array(weights)
        return odds

    def save(self, path: str | Path) -> None:
        """Writes JSON."""
        maps = {key: {"bias": bias, "weights": list(weights)} for key, (bias, weights) in self.maps.items()}
        write_json(
            path,
            {"encoders": list(self.encoders), "judged": self.judged, "maps": maps, "facts": dict(self.facts)},
        )  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> FusedCalibration:
        """What `save` wrote.

        Raises:
            ValueError: missing or damaged.
        """
        try:
            values = read_json(path)
            encoders = tuple(str(e) for e in values["encoders"])
            maps = {
                str(key): (float(one["bias"]), tuple(float(w) for w in one["weights"]))
                for key, one in values["maps"].items()
            }
            expected = set(_patterns(len(encoders)))
            if set(maps) != expected or any(len(w) != key.count("+") + 1 for key, (_, w) in maps.items()):
                raise ValueError(f"maps for {', '.join(sorted(maps))}; expected {', '.join(sorted(expected))}")
            if not all(np.isfinite([bias, *weights]).all() for bias, weights in maps.values()):
                raise ValueError("a weight that is not finite")
            return cls(encoders, bool(values["judged"]), maps, dict(values.get("facts", {})))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: not a readable calibration of fused encoders ({error})") from None


def _patterns(count: int) -> list[str]:
    """Every set of encoders that may say something: "0", "1", "0+1", …"""
    return ["+".join(map(str, some)) for n in range(1, count + 1) for some in combinations(range(count), n)]


def fit_fusion(
    encoders: Sequence[str],
    judged: bool,
    values: Floats,
    true: NDArray[np.bool_],
    weights: Floats | None = None,
    facts: Mapping[str, str | float | int] | None = None,
) -> FusedCalibration:
    """Fits the maps on candidates of development data.

    A weight is never negative: an encoder that misleads on development data counts for nothing, it is not believed in
    reverse.

    Args:
        values: (N, M) of N candidates and M encoders.
        true: (N,) whether the candidate is the sign.
        weights: (N,) how much each candidate counts; None: all alike.

    Raises:
        ValueError: all candidates are true or all are false.
    """
    if len(np.unique(true)) < 2:
        raise ValueError(f"{len(true)} candidates are all alike; calibration needs true and false ones")
    counts = np.ones(len(true)) if weights is None else np.asarray(weights, np.float64)
    maps = {}
    for key in _patterns(len(encoders)):
        columns = [int(n) for n in key.split("+")]
        maps[key] = _logistic(values[:, columns], true, counts / counts.sum())
    return FusedCalibration(tuple(encoders), judged, maps, dict(facts or {}))


def _logistic(values: Floats, true: NDArray[np.bool_], counts: Floats) -> tuple[float, tuple[float, ...]]:
    """(bias, weights not below 0) of the logistic map with the least loss."""
    from scipy.optimize import minimize

    scale = np.maximum(values.std(axis=0), 1e-6)
    rows, sign = values / scale, np.where(true, 1.0, -1.0)

    def loss(x: Floats) -> tuple[float, Floats]:
        margin = sign * (x[0] + rows @ x[1:])
        pull = -counts * sign / (1 + np.exp(np.clip(margin, -500, 500)))
        held = 1e-6 * x[1:]
        gradient = np.concatenate([[pull.sum()], rows.T @ pull + held])
        return float((counts * np.logaddexp(0, -margin)).sum() + 0.5 * (held * x[1:]).sum()), gradient

    start = np.concatenate([[0.0], np.full(values.shape[1], 0.1)])
    bounds = [(None, None), *[(0.0, None)] * values.shape[1]]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), tuple(float(w) for w in found.x[1:] / scale)
