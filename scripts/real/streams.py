"""Continuous streams with known spans, spliced from real landmark collections: one signer's clips, with rest between.

    from real_streams import real_streams
    for name, (exemplars, queries) in real_streams(folder).items(): ...

Exemplars are always by another signer (or session) than the queries. A name is `set/exemplars' signer`; sets with the
same first part are the same signs with the signers' roles changed and may be pooled: their queries' names differ.

| set | what |
|---|---|
| `asl-9` | 9 American signs, 3 signers, with stretches of real rest (`<idle>`) between |
| `asl-13` | 13 American signs that both of 2 signers show, with rest; other recordings than `asl-9` |
| `ksl-13` | 13 Korean signs, 5 recording sessions, one sign after the other |
| `ksl-20` | 20 Korean signs shown by two people each, among 21 signs that nobody looks for |
| `haystack` | 14.7 minutes of Swiss signing in which the 9 American signs are planted twice each |

How a stream is made: each clip is brought to 25 fps and to one place and size of the shoulders (clips of one stream may
come from several cameras or, in `ksl-20`, people); between two clips the pose moves over in a straight line for 0.24 s.
A sign's true span is what `gallery.signing_span` finds in its clip before splicing, the same rule that trims exemplars;
clips in which it finds less than 0.3 s, or nobody, are left out. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embeddings.clip import Clip, Pose, Span
from scripts.real.sets import read_collection, read_koala
from spotter.enrolment import exemplar_span

__all__ = [
    "IDLE", "StreamSet", "at_length", "by_signer", "crossed", "drawn", "placed", "real_streams", "somebody", "splice",
    "two_signers",
]  # fmt: skip

FPS = 25.0
BRIDGE = 6
"""Frames of the passage from one clip to the next."""
SHORTEST = 8
"""Frames of a sign that was found at all."""
SHOULDER_WIDTH = 220.0
MIDDLE = np.array([500.0, 450.0], np.float32)
IDLE = "<idle>"


class StreamSet(NamedTuple):
    """One exemplar a sign, and continuous clips by others with their true spans."""

    exemplars: list[Clip]
    queries: list[Clip]


def placed(clip: Clip, skeleton: str | None = None) -> Clip:
    """The clip at 25 fps with its shoulders' median middle and width where every stream has them.

    Raises:
        ValueError: no pose, or shoulders that are never seen.
    """
    if clip.pose is None:
        raise ValueError(f"{clip.name}: has no pose")
    pose = clip.pose.resample(FPS) if skeleton is None else clip.pose.resample(FPS).to(skeleton)
    left, right = (pose.xy[:, pose.joint(f"{side}_shoulder")] for side in ("left", "right"))
    width = float(np.nanmedian(np.linalg.norm(left - right, axis=1)))
    if not width > 0:
        raise ValueError(f"{clip.name}: shoulders are never seen; expected a signer from the front")
    scale = SHOULDER_WIDTH / width
    middle = np.nanmedian((left + right) / 2, axis=0)
    xy = ((pose.xy - middle) * scale + MIDDLE).astype(np.float32)
    z = None if pose.z is None else (pose.z * scale).astype(np.float32)
    return replace(clip, pose=replace(pose, xy=xy, z=z, size=(1000, 1000)), fps=FPS)


def _joined(poses: Sequence[Pose]) -> Pose:
    first = poses[0]
    z = None if any(p.z is None for p in poses) else np.concatenate([p.z for p in poses if p.z is not None])
    xy, confidence = (np.concatenate([getattr(p, name) for p in poses]) for name in ("xy", "confidence"))
    return replace(first, xy=xy, confidence=confidence, z=z)


def splice(name: str, clips: Iterable[Clip], targets: Iterable[str], signer: str = "") -> Clip:
    """One continuous clip of placed clips; spans for those whose label is a target.

    Raises:
        ValueError: nothing to splice.
    """
    wanted, spans, parts, at = set(targets), [], list[Pose](), 0
    for clip in clips:
        if clip.pose is None or len(clip) == 0:
            raise ValueError(f"{clip.name}: has no pose to splice")
        if parts:
            ends = _joined([parts[-1][-1:], clip.pose[:1]])
            parts.append(ends.at(np.arange(1, BRIDGE + 1) / (BRIDGE + 1)))
            at += BRIDGE
        if clip.label in wanted:
            start, end = exemplar_span(clip)
            spans.append(Span(str(clip.label), at + start, at + end))
        parts.append(clip.pose)
        at += len(clip)
    if not parts:
        raise ValueError(f"stream {name!r}: no clips to splice")
    return Clip(name, FPS, _joined(parts), signer=signer, spans=tuple(spans))


def by_signer(clips: Iterable[Clip]) -> dict[str, dict[str, list[Clip]]]:
    """Signer → label → clips, placed; without those in which nobody is seen or no sign is found."""
    found: dict[str, dict[str, list[Clip]]] = {}
    for clip in map(placed, filter(somebody, clips)):
        start, end = exemplar_span(clip)
        if clip.label == IDLE or end - start >= SHORTEST:
            found.setdefault(str(clip.signer).partition("|")[0], {}).setdefault(str(clip.label), []).append(clip)
    return found


def somebody(clip: Clip) -> bool:
    """Both shoulders are seen in at least half of the frames."""
    if clip.pose is None:
        return False
    shoulders = [clip.pose.joint(f"{side}_shoulder") for side in ("left", "right")]
    return bool(np.isfinite(clip.pose.xy[:, shoulders]).all(axis=(1, 2)).mean() >= 0.5)


def drawn(rng: np.random.Generator, clips: Mapping[str, list[Clip]], signs: Sequence[str]) -> list[Clip]:
    return [clips[sign][int(rng.integers(len(clips[sign])))] for sign in signs]


def _with_rest(rng: np.random.Generator, signing: Iterable[Clip], rest: Sequence[Clip]) -> list[Clip]:
    """The signs, every second one on average followed by a stretch of rest of 0.4 to 1.2 s."""
    mixed: list[Clip] = []
    for clip in signing:
        mixed.append(clip)
        if rest and rng.random() < 0.5:
            idle = rest[int(rng.integers(len(rest)))]
            length = min(len(idle), int(rng.integers(10, 31)))
            first = int(rng.integers(len(idle) - length + 1))
            mixed.append(idle.cut(first, first + length))
    return mixed


def at_length(clip: Clip, ratio: float) -> Clip:
    """The clip in `ratio` times as many frames at the same rate: its signs last so much longer.

    Raises:
        ValueError: no pose.
    """
    if clip.pose is None:
        raise ValueError(f"{clip.name}: has no pose")
    if ratio == 1.0:
        return clip
    frames = max(2, round(len(clip) * ratio))
    return replace(clip, pose=clip.pose.at((np.arange(frames) + 0.5) * len(clip) / frames - 0.5))


def crossed(
    name: str, clips: Iterable[Clip], streams: int, each: int, seed: int, ratio: float = 1.0
) -> dict[str, StreamSet]:
    """Each signer in turn gives the exemplars; `streams` streams of `each` signs by every other signer.

    Args:
        ratio: how long a sign of the streams lasts as a share of what was recorded; exemplars stay as they are.
    """
    people = by_signer(clips)
    common = sorted(set.intersection(*(set(c) for c in people.values())) - {IDLE})
    sets = {}
    for turn, (signer, own) in enumerate(sorted(people.items())):
        rng = np.random.default_rng([seed, turn])
        exemplars = drawn(rng, own, common)
        queries = []
        for other in sorted(set(people) - {signer}):
            # every sign about as often as the others
            order = [s for _ in range(-(-streams * each // len(common))) for s in rng.permutation(common).tolist()]
            for i in range(streams):
                signing = drawn(rng, people[other], order[i * each : (i + 1) * each])
                signing = [at_length(clip, ratio) for clip in signing]
                mixed = _with_rest(rng, signing, people[other].get(IDLE, []))
                queries.append(splice(f"{name} {signer} in {other} {i}", mixed, common, other))
        sets[f"{name}/{signer}"] = StreamSet(exemplars, queries)
    return sets


def _pairs(clips: Sequence[Clip], streams: int, seed: int) -> dict[str, StreamSet]:
    """`ksl-20`: one person's example of each sign, the other person's in streams among signs not looked for."""
    examples = by_signer(clips)
    signs = sorted(set(examples["1"]) & set(examples["2"]))
    others = [c for part in examples.values() for label, found in part.items() if label not in signs for c in found]
    sets = {}
    for turn, (mine, theirs) in enumerate((("1", "2"), ("2", "1"))):
        rng = np.random.default_rng([seed, 50 + turn])
        mixed = [examples[theirs][s][0] for s in signs] + sorted(others, key=lambda c: c.name)
        order = [mixed[i] for i in rng.permutation(len(mixed))]
        queries = [splice(f"ksl-20 {mine} in {theirs} {i}", order[i::streams], signs, theirs) for i in range(streams)]
        sets[f"ksl-20/{mine}"] = StreamSet([examples[mine][s][0] for s in signs], queries)
    return sets


def _haystack(hay: Sequence[Clip], needles: Iterable[Clip], seed: int, streams: int = 9) -> dict[str, StreamSet]:
    """Swiss signing in which each sign of the first signer's exemplars is planted by the second and third."""
    people = by_signer(needles)
    signer, *others = sorted(people)
    signs = sorted(set.intersection(*(set(c) for c in people.values())) - {IDLE})
    rng = np.random.default_rng([seed, 90])
    exemplars = drawn(rng, people[signer], signs)
    skeleton = str(hay[0].pose.skeleton) if hay[0].pose is not None else ""
    planted = [placed(c, skeleton) for other in others for c in drawn(rng, people[other], signs)]
    planted = [planted[i] for i in rng.permutation(len(planted))]
    straw = [placed(c) for c in hay if somebody(c)]
    queries = []
    for i in range(streams):
        mixed = straw[i::streams] + planted[i::streams]
        queries.append(splice(f"haystack {i}", [mixed[j] for j in rng.permutation(len(mixed))], signs))
    return {f"haystack/{signer}": StreamSet(exemplars, queries)}


def real_streams(folder: Path, seed: int = 0, ratio: float = 1.0) -> dict[str, StreamSet]:
    """Every set, by name; those whose recordings are not in the folder are left out.

    Args:
        folder: the collections (`real_sets`).
        seed: which clips are drawn, and their order.
        ratio: how long signs of `asl-9`, `asl-13` and `ksl-13` last as a share of what was recorded.
    """
    sets: dict[str, StreamSet] = {}
    cafe, hay = folder / "traduttore_asl_mit", folder / "signsuisse_unlabelled" / "signsuisse.npz"
    three = _read(cafe / "traduttore_asl_3signers.npz")
    if three:
        sets |= crossed("asl-9", three, 3, 18, seed, ratio)
    two = two_signers(_read(cafe / "traduttore_asl.npz"))
    if two:
        sets |= crossed("asl-13", two, 3, 20, seed + 1, ratio)
    sessions = _read(folder / "ksl13_apache" / "ksl13.npz")
    if sessions:
        sets |= crossed("ksl-13", sessions, 1, 13, seed + 2, ratio)
    if (folder / "ksl77_koala_videos" / "mediapipe_holistic.npz").exists():
        sets |= _pairs(read_koala(folder / "ksl77_koala_videos"), 4, seed)
    if three and hay.exists():
        sets |= _haystack(_read(hay), three, seed)
    return sets


def _read(path: Path) -> list[Clip]:
    return read_collection(path) if path.exists() else []


def two_signers(clips: Sequence[Clip]) -> list[Clip]:
    """The clips of the two signers who show the most."""
    names = [str(c.signer).partition("|")[0] for c in clips]
    best = sorted(set(names), key=lambda n: (-names.count(n), n))[:2]
    return [c for c, n in zip(clips, names, strict=True) if n in best]
