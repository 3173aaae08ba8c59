"""How alike single signs are, by the evidence that spotting uses: vectors of signs and alignment of their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .alignment import UNREACHED, align_everywhere, resampled, unit_rows

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from gallery import Gallery
    from gallery.few_shot import FewShot

__all__ = ["NearestExemplar", "likeness", "pair_costs", "sign_probabilities"]

SHORTEST = 4
"""Frames to which a shorter sign is brought."""

TEMPLATES_AT_ONCE = 128
"""Exemplars that are aligned together: the memory does not grow with the gallery."""

LEARNED_FROM = 400
"""Exemplars of a gallery from which is learned: half a minute of aligning pairs."""

SHARPNESS = 10.0
"""Factor of a likeness in the odds of a sign; chosen of 8 to 30 by the log loss on sets for choosing."""


def likeness(
    shown: Gallery, exemplars: Gallery, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float64]:
    """(Q, E) in [-3, 1]: cosine of two signs' vectors minus the mean cost of aligning their frames.

    It is the first evidence of the search's judge (*match*), with the sign's span given: the exemplar is brought to
    the sign's length and aligned with its frames, with the steps 1-1, 2-1 and 1-2; so is the sign with the exemplar,
    and the mean of both costs counts.

    Args:
        shown: Q signs, as `enroll` makes them of clips; trimmed.
        exemplars: E of them, by the same encoder. Where a sign or an exemplar is without frame features (a gallery of
            plain vectors), the cosine alone counts for all.
        progress: called with (signs done, all).

    Raises:
        GalleryError: the two are by different encoders.
    """
    exemplars.check_encoder(shown.encoder)
    cosine = shown.vectors.astype(np.float64) @ exemplars.vectors.T.astype(np.float64)
    templates = [_frames(f) for f in exemplars.features if f is not None and len(f)]
    signs = [_frames(f) for f in shown.features if f is not None and len(f)]
    if len(templates) < len(exemplars) or len(signs) < len(shown):
        return cosine
    by_length: dict[int, list[int]] = {}
    for row, template in enumerate(templates):
        by_length.setdefault(len(template), []).append(row)
    groups = [
        (np.array(rows[i : i + TEMPLATES_AT_ONCE]), np.stack([templates[r] for r in rows[i : i + TEMPLATES_AT_ONCE]]))
        for rows in by_length.values()
        for i in range(0, len(rows), TEMPLATES_AT_ONCE)
    ]
    for row, sign in enumerate(signs):
        for columns, group in groups:
            cosine[row, columns] -= (_exemplars_on(sign, group) + _sign_on(sign, group)) / 2
        if progress is not None:
            progress(row + 1, len(signs))
    return cosine


def _frames(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows, at least `SHORTEST`."""
    return unit_rows(features if len(features) >= SHORTEST else resampled(features, SHORTEST))


def _exemplars_on(sign: NDArray[np.float32], group: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B,) costs of exemplars (B, R, F) brought to the sign's length."""
    count, rows, width = group.shape
    beside = resampled(group.swapaxes(0, 1).reshape(rows, count * width), len(sign))
    brought = unit_rows(beside.reshape(len(sign), count, width)).swapaxes(0, 1)
    return align_everywhere(brought, sign).cost.min(axis=1)


def _sign_on(sign: NDArray[np.float32], group: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B,) costs of the sign brought to the length of exemplars (B, R, F)."""
    template = unit_rows(resampled(sign, group.shape[1]))
    return pair_costs(np.broadcast_to(template, group.shape), group)


def pair_costs(templates: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B,) mean cost, in [0, 2], of the cheapest alignment of each template with a stretch of its own sign.

    The recurrence of `alignment.align_everywhere`, without the paths.

    Args:
        templates: (B, R, F) unit rows; signs: (B, Q, F) unit rows.
    """
    costs = 1.0 - templates @ signs.transpose(0, 2, 1)
    rows = costs.shape[1]
    last = before = costs[:, 0]
    for r in range(1, rows):
        here, total = costs[:, r], np.full_like(last, np.inf)
        total[:, 1:] = last[:, :-1] + here[:, 1:]
        if r > 1:
            both_rows = before[:, :-1] + costs[:, r - 1, 1:] + here[:, 1:]
            total[:, 1:] = np.minimum(total[:, 1:], both_rows)
        both_columns = last[:, :-2] + (here[:, 1:-1] + here[:, 2:]) / 2
        total[:, 2:] = np.minimum(total[:, 2:], both_columns)
        before, last = last, total
    return np.minimum(last.min(axis=1) / np.float32(rows), UNREACHED)


@dataclass(eq=False)
class NearestExemplar:
    """Names the sign of a clip by a gallery, of which each sign may have a single exemplar.

    Where signs have several, a regularised linear head learns from how alike the exemplars are (`gallery.few_shot`), if
    there are no more than `LEARNED_FROM`: each pair of them is aligned.

    Attributes:
        gallery: the exemplars.
        encoder: the network that made them.
    """

    gallery: Gallery
    encoder: Encoder

    def __post_init__(self) -> None:
        self.gallery.check_encoder(self.encoder.id or self.encoder.name)

    @property
    def labels(self) -> tuple[str, ...]:
        """The gallery's signs."""
        return self.gallery.labels

    def parameters(self) -> int:
        """How many numbers the network has learned."""
        return sum(p.numel() for p in self.encoder.parameters()) if hasattr(self.encoder, "parameters") else 0

    def probabilities(self, clip: Clip) -> NDArray[np.float64]:
        """(K,) of the signs in the order of `labels`; they sum to 1.

        The clip is trimmed to its sign. That it shows one of the signs is taken for granted.

        Raises:
            ValueError: the clip lacks what the network needs.
        """
        from dataclasses import replace

        from ..enrolment import enroll

        shown = enroll([replace(clip, label=clip.label or clip.name)], encoder=self.encoder)
        alike = likeness(shown, self.gallery)
        return (
            sign_probabilities(alike[0], self.gallery) if self.learned is None else self.learned.probabilities(alike)[0]
        )

    @cached_property
    def learned(self) -> FewShot | None:
        """What several exemplars of a sign teach; None where no sign has several, or there are too many."""
        from gallery.few_shot import fit_few_shot

        labels = self.gallery.exemplar_labels
        if len(set(labels)) == len(labels) or len(labels) > LEARNED_FROM:
            return None
        return fit_few_shot(likeness(self.gallery, self.gallery), labels)


def sign_probabilities(alike: NDArray[np.float64], gallery: Gallery) -> NDArray[np.float64]:
    """(K,) from the likeness (E,) of one sign with each exemplar."""
    number = {label: at for at, label in enumerate(gallery.labels)}
    best = np.full(len(number), -np.inf)
    np.maximum.at(best, [number[label] for label in gallery.exemplar_labels], alike)
    odds = np.exp(SHARPNESS * (best - best.max()))
    made: NDArray[np.float64] = odds / odds.sum()
    return made
