from __future__ import annotations

import numpy as np
import pytest

from gallery import Donation, top_k_transfer
from gallery.transfer import best_windows, updated_query

E = np.eye(6, dtype=np.float32)


def towards(a: int, b: int, cosine: float) -> np.ndarray:
    """A unit vector at this cosine to axis a, the rest along axis b."""
    return (cosine * E[a] + np.sqrt(1 - cosine**2) * E[b]).astype(np.float32)


def test_the_best_window_of_each_of_the_best_videos() -> None:
    videos = {
        "a": np.stack([towards(0, 1, 0.2), towards(0, 1, 0.7)]),
        "b": np.stack([towards(0, 2, 0.9)]),
        "c": np.stack([towards(0, 3, 0.5)]),
        "empty": np.zeros((0, 6), np.float32),
    }
    found = best_windows(E[0], videos, k=2)
    assert [(d.video, d.window) for d in found] == [("b", 0), ("a", 1)]
    assert found[0].score == pytest.approx(0.9)
    assert [d.video for d in best_windows(E[0], videos, k=9, minimum=0.6)] == ["b", "a"]


def test_equal_scores_go_by_name() -> None:
    videos = dict.fromkeys(("z", "m", "a"), E[:1])
    assert [d.video for d in best_windows(E[0], videos, k=2)] == ["a", "m"]


def test_as_published_the_mean_of_the_donations_replaces_the_exemplar() -> None:
    videos = {"a": towards(0, 1, 0.8)[None], "b": towards(0, 2, 0.6)[None], "c": towards(0, 3, 0.1)[None]}
    queries = top_k_transfer(E[0], videos, k=2, guard=False)
    mean = (videos["a"][0] + videos["b"][0]) / 2
    for query in queries.values():
        np.testing.assert_allclose(query, mean / np.linalg.norm(mean), atol=1e-6)


def test_the_guard_keeps_a_video_from_confirming_itself() -> None:
    """A false hit in "wrong" is the best window of all; without the guard it makes itself perfect."""
    videos = {"wrong": towards(0, 1, 0.9)[None], "right": towards(0, 2, 0.8)[None]}
    literal = top_k_transfer(E[0], videos, k=1, guard=False)
    assert literal["wrong"] @ videos["wrong"][0] == pytest.approx(1.0, abs=1e-5)
    guarded = top_k_transfer(E[0], videos, k=1, guard=True)
    # nobody else donated within k, so the exemplar stands for its own video
    assert guarded["wrong"] @ videos["wrong"][0] == pytest.approx(0.9, abs=1e-5)
    np.testing.assert_allclose(guarded["right"], videos["wrong"][0], atol=1e-6)


def test_iterations_feed_on_each_other_until_the_donors_agree() -> None:
    videos = {f"v{i}": towards(0, 1, 0.5 + 0.1 * i)[None] for i in range(4)}
    once = top_k_transfer(E[0], videos, k=4, iterations=1)
    twice = top_k_transfer(E[0], videos, k=4, iterations=2)
    assert set(once) == set(twice) == set(videos)
    for queries in (once, twice):
        for vector in queries.values():
            assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    none = top_k_transfer(E[0], videos, iterations=0)
    assert all((vector == E[0]).all() for vector in none.values())


def test_a_minimum_score_leaves_the_exemplar_alone() -> None:
    videos = {"a": towards(0, 1, 0.3)[None], "b": towards(0, 1, 0.4)[None]}
    queries = top_k_transfer(E[0], videos, minimum=0.5)
    assert all((vector == E[0]).all() for vector in queries.values())


def test_keeping_and_weighting() -> None:
    given = [Donation("a", 0, 0.9, E[1]), Donation("b", 0, 0.3, E[2])]
    plain = updated_query(E[0], given)
    np.testing.assert_allclose(plain, (E[1] + E[2]) / np.sqrt(2), atol=1e-6)
    weighted = updated_query(E[0], given, weighted=True)
    assert weighted[1] / weighted[2] == pytest.approx(3.0, abs=1e-4)
    half = updated_query(E[0], given, keep=0.5)
    assert half[0] == pytest.approx(1 / np.sqrt(2), abs=1e-5)
    assert (updated_query(E[0], given, keep=1.0) == E[0]).all()
    assert (updated_query(E[0], given[:1], for_video="a") == E[0]).all()


@pytest.mark.parametrize("wrong", [{"k": 0}, {"iterations": -1}, {"keep": 1.5}])
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected k >= 1"):
        top_k_transfer(E[0], {"a": E[:1]}, **wrong)  # type: ignore[arg-type]
