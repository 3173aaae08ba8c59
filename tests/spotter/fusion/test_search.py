"""Several encoders in one search: what they find together, what is missing, transfer, files, the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from embeddings.encoders import load_encoder
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.pose import write_pose
from gallery import Gallery
from spotter import Ensemble, Member, SpottingOptions, TransferOptions, enroll, spot_videos
from spotter.cli.app import app
from spotter.fusion.calibration import FusedCalibration
from spotter.fusion.ensemble import write_ensemble
from spotter.fusion.search import EnsembleSearch
from spotter.fusion.sources import joint_sources
from spotter.fusion.transfer import fused_transfer
from spotter.search.query import Query, make_plan

from ..worlds import small_world

FAST = SpottingOptions(window=14, stride=4, refine=False)


def both(**settings: object) -> Ensemble:
    """The default encoder and pose cosine."""
    w = small_world()
    other = load_encoder("pose-cosine")
    theirs = enroll(w.exemplars, encoder=other)
    return Ensemble((Member(w.gallery, w.encoder), Member(theirs, other)), **settings)  # type: ignore[arg-type]


def test_they_find_what_is_there() -> None:
    w = small_world()
    (result,) = spot_videos(w.queries[:1], both())
    assert result.track is not None
    assert result.track.signs == w.gallery.labels
    assert not result.calibrated
    found = {(d.sign) for d in result.detections}
    assert len(found & {s.label for s in w.world.signs[:5]}) >= 4
    assert w.world.signs[7].label not in found
    assert min(d.score for d in result.detections) >= 2.0


def test_a_video_without_pictures_is_searched_without_their_encoder() -> None:
    w, two = small_world(), both()
    torch.manual_seed(0)
    pictures = I3D(I3DConfig(width=0.125, size=32)).eval()
    rng = np.random.default_rng(0)
    blind = Gallery(pictures.dim, "i3d")
    rows = rng.normal(size=(2, pictures.dim))
    blind.add(rows / np.linalg.norm(rows, axis=1, keepdims=True), list(w.gallery.labels[:2]))
    three = Ensemble((Member(blind, pictures), *two.members))
    (expected,) = spot_videos(w.queries[:1], two, options=FAST)
    with pytest.warns(UserWarning, match="encoder 'i3d' needs pictures; .* searched without it"):
        (result,) = spot_videos(w.queries[:1], three, options=FAST)
    assert [(d.sign, round(d.start, 3)) for d in result.detections] == [
        (d.sign, round(d.start, 3)) for d in expected.detections
    ]
    (none,) = spot_videos(w.queries[:1], Ensemble((Member(blind, pictures),)))
    assert "encoder 'i3d' needs pictures" in none.error


def test_a_sign_that_one_gallery_lacks_is_searched_by_the_other() -> None:
    w, two = small_world(), both()
    first, second = two.members
    part = Ensemble((Member(first.gallery.only(w.gallery.labels[:1]), first.encoder), second))
    assert part.labels == w.gallery.labels
    (result,) = spot_videos(w.queries[:1], part, options=replace(FAST, threshold=1.0))
    assert {d.sign for d in result.detections} & set(w.gallery.labels[1:5])


def test_calibrated_they_give_probabilities() -> None:
    w, two = small_world(), both()
    ids = tuple(m.encoder.id for m in two.members)  # type: ignore[union-attr]
    maps = {"0": (0.0, (1.0,)), "1": (-4.0, (1.0,)), "0+1": (0.0, (1.0, 0.0))}
    as_one = replace(two, calibration=FusedCalibration(ids, True, maps, {}))
    (alone,) = spot_videos(w.queries[:1], w.gallery, w.encoder)
    (fused,) = spot_videos(w.queries[:1], as_one)
    assert fused.calibrated
    assert [(d.sign, d.start, d.score) for d in fused.detections] == [
        (d.sign, d.start, pytest.approx(d.score)) for d in alone.detections
    ]
    # a second encoder that is against everything leaves nothing
    against = replace(as_one, calibration=FusedCalibration(ids, True, {**maps, "0+1": (-50.0, (1.0, 0.0))}, {}))
    (nothing,) = spot_videos(w.queries[:1], against)
    assert not nothing.detections
    wrong = replace(two, calibration=FusedCalibration(("a", "b"), True, maps, {}))
    with pytest.raises(ValueError, match="the calibration is of a, b, not of"):
        spot_videos(w.queries[:1], wrong)


def test_transfer_moves_the_exemplars_of_every_encoder_to_the_same_places() -> None:
    w, two = small_world(), both()
    options = SpottingOptions(window=14, stride=3)
    queries = {
        at: [
            Query(clip, m.encoder, make_plan(m.gallery, options, False, 16))  # type: ignore[arg-type]
            for m in two.members
        ]
        for at, clip in enumerate(w.queries)
    }
    galleries = [m.gallery for m in two.members]
    names = {at: clip.name for at, clip in enumerate(w.queries)}
    moved = fused_transfer(queries, names, galleries, [1.0, 1.0], TransferOptions.published(1), False)
    for row in range(len(galleries[0])):
        # by hand: of the best windows of both videos by the sum of cosines, the better one's vectors
        places = []
        for at, pair in queries.items():
            total = sum(q.windows(14).astype(np.float32) @ g.vectors[row] for q, g in zip(pair, galleries, strict=True))
            places.append((float(np.max(total)), at, float(pair[0].centres[int(np.argmax(total))])))
        _, at, centre = max(places)
        for m in (0, 1):
            vector = queries[at][m].embed(np.array([[centre - 7, centre + 7]]))[0]
            for video in queries:
                assert float(moved[video][m][row] @ vector) > 0.999, (row, m)
    (result, _) = spot_videos(w.queries, two, options=replace(FAST, transfer=TransferOptions(1, minimum=0.0)))
    assert not result.error


def test_an_ensemble_is_a_file(tmp_path: Path) -> None:
    two = both()
    for member, name in zip(two.members, ("a", "b"), strict=True):
        member.gallery.save(tmp_path / name)
    file = write_ensemble(tmp_path / "ensemble.toml", [("default", "a", 1.0), ("pose-cosine", "b", 0.25)])
    for place in (file, tmp_path):
        read = Ensemble.load(place)
        assert [m.weight for m in read.members] == [1.0, 0.25]
        assert [m.encoder for m in read.members] == ["default", "pose-cosine"]
        assert read.normalise
    mistakes: dict[str, Callable[[str], str]] = {
        "not a readable ensemble": lambda text: text + "=",
        "member.wait is not known; expected encoder, gallery, weight": lambda text: text.replace("weight", "wait"),
        "weight is 'much'; expected a number": lambda text: text.replace("0.25", '"much"'),
        "a member needs an encoder and a gallery": lambda text: text.replace('gallery = "b"', ""),
        "without members": lambda text: "normalise = true",
        "normalise is 3; expected true or false": lambda text: text.replace("true", "3"),
        "no gallery here": lambda text: text.replace('"b"', '"c"'),
    }
    for said, change in mistakes.items():
        (tmp_path / "wrong.toml").write_text(change(file.read_text("utf-8")), "utf-8")
        with pytest.raises(ValueError, match=said):
            Ensemble.load(tmp_path / "wrong.toml")
    with pytest.raises(ValueError, match="gives no probabilities"):
        EnsembleSearch(two, SpottingOptions(expect=2.0))


def test_recordings_of_one_name_are_one_video(tmp_path: Path) -> None:
    clip = small_world().queries[0]
    assert clip.pose is not None
    write_pose(tmp_path / "talks" / "anna.pose", clip.pose)
    (tmp_path / "mocap").mkdir()
    np.savez(tmp_path / "mocap" / "anna.npz", rotations=np.zeros((30, 39, 3), np.float32))
    np.savez(tmp_path / "mocap" / "ben.npz", rotations=np.zeros((30, 39, 3), np.float32))
    found = joint_sources([tmp_path / "talks", tmp_path / "mocap"], [("pose",), ("rotations",)])
    kinds = {one.name: [None if s is None else s.path.parent.name for s in one.sources] for one in found}
    assert kinds == {"anna": ["talks", "mocap"], "ben": [None, "mocap"]}


def test_the_command_line_takes_pairs_and_files(tmp_path: Path) -> None:
    w, two = small_world(), both()
    for member, name in zip(two.members, ("a", "b"), strict=True):
        member.gallery.save(tmp_path / "my galleries" / name)
    assert w.queries[0].pose is not None
    talk = write_pose(tmp_path / "talk.pose", w.queries[0].pose)

    def run(*line: object) -> str:
        done = CliRunner().invoke(app, ["spot", str(talk), *map(str, line)])
        return done.output + str(done.exception or "")

    a, b = tmp_path / "my galleries" / "a", tmp_path / "my galleries" / "b"
    pairs = ("-e", "default", "-g", a, "-e", "pose-cosine", "-g", b)
    run(*pairs, "-o", tmp_path / "pairs.csv")
    write_ensemble(
        tmp_path / "my galleries" / "ensemble.toml", [("default", "a", 1), ("pose-cosine", "b", 1)]
    )  # fmt: skip
    run("-g", tmp_path / "my galleries", "-o", tmp_path / "file.csv")
    assert (tmp_path / "pairs.csv").read_text() == (tmp_path / "file.csv").read_text()
    assert len((tmp_path / "pairs.csv").read_text().splitlines()) > 1
    (exemplar,) = [clip for clip in w.exemplars if clip.label == w.gallery.labels[0]]
    assert exemplar.pose is not None
    write_pose(tmp_path / "signs" / f"{exemplar.label}.pose", exemplar.pose)
    made = CliRunner().invoke(
        app,
        ["enroll", str(tmp_path / "signs"), "-e", "default", "-e", "pose-cosine", "-o", str(tmp_path / "together")],
    )
    assert made.exit_code == 0, made.output
    assert [m.encoder for m in Ensemble.load(tmp_path / "together").members] == ["default", "pose-cosine"]
    run("-g", tmp_path / "together", "-o", tmp_path / "one.csv")
    assert exemplar.label in (tmp_path / "one.csv").read_text()
    assert "2 encoders and 1 galleries are given; expected a --gallery for each" in run("-e", "a", "-e", "b", "-g", a)
    assert "names its encoders; leave out --encoder" in run("-g", tmp_path / "my galleries", "-e", "sl-gcn")
    assert "1 weights for 2 encoders; expected one each" in run(*pairs, "--weight", "1")
    assert "nobody says which sign it holds" in run(*pairs, "--preset", "oslwl-2022")
