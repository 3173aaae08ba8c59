"""One corpus filled by several processes, how far it is, and several corpora searched as one."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spotter
from embeddings.pose import write_pose
from spotter.cli.app import app
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import index_videos, settings_for
from spotter.corpus.progress import RunRecord, status_of
from spotter.corpus.share import Share
from spotter.corpus.video import CorpusError

from ..worlds import said, small_world


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings' poses and a file that is none, in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("made") / "my talks"
    folder.mkdir()
    small = small_world()
    for clip in (*small.queries, *(said(small.world, [2 + i, 6], 3 + i) for i in range(3))):
        assert clip.pose is not None
        write_pose(folder / f"{clip.name}.pose", clip.pose)
    (folder / "broken.pose").write_bytes(b"no pose")
    return folder


@given(st.integers(1, 9), st.lists(st.integers(), max_size=40))
def test_all_parts_together_are_all_items_each_once(count: int, items: list[int]) -> None:
    parts = [Share(number, count).of(items) for number in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == sorted(items)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3", "1.0/2"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected I/N"):
        Share.parse(text)


def test_parts_at_the_same_time_make_what_one_run_makes(talks: Path, tmp_path: Path) -> None:
    encoder = small_world().encoder
    whole = spotter.index(talks, tmp_path / "whole", encoder, on_error=lambda *_: None)
    corpora = [Corpus.create(tmp_path / "parts", settings_for(encoder)) for _ in range(3)]
    runs = [index_videos(c, [talks], encoder, share=Share(i, 3)) for i, c in enumerate(corpora, start=1)]
    # all three begin before the first one ends
    firsts = [next(run) for run in runs]
    assert len({first.source.name for first in firsts}) == 3
    with ThreadPoolExecutor(1) as elsewhere:  # a thread of its own sees locks as another process does
        now = elsewhere.submit(lambda: status_of(Corpus.open(tmp_path / "parts"))).result()
        assert now.active == ("1/3", "2/3", "3/3")
        assert (now.planned, now.done + len(now.failed) + now.waiting) == (6, 6)
        again = elsewhere.submit(lambda: next(index_videos(corpora[0], [talks], encoder, share=Share(2, 3))))
        with pytest.raises(CorpusError, match="part 2/3 of this corpus is being indexed"):
            again.result()
        with pytest.raises(CorpusError, match="another process is writing"):
            elsewhere.submit(lambda: spotter.index((), tmp_path / "parts")).result()
    for run in runs:
        list(run)
    taken = spotter.index((), tmp_path / "parts")
    assert {name: v.content for name, v in taken.videos.items()} == {n: v.content for n, v in whole.videos.items()}
    assert (tmp_path / "parts" / "videos.csv").read_text() == (tmp_path / "whole" / "videos.csv").read_text()
    with pytest.raises(ValueError, match="part 1/2 writes videos alone"):
        spotter.index(talks, tmp_path / "parts", encoder, share=Share(1, 2), rebuild=True)


def test_the_status_says_what_is_done_failed_and_still_to_do(talks: Path, tmp_path: Path) -> None:
    encoder = small_world().encoder
    corpus = Corpus.create(tmp_path / "corpus", settings_for(encoder))
    run = index_videos(corpus, [talks], encoder)
    next(run), next(run)
    run.close()  # as an interrupted run
    runner = CliRunner()
    shown = runner.invoke(app, ["status", str(tmp_path / "corpus"), "--failed"]).output
    now = status_of(Corpus.open(tmp_path / "corpus"))
    assert (now.planned, now.done, len(now.failed), now.waiting) == (6, 1, 1, 4)
    assert now.stopped == ("whole",)
    assert now.last_hour == now.last_day == 1
    assert now.remaining_hours == 4
    assert "1 of 6 planned are done, 1 failed, 4 to do" in shown
    assert "stopped before their end: whole" in shown
    assert "broken.pose" in shown
    for _ in index_videos(corpus, [talks], encoder):
        pass
    now = status_of(Corpus.open(tmp_path / "corpus"))
    assert (now.done, len(now.failed), now.waiting, now.stopped) == (5, 1, 0, ())
    assert '"waiting": 0' in runner.invoke(app, ["status", str(tmp_path / "corpus"), "--json"]).output
    (tmp_path / "corpus" / "runs" / "whole.json").write_text('{"planned": 3}')
    with pytest.raises(CorpusError, match=r"whole\.json"):
        RunRecord.load(tmp_path / "corpus" / "runs" / "whole.json")
    damaged = runner.invoke(app, ["status", str(tmp_path / "corpus")])
    assert damaged.exit_code != 0


def test_several_corpora_are_searched_as_if_they_were_one(talks: Path, tmp_path: Path) -> None:
    small = small_world()
    gallery = small.gallery.only(small.gallery.labels[:3])
    files = sorted(p for p in talks.glob("query-*.pose"))
    together = spotter.index(files, tmp_path / "all", small.encoder)
    parts = [spotter.index(f, tmp_path / n, small.encoder) for n, f in (("one", files[:2]), ("two", files[2:]))]
    options = spotter.SearchOptions(most=4)
    one = spotter.search_corpus(together, gallery, options, small.encoder)
    several = spotter.search_corpus([parts[0], tmp_path / "two"], gallery, options, small.encoder)
    # of each corpus so many places are looked at closely: the last ones of a list may be others
    sure, surely = ([h for h in hits if h.score > 0.5] for hits in (one, several))
    assert len(sure) >= 3
    assert [(h.video, h.sign, h.start) for h in surely] == [(h.video, h.sign, h.start) for h in sure]
    np.testing.assert_allclose([h.score for h in surely], [h.score for h in sure], atol=1e-5)
    # the same names in both: told apart by their folders
    shutil.copytree(tmp_path / "one", tmp_path / "other" / "one")
    twice = spotter.search_corpus([parts[0], tmp_path / "two", together], gallery, options, small.encoder)
    assert {h.video.split("/")[0] for h in twice} <= {"one", "two", "all"}
    parts[0].add_facts({"query-1": {"signer": "anna", "date": "", "year": "1985"}})
    parts[1].add_facts({"query-4": {"signer": "ben", "date": "", "year": "2001"}})
    filtered = spotter.SearchOptions(most=4, signers=["anna"])
    assert {h.video for h in spotter.search_corpus(parts, gallery, filtered, small.encoder)} == {"query-1"}
    filtered = spotter.SearchOptions(most=4, where="year < 1990 or signer = 'ben'")
    assert {h.video for h in spotter.search_corpus(parts, gallery, filtered, small.encoder)} <= {"query-1", "query-4"}
    with pytest.raises(CorpusError, match="signer 'carl'"):
        spotter.search_corpus(parts, gallery, spotter.SearchOptions(signers=["carl"]), small.encoder)
