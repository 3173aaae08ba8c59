"""Named methods of one-shot spotting with one interface: what a user would try first, what was published, and ours.

All take clips with poses and give, for a set of exemplars, the detections in continuous queries, and between isolated
clips a similarity. Overlapping answers are resolved by the same rule for all (`standing`). Where a method needs
a threshold, `scripts/make/fit_baselines.py` found it on procedural worlds that nothing is reported on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared

from ..detection import Detection
from ..enrolment import enroll, exemplar_span
from ..pipeline import spot_videos
from ..search.alignment import UNREACHED, align_everywhere, unit_rows
from ..search.judge import LEAST
from ..search.judge import THRESHOLD as JUDGED_THRESHOLD
from ..search.likeness import likeness
from ..search.options import SpottingOptions
from ..search.peaks import Peak
from ..search.standing import standing
from ..search.suppression import suppress
from ..search.windows import windows_at

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from eval.segments import Segment

__all__ = ["METHODS", "AlignmentMethod", "Method", "WindowMethod"]


@dataclass(frozen=True)
class Method(ABC):
    """A way to spot.

    Attributes:
        name: as the tables show it.
        about: one line.
        encoder: name or checkpoint of what it compares.
        threshold: least score of a detection.
        least: a score so low that curves over the threshold start there.
    """

    name: str
    about: str
    encoder: str
    threshold: float
    least: float

    def detections(
        self,
        exemplars: Sequence[Clip],
        queries: Sequence[Clip],
        threshold: float | None = None,
        known: Mapping[str, str] | None = None,
    ) -> dict[str, list[Detection]]:
        """Query name → detections by time.

        Args:
            exemplars: clips of single signs with labels; trimmed here.
            threshold: another than the method's own.
            known: query name → the one sign to look for in it, whose best place is reported whatever its score.

        Raises:
            ValueError: nothing to enrol, or a query cannot be encoded.
        """
        return self._detections(exemplars, queries, self.threshold if threshold is None else threshold, known)

    @abstractmethod
    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]: ...

    @abstractmethod
    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        """(N, N) how alike isolated clips are, higher is nearer; each trimmed to its sign."""

    def ceiling(self, truth: Mapping[str, Sequence[Segment]]) -> float | None:
        """The highest one-to-one F1 that such answers can reach on this ground truth; None where it is 1."""
        return None

    def load(self) -> Encoder:
        """Its encoder."""
        from embeddings.encoders import load_encoder

        return load_encoder(self.encoder)


@dataclass(frozen=True)
class WindowMethod(Method):
    """One vector per window, cosine with the exemplar's.

    Attributes:
        options: windows, refinement, calibration, transfer; its threshold is not used. With refinement single signs
            are compared by vectors and alignment, else by vectors.
    """

    options: SpottingOptions = field(default_factory=SpottingOptions)

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        from dataclasses import replace

        encoder = self.load()
        options = replace(self.options, threshold=threshold)
        gallery = enroll(list(exemplars), encoder=encoder)
        results = spot_videos(queries, gallery, encoder, options, known=known)
        for result in results:
            if result.error:
                raise ValueError(result.error)
        return {result.video: result.detections for result in results}

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        if not self.options.refine:
            return _vector_similarity(self.load(), clips)
        gallery = enroll([_labelled(clip) for clip in clips], encoder=self.load())
        return likeness(gallery, gallery)


@dataclass(frozen=True)
class AlignmentMethod(Method):
    """Subsequence dynamic time warping of the exemplar's frames onto the query's; the score is minus the mean cost.

    Steps 1-1, 2-1 and 1-2, cosine distances (`search.alignment`): the classical steps 1-0, 0-1 and 1-1 let a path
    collapse onto a few frames, and find less.

    Attributes:
        window: each frame is the vector of a window of so many frames around it; 0 takes the encoder's frame features.
        per_minute: at most so many candidates of a sign a minute.
        hop: frames from one row of the alignment to the next.
    """

    window: int = 0
    per_minute: float = 20.0
    hop: int = 1

    def frames(self, encoder: Encoder, clip: Clip, trim: bool, stride: int = 1) -> NDArray[np.float32]:
        """(T, F) what is aligned, every `stride` frames of the encoder's rate; trimmed to the sign if asked."""
        whole = prepared(clip, encoder)
        rows = whole.rows(*exemplar_span(clip)) if trim else slice(0, len(whole))
        if not self.window:
            return whole.features[rows.start : rows.stop : stride]
        return whole.embed(windows_at(np.arange(rows.start, rows.stop, stride) + 0.5, float(self.window)))

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        encoder = self.load()
        rate = encoder.fps / self.hop
        shown = [(str(clip.label), self.frames(encoder, clip, True, self.hop)) for clip in exemplars]
        found: dict[str, list[Detection]] = {}
        for query in queries:
            wanted = None if known is None else known.get(query.name)
            frames = self.frames(encoder, query, False, self.hop)
            most = max(3, round(self.per_minute * len(frames) / rate / 60))
            made = [
                Detection(query.name, label, peak.start / rate, peak.end / rate, peak.score)
                for label, exemplar in shown
                if wanted is None or label == wanted
                for peak in self._matches(exemplar, frames, most)
            ]
            least, each = (threshold, 0) if wanted is None else (-np.inf, 1)
            found[query.name] = standing(made, least, each)
        return found

    def _matches(self, exemplar: NDArray[np.float32], query: NDArray[np.float32], most: int) -> list[Peak]:
        """The best alignments that do not overlap, best first."""
        cost, length = (rows[0] for rows in align_everywhere(unit_rows(exemplar)[None], unit_rows(query)))
        ends = np.flatnonzero(cost < UNREACHED)
        order = ends[np.argsort(cost[ends], kind="stable")]
        peaks = [Peak(float(e), -float(cost[e]), float(e + 1 - length[e]), float(e + 1)) for e in order.tolist()]
        return [peaks[i] for i in suppress([(peak.start, peak.end) for peak in peaks], most=most)]

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        from dtaidistance import dtw_ndim

        encoder = self.load()
        # every fourth window is enough where windows overlap: the alignment is quadratic in the frames
        series = [self.frames(encoder, clip, True, 4 if self.window else 1).astype(np.float64) for clip in clips]
        distance = dtw_ndim.distance_matrix_fast(series, series[0].shape[1])
        lengths = np.array([len(s) for s in series], np.float64)
        return -distance / np.sqrt(lengths[:, None] + lengths[None])


def _vector_similarity(encoder: Encoder, clips: Sequence[Clip]) -> NDArray[np.float64]:
    """(N, N) cosines of the clips' signs, one vector each."""
    vectors = enroll([_labelled(clip) for clip in clips], encoder=encoder).vectors.astype(np.float64)
    return vectors @ vectors.T


def _labelled(clip: Clip) -> Clip:
    from dataclasses import replace

    return clip if clip.label else replace(clip, label=clip.name)


@dataclass(frozen=True)
class NearestWindowMethod(Method):
    """The search of the OSLWL entry of the 2022 challenge, literally.

    Windows of 16 frames at every frame; the nearest one by cosine for each query and sign; Top-K transfer once (the
    mean of the k nearest queries' windows takes the exemplar's place, no guard) and the search again. A window w gives
    the published interval of frames [w, w + 15). The entry fused three networks trained on the challenge's data, which
    says what sign a video holds; where nobody says so (`known`), the threshold decides.

    Attributes:
        k: queries that donate; 0 leaves the transfer out.
    """

    k: int = 5

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        from gallery import top_k_transfer

        encoder = self.load()
        gallery = enroll(list(exemplars), encoder=encoder)
        windows = {query.name: self._windows(encoder, query) for query in queries}
        best: dict[str, dict[str, Detection]] = {name: {} for name in windows}
        for label, exemplar in zip(gallery.exemplar_labels, gallery.vectors, strict=True):
            searched = {v: w for v, w in windows.items() if known is None or known.get(v, label) == label}
            moved = top_k_transfer(exemplar, searched, self.k, 1, guard=False) if self.k and searched else {}
            for name, vectors in searched.items():
                similarity = vectors @ moved.get(name, exemplar)
                w = int(similarity.argmax())
                one = Detection(name, label, w / encoder.fps, (w + 15) / encoder.fps, float(similarity[w]))
                if label not in best[name] or one.score > best[name][label].score:
                    best[name][label] = one
        least = {v: -np.inf if known is not None and v in known else threshold for v in windows}
        return {
            name: sorted((d for d in found.values() if d.score >= least[name]), key=lambda d: (d.start, d.sign))
            for name, found in best.items()
        }

    def ceiling(self, truth: Mapping[str, Sequence[Segment]]) -> float | None:
        """One answer a video and sign: a sign's second occurrence in a video cannot be found."""
        occurrences = sum(map(len, truth.values()))
        answers = len({(video, s.sign) for video, segments in truth.items() for s in segments})
        return 2 * answers / (answers + occurrences) if occurrences else None

    def _windows(self, encoder: Encoder, query: Clip) -> NDArray[np.float32]:
        whole = prepared(query, encoder)
        first = np.arange(max(1, len(whole) - 15), dtype=np.float64)
        return whole.embed(np.stack([first, first + 16], axis=1))

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        return _vector_similarity(self.load(), clips)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        WindowMethod(
            "pose-cosine", "normalised poses in a window, cosine", "pose-cosine", 0.867, 0.5,
            SpottingOptions(refine=False, calibrated=False),
        ),
        AlignmentMethod("pose-dtw", "subsequence DTW on normalised poses", "pose-cosine", -0.124, -2.0),
        AlignmentMethod(
            "gcn-dtw", "subsequence DTW on SL-GCN vectors of 8 frames, steps 1-1, 2-1, 1-2", "sl-gcn", -0.404, -2.0,
            window=8, hop=2,
        ),
        AlignmentMethod("tcn-dtw", "subsequence DTW on our encoder's frame features", "default", -0.251, -2.0),
        AlignmentMethod(
            "tcn-dtw8", "subsequence DTW on our encoder's vectors of 8 frames", "default", -0.323, -2.0, window=8, hop=2
        ),
        NearestWindowMethod("oslwl-2022", "the 2022 entry's search with SL-GCN", "sl-gcn", 0.742, 0.0),
        NearestWindowMethod("oslwl-2022-tcn", "the 2022 entry's search with our encoder", "default", 0.860, 0.0),
        WindowMethod(
            "sign-spotter", "windows and alignment, judged together: what `spotter spot` does", "default",
            JUDGED_THRESHOLD, LEAST,
        ),
    )
}  # fmt: skip
"""By name; the last one is the toolkit's own way."""
