"""The wheel holds everything: installed alone, from a folder with somebody's own eval.py, it spots a sign."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from .conftest import REPOSITORY

WITHOUT_TRAINING = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("lightning", "tensorboard", "cma", "pytorch_metric_learning", "mediapipe"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
"""
"""Packages of the extra `train` as if they were not installed."""
SMALL_SPOTTING = """
import sys
import spotter
from embeddings.synthetic import SignWorld

world = SignWorld(seed=3, signs=6)
gallery = spotter.enroll([world.clip(sign) for sign in world.signs[:3]])
query = world.continuous(world.signs[:6], signer=1, camera=1)
detections = spotter.spot(query, gallery)
spotter.write("found.csv", detections)
for module in ("spotter", "embeddings", "gallery"):
    print(module, sys.modules[module].__file__)
print("detections", len(spotter.read("found.csv")))
"""


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the heavy dependencies are read from this one, the project is not."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    source = folder / "source"
    # A copy, so that the build leaves nothing in the checkout and an old build/ cannot leak into the wheel.
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(source)], check=True)
    subprocess.run([*build, str(source)], check=True, capture_output=True, timeout=240)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "clean", with_pip=False)
    python = folder / "clean" / "bin" / "python"
    site = next((folder / "clean" / "lib").glob("python*/site-packages"))
    # A plain path line: the packages there are importable, but its own .pth files (an editable install of the
    # project among them) are not followed.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return python


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Somebody's folder with a module of the name of one of ours."""
    (tmp_path / "eval.py").write_text("raise RuntimeError('this is the user\\'s own eval.py')\n", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_the_command_works_from_another_folder(clean_python: Path, elsewhere: Path) -> None:
    command = clean_python.with_name("spotter")
    shown = subprocess.run([command, "--help"], cwd=elsewhere, capture_output=True, text=True, check=True, timeout=60)
    for name in ("demo", "pose", "enroll", "spot", "report"):
        assert name in shown.stdout


@pytest.mark.slow
def test_a_small_spotting_works_beside_a_users_own_eval_without_training_packages(
    clean_python: Path, elsewhere: Path
) -> None:
    run = subprocess.run(
        [clean_python, "-c", WITHOUT_TRAINING + SMALL_SPOTTING],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr
    assert str(REPOSITORY) not in run.stdout
    assert str(clean_python.parents[1]) in run.stdout
    assert (elsewhere / "found.csv").exists()


@pytest.mark.slow
def test_data_files_travel_in_the_wheel(clean_python: Path, elsewhere: Path) -> None:
    code = (
        "from importlib.resources import files\n"
        "for room, folder, ending in (('embeddings', 'weights', '.safetensors'),\n"
        "            ('embeddings', 'weights/holistic', '.tflite'), ('embeddings', 'weights/holistic', 'LICENSE'),\n"
        "            ('embeddings', 'weights/holistic', 'NOTICE'),\n"
        "            ('spotter', 'search/calibration', '.json'), ('spotter', 'templates', '.html'),\n"
        "            ('spotter', 'review', '.json'), ('spotter', 'review/templates', '.html'),\n"
        "            ('spotter', 'review/static', '.js'), ('spotter', 'review/static', '.css'),\n"
        "            ('spotter', 'review/static', '.svg')):\n"
        "    print(sum(f.name.endswith(ending) for f in (files(room) / folder).iterdir()))\n"
    )
    run = subprocess.run([clean_python, "-c", code], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert all(int(count) >= 1 for count in run.stdout.split()), run.stdout


def test_training_says_which_extra_it_needs(tmp_path: Path) -> None:
    command = ["spotter", "train", "sl-gcn-quick", "-o", str(tmp_path / "run")]
    code = f"{WITHOUT_TRAINING}\nsys.argv = {command!r}\nfrom spotter.cli import main\nmain()"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    said = " ".join(run.stderr.split())
    assert run.returncode == 1, said
    assert "training needs the package 'lightning', which is not installed" in said
    assert "pip install 'oneshot-sign-spotter[train]'" in said
    assert not (tmp_path / "run").exists()


def test_what_spotting_installs_holds_no_training_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {need.split(">")[0].split("=")[0].strip() for need in project["dependencies"]}
    assert not names & {"lightning", "tensorboard", "cma", "pytorch-metric-learning", "mediapipe"}
    assert any("[train]" in need for need in project["optional-dependencies"]["dev"])
