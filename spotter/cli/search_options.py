"""Options of `spotter spot` that say what is looked for, what of it is wanted, and what is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Group

if TYPE_CHECKING:
    from ..search.options import SpottingOptions

__all__ = ["ASKED", "WRITING", "Asked", "Writing", "known_signs"]


@dataclass(frozen=True)
class Asked:
    """What is looked for and what of it is wanted."""

    threshold: float | None = None
    expect: str | None = None
    false_alarms: str | None = None
    precision: float | None = None
    best: int | None = None
    sign: list[str] | None = None
    known: Path | None = None
    most: int = 0
    transfer: int = 0
    iterations: int = 1
    literal: bool = False
    refine: bool = True
    window: int | None = None
    stride: int | None = None

    def options(self, cosines: bool = True) -> SpottingOptions:
        """For the search.

        Args:
            cosines: scores are probabilities or cosines, not standard deviations.

        Raises:
            ValueError: a number that cannot be.
        """
        from ..search.options import Selection, SpottingOptions, TransferOptions

        if cosines and self.threshold is not None and not -1 <= self.threshold <= 1:
            raise ValueError(f"--threshold {self.threshold:g}: expected a probability, or a cosine from -1 to 1")
        alarms = None if self.false_alarms is None else _per_hour("--false-alarms", self.false_alarms)
        preset = TransferOptions.published if self.literal else TransferOptions
        return SpottingOptions(
            self.threshold, self.stride, window=self.window, refine=self.refine, most=self.most,
            transfer=preset(self.transfer, self.iterations) if self.transfer else None,
            select=Selection(alarms, self.precision, self.best),
            expect=None if self.expect is None else _per_hour("--expect", self.expect),
        )  # fmt: skip


ASKED = Group(
    Asked,
    {
        "threshold": Annotated[
            float | None,
            typer.Option(
                help="Least score (default: a probability of 0.4; a cosine of 0.6 where the encoder is not calibrated; "
                "2 standard deviations where several are not)."
            ),
        ],
        "expect": Annotated[
            str | None,
            typer.Option(help="How often each sign is expected: 2/h, 0.5/min. Rarer signs need more evidence."),
        ],
        "false_alarms": Annotated[
            str | None,
            typer.Option(
                help="In place of a threshold: so many wrong detections are expected, all signs together: 1/h."
            ),
        ],
        "precision": Annotated[
            float | None, typer.Option(help="In place of a threshold: so large a share is expected to be right: 0.9.")
        ],
        "best": Annotated[
            int | None,
            typer.Option(min=1, help="In place of a threshold: so many of the surest, of all videos together."),
        ],
        "sign": Annotated[list[str] | None, typer.Option("--sign", help="Only this sign; may be repeated.")],
        "known": Annotated[
            Path | None,
            typer.Option(
                help="CSV video,sign (or a manifest of spotter data): the one sign to look for in each video; its best "
                "place is given."
            ),
        ],
        "most": Annotated[int, typer.Option(min=0, help="So many best hits per sign and video (0: all).")],
        "transfer": Annotated[int, typer.Option(min=0, help="Top-K transfer between the videos: K (0: off).")],
        "iterations": Annotated[int, typer.Option(min=1, help="Iterations of the transfer.")],
        "literal": Annotated[
            bool, typer.Option("--published-transfer", help="Transfer as published: replace the exemplar, no guard.")
        ],
        "refine": Annotated[bool, typer.Option(help="Align the exemplar so that spans have the sign's own length.")],
        "window": Annotated[int | None, typer.Option(min=1, help="One window length in frames for all signs.")],
        "stride": Annotated[
            int | None, typer.Option(min=1, help="Frames between windows (default: 3; 2 where scores are cosines).")
        ],
    },
)


@dataclass(frozen=True)
class Writing:
    """What is written, and what becomes of what is there."""

    output: list[Path] | None = None
    report: Path | None = None
    save_track: Path | None = None
    force: bool = False
    anew: bool = False
    json_output: bool = False


WRITING = Group(
    Writing,
    {
        "output": Annotated[
            list[Path] | None,
            typer.Option(
                "--output", "-o",
                help="File for the detections: .csv .json .eaf .vtt .srt .TextGrid .pkl; may be repeated. An ELAN "
                "file that is there gets our tiers; everything else in it stays.",
            ),
        ],
        "report": Annotated[Path | None, typer.Option(help="HTML report to write.")],
        "save_track": Annotated[Path | None, typer.Option(help="Folder for similarity tracks (.npz).")],
        "force": Annotated[
            bool, typer.Option("--force", help="Replace files that are there and not from the same run.")
        ],
        "anew": Annotated[
            bool, typer.Option("--anew", help="Search all videos again, also those that an earlier run searched.")
        ],
        "json_output": Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")],
    },
)  # fmt: skip


def _per_hour(option: str, text: str) -> float:
    """A rate as users write it: ``2/h``, ``0.1/min``; a number alone is an hour's."""
    number, _, unit = text.strip().partition("/")
    share = {"": 1.0, "h": 1.0, "hour": 1.0, "min": 60.0, "minute": 60.0}.get(unit.strip())
    try:
        if share is None:
            raise ValueError
        return float(number) * share
    except ValueError:
        raise ValueError(f"{option} {text!r}: expected a rate such as 2/h or 0.1/min") from None


def known_signs(path: Path | None) -> dict[str, str]:
    """Video → the sign to look for in it, of rows video,sign or a manifest of `spotter data` (columns id, label).

    Raises:
        ValueError: a row lacks one of them, or gives a video a second sign.
    """
    if path is None:
        return {}
    from eval.annotations.tables import records_of

    known: dict[str, str] = {}
    for where, row in records_of(path, ("video", "sign")):
        video, sign = (
            next((str(row[n]) for n in names if row.get(n)), "") for names in (("video", "id"), ("sign", "label"))
        )
        if not video or not sign or None in row:
            raise ValueError(f"{where}: expected video,sign")
        stem = Path(video).stem if Path(video).suffix else video
        if known.setdefault(stem, sign) != sign:
            raise ValueError(f"{where}: {stem} has the sign {known[stem]} already; a video has one sign to look for")
    return known
