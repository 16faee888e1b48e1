"""A small real stage for the tests: copies text files, upper-cased, through the shared run.

As a script it takes a data folder and a number of workers.
"""

import os
import signal
import sys
import time
from pathlib import Path

from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.running import Input, Selection, Stage, VideoError, run


class CopyStage(Stage):
    name = "stage9-copy"

    def __init__(self, data: Path, times: int = 1) -> None:
        self.data, self.times = data, times
        self.weights_file = data / "weights.bin"
        self.loads = 0
        self.order: list[str] = []

    @property
    def output_base_dir(self) -> Path:
        return self.data / "output"

    def load(self) -> None:
        self.loads += 1
        if not self.weights_file.exists():
            raise ArtifactError(self.weights_file, "missing", "put it there")

    def weights(self) -> dict[str, Path]:
        return {"weights": self.weights_file}

    def parameters(self) -> dict:
        return {"times": self.times}

    def inputs(self, video: str) -> list[Input]:
        return [Input(self.data / "input" / f"{video}.txt", "stage8-type")]

    def outputs(self, video: str) -> list[Path]:
        return [self.data / "output" / f"{video}.txt"]

    def bucket(self, video: str) -> int:
        path = self.data / "input" / f"{video}.txt"
        return path.stat().st_size // 100 if path.exists() else 0

    def process(self, video: str) -> str:
        self.order.append(video)
        text = (self.data / "input" / f"{video}.txt").read_text()
        if text == "bad":
            raise VideoError(f"{video} says bad; write something else")
        if text == "bug":
            raise RuntimeError("two\nlines")
        if text == "meet":
            (self.data / f"{video}.here").touch()
            while len(list(self.data.glob("*.here"))) < 3:
                time.sleep(0.01)
        with replacing(self.outputs(video)[0]) as temporary:
            temporary.write_text(text.upper()[: len(text) // 2] * self.times)
            if text == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if text == "wait":
                print("waiting", flush=True)
                time.sleep(60)
            temporary.write_text(text.upper() * self.times)
        return f"{len(text)} letters"


def names(data: Path) -> list[str]:
    return [path.stem for path in (data / "input").glob("*.txt")]


if __name__ == "__main__":
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    sys.exit(run(CopyStage(folder), names(folder), Selection(), folder / "input", True, workers))
