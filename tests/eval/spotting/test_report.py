from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from eval.spotting.compare import compare_spotting
from eval.spotting.plots import draw_spotting
from eval.spotting.report import spotting_report
from eval.tables import Table

GENERATOR = random.Random(0)
TRUTH = {
    f"p0{s}_n{v}": [(str(i % 3), 1000 * i, 1000 * i + 400 + 10 * i) for i in range(6)]
    for s in range(3)
    for v in range(4)
}
GOOD = {v: [(s, a + GENERATOR.gauss(0, 40), b, GENERATOR.random()) for s, a, b in rows] for v, rows in TRUTH.items()}
POOR = {v: [(s, a + 350, b + 350, 0.5) for s, a, b, _ in rows] for v, rows in GOOD.items()}


def test_every_figure_is_printed_with_its_counts() -> None:
    report = spotting_report(TRUTH, GOOD, durations=dict.fromkeys(TRUTH, 60.0))
    text = report.table().text()
    for name in (
        "challenge F1",
        "one-to-one F1",
        "average precision",
        "hit rate",
        "start error",
        "ceiling",
        "negatives",
    ):
        assert name in text
    assert f" {report.strict.tp} " in text
    assert set(report.per_signer) == {"p00", "p01", "p02"}
    assert "p02" in report.signer_table().markdown()
    assert len(report.sign_table().rows) == 3
    saved = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert saved["one_to_one"]["tp"] == report.strict.tp
    assert saved["references"] == 72


def test_times_are_told_in_milliseconds() -> None:
    report = spotting_report({"v": [("A", 1.0, 2.0)]}, {"v": [("A", 0.9, 2.25)]})
    errors = report.as_dict()["boundary_errors_ms"]
    assert (errors["pairs"], errors["start_median"], errors["end_median"], errors["start_bias"]) == (1, 100, 250, -100)
    assert report.as_dict()["tolerance_ms"] == 400
    assert "ms; p90 100, bias -100, 1 pairs" in report.table().text()
    assert "middle within 0.4 s" in report.table().text()


def test_figures_that_cannot_be_had_are_left_out() -> None:
    bare = {v: [row[:3] for row in rows] for v, rows in GOOD.items()}
    report = spotting_report(
        {f"lecture {v}": rows for v, rows in TRUTH.items()}, {f"lecture {v}": r for v, r in bare.items()}
    )
    assert report.curve is None
    assert report.alarms is None
    assert report.per_signer == {}
    assert "average precision" not in report.table().text()


@pytest.mark.filterwarnings("ignore:no video of the ground truth", "ignore:the ground truth holds no segment")
@pytest.mark.parametrize("truth", [{}, {"v": []}, {"v": [("A", 0, 40)]}])
@pytest.mark.parametrize("found", [{}, {"v": []}, {"v": [("A", 50, 90, 0.5)]}])
def test_nothing_at_all_is_scored_as_nothing(truth: dict, found: dict) -> None:
    report = spotting_report(truth, found)
    assert report.strict.tp == 0
    assert report.table().text()
    json.dumps(report.as_dict(), allow_nan=False)


def test_systems_are_drawn_side_by_side(tmp_path: Path) -> None:
    from PIL import Image

    reports = {"good": spotting_report(TRUTH, GOOD), "nothing": spotting_report(TRUTH, {"p00_n0": [("0", 0, 9)]})}
    draw_spotting(reports, tmp_path / "deep" / "curves.png")
    with Image.open(tmp_path / "deep" / "curves.png") as picture:
        assert picture.width > 1200
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 100
    with pytest.raises(ValueError, match="no report"):
        draw_spotting({}, tmp_path / "none.png")


def test_methods_are_ranked_with_a_p_value_against_the_best() -> None:
    table = compare_spotting(TRUTH, {"poor": POOR, "good": GOOD, "same": GOOD}, seconds={"poor": 1.0}, repeats=2000)
    assert [row[0] for row in table.rows] == ["good", "same", "poor"]
    p_value = table.columns.index("p vs best")
    assert table.rows[0][p_value] is None
    assert table.rows[1][p_value] == 1.0
    assert table.rows[2][p_value] < 0.01
    assert table.rows[2][-1] == 1.0
    with pytest.raises(ValueError, match="no method"):
        compare_spotting(TRUTH, {})


def test_a_table_in_every_form() -> None:
    table = Table(["method", "F1"], [["a_b & c|d", 0.51234], ["plain", float("nan")]])
    assert table.text().splitlines()[2] == "a_b & c|d  0.5123"
    assert table.markdown().splitlines()[1] == "|:-----------|-------:|"
    assert r"c\|d" in table.markdown()
    assert r"a\_b \& c|d & 0.5123 \\" in table.latex()
    assert table.records()[1] == {"method": "plain", "F1": None}
    with pytest.raises(ValueError, match="row 1 has 1 cells"):
        Table(["a", "b"], [["x"]])
