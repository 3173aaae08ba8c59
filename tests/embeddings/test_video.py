"""Video: times, rotation, damage, writing; every video is made here."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.video import VideoError, probe, read_clip, read_frames, write_video

from .small_videos import number_of, numbered, turn, write_sound, write_timed

VARIABLE = [0, 40, 200, 240, 280, 900, 940, 1500]


def numbers(path: Path, **options: object) -> list[int]:
    return [number_of(picture) for _, picture in read_frames(path, **options)]  # type: ignore[arg-type]


def naive_resampling(times: list[float], end: float, fps: float, start: float, stop: float) -> list[int]:
    """Which frame is on screen at each moment start + i / fps, by looking at all of them."""
    rows, i = [], 0
    while start + i / fps < min(stop, end) - 1e-6:
        rows.append(max(k for k, t in enumerate(times) if t <= start + i / fps + 1e-3 + 1e-9))
        i += 1
    return rows


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov", ".webm.mkv"])
def test_written_frames_come_back_in_order_at_their_times(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", (numbered(i) for i in range(50)), 25)
    read = list(read_frames(path))
    assert [number_of(p) for _, p in read] == list(range(50))
    np.testing.assert_allclose([t for t, _ in read], np.arange(50) / 25, atol=1.1e-3)
    assert numbers(path, fps=25) == list(range(50))
    info = probe(path)
    assert (info.width, info.height, info.rotation) == (64, 48, 0)
    assert info.fps == pytest.approx(25, abs=0.1)
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.frames == pytest.approx(50, abs=1)


@pytest.mark.parametrize("fps", [29.97, 30000 / 1001, 15, 59.94, 23.976])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_own_rate_gives_every_frame_once(tmp_path: Path, suffix: str, fps: float) -> None:
    """Matroska rounds times to a millisecond: a frame rounded up must not miss its own moment."""
    path = write_video(tmp_path / f"a{suffix}", (numbered(i) for i in range(100)), fps)
    assert numbers(path, fps=fps) == list(range(100))


def test_variable_rate_is_resampled_by_time_not_by_count(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "v.mkv", VARIABLE)
    assert [round(1000 * t) for t, _ in read_frames(path)] == VARIABLE
    # at 10 frames a second: 0, .1, .2, … 1.5
    assert numbers(path, fps=10) == [0, 1, 2, 4, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6, 7]


@settings(max_examples=25, deadline=None)
@given(
    gaps=st.lists(st.integers(5, 300), min_size=1, max_size=20),
    fps=st.sampled_from([5.0, 10.0, 25.0, 29.97, 50.0]),
    start=st.sampled_from([0.0, 0.1, 0.5]),
    stop=st.sampled_from([0.6, 1.0, 99.0]),
)
def test_resampling_agrees_with_its_naive_twin(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], fps: float, start: float, stop: float
) -> None:
    times = [0, *np.cumsum(gaps).tolist()]
    path = write_timed(tmp_path_factory.mktemp("v") / "v.mkv", times, last_ms=gaps[-1])
    end = list(_ends(path))[-1]
    expected = naive_resampling([t / 1000 for t in times], end, fps, start, stop)
    assert numbers(path, fps=fps, start=start, end=stop) == expected


def _ends(path: Path) -> Iterator[float]:
    from embeddings.video_decode import timed_frames

    for seconds, lasts, _ in timed_frames(path, 0.0):
        yield seconds + lasts


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.4), (0.52, 1.0), (1.96, None), (0.04, 0.08), (1.0, 9.0)])
def test_seeking_is_exact(tmp_path: Path, suffix: str, start: float, end: float | None) -> None:
    path = write_video(tmp_path / f"a{suffix}", (numbered(i) for i in range(100)), 25)
    first, last = round(start * 25), 100 if end is None else min(100, round(end * 25))
    assert numbers(path, start=start, end=end) == list(range(first, last))
    assert numbers(path, fps=25, start=start, end=end) == list(range(first, last))


def test_past_the_end_there_is_nothing(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", (numbered(i) for i in range(10)), 25)
    assert numbers(path, start=5) == []
    assert numbers(path, fps=25, start=5) == []
    with pytest.raises(VideoError, match="no frame between 5"):
        read_clip(path, start=5)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_rotation_of_the_file_is_respected(tmp_path: Path, clockwise: int) -> None:
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:16, :16], stored[:16, -16:] = (255, 0, 0), (0, 255, 0)  # red top left, green top right
    path = turn(write_video(tmp_path / "r.mp4", [stored] * 5, 25), clockwise)
    shown = np.rot90(stored, -clockwise // 90)
    info = probe(path)
    assert (info.height, info.width) == shown.shape[:2]
    assert info.rotation == -clockwise % 360
    picture = read_clip(path).frames[0]  # type: ignore[index]
    assert picture.shape == shown.shape
    assert np.abs(picture.astype(int) - shown).mean() < 6
    (_, small), *_ = read_frames(path, size=(shown.shape[1] // 2, shown.shape[0] // 2))
    assert small.shape == (shown.shape[0] // 2, shown.shape[1] // 2, 3)
    assert np.abs(small.astype(int) - shown[::2, ::2]).mean() < 12


def test_one_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", [numbered(7)], 25)
    assert numbers(path) == [7]
    assert numbers(path, fps=25) == [7]
    assert numbers(path, fps=10) == [7]
    assert len(read_clip(path)) == 1


def test_sound_beside_pictures_changes_nothing(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "s.mp4", [40 * i for i in range(20)], audio=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numbers(path, fps=25) == list(range(20))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_text("this is no video\n" * 40), "not a readable video"),
        (lambda p: p.write_bytes(np.random.default_rng(0).bytes(20000)), "not a readable video"),
        (lambda p: p.mkdir(), "folder"),
        (lambda p: None, "no such file"),
        (lambda p: write_sound(p), r"no video stream \(found: audio\)"),
    ],
    ids=["empty", "text", "noise", "folder", "absent", "sound"],
)
def test_what_is_no_video_is_named_with_the_reason(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "bad.mp4"
    make(path)  # type: ignore[operator]
    for attempt in (probe, read_clip, lambda p: list(read_frames(p)), lambda p: list(read_frames(p, start=1.0))):
        with pytest.raises(VideoError, match=reason) as caught:
            attempt(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("suffix", "kept"), [(".mp4", 0.5), (".mp4", 0.93), (".mkv", 0.5), (".ts", 0.5)])
def test_a_truncated_file_keeps_what_came_before(tmp_path: Path, suffix: str, kept: float) -> None:
    whole = write_video(tmp_path / f"whole{suffix}", _noisy(100), 25)
    cut = tmp_path / f"cut{suffix}"
    raw = whole.read_bytes()
    cut.write_bytes(raw[: int(len(raw) * kept)])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = numbers(cut, fps=25)
    assert 100 * kept - 30 < len(found) < 100
    assert found == list(range(len(found)))
    (warning,) = seen
    assert str(cut) in str(warning.message)
    assert f"{len(found) / 25:.2f} s" in str(warning.message)


def test_damage_in_the_middle_leaves_a_gap_not_an_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "hit.ts", _noisy(100), 25)
    raw = bytearray(path.read_bytes())
    hit = len(raw) // 2 // 188 * 188
    raw[hit : hit + 188 * 40] = bytes(188 * 40)
    path.write_bytes(raw)
    with pytest.warns(UserWarning, match=r"hit\.ts: .*damaged"):
        found = numbers(path, fps=25)
    assert found[-1] == 99
    assert found[:48] == list(range(48))
    assert found[-20:] == list(range(80, 100)), "what follows the damage is at its own time"


def _noisy(count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for i in range(count):
        picture = numbered(i)
        picture[:12] = rng.integers(0, 256, (12, 64, 3))
        yield picture


def test_a_file_whose_index_is_lost_says_so(tmp_path: Path) -> None:
    path = write_timed(tmp_path / "late.mp4", [40 * i for i in range(50)])  # its index comes last
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(VideoError, match=r"late\.mp4: not a readable video"):
        probe(path)


def test_joined_files_go_on_in_time(tmp_path: Path) -> None:
    """Two transport streams in one file: the clock starts anew in the middle; time must not."""
    one = write_video(tmp_path / "one.ts", (numbered(i) for i in range(50)), 25).read_bytes()
    two = write_video(tmp_path / "two.ts", (numbered(50 + i) for i in range(50)), 25).read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(one + two)
    times = [t for t, _ in read_frames(both)]
    assert (np.diff(times) > 0).all()
    assert 95 <= len(numbers(both, fps=25)) <= 101


@pytest.mark.parametrize("shape", [(48, 64), (47, 64), (48, 63), (47, 63), (1, 1)])
def test_odd_sizes_lose_nothing(tmp_path: Path, shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 200, np.uint8)
    picture[-1, -1] = 255
    path = write_video(tmp_path / "odd.mp4", [picture] * 3, 25)
    read = read_clip(path).frames[0]  # type: ignore[index]
    assert read.shape == (shape[0] + shape[0] % 2, shape[1] + shape[1] % 2, 3)
    assert np.abs(read[: shape[0], : shape[1]].astype(int) - picture).mean() < 8


def test_written_video_plays_everywhere(tmp_path: Path) -> None:
    import av

    path = write_video(tmp_path / "new" / "a.mp4", [numbered(1)] * 3, 25)
    raw = path.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat"), "a player must see the index first"
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_failed_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [numbered(3)] * 2, 25)
    before = path.read_bytes()

    def breaks() -> Iterator[np.ndarray]:
        yield numbered(1)
        raise RuntimeError("the renderer stopped")

    with pytest.raises(RuntimeError, match="renderer"):
        write_video(path, breaks(), 25)
    with pytest.raises(VideoError, match="no frames to write"):
        write_video(path, [], 25)
    with pytest.raises(VideoError, match="one video has one size"):
        write_video(path, [numbered(1), numbered(1, 32, 32)], 25)
    with pytest.raises(VideoError, match=r"float64 .*expected uint8"):
        write_video(path, [np.zeros((4, 4, 3))], 25)
    with pytest.raises(ValueError, match="fps is 0"):
        write_video(path, [numbered(1)], 0)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": -1}, {"start": -1}, {"start": 2, "end": 1}])
def test_senseless_requests_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    path = write_video(tmp_path / "a.mp4", [numbered(1)], 25)
    with pytest.raises(ValueError, match="expected"):
        list(read_frames(path, **options))  # type: ignore[arg-type]


def test_reading_holds_few_frames(tmp_path: Path) -> None:
    """3,000 frames of 115 KB would be 345 MB."""
    path = write_video(tmp_path / "long.mp4", (numbered(i % 256, 240, 160) for i in range(1500)), 25)
    tracemalloc.start()
    count = sum(1 for _ in read_frames(path, fps=50))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 3000
    assert peak < 8e6


def test_a_long_video_is_no_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", (numbered(i % 256) for i in range(130)), 1)
    with pytest.raises(VideoError, match="stream it with read_frames"):
        read_clip(path, fps=1)
    assert len(read_clip(path, fps=1, end=20)) == 20


def test_import_is_light() -> None:
    heavy = ("av", "torch", "h5py", "mediapipe", "cv2")
    code = f"import sys, embeddings.video; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
