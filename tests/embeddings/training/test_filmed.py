"""Performances filmed for a batch: what a frontal camera sees, an estimator's errors, frame rates, and windows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.pose.features import body_hands
from embeddings.synthetic import Camera, SignWorld
from embeddings.training.batches import Draw
from embeddings.training.filmed import FilmedSet, performances
from embeddings.training.filming import POINTS, film, frame_rates, resampled
from embeddings.training.settings import Filming
from embeddings.training.signing import utterances

EXACT = Filming(
    yaw=0.0, pitch=0.0, roll=0.0, distances=(2.2, 2.2), slow=0.0, hand_size=0.0, severities=(0.0,), shaky=(0.0,),
    misplaced=0.0, cropped=0.0, mirror=0.0,
)  # fmt: skip
"""A frontal camera at the standard distance, and an estimator without errors."""
ITEMS = utterances(5, 4, 10, length=3, isolated=0.5)
SIGNS = sorted({sign for item in ITEMS for sign in item.labels()})
STRETCHES = performances(ITEMS, SIGNS)


def filmed(style: Filming, seed: int = 0, count: int = 1, rates: float = 1.0) -> np.ndarray:
    """The first item's performance, several times."""
    start, end = STRETCHES.clips[0]
    figures = torch.from_numpy(STRETCHES.features[start:end].astype(np.float32))[None].expand(count, -1, -1, -1)
    values: np.ndarray = film(figures, np.random.default_rng(seed), style, np.full(count, rates)).numpy()
    return values


def test_an_exact_film_is_what_the_procedural_world_films() -> None:
    world = SignWorld(5, 4)
    item = next(item for item in ITEMS if len(item.labels()) == 1)
    assert item.perform is not None
    performance = item.perform()
    exact = body_hands(Camera().project(performance.figure)).flat()
    start, end = STRETCHES.clips[ITEMS.index(item)]
    figures = torch.from_numpy(STRETCHES.features[start:end].astype(np.float32))[None]
    values = film(figures, np.random.default_rng(0), EXACT, np.ones(1))[0].numpy()
    np.testing.assert_allclose(values, exact, atol=2e-3)  # performances are kept in 16 bits
    assert performance.spans[0].label == f"5/{world.signs[int(performance.spans[0].label[-3:])].label}"


def test_spans_are_those_of_the_performances() -> None:
    for number, item in enumerate(ITEMS):
        assert item.perform is not None
        made, first = item.perform(), int(STRETCHES.clips[number, 0])
        rows = STRETCHES.spans[STRETCHES.spans[:, 3] == number]
        assert [(SIGNS[k], a - first, b - first) for k, a, b, _ in rows] == [
            (s.label, s.start, min(s.end, len(made))) for s in made.spans
        ]


def test_a_camera_to_the_left_sees_the_left_shoulder_nearer() -> None:
    """Positive yaw is on the signer's left: that arm looks longer, and the nose moves to the picture's left."""
    straight = filmed(EXACT)[0]
    turned = filmed(replace(EXACT, yaw=0.6), seed=3, count=40)
    shift = turned[:, :, 0].mean(axis=1) - straight[:, 0].mean()
    assert shift.std() > 0.05
    # the nose is before the shoulders: seen from the signer's left it lies on the picture's left, as the right shoulder
    nearer = np.hypot(*(turned[:, :, 6:8] - turned[:, :, 2:4]).mean(axis=1).T)  # the left upper arm
    further = np.hypot(*(turned[:, :, 8:10] - turned[:, :, 4:6]).mean(axis=1).T)
    assert np.corrcoef(shift, nearer - further)[0, 1] < -0.5


def test_a_mirrored_film_is_the_film_in_a_mirror() -> None:
    plain, mirrored = filmed(EXACT)[0], filmed(replace(EXACT, mirror=1.0))[0]
    np.testing.assert_allclose(mirrored[:, 0], -plain[:, 0], atol=1e-5)  # the nose
    np.testing.assert_allclose(mirrored[:, 10:12], plain[:, 12:14] * [-1, 1], atol=1e-5)  # left wrist, right wrist
    hands = plain[:, 14:98].reshape(-1, 2, 21, 2)
    np.testing.assert_allclose(mirrored[:, 14:98].reshape(-1, 2, 21, 2), hands[:, ::-1] * np.array([-1, 1]), atol=1e-5)


def bends(values: np.ndarray) -> np.ndarray:
    """(T, 2, 4) cosine of the last joint's bend of four fingers as the picture shows it."""
    fingers = values[:, 14:98].reshape(-1, 2, 21, 2)[:, :, 5:].reshape(-1, 2, 4, 4, 2)
    bones = np.diff(fingers[..., 1:, :], axis=-2)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    cosines: np.ndarray = (bones[..., 0, :] * bones[..., 1, :]).sum(axis=-1)
    return cosines


def test_fingers_whose_last_joint_seems_straight() -> None:
    plain, half, straight = (filmed(replace(EXACT, straightened=(a, a)))[0] for a in (0.0, 0.5, 1.0))
    assert bends(straight).min() > 0.98  # the camera is near: a straight line is one in its picture
    assert bends(plain).mean() < bends(half).mean() < bends(straight).mean()
    joints = np.array([j for j in range(21) if j not in (8, 12, 16, 20)])
    seen = [v[:, 14:98].reshape(-1, 2, 21, 2)[:, :, joints] for v in (plain, straight)]
    np.testing.assert_allclose(*seen, atol=1e-5)  # nothing but the fingers' tips moves


@pytest.mark.parametrize(("key", "value"), [("never_seen", 1.0), ("cropped", 1.0)])
def test_hands_that_are_not_seen(key: str, value: float) -> None:
    style = replace(EXACT, **{key: value}, edges=(0.0, 0.0))  # type: ignore[arg-type]
    values = filmed(style)[0]
    seen = values[:, 98:] > 0
    if key == "never_seen":
        assert not seen.any()
        assert not values[:, 14:98].any()
    else:
        high = values[:, [11, 13]] < -0.3  # wrists well above the neck
        assert seen[high].all()
        assert not seen[values[:, [11, 13]] > 0.4].any()


def test_errors_have_the_size_that_is_asked_for() -> None:
    """Jitter of .02 shoulder widths at level 1, whatever drifts and what is white; the level is log-normal."""
    style = replace(EXACT, severities=(1.0,), jitter=0.02, speed_jitter=0.0)
    errors = filmed(style, count=400)[..., :14] - filmed(EXACT)[..., :14]
    expected = 0.02 * math.exp(-0.2 + 0.7**2)  # root mean square of a log-normal
    assert np.sqrt((errors[..., 6:] ** 2).mean()) == pytest.approx(expected, rel=0.25)
    white = filmed(replace(style, tremble=(1.0, 1.0)), count=200)[..., 6:14] - filmed(EXACT)[..., 6:14]
    slow = filmed(replace(style, tremble=(0.0, 0.0)), count=200)[..., 6:14] - filmed(EXACT)[..., 6:14]
    assert np.diff(white, axis=1).std() > 3 * np.diff(slow, axis=1).std()


def test_slow_cameras_give_what_lies_between_their_frames() -> None:
    """Frame i of a camera of half the rate is at T/2 + 2 (i − T/2): a coordinate that counts frames stays a ramp."""
    frames = 20
    ramp = torch.arange(frames, dtype=torch.float32)[None, :, None, None].expand(1, frames, POINTS, 2)
    seen = torch.ones(1, frames, 2, dtype=torch.bool)
    points, still = resampled(ramp, seen, np.array([0.5]))
    np.testing.assert_allclose(points[0, :, 0, 0], 5 + np.arange(frames) / 2, atol=1e-5)
    assert bool(still.all())
    seen[0, 6] = False  # the ninth and tenth frames' later neighbour and the eleventh's
    points, still = resampled(ramp, seen, np.array([0.5]))
    assert bool(still[0, 1].all())  # at 5.5: frame 5 shows it
    np.testing.assert_allclose(points[0, 1, 7:, 0], 5.0)
    np.testing.assert_allclose(points[0, 1, :7, 0], 5.5)  # the body is seen
    assert not still[0, 2].any()  # at 6 exactly
    np.testing.assert_allclose(points[0, 3, 7:, 0], 7.0)


def test_frame_rates_are_drawn_as_asked() -> None:
    rates = frame_rates(4000, Filming(slow=0.25, rates=(0.4, 0.8)), np.random.default_rng(0))
    assert (rates < 1).mean() == pytest.approx(0.25, abs=0.03)
    assert rates.min() > 0.4
    assert np.median(rates[rates < 1]) == pytest.approx(math.sqrt(0.32), abs=0.03)


def made(style: Filming, jitter: float = 0.0, tempo: float = 0.0, context: int = 40) -> FilmedSet:
    network = SignTCN(SignTCNConfig(hand_width=8, width=16, dim=16))
    classes = {sign: k for k, sign in enumerate(SIGNS)}
    return FilmedSet(STRETCHES, ITEMS, network, SIGNS, classes, context, jitter, tempo, style)


def test_a_batch_follows_from_its_draw_and_is_filmed_anew_each_time() -> None:
    data, draw = made(Filming(loose=0.5), 0.1, 0.3), Draw(4, 9, 0, np.array([0, 2, 1]), background=2)
    one, again, other = data.batch(draw), data.batch(draw), data.batch(draw._replace(number=10))
    assert torch.equal(one["pose"], again["pose"])
    assert one["pose"].shape == (5, 40, 100)
    assert one["label"].tolist() == [*STRETCHES.spans[[0, 2, 1], 0].tolist(), -1, -1]
    assert not torch.equal(one["pose"][0], other["pose"][0])
    assert torch.equal(data.exact(np.array([0, 1]))["pose"], data.exact(np.array([0, 1]))["pose"])


def test_a_window_holds_its_sign_and_a_long_one_is_played_faster() -> None:
    """Without errors the samples of a window are those of the exact film at the same places."""
    row = int(np.argmax(STRETCHES.spans[:, 2] - STRETCHES.spans[:, 1]))
    _, start, end, clip = STRETCHES.spans[row].tolist()
    first, last = STRETCHES.clips[clip].tolist()
    figures = torch.from_numpy(STRETCHES.features[first:last].astype(np.float32))[None]
    whole = film(figures, np.random.default_rng(0), EXACT, np.ones(1))[0, :, 12:14].numpy()
    for context in (end - start + 20, max(8, (end - start) // 2)):
        batch = made(EXACT, context=context).batch(Draw(0, 0, 0, np.array([row])))
        places = batch["positions"][0].numpy()
        assert places.max() - places.min() < context
        wrist = batch["pose"][0, :, 12:14].numpy()
        seen = np.stack([np.interp(places, np.arange(context), axis) for axis in wrist.T], axis=1)
        true = start - first + (np.arange(16) + 0.5) / 16 * (end - start) - 0.5
        there = np.stack([np.interp(true, np.arange(len(whole)), axis) for axis in whole.T], axis=1)
        # the middle of the body is that of other frames
        np.testing.assert_allclose(np.ptp(seen, axis=0), np.ptp(there, axis=0), atol=0.06)


def test_loose_windows_reach_towards_rest_around_single_signs_alone() -> None:
    data = made(Filming(loose=1.0))
    windows, clips = STRETCHES.spans[:, 1:3].astype(float), STRETCHES.spans[:, 3]
    wider = data._loosened(windows, clips, np.random.default_rng(0))
    alone = np.array([len(ITEMS[clip].labels()) == 1 for clip in clips])
    assert alone.any()
    np.testing.assert_array_equal(wider[~alone], windows[~alone])
    assert (wider[alone, 0] < windows[alone, 0]).all()
    assert (wider[alone, 1] > windows[alone, 1]).all()
    assert (wider[alone, 0] >= STRETCHES.clips[clips[alone], 0]).all()


def test_recordings_and_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="a recording cannot be filmed anew"):
        performances([replace(ITEMS[0], perform=None)], SIGNS)
