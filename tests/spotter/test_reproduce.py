"""`spotter reproduce`: every command line is one of the program, reads what is there by then, and the class query's
runs from annotation to score on its miniature."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from embeddings.encoders.checkpoint import load_checkpoint
from eval.datasets import DATASETS, read_dataset
from spotter.cli.app import app
from spotter.reproduce import SYSTEMS, Place
from spotter.reproduce.lists import write_lists

pytestmark = pytest.mark.usefixtures("one_thread")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


WRITES = {"train": "-o", "data": "-o", "convert": "-o", "phonology": "-o", "classify": "-o", "enroll": "-o",
          "spot": "-o", "ensemble": "-o", "explain": "-o"}  # fmt: skip


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("name", list(SYSTEMS))
def test_every_command_is_one_of_the_program_and_reads_what_is_there_by_then(name: str, small: bool) -> None:
    """Words are parsed by the program itself; every path inside the reproduction's folder was written before."""
    from typer.main import get_command

    program, written = get_command(app), {"out/poses"}
    for words in SYSTEMS[name].commands(Place(Path("DATA"), Path("out"), small)):
        command, rest = program, list(words)
        while isinstance(command, typer.core.TyperGroup):
            found = command.get_command(typer.Context(command), rest[0])
            assert found is not None, words
            command, rest = found, rest[1:]
        context = command.make_context(command.name, list(rest))
        assert context is not None
        target = words[words.index(WRITES[words[0]]) + 1] if words[0] in WRITES else ""
        others = {p for word in words if word != target for p in re.findall(r"out/[^?&;, ]+", word)}
        if words[0] == "classify" and "--scores" in words:
            written.add(words[words.index("--scores") + 1])
        if words[:2] == ("ensemble", "predict"):
            written.add(words[words.index("--labels") + 1])
        for path in others - written:
            folders = {str(parent) for parent in Path(path).parents}
            assert folders & written, f"{path} of {shlex.join(words)} is nobody's"
        written.add(target)


def test_the_list_and_a_wrong_name() -> None:
    listed = run("reproduce").output
    assert all(name in listed for name in SYSTEMS)
    assert "92.92 %" in listed
    wrong = run("reproduce", "vtn")
    assert "'vtn' is not known; expected one of uwb, vtn-pf" in str(wrong.exception)


def test_commands_alone_write_nothing(tmp_path: Path) -> None:
    done = run("reproduce", "vtn-pf", "--data", tmp_path / "AUTSL", "-o", tmp_path / "out", "--commands")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert [line.split()[2] for line in lines] == ["data", "train", "classify", "eval"]
    assert "--set" not in done.output  # the published recipe as it is
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_the_data_set_is_refused(tmp_path: Path) -> None:
    done = run("reproduce", "vtn-pf", "--data", tmp_path, "-o", tmp_path / "out")
    assert "holds no train_labels.csv, train, val, test; expected autsl as it is published" in str(done.exception)


@pytest.mark.timeout(900)  # renders and estimates the poses of some 400 frames
def test_from_annotation_to_score_on_a_miniature(tmp_path: Path) -> None:
    done = run("reproduce", "spoter-ipn", "-o", tmp_path / "a folder")
    assert done.exit_code == 0, (done.output, done.exception)
    mini = tmp_path / "a folder" / "mini"
    assert "ipn" in DATASETS
    samples = read_dataset("ipn", mini)
    assert {s.label for s in samples} == {"D0X", "B0A", "B0B", "G01", "G02"}
    assert {s.split for s in samples} == {"train", "test"}
    model = load_checkpoint(tmp_path / "a folder" / "class-query" / "best.safetensors")
    assert model.label_set == ("B0A", "B0B", "G01", "G02")  # of the gestures alone
    assert re.search(r"top-1\s+[01]\.\d+\s+\d+\s+4 ", done.output)
    assert (tmp_path / "a folder" / "weights" / "input_weights.csv").is_file()


def test_lists_of_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "id,path,label,signer,split\na,train/a_color.mp4,YES,s0,train\nb,val/b_color.mp4,NO,s1,validation\n"
    )
    counts = write_lists(tmp_path / "manifest.csv", tmp_path / "AUTSL", tmp_path / "lists")
    assert counts == {"train.csv": 1, "labels.csv": 2, "validation.csv": 1, "signers.csv": 2}
    assert (tmp_path / "lists" / "train.csv").read_text().split() == [
        "file,label", f"{tmp_path.resolve()}/AUTSL/train/a_color.mp4,YES",
    ]  # fmt: skip
    assert (tmp_path / "lists" / "labels.csv").read_text().split() == [
        "sample,label,split,signer", "a_color,YES,train,s0", "b_color,NO,validation,s1",
    ]  # fmt: skip
    (tmp_path / "twice.csv").write_text("id,path,label\na,x/a.mp4,YES\nb,y/a.mp4,NO\n")
    with pytest.raises(ValueError, match="'a' is there twice"):
        write_lists(tmp_path / "twice.csv", tmp_path, tmp_path)
