"""The toolkit works in a folder that holds modules of its packages' names, and leaves those modules to their owner.

Scripts run as a user's would: from a folder with an `eval.py`, an `embeddings.py`, a `safe_files.py` and a package
`gallery/` of the user's own, which the script imports too. What `_sign_spotter` guarantees is tested for every module,
every import statement wherever it stands, every public name and every command, all taken from the code, so that new
ones are in.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

NAMES = ("eval", "embeddings", "gallery", "safe_files")
OWN = 'OWNER = "the user"\n'

SCRIPT = """
import eval, embeddings, gallery, safe_files
import spotter

def check_owners():
    import sys
    for name in ("eval", "embeddings", "gallery", "safe_files"):
        assert sys.modules[name].OWNER == "the user", sys.modules[name]

if __name__ == "__main__":
"""


def decoy_folder(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name / "__init__.py" if name == "gallery" else folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(OWN, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with a space in its name."""
    return decoy_folder(tmp_path / "my signs")


def run(*line: str | Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, *map(str, line)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def script(folder: Path, body: str) -> Path:
    path = folder / "mine.py"
    path.write_text(SCRIPT + "".join(f"    {line}\n" for line in body.strip().splitlines()), encoding="utf-8")
    return path


EVERY_IMPORT = """
import ast, importlib, pathlib
from _sign_spotter import PACKAGES, ROOT, module_name
optional = {"mediapipe", "mmpose", "mmengine", "mmcv", "mmdet", "rtmlib", "onnxruntime", "ray", "xtcocotools"}
modules = statements = 0
for package in PACKAGES:
    for file in sorted((pathlib.Path(ROOT) / package).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__main__":
            continue
        name = module_name(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            assert (error.name or "").split(".")[0] in optional, (name, error)
            continue
        modules += 1
        assert module.__file__ == str(file), (name, module.__file__)
        tree = ast.parse(file.read_text("utf-8"))
        typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
        never = {id(node) for block in typing for node in ast.walk(block)}
        for node in ast.walk(tree):
            if not isinstance(node, (ast.Import, ast.ImportFrom)) or id(node) in never:
                continue
            if getattr(node, "module", "") == "__future__":
                continue
            statements += 1
            code = compile(ast.Module([node], []), str(file), "exec")
            try:
                exec(code, module.__dict__, {})
            except ImportError as error:
                assert (error.name or "").split(".")[0] in optional, (file, node.lineno, error)
check_owners()
print(modules, statements)
"""


@pytest.mark.slow
def test_every_module_and_every_import_statement(folder: Path) -> None:
    modules, statements = map(int, run(script(folder, EVERY_IMPORT), cwd=folder).split()[-2:])
    assert modules > 200
    assert statements > 1500


PUBLIC = """
import sys
from pathlib import Path
from spotter.comparison.sets import procedural_set
part = procedural_set(3, signs=3, videos=1, each=3).parts[0]
signs = spotter.enroll(list(part.exemplars), "signs")
query = part.queries[0]
options = spotter.SpottingOptions(threshold=0.0)
other = spotter.enroll(list(part.exemplars), encoder="pose-cosine")
import numpy
from PIL import Image
film = Path("film")
film.mkdir()
for number in range(3):
    Image.fromarray(numpy.zeros((64, 64, 3), numpy.uint8)).save(film / f"{number:03d}.png")
done = {
    "Gallery": lambda: spotter.Gallery.load("signs"),
    "enroll": lambda: signs,
    "SpottingOptions": lambda: options,
    "Selection": lambda: spotter.Selection(best=3),
    "spot": lambda: spotter.spot(query, signs, options=options),
    "Member": lambda: spotter.Member(other, "pose-cosine"),
    "Ensemble": lambda: spotter.Ensemble((spotter.Member(signs, "default"), spotter.Member(other, "pose-cosine"))),
    "spot_videos": lambda: spotter.spot_videos([query], done["Ensemble"]()),
    "SpottingResult": lambda: spotter.SpottingResult("v"),
    "Detection": lambda: spotter.Detection("v", "A", 0, 1, 0.5),
    "Segment": lambda: spotter.Segment("v", "A", 0, 1),
    "write": lambda: [spotter.write(f"found{e}", spotter.spot(query, signs, options=options))
                      for e in (".csv", ".json", ".eaf", ".vtt", ".pkl")],
    "read": lambda: [spotter.read(f"found{e}") for e in (".csv", ".json", ".eaf", ".vtt", ".pkl")],
    "read_segments": lambda: [spotter.read_segments(f"found{e}") for e in (".csv", ".json", ".eaf", ".vtt", ".pkl")],
    "score": lambda: spotter.score("found.eaf", "found.csv").strict.f1,
    "write_report": lambda: spotter.write_report("r.html", spotter.read("found.csv"), None, "signs", "found.pkl"),
    "Clip": lambda: spotter.Clip("talk", 25.0, query.pose),
    "Pose": lambda: isinstance(query.pose, spotter.Pose),
    "write_pose": lambda: spotter.write_pose(Path("talk.pose"), query.pose) or True,
    "read_pose": lambda: len(spotter.read_pose(Path("talk.pose"))),
    "estimate": lambda: len(spotter.estimate(film, fps=25.0)),
    "make_estimator": lambda: callable(spotter.make_estimator("holistic")) or True,
    "PoseSource": lambda: spotter.PoseSource(),
    "load_encoder": lambda: spotter.load_encoder("pose-cosine"),
    "IndexOptions": lambda: spotter.IndexOptions(),
    "index": lambda: len(spotter.index("talk.pose", "corpus")),
    "Corpus": lambda: len(spotter.Corpus.open("corpus")),
    "SearchOptions": lambda: spotter.SearchOptions(),
    "search_corpus": lambda: spotter.search_corpus("corpus", signs, spotter.SearchOptions(most=1)),
    "Detections": lambda: len(spotter.spot(query, signs, options=options).to_frame()),
    "SimilarityTrack": lambda: isinstance(spotter.spot_videos([query], signs)[0].track, spotter.SimilarityTrack),
    "TransferOptions": lambda: spotter.TransferOptions(),
    "__version__": lambda: spotter.__version__,
}
assert set(done) == set(spotter.__all__), set(done) ^ set(spotter.__all__)
for name, call in done.items():
    assert call(), name
assert spotter.score("found.eaf", "found.csv").strict.f1 == 1.0
check_owners()
"""


@pytest.mark.slow
def test_every_public_name(folder: Path) -> None:
    run(script(folder, PUBLIC), cwd=folder)


HELP = """
import sys
from contextlib import suppress
import typer
from spotter.cli.app import app

def leaves(command, words):
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from leaves(inner, [*words, name])
    else:
        yield words

commands = list(leaves(typer.main.get_command(app), []))
for words in commands:
    with suppress(SystemExit):
        app([*words, "--help"], standalone_mode=False)
print("\\n" + " ".join("-".join(words) for words in commands))
"""


@pytest.mark.slow
def test_help_of_every_command_from_a_folder_with_all_names(tmp_path: Path) -> None:
    """As the installed command runs: the script lies elsewhere, the working folder is full of decoys."""
    folder = decoy_folder(tmp_path / "here", (*NAMES, "spotter"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "spotter").write_text(HELP, encoding="utf-8")
    shown = run(tmp_path / "bin" / "spotter", cwd=folder)
    commands = shown.split("\n")[-2].split()
    assert {"spot", "enroll", "eval-spotting", "train", "phonology-describe"} <= set(commands)
    assert shown.count("Usage: ") == len(commands)


COMMANDS = """
from contextlib import suppress
from pathlib import Path
from spotter.cli.app import app
from spotter.comparison.sets import procedural_set
from spotter.detection import segments_of
from _sign_spotter import module_name
from importlib import import_module
write_pose = import_module(module_name("embeddings.pose")).write_pose

def spotter_(line):
    print("$ spotter", line, flush=True)
    code = app(line.split(), standalone_mode=False)
    assert not code, (line, code)

part = procedural_set(3, signs=3, videos=2, each=3).parts[0]
for clip in part.exemplars:
    for signer in ("", "~2"):
        write_pose(Path("set/exemplars") / f"{clip.label}{signer}.pose", clip.pose)
for clip in part.queries:
    write_pose(Path("set/queries") / f"{clip.name}.pose", clip.pose)
truth = [s for clip in part.queries for s in segments_of(clip, {c.label for c in part.exemplars})]
spotter.write("set/truth.csv", truth)
first = sorted(Path("set/exemplars").glob("*.pose"))[0].stem
labels = "".join(f"{p.name},{p.stem.partition('~')[0]}\\n" for p in sorted(Path("set/exemplars").glob("*.pose")))
Path("clips.csv").write_text("path,label\\n" + labels)
Path("labels.csv").write_text("sample,label,split\\n" + "".join(
    f"{p.stem},{p.stem.partition('~')[0]},validation\\n" for p in sorted(Path("set/exemplars").glob("*.pose"))))
spotter_("enroll set/exemplars -o signs")
spotter_("spot set/queries -g signs -o found.csv -o found.pkl --truth set/truth.csv --report found.html --threshold 0")
spotter_("eval spotting set/truth.csv found.csv --signs")
spotter_("eval spotting set/truth.csv found.pkl --official")
spotter_("report again.html found.csv --truth set/truth.csv -g signs")
spotter_("eval compare --data set --methods pose-cosine --no-one-shot -o tables")
spotter_("data manifest clips.csv -o prepared --media set/exemplars")
spotter_("embed set/queries -o vectors")
spotter_("index set/queries -o corpus")
spotter_(f"search corpus set/exemplars/{first}.pose")
spotter_("train sl-gcn-quick -o run --data clips.csv?media=set/exemplars --set schedule.steps=2 --set batch.classes=2 "
         "--set data.validation=0 --set batch.each=2")
spotter_("classify set/exemplars -m run/best.safetensors -o guesses.csv --scores scores.csv")
spotter_("eval isolated labels.csv guesses.csv --classes")
spotter_("ensemble fit scores.csv --labels labels.csv -o ensemble.json")
spotter_("ensemble predict ensemble.json scores.csv -o both.csv")
spotter_("phonology describe set/queries -o described")
spotter_(f"phonology compare set/exemplars/{first}.pose set/exemplars/{first}~2.pose")
spotter_("phonology movements set/queries -o movements.csv")
check_owners()
"""


@pytest.mark.slow
def test_commands_that_read_write_train_and_score(folder: Path) -> None:
    """In one process of the user's, where the user's own modules are loaded beside ours."""
    run(script(folder, COMMANDS), cwd=folder)


def test_python_dash_m_in_such_a_folder(folder: Path) -> None:
    for flags in ([], ["-P"]):
        assert "One-shot sign spotting" in run(*flags, "-m", "spotter", "--help", cwd=folder)


WORKERS = """
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from _sign_spotter import module_name
iou = import_module(module_name("eval.intervals")).iou
assert iou.__module__ == "_sign_spotter.eval.intervals"
with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
    print(pool.submit(iou, [[0, 2]], [[1, 3]]).result()[0, 0])
"""


def test_worker_processes_that_start_afresh(folder: Path) -> None:
    assert float(run(script(folder, WORKERS), cwd=folder)) == pytest.approx(1 / 3)


def test_a_module_imported_later_is_the_users_too(folder: Path) -> None:
    """The toolkit first and in use, then the user's own modules: each gets its own."""
    (folder / "mine.py").write_text(
        "import spotter\nspotter.write('x.pkl', [spotter.Segment('v', 'A', 0, 1)])\nspotter.read('x.pkl')\n"
        "import eval, gallery, embeddings, safe_files\n"
        "print(*(module.OWNER for module in (eval, gallery, embeddings, safe_files)), sep=', ')\n",
        encoding="utf-8",
    )
    assert run("mine.py", cwd=folder).strip() == ", ".join(["the user"] * 4)


def test_the_users_module_may_be_the_program_itself(tmp_path: Path) -> None:
    (tmp_path / "eval.py").write_text(
        "import spotter\nspotter.write('t.csv', [spotter.Segment('v', 'A', 0, 1, 1.0)])\n"
        "print(spotter.score('t.csv', 't.csv').strict.f1)\n",
        encoding="utf-8",
    )
    assert run("eval.py", cwd=tmp_path).strip() == "1.0"


def test_training_beside_the_users_own_eval(tmp_path: Path) -> None:
    """`embeddings` on its own, without `spotter`."""
    decoy_folder(tmp_path, ("eval", "spotter"))
    body = "import embeddings.training.train, eval\nprint(eval.OWNER, embeddings.training.train.Split.__module__)\n"
    (tmp_path / "mine.py").write_text(body, encoding="utf-8")
    assert run("mine.py", cwd=tmp_path).strip() == "the user _sign_spotter.eval.splits"


def test_usual_names_where_nothing_is_in_the_way(tmp_path: Path) -> None:
    """A folder `gallery/` that is no package (the default output of `spotter enroll`) is not in the way."""
    (tmp_path / "gallery").mkdir()
    body = "import spotter, sys\nprint(spotter.Gallery.__module__, [m for m in sys.modules if '_sign_spotter.' in m])\n"
    (tmp_path / "mine.py").write_text(body, encoding="utf-8")
    assert run("mine.py", cwd=tmp_path).strip() == "gallery.gallery []"


def named_by_string() -> list[str]:
    """Calls such as import_module("eval.…") or files("embeddings") in the packages: these names may be the user's."""
    found = []
    for package in (*NAMES, "spotter"):
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                    continue
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                name = str(node.args[0].value).split(".")[0]
                if called in ("import_module", "__import__", "files", "find_spec") and name in (*NAMES, "spotter"):
                    found.append(f"{file.relative_to(REPOSITORY)}:{node.lineno}")
    return found


def test_no_module_is_named_by_a_string() -> None:
    assert named_by_string() == []
