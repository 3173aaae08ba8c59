"""The public face: what `import spotter` shows, its reference page, and results that show themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import spotter
from embeddings.pose import write_pose
from spotter.results import Detections

from ..conftest import REPOSITORY
from .worlds import small_world


def test_only_the_interface_shows() -> None:
    assert dir(spotter) == sorted(spotter.__all__)
    for name in spotter.__all__:
        assert getattr(spotter, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spotter.nothing
    assert spotter.__version__[0].isdigit()


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, spotter; print([m for m in ('torch', 'numpy', 'pandas', 'faiss') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_reference_page_is_what_the_docstrings_say() -> None:
    check = [sys.executable, str(REPOSITORY / "scripts" / "make" / "api.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr


def test_detections_make_a_table_and_show_themselves() -> None:
    found = Detections([spotter.Detection("talk <1>", "HOUSE", 1.0, 1.5, 0.91)])
    frame = found.to_frame()
    assert list(frame.columns) == ["video", "sign", "start", "end", "score"]
    assert frame.iloc[0].tolist() == ["talk <1>", "HOUSE", 1.0, 1.5, 0.91]
    assert list(Detections().to_frame().columns) == list(frame.columns)
    assert "<td>talk &lt;1&gt;</td><td>HOUSE</td><td>1.00 s</td>" in found._repr_html_()
    assert "and 10 more" in Detections(found * 60)._repr_html_()


def test_a_result_draws_its_timeline() -> None:
    """A bar of a detection from 2.5 s to 5 s of 10 s: from a quarter of the 640 px behind the glosses to half."""
    result = spotter.SpottingResult(
        "talk", Detections([spotter.Detection("talk", "A&B", 2.5, 5.0, 1.0)]), duration=10.0
    )
    shown = result._repr_html_()
    assert '<rect x="280.0" y="3" width="160.0"' in shown
    assert "A&amp;B" in shown
    assert repr(result) == "<SpottingResult talk: 1 detections in 10.0 s>"
    with pytest.raises(ValueError, match="nothing to draw"):
        result.plot()
    assert "failed: no &lt;file&gt;" in spotter.SpottingResult("talk", error="no <file>")._repr_html_()


def test_results_of_a_search_are_drawn() -> None:
    small = small_world()
    (result,) = spotter.spot_videos(small.queries[:1], small.gallery, small.encoder)
    curves, bars = result.plot(list(small.gallery.labels[:2])).axes
    assert [line.get_label() for line in curves.get_lines()] == list(small.gallery.labels[:2])
    assert [tick.get_text() for tick in bars.get_yticklabels()] == list(small.gallery.labels[:2])
    with pytest.raises(ValueError, match="'NOTHING' is not searched"):
        result.plot(["NOTHING"])
    assert len(result.to_frame()) == len(result.detections)


def test_an_archive_is_indexed_and_searched(tmp_path: Path) -> None:
    small = small_world()
    for query in small.queries:
        assert query.pose is not None
        write_pose(tmp_path / "my archive" / f"{query.name}.pose", query.pose)
    (tmp_path / "my archive" / "broken.pose").write_bytes(b"no pose")
    with pytest.raises(ValueError, match=r"1 recordings cannot be used.*broken\.pose"):
        spotter.index(tmp_path / "my archive", tmp_path / "corpus", small.encoder)
    failures: list[str] = []
    corpus = spotter.index(
        [tmp_path / "my archive"], tmp_path / "corpus", small.encoder, on_error=lambda _, why: failures.append(why)
    )
    assert sorted(corpus.videos) == ["query-1", "query-2"]
    assert len(failures) == 1
    sign = small.gallery.labels[5]
    hits = spotter.search_corpus(corpus, small.gallery.only([sign]), spotter.SearchOptions(most=2), small.encoder)
    assert {hit.video for hit in hits} == {"query-2"}  # where the sign is made twice
    again = spotter.search_corpus(tmp_path / "corpus", small.exemplars[5], spotter.SearchOptions(most=2), small.encoder)
    assert [(h.video, h.start) for h in again] == [(h.video, h.start) for h in hits]
