"""Candidates and their evidence, against plain loops over the same definitions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from spotter.search import each, evidence
from spotter.search.alignment import SCALES, align_everywhere, resampled, unit_rows
from spotter.search.calibrate import shipped_judge
from spotter.search.candidates import Candidates, peaks_of
from spotter.search.cohort import Cohort
from spotter.search.each import MISPLACED, NEAR
from spotter.search.evidence import EVIDENCE, Examples, gathered, with_pace
from spotter.search.judge import THRESHOLD, examples_of, judged_places, pace_of
from spotter.search.options import SpottingOptions
from spotter.search.query import Query, make_plan

from ..worlds import small_world


@lru_cache(maxsize=1)
def searched() -> tuple[Query, Examples, Cohort, Candidates]:
    w = small_world()
    query = Query(w.queries[1], w.encoder, make_plan(w.gallery, SpottingOptions(), True, w.encoder.window))
    shipped = shipped_judge(w.encoder.id)
    assert shipped is not None
    cohort = replace(shipped[1], templates=shipped[1].templates[:6])
    examples = examples_of(w.gallery, aligned=True)
    return query, examples, cohort, gathered(query, examples, cohort)


def alignments(query: Query, examples: Examples, row: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(cost, length) of an exemplar everywhere, at each scale, one by one."""
    own = examples.features[row]
    assert own is not None
    lengths = [max(4, round(len(own) * scale)) for scale in SCALES]
    found = [align_everywhere(unit_rows(resampled(own, n))[None], unit_rows(query.features)) for n in lengths]
    return [(f.cost[0], f.length[0]) for f in found]


def test_both_searches_find_what_is_planted() -> None:
    query, examples, _, found = searched()
    w = small_world()
    assert set(found.evidence) == set(EVIDENCE)
    assert all(len(values) == len(found) and np.isfinite(values).all() for values in found.evidence.values())
    assert (found.start >= 0).all()
    assert (found.end <= query.frames).all()
    assert (found.end - found.start >= 3 - 1e-3).all()
    for span in w.queries[1].spans:
        mine = found.rows(np.array([w.gallery.labels[examples.signs[e]] == span.label for e in found.exemplar]))
        inner = np.minimum(mine.end, span.end) - np.maximum(mine.start, span.start)
        union = np.maximum(mine.end, span.end) - np.minimum(mine.start, span.start)
        assert (inner / union).max() >= 0.5


def test_evidence_is_what_its_definition_says() -> None:
    query, examples, cohort, found = searched()
    w = small_world()
    every = [alignments(query, examples, row) for row in range(len(examples.vectors))]
    by_chance = cohort.costs(unit_rows(query.features))
    matches: dict[int, list[float]] = {}
    for at, e in enumerate(found.exemplar.tolist()):
        matches.setdefault(int(examples.signs[e]), []).append(float(found.evidence["match"][at]))
    for at in range(0, len(found), max(1, len(found) // 25)):
        row, start, end = int(found.exemplar[at]), float(found.start[at]), float(found.end[at])
        (vector,) = w.encoder.embed(query.inputs, np.array([[start, end]]))
        similarity = examples.vectors @ vector
        last = int(np.rint(np.float32(end))) - 1
        best, path = np.inf, 0.0
        for step in range(-NEAR, NEAR + 1):
            ends = min(max(last + step, 0), query.frames - 1)
            for cost, length in every[row]:
                first = ends + 1 - int(length[ends])
                iou = max(0.0, min(ends + 1, end) - max(first, start)) / (max(ends + 1, end) - min(first, start))
                if cost[ends] + MISPLACED * (1 - iou) < best - 1e-7:
                    best, path = float(cost[ends] + MISPLACED * (1 - iou)), iou
        says = {name: float(values[at]) for name, values in found.evidence.items()}
        assert says["match"] == pytest.approx(similarity[row] - best, abs=2e-3)
        assert says["path"] == pytest.approx(path, abs=2e-3)
        assert says["length_ratio"] == pytest.approx(np.log((end - start) / examples.lengths[row]), abs=1e-4)
        assert says["length"] == pytest.approx(np.log(examples.lengths[row]), abs=1e-4)
        assert says["behind_best"] == pytest.approx(says["match"] - max(matches[int(examples.signs[row])]), abs=1e-4)
        place = min(max(last, 0), query.frames - 1)
        rivals = [r for r in range(len(examples.vectors)) if examples.signs[r] != examples.signs[row]]
        window = slice(max(0, place - 2), place + 3)
        cheapest = min(float(min(cost[window].min() for cost, _ in every[r])) for r in rivals)
        mean, usual = float(cohort.statistics(vector[None])[0][0]), float(by_chance[0][place])
        lead = similarity[row] - max(similarity[rivals].max(), mean) + min(cheapest, usual) - best
        assert says["lead"] == pytest.approx(lead, abs=3e-3)


def test_blocks_of_exemplars_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    query, examples, cohort, found = searched()
    monkeypatch.setattr(each, "EXEMPLARS_AT_ONCE", 3)
    monkeypatch.setattr(evidence, "SPANS_AT_ONCE", 70)
    again = gathered(query, examples, cohort)
    np.testing.assert_allclose(again.spans, found.spans, atol=1e-3)
    for name, values in found.evidence.items():
        np.testing.assert_allclose(again.evidence[name], values, rtol=1e-3, atol=2e-3)


def coarse(monkeypatch: pytest.MonkeyPatch, share: float) -> tuple[Candidates, Candidates]:
    """The same search where only a share of the candidates is embedded; and those that were embedded."""
    query, examples, cohort, found = searched()
    monkeypatch.setattr(evidence, "FINE_AT_LEAST", round(share * len(found)))
    monkeypatch.setattr(evidence, "FINE_PER_HOUR", 0)
    embedded: list[Candidates] = []
    compared = evidence._span_cosines

    def noted(q: Query, e: Examples, c: Cohort, some: Candidates) -> evidence.SpanCosines:
        embedded.append(some)
        return compared(q, e, c, some)

    monkeypatch.setattr(evidence, "_span_cosines", noted)
    shipped = shipped_judge(small_world().encoder.id)
    assert shipped is not None
    made = gathered(query, examples, cohort, None, shipped[0].pace)
    return made, embedded[0]


def test_of_too_many_candidates_the_best_are_embedded_and_windows_speak_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    query, examples, cohort, found = searched()
    made, embedded = coarse(monkeypatch, 0.3)
    assert len(embedded) == round(0.3 * len(found))
    np.testing.assert_array_equal(made.spans, found.spans)

    def names(candidates: Candidates) -> list[tuple[float, ...]]:
        return [(int(e), *span) for e, span in zip(candidates.exemplar, candidates.spans.tolist(), strict=True)]

    times, chosen = Counter(names(found)), set(names(embedded))
    own = np.array([name in chosen and times[name] == 1 for name in names(found)])
    assert own.sum() > 0.1 * len(found)
    np.testing.assert_allclose(made.evidence["match"][own], found.evidence["match"][own], atol=2e-3)
    own = np.array([name in chosen for name in names(found)])
    vectors = examples.vectors[found.exemplar]
    cost = np.einsum("nd,nd->n", query.embed(found.spans), vectors) - found.evidence["match"]
    for at in np.flatnonzero(~own)[::37].tolist():
        start, end = found.spans[at]
        length = query.plan.lengths[np.abs(np.log(query.plan.lengths) - np.log(end - start)).argmin()]
        centre = int(np.rint(((start + end) / 2 - 0.5) / 3))
        middle = query.centres[min(centre, len(query.centres) - 1)]
        (vector,) = query.embed(np.array([[middle - length / 2, middle + length / 2]]))
        assert made.evidence["match"][at] == pytest.approx(vector @ vectors[at] - cost[at], abs=3e-3)
        others = examples.vectors[examples.signs != examples.signs[found.exemplar[at]]]
        mean, _ = (float(x[0]) for x in cohort.statistics(vector[None]))
        gain = vector @ vectors[at] - max(float((others @ vector).max()), mean)
        (own_vector,) = query.embed(found.spans[at : at + 1])
        mean, _ = (float(x[0]) for x in cohort.statistics(own_vector[None]))
        gained = own_vector @ vectors[at] - max(float((others @ own_vector).max()), mean)
        assert made.evidence["lead"][at] - found.evidence["lead"][at] == pytest.approx(gain - gained, abs=6e-3)


def test_where_windows_speak_for_most_the_same_signs_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    query, examples, _, found = searched()
    hours = query.frames / query.fps / 3600
    shipped = shipped_judge(small_world().encoder.id)
    assert shipped is not None
    accepted = []
    for candidates in (found, coarse(monkeypatch, 0.3)[0]):
        sign, spans, probability = judged_places(candidates, examples.signs, shipped[0], hours)
        likely = probability >= THRESHOLD
        accepted.append((sign[likely].tolist(), spans[likely], probability[likely]))
    assert len(accepted[0][0]) >= 3
    assert accepted[0][0] == accepted[1][0]
    np.testing.assert_allclose(accepted[1][1], accepted[0][1], atol=1.0)
    np.testing.assert_allclose(accepted[1][2], accepted[0][2], atol=0.05)


def test_only_what_is_wanted_becomes_a_candidate_and_the_others_still_count() -> None:
    query, examples, cohort, found = searched()
    mine = gathered(query, examples, cohort, examples.signs == 2)
    expected = found.rows(examples.signs[found.exemplar] == 2)
    np.testing.assert_allclose(mine.spans, expected.spans, atol=1e-4)
    np.testing.assert_allclose(mine.evidence["lead"], expected.evidence["lead"], atol=1e-4)


def test_exemplars_without_frames_are_searched_by_windows_alone() -> None:
    query, examples, cohort, _ = searched()
    blind = replace(examples, features=[None] * len(examples.vectors))
    found = gathered(query, blind, cohort)
    assert len(found) > 0
    assert (found.evidence["path"] == 1).all()
    assert all(np.isfinite(values).all() for values in found.evidence.values())


def test_the_pace_is_that_of_the_surest_signs() -> None:
    _, examples, _, found = searched()
    shipped = shipped_judge(small_world().encoder.id)
    assert shipped is not None
    signs = examples.signs[found.exemplar]
    pace = pace_of(found, signs, shipped[0].pace)
    truth = [np.log((s.end - s.start) / examples.lengths[small_world().gallery.labels.index(s.label)])
             for s in small_world().queries[1].spans]  # fmt: skip
    assert pace == pytest.approx(np.mean(truth), abs=0.35)
    paced = with_pace(found, pace)
    np.testing.assert_allclose(paced.evidence["off_pace"], found.evidence["length_ratio"] - pace, atol=1e-5)


def test_peaks_are_those_that_none_near_exceeds() -> None:
    values = np.array([0.1, 0.9, 0.3, 0.8, 0.8, 0.2, 0.1, 0.7])
    assert peaks_of(values, 1).tolist() == [1, 3, 7]
    assert peaks_of(values, 2).tolist() == [1, 4, 7]  # the first .8 is within two of the .9
    assert peaks_of(values, 1, 2).tolist() == [1, 3]
    assert peaks_of(np.zeros(0), 3).tolist() == []
    assert peaks_of(np.ones(5), 1).tolist() == [0]


def test_peaks_of_chance_are_counted_for_a_part_of_a_long_video(monkeypatch: pytest.MonkeyPatch) -> None:
    query, examples, cohort, found = searched()
    assert query.frames / query.fps < each.COUNTED_SECONDS
    monkeypatch.setattr(each, "COUNTED_SECONDS", query.frames / query.fps / 4)
    longer = gathered(query, examples, cohort)
    np.testing.assert_array_equal(longer.spans, found.spans)
    # a quarter of the peaks of the windows' track and of the alignments: twice the logarithm of four
    np.testing.assert_allclose(longer.evidence["chance"], found.evidence["chance"] - 2 * np.log(4), atol=1e-4)
