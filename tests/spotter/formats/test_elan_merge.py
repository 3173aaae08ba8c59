"""Our tiers in files by others: what is not ours keeps every byte, what is ours is valid and comes back."""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.formats.elan_merge import media_links, new_document, user_tiers, with_own, without_own
from spotter.formats.elan_own import OwnAnnotation, own_annotations

from .foreign_eaf import FOREIGN

OURS = [
    OwnAnnotation("HOUSE", 0.5, 1.25, "0.913", "Zoë", "accepted", "h1"),
    OwnAnnotation("TREE", 1.0, 1.6, "0.4", "ben", "unsure", "h2"),  # overlaps the first and third
    OwnAnnotation("HOUSE", 1.25, 2.0, "", "", "accepted", "h3"),
    OwnAnnotation('手 <&> "x"', 2.2, 2.9, "0.7", "anna", "accepted", "h4"),
    OwnAnnotation("LATE", 3600.0, 3600.0002, "0.1", "anna", "new", "h5"),  # shorter than a millisecond
]
ORDER = [
    "LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT",
    "CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET", "EXTERNAL_REF",
]  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_byte_of_others_stays(kind: str) -> None:
    data = FOREIGN[kind]
    merged = with_own(data, OURS, ["EXTRA"])
    assert merged != data
    assert without_own(merged) == data
    assert without_own(data) == data
    # a second search replaces the first one's tiers
    again = with_own(merged, OURS[:1])
    assert without_own(again) == data
    assert [a.hit for a in own_annotations(again)] == ["h1"]
    assert with_own(again, OURS, ["EXTRA"]) == merged
    # nothing to write is no reason to lose anything either
    assert without_own(with_own(data, [])) == data


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_piece_of_the_old_file_is_in_the_new_one_in_order(kind: str) -> None:
    """Not through our own reader: the old file's lines are a subsequence of the new one's."""
    data = FOREIGN[kind]
    encoding = "utf-16-le" if data[:2] == b"\xff\xfe" else "latin-1"
    old, new = (re.split(r"(?<=[>\n])", d.decode(encoding)) for d in (data, with_own(data, OURS)))
    if "empty" in kind:
        old.remove("<TIME_ORDER/>")
    remaining = iter(new)
    assert all(piece in remaining for piece in old)


@pytest.mark.parametrize("kind", FOREIGN)
def test_the_file_is_as_the_schema_has_it(kind: str) -> None:
    root = ElementTree.fromstring(with_own(FOREIGN[kind], OURS, ["EXTRA"]))
    names = [child.tag for child in root if child.tag in ORDER]
    assert names == sorted(names, key=ORDER.index)
    ids = [
        e.get(key)
        for e in root.iter()
        for key in ("TIME_SLOT_ID", "ANNOTATION_ID", "LANG_ID", "STEREOTYPE", "EXT_REF_ID")
        if e.get(key)
    ]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", str(i)) for i in ids)  # xsd:ID
    tiers = [t.get("TIER_ID") for t in root.findall("TIER")]
    assert len(tiers) == len(set(tiers))
    types = {t.get("LINGUISTIC_TYPE_ID"): t for t in root.findall("LINGUISTIC_TYPE")}
    slots = {s.get("TIME_SLOT_ID"): s.get("TIME_VALUE") for s in root.iter("TIME_SLOT")}
    vocabularies = {v.get("CV_ID"): v for v in root.findall("CONTROLLED_VOCABULARY")}
    languages = {lang.get("LANG_ID") for lang in root.findall("LANGUAGE")}
    for tier in root.findall("TIER"):
        kind_of = types[tier.get("LINGUISTIC_TYPE_REF")]
        assert tier.get("PARENT_REF") is None or tier.get("PARENT_REF") in tiers
        assert kind_of.get("CONSTRAINTS") is None or kind_of.get("CONSTRAINTS") in ids
        assert kind_of.get("CONTROLLED_VOCABULARY_REF") in (None, *vocabularies)
        spans = []
        for a in tier.iter("ALIGNABLE_ANNOTATION"):
            first, last = slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")]
            if first is not None and last is not None:
                spans.append((int(first), int(last)))
        assert all(a < b for a, b in spans)
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(sorted(spans)))
        for a in tier.iter("REF_ANNOTATION"):
            assert a.get("ANNOTATION_REF") in ids
    own = vocabularies["spotter-signs"]
    values = [e.text for e in own.iter("CVE_VALUE")] or [e.text for e in own.iter("CV_ENTRY")]
    assert values == sorted({a.sign for a in OURS} | {"EXTRA"})
    assert {e.get("LANG_REF") for e in own.iter("CVE_VALUE")} <= languages
    # ELAN does not open a file with an entry whose language no description of the vocabulary names
    assert {e.get("LANG_REF") for e in own.iter("CVE_VALUE")} == {e.get("LANG_REF") for e in own.iter("DESCRIPTION")}
    # … nor one in which two ids stand for one language
    definitions = [lang.get("LANG_DEF") for lang in root.findall("LANGUAGE")]
    assert len(definitions) == len(set(definitions))


@pytest.mark.parametrize("kind", FOREIGN)
def test_ours_come_back(kind: str) -> None:
    back = own_annotations(with_own(FOREIGN[kind], OURS))
    assert [(a.sign, a.score, a.reviewer, a.status, a.hit) for a in back] == [
        (a.sign, a.score, a.reviewer, a.status, a.hit) for a in OURS
    ]
    for a, b in zip(back, OURS, strict=True):
        assert a.start == pytest.approx(b.start, abs=5e-4)
        assert a.end == pytest.approx(max(b.end, b.start + 0.001), abs=5e-4)


def test_time_slots_lie_in_the_order_of_time_and_never_among_those_without_a_time(tmp_path: Path) -> None:
    data = FOREIGN["a corpus file as ELAN 6 saves it"]
    (tmp_path / "before.eaf").write_bytes(data)
    (tmp_path / "after.eaf").write_bytes(with_own(data, OURS))
    slots = [
        (s.get("TIME_SLOT_ID"), s.get("TIME_VALUE"))
        for s in ElementTree.fromstring(with_own(data, OURS)).iter("TIME_SLOT")
    ]
    names = [str(name) for name, _ in slots]
    at = names.index("ts2")
    assert names[at : at + 4] == ["ts2", "ts3", "ts4", "ts5"]
    # the three parts of the second gloss keep their thirds of its time
    before, after = (user_tiers(tmp_path / f"{k}.eaf")["parts"] for k in ("before", "after"))
    assert [(a.sign, a.start, a.end) for a in before] == [(a.sign, a.start, a.end) for a in after]
    assert [(a.start, a.end) for a in before] == [(1.0, 1.5), (2.0, 2.5)]
    values = [int(v) for n, v in slots if v is not None and not 1000 <= int(v) < 2500]
    assert values == sorted(values)


def test_names_that_are_taken_get_a_number_and_overlaps_another_tier() -> None:
    root = ElementTree.fromstring(with_own(FOREIGN["a corpus file as ELAN 6 saves it"], OURS))
    own = [t.get("TIER_ID") for t in root.findall("TIER") if str(t.get("LINGUISTIC_TYPE_REF")).startswith("spotter-")]
    assert own == [
        "Spotter (2)", "Spotter (2) score", "Spotter (2) reviewer", "Spotter (2) status", "Spotter (2) hit",
        "Spotter (3)", "Spotter (3) score", "Spotter (3) reviewer", "Spotter (3) status", "Spotter (3) hit",
    ]  # fmt: skip


def test_a_file_that_another_program_has_saved_is_read_and_cleaned(tmp_path: Path) -> None:
    """pympi, like ELAN, writes the file anew: other layout, other slots' ids.

    It loses the order of slots without a time, so the tier with such slots is left out.
    """
    from pympi import Eaf

    data = FOREIGN["a corpus file as ELAN 6 saves it"]
    (tmp_path / "ours.eaf").write_bytes(with_own(data, OURS))
    eaf = Eaf(str(tmp_path / "ours.eaf"))
    eaf.remove_tier("parts")
    eaf.clean_time_slots()
    eaf.to_file(str(tmp_path / "saved.eaf"))
    saved = (tmp_path / "saved.eaf").read_bytes()
    assert {a.hit for a in own_annotations(saved)} == {a.hit for a in OURS}
    cleaned = without_own(saved)
    assert b"spotter" not in cleaned
    (tmp_path / "cleaned.eaf").write_bytes(cleaned)
    assert set(user_tiers(tmp_path / "cleaned.eaf")) == {"GlossR S01", "Translation", "Spotter"}
    assert {a.sign for a in user_tiers(tmp_path / "saved.eaf")["Translation"]} == {"the house", "over there"}


def test_the_undetermined_language_is_added_once_and_the_files_own_used() -> None:
    data = FOREIGN["a corpus file as ELAN 6 saves it"]
    own = b'<LANGUAGE LANG_DEF="http://cdb.iso.org/lg/CDB-00130975-001" LANG_ID="nobody" LANG_LABEL="x"/>'
    having = data.replace(b"<CONSTRAINT", own + b"<CONSTRAINT", 1)
    for before, language in ((data, "und"), (having, "nobody")):
        root = ElementTree.fromstring(with_own(before, OURS))
        assert [x.get("LANG_ID") for x in root.findall("LANGUAGE")] == ["eng", language]
        assert {x.get("LANG_REF") for x in root.iter("CVE_VALUE")} == {"eng", language}
        assert without_own(with_own(before, OURS)) == before


def test_links_and_their_origin() -> None:
    (link,) = media_links(FOREIGN["a corpus file as ELAN 6 saves it"])
    assert (link.url, link.origin) == ("file:///D:/corpus/talk.mpg", 1.5)
    (link,) = media_links(FOREIGN["made by hand, EAF 2.7, elements of another world"])
    assert link.origin == 0


def test_a_new_document_takes_our_tiers(tmp_path: Path) -> None:
    video = tmp_path / "my videos" / "talk & more.mp4"
    document = new_document("anna", video, tmp_path / "out" / "talk.eaf")
    merged = with_own(document, OURS)
    assert without_own(merged) == document
    media = ElementTree.fromstring(merged).find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("MEDIA_URL") == f"file://{video}"
    assert media.get("RELATIVE_MEDIA_URL") == "../my videos/talk & more.mp4"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html/>", "root is <html>"),
        (b"<ANNOTATION_DOCUMENT>", "not valid XML"),
        (b"<ANNOTATION_DOCUMENT/>", "no HEADER"),
        (b"\xff\xfe\x00", "not readable as text"),
        (b'<?xml version="1.0" encoding="klingon"?><ANNOTATION_DOCUMENT/>', "not readable as text"),
        (b'<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="PAL-frames"/><TIME_ORDER/></ANNOTATION_DOCUMENT>', "PAL-frames"),
    ],
)
def test_what_is_no_such_file(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        with_own(data, OURS)
    with pytest.raises(ValueError, match="control characters"):
        with_own(FOREIGN["one line, empty, EAF 2.8"], [OwnAnnotation("a\x00b", 0, 1)])


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1).filter(
    lambda s: s.strip() == s
)
spans = st.tuples(st.integers(0, 5000), st.integers(1, 900))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(FOREIGN)), st.lists(st.tuples(texts, spans, texts), max_size=8), texts)
def test_any_annotations_in_any_of_them(kind: str, rows: list, tier: str) -> None:
    data = FOREIGN[kind]
    ours = [OwnAnnotation(s, a / 1000, (a + n) / 1000, hit=f"{i}{h}") for i, (s, (a, n), h) in enumerate(rows)]
    merged = with_own(data, ours, tier=tier)
    assert without_own(merged) == data
    back = own_annotations(merged)
    assert {(a.sign, a.start, a.end, a.hit) for a in back} == {(a.sign, a.start, a.end, a.hit) for a in ours}
