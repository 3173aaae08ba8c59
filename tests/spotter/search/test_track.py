from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spotter.search.fusion import fuse, published_weights
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


def test_fusing_a_track_with_itself_changes_nothing() -> None:
    one = track(np.random.default_rng(1).random((6, 2)))
    for weights in (None, [1.0, 3.0]):
        both = fuse([one, one], weights)
        np.testing.assert_allclose(both.values, one.values, atol=1e-6)
        np.testing.assert_allclose(both.lengths, one.lengths)


def test_weights_are_shares_and_signs_are_matched_by_name() -> None:
    first = track(np.array([[1.0, 0.0], [0.5, 0.0]]), ("A", "B"))
    second = track(np.array([[0.2, 0.0, 0.6], [0.4, 0.0, 0.1]]), ("B", "X", "A"), length=30.0)
    both = fuse([first, second], [3.0, 1.0])
    assert both.signs == ("A", "B")
    np.testing.assert_allclose(both.values[:, 0], [0.75 * 1.0 + 0.25 * 0.6, 0.75 * 0.5 + 0.25 * 0.1], atol=1e-6)
    np.testing.assert_allclose(both.values[:, 1], [0.25 * 0.2, 0.25 * 0.4], atol=1e-6)
    assert both.lengths[0].tolist() == [10.0, 30.0]  # whoever says most


def test_three_tracks_are_weighed_as_the_published_distance_weighs_its_networks() -> None:
    weights = published_weights(["sl-gcn", "sl-gcn-3d", "i3d"])
    assert weights == pytest.approx([81 / 120, 39 / 120, 1])
    assert published_weights(["i3d", "sl-gcn"]) == [1, 1]  # one pose network alone has all the parts
    cosines = {"sl-gcn": [0.9, 0.1], "sl-gcn-3d": [0.5, 0.4], "i3d": [0.2, 0.8]}
    both = fuse([track(np.array(values)[:, None], ("A",)) for values in cosines.values()], weights)
    # distance (81 · .1 + 39 · .5) / 120 + .8 = 1.03 and (81 · .9 + 39 · .6) / 120 + .2 = 1.0025, halved and from 1
    np.testing.assert_allclose(both.values[:, 0], [1 - 1.03 / 2, 1 - 1.0025 / 2], atol=1e-6)


def test_tracks_of_other_rates_are_met_in_time() -> None:
    first = track(np.linspace(0, 1, 11)[:, None], ("A",))
    # the same line seen at half the frame rate and every frame: same seconds
    second = track(np.interp((np.arange(11) + 0.5) / 12.5, first.seconds, np.linspace(0, 1, 11))[:, None], ("A",), 12.5,
                   stride=1, length=5.0)  # fmt: skip
    both = fuse([first, second])
    np.testing.assert_allclose(both.values, first.values, atol=0.06)
    np.testing.assert_allclose(both.lengths, 10.0)
    # a step at 0.5 s in both, seen at other rates: the frame numbers of the two do not agree, the seconds do
    step = track((first.seconds >= 0.5).astype(float)[:, None], ("A",))
    times = (np.arange(22) + 0.5) / 25.0
    other = track((times >= 0.5).astype(float)[:, None], ("A",), 25.0, stride=1)
    fused = fuse([step, other]).values[:, 0]
    assert (fused[step.seconds < 0.46] == 0).all()
    assert (fused[step.seconds > 0.54] == 1).all()


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan]])
def test_wrong_weights_are_refused(weights: list[float]) -> None:
    one = track(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="expected one each"):
        fuse([one, one], weights)


def test_tracks_that_cannot_be_fused() -> None:
    with pytest.raises(ValueError, match="no tracks"):
        fuse([])
    with pytest.raises(ValueError, match="different videos"):
        fuse([track(np.zeros((3, 2))), track(np.zeros((3, 2)), video="other")])
    with pytest.raises(ValueError, match="no sign in common"):
        fuse([track(np.zeros((3, 2))), track(np.zeros((3, 2)), ("X", "Y"))])
