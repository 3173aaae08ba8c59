"""Packaging proof: the wheel, installed into a clean environment of every Python found, does what README promises.

    python scripts/quality/packaging.py --work WORK                  # every Python 3.11 to 3.14 that is found
    python scripts/quality/packaging.py --work WORK --python 3.12    # one
    … --index URL         where pip finds torch, e.g. PyTorch's index of CPU builds
    … --borrow            takes the dependencies from this environment (this Python only): quick, says nothing of pip

Per Python: a new environment, `pip install` of the wheel by itself, then from a folder with a space in its name and
decoys (`eval.py`, `embeddings.py`, `gallery/`, `report.py` that fail when they are imported) the quick start: a
world filmed by the demo, enrolment, spotting to ELAN, CSV and a report, scoring, the same from Python, and
`spotter train`, which must say what to install. Prints the size of the wheel and of the environment, seconds, and what
failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
LARGEST_WHEEL = 30e6
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
DECOYS = ("eval.py", "embeddings.py", "gallery/__init__.py", "report.py")
COMMANDS = (
    "spotter --version",
    "spotter demo --signs 3 --seconds 14 --keep world",
    "spotter enroll world/exemplars -o 'my gallery'",
    "spotter spot world/queries -g 'my gallery' -o found.eaf -o found.csv --report found.html",
    "spotter eval spotting world/truth.json found.csv",
)
CODE = """
import sys
import spotter

gallery = spotter.enroll("world/exemplars/")
detections = spotter.spot("world/queries/talk-1.mp4", gallery)
spotter.write("again.eaf", detections)
assert detections, "nothing was found"
absent = [m for m in ("lightning", "tensorboard", "cma", "pytorch_metric_learning", "mediapipe") if m in sys.modules]
assert not absent, absent
"""


@dataclass
class Proof:
    """What one Python showed."""

    version: str
    seconds: dict[str, float] = field(default_factory=dict)
    megabytes: float = 0.0
    failed: list[str] = field(default_factory=list)


def pythons() -> dict[str, Path]:
    """Version → interpreter: those on the path, and pyenv's."""
    found: dict[str, Path] = {}
    for version in VERSIONS:
        places = [
            shutil.which(f"python{version}"),
            *sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python3")),
        ]
        for place in places:
            if place is None:
                continue
            asked = subprocess.run(
                [place, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
            )
            if asked.returncode == 0 and asked.stdout.strip() == version:
                found.setdefault(version, Path(place))
    return found


def build(work: Path) -> Path:
    """The wheel of the checkout's committed and uncommitted files, built from a copy."""
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    wheels = work / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(source)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    (wheel,) = wheels.glob("*.whl")
    return wheel


def prove(version: str, python: Path, wheel: Path, work: Path, index: str, borrow: bool) -> Proof:
    """Installs the wheel into a new environment and runs the quick start there."""
    proof = Proof(version)
    environment, folder = work / f"env-{version}", work / f"my signs {version}"
    for place in (environment, folder):
        shutil.rmtree(place, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in DECOYS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"raise RuntimeError('this is the user\\'s own {name}')\n", encoding="utf-8")
    subprocess.run([python, "-m", "venv", environment], check=True)
    own = environment / "bin" / "python"
    if borrow:
        site = next((environment / "lib").glob("python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    steps: list[tuple[str, list[str]]] = []
    pip = [str(own), "-m", "pip", "install", "--quiet"]
    if index and not borrow:
        steps.append(("torch", [*pip, "torch", "torchvision", "--index-url", index]))
    steps.append(("pip install", [*pip, *(["--no-deps"] if borrow else []), str(wheel)]))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean |= {"PATH": f"{own.parent}:{os.environ['PATH']}", "SPOTTER_CACHE": str(folder / "cache")}
    steps += [(command.split(" -")[0], ["sh", "-c", command]) for command in COMMANDS]
    steps += [("python", [str(own), "-c", CODE])]
    for name, command in steps:
        begun = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
        proof.seconds[name] = time.perf_counter() - begun
        if done.returncode != 0:
            proof.failed.append(f"{name}: {(done.stderr or done.stdout).strip()[-600:]}")
            if name == "pip install":
                break
        if name == "pip install":
            proof.megabytes = size(environment) / 1e6
    if not borrow and not proof.failed:
        refused = subprocess.run(
            ["sh", "-c", "spotter train sl-gcn-quick -o run"], cwd=folder, env=clean, capture_output=True, text=True
        )
        if refused.returncode != 1 or "[train]" not in " ".join(refused.stderr.split()):
            proof.failed.append(f"spotter train: rc {refused.returncode}, {refused.stderr.strip()[-300:]}")
    shutil.rmtree(environment)
    return proof


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for environments (up to 7 GB at a time)")
    parser.add_argument("--python", action="append", help="versions such as 3.12; default every one that is found")
    parser.add_argument("--index", default="", help="index that torch and torchvision are taken from")
    parser.add_argument("--borrow", action="store_true", help="dependencies of this environment, for this Python")
    given = parser.parse_args()
    given.work = given.work.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    wheel = build(given.work)
    megabytes = wheel.stat().st_size / 1e6
    failed = megabytes * 1e6 > LARGEST_WHEEL
    print(f"{wheel.name}: {megabytes:.1f} MB{' (too large)' if failed else ''}", flush=True)
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {this: Path(sys.executable)} if given.borrow else pythons()
    for version in given.python or list(found):
        if version not in found:
            print(f"| {version} | not found here |")
            continue
        proof = prove(version, found[version], wheel, given.work, given.index, given.borrow)
        times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in proof.seconds.items())
        print(f"| {version} | {proof.megabytes / 1000:.1f} GB | {times} | {'failed' if proof.failed else 'all done'} |")
        print("".join(f"    {line}\n" for line in proof.failed), end="", flush=True)
        failed = failed or bool(proof.failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
