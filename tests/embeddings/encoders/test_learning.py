"""Networks over joints, rotations and depth learn eight procedural clips by heart; the other encoders' own files do so
for theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from embeddings.clip import Clip
from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.encoders.sl_gcn import SLGCN, SLGCN3D, SLGCN3DConfig, SLGCNConfig
from embeddings.encoders.table import ENCODERS
from embeddings.encoders.vtn import VTNConfig, VTNPFDepth
from embeddings.synthetic import SignWorld
from tests.embeddings.encoders.overfitting import accuracy_after, eight_clips, eight_films, signing_windows

SMALL = {"widths": (8, 8, 8, 8), "head_units": 1, "part_dim": 4, "groups": 4, "kernel": 3, "dropgraph": 1.0}


def test_sl_gcn_learns_eight_clips() -> None:
    torch.manual_seed(0)
    encoder = SLGCN(SLGCNConfig(streams=("joint", "bone"), window=12, classes=8, **SMALL))  # type: ignore[arg-type]
    assert accuracy_after(encoder, signing_windows(encoder, eight_clips()), steps=25, rate=1e-2) == 1.0


def test_sl_gcn_3d_learns_eight_clips() -> None:
    torch.manual_seed(0)
    world = SignWorld(7, signs=8)
    clips = tuple(world.clip(i, signer=i, camera=i, rotations=True) for i in range(8))
    encoder = SLGCN3D(SLGCN3DConfig(window=8, classes=8, **SMALL))  # type: ignore[arg-type]
    assert accuracy_after(encoder, signing_windows(encoder, clips), steps=25, rate=1e-2) == 1.0


def test_sign_tcn_learns_eight_clips() -> None:
    torch.manual_seed(0)
    encoder = SignTCN(SignTCNConfig(hand_width=16, width=32, dim=32, classes=8))
    assert accuracy_after(encoder, signing_windows(encoder, eight_clips()), steps=40, rate=3e-3) == 1.0


def test_vtn_with_depth_learns_eight_clips() -> None:
    torch.manual_seed(0)
    encoder = VTNPFDepth(VTNConfig(classes=8, backbone="resnet18", layers=1, window=2, size=32, dropout=0.0))
    clips = tuple(_with_depth(clip) for clip in eight_films())
    assert accuracy_after(encoder, signing_windows(encoder, clips), steps=8, rate=1e-3) == 1.0


def _with_depth(clip: Clip) -> Clip:
    """Grey pictures stand for depth: what counts is that the branch takes part."""
    assert clip.frames is not None
    return replace(clip, extra={"depth": np.ascontiguousarray(clip.frames.mean(axis=-1).astype(np.uint8))})


def test_no_encoder_is_left_out() -> None:
    elsewhere = {"i3d", "i3d-resnet50", "vtn", "vtn-hc", "vtn-pf", "spoter", "pose-transformer", "vle-transformer",
                 "handshape"}  # fmt: skip
    variants = {"spoter-no-position", "encoder-only", "class-query", "weights-both-sides"}  # in test_spoter, by config
    here = {"sl-gcn", "sl-gcn-3d", "sign-tcn", "vtn-pf-depth"}
    assert set(ENCODERS) == elsewhere | variants | here | {"pose-cosine"}  # the last learns nothing
