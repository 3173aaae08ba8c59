"""The handshape classifier: published layers, enlarged images, learning drawn hands, its augmentation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from embeddings.clip import Clip
from embeddings.encoders.handshape import Handshape, HandshapeConfig, augment_hands
from tests.embeddings.encoders.overfitting import accuracy_after

SMALL = HandshapeConfig(classes=8, backbone="mobilenet_v3_small", size=48, dropout=0.0)


def drawn_hands(seed: int = 0, size: int = 70) -> np.ndarray:
    """Eight hand images (8, 70, 70, 3): a palm and those of three fingers that the bits of its number raise."""
    rng = np.random.default_rng(seed)
    images = []
    for number in range(8):
        image = np.full((size, size, 3), rng.integers(40, 120, 3), np.uint8)
        cv2.circle(image, (35, 48), 13, (200, 160, 130), -1)
        for finger in range(3):
            if number >> finger & 1:
                cv2.line(image, (26 + 9 * finger, 45), (22 + 13 * finger, 10), (210, 170, 140), 6)
        images.append(image)
    return np.stack(images)


def test_published_backbones() -> None:
    for backbone, width in (("mobilenet_v2", 1280), ("resnet18", 512)):
        with torch.device("meta"):
            encoder = Handshape(HandshapeConfig(backbone=backbone))
            out = encoder({"hand": torch.zeros(2, 1, 70, 70, 3)})
        assert encoder.dim == width
        assert out.logits is not None
        assert out.logits.shape == (2, 39)


def test_images_are_enlarged_to_224() -> None:
    encoder = Handshape(HandshapeConfig(backbone="mobilenet_v3_small")).eval()
    seen: list[torch.Size] = []
    encoder.cnn.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    encoder.embed_images(drawn_hands())
    assert seen == [(8, 3, 224, 224)]
    assert encoder.embed_images(drawn_hands()[:0]).shape == (0, encoder.dim)


def test_the_embedding_is_the_layer_before_the_classes() -> None:
    encoder = Handshape(SMALL).eval()
    images = torch.from_numpy(drawn_hands())
    out = encoder({"hand": images[:, None]})
    vle = encoder.vle(images)
    assert encoder.classifier is not None
    assert out.logits is not None
    torch.testing.assert_close(out.logits, encoder.classifier(vle))
    torch.testing.assert_close(out.embedding, F.normalize(vle, dim=1))
    np.testing.assert_allclose(encoder.embed_images(drawn_hands()), vle.detach().numpy(), atol=1e-5)


def test_learns_eight_drawn_hands() -> None:
    torch.manual_seed(0)
    encoder = Handshape(HandshapeConfig(classes=8, backbone="resnet18", size=32, dropout=0.0))
    inputs = {"hand": torch.from_numpy(drawn_hands())[:, None]}
    assert accuracy_after(encoder, inputs, steps=15, rate=1e-3) == 1.0


def test_clips_without_hands_are_named() -> None:
    hands = drawn_hands()
    prepared = Handshape(SMALL).prepare(Clip("c", 25.0, extra={"hand": hands}))
    np.testing.assert_array_equal(prepared["hand"], hands)
    with pytest.raises(ValueError, match="without: encoder 'handshape' needs"):
        Handshape(SMALL).prepare(Clip("without", 25.0))


def test_augmentation_is_seeded_and_mild() -> None:
    hands = drawn_hands()
    first, again = (augment_hands(hands, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == hands.shape
    assert first.dtype == np.uint8
    assert (first != hands).any(axis=(1, 2, 3)).all()
    shift = np.stack([augment_hands(hands, np.random.default_rng(s)) for s in range(20)]).mean((0, 2, 3, 4))
    np.testing.assert_allclose(shift, hands.mean((1, 2, 3)), atol=12)  # ±.1 of brightness evens out
    grey = np.full((1, 70, 70, 3), 128, np.uint8)
    values = np.concatenate([augment_hands(grey, np.random.default_rng(s)) for s in range(30)])
    levels = values.mean((1, 2, 3))
    assert 128 - 27 < levels.min() < 128 - 10 < 128 + 10 < levels.max() < 128 + 27
    assert augment_hands(hands[:0], np.random.default_rng(0)).shape == (0, 70, 70, 3)
