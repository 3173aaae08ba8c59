"""Dense mode: one convolutional pass over a clip in place of one per window, for networks that convolve over time.

A window alone is padded with zeros at its edges, and SL-GCN's attention averages over it; in one pass a window's edges
see their real neighbours, and the averages are those of the frames around. So a dense vector is near that of its
window, not equal to it, and the exact windows stay the default. `scripts/bench/windows.py` prints what it costs and
gains. Where a network strides over time (I3D), its strides become dilations, which gives every frame an output ("à
trous", Giusti et al. 2013, arXiv:1302.1700); every eighth output is that of the network itself on the whole clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..clip import Clip
from ..interpolation import rows_at
from .base import Encoder, EncoderOutput, Inputs, unit_rows
from .compute import computing
from .graph_layers import Attention
from .i3d import I3D, Mixed, SamePool, Triple, Unit3D
from .image_encoder import ImageEncoder
from .sl_gcn import SLGCN

__all__ = ["Dense", "dense"]


def dense(encoder: Encoder) -> Dense:
    """The encoder in dense mode; it shares the weights and can take the exact one's place everywhere.

    Raises:
        ValueError: the network has no dense mode.
    """
    if isinstance(encoder, SLGCN):
        if encoder.config.strided:
            raise ValueError("this sl-gcn strides over time (a network for isolated clips); dense mode needs stride 1")
        return Dense(encoder, _GraphPass(encoder), block=1024, margin=96)
    if isinstance(encoder, I3D):
        if encoder.window % 8:
            raise ValueError(f"i3d with a window of {encoder.window} frames; dense mode needs a multiple of 8")
        return Dense(encoder, _InceptionPass(encoder), block=96, margin=48)
    raise ValueError(f"encoder {encoder.name!r} has no dense mode; i3d, sl-gcn and sl-gcn-3d have one")


class _Pass(nn.Module):
    """One network over a stretch of samples."""

    def forward(self, samples: Tensor, starts: Tensor) -> Tensor:
        """Samples (n, …) of a stretch → vectors (s, D) of the windows that start at these samples."""
        raise NotImplementedError


class Dense(Encoder):
    """An encoder whose windows share one pass; see the module's text.

    Windows of one length are taken from one sequence of samples, as far apart as that length's samples are; a window
    whose start lies between two samples takes the nearer one.
    """

    def __init__(self, encoder: Encoder, network: _Pass, block: int, margin: int) -> None:
        super().__init__()
        self.exact, self.network, self.block, self.margin = encoder, network, block, margin
        self.name, self.required_inputs = encoder.name, encoder.required_inputs  # type: ignore[misc]
        self.config, self.id, self.fps = encoder.config, encoder.id, encoder.fps
        self.window, self.dim, self.label_set = encoder.window, encoder.dim, encoder.label_set
        self.precision, self.parts = encoder.precision, encoder.parts

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        return self.exact.prepare(clip)

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        output: EncoderOutput = self.exact(inputs)
        return output

    @computing
    def embed(self, inputs: Inputs, windows: NDArray[np.floating], batch: int | None = None) -> NDArray[np.float32]:
        """As `Encoder.embed`, nearly; `batch` has no meaning here."""
        self.check_inputs(inputs)
        self.eval()
        windows = np.asarray(windows, np.float64).reshape(-1, 2)
        rows = np.zeros((len(windows), self.dim), np.float32)
        lengths = np.round(windows[:, 1] - windows[:, 0], 6)
        for length in np.unique(lengths):
            mine = np.flatnonzero(lengths == length)
            rows[mine] = self._one_length(inputs[self.required_inputs[0]], windows[mine, 0], float(length))
        return rows

    def _one_length(
        self, values: NDArray[np.float32], starts: NDArray[np.float64], length: float
    ) -> NDArray[np.float32]:
        """Vectors (n, D) of windows of one length."""
        step = length / self.window
        origin = float(starts.min())
        first = np.round((starts - origin) / step).astype(np.intp)
        device = next(self.parameters()).device
        rows = np.zeros((len(starts), self.dim), np.float32)
        for part in _stretches(first, int(first.max()) + self.window, self.window, self.block, self.margin):
            positions = origin + (np.arange(part.low, part.high) + 0.5) * step - 0.5
            samples = torch.from_numpy(self._samples(values, np.asarray(positions, np.float64))).to(device)
            begins = torch.from_numpy(first[part.mine] - part.low).to(device)
            rows[part.mine] = unit_rows(self.network(samples, begins).float()).cpu().numpy()
        return rows

    def _samples(self, values: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
        if isinstance(self.exact, ImageEncoder):  # pictures are never blended
            nearest = np.clip(np.ceil(positions - 0.5), 0, len(values) - 1).astype(np.intp)
            return values[nearest]
        return np.ascontiguousarray(rows_at(values, positions[None])[0])


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Samples [low, high) that one pass sees, and which windows it gives."""

    low: int
    high: int
    mine: NDArray[np.intp]


def _stretches(first: NDArray[np.intp], samples: int, window: int, block: int, margin: int) -> Iterator[_Stretch]:
    """Stretches of a sequence, overlapping by a margin, that together hold every window (by its first sample)."""
    for at in range(0, samples, block):
        mine = np.flatnonzero((first >= at) & (first < at + block))
        if len(mine):
            low, high = first[mine].min() - margin, first[mine].max() + window + margin
            yield _Stretch(max(0, int(low)), min(samples, int(high)), mine)


class _GraphPass(_Pass):
    """SL-GCN over a stretch, its attention's averages taken over the window-long surroundings of each frame."""

    def __init__(self, encoder: SLGCN) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, samples: Tensor, starts: Tensor) -> Tensor:
        encoder, window = self.encoder, self.encoder.window
        x = encoder.stem(samples[None])
        means = []
        for i, unit in enumerate(encoder.units):
            y = _attended(unit.attention, unit.graph_conv(x), window)  # type: ignore[arg-type, operator]
            y = unit.norm(unit.temporal(y))  # type: ignore[operator]
            x = F.relu(y if unit.skip is None else y + unit.skip(x))  # type: ignore[operator]
            if i >= len(encoder.units) - encoder.config.head_units:
                sliding = F.avg_pool2d(x, (window, 1), stride=1)[0]  # (C, n - window + 1, V)
                means.append(sliding[:, starts].transpose(0, 1))
        return encoder.head(means).embedding


def _around(values: Tensor, window: int) -> Tensor:
    """Mean over the window of samples around each one; at the ends, over the first or last window: (…, T) → (…, T)."""
    frames = values.shape[-1]
    window = min(window, frames)
    sliding = F.avg_pool1d(values, window, stride=1)
    at = torch.arange(frames, device=values.device) - window // 2
    return sliding[..., at.clamp(0, frames - window)]


def _attended(attention: Attention, y: Tensor, window: int) -> Tensor:
    """`Attention` of y (1, C, T, V) with local averages over time."""
    joints = y.shape[-1]
    local = _around(y[0].permute(0, 2, 1).flatten(0, 1), window)  # (C·V, T)
    local = local.view(-1, joints, y.shape[2]).permute(2, 0, 1)  # (T, C, V)
    y = y + y * torch.sigmoid(attention.spatial(local)).transpose(0, 1)[None]
    y = y + y * torch.sigmoid(attention.temporal(y.mean(dim=3)))[..., None]
    squeezed = F.relu(attention.squeeze(_around(y.mean(dim=3)[0], window).T))  # (T, C/2)
    channel = torch.sigmoid(attention.excite(squeezed)).T
    return y + y * channel[None, ..., None]


class _InceptionPass(_Pass):
    """Inception-I3D over a stretch with every temporal stride turned into a dilation."""

    def __init__(self, encoder: I3D) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, samples: Tensor, starts: Tensor) -> Tensor:
        features = self.features(samples)
        every = torch.arange(0, self.encoder.window, 8, device=starts.device)
        return self.encoder.head(features[starts[:, None] + every].mean(dim=1)).embedding

    def features(self, samples: Tensor) -> Tensor:
        """Frames (n, H, W, 3) → (n, 1024): output i is that of the network's output whose window starts at frame i."""
        x = self.encoder.normalised(samples[None]).transpose(1, 2)
        dilation = 1
        for stage in self.encoder.i3d:
            if isinstance(stage, Mixed):
                x = _mixed(stage, x, dilation)
            elif isinstance(stage, SamePool):
                x = _pooled(stage, x, dilation)
                dilation *= stage.step[0]
            else:
                assert isinstance(stage, Unit3D)
                x = _convolved(stage, x, dilation)
                dilation *= stage.stride[0]
        return x.mean(dim=(3, 4))[0].T


def _padded(x: Tensor, kernel: Triple, stride: Triple, dilation: int) -> Tensor:
    """Zeros around (1, C, T, H, W) as the network pads a window whose length every stride divides."""
    padding: list[int] = []
    for n, k, s in zip(reversed(x.shape[3:]), reversed(kernel[1:]), reversed(stride[1:]), strict=True):
        total = max(k - (s if n % s == 0 else n % s), 0)
        padding += [total // 2, total - total // 2]
    total = max(kernel[0] - stride[0], 0)
    return F.pad(x, [*padding, dilation * (total // 2), dilation * (kernel[0] - 1 - total // 2)])


def _convolved(unit: Unit3D, x: Tensor, dilation: int) -> Tensor:
    x = _padded(x, unit.kernel, unit.stride, dilation)
    x = F.conv3d(x, unit.conv3d.weight, stride=(1, *unit.stride[1:]), dilation=(dilation, 1, 1))
    return F.relu(unit.bn(x))


def _pooled(pool: SamePool, x: Tensor, dilation: int) -> Tensor:
    x = _padded(x, pool.kernel, pool.step, dilation)
    return F.max_pool3d(x, pool.kernel, (1, *pool.step[1:]), dilation=(dilation, 1, 1))


def _mixed(block: Mixed, x: Tensor, dilation: int) -> Tensor:
    branches = (
        _convolved(block.b0, x, dilation),
        _convolved(block.b1b, _convolved(block.b1a, x, dilation), dilation),
        _convolved(block.b2b, _convolved(block.b2a, x, dilation), dilation),
        _convolved(block.b3b, _pooled(block.b3a, x, dilation), dilation),
    )
    return torch.cat(branches, dim=1)
