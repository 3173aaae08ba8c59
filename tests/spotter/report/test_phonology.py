"""A description written as ELAN, CSV and page, and two signs compared."""

import csv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from embeddings.phonology.describe import PARAMETERS, ParameterValue, compare, describe
from embeddings.synthetic import SignWorld
from eval.segments import read_segments
from spotter.report.phonology import write_description

WORLD = SignWorld(seed=5, signs=3)


def test_a_real_description_in_every_format(tmp_path: Path) -> None:
    pose = WORLD.clip(0).pose
    assert pose is not None
    found = describe(pose)
    assert {s.parameter for s in found} <= set(PARAMETERS)
    assert {"location", "orientation", "movement"} <= {s.parameter for s in found}
    assert all(0 <= s.start < s.end <= pose.duration + 1e-9 and 0 <= s.confidence <= 1 for s in found)
    media = tmp_path / "talk.mp4"
    media.write_bytes(b"stands for a video")
    for ending in ("eaf", "csv", "html"):
        write_description(tmp_path / f"d.{ending}", found, "talk", media)
    rows = read_segments(tmp_path / "d.eaf", tiers=["location right"])["talk"]
    planned = [(s.value, s.start, s.end) for s in found if (s.parameter, s.hand) == ("location", "right")]
    assert [s.sign for s in rows] == [p[0] for p in planned]
    assert [s.start for s in rows] == pytest.approx([p[1] for p in planned], abs=5e-4)
    with (tmp_path / "d.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found)
    page = (tmp_path / "d.html").read_text(encoding="utf-8")
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert len([g for g in svg if str(g.get("class", "")).startswith("value")]) == len(found)
    assert 'src="./talk.mp4"' in page


def test_hostile_values_stay_text(tmp_path: Path) -> None:
    bad = [ParameterValue("location", "left", "<script>x</script>", 0.0, 3.0, 0.9)]
    page = write_description(tmp_path / "d.html", bad, "<b>").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    with pytest.raises(ValueError, match=r"\.txt"):
        write_description(tmp_path / "d.txt", bad, "v")


def test_the_same_sign_differs_less_than_another() -> None:
    first, again = WORLD.clip(0).pose, WORLD.clip(0, signer=1, camera=1).pose
    other = WORLD.clip(1, signer=1).pose
    assert first is not None
    assert again is not None
    assert other is not None
    same, different = compare(first, again), compare(first, other)
    assert same.differ == ()
    assert "location" in different.differ
    assert sum(different.distances.values()) > sum(same.distances.values()) + 1
