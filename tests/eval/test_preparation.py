"""Tables of landmarks and folders of frames: both ways, resumable, in parallel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eval.datasets import DatasetError, Sample, ipn_compact, landmark_table, manifest
from eval.datasets.frames import extract_frames
from eval.datasets.prepare import prepare


def test_a_benchmark_becomes_a_manifest_with_its_report(tmp_path: Path) -> None:
    instance = {"bbox": [1, 2, 3, 4], "fps": 25, "frame_end": 35, "frame_start": 11, "instance_id": 0, "signer_id": 7}
    instance |= {"source": "aslbrick", "split": "val", "url": "u", "variation_id": 0, "video_id": "00012"}
    (tmp_path / "WLASL100.json").write_text(json.dumps([{"gloss": "book", "instances": [instance]}]), "utf-8")
    (tmp_path / "videos").mkdir()
    with pytest.raises(DatasetError, match="expected at least 100"):
        prepare("wlasl100", tmp_path, tmp_path / "out")
    samples, report = prepare("wlasl100", tmp_path / "WLASL100.json", tmp_path / "out", tmp_path / "videos", glosses=1)
    (again,) = manifest.read(tmp_path / "out" / "manifest.csv")
    assert (again.id, again.label, again.signer, again.split) == ("00012", "book", "7", "validation")
    # the benchmark's column `source` is a web site, the manifest's the video
    assert (again.source, again.start, again.end, again.unit, again.fps) == ("00012", 10, 35, "frames", 25.0)
    assert (tmp_path / "out" / "missing.txt").read_text("utf-8") == "00012.mp4\n"
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["missing"] == ["00012.mp4"]
    assert "| samples | 1 | 2038 | -2037 |" in " ".join((tmp_path / "out" / "report.md").read_text("utf-8").split())
    assert (tmp_path / "out" / "wlasl.csv").read_text("utf-8").count(";") == 24
    assert not report.agrees
    assert len(samples) == 1


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "folder", "rows"),
    [
        ("autsl", "annotations/autsl", 36_302),
        ("wlasl300", "annotations/wlasl", 5_117),
        ("ipn", "annotations/ipn_hand", 5_519),
        ("mssl", "annotations/eccv22_sign_spotting", 2_111),
        ("msasl100", "annotations/msasl", 5_735),
        ("include", "annotations/include", 4_292),
        ("boston104", "boston104_hands", 888),
    ],
)
def test_published_annotations_become_manifests(
    real_data: Path, tmp_path: Path, name: str, folder: str, rows: int
) -> None:
    samples, _ = prepare(name, real_data / folder, tmp_path)
    again = {sample.id: sample for sample in manifest.read(tmp_path / "manifest.csv")}
    assert len(again) == rows
    for sample in samples:
        if sample.end is None or sample.end != sample.start:
            for field in ("label", "path", "signer", "split", "source", "start", "end", "fps"):
                assert getattr(again[sample.id], field) == getattr(sample, field)


def landmarks(path: Path) -> np.ndarray:
    """As an estimator would give them: chosen by the name of the file; one that fails."""
    if path.stem == "broken":
        raise ValueError(f"{path}: no picture")
    values = np.random.default_rng(len(path.stem)).uniform(size=(4, 75, 3))
    values[2, 10:30] = np.nan
    return values


@pytest.mark.parametrize("workers", [1, 2])
def test_the_landmark_table_comes_back_and_resumes(tmp_path: Path, workers: int) -> None:
    samples = [Sample(name, "A", f"{name}.mp4", "Ann") for name in ("a", "broken", "ccc")]
    said: list[str] = []
    failed = landmark_table.make_table(
        samples, tmp_path, tmp_path / "parts", landmarks, workers, lambda name, error: said.append(name)
    )
    assert sorted(said) == ["a", "broken", "ccc"]
    assert failed == {"broken": f"{tmp_path / 'broken.mp4'}: no picture"}
    assert landmark_table.join(samples, tmp_path / "parts", tmp_path / "table.csv") == 2
    rows = (tmp_path / "table.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 2 * 4
    assert len(rows[0].split(",")) == 225 + 5
    assert rows[3].split(",")[30] == "-2"
    read = list(landmark_table.read_table(tmp_path / "table.csv"))
    assert [(s.id, s.label, s.signer) for s, _ in read] == [("a", "A", "Ann"), ("ccc", "A", "Ann")]
    for sample, values in read:
        np.testing.assert_array_equal(values, landmarks(Path(sample.path)))
    said.clear()
    landmark_table.make_table(
        samples, tmp_path, tmp_path / "parts", landmarks, 1, lambda name, error: said.append(name)
    )
    assert said == ["broken"]


def test_ipn_is_compacted_to_gestures(tmp_path: Path) -> None:
    samples = [
        Sample("v^1", "D0X", source="v", start=0, end=3),
        Sample("v^2", "G11", source="v", start=3, end=6),
        Sample("w^1", "B0A", source="w", start=0, end=2),
    ]
    tracks = {name: np.random.default_rng(i).uniform(size=(8, 21, 2)) for i, name in enumerate("vw")}
    tracks["v"][4, 7] = np.nan
    asked: list[str] = []

    def track(video: str) -> np.ndarray:
        asked.append(video)
        return tracks[video]

    assert ipn_compact.compact(tmp_path / "ipn.csv", samples, track) == 2
    assert asked == ["v", "w"]
    read = list(ipn_compact.read(tmp_path / "ipn.csv"))
    assert [(s.label, s.number, s.start, s.end) for s, _ in read] == [("G11", 12, 3, 6), ("B0A", 0, 0, 2)]
    np.testing.assert_array_equal(read[0][1], tracks["v"][3:6])
    cells = (tmp_path / "ipn.csv").read_text("utf-8").splitlines()[0].split(",")
    assert cells[:3] == ["x0", "y0", "x1"]
    assert len(cells) == 42 + 6
    with pytest.raises(DatasetError, match="ends at frame 9; its video has 8"):
        ipn_compact.compact(tmp_path / "x.csv", [Sample("v^3", "B0A", source="v", start=7, end=9)], track)


def frames(path: Path, start: float = 0.0, end: float | None = None) -> Iterator[tuple[float, np.ndarray]]:
    """Grey frames of a "video" that a JSON file describes; fails where it says so."""
    count = json.loads(path.read_text("utf-8"))
    for i in range(count):
        if start <= i / 10 < (end if end is not None else 1e9):
            yield i / 10, np.full((8, 8, 3), i, np.uint8)
    if count == 7:
        raise ValueError(f"{path}: damaged after frame 6")


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_are_whole_folders_and_resumed(tmp_path: Path, workers: int) -> None:
    for name, count in {"a": 5, "b": 7, "c": 9, "d": 0}.items():
        (tmp_path / f"{name}.json").write_text(str(count), "utf-8")
    samples = [Sample(n, "SIGN", f"{n}.json", split="train") for n in "abd"]
    samples.append(Sample("c", "SIGN", "c.json", start=0.25, end=0.6, unit="seconds"))
    failed = extract_frames(samples, tmp_path, tmp_path / "out", frames, workers)
    assert set(failed) == {"b", "d"}
    assert "damaged after frame 6" in failed["b"]
    assert sorted(p.name for p in (tmp_path / "out" / "train" / "SIGN" / "a").iterdir())[-1] == "00004.jpg"
    assert len(list((tmp_path / "out" / "SIGN" / "c").iterdir())) == 3
    assert not list((tmp_path / "out").rglob(".*"))
    said: list[str] = []
    extract_frames(samples, tmp_path, tmp_path / "out", frames, 1, progress=lambda name, error: said.append(name))
    assert sorted(said) == ["b", "d"]


def test_frames_of_a_real_video(tmp_path: Path) -> None:
    from embeddings.video import read_frames, write_video

    write_video(tmp_path / "v.mp4", (np.full((64, 64, 3), 8 * i, np.uint8) for i in range(20)), fps=10)
    sample = Sample("v", "SIGN", "v.mp4", start=5, end=12, fps=10.0)
    assert extract_frames([sample], tmp_path, tmp_path / "out", read_frames) == {}
    assert len(list((tmp_path / "out" / "SIGN" / "v").iterdir())) == 7
