"""The visual language embedding: training sets, training, a resumed corpus, and the way into the transformers."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Pose
from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.encoders.handshape import Handshape, HandshapeConfig
from embeddings.encoders.pose_transformer import VLE_SETTINGS, SemanticTransformer
from embeddings.phonology.handshapes.images import SIZE, write_hand_images
from embeddings.phonology.handshapes.network import embedding_tracks, evaluate_vle, predict_store
from embeddings.phonology.handshapes.network_data import HandImages, find_pictures, images_from_folder
from embeddings.phonology.semantic_vector import semantic_track
from embeddings.synthetic import SignWorld
from embeddings.training.recipes import read_recipe
from embeddings.training.sources import open_source
from embeddings.training.train import train
from eval.splits import read_split
from safe_files import GroupedHDF5

pytestmark = pytest.mark.usefixtures("one_thread")


def discs_and_bars(rng: np.random.Generator, count: int) -> HandImages:
    """Red discs and blue bars, which any network tells apart, of four signers."""
    images = rng.integers(0, 60, (count, SIZE, SIZE, 3)).astype(np.uint8)
    for k in range(count):
        place = int(rng.integers(30, 40))
        if k % 2:
            cv2.circle(images[k], (place, place), 28, (230, 60, 50), -1)
        else:
            cv2.rectangle(images[k], (2, place - 25), (68, place + 25), (40, 60, 230), -1)
    labels = tuple("disc" if k % 2 else "bar" for k in range(count))
    return HandImages(images, labels, tuple(f"s{k // 2 % 4}" for k in range(count)))


def test_a_folder_per_handshape(tmp_path: Path) -> None:
    data = discs_and_bars(np.random.default_rng(1), 6)
    for k in range(6):
        folder = tmp_path / data.labels[k]
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"{data.groups[k]}_{k}.png"), data.images[k][..., ::-1])
    found = images_from_folder(tmp_path)
    assert found.labels == ("bar",) * 3 + ("disc",) * 3
    assert set(found.groups) == set(data.groups)
    np.testing.assert_array_equal(found.images[0], data.images[0])
    (tmp_path / "bar" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        images_from_folder(tmp_path)
    with pytest.raises(ValueError, match="a folder per handshape"):
        images_from_folder(tmp_path / "nowhere")


def test_what_was_trained_is_tested(tmp_path: Path) -> None:
    data = discs_and_bars(np.random.default_rng(2), 48)
    for k in range(48):
        (tmp_path / "hands" / data.labels[k]).mkdir(parents=True, exist_ok=True)
        name = f"{data.groups[k]}_{k}.png"
        cv2.imwrite(str(tmp_path / "hands" / data.labels[k] / name), data.images[k][..., ::-1])
    changes = [
        "config.backbone=resnet18",
        "config.size=32",
        "batch.size=8",
        "optimiser.rate=0.003",
        "schedule.epochs=6",
    ]
    recipe = read_recipe("handshape-uwb", changes)
    result = train(recipe, tmp_path / "run", f"images:{tmp_path / 'hands'}", init="random")
    assert result.clips == (36, 12)  # one signer of four is held out
    assert result.progress.best > 0.7
    network = load_checkpoint(result.checkpoint)
    assert isinstance(network, Handshape)
    assert network.label_set == ("bar", "disc")
    held = [i for i in range(48) if f"{data.labels[i]}/{data.groups[i]}_{i}.png" in
            read_split(tmp_path / "run" / "split.json").validation]  # fmt: skip
    assert len({data.groups[i] for i in held}) == 1
    validation = HandImages(data.images[held], tuple(data.labels[i] for i in held), ("",) * len(held))
    accuracy, counts = evaluate_vle(network, validation)
    assert accuracy == pytest.approx(result.progress.best)  # the best epoch is kept
    assert counts.sum() == len(validation)
    assert counts.shape == (2, 2)
    other = HandImages(validation.images, ("fist",) * len(validation), validation.groups)
    with pytest.raises(ValueError, match="fist"):
        evaluate_vle(network, other)


def test_signers_of_pictures_are_told_by_name_or_folder(tmp_path: Path) -> None:
    for name in ("flat/ann_1.png", "flat/2.png", "flat/ben/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((9, 20, 3), np.uint8))
    found = [(path.name, label, signer) for path, label, signer in find_pictures(tmp_path)]
    assert found == [("2.png", "flat", ""), ("ann_1.png", "flat", "ann"), ("3.png", "flat", "ben")]
    items = open_source(f"images:{tmp_path}", ("hand",))
    assert [(item.label, item.signer) for item in items] == [("flat", ""), ("flat", "ann"), ("flat", "ben")]
    assert items[0].load().extra["hand"].shape == (1, SIZE, SIZE, 3)  # of whatever size they were
    (tmp_path / "flat" / "ben" / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "flat" / "ben" / "deep" / "4.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match="expected label/picture or label/signer/picture"):
        find_pictures(tmp_path)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Pose]]:
    """Hand images of three videos of noise, and their poses."""
    folder = tmp_path_factory.mktemp("vle")
    world, rng = SignWorld(seed=8, signs=3), np.random.default_rng(0)
    poses = {}
    for sign in world.signs:
        pose = world.clip(sign, skeleton="mediapipe-holistic").pose
        assert pose is not None
        poses[sign.label] = pose[20:40]
        width, height = pose.size
        picture = rng.integers(0, 255, (height, width, 3)).astype(np.uint8)
        with GroupedHDF5(folder / "hands.h5") as store, store.add(sign.label) as group:
            write_hand_images(group, [picture] * 20, poses[sign.label])
    return folder, poses


def network(seed: int = 0) -> Handshape:
    torch.manual_seed(seed)
    return Handshape(HandshapeConfig(classes=3, size=32)).eval()


def test_a_corpus_is_embedded_once(corpus: tuple[Path, dict[str, Pose]], tmp_path: Path) -> None:
    folder, poses = corpus
    store, model = tmp_path / "vle.h5", network()
    told: list[str] = []
    assert predict_store(model, folder / "hands.h5", store, tell=lambda video, count: told.append(video)) == 3
    assert sorted(told) == sorted(poses)
    video = told[0]
    with h5py.File(store, "a") as file, h5py.File(folder / "hands.h5") as hands:
        right = file[f"{video}/right_hand"]
        expected = model.embed_images(hands[f"{video}/right_hand/images"][:4])
        np.testing.assert_allclose(right["embeddings"][:4], expected, rtol=1e-4, atol=1e-5)
        mirrored = model.embed_images(np.ascontiguousarray(hands[f"{video}/left_hand/images"][:2][:, :, ::-1]))
        np.testing.assert_allclose(file[f"{video}/left_hand/embeddings"][:2], mirrored, rtol=1e-4, atol=1e-5)
        del file[video]
    assert predict_store(model, folder / "hands.h5", store) == 1  # only what is missing
    with pytest.raises(ValueError, match="encoder"):
        predict_store(network(1), folder / "hands.h5", store)
    tracks = embedding_tracks(store, video, 20)
    assert tracks.shape == (20, 2, 1280)
    with pytest.raises(ValueError, match="does not hold"):
        embedding_tracks(store, "nobody", 20)


@pytest.mark.parametrize("setting", ["large", "small", "small-no-position"])
def test_semantic_vectors_reach_the_transformers(
    setting: str, corpus: tuple[Path, dict[str, Pose]], tmp_path: Path
) -> None:
    """From a pose and its hand images to an embedding, with each published setting."""
    folder, poses = corpus
    store = folder / "end-to-end.h5"
    predict_store(network(), folder / "hands.h5", store)
    torch.manual_seed(0)
    transformer = SemanticTransformer(VLE_SETTINGS[setting]).eval()
    vectors = []
    for video, pose in poses.items():
        frames, values = semantic_track(pose, store, video)
        assert values.shape == (16, 2590)
        assert (np.diff(frames) >= 0).all()
        np.testing.assert_allclose(values[:, :15].sum(axis=1), 1, atol=1e-5)
        inputs = transformer.prepare(Clip(video, 25.0, extra={"semantic": values}))
        vectors.append(transformer.embed(inputs, np.array([[0, 16]])))
    rows = np.concatenate(vectors)
    assert rows.shape == (3, VLE_SETTINGS[setting].width)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert (rows @ rows.T)[np.triu_indices(3, 1)].max() < 0.99999
