from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Clip, Pose
from embeddings.encoders import load_encoder
from embeddings.pose import write_pose
from eval.spotting import match, one_to_one_f1
from gallery import Gallery, GalleryError
from spotter import Detection, Ensemble, Member, SpottingOptions, enroll, spot, spot_videos
from spotter.search.options import TransferOptions

from .worlds import rows, said, small_world, truth


def test_planted_signs_are_found_and_absent_ones_are_not() -> None:
    w = small_world()
    results = spot_videos(w.queries, w.gallery, w.encoder)
    score = one_to_one_f1(truth(w.queries), rows(results))
    assert score.tp + score.fn == 10
    # one sign of half a second is found twice, but aligned too short both times
    assert score.tp >= 7, score
    assert score.fp <= 3, score
    assert w.world.signs[7].label not in {d.sign for r in results for d in r.detections}


def test_detections_are_in_order_within_the_video_and_sure_enough() -> None:
    w = small_world()
    for result, clip in zip(spot_videos(w.queries, w.gallery, w.encoder), w.queries, strict=True):
        assert result.video == clip.name
        assert result.duration == pytest.approx(len(clip) / clip.fps)
        starts = [d.start for d in result.detections]
        assert starts == sorted(starts)
        for d in result.detections:
            assert 0 <= d.start < d.end <= result.duration + 1e-6
            assert 0.4 <= d.score <= 1
        assert result.track is not None
        assert result.track.signs == w.gallery.labels


def test_the_same_run_twice_gives_the_same_detections() -> None:
    w = small_world()
    assert spot(w.queries, w.gallery, w.encoder) == spot(w.queries, w.gallery, w.encoder)


def test_a_sign_said_twice_is_found_twice() -> None:
    w = small_world()
    label = w.world.signs[1].label
    found = [d for d in spot(w.queries[0], w.gallery, w.encoder) if d.sign == label]
    said_at = [row for row in truth(w.queries[:1])["query-1"] if row[0] == label]
    assert len(said_at) == 2
    # found twice at the right places; how exact the boundaries are is measured by scripts/bench/spotting.py
    assert len(match(said_at, [(d.sign, d.start, d.end) for d in found], 0.2)) == 2


def test_more_must_be_surer_when_the_threshold_rises() -> None:
    w = small_world()
    few = spot(w.queries, w.gallery, w.encoder, SpottingOptions(threshold=0.9))
    many = spot(w.queries, w.gallery, w.encoder, SpottingOptions(threshold=0.2))
    assert len(few) < len(many)
    assert all(d.score >= 0.9 for d in few)
    assert spot(w.queries, w.gallery, w.encoder, SpottingOptions(threshold=1.1)) == []


def test_a_known_sign_gives_its_best_place_in_each_video() -> None:
    w = small_world()
    known = {"query-1": w.world.signs[3].label, "query-2": w.world.signs[6].label}
    found = spot(w.queries, w.gallery, w.encoder, SpottingOptions(threshold=1.1), known=known)
    assert [(d.video, d.sign) for d in found] == list(known.items())
    by_video = truth(w.queries)
    for d in found:
        where = [row for row in by_video[d.video] if row[0] == d.sign]
        assert match(where, [(d.sign, d.start, d.end)], 0.3), (d, where)


def test_a_known_sign_may_be_asked_for_several_times() -> None:
    w = small_world()
    label = w.world.signs[1].label
    found = spot(w.queries[0], w.gallery, w.encoder, SpottingOptions(most=2), known={"query-1": label})
    assert [d.sign for d in found] == [label, label]
    assert found[0].end <= found[1].start + 0.2


def test_a_known_sign_needs_an_exemplar() -> None:
    w = small_world()
    with pytest.raises(ValueError, match=r"'query-1'.*'unheard-of'"):
        spot(w.queries[0], w.gallery, w.encoder, known={"query-1": "unheard-of"})


def test_a_left_handed_signer_is_understood() -> None:
    w = small_world()
    lefty = next(i for i in range(1, 200) if w.world.signer(i).left_handed)
    clip = said(w.world, [0, 1, 2, 3], lefty)
    score = one_to_one_f1(truth([clip]), rows(spot_videos([clip], w.gallery, w.encoder)), 0.3)
    assert score.tp >= 2, score


def test_one_bad_file_among_ten_spoils_only_itself(tmp_path: Path) -> None:
    w = small_world()
    pose = w.queries[1].pose
    assert pose is not None
    files = []
    for i in range(10):
        files.append(tmp_path / f"talk-{i}.pose")
        if i == 4:
            files[i].write_bytes(b"not a pose")
        else:
            write_pose(files[i], pose)
    seen: list[str] = []
    results = spot_videos(files, w.gallery, w.encoder, progress=seen.append)
    assert [r.video for r in results] == [f.stem for f in files] == seen
    assert [bool(r.error) for r in results] == [i == 4 for i in range(10)]
    assert "talk-4" in results[4].error
    assert "\n" not in results[4].error
    assert results[4].detections == []
    assert results[4].track is None
    expected = rows(spot_videos(w.queries[1:], w.gallery, w.encoder))["query-2"]
    assert len(expected) > 0
    for i in (0, 9):
        # a pose file keeps hundredths of a pixel
        assert [d.sign for d in results[i].detections] == [row[0] for row in expected]
    with pytest.raises(ValueError, match="talk-4"):
        spot(files, w.gallery, w.encoder)


def test_wrong_galleries_are_refused() -> None:
    w = small_world()
    with pytest.raises(ValueError, match="empty"):
        spot(w.queries[0], Gallery(w.encoder.dim, w.encoder.id), w.encoder)
    foreign = Gallery(w.encoder.dim, "another-net")
    foreign.add(np.eye(w.encoder.dim)[:1], ["A"])
    with pytest.raises(GalleryError, match="another-net"):
        spot(w.queries[0], foreign, w.encoder)


def test_an_empty_clip_and_one_without_pose_are_errors_of_their_own() -> None:
    w = small_world()
    clip = w.queries[0]
    assert clip.pose is not None
    empty = replace(clip, name="nothing", pose=clip.pose[:0], spans=())
    blind = replace(clip, name="blind", pose=None)
    results = spot_videos([empty, blind, clip], w.gallery, w.encoder)
    assert "nothing" in results[0].error
    assert "blind" in results[1].error
    assert results[2].detections


def test_a_video_shorter_than_every_window_is_no_error() -> None:
    w = small_world()
    clip = w.queries[0].cut(0, 3)
    (result,) = spot_videos([clip], w.gallery, w.encoder)
    assert result.error == ""
    (known,) = spot(clip, w.gallery, w.encoder, known={clip.name: w.gallery.labels[0]})
    assert known.end <= 3 / 25 + 1e-6


def test_the_published_method_is_a_matter_of_options() -> None:
    """Windows of 16 frames at every frame, best window per known sign, Top-K 5 once with the mean as it is."""
    w = small_world()
    options = SpottingOptions(
        window=16, stride=1, refine=False, calibrated=False,
        transfer=TransferOptions.published(k=5, iterations=1),
    )  # fmt: skip
    known = {"query-1": w.world.signs[2].label, "query-2": w.world.signs[5].label}
    results = spot_videos(w.queries, w.gallery, w.encoder, options, known=known)
    for result in results:
        (found,) = result.detections
        assert result.track is not None
        assert (result.track.lengths == 16).all()
        assert len(result.track.centres) == len(next(q for q in w.queries if q.name == result.video))
        column = result.track.signs.index(found.sign)
        assert found.score == pytest.approx(float(result.track.values[:, column].max()))
        assert found.end - found.start <= 16 / 25 + 1e-6


def test_transfer_is_guarded_unless_the_published_form_is_asked_for() -> None:
    assert TransferOptions() == TransferOptions(k=5, iterations=1, guard=True, minimum=0.6, keep=0.5)
    assert TransferOptions.published() == TransferOptions(k=5, iterations=1, guard=False, minimum=-1.0, keep=0.0)


def test_without_the_guard_a_false_hit_confirms_itself() -> None:
    w = small_world()
    absent = w.world.signs[7].label
    alone = w.gallery.only([absent])

    def best(transfer: TransferOptions | None) -> float:
        options = SpottingOptions(calibrated=False, refine=False, transfer=transfer)
        (first, _) = spot_videos(w.queries, alone, w.encoder, options)
        assert first.track is not None
        return float(first.track.values.max())

    plain = best(None)
    assert plain < 0.9
    assert best(TransferOptions.published(k=1)) > 0.99 or best(TransferOptions.published(k=2)) > plain
    assert best(TransferOptions(k=2, minimum=0.99)) == pytest.approx(plain)


def test_the_guard_uses_only_what_other_videos_gave() -> None:
    w = small_world()
    options = SpottingOptions(calibrated=False, transfer=TransferOptions(k=5, guard=True))
    one_alone = spot_videos(w.queries[:1], w.gallery, w.encoder, options)[0]
    untouched = spot_videos(w.queries[:1], w.gallery, w.encoder, replace(options, transfer=None))[0]
    assert one_alone.detections == untouched.detections  # a single video can give itself nothing


def test_several_exemplars_of_a_sign_all_count() -> None:
    w = small_world()
    more = enroll(
        [w.world.clip(s, signer=5, camera=5) for s in w.world.signs], encoder=w.encoder, into=w.gallery.copy()
    )
    assert len(more) == 16
    before = spot_videos(w.queries[:1], w.gallery, w.encoder)[0].track
    after = spot_videos(w.queries[:1], more, w.encoder)[0].track
    assert before is not None
    assert after is not None
    assert after.signs == before.signs
    # windows of the first exemplar's lengths are still among those compared
    assert (after.values >= before.values - 0.08).all()
    assert (after.values > before.values + 0.01).any()


def test_other_frame_rates_give_the_same_seconds() -> None:
    w = small_world()
    clip = w.queries[0]
    assert clip.pose is not None
    slow = replace(clip, name="slow", pose=clip.pose.resample(50.0), fps=50.0, spans=())
    (a, b) = spot_videos([clip, slow], w.gallery, w.encoder)
    assert [d.sign for d in a.detections] == [d.sign for d in b.detections]
    for one, other in zip(a.detections, b.detections, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.1)


def test_the_baseline_without_weights_works_the_same_way() -> None:
    w = small_world("pose-cosine")
    found = spot(w.queries[0], w.gallery, w.encoder, known={"query-1": w.world.signs[0].label})
    assert len(found) == 1
    assert isinstance(found[0], Detection)
    assert found[0].video == "query-1"


def test_encoders_are_fused_by_weight() -> None:
    """Weight 0 leaves the first encoder's track; a weight draws it towards the second's; both find what is there."""
    w = small_world()
    other = load_encoder("sl-gcn")
    theirs = enroll(w.exemplars, encoder=other)
    (alone,) = spot_videos(w.queries[:1], w.gallery, w.encoder, SpottingOptions(calibrated=False))

    def together(weight: float) -> Ensemble:
        return Ensemble((Member(w.gallery, w.encoder), Member(theirs, other, weight)), normalise=False)

    plain = SpottingOptions(calibrated=False)
    (ignored,) = spot_videos(w.queries[:1], together(0.0), options=plain)
    (second,) = spot_videos(w.queries[:1], theirs, other, SpottingOptions(calibrated=False))
    (fused,) = spot_videos(w.queries[:1], together(1.0), options=plain)
    tracks = [r.track for r in (alone, ignored, second, fused)]
    assert all(t is not None for t in tracks)
    values = [t.values for t in tracks if t is not None]
    np.testing.assert_allclose(values[1], values[0], atol=1e-5)
    np.testing.assert_allclose(values[3], (values[0] + values[2]) / 2, atol=1e-5)
    assert {d.sign for d in fused.detections} & {s.label for s in w.world.signs[:5]}


def test_a_member_must_match_its_gallery() -> None:
    w = small_world()
    with pytest.raises(ValueError, match="was made with the encoder"):
        spot_videos(w.queries[:1], Ensemble((Member(w.gallery, w.encoder), Member(w.gallery, "pose-cosine"))))


def test_eight_threads_find_what_one_finds() -> None:
    from concurrent.futures import ThreadPoolExecutor

    w = small_world()
    alone = {q.name: list(spot(q, w.gallery, w.encoder)) for q in w.queries}
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda q: (q.name, list(spot(q, w.gallery, w.encoder))), [*w.queries] * 4))
    assert len(found) == 8
    for name, detections in found:
        assert detections == alone[name]


def test_a_result_is_given_when_its_video_is_done() -> None:
    w = small_world()
    seen: list[tuple[str, int]] = []
    waiting = iter(w.queries)

    def videos() -> Iterator[Clip]:
        for number, clip in enumerate(waiting):
            assert len(seen) == number  # the one before was reported before this one is asked for
            yield clip

    results = spot_videos(videos(), w.gallery, w.encoder, on_result=lambda r: seen.append((r.video, len(r.detections))))
    assert seen == [(r.video, len(r.detections)) for r in results]


def test_arrays_of_pictures_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    from embeddings.recordings import PoseSource

    w = small_world()
    asked: list[tuple[tuple[int, ...], float, str]] = []

    def of_frames(self: PoseSource, frames: np.ndarray, fps: float, name: str) -> Pose:
        asked.append((frames.shape, fps, name))
        return w.queries[0].pose

    monkeypatch.setattr(PoseSource, "of_frames", of_frames)
    pictures = np.zeros((len(w.queries[0]), 8, 8, 3), np.uint8)
    found = spot(pictures, w.gallery, w.encoder, fps=25)
    assert asked == [(pictures.shape, 25, "array")]
    wanted = spot(w.queries[0], w.gallery, w.encoder)
    assert [(d.video, d.sign, d.start, d.end) for d in found] == [("array", d.sign, d.start, d.end) for d in wanted]
    with pytest.raises(ValueError, match="give fps=25"):
        spot(pictures, w.gallery, w.encoder)
    with pytest.raises(ValueError, match=r"expected pictures \(T, H, W, 3\) uint8 RGB"):
        spot(pictures / 255, w.gallery, w.encoder, fps=25)


def test_clips_and_poses_say_briefly_what_they_hold() -> None:
    clip = small_world().queries[0]
    assert repr(clip).startswith(f"Clip('query-1', {len(clip)} frames at 25 fps, holds pose")
    assert "array(" not in repr(clip)
    assert len(repr(clip.pose)) < 200
