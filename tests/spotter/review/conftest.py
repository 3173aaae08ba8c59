"""A small project with everything that a user's has: videos that a browser plays, poses, gallery, corpus, a search."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import write_pose
from embeddings.video import write_video
from spotter import enroll
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import index_videos, settings_for
from spotter.project.folder import Project
from spotter.project.prepare import search_project

from ..worlds import small_world

SIZE = (96, 128)
"""Height and width of the videos."""


def numbered_frames(count: int, shade: int) -> Iterator[np.ndarray]:
    """Frames that show their number: 12 columns, white for a 1, the highest bit first; above them a plain colour."""
    for number in range(count):
        frame = np.full((*SIZE, 3), shade, np.uint8)
        for bit in range(12):
            value = 255 if number >> (11 - bit) & 1 else 0
            frame[SIZE[0] // 2 :, 10 * bit + 4 : 10 * bit + 14] = value
        yield frame


@pytest.fixture(scope="session")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("built")
    small = small_world()
    project = Project.create(folder / "project", "A project")
    for number, query in enumerate(small.queries):
        assert query.pose is not None
        name = ("talk one", 'talk "two"')[number]
        video = write_video(folder / "videos" / f"{name}.mp4", numbered_frames(len(query), 60 + 90 * number), 25.0)
        write_pose(project.at.poses / f"{name}.h5", query.pose.resample(25.0))
        project.add_videos([video])
    for clip in small.exemplars:
        video = write_video(folder / "clips" / f"{clip.label}.mp4", numbered_frames(len(clip), 200), 25.0)
        project.add_exemplar(video)
    named = [replace(c, path=Path(f"{c.label}.mp4")) for c in small.exemplars]
    enroll(named, project.at.gallery, small.encoder)
    corpus = Corpus.create(project.at.corpus, settings_for(small.encoder))
    poses = sorted(project.at.poses.glob("*.h5"))
    assert not [r.error for r in index_videos(corpus, poses, small.encoder) if r.error]
    search_project(project)
    project.close()
    return project.folder


@pytest.fixture
def project(built_project: Path, tmp_path: Path) -> Iterator[Project]:
    """A project of one's own."""
    folder = tmp_path / "project"
    shutil.copytree(built_project, folder, symlinks=True)
    opened = Project.open(folder)
    yield opened
    opened.close()
