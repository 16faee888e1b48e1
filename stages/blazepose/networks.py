"""A TFLite file as a function of pictures."""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float32

Outputs = dict[tuple[int, ...], np.ndarray]
"""By their shape, without the batch."""


class Network:
    """Pictures of one size in, all outputs of each by shape. Several pictures go side by side."""

    def __init__(self, path: Path, threads: int) -> None:
        self.interpreters: SimpleQueue[Interpreter] = SimpleQueue()
        with _quiet():
            for _ in range(threads):
                interpreter = Interpreter(str(path), num_threads=1)
                interpreter.allocate_tensors()
                self.interpreters.put(interpreter)
        self.pool = ThreadPoolExecutor(threads)

    def __call__(self, pictures: Sequence[Float32[np.ndarray, "S S 3"]]) -> list[Outputs]:
        return list(self.pool.map(self._outputs, pictures))

    def _outputs(self, picture: Float32[np.ndarray, "S S 3"]) -> Outputs:
        interpreter = self.interpreters.get()
        try:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None])
            interpreter.invoke()
            return {
                tuple(int(side) for side in each["shape"][1:]): interpreter.get_tensor(
                    each["index"]
                )[0]
                for each in interpreter.get_output_details()
            }
        finally:
            self.interpreters.put(interpreter)


@contextmanager
def _quiet() -> Iterator[None]:
    """The library tells the terminal, past Python, on what it computes; what fails, it raises."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
