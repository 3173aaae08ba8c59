"""The same ground truth in every form through every command that takes ground truth: the same figures, to the digit."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from embeddings.pose import write_pose
from eval.annotations.challenge import write_submission
from eval.segments import Segment, by_video
from gallery import Gallery
from spotter import Detection
from spotter.cli.app import app
from spotter.comparison.sets import ComparisonPart, procedural_set
from spotter.detection import segments_of
from spotter.formats import write

FPS = 25.0
Form = tuple[Path, list[str]]
"""A file, and the options that say what it does not state itself."""


def table(path: Path, columns: str, rows: Iterable[Sequence[object]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([columns.split(","), *rows])
    return path


def dumped(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def srt(folder: Path, segments: dict[str, list[Segment]]) -> Path:
    def clock(ms: int) -> str:
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    folder.mkdir()
    for video, listed in segments.items():
        times = [(s.sign, *map(clock, s.milliseconds())) for s in listed]
        cues = [f"{n}\n{start} --> {end}\n{sign}\n" for n, (sign, start, end) in enumerate(times, 1)]
        (folder / f"{video}.srt").write_text("\n".join(cues), encoding="utf-8")
    return folder


def every_form(folder: Path, segments: Sequence[Segment]) -> dict[str, Form]:
    """The segments, which lie on frames, in all forms that are read."""
    folder.mkdir(parents=True)
    ms = [(s.video, s.sign, *s.milliseconds()) for s in segments]
    frames = [(s.video, s.sign, *s.frames(FPS)) for s in segments]
    seconds = [(s.video, s.sign, s.start, s.end) for s in segments]
    records = [dict(zip(("video", "sign", "start", "end"), row, strict=True)) for row in seconds]
    grouped = by_video(segments)
    for name in ("challenge.json", "challenge.pkl", "texts"):
        write_submission(folder / name, grouped)
    for kind in ("eaf", "vtt"):
        (folder / kind).mkdir()
        for video, listed in grouped.items():
            write(folder / kind / f"{video}.{kind}", listed)
    write(folder / "segments.json", segments, videos=list(grouped))
    write(folder / "detections.json", segments)
    plain: dict[str, Path] = {
        "seconds": table(folder / "a.csv", "video,sign,start,end", seconds),
        "label": table(folder / "b.csv", "video,label,start,end", seconds),
        "start_ms": table(folder / "c.csv", "video,sign,start_ms,end_ms", ms),
        "frames with fps": table(
            folder / "d.csv", "video,sign,start_frame,end_frame,fps", ((*row, 25) for row in frames)
        ),
        "tsv": table(folder / "e.tsv", "video,gloss,start_s,end_s", seconds, "\t"),
        "semicolons": table(folder / "f.csv", "video,sign,start,end", seconds, ";"),
        "a list": dumped(folder / "g.json", records),
        "srt": srt(folder / "srt", grouped),
        **{name: folder / name for name in ("challenge.json", "challenge.pkl", "texts", "eaf", "vtt")},
        **{name: folder / name for name in ("segments.json", "detections.json")},
    }
    in_seconds = {video: [[s.sign, s.start, s.end] for s in listed] for video, listed in grouped.items()}
    return {name: (path, []) for name, path in plain.items()} | {
        "frames": (table(folder / "h.csv", "video,sign,start,end", frames), ["--unit", "frames", "--fps", "25"]),
        "unnamed ms": (table(folder / "i.csv", "video,sign,start,end", ms), ["--unit", "ms"]),
        "dictionary in seconds": (dumped(folder / "j.json", in_seconds), ["--unit", "s"]),
    }


class World(NamedTuple):
    """A folder with `set/` (exemplars, queries) and `found.csv`; ground truth and spans of the exemplars as forms."""

    folder: Path
    truth: dict[str, Form]
    spans: dict[str, Form]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("truth forms")
    part: ComparisonPart = procedural_set(3, signs=3, videos=2, each=3, fillers=0.0).parts[0]
    for clip in part.exemplars:
        assert clip.pose is not None
        write_pose(folder / "set" / "exemplars" / f"{clip.label}.pose", clip.pose)
    for clip in part.queries:
        assert clip.pose is not None
        assert clip.fps == FPS
        write_pose(folder / "set" / "queries" / f"{clip.name}.pose", clip.pose)
    truth = [s for clip in part.queries for s in segments_of(clip)]
    spans = [replace(s, video=str(clip.label)) for clip in part.exemplars for s in segments_of(clip)]
    # one right, one moved by half its length (IoU 1/3), one of another sign, the rest missed
    first, second, third, *_ = truth
    other = next(s.sign for s in truth if s.sign != third.sign)
    found = [first, second.shift(second.duration / 2), Segment(third.video, other, third.start, third.end)]
    detections = [Detection(s.video, s.sign, s.start, s.end, 0.9 - i / 10) for i, s in enumerate(found)]
    write(folder / "found.csv", detections)
    return World(folder, every_form(folder / "truth", truth), every_form(folder / "spans", spans))


def spotter(*arguments: str | Path) -> None:
    assert not app(list(map(str, arguments)), standalone_mode=False)


def test_scoring(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {}
    for name, (path, options) in world.truth.items():
        spotter("eval", "spotting", path, world.folder / "found.csv", "--json", *options)
        figures[name] = json.loads(capsys.readouterr().out)
    assert len(figures) == 18
    counts = {key: figures["seconds"]["one_to_one"][key] for key in ("tp", "fp", "fn")}
    references = figures["seconds"]["references"]
    assert counts == {"tp": 1, "fp": 2, "fn": references - 1}
    # IoU 1 passes 13 thresholds, 1/3 passes .2, .25 and .3
    assert figures["seconds"]["challenge"]["tp"] == 13 + 3
    assert all(made == figures["seconds"] for made in figures.values())


def test_scoring_of_detections_in_every_form(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for path, options in world.truth.values():
        given = [option.replace("--unit", "--predictions-unit") for option in options]
        spotter("eval", "spotting", "--official", world.truth["seconds"][0], path, "--json", *given)
        assert json.loads(capsys.readouterr().out)["f1"] == 1.0


def test_reports(world: World, tmp_path: Path) -> None:
    pages = {}
    for name, (path, options) in world.truth.items():
        spotter("report", tmp_path / "page.html", world.folder / "found.csv", "--truth", path, *options)
        pages[name] = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "1 right, 2 false" in pages["seconds"]
    assert len(set(pages.values())) == 1


def test_spotting(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spotter("enroll", world.folder / "set" / "exemplars", "-o", tmp_path / "signs", "-e", "pose-cosine")
    query = sorted((world.folder / "set" / "queries").iterdir())[0]
    pages, scores = set(), set()
    for path, options in world.truth.values():
        capsys.readouterr()
        spotter(
            "spot", query, "-g", tmp_path / "signs", "-e", "pose-cosine", "--threshold", "0.5", "--no-refine",
            "--truth", path, "--report", tmp_path / "page.html", *options,
        )  # fmt: skip
        pages.add((tmp_path / "page.html").read_text(encoding="utf-8"))
        scores.add("".join(line for line in capsys.readouterr().err.splitlines() if "F1" in line))
    assert len(pages) == len(scores) == 1
    assert re.search(r"one-to-one@0.5 F1 .*challenge F1 ", scores.pop())


def test_comparison(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    figures = []
    for path, options in world.truth.values():
        place = world.folder / "set" / f"truth{path.suffix}"
        path.rename(place)
        try:
            spotter(
                "eval", "compare", "--data", world.folder / "set", "--methods", "pose-cosine",
                "--no-one-shot", "--json", *options,
            )  # fmt: skip
        finally:
            place.rename(path)
        made = json.loads(capsys.readouterr().out)
        figures.append({**made, "methods": [{**row, "seconds": 0} for row in made["methods"]]})
    assert figures[0]["references"] > 0
    assert all(made == figures[0] for made in figures)


def test_enrolment(world: World, tmp_path: Path) -> None:
    galleries = {}
    for name, (path, options) in world.spans.items():
        given = [*options, "--spans", str(path), "-e", "pose-cosine"]
        spotter("enroll", world.folder / "set" / "exemplars", "-o", tmp_path / name, *given)
        galleries[name] = Gallery.load(tmp_path / name)
    first = galleries["seconds"]
    truth = {row["video"]: row for row in csv.DictReader((world.spans["seconds"][0]).open(encoding="utf-8"))}
    for label, facts in zip(first.exemplar_labels, first.facts, strict=True):
        assert (facts["start"], facts["end"]) == (float(truth[label]["start"]), float(truth[label]["end"]))
    for made in galleries.values():
        assert made.facts == first.facts
        assert (made.vectors == first.vectors).all()


@pytest.mark.parametrize("command", ["eval", "report", "spot", "compare"])
def test_a_wrong_unit_is_refused_everywhere(world: World, tmp_path: Path, command: str) -> None:
    """Seconds in the challenge's dictionary, which is in milliseconds: the demo's own ground truth was once so."""
    wrong = world.truth["dictionary in seconds"][0]
    (tmp_path / "set").mkdir()
    for name in ("exemplars", "queries"):
        (tmp_path / "set" / name).symlink_to(world.folder / "set" / name)
    (tmp_path / "set" / "truth.json").symlink_to(wrong)
    (tmp_path / "gallery").mkdir()
    lines = {
        "eval": ("eval", "spotting", wrong, world.folder / "found.csv"),
        "report": ("report", tmp_path / "page.html", world.folder / "found.csv", "--truth", wrong),
        "spot": ("spot", world.folder / "set" / "queries", "-g", tmp_path / "gallery", "--truth", wrong),
        "compare": ("eval", "compare", "--data", tmp_path / "set"),
    }
    if command == "spot":
        spotter("enroll", world.folder / "set" / "exemplars", "-o", tmp_path / "gallery", "-e", "pose-cosine")
    with pytest.raises(ValueError, match="they look like seconds: unit s"):
        spotter(*lines[command])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("lecture", "A", 1, 2)],
            "no video in common: query-0, query-1 in the ground truth, lecture on the other side;",
        ),
        ([("query-0", "p00_s20", 1, 2)], "no sign in common: .* p00_s20 on the other side"),
        ([("query-0", "{sign}", 1, 61)], "one of them is in another unit"),
    ],
)
def test_nothing_in_common_is_an_error_that_names_examples(
    world: World, tmp_path: Path, rows: list[tuple], message: str
) -> None:
    with (world.truth["seconds"][0]).open(encoding="utf-8") as file:
        sign = next(csv.DictReader(file))["sign"]
    found = table(
        tmp_path / "found.csv",
        "video,sign,start,end,score",
        [(v, s.format(sign=sign), a, b, 0.5) for v, s, a, b in rows],
    )
    for line in (("eval", "spotting", world.truth["seconds"][0], found),
                 ("eval", "spotting", "--official", world.truth["seconds"][0], found),
                 ("report", tmp_path / "page.html", found, "--truth", world.truth["seconds"][0])):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            spotter(*line)
    assert not (tmp_path / "page.html").exists()


def test_spotting_refuses_foreign_ground_truth_before_it_computes(world: World, tmp_path: Path) -> None:
    spotter("enroll", world.folder / "set" / "exemplars", "-o", tmp_path / "signs", "-e", "pose-cosine")
    line = ("spot", world.folder / "set" / "queries", "-g", tmp_path / "signs", "-o", tmp_path / "found.csv", "--truth")
    for rows, message in (([("lecture", "A", 1, 2)], "no video in common"), ([("query-0", "?", 1, 2)], "no sign in")):
        truth = table(tmp_path / "truth.csv", "video,sign,start,end", rows)
        with pytest.raises(ValueError, match=rf"truth\.csv: {message}"):
            spotter(*line, truth)
    assert not (tmp_path / "found.csv").exists()


def test_enrolment_says_how_many_spans_of_a_table_it_used(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with world.spans["seconds"][0].open(encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    spans = table(tmp_path / "spans.csv", "clip,start,end", [(first["video"], 0.4, 0.8), ("elsewhere", 0.0, 1.0)])
    line = ("enroll", world.folder / "set" / "exemplars", "-e", "pose-cosine", "--spans")
    spotter(*line, spans, "-o", tmp_path / "signs")
    assert "spans of 2 clips, 1 of the 3 clips here are among them" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"spans\.csv: names elsewhere …, none of the clips"):
        spotter(*line, table(spans, "clip,start,end", [("elsewhere", 0.0, 1.0)]), "-o", tmp_path / "others")
    assert not (tmp_path / "others").exists()
