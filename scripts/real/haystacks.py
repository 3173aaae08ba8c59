"""Rare signs in long signing, and uncut sentences: sets of real recordings.

| set | what |
|---|---|
| `korean-in-swiss` | 20 Korean signs by two people, one's example searched in the other's, among Swiss clips |
| `ksl13-in-swiss` | 13 Korean signs of one session, two takes by each of four others among Swiss clips |
| `asl-in-korean`, `korean-in-asl` | signs of one collection among the clips of another; for choosing |
| `boston104` | uncut American sentences, hands and nose only: a token of each frequent word, searched in all others |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from embeddings.clip import Clip
from scripts.real.boston_tracks import sentences
from scripts.real.sets import read_collection, read_koala
from scripts.real.streams import IDLE, StreamSet, by_signer, drawn, placed, somebody, splice, two_signers

__all__ = ["asl_in_korean", "boston104", "korean_in_asl", "korean_in_swiss", "ksl13_in_swiss", "planted"]

STREAMS = 9


def planted(
    name: str, exemplars: Sequence[Clip], needles: Iterable[Clip], hay: Sequence[Clip], seed: Sequence[int],
    streams: int = STREAMS,
) -> StreamSet:  # fmt: skip
    """Needles strewn evenly over streams of hay, in a random order.

    Args:
        needles, hay: placed clips (`streams.placed`); the hay's skeleton is taken for all.
    """
    rng = np.random.default_rng(seed)
    poses = [clip.pose for clip in hay]
    skeleton = next(str(p.skeleton) for p in poses if p is not None)
    strewn = [replace(c, pose=c.pose.to(skeleton)) for c in needles if c.pose is not None]
    strewn = [strewn[i] for i in rng.permutation(len(strewn))]
    # nobody looks for what the hay shows, also where two languages write a gloss alike
    straw = [replace(hay[i], label="") for i in rng.permutation(len(hay))]
    signs = {str(e.label) for e in exemplars}
    queries = []
    for i in range(streams):
        mixed = straw[i::streams] + strewn[i::streams]
        queries.append(splice(f"{name} {i}", [mixed[j] for j in rng.permutation(len(mixed))], signs))
    return StreamSet(list(exemplars), queries)


def _swiss(folder: Path) -> list[Clip]:
    return [placed(c) for c in read_collection(folder / "signsuisse_unlabelled" / "signsuisse.npz") if somebody(c)]


def korean_in_swiss(folder: Path, seed: int) -> dict[str, StreamSet]:
    """Each of two people's examples in turn, the other's 20 signs in 15 minutes of Swiss signing: 40 occurrences."""
    people, hay = by_signer(read_koala(folder / "ksl77_koala_videos")), _swiss(folder)
    signs = sorted(set(people["1"]) & set(people["2"]))
    sets = {}
    for turn, (mine, theirs) in enumerate((("1", "2"), ("2", "1"))):
        exemplars, needles = ([people[who][s][0] for s in signs] for who in (mine, theirs))
        name = f"korean-in-swiss {seed} {mine} in {theirs}"
        sets[f"korean-in-swiss/{mine}"] = planted(name, exemplars, needles, hay, [seed, 60 + turn])
    return sets


def ksl13_in_swiss(folder: Path, seed: int, takes: int = 2) -> dict[str, StreamSet]:
    """One session's examples of 13 signs; `takes` of each by the four others among the Swiss clips: 104 occurrences."""
    people, hay = by_signer(read_collection(folder / "ksl13_apache" / "ksl13.npz")), _swiss(folder)
    signs = sorted(set.intersection(*(set(c) for c in people.values())))
    rng = np.random.default_rng([seed, 70])
    who, *others = np.array(sorted(people))[rng.permutation(len(people))].tolist()
    needles = [c for other in others for _ in range(takes) for c in drawn(rng, people[other], signs)]
    found = planted(f"ksl13-in-swiss {seed}", drawn(rng, people[who], signs), needles, hay, [seed, 71])
    return {f"ksl13-in-swiss/{who}": found}


def asl_in_korean(folder: Path, seed: int, takes: int = 4) -> dict[str, StreamSet]:
    """13 American signs of one signer, planted `takes` times by another in 13 minutes of Korean signs."""
    people = by_signer(two_signers(read_collection(folder / "traduttore_asl_mit" / "traduttore_asl.npz")))
    korean = by_signer(read_collection(folder / "ksl13_apache" / "ksl13.npz"))
    return _exchanged("asl-in-korean", people, korean, seed, takes)


def korean_in_asl(folder: Path, seed: int, takes: int = 2) -> dict[str, StreamSet]:
    """13 Korean signs of one session, planted `takes` times by each other session in American signs and rest."""
    people = by_signer(read_collection(folder / "ksl13_apache" / "ksl13.npz"))
    cafe = by_signer(read_collection(folder / "traduttore_asl_mit" / "traduttore_asl_3signers.npz"))
    return _exchanged("korean-in-asl", people, cafe, seed, takes)


def _exchanged(
    name: str,
    people: dict[str, dict[str, list[Clip]]],
    others: dict[str, dict[str, list[Clip]]],
    seed: int,
    takes: int,
) -> dict[str, StreamSet]:
    """Signs of one collection among clips of another; a drawn signer gives the exemplars, all others are planted."""
    signs = sorted(set.intersection(*(set(c) for c in people.values())) - {IDLE})
    rng = np.random.default_rng([seed, 80])
    who, *planters = np.array(sorted(people))[rng.permutation(len(people))].tolist()
    hay = [c for labels in others.values() for clips in labels.values() for c in clips]
    needles = [c for one in planters for _ in range(takes) for c in drawn(rng, people[one], signs)]
    found = planted(f"{name} {seed}", drawn(rng, people[who], signs), needles, hay, [seed, 81])
    return {f"{name}/{who}": found}


def boston104(folder: Path, tokens: int = 5, shortest: int = 6) -> dict[str, StreamSet]:
    """One token of each word that is signed at least `tokens` times, searched in the sentences that gave no exemplar.

    The exemplar is the first token of at least `shortest` frames of the first signer who has one; of its sentence
    nothing is searched.
    """
    clips = sentences(folder / "boston104_hands")
    counts: dict[str, int] = {}
    for clip in clips:
        for span in clip.spans:
            counts[span.label] = counts.get(span.label, 0) + 1
    shown: dict[str, Clip] = {}
    givers: set[str] = set()
    for clip in sorted(clips, key=lambda c: (str(c.signer), c.name)):
        for i, span in enumerate(clip.spans):
            if counts[span.label] >= tokens and span.label not in shown and span.end - span.start >= shortest:
                token = clip.cut(span.start, span.end)
                shown[span.label] = replace(token, name=f"{clip.name}-{i}", label=span.label, spans=())
                givers.add(clip.name)
    queries = [c for c in clips if c.name not in givers]
    return {"boston104/words": StreamSet([shown[s] for s in sorted(shown)], queries)}
