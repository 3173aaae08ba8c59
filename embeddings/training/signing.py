"""Training material from the procedural signer: stretches of signing as per-frame inputs, with their sign spans.

Utterances (several signs in a row, by a new signer before a new camera through a new estimator) and isolated signs
are performed once, turned into what the network's `prepare` gives, and kept as one array; batches then cut windows out
of it, jittered around the signs, and windows between signs that are like none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip

__all__ = ["Stretches", "WindowBatch", "WindowSampler", "collect", "procedural_clips"]

Prepare = Callable[[Clip], NDArray[np.float32]]
"""A clip's per-frame inputs (T, …) at the network's frame rate."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Features of many clips in one array.

    Attributes:
        features: (N, …) float16 rows of all clips, one after another.
        clips: (C, 2) int64 row ranges [start, end) of the clips.
        spans: (S, 4) int64: class, first row, end row, clip.
    """

    features: NDArray[np.float16]
    clips: NDArray[np.int64]
    spans: NDArray[np.int64]

    def classes(self) -> int:
        return int(self.spans[:, 0].max()) + 1


def procedural_clips(seed: int, signs: int, utterances: int, length: int = 6, isolated: float = 0.25) -> Iterator[Clip]:
    """Utterances of random signs, each by its own signer, camera and estimator; some are single signs.

    Every sign turns up equally often (within one). A quarter of the material is filmed at 15 or 30 frames a second
    and resampled, as real recordings are.
    """
    from ..synthetic import SignWorld, random_camera, random_noise, random_signer

    world = SignWorld(seed, signs)
    rng = np.random.default_rng([seed, 1])
    deck: list[int] = []
    for take in range(utterances):
        count = 1 if rng.random() < isolated else length
        while len(deck) < count:
            deck += list(rng.permutation(signs))
        chosen, deck = deck[:count], deck[count:]
        signer = random_signer(rng, f"signer-{seed}-{take}", 0.12)
        noise = random_noise(rng, float(rng.choice([0.3, 0.7, 1.0, 1.5])))
        fps = float(rng.choice([25.0, 15.0, 30.0], p=[0.7, 0.15, 0.15]))
        names = [world.signs[i] for i in chosen]
        if count == 1:
            yield world.clip(names[0], signer, random_camera(rng), noise, fps=fps, take=take)
        else:
            yield world.continuous(names, signer, random_camera(rng), noise, fps=fps, take=take, pauses=0.05)


def collect(clips: Iterable[Clip], labels: dict[str, int], prepare: Prepare, fps: float = 25.0) -> Stretches:
    """Inputs and spans of clips.

    Args:
        labels: sign → class; signs that are not in it are background.
        fps: frames per second of what `prepare` gives.
    """
    rows: list[NDArray[np.float16]] = []
    ranges: list[tuple[int, int]] = []
    spans: list[tuple[int, int, int, int]] = []
    at = 0
    for clip in clips:
        values = prepare(clip).astype(np.float16)
        ratio = fps / clip.fps
        for span in clip.spans:
            if span.label in labels:
                start = at + round(span.start * ratio)
                end = max(start + 2, at + round(span.end * ratio))
                spans.append((labels[span.label], start, min(end, at + len(values)), len(ranges)))
        ranges.append((at, at + len(values)))
        rows.append(values)
        at += len(values)
    return Stretches(np.concatenate(rows), np.array(ranges, np.int64), np.array(spans, np.int64).reshape(-1, 4))


@dataclass(frozen=True, eq=False)
class WindowBatch:
    """Windows out of stretches.

    Attributes:
        inputs: (B, context, …) float32, the frames around each window.
        windows: (B, 2) float64, the window inside those frames, half-open.
        labels: (B,) int64; background windows have labels from `Stretches.classes()` on, each its own.
    """

    inputs: NDArray[np.float32]
    windows: NDArray[np.float64]
    labels: NDArray[np.int64]


class WindowSampler:
    """P signs × K windows each, plus background windows that hold no whole sign.

    Args:
        signs: P; each: K; background: how many windows between signs.
        context: frames around a window's middle that a batch holds.
        jitter: standard deviations of a window's ends in shares of its length, one of them per window.
        tempo: standard deviation of the log of how much faster or slower the material is played.
    """

    def __init__(
        self,
        stretches: Stretches,
        signs: int,
        each: int,
        background: int,
        context: int = 56,
        jitter: tuple[float, ...] = (0.12,),
        tempo: float = 0.0,
    ) -> None:
        self.stretches, self.signs, self.each = stretches, signs, each
        self.background, self.context, self.jitter, self.tempo = background, context, jitter, tempo
        order = np.argsort(stretches.spans[:, 0], kind="stable")
        self._by_class = np.split(order, np.cumsum(np.bincount(stretches.spans[:, 0]))[:-1])
        self._usable = [i for i, rows in enumerate(self._by_class) if len(rows) >= 2]

    def choose(self, rng: np.random.Generator, count: int | None = None) -> NDArray[np.int64]:
        """Random signs, none twice; `count` of them, by default as many as a batch holds."""
        wanted = self.signs if count is None else count
        return rng.choice(self._usable, size=min(wanted, len(self._usable)), replace=False)

    def batch(self, rng: np.random.Generator, chosen: NDArray[np.int64] | None = None) -> WindowBatch:
        """One batch; the same generator state gives the same batch.

        Args:
            chosen: its signs, instead of random ones; signs performed fewer than twice are left out.
        """
        chosen = self.choose(rng) if chosen is None else np.unique(chosen[np.isin(chosen, self._usable)])
        picks = [rng.choice(self._by_class[c], self.each, replace=len(self._by_class[c]) < self.each) for c in chosen]
        spans = self.stretches.spans[np.concatenate(picks)]
        windows, labels = self._jittered(spans, rng), spans[:, 0]
        clips = spans[:, 3]
        if self.background:
            between, homes = self._between(rng)
            first = self.stretches.classes()
            windows, clips = np.concatenate([windows, between]), np.concatenate([clips, homes])
            labels = np.concatenate([labels, first + np.arange(len(between))])
        played = np.exp(rng.normal(0, self.tempo, len(windows))) if self.tempo else None
        inputs, inside = self.cut(windows, clips, played)
        return WindowBatch(inputs, inside, labels)

    def _jittered(self, spans: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        start, end = spans[:, 1].astype(float), spans[:, 2].astype(float)
        length = np.maximum(end - start, 4)
        shift = rng.normal(0, rng.choice(self.jitter, len(spans)), (2, len(spans))) * length
        return np.stack([start + shift[0], np.maximum(end + shift[1], start + shift[0] + 4)], axis=1)

    def _between(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Windows centred on a sign's edge (half of it, half of what follows) and of rest."""
        spans = self.stretches.spans[rng.integers(len(self.stretches.spans), size=self.background)]
        length = np.maximum(spans[:, 2] - spans[:, 1], 6)
        edge = np.where(rng.random(len(spans)) < 0.5, spans[:, 1], spans[:, 2])
        half = 0.5 * length * rng.uniform(0.7, 1.3, len(spans))
        return np.stack([edge - half, edge + half], axis=1), spans[:, 3]

    def cut(
        self,
        windows: NDArray[np.float64],
        clips: NDArray[np.int64],
        tempo: NDArray[np.float64] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Frames (B, context, …) around windows (B, 2) of the material's rows, and the windows inside them.

        Args:
            tempo: (B,) rows of the material per frame of the result (2: twice as fast), None for 1.
        """
        first, last = self.stretches.clips[clips].T
        if tempo is None:
            start = np.round(windows.mean(axis=1)).astype(np.int64) - self.context // 2
            rows = np.clip(start[:, None] + np.arange(self.context), first[:, None], last[:, None] - 1)
            return self.stretches.features[rows].astype(np.float32), windows - start[:, None]
        begin = windows.mean(axis=1) - tempo * self.context / 2
        places = begin[:, None] + tempo[:, None] * np.arange(self.context)
        places = np.clip(places, first[:, None], last[:, None] - 1)
        low = places.astype(np.int64)
        share = (places - low).astype(np.float32).reshape(*places.shape, *[1] * (self.stretches.features.ndim - 1))
        before = self.stretches.features[low].astype(np.float32)
        after = self.stretches.features[np.minimum(low + 1, last[:, None] - 1)].astype(np.float32)
        return before + share * (after - before), (windows - begin[:, None]) / tempo[:, None]
