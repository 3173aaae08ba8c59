"""Measures the phonological parameters against the procedural signer's truth, with confusion matrices.

Unseen signs, signers and cameras; from exact poses, and with --video from poses that `holistic` estimates on rendered
frames (about five seconds a clip; --save-poses keeps them). Seeds 11 and 12 are for development, 4711 is reported.

    python scripts/bench/phonology.py --clips 300
    python scripts/bench/phonology.py --video --clips 48 --save-poses estimated/ --pictures confusions/
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Pose
from embeddings.phonology.handshapes.distance import hand_distances
from embeddings.phonology.handshapes.forms import form_distances, steady_hand_forms
from embeddings.phonology.locations import LOCATIONS, locations
from embeddings.phonology.movements import MOVEMENTS, movements
from embeddings.phonology.orientations import ORIENTATIONS, orientations
from embeddings.phonology.pictures import draw_confusion
from embeddings.phonology.signer_space import signer_space
from embeddings.synthetic import Performance
from scripts.real.phonology_cases import Case, exact_cases, video_cases

Names = NDArray[np.str_]
STOPS = {False: 0.35, True: 0.47}
"""Distances of forms at which clusters of handshapes are no longer joined: exact poses, estimated ones."""
STEADY_SECONDS = {False: 0.28, True: 0.8}
"""Over which a hand's form is taken: exact poses, judged depth."""


class Measures:
    """What was true and what was said, over all clips."""

    def __init__(self) -> None:
        self.location: list[Names] = []
        self.orientation: list[Names] = []
        self.direction: list[tuple[str, str]] = []
        self.symmetric_frames: list[NDArray[np.bool_]] = []
        self.symmetric_signs: list[bool] = []
        self.hands: list[NDArray[np.float64]] = []
        self.shapes: list[str] = []
        self.seen, self.held = 0, 0

    def add(self, arrangement: str, performed: Performance, pose: Pose) -> None:
        truth, space = performed.truth, signer_space(pose)
        located, oriented = locations(space), orientations(space)
        moved = movements(space, located)
        rows = truth.hold & (truth.location != "")
        self.held += int(rows.sum())
        self.seen += int((rows & space.seen).sum())
        rows &= space.seen
        self.location.append(np.stack([truth.location[rows], located.names[rows]], axis=1))
        self.orientation.append(np.stack([truth.orientation[rows], oriented.names[rows]], axis=1))
        signing = truth.sign != ""
        self.symmetric_frames.append((moved.symmetric == truth.symmetric)[signing])
        self.symmetric_signs.append((moved.symmetric[signing].mean() > 0.5) == (arrangement == "symmetric"))
        for hand in (0, 1):
            self._directions(truth.movement[:, hand], moved.names[:, hand], space.seen[:, hand])
            forms = steady_hand_forms(space.hands[:, hand], hand == 0, space.fps, STEADY_SECONDS[space.judged])
            middle = np.flatnonzero(rows[:, hand] & (truth.handshape[:, hand] != ""))[2::6]
            for t in middle[np.isfinite(space.hands[middle, hand]).all(axis=(1, 2))]:
                if "~" not in truth.handshape[t, hand] and "+" not in truth.handshape[t, hand]:
                    self.hands.append(forms[t])
                    self.shapes.append(str(truth.handshape[t, hand]))

    def _directions(self, truth: Names, said: Names, seen: NDArray[np.bool_]) -> None:
        edges = [0, *(np.flatnonzero(truth[1:] != truth[:-1]) + 1).tolist(), len(truth)]
        for a, b in pairwise(edges):
            if truth[a] in ORIENTATIONS and seen[a:b].mean() > 0.5:
                names, counts = np.unique(said[a:b][seen[a:b]], return_counts=True)
                self.direction.append((str(truth[a]), str(names[np.argmax(counts)])))

    def show(self, stop: float, pictures: Path | None) -> None:
        print(f"hands seen in {self.seen} of {self.held} hold frames")
        location, orientation = np.concatenate(self.location), np.concatenate(self.orientation)
        tables = {
            "location": confusion("location, frames in a hold", location, LOCATIONS),
            "orientation": confusion("orientation, frames in a hold", orientation, ORIENTATIONS),
            "movement": confusion("movement, segments", np.array(self.direction).reshape(-1, 2), MOVEMENTS),
        }
        body = location[location[:, 0] != LOCATIONS[0]]
        print(
            f"location, frames in which the hand is at the body: {(body[:, 0] == body[:, 1]).mean():.3f} of {len(body)}"
        )
        frames = np.concatenate(self.symmetric_frames)
        print(f"symmetric: {frames.mean():.3f} of {len(frames)} frames, {np.mean(self.symmetric_signs):.3f} of signs")
        handshapes(np.stack(self.hands), self.shapes, stop)
        for name, table in tables.items():
            if pictures is not None:
                draw_confusion(pictures / f"{name}.png", {name: table})


def confusion(title: str, pairs: Names, order: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """Prints the share on the diagonal and the table, true in rows; the names that occur, and the counts."""
    print(f"\n{title}: {(pairs[:, 0] == pairs[:, 1]).mean():.3f} of {len(pairs)}")
    names = [name for name in order if name in pairs]
    counts = np.array([[int(((pairs[:, 0] == a) & (pairs[:, 1] == b)).sum()) for b in names] for a in names])
    print(f"{'':>14}" + "".join(f"{name[:6]:>8}" for name in names) + f"{'right':>9}")
    for k, name in enumerate(names):
        if counts[k].sum():
            cells = "".join(f"{count:8d}" for count in counts[k])
            print(f"{name:>14}{cells}{counts[k, k] / counts[k].sum():9.2f}")
    print()
    return names, counts


def handshapes(forms: NDArray[np.float64], names: list[str], stop: float) -> None:
    """Clusters the hands without looking at their names; prints the adjusted Rand index."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform
    from sklearn.metrics import adjusted_rand_score

    table = form_distances(forms)
    np.fill_diagonal(table, 0)
    tree = linkage(squareform((table + table.T) / 2, checks=False), "average")
    labels = fcluster(tree, stop, "distance")
    score = adjusted_rand_score(names, labels)
    print(
        f"handshape clusters: ARI {score:.3f}, {len(names)} hands of {len(set(names))} handshapes in "
        f"{len(set(labels))} clusters (average linkage, stop {stop})"
    )


def speed() -> None:
    """A million similarity-transform distances on one core."""
    hands = np.random.default_rng(0).normal(size=(1000, 21, 2))
    start = time.perf_counter()
    hand_distances(hands, hands)
    print(f"a million hand distances: {time.perf_counter() - start:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=4711)
    parser.add_argument("--video", action="store_true", help="estimate the poses from rendered frames")
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--save-poses", type=Path, help="folder where estimated poses are kept and found again")
    parser.add_argument("--pictures", type=Path, help="folder for the confusion matrices as pictures")
    options = parser.parse_args()
    measures = Measures()
    for case in cases(options):
        measures.add(case.arrangement, case.performed, case.pose)
    print(
        f"{options.clips} clips, seed {options.seed}, " + ("estimated from video" if options.video else "exact poses")
    )
    measures.show(STOPS[options.video], options.pictures)
    speed()


def cases(options: argparse.Namespace) -> Iterator[Case]:
    if options.video:
        return video_cases(options.clips, options.seed, options.fps, options.save_poses)
    return exact_cases(options.clips, options.seed, options.fps)


if __name__ == "__main__":
    main()
