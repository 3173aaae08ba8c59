"""The report's table of detections: each beside its exemplar, sortable and filterable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from .timeline import Hit, clock

__all__ = ["Picture", "hit_table"]


DECISIONS = (
    '<label>Decision<select name="decision"><option value="">all</option><option value="open">still open</option>'
    '<option value="accept">accepted</option><option value="reject">rejected</option><option value="unsure">unsure'
    '</option></select></label><label>Your name<input name="who" autocomplete="name" maxlength="80"></label>'
    '<button type="button" class="download" disabled>Download decisions</button>'
)


@dataclass(frozen=True)
class Picture:
    """A picture that many rows show: kept once, as the background of a class.

    Attributes:
        name: of the class.
        url: a data URL.
    """

    name: str
    url: str

    @property
    def rule(self) -> str:
        """The style rule; the size is that of the picture itself."""
        width, height = _jpeg_size(self.url)
        return f'\n.{self.name} {{ width: {width}px; height: {height}px; background-image: url("{self.url}"); }}'


def _jpeg_size(url: str) -> tuple[int, int]:
    import base64
    import io

    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return image.size


def hit_table(
    hits: Sequence[tuple[str, Hit]],
    pictures: Mapping[int, str],
    examples: Mapping[str, Picture],
    with_truth: bool,
) -> str:
    """The section with the table.

    Args:
        hits: (video, detection), in the order of the page.
        pictures: detection number → data URL of its strip.
        examples: sign → its exemplar's strip.
        with_truth: adds the verdict's column.
    """
    head = '<section class="card" id="hits"><div class="head"><h2>Detections</h2></div>'
    if not hits:
        return f'{head}<p class="note">No sign of the gallery was found.</p></section>'
    seen = bool(pictures or examples)
    columns = [("sign", "Sign"), ("video", "Video"), ("start", "Time"), ("length", "Length"), ("score", "Score")]
    columns += [("verdict", "Ground truth")] if with_truth else []
    heads = "".join(
        f'<th scope="col"><button type="button" data-key="{key}">{name}</button></th>' for key, name in columns
    )
    heads += '<th scope="col" class="decide" hidden>Your decision</th>'
    heads += '<th scope="col">Exemplar</th><th scope="col">Detection</th>' if seen else ""
    body = "\n".join(_row(video, hit, pictures, examples, with_truth, seen) for video, hit in hits)
    return (
        f'{head}{_controls(hits, with_truth)}<p class="count" role="status">{len(hits)} of {len(hits)} detections</p>'
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div></section>'
    )


def _controls(hits: Sequence[tuple[str, Hit]], with_truth: bool) -> str:
    scores = [hit.detection.score for _, hit in hits]
    low = min(0.0, *scores)
    options = "".join(
        # a prefix keeps a blank gloss apart from "all"
        f'<option value="={escape(sign, quote=True)}">{escape(sign)}</option>'
        for sign in sorted({hit.detection.sign for _, hit in hits})
    )
    verdict = (
        '<label>Ground truth<select name="verdict"><option value="">all</option><option value="right">agrees</option>'
        '<option value="wrong">does not agree</option><option value="unknown">not known</option></select></label>'
    )
    return (
        '<div class="controls" hidden role="search" aria-label="Filter the detections">'
        '<label>Search<input name="text" type="search" placeholder="sign or video"></label>'
        f'<label>Sign<select name="sign"><option value="">all</option>{options}</select></label>'
        f'<label><span>Least score <output>{low:.2f}</output></span><input name="least" type="range" min="{low:.2f}" '
        f'max="1" step="0.01" value="{low:.2f}"></label>{verdict if with_truth else ""}{DECISIONS}</div>'
    )


def _row(
    video: str, hit: Hit, pictures: Mapping[int, str], examples: Mapping[str, Picture], with_truth: bool, seen: bool
) -> str:
    d = hit.detection
    verdict, words = {None: ("unknown", "not known"), True: ("right", "✓ agrees"), False: ("wrong", "✗ not there")}[
        hit.right
    ]
    facts = {
        "hit": hit.number, "video": video, "sign": d.sign, "start": f"{d.start:.3f}", "end": f"{d.end:.3f}",
        "length": f"{d.duration:.3f}", "score": f"{d.score:.4f}", "verdict": verdict,
    }  # fmt: skip
    data = " ".join(f'data-{key}="{escape(str(value), quote=True)}"' for key, value in facts.items())
    share = max(0.0, min(1.0, d.score)) * 100
    play = escape(f"Play {d.sign} at {clock(d.start)} in {video}", quote=True)
    cells = [
        f'<td class="sign">{escape(d.sign)}</td><td class="video">{escape(video)}</td>'
        f'<td class="number"><button type="button" class="seek" aria-label="{play}">▶ {clock(d.start)}</button></td>'
        f'<td class="number">{d.duration:.2f} s</td>'
        f'<td class="number">{d.score:.2f}<span class="bar-score" aria-hidden="true"><i style="width:{share:.0f}%"></i>'
        "</span></td>"
    ]
    if with_truth:
        cells.append(f'<td class="verdict {verdict}">{words}</td>')
    cells.append('<td class="decide" hidden></td>')
    if seen:
        cells.append(f"<td>{_example(d.sign, examples)}</td><td>{_found(hit, pictures)}</td>")
    return f"<tr {data}>{''.join(cells)}</tr>"


def _example(sign: str, examples: Mapping[str, Picture]) -> str:
    if sign not in examples:
        return '<span class="none">no picture</span>'
    label = escape(f"Exemplar of {sign}: pictures from its beginning to its end", quote=True)
    return f'<span class="strip {examples[sign].name}" role="img" aria-label="{label}"></span>'


def _found(hit: Hit, pictures: Mapping[int, str]) -> str:
    if hit.number not in pictures:
        return '<span class="none">no picture</span>'
    label = escape(f"{hit.detection.sign} at {clock(hit.detection.start)}: pictures from beginning to end", quote=True)
    return f'<img class="strip" loading="lazy" alt="{label}" src="{pictures[hit.number]}">'
