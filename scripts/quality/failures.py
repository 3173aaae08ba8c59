"""The worst failures of a run as pictures: what was missed, what was found that is not there, beside the exemplar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from embeddings.clip import Clip
from embeddings.phonology.pictures import stick_figure
from eval.segments import Segment
from eval.spotting import match
from safe_files import whole_file
from spotter.comparison.figures import ComparisonSet
from spotter.enrolment import exemplar_span

FRAMES, SIDE = 5, 120


@dataclass(frozen=True)
class Failure:
    """A detection or reference that went wrong; what: the other sign or circumstance."""

    kind: str
    segment: Segment
    what: str


ByVideo = Mapping[str, Sequence[Segment]]


def failures(truth: ByVideo, found: ByVideo) -> tuple[list[Failure], list[Failure]]:
    """(false alarms, surest first; misses, those without any overlapping detection first, then longest first)."""
    alarms: list[Failure] = []
    misses: list[Failure] = []
    for video, references in truth.items():
        predicted = found.get(video, [])
        pairs = match(references, predicted, 0.5)
        right, seen = {p for _, p, _ in pairs}, {r for r, _, _ in pairs}
        for i, wrong in enumerate(predicted):
            if i not in right:
                there = [r for r in references if wrong.overlap(r) > 0.3 * wrong.duration]
                same = [r for r in there if r.sign == wrong.sign]
                what = (
                    "there, but misplaced" if same else (f"it is {there[0].sign}" if there else "a sign not looked for")
                )
                alarms.append(Failure("false alarm", wrong, what))
        for i, missed in enumerate(references):
            if i not in seen:
                over = [p for p in predicted if missed.overlap(p) > 0.3 * missed.duration]
                same = [p for p in over if p.sign == missed.sign]
                what = "misplaced" if same else (f"found {over[0].sign} instead" if over else "nothing found")
                misses.append(Failure("miss", missed, what))
    alarms.sort(key=lambda f: -(f.segment.score or 0.0))
    misses.sort(key=lambda f: (f.what != "nothing found", -f.segment.duration))
    return alarms, misses


def strip(clip: Clip, start: float, end: float) -> Image.Image:
    """FRAMES stick figures evenly over [start, end) seconds."""
    if clip.pose is None:
        raise ValueError(f"{clip.name}: has no pose")
    moments = np.linspace(start, end, FRAMES + 2)[1:-1]
    rows = np.clip((moments * clip.fps).astype(int), 0, len(clip.pose) - 1)
    picture = Image.new("RGB", (SIDE * FRAMES, SIDE), "white")
    for i, row in enumerate(rows):
        picture.paste(Image.fromarray(np.asarray(stick_figure(clip.pose, int(row), (SIDE, SIDE)))), (i * SIDE, 0))
    return picture


def gallery(chosen: ComparisonSet, shown: Sequence[Failure], path: Path) -> None:
    """One row per failure: the exemplar at the left, the query's stretch at the right."""
    part = chosen.parts[0]
    exemplars = {e.label: e for e in part.exemplars}
    queries = {q.name: q for q in part.queries}
    sheet = Image.new("RGB", (2 * SIDE * FRAMES + 16, (SIDE + 16) * len(shown)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, one in enumerate(shown):
        top = i * (SIDE + 16)
        wrong = one.segment
        clip = exemplars[wrong.sign]
        start, end = (frame / clip.fps for frame in exemplar_span(clip))
        sheet.paste(strip(clip, start, end), (0, top + 16))
        sheet.paste(strip(queries[wrong.video], wrong.start, wrong.end), (SIDE * FRAMES + 16, top + 16))
        score = "" if wrong.score is None else f", score {wrong.score:.2f}"
        draw.text((4, top + 2), f"{wrong.sign}: exemplar", fill="black")
        text = f"{one.kind}: {wrong.video} {wrong.start:.2f} to {wrong.end:.2f} s{score}; {one.what}"
        draw.text((SIDE * FRAMES + 20, top + 2), text, fill="black")
    with whole_file(path) as partial:
        sheet.quantize(16).save(partial, optimize=True)


def write_failures(chosen: ComparisonSet, found: ByVideo, folder: Path, most: int = 10) -> list[str]:
    """Writes two pictures into a folder and returns the section of the page that shows them."""
    alarms, misses = failures(chosen.truth(), found)
    gallery(chosen, alarms[:most], folder / "quality-false-alarms.png")
    gallery(chosen, misses[:most], folder / "quality-misses.png")
    lines = [
        "## Where it fails",
        "",
        f"On {chosen.name}. All of them by kind:",
        "",
        "| kind | what | count |",
        "|---|---|---|",
    ]
    for kind, group in (("false alarm", alarms), ("miss", misses)):
        for name, count in _kinds(group):
            lines.append(f"| {kind} | {name} | {count} |")
    lines += [
        "",
        *in_common(chosen, misses),
        "",
        "The surest false alarms, each beside its exemplar:",
        "",
        "![False alarms: the exemplar's poses at the left, the found stretch at the right](quality-false-alarms.png)",
        "",
        "The worst misses:",
        "",
        "![Misses: the exemplar's poses at the left, the missed stretch at the right](quality-misses.png)",
        "",
    ]
    return lines


def in_common(chosen: ComparisonSet, misses: Sequence[Failure]) -> list[str]:
    """What missed signs have in common: a table of medians beside those of the signs that were found."""
    part = chosen.parts[0]
    exemplars = {e.label: e for e in part.exemplars}
    queries = {q.name: q for q in part.queries}
    missed = {f.segment for f in misses}
    rows: dict[bool, list[tuple[float, ...]]] = {True: [], False: []}
    for video, references in chosen.truth().items():
        for segment in references:
            shown, query = exemplars[segment.sign], queries[video]
            first, last = exemplar_span(shown)
            length = (last - first) / shown.fps
            rows[segment in missed].append(
                (
                    segment.duration,
                    segment.duration / length,
                    fingers_seen(query, segment.start, segment.end),
                    fingers_seen(shown, first / shown.fps, last / shown.fps),
                )
            )
    names = ("seconds", "share of the exemplar's length", "fingers seen, share of frames", "the same in the exemplar")
    lines = ["| median of | found | missed |", "|---|---|---|"]
    for i, name in enumerate(names):
        found, lost = (np.median([row[i] for row in rows[kind]]) if rows[kind] else np.nan for kind in (False, True))
        lines.append(f"| {name} | {found:.2f} | {lost:.2f} |")
    few = {kind: np.mean([min(row[2:]) < 0.5 for row in rows[kind]]) for kind in rows if rows[kind]}
    if len(few) == 2:
        lines += [
            "",
            f"In {few[True]:.0%} of the missed and {few[False]:.0%} of the found signs the fingers of the signing hand "
            "are seen in less than half of the frames, in the query or in the exemplar.",
        ]
    return lines


def fingers_seen(clip: Clip, start: float, end: float) -> float:
    """Share of the frames in [start, end) seconds in which the hand that is seen more often has fingers."""
    if clip.pose is None:
        raise ValueError(f"{clip.name}: has no pose")
    first = min(int(start * clip.fps), len(clip.pose) - 1)
    rows = slice(first, max(first + 1, round(end * clip.fps)))
    tips = [clip.pose.joint(f"{side}_hand_index_mcp") for side in ("left", "right")]
    return float((clip.pose.confidence[rows][:, tips] > 0).mean(axis=0).max())


def _kinds(group: Sequence[Failure]) -> list[tuple[str, int]]:
    names = ["another sign looked for" if f.what.startswith(("it is", "found ")) else f.what for f in group]
    return sorted(((n, names.count(n)) for n in set(names)), key=lambda pair: (-pair[1], pair[0]))
