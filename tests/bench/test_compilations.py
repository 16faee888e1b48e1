"""How often the solvers of stages 2 and 4 compile over many videos, in one process and the next."""

import os
import subprocess
import sys

import pytest

TEN_VIDEOS = """
import logging, sys
import jax
from stages.robot.model import load_g1
from stages.solving import use_compilation_cache
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage4_retarget.retarget import retarget
from bench.solve import problems

use_compilation_cache()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_explain_cache_misses", True)
logging.basicConfig(level="INFO")
for number, frames in enumerate((40, 40, 70, 70, 100, 100, 110, 110, 130, 130)):
    if sys.argv[1] == "stage2":
        seen = problems.measured(number, frames)
        solve_scene(seen.cameras, [seen.track], [seen.around], problems.picker())
    else:
        retarget(load_g1(), *problems.performed(number, frames))
"""


def compilations(stage: str, cache: str) -> int:
    """How many solvers are compiled for ten videos of five lengths in two buckets."""
    done = subprocess.run(
        [sys.executable, "-c", TEN_VIDEOS, stage],
        env={**os.environ, "MIMICMILL_CACHE": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.count("PERSISTENT COMPILATION CACHE MISS for 'jit_minimise")


@pytest.mark.parametrize("stage", ["stage2", "stage4"])
def test_ten_videos_of_two_buckets_compile_twice_and_never_again(stage, tmp_path):
    assert compilations(stage, str(tmp_path)) == 2
    assert compilations(stage, str(tmp_path)) == 0
