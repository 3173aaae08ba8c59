"""From similarities to probabilities: normalise by a cohort and by the video's own background, then one logistic map.

A cosine of 0.6 is much for one sign and little for another. As in speaker verification (Auckenthaler et al. 2000, and
the adaptive s-norm of Matějka et al. 2017), a similarity is compared with those to a cohort of other signs, once seen
from the exemplar and once from the window. A logistic map of these values and their products, fitted on development
data, turns them into a probability, so one threshold serves all signs. Products, because evidence depends on other
evidence: a long alignment means little for a short sign, a lead much when the cosine is high.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _sign_spotter import module_name
from safe_files import write_json

__all__ = ["EVIDENCE", "Calibration", "Cohort", "background", "fit", "shipped_calibration"]

EVIDENCE: tuple[str, ...] = (
    "cosine", "s_norm", "background", "margin", "span", "lead", "alignment", "length", "shortness",
)  # fmt: skip
"""What a candidate is judged by.

Of its window: the cosine; the s-norm; how far it stands out of its track; its lead over the best other sign there.
Of the span that the aligned exemplar covers: the cosine; the lead over the best other sign on that very span; the mean
cost of the alignment; how far the span's length is from what is usual (absolute log ratio); the same where shorter."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Vectors of many signs that nobody looks for: (N, D) unit rows, and how many nearest ones count."""

    vectors: NDArray[np.float32]
    nearest: int = 30

    def statistics(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (W,) of each row's similarity to its nearest cohort members."""
        similarity = vectors @ self.vectors.T
        nearest = min(self.nearest, similarity.shape[1])
        top = np.partition(similarity, -nearest, axis=1)[:, -nearest:]
        return top.mean(axis=1), np.maximum(top.std(axis=1), 0.02)


def background(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and spread (L,) of each sign's track (W, L): what the video gives a sign that is not there."""
    median = np.median(values, axis=0)
    spread = 1.4826 * np.median(np.abs(values - median), axis=0)
    return median, np.maximum(spread, 0.02)


LIMIT = 4.0
"""Evidence counts up to so many standard deviations from its mean: beyond what was seen, products run away."""

PRODUCT = 0.05
"""How free the weights of products are in fitting: with more, they serve procedural signing and not real recordings."""


@dataclass(frozen=True)
class Calibration:
    """A logistic map from evidence to the probability that the sign is there.

    Attributes:
        usual: name of `EVIDENCE` → (mean, standard deviation) in the data that it was fitted on.
        weights: of the standardised values (``"cosine"``) and of products of two (``"cosine*length"``).
        bias: added to the weighted sum.
        facts: how it was fitted.
    """

    usual: dict[str, tuple[float, float]]
    weights: dict[str, float]
    bias: float
    facts: dict[str, str | float | int]

    def probability(self, evidence: Mapping[str, float]) -> float:
        """In [0, 1]."""
        values = {n: float(np.clip((evidence[n] - m) / s, -LIMIT, LIMIT)) for n, (m, s) in self.usual.items()}
        total = self.bias
        for term, weight in self.weights.items():
            one, _, other = term.partition("*")
            total += weight * values[one] * (values[other] if other else 1.0)
        return float(1 / (1 + np.exp(-np.clip(total, -40, 40))))

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """A calibration from its JSON file.

        Raises:
            ValueError: missing or damaged.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            usual = {str(n): (float(m), float(s)) for n, (m, s) in values["usual"].items()}
            weights = {str(k): float(v) for k, v in values["weights"].items()}
            unknown = {name for term in weights for name in term.split("*")} - set(usual) | set(usual) - set(EVIDENCE)
            if unknown:
                raise ValueError(f"weights for {', '.join(sorted(unknown))}; known are {', '.join(EVIDENCE)}")
            if not all(np.isfinite([m, s]).all() and s > 0 for m, s in usual.values()):
                raise ValueError("a standard deviation that is not above 0")
            return cls(usual, weights, float(values["bias"]), dict(values.get("facts", {})))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: not a readable calibration ({error})") from None


def fit(
    evidence: NDArray[np.floating], true: NDArray[np.bool_], facts: Mapping[str, str | float | int] | None = None
) -> Calibration:
    """Fits the map on candidates of development data.

    Args:
        evidence: (N, len(EVIDENCE)).
        true: (N,) whether the candidate is the sign.

    Raises:
        ValueError: all candidates are true or all are false.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    if len(np.unique(true)) < 2:
        raise ValueError(f"{len(true)} candidates are all alike; calibration needs true and false ones")
    scaler, products, second = StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
    values = np.clip(scaler.fit_transform(evidence), -LIMIT, LIMIT)
    terms = ["*".join(np.repeat(EVIDENCE, powers)) for powers in products.fit(values).powers_]
    # a product's weight costs as much as one 1 / PRODUCT times as large of a value itself
    held_back = np.where(["*" in term for term in terms], PRODUCT, 1.0)
    logistic = LogisticRegression(max_iter=5000).fit(second.fit_transform(products.transform(values)) * held_back, true)
    weights = logistic.coef_[0] * held_back / second.scale_
    bias = float(logistic.intercept_[0] - (weights * second.mean_).sum())
    usual = {n: (float(m), float(s)) for n, m, s in zip(EVIDENCE, scaler.mean_, scaler.scale_, strict=True)}
    told = {"candidates": len(true), "true": int(true.sum()), **dict(facts or {})}
    return Calibration(usual, {t: float(w) for t, w in zip(terms, weights, strict=True)}, bias, told)


def shipped_calibration(encoder_id: str) -> tuple[Calibration | None, Cohort | None]:
    """The calibration and cohort that travel with the package for these very weights, (None, None) without any.

    `scripts/make/fit_calibration.py` makes them: ``calibration/<encoder id>.json`` and ``.safetensors``.
    """
    from importlib.resources import as_file, files

    folder = files(module_name("spotter")) / "search" / "calibration"
    settings, vectors = folder / f"{encoder_id}.json", folder / f"{encoder_id}.safetensors"
    if not encoder_id or not settings.is_file() or not vectors.is_file():
        return None, None
    from safetensors.numpy import load_file

    with as_file(settings) as path:
        calibration = Calibration.load(path)
    with as_file(vectors) as path:
        rows = load_file(path)["cohort"].astype(np.float32)
    return calibration, Cohort(rows / np.linalg.norm(rows, axis=1, keepdims=True))
