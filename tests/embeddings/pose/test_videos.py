"""Many videos: resumable, robust, parallel."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import estimate, estimate_videos, read_pose
from embeddings.pose.estimate import ESTIMATORS
from embeddings.video import write_video

from ..small_videos import numbered


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESTIMATORS, "planted", "tests.embeddings.pose.planted:Planted")
    monkeypatch.setitem(ESTIMATORS, "absent", "tests.embeddings.pose.planted:Absent")


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    good = [write_video(tmp_path / f"v{k}.mp4", (numbered(10 * k + i) for i in range(5)), 25) for k in range(3)]
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    failing = write_video(tmp_path / "failing.mp4", [numbered(200)], 25)
    return [good[0], broken, good[1], failing, tmp_path / "absent.mp4", good[2]]


@pytest.mark.parametrize("ending", ["pose", "h5", ".pose"])
def test_the_good_ones_are_written_the_others_named_in_one_line(
    videos: list[Path], tmp_path: Path, ending: str
) -> None:
    told: list[tuple[Path, float]] = []
    results = {
        r.video.stem: r
        for r in estimate_videos(
            videos, tmp_path / "poses", "planted", ending, workers=1, progress=lambda v, s: told.append((v, s))
        )
    }
    for k in range(3):
        result = results[f"v{k}"]
        assert result.output == tmp_path / "poses" / f"v{k}.{ending.removeprefix('.')}"
        np.testing.assert_array_equal(read_pose(result.output).xy[:, 0, 0], 10 * k + np.arange(5))
    for name, reason in (
        ("broken", "not a readable video"),
        ("failing", "the graph fell over"),
        ("absent", "no such file"),
    ):
        assert results[name].output is None
        assert reason in results[name].error
        assert name in results[name].error
        assert "\n" not in results[name].error
    assert {video for video, share in told if share == 1.0} == set(videos)
    assert not [p for p in (tmp_path / "poses").iterdir() if "partial" in p.name]


def test_a_second_run_does_only_what_is_missing_or_stale(videos: list[Path], tmp_path: Path) -> None:
    good, folder = [videos[0], videos[2], videos[5]], tmp_path / "poses"

    def skipped(**options: object) -> list[bool]:
        found = {r.video: r.skipped for r in estimate_videos(good, folder, "planted", workers=1, **options)}  # type: ignore[arg-type]
        return [found[video] for video in good]

    assert skipped() == [False, False, False]
    assert skipped() == [True, True, True]
    (folder / "v1.pose").unlink()
    assert skipped() == [True, False, True]
    write_video(good[2], (numbered(i) for i in range(6)), 25)  # another video under the same name
    assert skipped() == [True, True, False]
    assert len(read_pose(folder / "v2.pose")) == 6
    assert skipped(fps=10) == [False, False, False]  # another rate
    assert skipped(fps=10, settings={"offset": 1.0}) == [False, False, False]  # another setting
    assert skipped(fps=10, settings={"offset": 1.0}) == [True, True, True]
    (folder / "v0.pose.json").write_text("{")  # a damaged note says nothing
    assert skipped(fps=10, settings={"offset": 1.0}) == [False, True, True]


def test_a_damaged_video_is_kept_with_a_word(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4", (numbered(i) for i in range(100)), 25)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * 0.6)])
    (result,) = estimate_videos([path], tmp_path / "poses", "planted", workers=1)
    assert result.output is not None
    assert "cut.mp4" in result.warning
    assert "kept" in result.warning


def test_what_cannot_work_is_refused_before_any_work(videos: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="overwrite each other's poses: v0"):
        list(estimate_videos([videos[0], tmp_path / "other" / "v0.mkv"], tmp_path / "p", "planted"))
    with pytest.raises(ValueError, match="format 'bvh'"):
        list(estimate_videos(videos, tmp_path / "p", "planted", format="bvh"))
    with pytest.raises(ValueError, match="estimator 'openpose'"):
        list(estimate_videos(videos, tmp_path / "p", "openpose"))
    with pytest.raises(ImportError, match="pip install"):
        list(estimate_videos(videos[:1], tmp_path / "p", "absent"))
    assert list(estimate_videos([], tmp_path / "p", "planted")) == []


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    """The real estimator, in two processes: over videos, and over the pieces of one video."""
    rng = np.random.default_rng(0)
    pictures = [np.full((96, 128, 3), 90, np.uint8) + rng.integers(0, 30, (96, 128, 3), dtype=np.uint8)] * 4
    good = [write_video(tmp_path / f"n{k}.mp4", pictures, 25) for k in range(2)]
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    results = {r.video.name: r for r in estimate_videos([*good, broken], tmp_path / "poses", workers=2)}
    assert "not a readable video" in results["broken.mp4"].error
    for video in good:
        output = results[video.name].output
        assert output is not None
        alone = estimate(video)
        np.testing.assert_allclose(read_pose(output).xy, alone.xy, atol=1e-3)
        assert len(alone) == 4


def test_one_video_in_two_processes_is_the_same_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a drawn signer, estimated by the real estimator in one process and in two."""
    from embeddings.synthetic import Camera, SignWorld
    from embeddings.synthetic.filming.render import render_frames

    monkeypatch.setattr(sys.modules["embeddings.pose.estimate"], "PIECE_SECONDS", 0.24)
    performance = SignWorld(seed=1, signs=2).perform([0], signer=0, fps=25)
    camera = Camera(size=(192, 192), focal=192 * 2.2 / 1.22, distance=2.2, target=(0.0, -0.16, 0.05))
    pictures = list(islice(render_frames(performance, camera=camera), 14))
    video = write_video(tmp_path / "signer.mp4", pictures, 25)
    one, two = estimate(video), estimate(video, workers=2)
    assert len(one) == len(two) == 14
    assert np.isfinite(one.xy[:, :25]).mean() > 0.9, "the signer is seen"
    np.testing.assert_array_equal(one.xy, two.xy)
    np.testing.assert_array_equal(one.confidence, two.confidence)
    assert one.hand_metres is not None
    assert two.hand_metres is not None
    np.testing.assert_array_equal(one.hand_metres, two.hand_metres)
