"""`RunFolder`: what a run has done so far: `run.json` for people, and each finished video's result to go on from."""

from __future__ import annotations

import errno
import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.files import media_name, readable
from embeddings.recordings import Recording
from safe_files import parse_json, sweep, write_json

from ..detection import Detection
from ..results import Detections, SpottingResult
from ..search.track import SimilarityTrack

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = [
    "DONE", "FAILED", "WAITING", "WARNED", "Ingredients", "RunFolder", "VideoRecord", "gallery_hash", "run_folder",
    "versions",
]  # fmt: skip

FORM, VERSION = "sign-spotter-run", 1
WAITING, DONE, WARNED, FAILED = "waiting", "done", "warned", "failed"


def run_folder(first: Path) -> Path:
    """The folder of a run, beside its first output: `found.csv` has `found.run/`."""
    return first.with_name(f"{first.stem}.run")


def versions() -> dict[str, str]:
    """Of what decides the results."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in ("oneshot-sign-spotter", "numpy", "torch", "av", "mediapipe"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


@dataclass
class VideoRecord:
    """What `run.json` says of a video.

    Attributes:
        name, path: as results call it; where it lies.
        status: waiting, done, warned (done, with a warning) or failed.
        reason: why it failed.
        warnings: what is to be known about its result.
        detections: how many.
        seconds: its length.
        took: seconds of work on it in this run's processes, without the estimate of its pose.
        pose: "estimated", "cached" or "given".
        made_from: hash of everything that its result depends on.
        finished: when, UTC.
        files: written for it alone.
    """

    name: str
    path: str
    status: str = WAITING
    reason: str = ""
    warnings: list[str] = field(default_factory=list)
    detections: int = 0
    seconds: float = 0.0
    took: float = 0.0
    pose: str = ""
    made_from: str = ""
    finished: str = ""
    files: list[str] = field(default_factory=list)


class RunFolder:
    """A run's folder; each change is on the disk when the call returns.

    Raises:
        ValueError: its `run.json` is of another program.
    """

    def __init__(self, folder: Path, recordings: Sequence[Recording]) -> None:
        self.folder = folder
        self.before = self._read()
        self.videos = {r.name: VideoRecord(r.name, readable(str(r))) for r in recordings}
        self.facts: dict[str, Any] = {}
        self.state = "running"
        self._begun, self._earlier = time.monotonic(), float(self.before.get("seconds", 0.0))

    @property
    def path(self) -> Path:
        """The file for people and programs."""
        return self.folder / "run.json"

    @property
    def outputs_before(self) -> set[str]:
        """Files that earlier runs wrote."""
        return {str(name) for name in self.before.get("files", ())}

    def _read(self) -> dict[str, Any]:
        try:
            values = parse_json(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
                return {}  # the outputs are looked at next
            raise ValueError(f"{self.path}: cannot be read ({error}); move it away to begin anew") from None
        if not isinstance(values, dict) or values.get("format") != FORM or values.get("version") != VERSION:
            raise ValueError(f"{self.path}: is not the record of a spotting run; choose another name for the output")
        return values

    def begin(self, facts: Mapping[str, Any], files: Sequence[Path]) -> None:
        """Notes what is to be done, before anything is.

        Args:
            facts: options and settings.
            files: every file that will be written.
        """
        sweep(self.folder)
        sweep(self.folder / "results")
        earlier = [name for name in self.outputs_before if Path(name).exists()]
        self.facts = {
            **facts,
            "elan": dict(self.before.get("elan", {})),
            "files": sorted({*earlier, *(str(path) for path in files)}),
        }
        self.write()

    def write(self) -> None:
        """Writes `run.json`."""
        counts = dict.fromkeys((DONE, WARNED, FAILED, WAITING), 0)
        for video in self.videos.values():
            counts[video.status] += 1
        write_json(
            self.path,
            {
                "format": FORM, "version": VERSION, "state": self.state, "counts": counts,
                "started": self.before.get("started") or _now(), "updated": _now(),
                "seconds": round(self._earlier + time.monotonic() - self._begun, 3),
                "command": [readable(word) for word in sys.argv[1:]], "versions": versions(),
                **self.facts, "videos": [asdict(video) for video in self.videos.values()],
            },
        )  # fmt: skip

    def earlier(self, recording: Recording, made_from: str, tracks: bool) -> SpottingResult | None:
        """The result of an earlier run that was made from the very same; None where there is none.

        Args:
            tracks: whether its similarity track is needed, too.
        """
        stem = self._stem(recording)
        try:
            kept = parse_json(stem.with_suffix(".json").read_text(encoding="utf-8"))
            if kept["made_from"] != made_from:
                return None
            result = SpottingResult(
                recording.name, duration=kept["duration"], calibrated=kept["calibrated"], warning=kept["warning"]
            )
            rows = [Detection(recording.name, *row) for row in kept["detections"]]
            result.detections = Detections(rows)
            if tracks:
                result.track = SimilarityTrack.load(stem.with_suffix(".npz"))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or damaged: it is made again
        record = self.videos[recording.name]
        record.took, record.finished, record.pose = kept["took"], kept["finished"], kept["pose"]
        return result

    def keep(self, recording: Recording, result: SpottingResult, made_from: str) -> None:
        """Stores a result to go on from. What it took and how its pose came about is in the video's record."""
        stem, record = self._stem(recording), self.videos[recording.name]
        record.finished = _now()
        if result.track is not None:
            result.track.save(stem.with_suffix(".npz"))
        rows = [[d.sign, d.start, d.end, d.score] for d in result.detections]
        write_json(
            stem.with_suffix(".json"),
            {
                "video": recording.name, "made_from": made_from, "duration": result.duration,
                "calibrated": result.calibrated, "warning": result.warning, "track": result.track is not None,
                "took": record.took, "finished": record.finished, "pose": record.pose, "detections": rows,
            },
        )  # fmt: skip

    def note(self, recording: Recording, result: SpottingResult, made_from: str = "") -> None:
        """Notes what became of a video; `write` puts it into `run.json`."""
        record = self.videos[recording.name]
        record.status = FAILED if result.error else WARNED if result.warning else DONE
        record.reason = readable(result.error)
        record.warnings = [readable(result.warning)] if result.warning else []
        record.detections, record.seconds = len(result.detections), round(result.duration, 3)
        record.made_from = made_from

    def _stem(self, recording: Recording) -> Path:
        where = f"{recording.path.resolve()}#{recording.part}".encode("utf-8", "surrogateescape")
        return self.folder / "results" / _hash(where)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Ingredients:
    """What results depend on beside the video: any change makes them anew."""

    values: Mapping[str, Any]
    poses: Path | None = None

    def made_from(self, recording: Recording, fps: float, sign: str | None) -> str:
        """Hash of the recording's content and of everything else; "" where the recording cannot be read.

        Args:
            fps: of recordings that do not say theirs.
            sign: the one that is looked for in it.
        """
        from embeddings.pose.files import source_stamp

        files = [recording.path, *([recording.pose_file] if recording.pose_file is not None else [])]
        try:
            stamps = [source_stamp(Path(file), fps) for file in files]
        except OSError:
            return ""
        facts = {
            **self.values, "stamps": stamps, "part": recording.part, "sign": sign, "clean": self._cleaning(recording)
        }  # fmt: skip
        return _hash(json.dumps(facts, sort_keys=True, default=str).encode())

    def _cleaning(self, recording: Recording) -> str:
        """How the recording's pose in the folder of poses was cleaned."""
        from embeddings.pose.formats.dot_pose import read_header
        from embeddings.pose.jobs import CLEANED

        if self.poses is None or not recording.filmed:
            return ""
        header = read_header(self.poses / f"{media_name(recording.path)}.pose")
        return header.get("stamp", "").partition(CLEANED)[2]


def gallery_hash(gallery: Gallery) -> str:
    """Hash of what a search takes from a gallery."""
    values = [gallery.vectors.tobytes(), json.dumps([gallery.encoder, gallery.exemplar_labels]).encode()]
    values += [b"" if f is None else f.tobytes() for f in gallery.features]
    return _hash(*values, json.dumps([facts.get("frames") for facts in gallery.facts]).encode())


def _hash(*values: bytes) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(len(value).to_bytes(8, "big") + value)
    return digest.hexdigest()[:20]
