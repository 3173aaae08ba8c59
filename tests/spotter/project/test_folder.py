"""A project's folder: links, names, defaults for commands, and what users may do wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spotter.cli.app import app
from spotter.project.folder import Project, ProjectError
from spotter.project.settings import Settings

from ...conftest import REPOSITORY


def video(path: Path, text: str = "a video") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def spotter(*words: str | Path, at: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spotter", *map(str, words)]
    return subprocess.run(
        command, cwd=at, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )


def test_videos_are_linked_and_names_are_kept_apart(tmp_path: Path) -> None:
    first, second = video(tmp_path / "day 1" / "talk.mp4"), video(tmp_path / "day 2" / "talk.mp4", "another")
    project = Project.create(tmp_path / "my project")
    linked = project.add_videos([first, second, first])
    assert [(one.name, one.already) for one in linked] == [("talk", False), ("day 2-talk", False), ("talk", True)]
    assert {name: p.resolve() for name, p in project.videos.items()} == {"talk": first, "day 2-talk": second}
    assert project.videos["talk"].is_symlink()
    # another ending is the same name, and the commands tell videos apart by it
    third = video(tmp_path / "day 3" / "talk.mov")
    assert project.add_videos([third])[0].name == "day 3-talk"


def test_a_link_is_mended_when_the_file_has_moved(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.add_videos([video(tmp_path / "a" / "talk.mp4")])
    (tmp_path / "a").rename(tmp_path / "b")
    (linked,) = project.add_videos([tmp_path / "b" / "talk.mp4"])
    assert linked.name == "talk"
    assert project.videos["talk"].resolve() == tmp_path / "b" / "talk.mp4"


def test_exemplars_keep_their_glosses(tmp_path: Path) -> None:
    for name in ("HOUSE.mp4", "HOUSE~2.mp4", "sub/TREE/1.mp4", "sub/TREE/2.mp4"):
        video(tmp_path / "dictionary" / name, name)
    video(tmp_path / "more" / "HOUSE.mp4", "third")
    done = spotter("new", "p", "-x", "dictionary", "-x", "more", at=tmp_path)
    assert done.returncode == 0, done.stderr
    from spotter.enrolment import find_exemplars

    found = sorted(
        (e.label, Path(e.source).resolve().read_text()) for e in find_exemplars(tmp_path / "p" / "exemplars")
    )
    assert found == [
        ("HOUSE", "HOUSE.mp4"), ("HOUSE", "HOUSE~2.mp4"), ("HOUSE", "third"),
        ("TREE", "sub/TREE/1.mp4"), ("TREE", "sub/TREE/2.mp4"),
    ]  # fmt: skip


def test_new_makes_and_adds(tmp_path: Path) -> None:
    video(tmp_path / "talks" / "a.mp4")
    video(tmp_path / "talks" / "b.mp4")
    eaf = video(tmp_path / "notes" / "a.eaf")
    done = spotter("new", "p", "talks", "--elan", eaf, "--name", 'A "name"', "--language", "de", "--json", at=tmp_path)
    assert json.loads(done.stdout)["videos"] == ["a", "b"]
    project = Project.open(tmp_path / "p")
    assert (project.settings.name, project.settings.language) == ('A "name"', "de")
    assert project.elan_files["a"].resolve() == eaf
    again = spotter("new", "p", "talks/a.mp4", at=tmp_path)
    assert "1 were there" in again.stdout


def test_what_users_may_do_wrong(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    video(tmp_path / "full" / "thesis.txt")
    for words, why in [
        (("new", "p", "full/thesis.txt"), "expected a video"),
        (("new", "full"), "holds other files"),
        (("new", "p", "nothing.mp4"), "no such file"),
        (("new", "p", "--language", "fr"), "expected en or de"),
        (("decisions", "log"), "no project around"),
        (("decisions", "log", "full"), "no project here"),
    ]:
        done = spotter(*words, at=tmp_path)
        assert done.returncode == 1, words
        assert why in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "p").exists()


def test_inside_a_project_paths_need_not_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.create(tmp_path / "p")
    project.add_videos([video(tmp_path / "talk.pose")])
    (project.folder / "spotter.toml").write_text(
        '[project]\nname = "p"\n[options]\nworkers = 1\nposes = "kept poses"\n[options.index]\nstride = 3\n'
    )
    monkeypatch.chdir(project.folder / "videos")
    done = CliRunner().invoke(app, ["index"])
    # the default paths were taken: the video of the project is what cannot be read
    assert "talk.pose" in done.output or "talk.pose" in str(done.exception)
    assert json.loads((project.folder / "corpus" / "corpus.json").read_text())["stride"] == 3
    done = CliRunner().invoke(app, ["index", "--stride", "5", "-o", str(tmp_path / "elsewhere")])
    assert json.loads((tmp_path / "elsewhere" / "corpus.json").read_text())["stride"] == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[project\n", "not readable"),
        ("[projekt]\n", "projekt is not known"),
        ("[project]\nnames = 1\n", "project.names is not known"),
        ("[project]\nname = 1\n", "expected a text"),
        ('[project]\nlanguage = "fr"\n', "expected en or de"),
        ("options = 3\n", "expected the tables"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "spotter.toml").write_text(text)
    with pytest.raises(ValueError, match=why):
        Settings.read(tmp_path / "spotter.toml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[options]\nstrid = 3\n", "strid is no option of any command"),
        ("[options.serch]\nmost = 3\n", r"\[options.serch\]: there is no such command"),
        ("[options.search]\nstride = 3\n", "stride is no option of it; it has"),
        ("[options.eval.spoting]\niou = 3\n", r"\[options.eval.spoting\]: there is no such command"),
    ],
)
def test_options_that_no_command_has(tmp_path: Path, text: str, why: str) -> None:
    Project.create(tmp_path / "p")
    (tmp_path / "p" / "spotter.toml").write_text(text)
    done = spotter("decisions", "log", at=tmp_path / "p")
    assert done.returncode == 1
    import re

    assert re.search(why, done.stderr), done.stderr


def test_a_missing_file_and_a_wrong_kind(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    with pytest.raises(ProjectError, match="no such file"):
        project.add_videos([tmp_path / "x.mp4"])
    with pytest.raises(ProjectError, match="expected one of"):
        project.add_videos([video(tmp_path / "x.txt")])
    assert Project.around(project.folder / "videos") is not None
    assert Project.around(tmp_path) is None
