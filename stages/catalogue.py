"""Every stage and reader, declared once: its place in the chain and what it needs.

The driver, the Makefile, the images and the run of a stage take these facts from here, or a test
compares them with it. The standard library of Python 3.9 reads it, on login nodes too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from stages.artifacts import layout

OFFICIAL = "official"
"""The people method of four networks."""

BLAZEPOSE = "blazepose"
"""The people method of one small network, which knows real people."""

WEIGHTS_IN_MEMORY = 2.0
"""A worker's memory for its weights, over the size of their files: read, then copied into place."""


@dataclass(frozen=True)
class Entry:
    """A stage. `people` and `world` name the method that it belongs to; neither: every chain.

    makes: kinds of results, by the folders of the data folder that they lie in.
    memory_mb: host memory of one worker for 100 frames of 640x360, imports included, weights aside.
    """

    name: str
    help: str
    makes: tuple[str, ...]
    gpu: bool
    memory_mb: int
    follows_people: bool = False
    """Whether it has the flags `--multihuman` and `--top-k`."""
    curated: bool = False
    """Whether it has the flag `--curated`: later stages go on with what it made of a decision."""
    people: str = ""
    world: str = ""

    @property
    def package(self) -> str:
        """The folder of its code below `stages/`."""
        return self.name.replace("-", "_")


STAGES = (
    Entry(
        "stage0-frames",
        "videos to numbered pictures",
        makes=(layout.IMAGES,),
        gpu=False,
        memory_mb=400,
    ),
    Entry(
        "stage0-sam2",
        "masks and ids of people",
        makes=(layout.MASKS,),
        gpu=True,
        memory_mb=1500,
        people=OFFICIAL,
    ),
    Entry(
        "stage0-vitpose",
        "keypoints of people",
        makes=(layout.KEYPOINTS,),
        gpu=True,
        memory_mb=1500,
        follows_people=True,
        curated=True,
        people=OFFICIAL,
    ),
    Entry(
        "stage0-vimo",
        "SMPL bodies of people",
        makes=(layout.BODIES,),
        gpu=True,
        memory_mb=1000,
        follows_people=True,
        curated=True,
        people=OFFICIAL,
    ),
    Entry(
        "stage0-bstro",
        "contacts of people",
        makes=(layout.CONTACTS,),
        gpu=True,
        memory_mb=1000,
        follows_people=True,
        curated=True,
        people=OFFICIAL,
    ),
    Entry(
        "stage0-blazepose",
        "masks, keypoints, bodies and contacts of real people",
        makes=(layout.MASKS, layout.KEYPOINTS, layout.BODIES, layout.CONTACTS),
        gpu=False,
        memory_mb=700,
        follows_people=True,
        curated=True,
        people=BLAZEPOSE,
    ),
    Entry(
        "stage1-megasam",
        "cameras and depth, of any camera, by networks",
        makes=(layout.world_folder("megasam"),),
        gpu=True,
        memory_mb=2500,
        curated=True,
        world="megasam",
    ),
    Entry(
        "stage1-align3r",
        "cameras and depth, of any camera, by point maps of pairs of frames",
        makes=(layout.world_folder("align3r"),),
        gpu=True,
        memory_mb=12000,
        curated=True,
        world="align3r",
    ),
    Entry(
        "stage1-sfm",
        "cameras and depth, of a camera that moves",
        makes=(layout.world_folder("sfm"),),
        gpu=True,
        memory_mb=1500,
        curated=True,
        world="sfm",
    ),
    Entry(
        "stage1-ground",
        "cameras and flat ground, of a camera that stands or only turns",
        makes=(layout.world_folder("ground"),),
        gpu=False,
        memory_mb=900,
        curated=True,
        world="ground",
    ),
    Entry(
        "stage2-megahunter",
        "people and place in one metric world",
        makes=(layout.PEOPLE_AND_WORLD,),
        gpu=True,
        memory_mb=1200,
        follows_people=True,
        curated=True,
    ),
    Entry(
        "stage3-postprocess",
        "gravity up, and a mesh of the place",
        makes=(layout.CALIBRATED,),
        gpu=True,
        memory_mb=1500,
        follows_people=True,
    ),
    Entry(
        "stage4-retarget",
        "the robot's motion in that place",
        makes=(layout.ROBOT_MOTION,),
        gpu=True,
        memory_mb=1200,
        follows_people=True,
    ),
)


@dataclass(frozen=True)
class Reader:
    """A command that reads finished files and changes none of them; it uses no GPU."""

    name: str
    help: str
    has_image: bool = True


READERS = (
    Reader("evaluation", "results against ground truth", has_image=False),
    Reader("verdicts", "which results to keep, to doubt and to reject"),
    Reader("report", "pages to look at a data set with"),
    Reader("exporter", "motions in the files of trainers"),
    Reader("importer", "people's joints of other sources, for stage 4", has_image=False),
    Reader("viewer", "results in the browser, and what to keep of them"),
)

IMAGES = (
    *(stage.name for stage in STAGES),
    *(reader.name for reader in READERS if reader.has_image),
)
"""What there are images of."""

PEOPLE_METHODS = tuple(dict.fromkeys(entry.people for entry in STAGES if entry.people))
WORLD_METHODS = tuple(dict.fromkeys(entry.world for entry in STAGES if entry.world))
"""In the order in which they are preferred where a video has worlds of several."""

AUTO = "auto"
AUTO_WORLDS = ("sfm", "ground")
"""The world methods of `AUTO`, for each video: the first that does not decline it."""


def chain(people: str, world: str) -> tuple[Entry, ...]:
    """The stages that make a data set by these methods, in their order."""
    worlds = ("", *AUTO_WORLDS) if world == AUTO else ("", world)
    return tuple(
        entry for entry in STAGES if entry.people in ("", people) and entry.world in worlds
    )


def makers(kind: str) -> tuple[str, ...]:
    """The stages that make a kind of results; of a video, one of them does."""
    return tuple(entry.name for entry in STAGES if kind in entry.makes)


def earlier(name: str, world: str) -> tuple[str, ...]:
    """The stages before one of this name that every chain with this world method has."""
    names = [entry.name for entry in STAGES]
    before = STAGES[: names.index(name)] if name in names else ()
    return tuple(e.name for e in before if not e.people and e.world in ("", world))


def entry_of(name: str) -> Entry:
    """The stage of this name.

    Raises:
        KeyError: there is none.
    """
    for entry in STAGES:
        if entry.name == name:
            return entry
    raise KeyError(f"no stage {name!r}; there are {', '.join(entry.name for entry in STAGES)}")


if __name__ == "__main__":
    # The Makefile asks for the names of its targets.
    print(*(each.name for each in (READERS if sys.argv[1:] == ["readers"] else STAGES)))
