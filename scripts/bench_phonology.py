"""Measures the phonological parameters against the procedural signer's truth, with confusion matrices.

Unseen signs, signers and cameras; from exact poses, and with --video from poses that MediaPipe estimates on rendered
frames.

    python scripts/bench_phonology.py --clips 300
    python scripts/bench_phonology.py --clips 40 --video
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Pose
from embeddings.phonology.body import signer_space
from embeddings.phonology.hand_clusters import palm_shape_distances, palm_shapes
from embeddings.phonology.hand_distance import hand_distances
from embeddings.phonology.locations import LOCATIONS, locations
from embeddings.phonology.movements import MOVEMENTS, movements
from embeddings.phonology.orientations import ORIENTATIONS, orientations
from embeddings.synthetic import Camera, Performance, SignWorld, random_camera, random_sign, random_signer

Names = NDArray[np.str_]


def performances(clips: int, seed: int, fps: float) -> Iterator[tuple[str, Performance, Camera]]:
    """Random signs by random signers before random cameras: (arrangement, performance, camera)."""
    world, rng = SignWorld(seed=seed, signs=1), np.random.default_rng(seed)
    for k in range(clips):
        sign = random_sign(rng, f"bench-{k}")
        performed = world.perform(sign, random_signer(rng, f"unseen-{seed}-{k}", 0.12), fps, take=k)
        yield sign.arrangement, performed, random_camera(rng)


def estimated(performed: Performance, camera: Camera, seed: int) -> Pose:
    """The pose MediaPipe finds on the rendered frames."""
    from embeddings.pose.estimate import estimate_frames, make_estimator
    from embeddings.synthetic.look import random_look
    from embeddings.synthetic.render import render_frames

    look = random_look(np.random.default_rng(seed))
    frames = render_frames(performed.figure, look, camera)
    return estimate_frames(frames, performed.figure.fps, make_estimator("mediapipe"))


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
            middle = np.flatnonzero(rows[:, hand] & (truth.handshape[:, hand] != ""))[2::6]
            for t in middle[np.isfinite(space.hands[middle, hand]).all(axis=(1, 2))]:
                if "~" not in truth.handshape[t, hand] and "+" not in truth.handshape[t, hand]:
                    self.hands.append(palm_shapes(space.hands[t : t + 1, hand], hand == 0)[0])
                    self.shapes.append(str(truth.handshape[t, hand]))

    def _directions(self, truth: Names, said: Names, seen: NDArray[np.bool_]) -> None:
        edges = [0, *(np.flatnonzero(truth[1:] != truth[:-1]) + 1).tolist(), len(truth)]
        for a, b in pairwise(edges):
            if truth[a] in ORIENTATIONS and seen[a:b].mean() > 0.5:
                names, counts = np.unique(said[a:b][seen[a:b]], return_counts=True)
                self.direction.append((str(truth[a]), str(names[np.argmax(counts)])))

    def show(self) -> None:
        print(f"hands seen in {self.seen} of {self.held} hold frames")
        confusion("location, frames in a hold", np.concatenate(self.location), LOCATIONS)
        confusion("orientation, frames in a hold", np.concatenate(self.orientation), ORIENTATIONS)
        confusion("movement direction, segments", np.array(self.direction).reshape(-1, 2), MOVEMENTS)
        frames = np.concatenate(self.symmetric_frames)
        print(f"symmetric: {frames.mean():.3f} of {len(frames)} frames, {np.mean(self.symmetric_signs):.3f} of signs")
        handshapes(np.stack(self.hands), self.shapes)


def confusion(title: str, pairs: Names, order: tuple[str, ...]) -> None:
    """Prints the share on the diagonal and the table, true in rows."""
    print(f"\n{title}: {(pairs[:, 0] == pairs[:, 1]).mean():.3f} of {len(pairs)}")
    names = [name for name in order if name in pairs]
    print(f"{'':>14}" + "".join(f"{name[:6]:>8}" for name in names) + f"{'right':>9}")
    for name in names:
        said = pairs[pairs[:, 0] == name, 1]
        if len(said):
            cells = "".join(f"{int((said == other).sum()):8d}" for other in names)
            print(f"{name:>14}{cells}{(said == name).mean():9.2f}")
    print()


def handshapes(shapes: NDArray[np.float64], names: list[str], stop: float = 0.22) -> None:
    """Clusters the hands without looking at their names; prints the adjusted Rand index."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform
    from sklearn.metrics import adjusted_rand_score

    table = palm_shape_distances(shapes)
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
    options = parser.parse_args()
    measures = Measures()
    for k, (arrangement, performed, camera) in enumerate(performances(options.clips, options.seed, options.fps)):
        exact = camera.project(performed.figure)
        measures.add(arrangement, performed, estimated(performed, camera, k) if options.video else exact)
    print(
        f"{options.clips} clips, seed {options.seed}, " + ("estimated from video" if options.video else "exact poses")
    )
    measures.show()
    speed()


if __name__ == "__main__":
    main()
