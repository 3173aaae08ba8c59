"""What decisions are worth: average precision after 0, 10, 20, 50 decisions a sign, on real streams.

A simulated reviewer looks at the surest undecided hits of each sign and answers from the truth: a hit is accepted
when it overlaps an occurrence of its sign with an IoU of .5 or more that no accepted hit has yet. Then "search
again", as the review page does it (`spotter.project.refit.learn`), and on. Three figures at IoU .5, signs and signers'
turns pooled:

- **list**: what the user has: accepted hits first, rejected ones gone, the others by their probability.
- **only sorted**: the same without search and learning: the reviewer goes down the first list, nothing else changes.
- **unseen**: the reviewer sees every second stream only; precision on the others, in which nothing was decided, both
  ways round. This is what was learned about the signs.

    python scripts/quality/decisions.py FOLDER --work WORK --sets asl-9 ksl-13 haystack

Options of the learning were chosen on asl-13 and ksl-20. Projects are kept in WORK; results are printed as Markdown.
"""

from __future__ import annotations

import argparse
import json
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.pose import write_pose
from eval.spotting.curves import precision_recall
from eval.tables import Table
from safe_files import write_json
from scripts.real.streams import StreamSet, real_streams
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import index_videos, settings_for
from spotter.enrolment import enroll
from spotter.project.folder import Project
from spotter.project.log import Line
from spotter.project.matching import overlap
from spotter.project.refit import learn
from spotter.project.searching import Archive
from spotter.project.state import Hit, State

STEPS = (0, 10, 20, 50)
"""Decisions a sign after which is searched again; all are measured."""
KINDS = ("list", "only sorted", "unseen")
Truth = dict[str, list[tuple[str, float, float]]]


def begun_project(folder: Path, part: StreamSet) -> Project:
    """A copy of the project of one part's streams and exemplars, which has no decisions; that one is made once."""
    base = folder.with_name(f"{folder.name}-base")
    if not (base / "done").exists():
        made_project(base, part).close()
        write_json(base / "done", {})
    shutil.rmtree(folder, ignore_errors=True)
    return Project.open(shutil.copytree(base, folder, symlinks=True))


def made_project(folder: Path, part: StreamSet) -> Project:
    """A project of one part's streams and exemplars, without decisions."""
    shutil.rmtree(folder, ignore_errors=True)
    project = Project.create(folder)
    encoder = load_encoder("default")
    sources = [write_pose(folder / "poses" / f"{query.name}.h5", query.pose) for query in part.queries if query.pose]
    project.add_videos(sources)
    corpus = Corpus.create(project.at.corpus, settings_for(encoder))
    for result in index_videos(corpus, sources, encoder):
        if result.error:
            raise ValueError(result.error)
    enroll(list(part.exemplars), project.at.gallery, encoder)
    return project


def truth_of(queries: Iterable[Clip]) -> Truth:
    return {q.name: [(s.label, s.start / q.fps, s.end / q.fps) for s in q.spans] for q in queries}


def searched(project: Project, archive: Archive) -> State:
    """The state after a search with everything decided so far."""
    state = project.state()
    found = learn(archive, state)
    project.record("learned", found.detections, archive.weights, found.detail, "reviewer", state)
    return project.state()


def judge(
    project: Project, state: State, truth: Truth, each: int, videos: set[str], taken: set[tuple[str, int]]
) -> None:
    """The reviewer's next decisions: so many of every sign, surest first, in these videos."""
    open_hits: dict[str, list[Hit]] = {}
    for hit in state.hits.values():
        if hit.status == "new" and state.current(hit) and hit.video in videos:
            open_hits.setdefault(hit.sign, []).append(hit)
    lines = []
    for sign in sorted(open_hits):
        for hit in sorted(open_hits[sign], key=lambda h: (-(h.score or 0), h.video, h.start))[:each]:
            best = max(
                (
                    (overlap((hit.start, hit.end), row[1:]), k)
                    for k, row in enumerate(truth[hit.video])
                    if row[0] == sign
                ),
                default=(0.0, -1),
            )
            right = best[0] >= 0.5 and (hit.video, best[1]) not in taken
            if right:
                taken.add((hit.video, best[1]))
            action = "accept" if right else "reject"
            lines.append(Line(action, hit.id, "reviewer", uuid.uuid4().hex, base=state.last, search=hit.search))
    project.log.append(lines)


def rows_of(state: State, videos: set[str]) -> dict[str, list[tuple[str, float, float, float]]]:
    """The list as a user has it."""
    rows: dict[str, list[tuple[str, float, float, float]]] = {video: [] for video in videos}
    for hit in state.hits.values():
        if hit.video in videos and state.current(hit) and hit.status != "rejected":
            score = (hit.score or 0.0) + (1.0 if hit.status == "accepted" else 0.0)
            rows[hit.video].append((hit.sign, hit.start, hit.end, score))
    return rows


def run(folder: Path, part: StreamSet, seen: set[str] | None, learning: bool = True) -> dict[int, dict]:
    """Decisions a sign → the rows to be scored; without `learning` there is one search, before the first decision."""
    project = begun_project(folder, part)
    archive, truth = Archive(project), truth_of(part.queries)
    seen, scored = (set(truth), set(truth)) if seen is None else (seen, set(truth) - seen)
    taken: set[tuple[str, int]] = set()
    found, done = {}, 0
    for step in STEPS:
        if step > done:
            judge(project, project.state(), truth, step - done, seen, taken)
            done = step
        state = searched(project, archive) if learning or step == 0 else project.state()
        found[step] = rows_of(state, scored)
    project.close()
    return found


def average_precision(truth: Mapping, rows: Mapping) -> float:
    return precision_recall({v: truth[v] for v in rows}, rows, 0.5).average_precision


def measure(name: str, parts: Mapping[str, StreamSet], work: Path, kind: str) -> dict[int, float]:
    """One of the three figures of a set after every step."""
    kept = work / f"decisions-{name}-{kind.replace(' ', '-')}.json"
    if kept.exists():
        return {int(step): value for step, value in json.loads(kept.read_text()).items()}
    truth = {v: rows for part in parts.values() for v, rows in truth_of(part.queries).items()}
    rounds: list[dict[int, dict]] = [{step: {} for step in STEPS} for _ in range(2 if kind == "unseen" else 1)]
    for key, part in parts.items():
        names = sorted(q.name for q in part.queries)
        for k, scored in enumerate(rounds):
            seen = set(names[k::2]) if kind == "unseen" else None
            for step, rows in run(work / key.replace("/", "-"), part, seen, kind != "only sorted").items():
                scored[step] |= rows
        print(f"  {kind}, {key} done", flush=True)
    figures = {step: float(np.mean([average_precision(truth, one[step]) for one in rounds])) for step in STEPS}
    write_json(kept, figures)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["asl-9", "ksl-13", "haystack"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    streams = real_streams(args.folder)
    table = []
    for name in args.sets:
        parts = {key: part for key, part in streams.items() if key.partition("/")[0] == name}
        if not parts:
            raise SystemExit(
                f"set {name!r} is not there; found {', '.join(sorted({k.partition('/')[0] for k in streams}))}"
            )
        for kind in KINDS:
            figures = measure(name, parts, args.work, kind)
            table.append([name, kind, *(figures[step] for step in STEPS)])
            print(Table(["set", "", *map(str, STEPS)], table, digits=3).markdown(), flush=True)


if __name__ == "__main__":
    main()
