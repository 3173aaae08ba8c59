"""Body crops, hand images, clusters of a corpus and their pictures: planted answers and layouts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.phonology.body_crops import SIZE as CROP
from embeddings.phonology.body_crops import body_box, body_crops, skeleton_mask, write_body_crops
from embeddings.phonology.handshapes.cluster_files import read_corpus_clusters, write_corpus_clusters
from embeddings.phonology.handshapes.clusters import ClusterOptions
from embeddings.phonology.handshapes.confidence import confidence_statistics, hand_confidences, says_nothing
from embeddings.phonology.handshapes.corpus import (
    LabelledPose,
    cluster_corpus,
    dominant_hands,
)
from embeddings.phonology.handshapes.images import SIZE, store_size, write_hand_images
from embeddings.phonology.pictures import (
    contact_sheet,
    draw_confidence,
    draw_confusion,
    hand_picture,
    keyframe_strip,
    stick_figure,
    write_picture,
)
from embeddings.synthetic import SignWorld
from safe_files import GroupedHDF5


def standing(frames: int = 4, shoulders: float = 40.0, neck: tuple[float, float] = (100.0, 80.0)) -> Pose:
    """Neck and shoulders, nothing else."""
    xy = np.full((frames, 50, 2), np.nan, np.float32)
    xy[:, 1] = neck
    xy[:, 2] = (neck[0] - shoulders / 2, neck[1])
    xy[:, 5] = (neck[0] + shoulders / 2, neck[1])
    confidence = np.isfinite(xy[..., 0]).astype(np.float32)
    return Pose(xy, confidence, "openpose-50", 25.0, (200, 150))


def test_the_crop_is_the_published_square() -> None:
    assert body_box(standing()) == (20, 12, 160)
    assert body_box(standing(shoulders=20.0)) == (-60, -56, 320)  # below 30 px: as if 80
    with pytest.raises(ValueError, match="never seen"):
        body_box(replace(standing(), xy=np.full((4, 50, 2), np.nan, np.float32)))


def test_crops_keep_what_is_inside_and_are_black_outside(tmp_path: Path) -> None:
    frames = [np.full((150, 200, 3), 50 * k + 50, np.uint8) for k in range(4)]
    crops = list(body_crops(frames, standing()))
    assert [c.shape for c in crops] == [(CROP, CROP, 3)] * 4
    assert [int(c[100, 100, 0]) for c in crops] == [50, 100, 150, 200]
    assert crops[0][-5, 100, 0] == 0  # the square ends at y = 172, the picture at 150
    masked = next(body_crops(frames, standing(), masked=True, arms=True))
    on = masked[..., 0] > 0
    assert on[round((80 - 12) * 256 / 160), 128]
    assert not on[30, 30]
    with GroupedHDF5(tmp_path / "c.h5") as store, store.add("v") as group:
        assert write_body_crops(group, frames, standing()) == 4
    with h5py.File(tmp_path / "c.h5") as file:
        assert file["v/crops"].shape == (4, CROP, CROP, 3)
        assert file["v/crops"].attrs["box"].tolist() == [20, 12, 160]
    with pytest.raises(ValueError, match="more frames"):
        list(body_crops([frames[0]] * 5, standing()))


def test_the_mask_is_dilated_in_pixels_of_the_source_picture() -> None:
    points = np.full((50, 2), np.nan)
    points[0], points[1] = (328, 40), (328, 100)
    points[8], points[9] = (100, 150), (160, 150)  # wrist to the root of the thumb: a bone of the palm
    points[9 + 1] = (160, 200)  # and of the thumb
    mask = skeleton_mask(points, (300, 600))
    assert mask[70].nonzero()[0].tolist() == list(range(308, 349))  # 20 px to both sides
    assert mask[:, 130].nonzero()[0].tolist() == list(range(146, 155))  # 4 px
    assert mask[180].nonzero()[0].tolist() == list(range(158, 163))  # 2 px
    assert mask[20:120, 328].all()  # the ends are squares too
    assert not mask[19, 328]
    assert not skeleton_mask(np.full((50, 2), np.nan), (256, 256)).any()


def test_arms_are_no_part_of_the_published_skeleton() -> None:
    points = np.full((50, 2), np.nan)
    points[2], points[3] = (50, 50), (50, 150)
    assert not skeleton_mask(points, (200, 200)).any()
    assert skeleton_mask(points, (200, 200), arms=True)[100].nonzero()[0].tolist() == list(range(46, 55))


def test_a_mask_keeps_the_same_of_the_picture_whatever_the_size_of_the_crop() -> None:
    pose = standing(1, shoulders=128.0, neck=(256.0, 200.0))  # the crop is 512 px wide and shown at half its size
    pose.xy[:, 0] = (256, 100)
    pose.confidence[:, 0] = 1
    (crop,) = body_crops([np.full((600, 600, 3), 200, np.uint8)], replace(pose, size=(600, 600)), masked=True)
    row = round((150 - (200 + 0.3 * 128 - 256)) / 2)  # y = 150 in the picture
    assert 19 <= (crop[row, :, 0] > 100).sum() <= 22  # 41 px of the source, not of the crop


def test_a_video_that_ends_early_or_is_killed_leaves_no_crops(tmp_path: Path) -> None:
    frames = [np.full((150, 200, 3), 9, np.uint8)] * 10
    with GroupedHDF5(tmp_path / "c.h5") as store:
        with pytest.raises(ValueError, match="4 frames for the pose's 10 rows"), store.add("short") as group:
            write_body_crops(group, frames[:4], standing(10))

        def dying() -> Iterator[np.ndarray]:
            yield from frames[:4]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), store.add("killed") as group:
            write_body_crops(group, dying(), standing(10))
        assert store.names() == set()
        with store.add("whole") as group:
            assert write_body_crops(group, frames, standing(10)) == 10
    with h5py.File(tmp_path / "c.h5") as file:
        assert set(file) == {"whole"}


def hand_pose(frames: int) -> Pose:
    xy = np.full((frames, 50, 2), np.nan, np.float32)
    xy[:, 8:29] = np.array([60.0, 60.0]) + np.random.default_rng(0).normal(0, 8, (21, 2))
    confidence = np.zeros((frames, 50), np.float32)
    confidence[:, 8:29] = np.linspace(0.2, 1, frames)[:, None]
    return Pose(xy, confidence, "openpose-50", 25.0, (120, 120))


def test_hand_images_stream_in_blocks_and_can_be_replaced(tmp_path: Path) -> None:
    frames = (np.full((120, 120, 3), k % 250, np.uint8) for k in range(200))
    with GroupedHDF5(tmp_path / "h.h5") as store, store.add("v") as group:
        counts = write_hand_images(group, frames, hand_pose(200))
    assert counts == {"left": 150, "right": 0}
    with h5py.File(tmp_path / "h.h5") as file:
        left = file["v/left_hand"]
        assert left["images"].shape == (150, SIZE, SIZE, 3)
        np.testing.assert_array_equal(left["images"][:, 0, 0, 0], left["frames"][:] % 250)
        assert (left["confidences"][:] >= 0.4).all()
        assert left["images"].chunks[0] < 150
    size = store_size(tmp_path / "h.h5")
    assert size.images == 150
    assert size.seconds == 8.0
    assert size.hours_per_gigabyte == pytest.approx(8 / 3600 / size.stored * 1e9)
    with GroupedHDF5(tmp_path / "h.h5") as store, store.add("v") as group:
        again = write_hand_images(group, [np.zeros((120, 120, 3), np.uint8)] * 200, hand_pose(200), 0.9)
    assert again["left"] == 25
    assert store_size(tmp_path / "h.h5").images == 25


def test_confidences_are_given_per_signer(tmp_path: Path) -> None:
    with GroupedHDF5(tmp_path / "h.h5") as store:
        for video in ("a", "b"):
            with store.add(video) as group:
                write_hand_images(group, [np.zeros((120, 120, 3), np.uint8)] * 101, hand_pose(101))
    tracks = hand_confidences(tmp_path / "h.h5")
    assert hand_confidences(tmp_path / "none.h5") == {}
    rows = confidence_statistics({video: ("ann", track) for video, track in tracks.items()}, 0.6)
    left, right = rows
    assert (left["signer"], left["hand"], left["frames"], left["seen"]) == ("ann", "left", 202, 1.0)
    assert left["median"] == pytest.approx(0.6, abs=1e-6)
    assert left["kept"] == pytest.approx(51 / 101, abs=0.011)
    assert right["seen"] == 0
    assert np.isnan(float(right["mean"]))
    assert not says_nothing(rows)
    assert says_nothing(confidence_statistics({"a": ("ann", np.array([[1.0, 0.0], [1.0, 1.0]]))}))
    draw_confidence(tmp_path / "c.png", rows, 0.6)
    assert (tmp_path / "c.png").stat().st_size > 2000


@pytest.fixture(scope="module")
def corpus() -> list[LabelledPose]:
    world = SignWorld(seed=5, signs=4)
    clips = [(s, k, world.clip(s, signer=k).pose) for s in world.signs for k in range(6)]
    return [LabelledPose(f"{s.label}-{k}", s.label, f"signer-{k}", p) for s, k, p in clips if p is not None]


@pytest.mark.parametrize("distance", ["picture", "palm"])
def test_a_corpus_is_clustered_and_written(corpus: list[LabelledPose], distance: str, tmp_path: Path) -> None:
    found = cluster_corpus(corpus, distance, ClusterOptions(least=3), least=3)  # type: ignore[arg-type]
    assert len(found.samples) == len(found.within) == len(found.labels) > 8
    assert found.labels.max() >= 1
    signs = np.array([s.sign for s in found.samples])
    for k in range(int(found.within.max()) + 1):
        assert len(set(signs[found.within == k])) == 1
        assert (found.within == k).sum() > 1
    for k in range(int(found.labels.max()) + 1):
        assert (found.labels == k).sum() >= 3
    write_corpus_clusters(tmp_path / "c.h5", found)
    with h5py.File(tmp_path / "c.h5") as file:
        keys = {"hand_clusters", "index_to_representative", "hand_samples", "sign_hand_clusters"}
        assert set(file) == keys
        for k, cluster in file["hand_clusters"].items():
            for r in cluster[:]:
                stands = file["index_to_representative"]
                group = file["sign_hand_clusters"][stands["sign"].asstr()[r]]
                at = stands["row"][r]
                # what a representative stands for, and the representative itself, are the same hand
                assert group["samples"].asstr()[at] == file["hand_samples/samples"].asstr()[r]
                assert group["frames"][at] == file["hand_samples/frames"][r]
                assert at in group[f"clusters/{stands['cluster'][r]}"][:]
                assert found.labels[found.representatives[r]] == int(k)
        group = file["sign_hand_clusters"][found.samples[0].sign]
        seeds = set(zip(group["seeders/samples"].asstr()[:], group["seeders/frames"][:], strict=True))
        assert seeds
        assert seeds <= set(zip(group["samples"].asstr()[:], group["frames"][:], strict=True))
    again = read_corpus_clusters(tmp_path / "c.h5")
    assert tuple(again.samples) == found.samples
    np.testing.assert_array_equal(again.labels, found.labels)
    np.testing.assert_array_equal(again.joints, found.joints)
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a file of hand clusters"):
        read_corpus_clusters(tmp_path / "bad.h5")


def test_dominant_hands_are_found_per_signer(corpus: list[LabelledPose]) -> None:
    world = SignWorld(seed=5, signs=4)
    expected = {f"signer-{k}": "left" if world.signer(k).left_handed else "right" for k in range(6)}
    assert dominant_hands(corpus) == expected


def test_an_unknown_distance_is_named(corpus: list[LabelledPose]) -> None:
    with pytest.raises(ValueError, match="'round'"):
        cluster_corpus(corpus, "round")  # type: ignore[arg-type]


def test_pictures(corpus: list[LabelledPose], tmp_path: Path) -> None:
    pose = corpus[0].pose
    figure = stick_figure(pose, len(pose) // 2)
    assert figure.shape == (240, 240, 3)
    assert (figure < 200).any()
    strip = keyframe_strip(pose, np.arange(10), columns=8)
    assert strip.shape[0] == 2 * (160 + 18)
    assert strip.shape[1] == 8 * 160
    given = keyframe_strip(pose, np.array([3]), {3: np.full((80, 40, 3), 9, np.uint8)})
    assert given.shape == (178, 80, 3)
    assert given[50, 40, 0] == 9
    sheet = contact_sheet([hand_picture(np.random.default_rng(k).random((21, 2)), 70) for k in range(7)], ["x"] * 7, 5)
    assert sheet.shape == (2 * 88, 350, 3)
    write_picture(tmp_path / "s.png", sheet)
    draw_confusion(tmp_path / "m.png", {"t": (("a", "b"), np.array([[3, 1], [0, 2]]))})
    assert all((tmp_path / name).stat().st_size > 500 for name in ("s.png", "m.png"))
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([], [])
