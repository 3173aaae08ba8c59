"""RTMPose whole-body through ONNX Runtime (optional extra): no MMPose, no torch, models as `.onnx` files."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .keypoints import Keypoints
from .topdown import keypoint_rows

__all__ = ["RTMPoseWholeBody"]

INSTALL = "pip install 'oneshot-sign-spotter[rtmlib]'  (or: pip install 'rtmlib>=0.0.13' 'onnxruntime>=1.17')"


class RTMPoseWholeBody:
    """133 COCO-WholeBody keypoints, one person, no detector: the box is the whole frame (or the given one).

    Args:
        checkpoint: a whole-body `.onnx` file of RTMPose, RTMW or DWPose (two SimCC outputs). None lets rtmlib fetch
            its balanced RTMW-x model into its own cache, the only use of the network here.
        box: (x0, y0, x1, y1) in pixels around the signer; None is the whole frame.
        device: "cpu" or "cuda".
        min_confidence: keypoints below it are missing.
        config: not used; present so that all estimators take the same settings.

    Raises:
        ImportError: rtmlib or onnxruntime is not installed; the message has the line that installs them.
        ValueError: the file is absent or no whole-body SimCC model.
    """

    skeleton = "coco-wholebody-133"

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | None = None,
        box: tuple[float, float, float, float] | None = None,
        device: str = "cpu",
        min_confidence: float = 0.0,
        config: object = None,
    ) -> None:
        try:
            import onnxruntime  # noqa: F401  (rtmlib imports it late, with a message of its own)
            from rtmlib import RTMPose, Wholebody
        except ImportError as error:
            raise ImportError(f"the estimator 'rtmlib' lacks a package ({error}); {INSTALL}") from None
        model = Wholebody.MODE["balanced"]["pose"] if checkpoint is None else os.fspath(checkpoint)
        size = Wholebody.MODE["balanced"]["pose_input_size"] if checkpoint is None else _input_size(model)
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # it prints what it loads
            self._model: Any = RTMPose(model, model_input_size=size, backend="onnxruntime", device=device)
        self.box, self.min_confidence = box, min_confidence
        stem = os.path.splitext(os.path.basename(model))[0]
        self.name = f"rtmlib {version('rtmlib')} {stem}"

    def detect(self, frame: NDArray[np.uint8]) -> Keypoints:
        """(133, 2) pixels, (133,) confidence; RTMPose has no depth."""
        boxes = [] if self.box is None else [list(self.box)]
        keypoints, scores = self._model(np.ascontiguousarray(frame[..., ::-1]), bboxes=boxes)
        return keypoint_rows(keypoints[0], scores[0], self.min_confidence)

    def close(self) -> None:
        self._model = None


def _input_size(model: str) -> tuple[int, int]:
    """(width, height) that the network wants, read from the file."""
    import onnxruntime

    if not os.path.exists(model):
        raise ValueError(f"{model}: no such model file; give a whole-body .onnx file, or none to let rtmlib fetch one")
    try:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exception classes differ between releases
        raise ValueError(f"{model}: not a readable ONNX model ({str(error).splitlines()[0]})") from None
    shape, outputs = session.get_inputs()[0].shape, session.get_outputs()
    whole_body = len(outputs) == 2 and all(o.shape[1] == 133 for o in outputs)
    if not whole_body or not all(isinstance(n, int) for n in shape[2:4]):
        found = "; ".join(f"{o.name} {o.shape}" for o in outputs)
        raise ValueError(f"{model}: outputs are {found}; expected two SimCC outputs of 133 keypoints")
    return int(shape[3]), int(shape[2])
