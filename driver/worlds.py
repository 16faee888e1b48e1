"""Which world method a data folder gets, and why."""

from __future__ import annotations

from dataclasses import replace

from driver.settings import WEIGHTS, Settings
from stages import catalogue
from stages.weights.names import missing_of_world

MEGASAM = "megasam"


def decided(settings: Settings) -> Settings:
    """What WORLD says; else MegaSaM where its checkpoints are; else by what each video shows.

    The demo's small checkpoints of MegaSaM know rendered scenes only, and are never chosen.
    """
    folder = settings.weights or WEIGHTS
    if settings.world != catalogue.AUTO or missing_of_world(MEGASAM, folder):
        return settings
    return replace(settings, world=MEGASAM, world_why=f", for its checkpoints are in {folder}")
