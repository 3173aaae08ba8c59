"""`spotter phonology …`: files that hold what they should, runs that go on, a bad file in one line."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from embeddings.clip import Pose
from embeddings.phonology.handshapes.cluster_files import read_corpus_clusters
from embeddings.phonology.handshapes.images import write_hand_images
from embeddings.phonology.handshapes.network_data import images_from_folder
from embeddings.pose import write_pose
from embeddings.pose.files import source_stamp
from embeddings.synthetic import SignWorld
from embeddings.video import write_video
from safe_files import GroupedHDF5
from spotter.cli.app import app

WORLD = SignWorld(seed=5, signs=2)


pytestmark = pytest.mark.usefixtures("one_thread")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["phonology", *map(str, arguments)])


def pose(sign: int, signer: int) -> Pose:
    found = WORLD.clip(WORLD.signs[sign], signer=signer).pose
    assert found is not None
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pose files and a broken one; a short video whose pose is kept beside it."""
    root = tmp_path_factory.mktemp("phonology")
    for k in (0, 1):
        write_pose(root / "talks" / f"talk-{k}.pose", pose(k, k))
    (root / "talks" / "talk-2.pose").write_bytes(b"no pose")
    whole = pose(0, 0)
    rng = np.random.default_rng(0)
    width, height = whole.size
    picture = rng.integers(0, 255, (height, width, 3)).astype(np.uint8)
    video = write_video(root / "film.mp4", [picture] * 12, whole.fps)
    from dataclasses import replace

    kept = replace(whole[20:32], estimator="holistic")
    write_pose(root / "poses" / "film.pose", kept, source_stamp(video, None))
    return root


def test_keyframes_with_strips_go_on_and_name_the_bad_file(folder: Path) -> None:
    output = folder / "k.h5"
    done = run("keyframes", folder / "talks", "-o", output, "-n", "6", "--strips", folder / "strips", "-j", "1")
    assert done.exit_code == 1
    with h5py.File(output) as file:
        assert sorted(file) == ["talk-0", "talk-1"]
        assert file["talk-0"].shape == (6,)
        first = file["talk-0"][:].tolist()
    strip = cv2.imread(str(folder / "strips" / "talk-0.png"))
    assert strip.shape[1] == 6 * 160
    before = output.stat().st_mtime_ns
    again = run("keyframes", folder / "talks" / "talk-0.pose", "-o", output, "-n", "3")
    assert again.exit_code == 0
    assert "of 0 videos" in again.stdout
    assert output.stat().st_mtime_ns == before
    with h5py.File(output) as file:
        assert file["talk-0"][:].tolist() == first


def test_locations_have_the_published_layout(folder: Path) -> None:
    done = run("locations", folder / "talks" / "talk-0.pose", "-o", folder / "l.h5")
    assert done.exit_code == 0, done.stdout
    length = len(pose(0, 0))
    with h5py.File(folder / "l.h5") as file:
        group = file["talk-0"]
        np.testing.assert_array_equal(group["frame_number"], np.arange(length))
        assert group["vector"].shape == (length, 2, 15)
        seen = np.isfinite(group["vector"][:]).all(axis=2)
        np.testing.assert_allclose(group["vector"][:][seen].sum(axis=1), 1, atol=1e-5)
        assert group["signs/times"].shape == (1, 2)
        assert group["signs/histogram"].shape == (1, 2, 15)
        assert set(group["signs/right"].asstr()[:]) <= {"", *group.attrs["places"]}


def test_each_sign_of_continuous_signing_has_its_place(folder: Path) -> None:
    (folder / "signs.csv").write_text("video,sign,start,end\ntalk-0,HOUSE,0.2,0.8\ntalk-0,TREE,0.9,1.4\n")
    places = ("-o", folder / "s.h5", "--signs", folder / "signs.csv", "--table", folder / "places.csv")
    done = run("locations", folder / "talks" / "talk-0.pose", *places)
    assert done.exit_code == 0, done.stdout
    with (folder / "places.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["sign"], float(row["start"]), float(row["end"])) for row in rows] == [
        ("HOUSE", 0.2, 0.8),
        ("TREE", pytest.approx(0.88, abs=0.021), 1.4),
    ]
    with h5py.File(folder / "s.h5") as file:
        assert file["talk-0/signs/sign"].asstr()[:].tolist() == ["HOUSE", "TREE"]
    before = (folder / "places.csv").read_bytes()
    assert run("locations", folder / "talks" / "talk-0.pose", *places).exit_code == 0  # nothing is left to do
    assert (folder / "places.csv").read_bytes() == before
    (folder / "signs.csv").write_text("video,sign,start,end\nother,HOUSE,0.2,0.8\n")
    done = run("locations", folder / "talks" / "talk-0.pose", "-o", folder / "t.h5", "--signs", folder / "signs.csv")
    assert done.exit_code == 1
    assert "they name other" in done.stdout + done.stderr


def test_movements_and_orientations_are_tables_even_when_a_file_is_bad(folder: Path) -> None:
    for command, column, values in (
        ("movements", "kind", {"hold", "up", "down", "right", "left", "away", "body", "twisting"}),
        ("orientations", "palm", {"up", "down", "right", "left", "away", "body"}),
    ):
        done = run(command, folder / "talks", "-o", folder / f"{command}.csv", "-j", "1")
        assert done.exit_code == 1
        with (folder / f"{command}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["video"] for row in rows} == {"talk-0", "talk-1"}
        assert {row[column] for row in rows} <= values
        if command == "movements":
            assert {row["symmetric"] for row in rows} <= {"yes", "no"}
        assert all(float(row["start"]) < float(row["end"]) for row in rows)


def test_hands_and_crops_are_cut_from_videos_only(folder: Path) -> None:
    arguments = ("-o", folder / "h.h5", "--poses", folder / "poses", "--table", folder / "c.csv")
    done = run("hands", folder / "film.mp4", *arguments, "--plot", folder / "c.png")
    assert done.exit_code == 0, done.stdout
    assert "bytes an image" in done.stdout
    assert "hours of video per GB" in done.stdout
    with h5py.File(folder / "h.h5") as file:
        assert file["film/right_hand/images"].shape[1:] == (70, 70, 3)
        assert len(file["film/right_hand/frames"]) > 6
    assert (folder / "c.png").exists()
    with (folder / "c.csv").open(encoding="utf-8", newline="") as table:
        assert [row["hand"] for row in csv.DictReader(table)] == ["left", "right"]
    before = (folder / "c.csv").read_bytes()
    again = run("hands", folder / "film.mp4", *arguments)
    assert again.exit_code == 0
    assert (folder / "c.csv").read_bytes() == before  # a run with nothing left to do does not empty the table
    assert "thresholds on it leave nothing out" in " ".join((again.stdout + again.stderr).split())
    cut = run("crops", folder / "film.mp4", "-o", folder / "b.h5", "--masked", "--poses", folder / "poses")
    assert cut.exit_code == 0, cut.stdout
    with h5py.File(folder / "b.h5") as file:
        assert file["film/crops"].shape == (12, 256, 256, 3)
    refused = run("crops", folder / "talks" / "talk-0.pose", "-o", folder / "x.h5")
    assert refused.exit_code == 1


def test_from_clusters_to_semantic_vectors(folder: Path, tmp_path: Path) -> None:
    """clusters, and training → test → predict → semantic, as the guide walks through it."""
    for k in range(4):
        for sign in (0, 1):
            write_pose(tmp_path / "signs" / WORLD.signs[sign].label / f"s{sign}-{k}.pose", pose(sign, k))
    done = run(
        "clusters", tmp_path / "signs", "-o", tmp_path / "c.h5", "--least", "2", "--join", "2",
        "--sheets", tmp_path / "sheets", "-j", "1",
    )  # fmt: skip
    assert done.exit_code == 0, done.stdout
    assert "left-handed" in done.stdout
    assert list((tmp_path / "sheets").glob("cluster-*.png"))
    rng = np.random.default_rng(0)
    for name in ("fist", "flat"):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for k in range(4):
            image = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "shapes" / name / f"s{k}_0.png"), image)
    settings = [f"--set={change}" for change in ("schedule.epochs=1", "config.size=32", "batch.size=4")]
    command = ["train", "handshape-uwb", "--data", f"images:{tmp_path / 'shapes'}", "--init", "random", *settings]
    trained = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "run")])
    assert trained.exit_code == 0, trained.stdout
    network, shapes = tmp_path / "run" / "best.safetensors", ("--folder", tmp_path / "shapes")
    tested = run("vle", "test", *shapes, "-m", network, "--picture", tmp_path / "m.png")
    assert tested.exit_code == 0, tested.stdout
    assert "of 8 images" in tested.stdout
    hands = tmp_path / "h.h5"
    assert run("hands", folder / "film.mp4", "-o", hands, "--poses", folder / "poses").exit_code == 0
    predicted = run("vle", "predict", hands, "-m", network, "-o", tmp_path / "e.h5")
    assert predicted.exit_code == 0, predicted.stdout
    film = (folder / "film.mp4", "--vle", tmp_path / "e.h5", "--poses", folder / "poses")
    assert run("vle", "semantic", *film, "-o", tmp_path / "s.h5").exit_code == 0
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["film/semantic"].shape == (16, 2590)
    assert isinstance(run("vle", "test", "-m", network).exception, ValueError)


def test_hands_are_mined_from_a_corpus_by_picked_examples(folder: Path, tmp_path: Path) -> None:
    """picked frames + clusters + hand images → a folder per handshape for `train --data images:`."""
    for k in range(4):
        for sign in (0, 1):
            write_pose(tmp_path / "signs" / WORLD.signs[sign].label / f"s{sign}-{k}.pose", pose(sign, k))
    made = run("clusters", tmp_path / "signs", "-o", tmp_path / "c.h5", "--least", "2", "--join", "2", "-j", "1")
    assert made.exit_code == 0, made.stdout
    corpus = read_corpus_clusters(tmp_path / "c.h5")
    with GroupedHDF5(tmp_path / "h.h5") as store:
        for video in {s.video for s in corpus.samples}:
            recorded = pose(int(video[1]), int(video[3]))
            height, width = recorded.size[1], recorded.size[0]
            pictures = (np.full((height, width, 3), t % 250, np.uint8) for t in range(len(recorded)))
            with store.add(video) as group:
                write_hand_images(group, pictures, recorded, 0.0)
    first = next(s for s in corpus.samples if s.hand == "right")
    (tmp_path / "picked.csv").write_text(f"handshape,video,frame\nflat,{first.video},{first.frame}\n")
    needed = ("--clusters", tmp_path / "c.h5", "--hands", tmp_path / "h.h5", "--most", "1e9", "--confidence", "0")
    picked = ("--references", tmp_path / "picked.csv", "-o", tmp_path / "mined")
    done = run("vle", "mine", tmp_path / "signs", *picked, *needed)
    assert done.exit_code == 0, done.stdout
    with (tmp_path / "mined" / "mined.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert (rows[0]["video"], int(rows[0]["frame"]), float(rows[0]["distance"])) == (first.video, first.frame, 0)
    assert len(rows) == len(corpus.samples)  # the reference itself once, and everything else at such a distance
    assert [float(row["distance"]) for row in rows] == sorted(float(row["distance"]) for row in rows)
    image = cv2.imread(str(tmp_path / "mined" / rows[0]["file"]))
    assert abs(int(image[0, 0, 0]) - first.frame % 250) <= 2
    again = images_from_folder(tmp_path / "mined")
    assert len(again) == len(rows)
    assert set(again.labels) == {"flat"}
    (tmp_path / "picked.csv").write_text("handshape,video,frame\nflat,nobody,3\n")
    wrong = run("vle", "mine", tmp_path / "signs", *picked, *needed)
    assert "the references name nobody" in str(wrong.exception)
