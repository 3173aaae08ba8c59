"""The HTML report: one self-contained file that a person looks at.

    results ─► facts of each video ─► data (JSON in the page) ─► `templates/report.js` draws what is asked for

An overview (signs by videos), a page per video with its timeline, the detections in pages of fifty beside their
exemplars. Videos play when they lie where they lay. No external resources; all text is escaped; without JavaScript the
surest detections are a plain table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name
from eval.segments import Segments
from safe_files import write_text

from ..scoring import segments_from
from .data import as_script, page_data
from .examples import example_pictures, hit_pictures
from .facts import VideoFacts, clock, collect

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["write_report"]

FALLBACK = 500
"""Most rows of the table without JavaScript, the surest first."""


def write_report(
    path: str | Path,
    results: Iterable[Any],
    media: Mapping[str, str | Path] | None = None,
    gallery: Gallery | str | Path | None = None,
    truth: str | Path | Segments | None = None,
    exemplars: Mapping[str, str | Path] | None = None,
    title: str = "Sign spotting report",
) -> Path:
    """Writes the report.

    Args:
        path: the HTML file.
        results: `SpottingResult`s, or plain `Detection`s.
        media: video name → file, for pictures and playing (linked by a path relative to the report).
        gallery: tells which file and span each exemplar is.
        truth: ground truth, a file (see `read_segments`) or video → segments; a video listed without any holds no sign.
        exemplars: file stem or sign → the exemplar's video, for its picture.

    Returns:
        The file written.

    Raises:
        ValueError: the file cannot be written, or the ground truth's cannot be read.
    """
    path = Path(path)
    files_of = {name: Path(file) for name, file in (media or {}).items()}
    videos = collect(results, files_of, None if truth is None else segments_from(truth))
    with_truth = any(video.truth is not None for video in videos)
    examples = example_pictures(videos, gallery, {k: Path(v) for k, v in (exemplars or {}).items()})
    data = page_data(videos, path, hit_pictures(videos), examples)
    page = Template(_template("report.html")).substitute(
        title=escape(title),
        style=_template("report.css"),
        script=_template("report.js"),
        summary=_summary(videos, with_truth),
        failed=_failed(videos),
        fallback=_fallback(videos, with_truth),
        data=as_script(data),
    )
    write_text(path, page)
    return path


def _template(name: str) -> str:
    return (files(module_name("spotter")) / "templates" / name).read_text(encoding="utf-8")


def _summary(videos: Sequence[VideoFacts], with_truth: bool) -> str:
    hits = [hit for video in videos for hit in video.hits]
    tiles = [
        ("Videos", str(len(videos)), f"{sum(v.duration for v in videos) / 60:.1f} minutes"),
        ("Detections", str(len(hits)), f"{len({h.detection.sign for h in hits})} different signs"),
    ]
    if hits and all(video.calibrated for video in videos if video.hits):
        right = sum(hit.detection.score for hit in hits)
        tiles.append(("Expected to be right", f"{right:.0f}", f"of {len(hits)}, by their probabilities"))
    failed = sum(1 for video in videos if video.error)
    if failed:
        tiles.append(("Not readable", str(failed), "see below"))
    warned = sum(1 for video in videos if video.warning)
    if warned:
        tiles.append(("With a warning", str(warned), "searched in part, or nobody is seen: see below"))
    if with_truth:
        tiles += _scores(videos)
    inner = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{value}<small>{escape(note)}</small></dd></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{inner}</dl>'


def _scores(videos: Sequence[VideoFacts]) -> list[tuple[str, str, str]]:
    import warnings

    from eval.spotting import challenge_f1, one_to_one_f1

    truth = {v.name: v.truth for v in videos if v.truth is not None}
    predictions = {v.name: v.detections for v in videos}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the page itself shows that nothing was found
        strict, challenge = one_to_one_f1(truth, predictions), challenge_f1(truth, predictions)
    counts = [f"{s.tp} right, {s.fp} false, {s.fn} missed" for s in (strict, challenge)]
    return [
        ("F1, one to one, IoU ≥ 0.5", f"{strict.f1:.3f}", counts[0]),
        ("F1, challenge, IoU 0.2 … 0.8", f"{challenge.f1:.3f}", f"{counts[1]} (13 thresholds)"),
    ]


def _failed(videos: Sequence[VideoFacts]) -> str:
    rows = "".join(f"<li>{escape(why)}</li>" for video in videos for why in (video.error, video.warning) if why)
    return f'<ul class="failed" aria-label="Videos that could not be read, or only in part">{rows}</ul>' if rows else ""


def _fallback(videos: Sequence[VideoFacts], with_truth: bool) -> str:
    """The surest detections for browsers without JavaScript."""
    hits = sorted(((v.name, h) for v in videos for h in v.hits), key=lambda pair: -pair[1].detection.score)
    if not hits:
        return "<noscript><p>No sign of the gallery was found.</p></noscript>"
    verdicts = {None: "not known", True: "✓ agrees", False: "✗ not there"}
    rows = []
    for video, hit in hits[:FALLBACK]:
        d = hit.detection
        cells = [d.sign, video, clock(d.start), f"{d.duration:.2f} s", f"{d.score:.2f}"]
        cells += [verdicts[hit.right]] if with_truth else []
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    names = ["Sign", "Video", "Time", "Length", "Score", *(["Ground truth"] if with_truth else [])]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    shown = f"The {FALLBACK} surest of {len(hits)}" if len(hits) > FALLBACK else f"{len(hits)}"
    said = f"<p>{shown} detections; with JavaScript this page shows pictures, timelines and videos.</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<noscript><section class="card">{said}<div class="wide">{table}</div></section></noscript>'
