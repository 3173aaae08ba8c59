"""Segment, then match: a network cuts the video into signs, each stretch is compared with the exemplars.

The network is that of sign-language-processing's `segmentation` (Moryossef, Jiang, Müller, Ebling, Goldberg 2023,
"Linguistically Motivated Sign Language Segmentation"), which the user supplies as a TorchScript file: it is not part
of this package. Only the variants on normalised poses alone (E1) are fed here; those that also want optical flow and
turned hands (E4) are refused with what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared

from ..detection import Detection
from ..enrolment import enroll
from ..search.likeness import likeness
from ..search.standing import standing
from .methods import Method

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose

__all__ = ["SegmentMethod", "cut_signs", "network_input"]

POINTS = 75
"""Landmarks of the body and both hands."""

LEGS = tuple(range(25, 33))
"""Knees, ankles, heels and toes, which the network never sees."""

OUTSIDE, BEGINNING, INSIDE = 0, 1, 2
"""Columns of what the network says of each frame."""

BEGINS, ENDS = 0.6, 0.5
"""Probabilities above which a sign begins and ends, as the published program sets them for signs."""


def network_input(pose: Pose) -> NDArray[np.float32]:
    """(T, 75, 3) of a pose: the middle of the shoulders at the origin, their mean distance as the unit.

    As `pose_format` normalises: both are means over all frames that show the shoulders. What is missing is 0, and so
    are the legs.

    Raises:
        ValueError: the shoulders were never seen.
    """
    holistic = pose.to("mediapipe-holistic")
    z = np.zeros(holistic.xy.shape[:2], np.float32) if holistic.z is None else holistic.z
    points = np.concatenate([holistic.xy, z[..., None]], axis=2).astype(np.float64)
    left, right = points[:, holistic.joint("left_shoulder")], points[:, holistic.joint("right_shoulder")]
    seen = np.isfinite(left - right).all(axis=1)
    distance = float(np.linalg.norm((left - right)[seen], axis=1).mean()) if seen.any() else 0.0
    if not distance > 0:
        raise ValueError(f"{pose.source or 'the pose'}: the shoulders were never seen; there is no unit of length")
    points = (points - np.nanmean((left + right) / 2, axis=0)) / distance
    points[:, LEGS] = 0
    return np.nan_to_num(points).astype(np.float32)


def cut_signs(log_probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """(N, 2) half-open frames of signs in what the network says, (T, 3) logarithms of outside, beginning, inside.

    The published decoding: percentages are rounded; a sign begins where its beginning exceeds 60 % and ends before the
    next frame with a beginning above 60 % (which begins another) or an outside above 50 %, once the beginning has
    fallen below 60 %. Where nothing begins, a sign lasts from an inside above 50 % to the next below 50 %.
    """
    share = np.round(100 * np.exp(np.asarray(log_probabilities, np.float64)))
    begins, outside = share[:, BEGINNING] > 100 * BEGINS, share[:, OUTSIDE] > 100 * ENDS
    if (share[:, BEGINNING] < 100 * BEGINS).all():
        return _runs(share[:, INSIDE])
    spans: list[tuple[int, int]] = []
    start, settled = -1, False
    for frame in range(len(share)):
        if start < 0:
            start, settled = (frame, False) if begins[frame] else (-1, False)
        elif not settled:
            settled = bool(share[frame, BEGINNING] < 100 * BEGINS)
        elif begins[frame] or outside[frame]:
            spans.append((start, frame))
            start, settled = (-1 if outside[frame] else frame), False
    if start >= 0:
        spans.append((start, len(share)))
    return np.array(spans, np.int64).reshape(-1, 2)


def _runs(inside: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N, 2) half-open runs that begin above 50 and last while they are at least 50."""
    spans: list[tuple[int, int]] = []
    start = -1
    for frame, share in enumerate([*inside.tolist(), 0.0]):
        if start < 0 and share > 50:
            start = frame
        elif start >= 0 and share < 50:
            spans.append((start, frame))
            start = -1
    return np.array(spans, np.int64).reshape(-1, 2)


@lru_cache(maxsize=1)
def _network(path: Path) -> Any:
    """The TorchScript module of a file.

    Raises:
        ValueError: it is none.
    """
    import torch

    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"{path}: is no TorchScript file ({str(error).strip().splitlines()[0]})") from None


@dataclass(frozen=True)
class SegmentMethod(Method):
    """Each stretch that the network cuts out is compared with every exemplar, as `spotter classify --gallery` does.

    Attributes:
        network: the TorchScript file.
    """

    network: Path = Path()

    @classmethod
    def of(cls, network: str | Path, encoder: str = "default") -> SegmentMethod:
        """With the default threshold: no figure of any set was used for it."""
        about = "signs cut out by a segmentation network, matched by vectors and alignment"
        return cls("segment-match", about, encoder, 0.3, -3.0, Path(network))

    def spans(self, clip: Clip) -> NDArray[np.int64]:
        """(N, 2) half-open frames of the signs in a clip.

        Raises:
            ValueError: the clip has no pose, or the network takes or gives something else.
        """
        import torch

        if clip.pose is None:
            raise ValueError(f"{clip.name}: has no pose; the segmentation network needs one")
        module = _network(self.network)
        try:
            with torch.no_grad():
                said = module(torch.from_numpy(network_input(clip.pose))[None])["sign"]
            rows = np.asarray(said, np.float64).reshape(len(clip), 3)
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            why = str(error).strip().splitlines()[-1]
            raise ValueError(
                f"{self.network}: does not map normalised poses (1, frames, {POINTS}, 3) to a dictionary with sign, "
                f"(1, frames, 3) log probabilities ({why})"
            ) from None
        return cut_signs(rows)

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        from gallery import Gallery

        encoder = self.load()
        gallery = enroll(list(exemplars), encoder=encoder)
        found: dict[str, list[Detection]] = {}
        for query in queries:
            spans, video = self.spans(query), prepared(query, encoder)
            wanted = None if known is None else known.get(query.name)
            shown = Gallery(gallery.dim, gallery.encoder)
            if len(spans):
                edges = np.array([video.encoder_frames(start, end) for start, end in spans.tolist()])
                rows = [video.features[video.rows(start, end)] for start, end in spans.tolist()]
                shown.add(video.embed(edges), [str(i) for i in range(len(spans))], features=rows)
            made = [
                Detection(query.name, label, start / query.fps, end / query.fps, float(score))
                for (start, end), scores in zip(spans.tolist(), likeness(shown, gallery), strict=True)
                for label, score in zip(gallery.exemplar_labels, scores, strict=True)
                if wanted is None or label == wanted
            ]
            least, each = (threshold, 0) if wanted is None else (-np.inf, 1)
            found[query.name] = standing(made, least, each)
        return found

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        from dataclasses import replace

        gallery = enroll([c if c.label else replace(c, label=c.name) for c in clips], encoder=self.load())
        return likeness(gallery, gallery)
