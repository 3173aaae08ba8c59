"""Files of crops by what they were cut from: made where they are not there yet, then read."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from safe_files import parse_json

from ..clip import Clip
from ..files import media_name
from .film import pictures
from .store import QUALITY, StoredPictures, write_crops
from .views import View, cut

__all__ = ["stored_views"]


@cache
def _temporary() -> Path:
    """Where crops are kept that nobody wants to keep."""
    folder = tempfile.mkdtemp(prefix="spotter-crops-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def stored_views(clip: Clip, views: Mapping[str, View], fps: float) -> dict[str, StoredPictures]:
    """The views of a clip's film at a frame rate, by the names given: read where a file holds them, else cut first.

    All views that are lacking are cut in one pass over the film.

    Args:
        clip: with a film, and a pose where a view is cut by it.

    Raises:
        ValueError: the film cannot be decoded, or a view lacks its pose.
    """
    assert clip.film is not None
    pose = None if clip.pose is None else clip.pose.resample(fps)
    wanted = list(dict.fromkeys(views.values()))
    digests, crops = cut(pictures(clip.film, fps), pose, wanted)
    facts = [_facts(clip, view, fps, digest) for view, digest in zip(wanted, digests, strict=True)]
    folder = clip.film.crops if clip.film.crops is not None else _temporary()
    paths = [_path(folder, clip, view, fact) for view, fact in zip(wanted, facts, strict=True)]
    lacking = [at for at, path in enumerate(paths) if _stored(path, facts[at]) is None]
    if lacking:
        folder.mkdir(parents=True, exist_ok=True)
        if len(lacking) < len(wanted):
            _, crops = cut(pictures(clip.film, fps), pose, [wanted[at] for at in lacking])
        write_crops(
            [paths[at] for at in lacking], crops, [wanted[at].size for at in lacking], fps,
            [facts[at] for at in lacking],
        )  # fmt: skip
    stored = {view: StoredPictures(path) for view, path in zip(wanted, paths, strict=True)}
    frames = min(len(pictures_) for pictures_ in stored.values())
    return {name: StoredPictures(stored[view].path, frames) for name, view in views.items()}


def _facts(clip: Clip, view: View, fps: float, digest: str) -> dict[str, Any]:
    """What a file was cut from: another film, part, pose, size or quality makes another file."""
    from ..pose.files import source_stamp

    film = clip.film
    assert film is not None
    return {
        "source": source_stamp(film.path, film.fps), "start": film.start, "end": film.end, "mirrored": film.mirrored,
        "view": view.name, "fps": fps, "cut_by": digest, "quality": QUALITY,
    }  # fmt: skip


def _path(folder: Path, clip: Clip, view: View, facts: Mapping[str, Any]) -> Path:
    assert clip.film is not None
    digest = sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()[:10]
    return folder / f"{media_name(clip.film.path)}.{view.name}.{digest}.h5"


def _stored(path: Path, facts: Mapping[str, Any]) -> StoredPictures | None:
    """The file's pictures; None where it is not there, is damaged, or was cut from something else."""
    if not path.exists():
        return None
    try:
        stored = StoredPictures(path)
    except ValueError:
        return None
    return stored if stored.facts == parse_json(json.dumps(dict(facts))) else None
