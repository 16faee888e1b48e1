"""A small real stage for the tests: copies text files, upper-cased, through the shared run.

As a script it takes a data folder and a number of workers.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import write_image
from stages.catalogue import Entry
from stages.running import (
    Input,
    InputPaths,
    Processed,
    RunOptions,
    Stage,
    VideoError,
    flag,
    folder,
    model_file,
    run,
)


@dataclass(kw_only=True)
class CopyStage(Stage):
    """Copies texts."""

    texts_dir: Path = folder("input", "Folder of texts.")
    copies_dir: Path = folder("output", "Folder for copies.", is_output=True)
    times: int = flag(1, "How often.")
    ending: str = flag(".txt", "Of the copies.")
    batch_size: int = flag(1, "Letters at once.", changes_results=False)
    letters: Path | None = model_file(lambda: None, "Letters to use.", shown_default="none")

    name = "stage9-copy"
    loads: int = field(default=0, init=False)
    order: list[str] = field(default_factory=list, init=False)

    def entry(self) -> Entry:
        return Entry("stage9-copy", "copies", ("output",), gpu=False, memory_mb=50)

    @property
    def source_folder(self) -> Path:
        return self.texts_dir

    def videos_with_input(self) -> list[str]:
        return [path.stem for path in self.texts_dir.glob("*.txt")]

    def load(self) -> None:
        self.loads += 1
        if self.letters and not self.letters.exists():
            raise ArtifactError(self.letters, "missing", "put it there")

    def inputs(self, video: str) -> list[Input]:
        text = self.texts_dir / f"{video}.txt"
        notes = self.texts_dir.parent / "notes" / f"{video}.txt"
        return [
            Input("text", text, ("stage8-type",)),
            Input("notes", notes, (), required=False),
        ]

    def outputs(self, video: str) -> list[Path]:
        return [self.copies_dir / f"{video}{self.ending}"]

    def bucket(self, video: str) -> int:
        path = self.texts_dir / f"{video}.txt"
        return path.stat().st_size // 100 if path.exists() else 0

    def process(self, video: str, inputs: InputPaths) -> Processed:
        self.order.append(video)
        text = inputs["text"].read_text()
        if text == "bad":
            raise VideoError(f"{video} says bad; write something else")
        if text == "bug":
            raise RuntimeError("two\nlines")
        data = self.data_folder
        if text == "meet":
            (data / f"{video}.here").touch()
            while len(list(data.glob("*.here"))) < 3:
                time.sleep(0.01)
        with replacing(self.outputs(video)[0]) as temporary:
            temporary.write_text(text.upper()[: len(text) // 2] * self.times)
            if text == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if text == "wait":
                print("waiting", flush=True)
                time.sleep(60)
            notes = inputs["notes"].read_text() if "notes" in inputs else ""
            temporary.write_text(text.upper() * self.times + notes)
        return Processed(f"{len(text)} letters", {"letters": len(text)})

    def draw(self, video: str, inputs: InputPaths) -> None:
        import numpy as np

        if inputs["text"].read_text() == "plain":
            raise VideoError("nothing to see")
        width = len(self.outputs(video)[0].read_text())
        white = np.full((1, width, 3), 255, np.uint8)
        write_image(self.copies_dir / "vis" / f"{video}.png", white)


def copying(data: Path, **fields: object) -> CopyStage:
    """The stage on a data folder; fields given here count as chosen by the user."""
    letters = {"letters": data / "letters.bin"} if (data / "letters.bin").exists() else {}
    given = {"texts_dir": data / "input", "copies_dir": data / "output", **letters, **fields}
    stage = CopyStage(**given)  # type: ignore[arg-type]
    stage.chosen = frozenset(fields)
    return stage


if __name__ == "__main__":
    options = RunOptions(workers=int(sys.argv[2]))
    sys.exit(run(copying(Path(sys.argv[1])), options))
