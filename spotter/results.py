"""What spotting gives back: lists of detections, and one result per video, with the ways to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from .detection import Detection

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .search.track import SimilarityTrack

__all__ = ["Detections", "SpottingResult"]

COLUMNS = ("video", "sign", "start", "end", "score")
LISTED = 50
"""Rows of the table in a notebook."""
WIDTH, ROW, LABELS = 760, 18, 120
"""Pixels of the notebook's timeline: its width, the height of a sign's row, the room for glosses."""


class Detections(list[Detection]):
    """A list of detections that makes tables and shows itself in notebooks."""

    def to_frame(self) -> pd.DataFrame:
        """One row per detection: video, sign, start and end in seconds, score."""
        import pandas as pd

        return pd.DataFrame([[getattr(d, name) for name in COLUMNS] for d in self], columns=list(COLUMNS))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(d.video)}</td><td>{escape(d.sign)}</td><td>{d.start:.2f} s</td><td>{d.end:.2f} s</td>"
            f"<td>{d.score:.2f}</td></tr>"
            for d in self[:LISTED]
        )
        more = f"<p>… and {len(self) - LISTED} more</p>" if len(self) > LISTED else ""
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        counted = f"<p>{len(self)} detection{'' if len(self) == 1 else 's'}</p>"
        return f"{counted}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


@dataclass(eq=False)
class SpottingResult:
    """What became of one query.

    Attributes:
        video: its name.
        detections: by time.
        track: its similarity track, None when it failed or tracks were not asked for.
        error: one line saying why it failed, "" otherwise.
        duration: seconds.
        calibrated: whether the scores are probabilities.
        warning: one line where only a part of it could be searched, or nobody is seen in it; "" otherwise.
    """

    video: str
    detections: list[Detection] = field(default_factory=Detections)
    track: SimilarityTrack | None = None
    error: str = ""
    duration: float = 0.0
    calibrated: bool = False
    warning: str = ""

    def __repr__(self) -> str:
        state = f"failed: {self.error}" if self.error else f"{len(self.detections)} detections in {self.duration:.1f} s"
        return f"<SpottingResult {self.video}: {state}>"

    def to_frame(self) -> pd.DataFrame:
        """See `Detections.to_frame`."""
        return Detections(self.detections).to_frame()

    def plot(self, signs: Sequence[str] | None = None) -> Figure:
        """A figure: similarity over time, one curve per sign, detections as bars below.

        Args:
            signs: the rows; None takes those that were detected, at most eight.

        Raises:
            ValueError: the query failed, or a sign is none of the gallery's.
        """
        from matplotlib.figure import Figure

        if self.track is None:
            raise ValueError(f"{self.video}: there is nothing to draw ({self.error or 'no similarity track'})")
        detected = list(dict.fromkeys(d.sign for d in self.detections))
        rows = list(signs) if signs is not None else (detected or list(self.track.signs))[:8]
        unknown = [sign for sign in rows if sign not in self.track.signs]
        if unknown:
            raise ValueError(f"{self.video}: sign {unknown[0]!r} is not searched; expected some of {self.track.signs}")
        figure = Figure(figsize=(12, 3 + 0.3 * len(rows)), layout="constrained")
        curves, bars = figure.subplots(2, 1, sharex=True, height_ratios=[3, 0.5 + 0.3 * len(rows)])
        for row, sign in enumerate(rows):
            colour = f"C{row % 10}"
            curves.plot(
                self.track.seconds, self.track.values[:, self.track.signs.index(sign)], color=colour, label=sign
            )
            spans = [(d.start, d.duration) for d in self.detections if d.sign == sign]
            bars.broken_barh(spans, (row - 0.4, 0.8), color=colour)
        curves.set(ylabel="cosine", title=self.video)
        curves.legend(fontsize=8, loc="upper right")
        bars.set(yticks=range(len(rows)), yticklabels=rows, xlabel="s", ylim=(len(rows) - 0.5, -0.5))
        return figure

    def _repr_html_(self) -> str:
        if self.error:
            return f"<p><b>{escape(self.video)}</b> failed: {escape(self.error)}</p>"
        title = f"<p><b>{escape(self.video)}</b>, {self.duration:.1f} s</p>"
        return title + _timeline(self.detections, self.duration) + Detections(self.detections)._repr_html_()


def _timeline(detections: Sequence[Detection], duration: float) -> str:
    """SVG: a row per sign, a bar per detection, the darker the surer."""
    signs = list(dict.fromkeys(d.sign for d in detections))
    scale = (WIDTH - LABELS) / max(duration, *(d.end for d in detections), 1e-6) if detections else 0.0
    parts = [f'<text x="0" y="{ROW * (row + 0.7):.0f}">{escape(sign)}</text>' for row, sign in enumerate(signs)]
    for d in detections:
        x, wide = LABELS + d.start * scale, max(2.0, d.duration * scale)
        shade = 0.35 + 0.65 * min(max(d.score, 0.0), 1.0)
        title = f"{escape(d.sign)}, {d.start:.2f} to {d.end:.2f} s, score {d.score:.2f}"
        parts.append(
            f'<rect x="{x:.1f}" y="{ROW * signs.index(d.sign) + 3}" width="{wide:.1f}" height="{ROW - 6}" '
            f'fill="#1f6feb" fill-opacity="{shade:.2f}"><title>{title}</title></rect>'
        )
    label = f"timeline of {len(detections)} detections"
    head = f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{ROW * len(signs)}" font-size="12" '
    return f'{head}fill="currentColor">{"".join(parts)}</svg>' if signs else ""
