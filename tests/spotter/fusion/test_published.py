"""The 2022 entry's search against a literal twin of its description, on planted vectors of three networks."""

from __future__ import annotations

import numpy as np
import pytest

from spotter.fusion.published import known_by_name, nearest_windows
from spotter.fusion.weights import published_weights

PARTS, DIM = (81, 39, 1), (81 * 4, 39 * 4, 16)
WEIGHTS = published_weights(["sl-gcn", "sl-gcn-3d", "i3d"])


def unit_parts(rows: np.ndarray, parts: int) -> np.ndarray:
    """(n, D) whose parts are unit vectors over √parts."""
    split = rows.reshape(len(rows), parts, -1)
    return (split / np.linalg.norm(split, axis=2, keepdims=True) / np.sqrt(parts)).reshape(len(rows), -1)


def planted(seed: int, clips: int = 7, windows: int = 16) -> tuple[list[np.ndarray], dict[str, list[np.ndarray]]]:
    """(the example of each network, clip → windows of each network): the example stands in each clip, more or less."""
    rng = np.random.default_rng(seed)
    examples = [unit_parts(rng.normal(size=(1, d)), p)[0] for d, p in zip(DIM, PARTS, strict=True)]
    made = {}
    for clip in range(clips):
        networks = []
        at = int(rng.integers(windows))
        for d, p, example in zip(DIM, PARTS, examples, strict=True):
            rows = rng.normal(size=(windows, d))
            rows[at] += rng.uniform(0.0, 0.5) * example * np.sqrt(d)
            networks.append(unit_parts(rows, p).astype(np.float32))
        made[f"p01_s20_n{clip:03d}"] = networks
    return [e.astype(np.float32) for e in examples], made


def twin(
    examples: list[np.ndarray], clips: dict[str, list[np.ndarray]], pose_counts_as: float, k: int
) -> dict[str, int]:
    """As published: distances part by part, one minimum a clip, the five nearest clips, the mean, once more."""

    def distances(example: list[np.ndarray], networks: list[np.ndarray]) -> list[float]:
        rows = []
        for w in range(len(networks[0])):
            poses = []
            for m in (0, 1):
                for one, other in zip(
                    np.split(example[m].astype(float), PARTS[m]), np.split(networks[m][w].astype(float), PARTS[m]),
                    strict=True,
                ):  # fmt: skip
                    cosine = sum(one * other) / (sum(one * one) ** 0.5 * sum(other * other) ** 0.5)
                    poses.append(1 - cosine)
            i3d = 1 - float(np.dot(example[2].astype(float), networks[2][w]) / np.linalg.norm(example[2].astype(float)))
            rows.append(pose_counts_as * sum(poses) / 120 + i3d)
        return rows

    first = {name: distances(examples, networks) for name, networks in clips.items()}
    if k == 0:
        return {name: row.index(min(row)) for name, row in first.items()}
    nearest = sorted(first, key=lambda name: min(first[name]))[:k]
    mean = []
    for m in range(3):
        chosen = [clips[name][m][first[name].index(min(first[name]))].astype(float) for name in nearest]
        mean.append(sum(chosen) / len(chosen))
    second = {name: distances(mean, networks) for name, networks in clips.items()}
    return {name: row.index(min(row)) for name, row in second.items()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [0, 5])
def test_answers_are_those_of_the_twin(seed: int, k: int) -> None:
    examples, clips = planted(seed)
    expected = twin(examples, clips, 1.0, k)
    found = nearest_windows(examples, clips, WEIGHTS, PARTS, k)
    assert {name: one.window for name, one in found.items()} == expected


def test_every_network_its_weight_and_the_transfer_matter() -> None:
    """Somewhere the answers change when one is left out: the cases above can tell."""
    answers: dict[str, list[dict[str, int]]] = {}
    for seed in range(3):
        examples, clips = planted(seed)
        for name, weights, k in (
            ("published", WEIGHTS, 5), ("once", WEIGHTS, 0), ("equal", [1.0, 1.0, 1.0], 5),
            ("no 2D", [0.0, 0.325, 1.0], 5), ("no 3D", [0.675, 0.0, 1.0], 5), ("no pictures", [0.675, 0.325, 0.0], 5),
        ):  # fmt: skip
            found = nearest_windows(examples, clips, weights, PARTS, k)
            answers.setdefault(name, []).append({clip: one.window for clip, one in found.items()})
    for name, found in answers.items():
        assert (found == answers["published"]) == (name == "published"), name


def test_by_hand_the_five_nearest_move_the_example_in_every_network() -> None:
    """Two networks of two values: five clips donate (0.8, 0.6); then the window that was worse at first is best."""
    example = [np.array([1.0, 0.0], np.float32), np.array([1.0, 0.0], np.float32)]
    near, other, far = [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]
    clips = {f"c{i}": [np.array([far, near], np.float32), np.array([far, near], np.float32)] for i in range(5)}
    # at first window 0 (cosine .7) beats window 1 (.6); to the moved example (.8, .6) window 1 has .96, window 0 .84
    clips["last"] = [np.array([[0.7, -np.sqrt(0.51)], other], np.float32) for _ in range(2)]
    once = nearest_windows(example, clips, [1.0, 1.0], [1, 1], 0)
    assert (once["last"].window, once["c0"].window) == (0, 1)
    assert once["c0"].distance == pytest.approx(2 * 0.2)
    moved = nearest_windows(example, clips, [1.0, 1.0], [1, 1], 5)
    assert moved["last"].window == 1
    assert moved["last"].distance == pytest.approx(2 * (1 - 0.96), abs=1e-6)
    assert moved["c0"].distance == pytest.approx(0, abs=1e-6)


def test_the_challenge_names_its_clips_by_their_sign() -> None:
    assert known_by_name(["p01_s20_n003", "p09_s05_n120", "lecture", "p00_s20"]) == {
        "p01_s20_n003": "20", "p09_s05_n120": "5",
    }  # fmt: skip


def test_networks_that_disagree_about_a_clip_are_refused() -> None:
    example = [np.array([1.0, 0.0], np.float32)] * 2
    with pytest.raises(ValueError, match=r"c: \[1, 2\] windows of its networks; expected as many of each"):
        nearest_windows(example, {"c": [np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[:1]]}, [1, 1], [1, 1])
