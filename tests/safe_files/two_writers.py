"""Two processes that write the same store at once, kind by kind: `python -m tests.safe_files.two_writers 50`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["STORES", "at_once", "left"]

ITEMS = 3
"""That each of the two writes."""


def _pose(name: str) -> object:
    import numpy as np

    from embeddings.clip import Pose

    return Pose(np.ones((3, 50, 2), np.float32), np.ones((3, 50), np.float32), "openpose-50", 25.0, (9, 9), source=name)


def _gallery(folder: Path, names: list[str]) -> None:
    import numpy as np

    from embeddings.encoders import load_encoder
    from embeddings.synthetic import SignWorld
    from gallery import Gallery
    from spotter.enrolment import Exemplar, enroll

    network, world = load_encoder("pose-cosine"), SignWorld(seed=3, signs=2)
    clip = world.clip("sign-000", skeleton="mediapipe-holistic")
    into = Gallery.load(folder / "gallery")
    for name in names:
        enroll([Exemplar(name, clip)], folder / "gallery", network, trim=False, into=into)
        assert np.isfinite(into.vectors).all()


def _empty_gallery(folder: Path) -> None:
    from embeddings.encoders import load_encoder
    from gallery import Gallery

    network = load_encoder("pose-cosine")
    Gallery(network.dim, network.id or network.name).save(folder / "gallery")


def _pose_store(folder: Path, names: list[str]) -> None:
    from embeddings.pose.formats.store import write_store

    for name in names:
        write_store(folder / "poses.h5", [(name, _pose(name))])  # type: ignore[list-item]


def _packed(folder: Path, names: list[str]) -> None:
    from embeddings.pose.formats.store import write_packed

    for name in names:
        write_packed(folder / "packed.h5", [(name, _pose(name))])  # type: ignore[list-item]


def _grouped(folder: Path, names: list[str]) -> None:
    import numpy as np

    from safe_files import GroupedHDF5

    for name in names:
        with GroupedHDF5(folder / "grouped.h5") as store:
            store.put(name, np.ones(3))


def _facts(folder: Path, names: list[str]) -> None:
    from spotter.corpus.folder import Corpus, CorpusSettings

    corpus = Corpus(folder, CorpusSettings("e", 2, 25.0))
    for name in names:
        corpus.add_facts({name: {"signer": name, "date": ""}})


def _decisions(folder: Path, names: list[str]) -> None:
    from spotter.project.folder import Project
    from spotter.project.log import Line

    project = Project.open(folder / "project")
    for name in names:
        project.log.append([Line("note", "", name, name, detail={"text": name})])
    project.close()


def _project(folder: Path) -> None:
    from spotter.project.folder import Project

    Project.create(folder / "project", "two").close()


def _h5_names(name: str) -> Callable[[Path], set[str]]:
    def names(folder: Path) -> set[str]:
        import h5py

        with h5py.File(folder / name, "r") as file:
            return set(file)

    return names


def _gallery_labels(folder: Path) -> set[str]:
    from gallery import Gallery

    return set(Gallery.load(folder / "gallery").labels)


def _fact_names(folder: Path) -> set[str]:
    from spotter.corpus.facts import read_facts

    return set(read_facts(folder / "facts.csv"))


def _commenters(folder: Path) -> set[str]:
    from spotter.project.folder import Project

    project = Project.open(folder / "project")
    lines = project.log.lines()
    project.close()
    return {line.who for line in lines}


def _nothing(folder: Path) -> None:
    pass


STORES: dict[str, tuple[Callable[[Path], None], Callable[[Path, list[str]], None], Callable[[Path], set[str]]]] = {
    "gallery": (_empty_gallery, _gallery, _gallery_labels),
    "pose store": (_nothing, _pose_store, _h5_names("poses.h5")),
    "packed store": (_nothing, _packed, _h5_names("packed.h5")),
    "tables and pictures (.h5)": (_nothing, _grouped, _h5_names("grouped.h5")),
    "corpus facts": (_nothing, _facts, _fact_names),
    "project": (_project, _decisions, _commenters),
}
"""Kind → (what is there before, a writer of names, what is there after)."""


def at_once(kind: str, folder: Path) -> set[str]:
    """Runs two writers in processes of their own that begin together; what they wrote.

    Raises:
        RuntimeError: one of them failed.
    """
    before, write, _ = STORES[kind]
    before(folder)
    written = [[f"{who}-{number}" for number in range(ITEMS)] for who in ("ann", "bea")]
    begin, started = os.pipe()
    children = []
    for names in written:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(started)
                os.read(begin, 1)  # ends when the parent closes its side
                write(folder, names)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(begin)
    os.close(started)
    endings = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(endings):
        raise RuntimeError(f"{kind}: the writers ended with {endings}")
    return {name for names in written for name in names}


def left(kind: str, folder: Path) -> set[str]:
    """What is in the store."""
    return STORES[kind][2](folder)


def main(rounds: int) -> int:
    losses = 0
    leftovers = 0
    for kind in STORES:
        whole = 0
        for _ in range(rounds):
            with TemporaryDirectory(prefix="two-writers-") as folder:
                whole += at_once(kind, Path(folder)) == left(kind, Path(folder))
                leftovers += len(list(Path(folder).glob(".*")))
        losses += rounds - whole
        print(f"{kind:28} {whole} of {rounds} rounds: nothing lost", flush=True)
    print(f"locks and temporary files that were left: {leftovers}")
    return 1 if losses or leftovers else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
