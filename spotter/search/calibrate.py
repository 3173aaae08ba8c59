"""From evidence to odds: a logistic map of values and their products, stored as plain numbers.

One threshold must serve all signs and all recordings, so what is weighed is relative already (see `evidence`): to other
signs, to a cohort that nobody looks for, to what the exemplar gets all over the video. Products, because evidence
depends on other evidence: an alignment along a path of odd length means less, a lead much when the match is high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _sign_spotter import module_name
from safe_files import read_json, write_json

from .cohort import Cohort
from .evidence_names import EVIDENCE, PACE

__all__ = ["Calibration", "ShippedJudge", "fit", "shipped_judge"]

LIMIT = 3.0
"""Evidence counts up to so many standard deviations from its mean: beyond what was seen, products run away."""

PRODUCT = 0.1
"""How free the weights of products are in fitting: with more, they serve procedural signing and not real recordings."""

AT_ONCE = 65536
"""Candidates that are weighed together: in double precision all of them would fill the memory."""

FIRST = ("match", "lead", "path", "behind_best")
"""Evidence of the first look, which finds the pace of a video."""


@dataclass(frozen=True)
class Calibration:
    """A logistic map from evidence to the odds that the sign is there.

    Attributes:
        usual: name of the evidence → (mean, standard deviation) in the data that it was fitted on.
        weights: of the standardised values (``"match"``) and of products of two (``"match*length"``).
        bias: added to the weighted sum.
    """

    usual: dict[str, tuple[float, float]]
    weights: dict[str, float]
    bias: float

    def log_odds(self, evidence: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float64]:
        """(N,) of evidence with a value for each of N candidates."""
        count = len(next(iter(evidence.values())))
        parts = [self._log_odds(evidence, slice(i, i + AT_ONCE)) for i in range(0, count, AT_ONCE)]
        return np.concatenate([np.zeros(0), *parts])

    def _log_odds(self, evidence: Mapping[str, NDArray[np.floating]], part: slice) -> NDArray[np.float64]:
        values = {
            n: np.clip((np.asarray(evidence[n][part], np.float64) - m) / s, -LIMIT, LIMIT)
            for n, (m, s) in self.usual.items()
        }
        total = np.full(len(next(iter(values.values()))), self.bias)
        for term, weight in self.weights.items():
            one, _, other = term.partition("*")
            total += weight * (values[one] * values[other] if other else values[one])
        return total

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Calibration:
        """From plain data.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        usual = {str(n): (float(m), float(s)) for n, (m, s) in values["usual"].items()}  # type: ignore[attr-defined]
        weights = {str(k): float(v) for k, v in values["weights"].items()}  # type: ignore[attr-defined]
        known = {*EVIDENCE, *PACE}
        unknown = {name for term in weights for name in term.split("*")} - set(usual) | set(usual) - known
        if unknown:
            raise ValueError(f"weights for {', '.join(sorted(unknown))}; expected some of {', '.join(sorted(known))}")
        if not all(np.isfinite([m, s]).all() and s > 0 for m, s in usual.values()):
            raise ValueError("a standard deviation that is not above 0")
        if not np.isfinite([*weights.values(), bias := float(values["bias"])]).all():  # type: ignore[arg-type]
            raise ValueError("a weight that is not finite")
        return cls(usual, weights, bias)


@dataclass(frozen=True)
class ShippedJudge:
    """What is fitted for an encoder.

    Attributes:
        pace: the first look, from which a video's pace is told.
        sign: the second, with the pace among its evidence.
        facts: how it was fitted.
    """

    pace: Calibration
    sign: Calibration
    facts: dict[str, str | float | int]

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> ShippedJudge:
        """A judge from its JSON file.

        Raises:
            ValueError: missing or damaged.
        """
        try:
            values = read_json(Path(path))
            facts = dict(values.get("facts", {}))
            return cls(Calibration.of(values["pace"]), Calibration.of(values["sign"]), facts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: not a readable judge ({error})") from None


def fit(
    evidence: Mapping[str, NDArray[np.floating]],
    true: NDArray[np.bool_],
    names: Sequence[str],
    weights: NDArray[np.floating] | None = None,
    products: bool = True,
) -> Calibration:
    """Fits the map on candidates of development data.

    Args:
        evidence: name → (N,) values; names: those that are weighed.
        true: (N,) whether the candidate is the sign.
        weights: (N,) how much each candidate counts; None: all alike.
        products: also of two values.

    Raises:
        ValueError: all candidates are true or all are false.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    if len(np.unique(true)) < 2:
        raise ValueError(f"{len(true)} candidates are all alike; calibration needs true and false ones")
    scaler, combined = StandardScaler(), PolynomialFeatures(2 if products else 1, include_bias=False)
    rows = np.stack([np.asarray(evidence[name], np.float64) for name in names], axis=1)
    values = np.clip(scaler.fit_transform(rows), -LIMIT, LIMIT)
    terms = ["*".join(np.repeat(names, powers)) for powers in combined.fit(values).powers_]
    second = StandardScaler()
    # a product's weight costs as much as one 1 / PRODUCT times as large of a value itself
    held_back = np.where(["*" in term for term in terms], PRODUCT, 1.0)
    scaled = second.fit_transform(combined.transform(values)) * held_back
    logistic = LogisticRegression(max_iter=5000).fit(scaled, true, sample_weight=weights)
    found = logistic.coef_[0] * held_back / second.scale_
    bias = float(logistic.intercept_[0] - (found * second.mean_).sum())
    usual = {n: (float(m), float(s)) for n, m, s in zip(names, scaler.mean_, scaler.scale_, strict=True)}
    return Calibration(usual, {t: float(w) for t, w in zip(terms, found, strict=True)}, bias)


def shipped_judge(encoder_id: str) -> tuple[ShippedJudge, Cohort] | None:
    """The judge and cohort that travel with the package for these very weights, None without any.

    `scripts/make/fit_calibration.py` makes them: ``calibration/<encoder id>.json`` and ``.safetensors``.
    """
    from importlib.resources import as_file, files

    folder = files(module_name("spotter")) / "search" / "calibration"
    settings, arrays = folder / f"{encoder_id}.json", folder / f"{encoder_id}.safetensors"
    if not encoder_id or not settings.is_file() or not arrays.is_file():
        return None
    with as_file(settings) as path:
        judge = ShippedJudge.load(path)
    with as_file(arrays) as path:
        return judge, Cohort.load(path)
