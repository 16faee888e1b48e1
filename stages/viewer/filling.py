"""Whether a widget's change is somebody's wish or the program's own."""

import threading


class Filling(threading.local):
    """True within `with filling:`, in the thread that is there.

    viser calls the callbacks of a value that the program sets in the program's own thread. What
    people do comes in others, and must not be lost while a result is being opened.
    """

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_error: object) -> None:
        self.depth -= 1

    def __bool__(self) -> bool:
        return self.depth > 0
