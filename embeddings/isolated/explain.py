"""What a trained network looks at, written as pictures: saliency per hand, attention per head, learned input weights.

Saliency after Selvaraju et al., "Grad-CAM" (ICCV 2017): the last CNN map, each channel weighted by the mean gradient
of the class score, positive part; without a classifier the mean absolute activation of that map, as De Coster et al.
(CVPR Workshops 2021) show it. Attention masks as there: the last layer's, averaged over queries, one row a head. Input
weights as for the interpretable SPOTER variants: the mean of x and y of every landmark.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..clip import Clip
from ..encoders.base import Encoder
from ..encoders.spoter import Spoter, landmark_names
from ..encoders.transformer_blocks import Attention

__all__ = ["Method", "attention_mask", "explain", "input_weights", "saliency"]

Method = Literal["gradient", "activation"]
PICTURES = ("frames", "nose_frames", "body_frames", "left_hand", "right_hand", "hand")


def _last_map(encoder: Encoder) -> nn.Module:
    """The module whose output is the last CNN map: (N, C, h, w), or (B, C, t, h, w) for networks over video."""
    for path in ("cnn", "i3d", "trunk.layer4"):
        try:
            return encoder.get_submodule(path)
        except AttributeError:
            continue
    raise ValueError(f"encoder {encoder.name!r} has no CNN to take a saliency map from")


def _heat(maps: Tensor, gradient: Tensor | None, frames: int) -> Tensor:
    """Maps of one window, (T, C, h, w) or (1, C, t, h, w), as heat (T, h, w), not negative.

    Channels weighted by their mean gradient; without one, the mean absolute activation.
    """
    if gradient is None:
        heat = maps.detach().abs().mean(dim=1)
    else:
        space = tuple(range(2, maps.ndim))
        heat = F.relu((maps.detach() * gradient.mean(dim=space, keepdim=True)).sum(dim=1))
    if maps.ndim == 5:  # fewer steps in time than frames
        heat = F.interpolate(heat[None], (frames, *heat.shape[-2:]), mode="trilinear", align_corners=False)[0, 0]
    return heat


def saliency(
    encoder: Encoder,
    inputs: Mapping[str, Tensor],
    label: str | int | None = None,
    method: Method | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Where the network looks in one window: input name → (T, h, w) in [0, 1], scaled over the whole clip per input.

    A map of Grad-CAM is zero throughout where no part of the picture speaks for the class.

    Args:
        inputs: name → (1, T, …), as `Encoder.batches` yields them.
        label: the class to explain; default the one the network gives.
        method: "gradient" (Grad-CAM; needs a classifier) or "activation"; default the first where possible.

    Raises:
        ValueError: no CNN, no such label, or "gradient" without a classifier.
    """
    encoder.eval()
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        kept.append(output if output.requires_grad else output.requires_grad_())  # also where the CNN is frozen
        return kept[-1]

    hook = _last_map(encoder).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            out = encoder(inputs)
    finally:
        hook.remove()
    if method == "gradient" and out.logits is None:
        raise ValueError(f"encoder {encoder.name!r} has no classifier; use method='activation'")
    names = [name for name in encoder.required_inputs if name in PICTURES]
    frames = inputs[names[0]].shape[1]
    maps = kept[: len(names)]  # pictures come before depth
    gradients: tuple[Tensor | None, ...] = (None,) * len(maps)
    if out.logits is not None and method != "activation":
        gradients = torch.autograd.grad(out.logits[0, _class(encoder, out.logits, label)], maps)
    result = {}
    for name, values, gradient in zip(names, maps, gradients, strict=True):
        heat = _heat(values, gradient, frames)
        top = float(heat.max())
        result[name] = (heat / top if top > 0 else heat).float().cpu().numpy()
    return result


def _class(encoder: Encoder, logits: Tensor, label: str | int | None) -> int:
    if label is None:
        return int(logits[0].argmax())
    if isinstance(label, str):
        if label not in encoder.label_set:
            raise ValueError(f"the encoder has no label {label!r}; it has {', '.join(encoder.label_set[:5])}, …")
        return encoder.label_set.index(label)
    if not 0 <= label < logits.shape[1]:
        raise ValueError(f"class {label} does not exist; expected 0 to {logits.shape[1] - 1}")
    return label


@torch.inference_mode()
def attention_mask(encoder: Encoder, inputs: Mapping[str, Tensor]) -> NDArray[np.float32]:
    """What the last attention layer attends to in one window: (heads, T), averaged over queries, rows sum to 1.

    A class token is left out and the rest scaled to 1.

    Raises:
        ValueError: the network has no attention.
    """
    layers = [module for module in encoder.modules() if isinstance(module, Attention)]
    if not layers:
        raise ValueError(f"encoder {encoder.name!r} has no attention layer")
    weights: list[Tensor] = []
    hook = layers[-1].register_forward_hook(lambda _, __, output: weights.append(output[1]))
    try:
        encoder.eval()(inputs)
    finally:
        hook.remove()
    mask = weights[0][0].mean(dim=1)  # (heads, T), or (heads, 1 + T) with a class token
    mask = mask[:, mask.shape[1] - inputs[encoder.required_inputs[0]].shape[1] :]
    return (mask / mask.sum(dim=1, keepdim=True)).float().cpu().numpy()


def input_weights(encoder: Spoter, of: Literal["encoder", "decoder"] = "encoder") -> pd.DataFrame:
    """Learned input weights, heaviest first: landmark, part ("left hand", "right hand", "body"), x, y, mean.

    Args:
        of: the weights on the encoder's or on the decoder's input.

    Raises:
        ValueError: the network was built without them.
    """
    weights = encoder.input_weights if of == "encoder" else encoder.decoder_weights
    if weights is None:
        expected = "weights='input' or 'both'" if of == "encoder" else "weights='both'"
        raise ValueError(f"this network has no weights on its {of}'s input; build it with {expected}")
    pairs = weights.detach().float().cpu().numpy().reshape(-1, 2)
    names = landmark_names(encoder.config.landmarks)
    one_hand = encoder.config.landmarks == "hand-21"
    parts = [
        "right hand" if one_hand or "right_hand_" in n else "left hand" if "left_hand_" in n else "body" for n in names
    ]
    table = pd.DataFrame(
        {"landmark": names, "part": parts, "x": pairs[:, 0], "y": pairs[:, 1], "mean": pairs.mean(axis=1)}
    )
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def explain(
    encoder: Encoder,
    clip: Clip,
    folder: Path | str,
    label: str | int | None = None,
    method: Method | None = None,
    window: Callable[[Clip], Mapping[str, Tensor]] | None = None,
    tell: Callable[[str], None] = warnings.warn,
) -> list[Path]:
    """Write every picture that applies to a network and a clip into a folder.

    `saliency.png` for networks over pictures, `attention.png` where there is attention, `input_weights.csv` and
    `input_weights.png` for SPOTER with input weights, `decoder_weights.csv` and `.png` where its decoder has some, too.
    Returns what was written.

    Args:
        label, method: of `saliency`.
        window: the part of a clip to look at, as `Classifier.window` cuts it for classification; None takes the
            encoder's window over the clip's first span, or over all of it.
        tell: is given one line for each saliency map that is zero throughout.

    Raises:
        ValueError: nothing applies to this network.
    """
    from .explain_pictures import draw_attention, draw_input_weights, draw_saliency, write_table

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    inputs = _window(encoder, clip) if window is None else window(clip)
    pictures = {n: inputs[n][0].cpu().numpy().astype(np.uint8) for n in encoder.required_inputs if n in PICTURES}
    written = []
    if pictures:
        written.append(folder / "saliency.png")
        maps = saliency(encoder, inputs, label, method)
        empty = [name for name, heat in maps.items() if not heat.any()]
        for name in empty:
            tell(f"{clip.name}: no part of {name.replace('_', ' ')} speaks for this sign, its map is zero throughout; "
                 "method 'activation' shows what the network sees at all")  # fmt: skip
        draw_saliency(written[-1], pictures, maps, clip.name, empty)
    if any(isinstance(module, Attention) for module in encoder.modules()):
        written.append(folder / "attention.png")
        draw_attention(written[-1], attention_mask(encoder, inputs), pictures, clip.name)
    if isinstance(encoder, Spoter):
        sides: tuple[tuple[str, Literal["encoder", "decoder"], object], ...] = (
            ("input_weights", "encoder", encoder.input_weights),
            ("decoder_weights", "decoder", encoder.decoder_weights),
        )
        for name, side, weights in sides:
            if weights is not None:
                table = input_weights(encoder, side)
                written += [folder / f"{name}.csv", folder / f"{name}.png"]
                write_table(written[-2], table)
                draw_input_weights(written[-1], table)
    if not written:
        raise ValueError(f"encoder {encoder.name!r} has no pictures, attention or input weights to explain")
    return written


def _window(encoder: Encoder, clip: Clip) -> Mapping[str, Tensor]:
    span = (clip.spans[0].start, clip.spans[0].end) if clip.spans else (0, len(clip))
    rows = np.array([span], float) * (encoder.fps / clip.fps)
    return next(encoder.batches(encoder.prepare(clip), rows, 1))
