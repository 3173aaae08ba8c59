"""The networks of MediaPipe (Apache-2.0), run by LiteRT alone; their files lie in `embeddings/weights/holistic`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..quiet import quiet

__all__ = ["FOLDER", "Network"]

FOLDER = Path(__file__).parents[3] / "weights" / "holistic"
INSTALL = "pip install 'ai-edge-litert>=2.1' (Linux x86-64 and Arm, macOS on Arm, Windows), or use another estimator"


class Network:
    """One network, on one processor thread.

    Args:
        name: of the file in `FOLDER`, without its ending.

    Raises:
        ImportError: LiteRT is not installed; the message has the line that installs it.
    """

    def __init__(self, name: str) -> None:
        try:
            with quiet():
                from ai_edge_litert.interpreter import Interpreter

                self._program: Any = Interpreter(str(FOLDER / f"{name}.tflite"), num_threads=1)
                self._program.allocate_tensors()
        except ImportError as error:
            raise ImportError(f"the estimator 'holistic' lacks LiteRT ({error}); {INSTALL}") from None
        (details,) = self._program.get_input_details()
        self._input = details["index"]
        self.pixels = int(details["shape"][1])
        self._outputs = [details["index"] for details in self._program.get_output_details()]

    def __call__(self, picture: NDArray[np.uint8], low: float = 0.0) -> list[NDArray[np.float32]]:
        """The outputs, without the batch axis, for one picture (pixels, pixels, 3); its values go to [low, 1]."""
        program = self._program
        # no copy: the values are written into the network's own memory
        tensor = program.tensor(self._input)()[0]
        np.multiply(picture, np.float32((1.0 - low) / 255.0), out=tensor)
        if low:
            tensor += np.float32(low)
        del tensor  # the program refuses to run while its memory is held
        program.invoke()
        return [program.get_tensor(index)[0] for index in self._outputs]
