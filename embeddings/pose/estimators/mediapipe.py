"""MediaPipe Holistic, for comparison (optional extra): its models are inside the wheel, nothing is downloaded."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .keypoints import Keypoints
from .quiet import quiet

__all__ = ["MediaPipeHolistic"]

BODY_POINTS, HAND_POINTS = 33, 21
INSTALL = "pip install 'mediapipe==0.10.21' (Python 3.11 or 3.12, NumPy 1)"
LIBRARIES = "on Debian or Ubuntu: sudo apt-get install -y libgl1 libglib2.0-0"


def _mediapipe() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import mediapipe
    except ImportError as error:
        text = str(error)
        if "libGL" in text or "libgthread" in text or "libglib" in text:
            raise ImportError(f"MediaPipe's OpenCV lacks a system library ({text}); {LIBRARIES}") from None
        if not isinstance(error, ModuleNotFoundError) or error.name != "mediapipe":
            raise ImportError(f"MediaPipe is installed but does not load ({text}); {INSTALL}") from None
        raise ImportError(f"MediaPipe is not installed; {INSTALL}, or use another estimator") from None
    return mediapipe


def _solutions() -> Any:
    """MediaPipe with the models inside its wheel."""
    mediapipe = _mediapipe()
    if not hasattr(mediapipe, "solutions"):
        raise ImportError(
            f"MediaPipe {mediapipe.__version__} ships no models; "
            f"{INSTALL}, or give the model file of the newer interface (model='holistic_landmarker.task')"
        )
    return mediapipe


class MediaPipeHolistic:
    """33 body landmarks and 21 per hand (skeleton "mediapipe-holistic"); tracks from frame to frame.

    Confidence is the landmark's visibility for the body and 1 for every joint of a hand that was found (the
    model reports none for hands). z is in pixels: relative to the hips' middle for the body, to the wrist for a
    hand, to which the body's wrist depth is added.

    Args:
        min_detection, min_tracking: thresholds in [0, 1].
        model: a `.task` file of the user's, for releases that ship no models.
        config, checkpoint: not used by this estimator; present so that all take the same settings.
    """

    skeleton = "mediapipe-holistic"

    def __init__(
        self,
        min_detection: float = 0.5,
        min_tracking: float = 0.5,
        model: str | os.PathLike[str] | None = None,
        config: object = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        task = model if model is not None else checkpoint
        self._task: Any = None
        self._graph: Any = None
        self._thresholds = (min_detection, min_tracking)
        with quiet():
            mediapipe = _solutions() if task is None else _mediapipe()
            if task is not None:
                self._task = _landmarker(mediapipe, os.fspath(task), min_detection, min_tracking)
        self._frames = 0
        self._settled = False
        self.name = f"mediapipe-holistic {mediapipe.__version__}"

    def detect(self, frame: NDArray[np.uint8]) -> Keypoints:
        height, width = frame.shape[:2]
        if self._task is not None:
            body, left, right = self._detect_with_task(frame)
        else:
            result = self._processed(frame)
            body, left, right = (
                marks.landmark if marks is not None else None
                for marks in (result.pose_landmarks, result.left_hand_landmarks, result.right_hand_landmarks)
            )
        self._frames += 1
        values = np.full((BODY_POINTS + 2 * HAND_POINTS, 3), np.nan, np.float32)
        confidence = np.zeros(len(values), np.float32)
        if body is not None:
            values[:BODY_POINTS] = [(p.x, p.y, p.z) for p in body]
            confidence[:BODY_POINTS] = [p.visibility for p in body]
        for first, wrist, hand in ((BODY_POINTS, 15, left), (BODY_POINTS + HAND_POINTS, 16, right)):
            if hand is not None:
                joints = slice(first, first + HAND_POINTS)
                values[joints] = [(p.x, p.y, p.z) for p in hand]
                values[joints, 2] += np.nan_to_num(values[wrist, 2])
                confidence[joints] = 1.0
        # the model measures depth in picture widths
        values *= np.array([width, height, width], np.float32)
        return Keypoints(values[:, :2].copy(), np.clip(confidence, 0, 1), values[:, 2].copy())

    def _processed(self, frame: NDArray[np.uint8]) -> Any:
        if self._settled:
            return self._graph.process(frame)
        # the graph starts in threads of its own, which are loud until each part has run: until somebody was seen
        with quiet():
            if self._graph is None:
                import mediapipe

                self._graph = mediapipe.solutions.holistic.Holistic(
                    model_complexity=1,
                    min_detection_confidence=self._thresholds[0],
                    min_tracking_confidence=self._thresholds[1],
                    refine_face_landmarks=False,
                )
            result = self._graph.process(frame)
        self._settled = result.pose_landmarks is not None
        return result

    def _detect_with_task(self, frame: NDArray[np.uint8]) -> tuple[Any, Any, Any]:
        import mediapipe

        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
        # the video mode wants rising times; only their order matters to the tracker
        result = self._task.detect_for_video(image, 40 * self._frames)
        return tuple(
            marks or None for marks in (result.pose_landmarks, result.left_hand_landmarks, result.right_hand_landmarks)
        )  # type: ignore[return-value]

    def forget(self, frame: NDArray[np.uint8]) -> None:
        """Loses track of the signer, as a fresh estimator would be; frame gives the size.

        A black picture does it, up to a smoothing of the confidences; building the graph anew each time was measured to
        take 200 MB that never come back.
        """
        if self._frames > 0:
            self.detect(np.zeros_like(frame))

    def close(self) -> None:
        for opened in (self._task, self._graph):
            if opened is not None:
                opened.close()
        self._task = self._graph = None
        self._settled = False


def _landmarker(mediapipe: Any, model: str, min_detection: float, min_tracking: float) -> Any:
    """The newer interface of MediaPipe, with the user's model file."""
    from mediapipe.tasks.python import BaseOptions, vision

    if not os.path.exists(model):
        raise ValueError(f"{model}: no such model file; download holistic_landmarker.task and give its path")
    if not hasattr(vision, "HolisticLandmarker"):
        raise ImportError(f"MediaPipe {mediapipe.__version__} has no HolisticLandmarker; leave the model file out")
    options = vision.HolisticLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        min_pose_detection_confidence=min_detection,
        min_hand_landmarks_confidence=min_tracking,
    )
    try:
        return vision.HolisticLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"{model}: not a holistic landmarker's model file ({' '.join(str(error).split())})") from None
