from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spotter.search.track import SimilarityTrack


def track(
    values: np.ndarray, signs: tuple[str, ...] = ("A", "B"), fps: float = 25.0, **changes: object
) -> SimilarityTrack:
    settings: dict = {"video": "talk", "stride": 2, "length": 10.0, **changes}
    centres = np.arange(len(values)) * settings["stride"] + 0.5
    lengths = np.full(values.shape, settings["length"], np.float32)
    return SimilarityTrack(settings["video"], fps, centres, signs, values.astype(np.float32), lengths)


def test_a_saved_track_is_the_same_when_loaded(tmp_path: Path) -> None:
    made = track(np.random.default_rng(0).random((7, 2)), ("ГОРА 山", "NA"))
    made.save(tmp_path / "deep" / "t.npz")
    loaded = SimilarityTrack.load(tmp_path / "deep" / "t.npz")
    assert (loaded.video, loaded.fps, loaded.signs) == (made.video, made.fps, made.signs)
    for name in ("centres", "values", "lengths"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(made, name))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["t.npz"]


def test_damaged_tracks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with pytest.raises(ValueError, match=r"t\.npz"):
        SimilarityTrack.load(path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"t\.npz: not a readable"):
        SimilarityTrack.load(path)
    np.savez(path, something=np.zeros(2))
    with pytest.raises(ValueError, match=r"t\.npz: not a readable"):
        SimilarityTrack.load(path)


def test_a_track_whose_arrays_disagree_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(3, 2\)"):
        SimilarityTrack("t", 25.0, np.arange(3.0), ("A", "B"), np.zeros((3, 1)), np.zeros((3, 2)))  # type: ignore[arg-type]


def test_times_are_in_seconds() -> None:
    np.testing.assert_allclose(track(np.zeros((3, 2))).seconds, [0.02, 0.1, 0.18])
