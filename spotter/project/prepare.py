"""From linked files to something to look at: gallery, corpus, first search; only what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from embeddings.recordings import PoseSource

from .folder import Project
from .refit import learn
from .searching import Archive
from .state import read_state

__all__ = ["Prepared", "prepare", "repeat_search", "search_project"]

Tell = Callable[[str, int, int], None]
"""Told what is done, how many of it, and of how many."""


@dataclass
class Prepared:
    """What was done, and what could not be.

    Attributes:
        enrolled, indexed, found: numbers of exemplars, videos, hits.
        failed: (file, reason).
    """

    enrolled: int = 0
    indexed: int = 0
    found: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def prepare(
    project: Project,
    encoder: str = "default",
    estimator: str = "holistic",
    workers: int = 0,
    tell: Tell | None = None,
    fps: float = 25.0,
) -> Prepared:
    """Enrols the project's example clips where there is no gallery, indexes videos that are not in the corpus, and
    searches for all signs where nobody searched yet. A stopped run goes on where it was.

    Args:
        estimator, workers, fps: see `embeddings.recordings.PoseSource`.

    Raises:
        ValueError: no exemplar could be used, or the corpus was made with another encoder.
    """
    say = tell if tell is not None else lambda what, done, total: None
    done = Prepared()
    if project.exemplar_clips and not (project.at.gallery / "gallery.json").exists():
        _enrol(project, encoder, PoseSource(estimator, project.at.poses / "exemplars", fps=fps), workers, say, done)
    _index(project, encoder, PoseSource(estimator, project.at.poses, fps=fps), workers, say, done)
    if (project.at.corpus / "corpus.json").is_file() and not project.log.searches():
        say("search", 0, 1)
        done.found = search_project(project, encoder)
        say("search", 1, 1)
    return done


def search_project(
    project: Project, encoder: str = "default", signs: list[str] | None = None, who: str = "", until: int | None = None
) -> int:
    """Searches with everything decided so far (up to a line) and notes it in the log; the number of hits.

    Raises:
        ValueError: there is no corpus, or a sign has no exemplar.
    """
    archive, state = Archive(project, encoder), project.state(until)
    found = learn(archive, state, signs)
    if found.detail["signs"]:
        project.record("learned", found.detections, archive.weights, found.detail, who, state)
    return len(found.detections)


def repeat_search(project: Project, encoder: str = "default") -> list[str]:
    """Does the newest search that `search_project` made again, from the log as it was; a line for each difference.

    Raises:
        ValueError: the log has no such search.
    """
    searches = [s for s in project.log.searches() if s.kind == "learned"]
    if not searches:
        raise ValueError(f"{project.folder}: the log has no search to repeat; run spotter refit without --check first")
    last = searches[-1]
    state = read_state(project.log, int(last.detail["until"]), before=last.id)
    found = learn(Archive(project, encoder), state, list(last.detail["signs"]), int(last.detail["most"]))
    now = {(d.video, d.sign, d.start, d.end): d.score for d in found.detections}
    then = {(f.video, f.sign, f.start, f.end): f.score for f in project.log.found(last.id)}
    return [f"{sign} in {video} at {start:.3f} s: " + _score_line(then.get(key), now.get(key))
             for key in sorted(set(now) | set(then))
             for video, sign, start, _ in [key]
             if then.get(key) != now.get(key)]  # fmt: skip


def _score_line(then: float | None, now: float | None) -> str:
    return f"{'not found' if then is None else then} then, {'not found' if now is None else now} now"


def _enrol(project: Project, encoder: str, source: PoseSource, workers: int, say: Tell, done: Prepared) -> None:
    from embeddings.encoders import load_encoder
    from embeddings.recordings import parts_needed

    from ..enrolment import enroll, find_exemplars

    network = load_encoder(encoder)
    exemplars = find_exemplars(project.at.exemplars, network.required_inputs)
    if "pose" in parts_needed(network.required_inputs):
        films = [e.source.path for e in exemplars if e.source.filmed]
        for number, _ in enumerate(source.estimated(films, workers) if len(films) > 1 else (), start=1):
            say("poses of examples", number, len(films))
    failed = done.failed
    gallery = enroll(
        exemplars, project.at.gallery, network, poses=source,
        on_error=lambda file, why: failed.append((str(file), why)),
        progress=lambda n, total: say("examples", n, total),
    )  # fmt: skip
    done.enrolled = len(gallery)


def _index(project: Project, encoder: str, source: PoseSource, workers: int, say: Tell, done: Prepared) -> None:
    from ..corpus.folder import Corpus

    videos = project.videos
    made = (project.at.corpus / "corpus.json").is_file()
    known = set(Corpus.open(project.at.corpus).videos) if made else set()
    waiting = [path for name, path in videos.items() if name not in known]
    if not waiting:
        return
    from embeddings.encoders import load_encoder

    from ..corpus.indexing import index_videos, settings_for

    network = load_encoder(encoder)
    corpus = Corpus.open(project.at.corpus) if made else Corpus.create(project.at.corpus, settings_for(network))
    for number, result in enumerate(index_videos(corpus, waiting, network, source, workers), start=1):
        if result.error:
            done.failed.append((str(result.source), result.error))
        else:
            done.indexed += 1
        say("videos", number, len(waiting))
    with corpus.writing():
        corpus.build()
