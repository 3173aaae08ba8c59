"""Windows of clips: positions by hand, randomness that follows from the place, sources by one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Span
from embeddings.encoders.spoter import Spoter, SpoterConfig, landmark_names
from embeddings.pose import write_pose
from embeddings.pose.formats.spoter_csv import write_spoter_csv
from embeddings.pose.formats.store import write_store
from embeddings.recordings import read_recording
from embeddings.synthetic import SignWorld
from embeddings.training.items import Item, Sampling
from embeddings.training.settings import Augmentation, DataPart
from embeddings.training.sources import DataError, open_source
from embeddings.training.splits import split_items
from embeddings.training.windows import Place, WindowSet, stack, take
from eval.splits import LeakError

WORLD = SignWorld(5, signs=3)


def windows(kind: str = "none", **sampling: object) -> WindowSet:
    encoder = Spoter(SpoterConfig(layers=1, inner=8, window=8, classes=3))
    items = open_source("procedural:5?signs=3&signers=0-1", encoder.required_inputs)
    classes = {sign.label: i for i, sign in enumerate(WORLD.signs)}
    return WindowSet(items, encoder, Sampling(**sampling), Augmentation(kind), classes)  # type: ignore[arg-type]


def test_positions_by_hand() -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(Sampling().positions(0, 16, 16), np.arange(16))
    np.testing.assert_allclose(Sampling().positions(10, 18, 4), [10.5, 12.5, 14.5, 16.5])
    centre = Sampling(sampling="centre", stride=2)
    np.testing.assert_array_equal(centre.positions(0, 40, 16, rng), 4 + 2 * np.arange(16))
    run = Sampling(sampling="contiguous")
    np.testing.assert_array_equal(run.positions(0, 20, 16), 2 + np.arange(16))
    np.testing.assert_array_equal(run.positions(5, 10, 8), [5, 6, 7, 8, 9, 5, 6, 7])  # looped when short
    starts = {int(run.positions(0, 20, 16, np.random.default_rng(k))[0]) for k in range(60)}
    assert starts == set(range(5))
    np.testing.assert_array_equal(Sampling(sampling="all").positions(3, 7, 99), [3, 4, 5, 6])


def test_jitter_moves_the_ends_and_keeps_the_order() -> None:
    drawn = [Sampling(jitter=0.1, warp=0.3).positions(0, 50, 16, np.random.default_rng(k)) for k in range(200)]
    assert all((np.diff(p) > 0).all() for p in drawn)
    starts = np.array([p[0] for p in drawn])
    assert 3 < starts.std() < 8  # about a tenth of fifty frames


def test_pictures_are_taken_by_the_nearest_frame_and_numbers_blended() -> None:
    values = np.arange(5, dtype=np.float32)[:, None]
    np.testing.assert_allclose(take(values, np.array([0.25, 3.5, 9.0]))[:, 0], [0.25, 3.5, 4.0])
    pictures = np.arange(5, dtype=np.uint8)[:, None]
    np.testing.assert_array_equal(take(pictures, np.array([0.5, 0.51, 9.0]))[:, 0], [0, 1, 4])


@pytest.mark.parametrize("kind", ["none", "mirror", "pose", "spoter"])
def test_a_place_always_gives_the_same_window(kind: str) -> None:
    first, second = (windows(kind, jitter=0.1) for _ in range(2))
    place = Place(1, 5, 2, 3)
    second[Place(1, 6, 2, 3)]
    torch.testing.assert_close(first[place]["pose"], second[place]["pose"], rtol=0, atol=0)
    assert not torch.equal(first[place]["pose"], first[Place(1, 6, 2, 3)]["pose"])
    assert not torch.equal(first[place]["pose"], first[Place(1, 5, 3, 3)]["pose"])
    assert first[place]["label"] == 0


def test_spoters_noise_comes_after_normalisation() -> None:
    """A standard deviation of .001 on the values of hands and body alike; before it, the hands' would be some .02."""
    data = windows("spoter", jitter=0.0)
    data.augmentation = replace(data.augmentation, probability=0.0)
    hands = np.array([name.startswith(("left_hand", "right_hand")) for name in landmark_names("spoter-54")]).repeat(2)
    places = [Place(1, number, 0, item) for number in range(10) for item in range(len(data))]
    noise = torch.cat([data[place]["pose"] - data.plain(place.item)["pose"] for place in places]).numpy()
    for part in (hands, ~hands):
        assert noise[:, part].std() == pytest.approx(0.001, rel=0.1)
    data.augmentation = replace(data.augmentation, noise=0.0)
    torch.testing.assert_close(data[places[0]]["pose"], data.plain(0)["pose"])


def test_a_plain_window_is_what_the_encoder_would_cut_itself() -> None:
    data = windows(cut="span")
    clip = data.items[4].load()
    assert clip.pose is not None
    clip = replace(clip, pose=clip.pose.to("spoter-54"))
    span = np.array([[clip.spans[0].start, clip.spans[0].end]], float)
    wanted = next(data.encoder.batches(data.encoder.prepare(clip), span, 1))["pose"][0]
    torch.testing.assert_close(data.plain(4)["pose"], wanted)
    whole = windows(cut="clip").plain(4)["pose"]
    assert not torch.equal(whole, wanted)


def test_splits_of_a_table_of_labels_count_and_a_test_row_is_not_trained_on(tmp_path: Path) -> None:
    poses = {f"clip-{k}": WORLD.clip(k % 2).pose for k in range(5)}
    write_store(tmp_path / "poses.h5", poses)  # type: ignore[arg-type]
    splits = ["train", "train", "validation", "test", ""]
    rows = [f"clip-{k},sign-{k % 2},{split}" for k, split in enumerate(splits)]
    (tmp_path / "labels.csv").write_text("\n".join(["sample,label,split", *rows]))
    items = open_source(f"{tmp_path}/poses.h5?labels={tmp_path}/labels.csv", ("pose",))
    assert [item.split for item in items] == splits
    training, validation, _ = split_items(items, DataPart(), 0)
    assert [item.id for item in training] == ["clip-0", "clip-1", "clip-4"]
    assert [item.id for item in validation] == ["clip-2"]


def test_nothing_is_kept_beyond_the_budget() -> None:
    data = windows()
    data.budget = 0
    first = data.plain(1)["pose"]
    assert not data._clips
    assert not data._inputs
    torch.testing.assert_close(data.plain(1)["pose"], first)
    assert stack([data.plain(0), data.plain(1)])["pose"].shape == (2, 8, 108)


def test_every_signer_performs_every_sign_and_others_perform_the_same_signs() -> None:
    items = open_source("procedural:5?signs=3&signers=0-1&takes=2", ("pose",))
    assert len(items) == len({i.id for i in items}) == 12
    assert {i.signer for i in items} == {"signer-5-0", "signer-5-1"}
    one, again, other = items[0].load(), items[0].load(), open_source("procedural:5?signs=3&signers=9", ("pose",))
    assert one.pose is not None
    assert again.pose is not None
    np.testing.assert_array_equal(one.pose.xy, again.pose.xy)
    assert [i.label for i in other] == ["sign-000", "sign-001", "sign-002"]
    assert [i.label for i in open_source("procedural:5?signs=3&signers=0&only=1-2", ("pose",))] == [
        "sign-001", "sign-002",
    ]  # fmt: skip
    assert "rotations" in open_source("procedural:5?signs=1&signers=0", ("rotations",))[0].load().extra


def test_procedural_clips_are_filmed_for_networks_that_look() -> None:
    item = open_source("procedural:5?signs=1&signers=0&side=32", ("frames",))[0]
    clip = item.load()
    assert clip.frames is not None
    assert max(clip.frames.shape[1:3]) == 32
    assert len(clip.frames) == len(clip)


def test_sources_of_recordings(tmp_path: Path) -> None:
    pose = WORLD.clip(0).pose
    assert pose is not None
    for label in ("A", "B"):
        for k in range(2):
            write_pose(tmp_path / "clips" / label / f"{k}.pose", pose)
    folder = open_source(str(tmp_path / "clips"), ("pose",))
    assert [(i.id, i.label) for i in folder] == [("A/0", "A"), ("A/1", "A"), ("B/0", "B"), ("B/1", "B")]
    assert len(folder[0].load()) == len(pose)
    rows = ["path,label,signer,split,start,end", "clips/A/0.pose,A,ann,train,,",
            "clips/A/1.pose,A,ben,validation,0.4,0.8", "clips/gone.pose,B,ben,train,,"]  # fmt: skip
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    with pytest.warns(UserWarning, match=r"1 of 3 clips are not in .*clips/gone.pose"):
        items = open_source(f"{tmp_path}/manifest.csv?media={tmp_path}", ("pose",))
    assert [(i.label, i.signer, i.split) for i in items] == [("A", "ann", "train"), ("A", "ben", "validation")]
    assert len(items[1].load()) == 10
    write_store(tmp_path / "p.h5", {"HOUSE~ann": pose, "HOUSE~ben": pose, "TREE~ann": pose})
    assert [i.label for i in open_source(str(tmp_path / "p.h5"), ("pose",))] == ["HOUSE", "HOUSE", "TREE"]
    (tmp_path / "l.csv").write_text("sample,label,signer\nHOUSE~ann,home,ann\n")
    (item,) = open_source(f"{tmp_path}/p.h5?labels={tmp_path}/l.csv", ("pose",))
    assert (item.label, item.signer) == ("home", "ann")
    write_spoter_csv(tmp_path / "s.csv", [(pose, "1"), (pose, "2")])
    both = open_source(f"spoter-csv:{tmp_path}/s.csv?validation=spoter-csv:{tmp_path}/s.csv", ("pose",))
    assert [(i.label, i.split) for i in both] == [(k, s) for s in ("train", "validation") for k in "12"]


def test_arrays_of_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "k.npz", semantic=np.ones((16, 2590), np.float32), fps=12.5)
    clip = read_recording(tmp_path / "k.npz", ("semantic",))
    assert (clip.fps, len(clip), clip.extra["semantic"].shape) == (12.5, 16, (16, 2590))
    assert len(read_recording(tmp_path / "k.npz", ("semantic",), start=0.4, end=0.8)) == 5
    np.savez(tmp_path / "b.npz", a=np.ones(3), b=np.ones(4))
    with pytest.raises(ValueError, match=r"\[3, 4\] rows"):
        read_recording(tmp_path / "b.npz", ("a",))
    (tmp_path / "c.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"not a readable \.npz"):
        read_recording(tmp_path / "c.npz", ("a",))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("procedural:x?signs=4", "expected e.g. procedural:7"),
        ("procedural:5?signers=a", "signers is 'a'; expected first-last"),
        ("procedural:5?signs=two", "signs is 'two'; expected a whole number"),
        ("depth:7?videos=3", "say where these are to be kept"),
        ("clusters:c.h5", "needs the hand images"),
        ("procedural:5?hands=4", "hands is not known"),
        ("nowhere/", "no such file or folder"),
    ],
)
def test_what_is_wrong_with_a_source_is_named(source: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_source(source, ("pose",))
    with pytest.raises(ValueError, match="a folder per handshape"):
        open_source("images:nowhere", ("hand",))


def items(rows: list[tuple[str, str, str, str]]) -> list[Item]:
    clip = Clip("x", 25.0, spans=(Span("x", 0, 1),))
    return [Item(i, label, lambda: clip, signer, split) for i, label, signer, split in rows]


def test_the_test_split_is_never_touched_and_leaks_are_refused() -> None:
    given = items([("a", "X", "ann", "train"), ("b", "X", "ben", "validation"), ("c", "X", "cat", "test")])
    train, held, _ = split_items(given, DataPart(), 0)
    assert [i.id for i in train] == ["a"]
    assert [i.id for i in held] == ["b"]
    leaking = items([("a", "X", "ann", "train"), ("b", "X", "ann", "validation")])
    with pytest.raises(LeakError, match="ann"):
        split_items(leaking, DataPart(), 0)
    assert len(split_items(leaking, DataPart(leaks="signers"), 0)[1]) == 1
    everything, nothing, _ = split_items(leaking, DataPart(validation=0.0), 0)
    assert len(everything) == 2
    assert not nothing


def test_without_splits_the_signers_are_divided_and_without_signers_it_is_said() -> None:
    rows = [(f"{s}-{k}", f"L{k}", f"s{s}", "") for s in range(5) for k in range(3)]
    train, held, split = split_items(items(rows), DataPart(), 0)
    assert {i.signer for i in train}.isdisjoint({i.signer for i in held})
    assert len(held) == 3
    assert split_items(items(rows[::-1]), DataPart(), 0)[2].hash == split.hash
    with pytest.warns(UserWarning, match="signers are not known"):
        train, held, _ = split_items(items([(i, label, "", "") for i, label, _, _ in rows]), DataPart(), 0)
    assert {i.label for i in train} == {i.label for i in held} == {"L0", "L1", "L2"}


def test_a_clip_in_a_mirror_is_prepared_once() -> None:
    data = windows("mirror")
    data.augmentation = replace(data.augmentation, mirror=1.0)
    clip = data.items[2].load()
    assert clip.pose is not None
    wanted = data.encoder.prepare(replace(clip, pose=clip.pose.to("spoter-54").mirrored()))["pose"]
    np.testing.assert_allclose(data.inputs(2, True)["pose"], wanted)
    kept = data.inputs(2, True)
    data[Place(0, 0, 0, 2)]
    assert data.inputs(2, True) is kept
    assert list(data._inputs) == [(2, True)]


def test_pictures_are_cropped_alike_and_outside_training_from_the_middle() -> None:
    from embeddings.encoders.vtn import VTNHC, VTNConfig

    from ..encoders.overfitting import eight_films

    encoder = VTNHC(VTNConfig(classes=2, backbone="resnet18", layers=1, window=4, size=32))
    film = eight_films(64)[0]
    item = Item("x", "A", lambda: film)
    sampling = Sampling(cut="clip", sampling="centre", stride=2)
    data = WindowSet([item], encoder, sampling, Augmentation("frames"), {"A": 0})
    first, second = data[Place(0, 1, 0, 0)], data[Place(0, 2, 0, 0)]
    assert {k: tuple(v.shape) for k, v in first.items() if k != "label"} == {
        "left_hand": (4, 32, 32, 3), "right_hand": (4, 32, 32, 3),
    }  # fmt: skip
    assert any(not torch.equal(first[k], second[k]) for k in ("left_hand", "right_hand"))
    wanted = encoder.prepare(film)
    start = (len(film) - 7) // 2
    np.testing.assert_array_equal(data.plain(0)["left_hand"].numpy(), wanted["left_hand"][start : start + 8 : 2])
    assert data.inputs(0)["left_hand"].shape[1] > 32  # the margin that crops need


def test_landmark_packs_are_seen_right_handed_and_trimmed(tmp_path: Path) -> None:
    """One sign by a right-hander and, in a mirror, by a left-hander; rest is no sign."""
    from embeddings.handedness import left_share

    clip = next(c for c in (WORLD.clip(k, signer=0) for k in range(3)) if left_share(c.pose) < 0.3)  # type: ignore[arg-type]
    assert clip.pose is not None
    packed = []
    for pose in (clip.pose, clip.pose.mirrored(), clip.pose):
        values = np.zeros((len(pose), 75, 4), np.float16)
        values[..., :2] = np.nan_to_num(pose.xy / np.array(pose.size))
        values[..., 3] = 1
        packed.append(values)
    folder = tmp_path / "asl"
    folder.mkdir()
    np.savez(
        folder / "one.npz", frames=np.concatenate(packed), offsets=np.cumsum([0, *map(len, packed)]),
        label=np.array(["HOUSE", "HOUSE", "<idle>"]), signer=np.array(["ann", "ben", "ben"]),
        seq_id=np.array(["1", "2", "3"]),
    )  # fmt: skip
    items = open_source(f"landmarks:{folder}/one.npz?width=1600", ("pose",))
    assert [(i.id, i.label, i.signer) for i in items] == [("one/1", "asl:HOUSE", "ann"), ("one/2", "asl:HOUSE", "ben")]
    clips = [item.load() for item in items]
    for loaded in clips:
        assert loaded.pose is not None
        assert loaded.pose.size == (1600, 1000)
        assert left_share(loaded.pose) < 0.5
        (span,) = loaded.spans
        assert span.label == "asl:HOUSE"
        truth = clip.spans[0]
        assert 0 < span.start < span.end < len(loaded)
        assert min(span.end, truth.end) - max(span.start, truth.start) > 0.6 * (truth.end - truth.start)
