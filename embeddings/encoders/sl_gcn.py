"""SL-GCN: decoupled graph convolutions over a signer's joints, 2D and 3D.

After Jiang et al. 2021, "Skeleton Aware Multi-modal Sign Language Recognition" (SAM-SLR, arXiv:2103.08833), with the
decoupled graph convolution and DropGraph of Cheng et al. 2020 (ECCV), and the spotting head of the OSLWL entry to the
ECCV 2022 sign spotting challenge: the mean over time of each joint of the last units is a part with a linear layer of
its own without bias, and parts are compared one by one: by triplets before a BNNeck (Luo et al. 2019), after it by the
cosines with class vectors of each part's own. Ten units of 64, 128 and 256 channels, temporal stride 1 for spotting and
2 at units 5 and 8 for 150-frame isolated clips; temporal kernel 9; attention spatial, then temporal, then over
channels.

The published sizes, 11.82 M and 9.71 M, follow exactly from 80 classes and constants that the published code keeps
among its parameters: an identity matrix for each output channel of each unit's normalisation, and each unit's copy of
the whole adjacency. They are never trained and not kept here.

`SLGCNConfig.adjacency`, `.classifier` and `.part_bias` select between the published form, the default, and what the
shipped `sl-gcn` was trained with: adjacencies divided by their columns' length, layers with a bias, and one classifier
over the whole vector. Checkpoints that do not say are of the second kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..clip import Clip
from ..pose.features import fill_nearest
from ..skeletons import SKELETONS
from .base import Encoder, EncoderOutput
from .graph import adjacency, bone_parents
from .graph_layers import PartClassifier, Unit

__all__ = ["SLGCN", "SLGCN3D", "SLGCN3DConfig", "SLGCNConfig"]

STREAMS = ("joint", "bone", "motion", "bone-motion")
WIDTHS = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)


@dataclass(frozen=True)
class SLGCNConfig:
    """Sizes and input of the network; the default is the published 2D spotting network (one stream).

    Attributes:
        streams: of `STREAMS`: joints, bones (child − parent), motion (next − this frame) and motion of bones; several
            are stacked as channels (SAM-SLR trains one network each and adds their scores).
        widths: channels of each unit.
        head_units: how many last units give parts; the published 2D network takes three, so 81 parts.
        part_dim: length of a part's vector.
        window: frames; strided: temporal stride 2 at units 5 and 8 (for isolated clips of 150 frames).
        groups: of the decoupled adjacency; kernel: temporal.
        dropgraph: keep probability in the last four units; drop_block: size of a dropped stretch in frames.
        alignment: "body" (neck origin, shoulder width as unit) or "nose" (the nose at (256, 150) of a 512 px square
            in every frame, as the entry aligns its videos).
        adjacency: what columns of the learned adjacencies are divided by: their "sum" (published) or their Euclidean
            "length".
        part_bias: whether the parts' linear layers have a bias (published: none).
        classifier: "parts", class vectors for each part, compared by cosine (published), or "joint", one linear layer
            over all parts.
        scale: of the cosines of "parts". Not published; that of the gait networks whose parts these are (Fan et al.
            2023, "OpenGait", arXiv:2211.06597).
        classes: size of the classifier, 0 for none.
    """

    streams: tuple[str, ...] = ("joint",)
    widths: tuple[int, ...] = WIDTHS
    head_units: int = 3
    part_dim: int = 256
    window: int = 16
    strided: bool = False
    groups: int = 16
    kernel: int = 9
    dropgraph: float = 0.9
    drop_block: int = 41
    alignment: Literal["body", "nose"] = "body"
    adjacency: Literal["sum", "length"] = "sum"
    part_bias: bool = False
    classifier: Literal["parts", "joint"] = "parts"
    scale: float = 16.0
    classes: int = 0


@dataclass(frozen=True)
class SLGCN3DConfig(SLGCNConfig):
    """The published 3D network: axis-angle rotations of 39 joints, parts from the last unit only."""

    head_units: int = 1


class SLGCN(Encoder):
    """2D SL-GCN. Input: "joints" (B, T, 27, 3): x, y, confidence. See the module's text."""

    name = "sl-gcn"
    required_inputs: ClassVar[tuple[str, ...]] = ("joints",)
    skeleton = "sl-gcn-27"
    earlier: ClassVar[Mapping[str, Any]] = {"adjacency": "length", "part_bias": True, "classifier": "joint"}

    def __init__(self, config: SLGCNConfig | None = None) -> None:
        super().__init__()
        config = SLGCNConfig() if config is None else config
        unknown = set(config.streams) - set(STREAMS)
        if unknown or not config.streams:
            raise ValueError(f"streams {config.streams}; expected some of {', '.join(STREAMS)}")
        if config.alignment not in ("body", "nose"):
            raise ValueError(f"alignment {config.alignment!r}; expected 'body' or 'nose'")
        if any(width % config.groups for width in config.widths):
            raise ValueError(f"widths {config.widths} must be multiples of groups ({config.groups})")
        self.config, self.window = config, config.window
        joints = len(SKELETONS[self.skeleton].joints)
        self.parts = parts = config.head_units * joints
        self.dim = parts * config.part_dim
        graph = adjacency(self.skeleton)
        self.parents: Tensor
        self.register_buffer("parents", torch.from_numpy(bone_parents(self.skeleton)), persistent=False)
        given = 3 * len(config.streams)
        self.norm = nn.BatchNorm1d(given * joints)
        self.units = nn.ModuleList()
        count = len(config.widths)
        for i, made in enumerate(config.widths):
            stride = 2 if config.strided and i in (4, 7) else 1
            self.units.append(Unit(given, made, graph, config, stride, drop=i >= count - 4, first=i == 0))
            given = made
        heads = [width for width in config.widths[-config.head_units :] for _ in range(joints)]
        self.part_layers = nn.ModuleList(nn.Linear(width, config.part_dim, config.part_bias) for width in heads)
        self.neck = nn.BatchNorm1d(self.dim)
        nn.init.zeros_(self.neck.bias)
        self.neck.bias.requires_grad_(False)
        self.classifier: nn.Linear | PartClassifier | None = None
        if config.classes and config.classifier == "joint":
            self.classifier = nn.Linear(self.dim, config.classes, bias=False)
        elif config.classes:
            self.classifier = PartClassifier(parts, config.part_dim, config.classes, config.scale)

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose; estimate it first (spotter pose)")
        pose = clip.pose.resample(self.fps).to(self.skeleton)
        xy: NDArray[np.floating] = fill_nearest(pose.xy)
        index = SKELETONS[self.skeleton].index
        nose, left, right = (xy[:, index(n)] for n in ("nose", "left_shoulder", "right_shoulder"))
        width = float(np.nanmedian(np.linalg.norm(left - right, axis=-1))) if len(xy) else np.nan
        if not width > 1e-3:
            raise ValueError(f"{clip.name}: the shoulders were never seen, so there is no body to measure by")
        if self.config.alignment == "body":
            xy = (xy - np.nanmedian((left + right) / 2, axis=0)) / width
        else:
            # the picture is scaled to a height of 512 px and moved so that the nose stands at (256, 150)
            scale = 512 / pose.size[1]
            xy = ((xy - nose[:, None]) * scale + np.array([256.0, 150.0]) - 256) / 256
        joints = np.concatenate([np.nan_to_num(xy), pose.confidence[..., None]], axis=-1)
        return {"joints": joints.astype(np.float32)}

    def streams(self, joints: Tensor) -> Tensor:
        """(B, T, V, 3) → (B, 3·S, T, V): the configured streams as channels.

        Bones are child − parent, motion is next − this frame (0 in the last); confidence is kept in each.
        """
        place, rest = joints[..., : self.place_channels], joints[..., self.place_channels :]
        bone = place - place[:, :, self.parents]
        values = {"joint": place, "bone": bone, "motion": _motion(place), "bone-motion": _motion(bone)}
        chosen = [torch.cat((values[name], rest), dim=-1) for name in self.config.streams]
        return torch.cat(chosen, dim=-1).permute(0, 3, 1, 2)

    place_channels = 2

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        x = self.stem(inputs[self.required_inputs[0]])
        means = []
        for i, unit in enumerate(self.units):
            x = unit(x)
            if i >= len(self.units) - self.config.head_units:
                means.append(x.mean(dim=2))  # (B, C, V)
        return self.head(means)

    def stem(self, joints: Tensor) -> Tensor:
        """(B, T, V, 3) → (B, 3·S, T, V): streams, normalised by channel and joint."""
        x = self.streams(joints)
        batch, channels, frames, count = x.shape
        x = self.norm(x.permute(0, 3, 1, 2).reshape(batch, count * channels, frames))
        return x.view(batch, count, channels, frames).permute(0, 2, 3, 1)

    def head(self, means: Sequence[Tensor]) -> EncoderOutput:
        """Means over time (B, C, V) of the last units → their parts and the embedding."""
        flat = [mean[..., v] for mean in means for v in range(mean.shape[-1])]
        parts = torch.stack([layer(part) for layer, part in zip(self.part_layers, flat, strict=True)], dim=1)
        necked = self.neck(parts.flatten(1))
        # the mean over parts of their cosines is the inner product of their unit vectors over √P
        each = F.normalize(necked.view_as(parts), dim=-1)
        embedding = each.flatten(1) / parts.shape[1] ** 0.5
        if isinstance(self.classifier, PartClassifier):
            scores = self.classifier(each)
            return EncoderOutput(embedding, parts, scores.mean(dim=1), scores)
        return EncoderOutput(embedding, parts, None if self.classifier is None else self.classifier(necked))


class SLGCN3D(SLGCN):
    """3D SL-GCN. Input: "rotations" (B, T, 39, 3), axis-angle in the order of "smplx-39"."""

    name = "sl-gcn-3d"
    required_inputs = ("rotations",)
    skeleton = "smplx-39"
    place_channels = 3

    def __init__(self, config: SLGCN3DConfig | None = None) -> None:
        super().__init__(SLGCN3DConfig() if config is None else config)

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        rotations = clip.extra.get("rotations")
        if rotations is None or rotations.shape[1:] != (39, 3):
            shape = "none" if rotations is None else str(rotations.shape)
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs extra['rotations'] (T, 39, 3); found {shape}")
        values = fill_nearest(np.asarray(rotations, np.float32))
        if clip.fps != self.fps:
            rows = max(1, round(len(values) * self.fps / clip.fps))
            # the nearest frame: axis-angles do not interpolate
            values = values[np.clip(np.round(np.arange(rows) * clip.fps / self.fps), 0, len(values) - 1).astype(int)]
        return {"rotations": np.nan_to_num(values)}


def _motion(values: Tensor) -> Tensor:
    return torch.cat((values[:, 1:] - values[:, :-1], torch.zeros_like(values[:, :1])), dim=1)
