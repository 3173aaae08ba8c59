"""ELAN files, looked at with the standard library's XML reader as ELAN would: slots, ids, types, media, overlaps."""

import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest

from eval.segments import Segment, read_segments
from spotter import Detection
from spotter.formats import read, write
from spotter.formats.elan import write_eaf


def overlapping() -> list[Detection]:
    return [
        Detection("talk", "HOUSE", 2.0, 3.0, 0.9),
        Detection("talk", "HOUSE", 0.5, 1.25, 0.8),
        Detection("talk", "HOUSE", 1.25, 2.125, 0.7),  # touches the one before, overlaps the first
        Detection("talk", "HOUSE (2)", 0.1, 0.2, 0.4),  # a gloss like a further tier's name
        Detection("talk", "HOUSE score", 0.3, 0.4, 0.3),  # a gloss like a score tier's name
        Detection("talk", "手 <&>", 1.0, 1.0004, 0.5),  # shorter than a millisecond
    ]


@pytest.mark.parametrize("tiers", ["sign", "gloss"])
def test_what_elan_checks(tmp_path: Path, tiers: str) -> None:
    write(tmp_path / "talk.eaf", overlapping(), tmp_path / "talk.mp4", tiers=tiers)
    root = ElementTree.parse(tmp_path / "talk.eaf").getroot()
    slots = [(s.get("TIME_SLOT_ID"), int(s.get("TIME_VALUE", ""))) for s in root.iter("TIME_SLOT")]
    assert [t for _, t in slots] == sorted(t for _, t in slots)
    assert len({name for name, _ in slots}) == len(slots) == 12
    ids = [a.get("ANNOTATION_ID") for tag in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION") for a in root.iter(tag)]
    assert len(set(ids)) == len(ids) == 12
    types = {t.get("LINGUISTIC_TYPE_ID"): t for t in root.iter("LINGUISTIC_TYPE")}
    assert types["score"].get("CONSTRAINTS") == "Symbolic_Association"
    assert types["score"].get("TIME_ALIGNABLE") == "false"
    assert {t.get("LINGUISTIC_TYPE_REF") for t in root.iter("TIER")} == set(types)
    names = [t.get("TIER_ID") for t in root.iter("TIER")]
    assert len(set(names)) == len(names)
    when = dict(slots)
    for tier in root.iter("TIER"):
        spans = sorted(
            (when[a.get("TIME_SLOT_REF1")], when[a.get("TIME_SLOT_REF2")]) for a in tier.iter("ALIGNABLE_ANNOTATION")
        )
        assert all(a < b for a, b in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        own = {
            a.get("ANNOTATION_ID")
            for t in root.iter("TIER")
            if t.get("TIER_ID") == tier.get("PARENT_REF")
            for a in t.iter("ALIGNABLE_ANNOTATION")
        }
        assert {a.get("ANNOTATION_REF") for a in tier.iter("REF_ANNOTATION")} <= own
    assert [e.tag for e in root][:2] == ["HEADER", "TIME_ORDER"]
    assert root.find("HEADER").get("TIME_UNITS", "milliseconds") == "milliseconds"


def test_scores_and_times_come_back(tmp_path: Path) -> None:
    write(tmp_path / "talk.eaf", overlapping())
    back = {(d.sign, d.start): d for d in read(tmp_path / "talk.eaf")}
    for d in overlapping():
        assert back[d.sign, d.start].score == pytest.approx(d.score)
        assert back[d.sign, d.start].end == pytest.approx(max(d.end, d.start + 0.001), abs=5e-4)
        assert back[d.sign, d.start].video == "talk"


def test_media_is_linked_by_both_ways(tmp_path: Path) -> None:
    video = tmp_path / "media folder" / "Vidéo 1.MOV"
    write_eaf(tmp_path / "notes" / "a.eaf", overlapping(), "talk", video)
    media = ElementTree.parse(tmp_path / "notes" / "a.eaf").getroot().find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("MEDIA_URL") == f"file://{video}"
    assert media.get("RELATIVE_MEDIA_URL") == "../media folder/Vidéo 1.MOV"
    assert media.get("MIME_TYPE") == "video/quicktime"
    beside = tmp_path / "notes" / "v.mp4"
    write_eaf(tmp_path / "notes" / "b.eaf", [], "talk", beside)
    media = ElementTree.parse(tmp_path / "notes" / "b.eaf").getroot().find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("RELATIVE_MEDIA_URL") == "./v.mp4"


BY_HAND = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/corpus/session%207.mpg" MIME_TYPE="video/mpeg"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts2"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="gloss" TIER_ID="RH-IDgloss">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3">
<ANNOTATION_VALUE>HAUS</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="sub" TIER_ID="parts" PARENT_REF="RH-IDgloss">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>up</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
<ANNOTATION_VALUE>down</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="word" TIER_ID="meaning" PARENT_REF="RH-IDgloss">
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a1"><ANNOTATION_VALUE>house</ANNOTATION_VALUE>
</REF_ANNOTATION></ANNOTATION></TIER>
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="gloss" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false"
LINGUISTIC_TYPE_ID="sub" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false"
LINGUISTIC_TYPE_ID="word" TIME_ALIGNABLE="false"/>
</ANNOTATION_DOCUMENT>
"""


def test_ground_truth_from_an_annotators_file(tmp_path: Path) -> None:
    path = tmp_path / "x.eaf"
    path.write_text(BY_HAND, encoding="utf-8")
    assert read_segments(path) == {"session 7": [Segment("session 7", "HAUS", 1.0, 2.0)]}
    assert read_segments(path, tiers=["parts"]) == {
        "session 7": [Segment("session 7", "up", 1.0, 1.5), Segment("session 7", "down", 1.5, 2.0)]
    }
    assert read_segments(path, tiers=["meaning"]) == {"session 7": [Segment("session 7", "house", 1.0, 2.0)]}
    with pytest.raises(ValueError, match="no tier LH; it has RH-IDgloss, parts, meaning"):
        read_segments(path, tiers=["LH"])


@pytest.mark.parametrize("sign", ["a\x00b", "  ", ""])
def test_a_gloss_that_xml_cannot_hold_is_named(tmp_path: Path, sign: str) -> None:
    with pytest.raises(ValueError, match="ELAN"):
        write(tmp_path / "a.eaf", [Detection("v", sign, 0, 1, 1)])
    assert list(tmp_path.iterdir()) == []
