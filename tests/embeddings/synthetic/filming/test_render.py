"""The rendered signer: what is painted where the joints are, what covers what, and whether MediaPipe follows it."""

from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest

from embeddings.synthetic import HANDSHAPES, Camera, Draws, Figure, SignWorld, figure_index
from embeddings.synthetic.filming.look import SKIN_TONES, Look, random_look
from embeddings.synthetic.filming.render import render_frames, render_video
from embeddings.synthetic.filming.surface import ellipsoid, round_cone, smooth_union, surface
from embeddings.synthetic.signing.kinematics import hand_points

PLAIN = Look(noise=0.0, blur=0.0, texture=0.0, ambient=0.9, background=(20, 160, 60), clothes=(30, 40, 150))
CAMERA = Camera(size=(384, 384), focal=700)
OPEN = HANDSHAPES["5"].radians


@pytest.fixture(scope="module")
def standing() -> np.ndarray:
    """(64, 3) joints with the arms down."""
    return SignWorld(1, 1).perform([None]).figure.xyz[0].astype(float)


def with_hand(
    joints: np.ndarray, side: str, wrist: tuple[float, float, float], angles: np.ndarray = OPEN, back: bool = False
) -> Figure:
    """One frame of a hand held upright before the camera, palm (or back) towards it, forearm below."""
    outwards = 1.0 if side == "left" else -1.0
    facing = -1.0 if back else 1.0
    frame = np.array([[-outwards * facing, 0, 0], [0, 1, 0], [0, 0, facing]])
    posed = joints.copy()
    first = figure_index(f"{side}_hand_wrist")
    posed[first : first + 21] = np.array(wrist) + hand_points(angles, 0.19) @ frame
    posed[figure_index(f"{side}_wrist")] = wrist
    posed[figure_index(f"{side}_elbow")] = np.array(wrist) - (0, 0.25, 0.06)
    return Figure(posed[None].astype(np.float32), 25.0)


def picture(figure: Figure, look: Look = PLAIN, camera: Camera = CAMERA) -> np.ndarray:
    return next(render_frames(figure, look, camera)).astype(int)


def at(image: np.ndarray, point: np.ndarray, camera: Camera = CAMERA) -> np.ndarray:
    x, y = np.round(camera.points(point)[:2]).astype(int)
    return np.asarray(image[y, x])


def is_skin(colour: np.ndarray) -> np.ndarray:
    """Redder than green than blue, as no cloth and no wall of `PLAIN` is."""
    return np.asarray((colour[..., 0] > colour[..., 1] + 8) & (colour[..., 1] > colour[..., 2] + 4))


def hand_of(figure: Figure, side: str) -> np.ndarray:
    first = figure_index(f"{side}_hand_wrist")
    return figure.xyz[0, first : first + 21].astype(float)


def test_frames_have_the_cameras_size_and_are_the_same_each_time() -> None:
    figure = SignWorld(2, 3).perform(0).figure
    camera = Camera(size=(200, 160), focal=330)
    look = random_look(Draws(4))
    first, second = (list(islice(render_frames(figure, look, camera), 18)) for _ in range(2))
    assert all(f.shape == (160, 200, 3) and f.dtype == np.uint8 for f in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], next(render_frames(figure, look, camera, seed=5)))


def test_a_frame_does_not_depend_on_those_before_it_but_for_noise() -> None:
    figure = SignWorld(2, 3).perform(1).figure
    camera = Camera(size=(160, 160), focal=290)
    all_of_them = list(islice(render_frames(figure, PLAIN, camera), 20))
    late = next(render_frames(Figure(figure.xyz[19:20], 25.0), PLAIN, camera))
    assert np.array_equal(all_of_them[19], late)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("shape", ["5", "B-open", "S", "index", "V", "Y", "W", "C", "O", "F"])
def test_every_joint_of_a_hand_lies_on_painted_skin(standing: np.ndarray, side: str, back: bool, shape: str) -> None:
    wrist = (0.42 if side == "left" else -0.42, 0.05, 0.25)
    figure = with_hand(standing, side, wrist, HANDSHAPES[shape].radians, back)
    # a camera close to the hand, the wall behind it
    camera = Camera(size=(300, 300), focal=1300, target=(wrist[0], 0.13, 0.25), distance=1.6)
    skin = is_skin(picture(figure, camera=camera))
    for point in camera.points(hand_of(figure, side)):
        x, y = np.round(point[:2]).astype(int)
        assert skin[y - 2 : y + 3, x - 2 : x + 3].any()


def test_spread_fingers_show_the_wall_between_them_and_closed_ones_hardly(standing: np.ndarray) -> None:
    camera = Camera(size=(300, 300), focal=1300, target=(0.42, 0.13, 0.25), distance=1.6)
    gaps = {}
    for shape in ("5", "B-open"):
        figure = with_hand(standing, "left", (0.42, 0.05, 0.25), HANDSHAPES[shape].radians)
        skin = is_skin(picture(figure, camera=camera))
        joints = camera.points(hand_of(figure, "left")[[7, 11, 15, 19]])[:, :2]
        line = np.concatenate([np.linspace(a, b, 40) for a, b in pairwise(joints)]).round().astype(int)
        gaps[shape] = np.mean(~skin[line[:, 1], line[:, 0]])
    assert gaps["5"] > 0.4
    assert gaps["B-open"] < 0.25


def test_the_signers_left_hand_is_on_the_right_of_the_picture(standing: np.ndarray) -> None:
    raised = is_skin(picture(with_hand(standing, "left", (0.36, 0.15, 0.2))))
    assert (
        raised[:200, 220:].sum()
        > 2 * is_skin(picture(with_hand(standing, "left", (0.36, -0.6, 0.2))))[:200, 220:].sum()
    )
    assert raised[:150, 250:].sum() > 300
    assert raised[:150, :130].sum() == 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_before_the_trunk_covers_it_and_one_behind_is_covered(standing: np.ndarray, side: str) -> None:
    x = 0.05 if side == "left" else -0.05
    before, behind = (with_hand(standing, side, (x, -0.3, z)) for z in (0.25, -0.3))
    palm = hand_of(before, side)[[0, 5, 9, 13, 17]].mean(axis=0)
    assert is_skin(at(picture(before), palm))
    hidden = at(picture(behind), hand_of(behind, side)[[0, 5, 9, 13, 17]].mean(axis=0))
    assert hidden[2] > 1.5 * hidden[0]  # the blue shirt


def test_a_hand_before_the_face_covers_the_eyes(standing: np.ndarray) -> None:
    figure = with_hand(standing, "right", (-0.03, 0.10, 0.20), HANDSHAPES["B-open"].radians)
    clear = picture(Figure(standing[None].astype(np.float32), 25.0))
    eye = CAMERA.points(standing[figure_index("right_eye")])[:2].round().astype(int)
    around = slice(eye[1] - 2, eye[1] + 3), slice(eye[0] - 2, eye[0] + 3)
    assert clear[around].min() < 70  # pupil
    assert picture(figure)[around].min() > 70
    assert is_skin(picture(figure)[around]).all()


def test_the_look_decides_the_colours(standing: np.ndarray) -> None:
    figure = with_hand(standing, "right", (-0.36, 0.1, 0.2))
    palm = hand_of(figure, "right")[[0, 5, 9, 13, 17]].mean(axis=0)
    pale, dark = (at(picture(figure, replace(PLAIN, skin=tone)), palm) for tone in (SKIN_TONES[0], SKIN_TONES[-1]))
    assert (pale > dark + 60).all()
    chest = np.array([0.0, -0.25, 0.1])
    for clothes in ((200, 30, 30), (30, 40, 150)):
        shown = at(picture(figure, replace(PLAIN, clothes=clothes)), chest)
        assert shown.argmax() == np.argmax(clothes)
    corner = picture(figure, replace(PLAIN, background=(10, 20, 200)))[5, 5]
    assert corner[2] > 120 > corner[0]
    bare = is_skin(picture(figure, replace(PLAIN, sleeve="short"))).sum()
    assert bare > 1.3 * is_skin(picture(figure, replace(PLAIN, sleeve="long"))).sum()


def test_looks_differ_and_follow_from_the_generator() -> None:
    looks = [random_look(Draws(i)) for i in range(20)]
    assert looks == [random_look(Draws(i)) for i in range(20)]
    assert len({look.skin for look in looks}) == 20
    assert len({look.hair_style for look in looks}) > 2
    for look in looks:
        assert np.abs(np.subtract(look.background, look.skin)).sum() > 60


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sleeve", "bell", "sleeve 'bell'"),
        ("hair_style", "punk", "'punk'"),
        ("ambient", 1.5, "1.5"),
        ("gain", 0.0, "gain"),
    ],
)
def test_an_impossible_look_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Look(), **{field: value})


def test_a_video_holds_the_pictures(tmp_path, standing: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    from embeddings.video import read_frames

    figure = Figure(SignWorld(2, 3).perform(0).figure.xyz[20:32], 12.5)
    camera = Camera(size=(256, 192), focal=350)
    path = render_video(tmp_path / "sign.mp4", figure, PLAIN, camera, crf=14)
    decoded = list(read_frames(path))
    drawn = list(render_frames(figure, PLAIN, camera))
    assert [round(seconds, 3) for seconds, _ in decoded] == [round(i / 12.5, 3) for i in range(12)]
    for (_, frame), original in zip(decoded, drawn, strict=True):
        assert np.abs(frame.astype(int) - original).mean() < 4


def test_a_ball_becomes_a_closed_skin_of_quads_that_face_outwards() -> None:
    ball = surface(lambda p: np.linalg.norm(p, axis=1) - 0.05, (-0.06,) * 3, (0.06,) * 3, 0.008)
    assert np.allclose(np.linalg.norm(ball.vertices, axis=1), 0.05, atol=2e-4)
    edges = np.stack([ball.quads, np.roll(ball.quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    there, back = {tuple(e) for e in edges.tolist()}, {tuple(e) for e in edges[:, ::-1].tolist()}
    assert len(there) == len(edges)
    assert there == back  # every edge is walked once in each direction
    a, b, c, d = (ball.vertices[ball.quads[:, i]] for i in range(4))
    assert (np.einsum("qi,qi->q", np.cross(c - a, d - b), ball.centres) > 0).all()
    assert len(ball.vertices) - len(edges) / 2 + len(ball.quads) == 2  # Euler


def test_distances_of_the_simple_shapes() -> None:
    a, b = np.zeros(3), np.array([0.0, 0.1, 0.0])
    points = np.array([[0.03, 0.0, 0.0], [0.0, 0.15, 0.0], [0.03, 0.05, 0.0]])
    assert np.allclose(round_cone(points, a, b, 0.01, 0.02), [0.02, 0.03, 0.015])
    surface_points = np.array([[0.1, 0, 0], [0, 0.2, 0], [0, 0, 0.3]])
    assert np.allclose(ellipsoid(surface_points, a, np.array([0.1, 0.2, 0.3])), 0, atol=1e-9)
    apart = smooth_union([np.array([0.0]), np.array([1.0])], 0.01)
    assert np.allclose(apart, 0.0, atol=1e-9)
    assert smooth_union([np.array([0.0]), np.array([0.0])], 0.01) == pytest.approx(-0.01 * np.log(2))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("holistic", 0.95), ("mediapipe", 0.85)])
def test_estimators_follow_the_signer(name: str, least: float) -> None:
    from embeddings.pose.estimate import make_estimator

    if name == "mediapipe":
        pytest.importorskip("mediapipe")
    world = SignWorld(5, 40)
    body, hands, off = [], [], []
    for clip in (1, 2, 3):
        rng = Draws(clip)
        figure = world.perform(rng.choice(40, 3), clip, 15.0).figure
        part = Figure(figure.xyz[10:40], 15.0)
        camera = Camera(yaw=0.15 * (clip - 3))
        truth = camera.project(part).xy
        up = np.stack([part.xyz[:, figure_index(f"{s}_wrist"), 1] > -0.3 for s in ("left", "right")], axis=1)
        estimator = make_estimator(name)
        for i, frame in enumerate(render_frames(part, random_look(rng), camera)):
            found = estimator.detect(frame).xy
            body.append(not np.isnan(found[11]).any())
            for side in np.flatnonzero(up[i]):
                rows = slice(33 + 21 * side, 54 + 21 * side)
                hands.append(not np.isnan(found[rows]).any())
                off.append(np.median(np.linalg.norm(found[rows] - truth[i, rows], axis=1)))
        estimator.close()
    assert len(hands) > 30
    assert np.mean(body) >= 0.95
    assert np.mean(hands) >= least
    assert np.nanmedian(off) < 10
