"""A project's results as files, corrections made in ELAN, and the search repeated from the log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spotter.cli.app import app
from spotter.formats import read
from spotter.formats.elan_merge import without_own
from spotter.formats.elan_own import own_annotations
from spotter.project.elan import elan_of, import_elan
from spotter.project.export import export_project
from spotter.project.folder import Project
from spotter.project.log import Line
from spotter.project.prepare import repeat_search, search_project
from spotter.project.refit import changes_of, learn, open_orders
from spotter.project.searching import Archive, Place

from ..formats.foreign_eaf import FOREIGN

FOREIGN_KIND = "a corpus file as ELAN 6 saves it"


def decide(project: Project, action: str, hit: str, who: str = "anna", **detail: object) -> None:
    project.log.append([Line(action, hit, who, f"{action}-{hit}-{project.log.last}", detail=detail)])


def surest(project: Project, count: int = 3, video: str = "talk one") -> list:
    hits = [h for h in project.state().hits.values() if h.video == video]
    return sorted(hits, key=lambda h: -(h.score or 0))[:count]


@pytest.fixture
def annotated(project: Project, tmp_path: Path) -> Project:
    """With a corpus file of the user's for one of the videos; its clock begins 1.5 s into the video."""
    data = FOREIGN[FOREIGN_KIND].replace(b"talk.mpg", b"talk%20one.mp4")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Session 7.eaf").write_bytes(data)
    project.add_elan([tmp_path / "mine" / "Session 7.eaf"])
    return project


def test_files_are_found_by_what_they_link(annotated: Project) -> None:
    ((path, origin),) = elan_of(annotated, "talk one")
    assert (path.name, origin) == ("Session 7.eaf", 1.5)
    assert elan_of(annotated, 'talk "two"') == []


def test_the_users_file_gets_our_tiers_and_keeps_every_byte(annotated: Project) -> None:
    hits = [h for h in surest(annotated, 20) if h.start > 1.6]
    decide(annotated, "accept", hits[0].id)
    decide(annotated, "accept", hits[1].id, who="ben")
    decide(annotated, "reject", hits[2].id)
    written = export_project(annotated, ["eaf", "csv", "vtt", "textgrid"])
    names = [p.name for p in written]
    assert names == ["Session 7.eaf", "annotations.csv", "talk one.vtt", "talk one.TextGrid"]
    original = annotated.elan_files["Session 7"].read_bytes()
    data = written[0].read_bytes()
    assert without_own(data) == original
    own = {a.hit: a for a in own_annotations(data)}
    assert set(own) == {hits[0].id, hits[1].id}
    assert own[hits[1].id].reviewer == "ben"
    assert own[hits[0].id].start == pytest.approx(hits[0].start - 1.5, abs=6e-4)
    assert {(d.sign, d.start) for d in read(written[1])} == {(h.sign, h.start) for h in hits[:2]}
    # the user's own file was not touched
    assert annotated.elan_files["Session 7"].resolve().read_bytes() == original


def corrected(data: bytes, *pairs: tuple[str, str]) -> bytes:
    text = data.decode()
    for old, new in pairs:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    return text.encode()


def test_corrections_made_in_elan_become_decisions(annotated: Project, tmp_path: Path) -> None:
    first, second, third = [h for h in surest(annotated, 30) if h.start > 1.6][:3]
    for hit in (first, second, third):
        decide(annotated, "accept", hit.id)
    path = next(p for p in export_project(annotated, ["eaf"], ["accepted", "new"]) if p.name == "Session 7.eaf")
    data = path.read_bytes()
    rows = {a.hit: a for a in own_annotations(data)}
    slot = f'TIME_VALUE="{round(rows[first.id].start * 1000)}"'
    text = data.decode()
    # as a person would in ELAN: an edge moved, a gloss changed, an annotation deleted with those below it, one added
    import xml.etree.ElementTree as ElementTree

    root = ElementTree.fromstring(data)
    by_hit = {
        e.findtext("ANNOTATION_VALUE"): str(e.get("ANNOTATION_REF"))
        for t in root.iter("TIER") if t.get("LINGUISTIC_TYPE_REF") == "spotter-hit" for e in t.iter("REF_ANNOTATION")
    }  # fmt: skip
    slots = {s.get("TIME_SLOT_ID"): s for s in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        for annotation in list(tier):
            element = annotation[0]
            own, above = element.get("ANNOTATION_ID"), element.get("ANNOTATION_REF")
            if own == by_hit[first.id]:
                slots[element.get("TIME_SLOT_REF1")].set("TIME_VALUE", str(round(rows[first.id].start * 1000) - 40))
            if own == by_hit[second.id]:
                annotation.find(".//ANNOTATION_VALUE").text = "BARN"  # type: ignore[union-attr]
            if by_hit[third.id] in (own, above):
                tier.remove(annotation)
    signs = next(t for t in root.iter("TIER") if t.get("LINGUISTIC_TYPE_REF") == "spotter-sign")
    order = next(root.iter("TIME_ORDER"))
    for name, time in (("ts90", 60), ("ts91", 90)):
        ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(time))
    new = ElementTree.SubElement(ElementTree.SubElement(signs, "ANNOTATION"), "ALIGNABLE_ANNOTATION",
                                 ANNOTATION_ID="a99", TIME_SLOT_REF1="ts90", TIME_SLOT_REF2="ts91")  # fmt: skip
    ElementTree.SubElement(new, "ANNOTATION_VALUE").text = "TREE"
    edited = tmp_path / "edited.eaf"
    edited.write_bytes(ElementTree.tostring(root))
    assert slot in text
    done = import_elan(annotated, edited, "zoë")
    assert (done.video, done.problems) == ("talk one", [])
    assert done.counts == {"span": 1, "relabel": 1, "add": 1, "reject": 1}
    hits = annotated.state().hits
    assert hits[first.id].start == pytest.approx(first.start - 0.04, abs=2e-3)
    assert hits[first.id].end == first.end  # an edge that nobody moved keeps all its digits
    assert (hits[second.id].sign, hits[second.id].status) == ("BARN", "accepted")
    assert (hits[third.id].status, hits[third.id].who) == ("rejected", "zoë")
    (added,) = [h for h in hits.values() if h.sign == "TREE"]
    assert (added.start, added.end, added.status) == (pytest.approx(1.56), pytest.approx(1.59), "accepted")
    # reading the same file again changes nothing
    assert import_elan(annotated, edited, "zoë").counts == {}


def test_a_file_that_nobody_corrected_brings_nothing(annotated: Project) -> None:
    decide(annotated, "accept", surest(annotated)[0].id)
    for path in export_project(annotated, ["eaf"], ["accepted", "unsure", "new"]):
        assert import_elan(annotated, path).counts == {}


def test_what_was_changed_in_the_project_meanwhile_stays(annotated: Project) -> None:
    hit = next(h for h in surest(annotated, 20) if h.start > 1.6)
    decide(annotated, "accept", hit.id)
    (path, *_) = export_project(annotated, ["eaf"])
    decide(annotated, "span", hit.id, start=hit.start - 0.2, end=hit.end)
    assert import_elan(annotated, path).counts == {}
    assert annotated.state().hits[hit.id].start == hit.start - 0.2


def test_which_video_must_be_clear(project: Project, tmp_path: Path) -> None:
    (tmp_path / "other.eaf").write_bytes(FOREIGN[FOREIGN_KIND])
    with pytest.raises(ValueError, match="which video"):
        import_elan(project, tmp_path / "other.eaf")
    (tmp_path / "empty.eaf").write_bytes(b"")
    with pytest.raises(ValueError, match="empty"):
        import_elan(project, tmp_path / "empty.eaf")
    with pytest.raises(ValueError, match="'pdf' is not known"):
        export_project(project, ["pdf"])


def test_the_same_log_gives_the_same_hits_and_scores(project: Project, tmp_path: Path) -> None:
    for k, hit in enumerate(surest(project, 8)):
        decide(project, "accept" if k % 3 else "reject", hit.id)
    sign = surest(project)[0].sign
    before = open_orders(project.state(), [sign])
    search_project(project, signs=[sign])
    assert repeat_search(project) == []
    (change,) = changes_of(before, open_orders(project.state(), [sign]))
    assert change["open"] == len(open_orders(project.state(), [sign])[sign])
    # later decisions do not change what the log said then
    decide(project, "accept", surest(project, 12)[11].id)
    assert repeat_search(project) == []
    # a copy elsewhere gives the same
    shutil.copytree(project.folder, tmp_path / "copy", symlinks=True)
    copy = Project.open(tmp_path / "copy")
    assert repeat_search(copy) == []
    copy.close()
    done = CliRunner().invoke(app, ["refit", str(project.folder), "--check"])
    assert done.exit_code == 0, done.output
    assert "the same hits" in done.output


def test_accepted_hits_become_exemplars_with_their_donor(project: Project) -> None:
    hit = surest(project)[0]
    decide(project, "accept", hit.id)
    archive = Archive(project)
    gallery = archive.gallery(project.state())
    facts = gallery.facts[gallery.ids.index(hit.id)]
    assert (facts["donor"], facts["source"], facts["start"]) == ("talk one", "talk one", hit.start)
    assert hit.id not in archive.gallery(project.state(), accepted=False).ids
    # its vector is that of its place, as the encoder makes it from the stored features
    vector = archive.vectors([Place(hit.video, hit.start, hit.end)])[0]
    assert float(vector @ gallery.vectors[gallery.ids.index(hit.id)]) == pytest.approx(1.0, abs=1e-6)


def test_rejected_hits_fall_and_decided_places_keep_their_names(project: Project) -> None:
    archive, state = Archive(project), project.state()
    sign = surest(project)[0].sign
    own = sorted((h for h in state.hits.values() if h.sign == sign), key=lambda h: -(h.score or 0))
    decide(project, "accept", own[0].id)
    decide(project, "reject", own[5].id)
    found = learn(archive, project.state(), [sign])
    scores = {(d.video, d.start): d.score for d in found.detections}
    assert scores[own[5].video, own[5].start] < (own[5].score or 0)
    assert scores[own[0].video, own[0].start] > 0.9
    project.record("learned", found.detections, archive.weights, found.detail)
    hits = project.state().hits
    assert (hits[own[0].id].status, hits[own[5].id].status) == ("accepted", "rejected")
    assert found.detail["decisions"] == {sign: [1, 1]}
    with pytest.raises(ValueError, match="no exemplar of NOBODY"):
        learn(archive, project.state(), ["NOBODY"])


def test_commands_of_a_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    decide(project, "accept", surest(project)[0].id)
    run = CliRunner()
    done = run.invoke(app, ["export", "--as", "json", "--as", "decisions.csv"])
    assert done.exit_code == 0, done.output
    assert len(json.loads((project.at.exports / "annotations.json").read_text())["detections"]) == 1
    done = run.invoke(app, ["decisions", "log", "--json"])
    assert [row["action"] for row in json.loads(done.output)] == ["accept"]
    done = run.invoke(app, ["decisions", "import", str(project.at.exports / "decisions.csv")])
    assert "0 lines taken in, 1 were there" in done.output
