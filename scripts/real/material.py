"""Real recordings as training material beside the procedural signer's, where their licence permits training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from embeddings.clip import Clip, Span
from embeddings.encoders.base import Encoder
from embeddings.handedness import right_handed
from embeddings.training.signing import Stretches, WindowBatch, collect
from scripts.real.sets import read_collection
from spotter.enrolment import exemplar_span

__all__ = ["joined", "real_material"]


def real_material(files: list[Path], encoder: Encoder) -> Stretches:
    """Isolated real recordings (landmark collections of which the licence permits training) as material.

    A sign is a class of its own in each folder of collections: languages share glosses, not signs. `<idle>` clips are
    kept as stretches without a sign, for windows of rest.
    """
    clips: list[Clip] = []
    for file in files:
        for clip in read_collection(file):
            # some clips of rest show an empty chair
            if clip.pose is None or not np.isfinite(clip.pose.xy[:, clip.pose.joint("left_shoulder")]).any():
                continue
            name, (start, end) = f"{file.parent.name}:{clip.label}", exemplar_span(clip)
            clips.append(replace(right_handed(clip), spans=(Span(name, start, end),)))
    names = sorted({c.spans[0].label for c in clips if not c.spans[0].label.endswith(":<idle>")})
    key = encoder.required_inputs[0]
    return collect(clips, {name: i for i, name in enumerate(names)}, lambda clip: encoder.prepare(clip)[key])


def joined(first: WindowBatch, second: WindowBatch, classes: tuple[int, int]) -> WindowBatch:
    """Two batches as one; classes of the second follow the first's, background labels follow both."""
    known, more = classes
    backgrounds = int((first.labels >= known).sum())
    ours = np.where(first.labels < known, first.labels, first.labels + more)
    theirs = np.where(second.labels < more, second.labels + known, second.labels + known + backgrounds)
    return WindowBatch(
        np.concatenate([first.inputs, second.inputs]),
        np.concatenate([first.windows, second.windows]),
        np.concatenate([ours, theirs]),
    )
