"""MMPose whole-body (optional extra): any top-down config of 133 keypoints, e.g. HRNet-W48 on COCO-WholeBody."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .keypoints import Keypoints
from .topdown import keypoint_rows

__all__ = ["MMPoseWholeBody", "stand_ins"]

INSTALL = "pip install 'oneshot-sign-spotter[mmpose]' && pip install --no-deps mmpose==1.3.2"


@contextmanager
def stand_ins() -> Iterator[None]:
    """Lets MMPose import without two packages that whole-body networks never use.

    mmcv-lite has no compiled operators (the full mmcv compiles for very long), and MMPose's RTMO head wants two names
    of mmdet. They stand in during the import only; an operator that is called anyway says what is missing.
    """
    stands: dict[str, types.ModuleType] = {}
    if importlib.util.find_spec("mmcv._ext") is None:
        stands["mmcv._ext"] = types.ModuleType("mmcv._ext")
        stands["mmcv._ext"].__getattr__ = _missing_operator  # type: ignore[method-assign]
    if importlib.util.find_spec("mmdet") is None:
        stands.update({name: types.ModuleType(name) for name in ("mmdet", "mmdet.utils")})
        stands["mmdet.utils"].__dict__.update(ConfigType=dict, reduce_mean=None)
    sys.modules.update(stands)
    try:
        yield
    finally:
        for name in stands:
            del sys.modules[name]


def _missing_operator(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)

    def operator(*_: object, **__: object) -> None:
        raise RuntimeError(f"this model needs mmcv's compiled operator {name!r}; install the full mmcv")

    return operator


class MMPoseWholeBody:
    """133 COCO-WholeBody keypoints, one person, no detector: the box is the whole frame (or the given one).

    Args:
        config: the model's config file (`.py`), e.g. one of those inside the mmpose wheel under
            ``mmpose/.mim/configs/wholebody_2d_keypoint/topdown_heatmap``.
        checkpoint: its weights. None builds the network with random weights, which is of use to tests only.
        box: (x0, y0, x1, y1) in pixels around the signer; None is the whole frame.
        device: "cpu", "cuda", "cuda:1" …
        min_confidence: keypoints below it are missing.

    Raises:
        ImportError: MMPose is not installed; the message has the line that installs it.
        ValueError: config or checkpoint is absent.
    """

    skeleton = "coco-wholebody-133"

    def __init__(
        self,
        config: str | os.PathLike[str] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        box: tuple[float, float, float, float] | None = None,
        device: str = "cpu",
        min_confidence: float = 0.0,
    ) -> None:
        init_model, self._infer = _mmpose()
        if config is None:
            raise ValueError("the estimator 'mmpose' needs the model's config file: config='…/…_coco-wholebody-….py'")
        for kind, file in (("config", config), ("checkpoint", checkpoint)):
            if file is not None and not os.path.exists(file):
                raise ValueError(f"{file}: no such {kind} file; download it from MMPose's model zoo and give its path")
        self._model: Any = init_model(
            os.fspath(config), None if checkpoint is None else os.fspath(checkpoint), device=device
        )
        self.box, self.min_confidence = box, min_confidence
        stem = os.path.splitext(os.path.basename(os.fspath(config)))[0]
        self.name = f"mmpose {_version()} {stem}"

    def detect(self, frame: NDArray[np.uint8]) -> Keypoints:
        """(133, 2) pixels, (133,) confidence; the models have no depth."""
        height, width = frame.shape[:2]
        box = np.array([(0, 0, width, height) if self.box is None else self.box], np.float32)
        # its pipelines are made for OpenCV's order of colours
        (found,) = self._infer(self._model, np.ascontiguousarray(frame[..., ::-1]), bboxes=box)
        person = found.pred_instances
        return keypoint_rows(person.keypoints[0], person.keypoint_scores[0], self.min_confidence)

    def close(self) -> None:
        self._model = None


def _mmpose() -> tuple[Any, Any]:
    try:
        import mmcv  # noqa: F401  (its absence must not be hidden by the stand-in)

        with stand_ins():
            from mmpose.apis import inference_topdown, init_model
    except ImportError as error:
        raise ImportError(f"the estimator 'mmpose' lacks a package ({error}); {INSTALL}") from None
    return init_model, inference_topdown


def _version() -> str:
    try:
        return version("mmpose")
    except PackageNotFoundError:
        return ""
