"""HDF5 files of hand clusters, in the published layout (there a pickle, which no program should read).

```
hand_clusters/[k]                        (m,) representatives of the k-th cluster over all signs
index_to_representative/{sign, cluster, row}   (R,) what a representative stands for: its sign, the cluster in it,
                                         and its row in sign_hand_clusters/[sign]
hand_samples/{samples, frames, hand}     (R,) the representatives' videos and frames
sign_hand_clusters/[sign]/{samples, frames, hand}   (n,) all hands of a sign: videos, frames, left or right
sign_hand_clusters/[sign]/{joints (n, 21, 2), confidence (n,)}
sign_hand_clusters/[sign]/seeders/{samples, frames}   those that the search for hands began with
sign_hand_clusters/[sign]/clusters/[c]   rows of the hands of a cluster of the sign
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5, reader, whole_hdf5

from .clusters import Labels
from .corpus import CorpusHands, HandSample

__all__ = ["ClusteredHands", "read_corpus_clusters", "write_corpus_clusters"]


class ClusteredHands(NamedTuple):
    """All N hands of a file.

    Attributes:
        samples: N; labels: (N,) cluster over all signs, −1 for none.
        joints: (N, 21, 2) pixels, left hands in the mirror; confidence: (N,).
    """

    samples: list[HandSample]
    labels: Labels
    joints: NDArray[np.float32]
    confidence: NDArray[np.float32]


def write_corpus_clusters(path: Path, found: CorpusHands) -> None:
    """The clusters, whole or not at all; see the module for the layout."""
    signs = sorted({s.sign for s in found.samples})
    rows = {sign: [k for k, s in enumerate(found.samples) if s.sign == sign] for sign in signs}
    # clusters of a sign are numbered within it
    own = {sign: np.unique(found.within[r][found.within[r] >= 0]).tolist() for sign, r in rows.items()}
    heads = found.representatives.tolist()
    with whole_hdf5(path) as file:
        clusters = file.create_group("hand_clusters")
        for k in range(int(found.labels.max(initial=-1)) + 1):
            clusters[str(k)] = np.array([r for r, head in enumerate(heads) if found.labels[head] == k], np.int64)
        stands = file.create_group("index_to_representative")
        _texts(stands, "sign", [found.samples[head].sign for head in heads])
        stands["cluster"] = np.array([own[found.samples[h].sign].index(found.within[h]) for h in heads], np.int64)
        stands["row"] = np.array([rows[found.samples[h].sign].index(h) for h in heads], np.int64)
        _write_samples(file.create_group("hand_samples"), [found.samples[head] for head in heads])
        all_signs = file.create_group("sign_hand_clusters")
        for sign, mine in rows.items():
            group = all_signs.create_group(sign.replace("/", "∕"))
            group.attrs["sign"] = sign
            _write_samples(group, [found.samples[k] for k in mine])
            group["joints"], group["confidence"] = found.joints[mine], found.confidence[mine]
            seeds = [found.samples[k] for k in mine if k in found.seeds]
            _write_samples(group.create_group("seeders"), seeds, sides=False)
            for number, cluster in enumerate(own[sign]):
                group[f"clusters/{number}"] = np.flatnonzero(found.within[mine] == cluster)


def _write_samples(group: Any, samples: list[HandSample], sides: bool = True) -> None:
    _texts(group, "samples", [s.video for s in samples])
    group["frames"] = np.array([s.frame for s in samples], np.int64)
    if sides:
        _texts(group, "hand", [s.hand for s in samples])


def _texts(group: Any, name: str, values: list[str]) -> None:
    import h5py

    group.create_dataset(name, data=np.array(values, object), dtype=h5py.string_dtype())


@reader(ValueError)
def read_corpus_clusters(path: Path) -> ClusteredHands:
    """All hands of a file and their clusters over all signs.

    Raises:
        ValueError: the file is missing or not one of `write_corpus_clusters`.
    """

    try:
        with open_hdf5(path) as file:
            return _read(file)
    except (OSError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{path}: not a file of hand clusters ({error}); make one: spotter phonology clusters"
        ) from None


def _read(file: Any) -> ClusteredHands:
    samples: list[HandSample] = []
    first: dict[str, int] = {}
    members: dict[tuple[str, int], Labels] = {}
    parts: dict[str, list[Any]] = {"joints": [np.zeros((0, 21, 2))], "confidence": [np.zeros(0)]}
    for group in file["sign_hand_clusters"].values():
        sign = str(group.attrs["sign"])
        first[sign] = len(samples)
        videos, sides = ([str(v) for v in group[key].asstr()[:]] for key in ("samples", "hand"))
        rows = zip(videos, group["frames"][:].tolist(), sides, strict=True)
        samples += [HandSample(video, sign, int(frame), side) for video, frame, side in rows]
        for key, listed in parts.items():
            listed.append(group[key][:])
        for number, hands in group.get("clusters", {}).items():
            members[sign, int(number)] = hands[:]
    labels = np.full(len(samples), -1, np.int64)
    stands = file["index_to_representative"]
    of = list(zip([str(s) for s in stands["sign"].asstr()[:]], stands["cluster"][:].tolist(), strict=True))
    for k, representatives in file["hand_clusters"].items():
        for r in representatives[:].tolist():
            labels[first[of[r][0]] + members[of[r]]] = int(k)
    joints, confidence = (np.concatenate(listed).astype(np.float32) for listed in parts.values())
    return ClusteredHands(samples, labels, joints, confidence)
