"""Pictures of real signs as stick figures with their phonological description, to be checked by eye.

Reads landmark collections whose licence allows it (see scripts/real/sets.py for the layout); writes one picture per
sign and prints what was said of it.

    python scripts/real/describe_real.py ../shared/data docs/pictures
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.phonology.describe import RESTING, ParameterValue, describe
from embeddings.phonology.handshapes.clusters import dominant_hand
from embeddings.phonology.pictures import contact_sheet, stick_figure, write_picture
from embeddings.phonology.signer_space import SIDES, signer_space
from scripts.real.sets import read_collection

COLLECTIONS = {
    "asl": ("traduttore_asl_mit/traduttore_asl_3signers.npz", 20.0),
    "asl-2": ("traduttore_asl_mit/traduttore_asl.npz", 20.0),
    "ksl": ("ksl13_apache/ksl13.npz", 25.0),
}
"""Files and frame rates (the first two do not record theirs)."""
SIGNS = (
    ("asl", "hello"), ("asl", "thank-you"), ("asl", "coffee"), ("asl", "no"), ("asl-2", "please"), ("asl-2", "water"),
    ("ksl", "good"), ("ksl", "sorry"),
)  # fmt: skip
SHOWN = 6


def raised_rows(clip: Clip, hand: int) -> NDArray[np.int64]:
    """Frames in which the dominant hand is seen above rest; all frames when there are none."""
    if clip.pose is None:
        raise ValueError(f"{clip.name}: no pose")
    space = signer_space(clip.pose)
    rows = np.flatnonzero(space.seen[:, hand] & (np.nan_to_num(space.palm[:, hand, 1], nan=-9) > RESTING))
    return rows if len(rows) else np.arange(len(clip.pose))


def at(found: list[ParameterValue], parameter: str, hand: str, seconds: float) -> str:
    """The value of a parameter at a moment, "-" where there is none."""
    for s in found:
        if s.parameter == parameter and s.hand == hand and s.start <= seconds < s.end:
            return s.value
    return "-"


def picture(clip: Clip) -> tuple[NDArray[np.uint8], list[str]]:
    """Stick figures with place, palm and movement of the dominant hand under each; and the whole description."""
    if clip.pose is None:
        raise ValueError(f"{clip.name}: no pose")
    side = dominant_hand([clip.pose])
    rows = raised_rows(clip, SIDES.index(side))
    found = describe(clip.pose)
    chosen = rows[np.linspace(0, len(rows) - 1, SHOWN).round().astype(int)]
    figures, captions = [], []
    for row in chosen:
        when = (row + 0.5) / clip.fps
        said = (at(found, name, side, when).split(",")[0] for name in ("location", "orientation", "movement"))
        figures.append(stick_figure(clip.pose, int(row), (236, 190)))
        captions.append(" / ".join(said))
    told = [f"{s.hand} {s.parameter}: {s.value} {s.start:.2f}-{s.end:.2f} ({s.confidence:.2f})" for s in found]
    return contact_sheet(figures, captions, columns=SHOWN), [f"dominant hand {side}", *told]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--take", type=int, default=2, help="which recording of each sign")
    options = parser.parse_args()
    loaded = {key: read_collection(options.data / file, fps=fps) for key, (file, fps) in COLLECTIONS.items()}
    for key, sign in SIGNS:
        clip = [c for c in loaded[key] if c.label == sign][options.take]
        sheet, told = picture(clip)
        name = f"phonology-{key}-{sign}.png"
        write_picture(options.output / name, sheet)
        print(f"\n{sign} ({key}, {clip.name}, signer {clip.signer}) → {name}")
        print("\n".join(f"  {line}" for line in told))


if __name__ == "__main__":
    main()
