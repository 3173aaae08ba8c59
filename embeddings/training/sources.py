"""Training data by one line: procedural signs, folders, manifests, prepared benchmarks, files of many clips.

    procedural:7?signs=40&signers=0-39&takes=1      made on the spot: every signer performs every sign
    signing:101?signs=7000&utterances=17000         made on the spot: utterances, each by its own signer
    depth:7002?clips=1200&videos=160                made on the spot: frames with the depth of arms; also locations:7
    dictionary/                                     label/clip or label/signer/clip, recordings of any kind
    clips.csv?media=videos/                         a manifest (`spotter data` writes one); also a folder with it
    wlasl100:WLASL_v0.3.json?media=videos/          a benchmark's own annotation
    poses.h5?labels=labels.csv                      a file of many clips (pose store, landmark pack, SPOTER's CSV, …);
                                                    labels are those it gives, else the clips' names up to ~
    landmarks:asl.npz,ksl.npz                       landmark packs, right-handed, trimmed to where the hands sign
    ipn-table:train.csv                             IPN Hand's compacted table: landmarks of one hand, a row a gesture
    images:hands/                                   label/SIGNER_*.png or label/signer/*.png
    clusters:clusters.h5?hands=hands.h5             clustered hand images (`spotter phonology clusters`, `hands`)

`validation=…` names another such source for validation; splits come from the data, else by signer (`splits`).
`keyframes=keyframes.h5` takes the key-frames of each recording alone, `depth=MAPS` adds its depth (`beside`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from eval.datasets import DATASETS, Sample, read_dataset, seconds_of

from ..clip import Clip
from ..pose.formats.spoter_csv import is_spoter_csv
from ..recordings import PoseSource, Recording, RecordingError, find_recordings, read_recording
from .beside import BESIDE
from .items import Item
from .source_kinds import SOURCES, DataError, Options

__all__ = ["DataError", "open_source"]

SPLITS = ("train", "validation", "test")


def open_source(
    text: str, needs: tuple[str, ...], poses: PoseSource | str | Path | None = None, fps: float = 25.0
) -> list[Item]:
    """The labelled clips of a source (see the module's text).

    Args:
        needs: the network's `required_inputs`.
        poses: how poses are estimated from videos, or the folder where those are kept and found again.
        fps: of clips with pictures.

    Raises:
        DataError: no such source, or nothing in it.
    """
    where, _, query = text.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    kind, colon, rest = where.partition(":")
    rest = unquote(rest)
    further = options.pop("validation", "")
    source = poses if isinstance(poses, PoseSource) else PoseSource(folder=Path(poses) if poses else None)
    given = set(options)
    beside = [(add, Path(options.pop(name))) for name, add in BESIDE.items() if name in options]
    own = tuple(need for need in needs if need != "depth" or "depth" not in given)
    load = partial(read_recording, needs=own, poses=source, fps=fps, asker="the network")
    path = Path(rest if kind == "spoter-csv" else where)
    if colon and kind in SOURCES:
        items = SOURCES[kind](rest, options, own, source)
    elif colon and kind in DATASETS:
        items = _samples(kind, Path(rest), options, load)
    elif (path.suffix in (".csv", ".json") and not is_spoter_csv(path)) or (path / "manifest.csv").is_file():
        items = _samples("manifest", path / "manifest.csv" if path.is_dir() else path, options, load)
    else:
        items = _recordings(path, options, own, load)
    if options:
        raise DataError(f"{text}: {', '.join(options)} is not known here")
    if not items:
        raise DataError(f"{text}: holds no clip")
    for add, place in beside:
        items = add(items, place, fps)
    if further:
        items = [replace(item, split="train") for item in items]
        items += [replace(i, split="validation") for i in open_source(further, needs, poses, fps)]
    return items


def _recordings(path: Path, options: Options, needs: tuple[str, ...], load: Callable[..., Clip]) -> list[Item]:
    """The clips of a file of many, or of a folder label/clip or label/signer/clip."""
    from eval.isolated.files import read_truth

    try:
        found = find_recordings([path], needs, recursive=True)
    except RecordingError as error:
        raise DataError(f"{error}; for procedural signs write procedural:7?signs=40") from None
    table = options.pop("labels", "")
    labels, signers = read_truth(table) if table else (None, dict[str, str]())
    splits = {name: split for split in SPLITS for name in _of_split(table, split)} if table else {}
    items = []
    for recording in found:
        name = recording.name_in(path)
        label, signer = (recording.label, recording.signer) if recording.label else _named(recording, path)
        if labels is not None:
            label, signer = labels.get(name, ""), signers.get(name, signer)
        if label:
            split = splits.get(name, "")
            items.append(Item(name, label, partial(load, recording), signer, split, recording=recording.name))
    absent = sorted(set(labels or ()) - {item.id for item in items})
    if absent:
        warnings.warn(f"{path}: {len(absent)} labelled clips are not there, e.g. {absent[0]}", stacklevel=2)
    return items


def _of_split(table: str, split: str) -> list[str]:
    """Ids of a split of a table of labels; none where it has no such rows."""
    from eval.isolated.files import read_truth

    try:
        return list(read_truth(table, split)[0])
    except ValueError:
        return []


def _named(recording: Recording, root: Path) -> tuple[str, str]:
    """(label, signer) by the folders in which a recording lies; of a file's clip, its name up to ~."""
    if root.is_file():
        return recording.name.partition("~")[0], recording.signer
    folders = recording.path.relative_to(root).parts[:-1]
    return (folders[0] if folders else ""), (folders[1] if len(folders) > 1 else "")


def _samples(name: str, path: Path, options: Options, load: Callable[..., Clip]) -> list[Item]:
    """The samples of a manifest or of a benchmark's annotation."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    media = Path(options.pop("media", str(path if path.is_dir() else path.parent)))
    samples = read_dataset(name, path)
    there = [s for s in samples if (media / s.path).exists()]
    if len(there) < len(samples):
        gone = next(s for s in samples if not (media / s.path).exists())
        warnings.warn(
            f"{len(samples) - len(there)} of {len(samples)} clips are not in {media}, e.g. {gone.path}", stacklevel=2
        )
    return [
        Item(s.id, s.label, partial(_sample, load, media / s.path, s), s.signer, s.split,
             s.source if s.source != s.id else "", "" if s.start or s.end is not None else Path(s.path).stem)
        for s in there
    ]  # fmt: skip


def _sample(load: Callable[..., Clip], path: Path, sample: Sample) -> Clip:
    """The sample's part of its recording."""
    start, end = seconds_of(sample)
    return load(path, start=start, end=end)
