"""The corpus: what is stored, what a search finds, and that neither a kill nor a damaged file goes unnoticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import write_pose
from gallery import corpus_index
from gallery.corpus_index import IndexLayout, exact_top
from spotter import Detection
from spotter.corpus import folder as corpus_module
from spotter.corpus import search as corpus_search
from spotter.corpus.folder import Corpus, CorpusSettings
from spotter.corpus.indexing import index_videos, settings_for
from spotter.corpus.options import SearchOptions
from spotter.corpus.search import search_gallery
from spotter.corpus.video import CorpusError, read_stored

from ...conftest import REPOSITORY
from ..worlds import said, small_world


@pytest.fixture(scope="module")
def poses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six pose files: signs 0 to 4, then signs 5, 0, 6, then four without sign 0."""
    folder = tmp_path_factory.mktemp("poses")
    small = small_world()
    clips = [*small.queries, *(said(small.world, [2 + i % 4, 6, 3], 3 + i) for i in range(4))]
    for clip in clips:
        assert clip.pose is not None
        write_pose(folder / f"{clip.name}.pose", clip.pose)
    return folder


def filled(folder: Path, sources: list[Path]) -> Corpus:
    encoder = small_world().encoder
    corpus = Corpus.create(folder, settings_for(encoder))
    for result in index_videos(corpus, sources, encoder):
        assert not result.error
    return corpus


@pytest.fixture(scope="module")
def corpus(poses: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("made") / "corpus"
    made = filled(folder, sorted(poses.glob("*.pose")))
    made.add_facts(
        {f"query-{i}": {"signer": "anna" if i < 3 else "ben", "date": f"20{20 + i}-0{i}-01"} for i in range(1, 6)}
    )
    return Corpus.open(folder)


def same(one: list[Detection], other: list[Detection]) -> bool:
    """The same hits; scores may differ by rounding, as products are summed in another order."""
    places = [(d.video, d.sign, d.start, d.end) for d in one] == [(d.video, d.sign, d.start, d.end) for d in other]
    return places and np.allclose([d.score for d in one], [d.score for d in other], atol=1e-5)


def test_rows_are_the_encoders_windows_with_their_times(corpus: Corpus) -> None:
    from embeddings.handedness import right_handed

    small = small_world()
    video = corpus.videos["query-2"]
    inputs = small.encoder.prepare(right_handed(small.queries[1]))
    rows = np.arange(video.rows)
    spans = video.windows(rows)
    np.testing.assert_allclose(small.encoder.embed(inputs, spans), video.vectors, atol=2e-3)
    assert {round(b - a) for a, b in spans} == set(corpus.settings.lengths)
    assert len(video.features) == video.frames
    assert video.intact()


def test_a_sign_is_found_where_it_is_said(corpus: Corpus) -> None:
    small = small_world()
    gallery = small.gallery.only([small.gallery.labels[0]])
    hits = search_gallery(corpus, gallery, SearchOptions(most=2), small.encoder)
    spans = {c.name: [(s.start / c.fps, s.end / c.fps) for s in c.spans if s.label == hits[0].sign]
             for c in small.queries}  # fmt: skip
    assert {h.video for h in hits} == {"query-1", "query-2"}
    for hit in hits:
        (start, end) = spans[hit.video][0]
        inner = min(hit.end, end) - max(hit.start, start)
        assert inner > 0.5 * (max(hit.end, end) - min(hit.start, start))


def test_hits_are_ranked_and_do_not_overlap(corpus: Corpus) -> None:
    gallery = small_world().gallery.only([small_world().gallery.labels[1]])
    hits = search_gallery(corpus, gallery, SearchOptions(most=30))
    assert len(hits) > 10
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    for i, a in enumerate(hits):
        for b in hits[:i]:
            if a.video == b.video:
                inner = min(a.end, b.end) - max(a.start, b.start)
                assert inner <= 0.5 * min(a.end - a.start, b.end - b.start) + 1e-6
    least = hits[4].score
    assert search_gallery(corpus, gallery, SearchOptions(most=30, threshold=least)) == hits[:5]


def test_filters_by_video_signer_and_date(corpus: Corpus) -> None:
    assert corpus.choose(signers=["anna"]) == ["query-1", "query-2"]
    assert corpus.choose(since="2022-02", until="2024") == ["query-2", "query-3", "query-4"]
    assert corpus.choose(videos=["query-5", "query-6"], since="2000") == ["query-5"]
    gallery = small_world().gallery.only([small_world().gallery.labels[0]])
    assert {h.video for h in search_gallery(corpus, gallery, SearchOptions(signers=["ben"]))} <= {
        "query-3",
        "query-4",
        "query-5",
    }
    with pytest.raises(CorpusError, match="no video 'query-9'"):
        corpus.choose(videos=["query-9"])
    with pytest.raises(CorpusError, match="no signer 'carl'"):
        corpus.choose(signers=["carl"])
    with pytest.raises(CorpusError, match="YYYY"):
        corpus.choose(since="last week")


def test_the_index_finds_what_comparing_all_rows_finds(
    poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = filled(tmp_path / "corpus", sorted(poses.glob("*.pose"))[:5])
    gallery = small_world().gallery
    without = search_gallery(corpus, gallery, SearchOptions(most=3))
    # every list is looked into, so that what is found is exact
    monkeypatch.setattr(corpus_index, "layout_for", lambda rows, dim: IndexLayout(8, "SQ8", 8, 2000, 1500))
    assert corpus.build(always=True)
    assert [v.name for v in corpus.unindexed()] == []
    monkeypatch.setattr(corpus_search, "EXACT_ROWS", 0)
    assert same(search_gallery(Corpus.open(corpus.folder), gallery, SearchOptions(most=3)), without)
    # a filter leaves the others out inside the index
    assert {h.video for h in search_gallery(corpus, gallery, SearchOptions(videos=["query-3"]))} == {"query-3"}
    # without a rebuild: one comes, one goes, one changes
    for _ in index_videos(corpus, [sorted(poses.glob("*.pose"))[5]], small_world().encoder):
        pass
    corpus.remove(["query-1"])
    pose = small_world().queries[1].pose
    assert pose is not None
    changed = write_pose(tmp_path / "query-2.pose", pose[7:])
    for result in index_videos(corpus, [changed], small_world().encoder):
        assert not result.skipped
    assert {v.name for v in corpus.unindexed()} == {"query-6", "query-2"}
    found = search_gallery(Corpus.open(corpus.folder), gallery, SearchOptions(most=3))
    corpus.build(always=True)
    monkeypatch.setattr(corpus_search, "EXACT_ROWS", 10**9)
    assert same(search_gallery(Corpus.open(corpus.folder), gallery, SearchOptions(most=3)), found)
    assert "query-1" not in {h.video for h in found}


def test_the_index_is_built_when_many_rows_wait(poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = filled(tmp_path / "corpus", sorted(poses.glob("*.pose"))[:2])
    assert not corpus.build()
    monkeypatch.setattr(corpus_module, "BUILD_FROM", corpus.rows)
    assert corpus.build()
    assert not corpus.build()


def test_again_with_the_same_sources_nothing_is_done(corpus: Corpus, poses: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (corpus.folder / "videos").iterdir()}
    results = list(index_videos(corpus, sorted(poses.glob("*.pose")), small_world().encoder))
    assert all(r.skipped for r in results)
    assert {p: p.stat().st_mtime_ns for p in (corpus.folder / "videos").iterdir()} == before


def test_one_bad_source_does_not_stop_the_others(poses: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pose").write_bytes(b"no pose")
    corpus = Corpus.create(tmp_path / "corpus", settings_for(small_world().encoder))
    sources = [tmp_path / "bad.pose", sorted(poses.glob("*.pose"))[0]]
    results = list(index_videos(corpus, sources, small_world().encoder))
    assert [bool(r.error) for r in results] == [True, False]
    assert list(corpus.videos) == ["query-1"]


def test_a_damaged_folder_is_told(corpus: Corpus, poses: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(CorpusError, match="no corpus here"):
        Corpus.open(tmp_path)
    copy = tmp_path / "corpus"
    shutil.copytree(corpus.folder, copy)
    file = copy / "videos" / "query-1.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(CorpusError, match=r"query-1\.safetensors: damaged"):
        Corpus.open(copy)
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert not Corpus.open(copy).videos["query-1"].intact()
    file.unlink()
    shutil.copy(copy / "videos" / "query-2.safetensors", copy / "videos" / "query-7.safetensors")
    with pytest.raises(CorpusError, match="query-7"):
        Corpus.open(copy)
    (copy / "videos" / "query-7.safetensors").unlink()
    with pytest.raises(CorpusError, match="another folder"):
        Corpus.create(copy, CorpusSettings("another", 256, 25.0))
    (copy / "corpus.json").write_text('{"format": "sign-spotter corpus", "version": 99}')
    with pytest.raises(CorpusError, match="version 99"):
        Corpus.open(copy)


def test_two_writers_do_not_meet(corpus: Corpus) -> None:
    code = (
        "import sys; from pathlib import Path; from spotter.corpus.folder import Corpus\n"
        f"with Corpus.open(Path({str(corpus.folder)!r})).writing(): pass"
    )
    with corpus.writing():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode != 0
    assert "another process is writing" in done.stderr


def test_exact_top_equals_sorting_all(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows, queries = rng.standard_normal((500, 8)).astype(np.float16), rng.standard_normal((3, 8)).astype(np.float32)
    _, ids = exact_top(queries, [(0, rows[:200]), (200, rows[200:])], 40)
    everything = queries @ rows.astype(np.float32).T
    np.testing.assert_array_equal(ids, np.argsort(-everything, axis=1, kind="stable")[:, :40])
    few_scores, few = exact_top(queries, [(0, rows[:5])], 9)
    assert (few[:, 5:] == -1).all()
    assert np.isneginf(few_scores[:, 5:]).all()


def test_a_header_says_what_the_file_holds(corpus: Corpus) -> None:
    video = corpus.videos["query-1"]
    again = read_stored(video.path)
    assert (again.name, again.rows, again.frames) == (video.name, video.rows, video.frames)
    assert Path(again.source).name == "query-1.pose"


def test_the_command_line_indexes_and_searches(poses: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from spotter.cli.app import app

    pose = small_world().exemplars[0].pose
    assert pose is not None
    sign = write_pose(tmp_path / "SIGN.pose", pose)
    people, folder = tmp_path / "people.csv", tmp_path / "corpus"
    people.write_text("video,signer,date\nquery-1.mp4,anna,2021-05-01\nquery-2,ben,2022-01-31\n")
    sources = [str(poses / f"query-{i}.pose") for i in (1, 2)]
    made = CliRunner().invoke(app, ["index", *sources, "-o", str(folder), "--facts", str(people), "--check", "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["videos"] == 2
    hits = [str(tmp_path / name) for name in ("hits.eaf", "hits.csv")]
    limits = ["--signer", "ben", "--most", "1", "-o", hits[0], "-o", hits[1]]
    found = CliRunner().invoke(app, ["search", str(folder), str(sign), *limits])
    assert found.exit_code == 0, found.output
    assert Path(hits[0]).is_file()
    rows = Path(hits[1]).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("query-2,SIGN,")
    wrong = CliRunner().invoke(app, ["search", str(folder), str(sign), "--video", "nobody"])
    assert "no video 'nobody'" in str(wrong.exception)
