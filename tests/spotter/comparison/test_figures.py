"""Comparison of methods: an oracle gets full marks, a silent one none, and what is written can be read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from embeddings.clip import Clip
from embeddings.pose import write_pose
from spotter.cli.app import app
from spotter.comparison.figures import (
    ComparisonPart,
    ComparisonSet,
    as_dict,
    compare,
    open_set,
    table,
    write_comparison,
)
from spotter.comparison.methods import METHODS, Method
from spotter.detection import Detection

from ..worlds import small_world


@dataclass(frozen=True)
class Oracle(Method):
    """Knows the true spans; moves them by `late` frames, and of single signs says what they are or the opposite."""

    late: int = 0

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        return {
            q.name: [Detection(q.name, s.label, (s.start + self.late) / q.fps, (s.end + self.late) / q.fps, 0.9)
                     for s in q.spans]
            for q in queries
        }  # fmt: skip

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        labels = np.array([c.label for c in clips])
        return np.where(labels[:, None] == labels[None], 1.0, 0.0) * (1 if self.late == 0 else -1)


def oracle(name: str, late: int = 0) -> Oracle:
    return Oracle(name, "knows", "none", 0.5, 0.0, late)


@pytest.fixture(scope="module")
def small() -> ComparisonSet:
    world = small_world()
    return ComparisonSet("small", [ComparisonPart(world.exemplars, world.queries)])


def test_an_oracle_gets_full_marks_and_a_late_one_does_not(small: ComparisonSet) -> None:
    rows, kept = compare(small, [oracle("late", 40), oracle("knows")], one_shot=True)
    late, right = rows
    count = sum(len(spans) for spans in small.truth().values())
    assert (right.f1, right.challenge, right.average_precision, right.recall_at_one, right.boundary) == (1, 1, 1, 1, 0)
    assert (right.tp, right.fp, right.fn, right.p_value) == (count, 0, 0, None)
    assert right.one_shot is not None
    assert (right.one_shot.right, right.one_shot.clips, right.one_shot.mrr) == (count, count, 1.0)
    assert late.f1 < 0.3
    assert late.one_shot is not None
    assert late.one_shot.right == 0
    assert late.one_shot.mrr == pytest.approx(1 / 8)  # the worst of eight signs
    # two videos: of 3 different draws of them none favours the late one
    assert late.p_value is not None
    assert late.p_value < 0.01
    assert sum(map(len, kept["late"].values())) == count


def test_spans_become_clips_of_their_own(small: ComparisonSet) -> None:
    part = small.parts[0]
    clips = small.isolated(part)
    spans = [(q.name, s) for q in part.queries for s in q.spans if s.label in {e.label for e in part.exemplars}]
    assert [(c.name, c.label, len(c)) for c in clips] == [(name, s.label, s.end - s.start) for name, s in spans]


def test_table_and_files_hold_the_same_figures(small: ComparisonSet, tmp_path: Path) -> None:
    rows, _ = compare(small, [METHODS["pose-cosine"], oracle("knows")], one_shot=True)
    paths = write_comparison(tmp_path / "out", small, rows)
    assert [p.name for p in paths] == ["comparison.json", "comparison.md", "comparison.tex"]
    read = json.loads(paths[0].read_text(encoding="utf-8"))
    assert read == json.loads(json.dumps(as_dict(small, rows)))
    assert read["methods"][0]["f1"] == rows[0].f1
    assert paths[1].read_text(encoding="utf-8") == table(rows).markdown()
    assert r"\toprule" in paths[2].read_text(encoding="utf-8")
    for one in (rows[0], rows[1]):
        assert f" {one.tp}/{one.fp}/{one.fn} " in table(rows).markdown()


def test_silence_scores_zero_without_breaking(small: ComparisonSet) -> None:
    silent = replace(METHODS["pose-cosine"], name="silent", threshold=2.0, least=2.0)
    with pytest.warns(UserWarning, match="no video of the ground truth has a prediction"):
        rows, _ = compare(small, [silent, oracle("knows")])
    assert (rows[0].f1, rows[0].tp, rows[0].fp) == (0, 0, 0)
    assert as_dict(small, rows)["methods"][0]["boundary"] is None


def test_one_video_or_two_of_a_name_cannot_be_compared(small: ComparisonSet) -> None:
    part = small.parts[0]
    with pytest.raises(ValueError, match="at least 2, none twice"):
        compare(ComparisonSet("one", [ComparisonPart(part.exemplars, part.queries[:1])]), [oracle("knows")])
    with pytest.raises(ValueError, match="at least 2, none twice"):
        compare(ComparisonSet("two", [part, part]), [oracle("knows")])


def test_a_folder_is_a_set_and_the_command_prints_its_table(tmp_path: Path) -> None:
    world = small_world()
    for clip in world.exemplars:
        assert clip.pose is not None
        write_pose(tmp_path / "mine" / "exemplars" / f"{clip.label}.pose", clip.pose)
    lines = ["video,sign,start,end"]
    for query in world.queries:
        assert query.pose is not None
        write_pose(tmp_path / "mine" / "queries" / f"{query.name}.pose", query.pose)
        lines += [f"{query.name},{s.label},{s.start / query.fps},{s.end / query.fps}" for s in query.spans]
    (tmp_path / "mine" / "truth.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    chosen = open_set(tmp_path / "mine")
    assert chosen.truth().keys() == {"query-1", "query-2"}
    mine, tables = str(tmp_path / "mine"), str(tmp_path / "tables")
    done = CliRunner().invoke(
        app, ["eval", "compare", "--data", mine, "--methods", "pose-dtw,pose-cosine", "-o", tables]
    )
    assert done.exit_code == 0, done.output
    read = json.loads((tmp_path / "tables" / "comparison.json").read_text(encoding="utf-8"))
    assert [m["method"] for m in read["methods"]] == ["pose-dtw", "pose-cosine"]
    assert read["references"] == sum(len(q.spans) for q in world.queries)
    assert f"{read['methods'][0]['tp']}/{read['methods'][0]['fp']}/{read['methods'][0]['fn']}" in done.output
    wrong = CliRunner().invoke(app, ["eval", "compare", "--data", mine, "--methods", "nonsense"])
    assert "method 'nonsense' is not known" in str(wrong.exception)


def test_a_prepared_manifest_is_a_set(tmp_path: Path) -> None:
    """Exemplars from the split train, by the times of the manifest; the videos of the split test are searched."""
    world = small_world()
    rows = ["path,label,split,source,start_frame,end_frame,fps,id"]
    for clip in (*world.exemplars[:3], *world.queries):
        assert clip.pose is not None
        write_pose(tmp_path / "poses" / f"{clip.name}.pose", clip.pose)
    for clip in world.exemplars[:3]:
        name, end = clip.name, len(clip)
        rows += [f"{name}.mp4,{clip.label},train,{name},{at},{end},{clip.fps},{name}-{at}" for at in (3, 5)]
    for query in world.queries:
        head = f"{query.name}.mp4,%s,test,{query.name}"
        rows += [f"{head % s.label},{s.start},{s.end},{query.fps},{query.name}-{s.start}" for s in query.spans]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    part = open_set(tmp_path).parts[0]
    assert [(e.label, len(e)) for e in part.exemplars] == [(c.label, len(c) - 3) for c in world.exemplars[:3]]
    assert [(q.name, q.spans) for q in part.queries] == [(q.name, q.spans) for q in world.queries]
    (tmp_path / "poses" / f"{world.queries[0].name}.pose").unlink()
    with pytest.raises(ValueError, match="no pose or media of"):
        open_set(tmp_path)


@pytest.mark.parametrize("name", ["procedural:x", "procedural:5?signs=a", "procedural:5?colour=1", "nowhere"])
def test_what_is_no_set_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected procedural:SEED|lacks exemplars, queries, truth\.csv"):
        open_set(name if name.startswith("procedural") else tmp_path / name)
