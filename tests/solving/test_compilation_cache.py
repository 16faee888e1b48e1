"""The compilation cache: private, named after version and device, and used by a second process."""

import os
import stat
import subprocess
import sys

import jax
import jaxlib
import pytest

from stages.solving import use_compilation_cache

SOLVE = """
import jax, jax.numpy as jnp, logging
from stages.solving import Problem, solve, use_compilation_cache
use_compilation_cache()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_explain_cache_misses", True)
logging.basicConfig(level="INFO")
problem = Problem(1, lambda x, d: x + d, lambda x, s, data, c: {"seen": x - data})
for frames in (100, 100, 200):
    found = solve(problem, jnp.zeros((1, frames, 1)), None, jnp.ones((1, frames, 1)), None,
                  jnp.ones((1, frames), bool))
assert abs(float(found.frames[0, 0, 0]) - 1) < 1e-4
"""


@pytest.fixture
def settings():
    names = [
        "jax_compilation_cache_dir", "jax_compilation_cache_max_size",
        "jax_persistent_cache_min_compile_time_secs", "jax_persistent_cache_min_entry_size_bytes",
    ]  # fmt: skip
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_folder_is_private_and_says_version_and_device(tmp_path, settings):
    folder = use_compilation_cache(tmp_path / "cache")
    assert folder is not None
    assert jaxlib.__version__ in folder.parts
    assert folder.name.startswith("cpu-")
    for path in (folder, folder.parent, tmp_path / "cache"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_folder_others_may_write_to_is_closed_first(tmp_path, settings):
    (tmp_path / "cache").mkdir(mode=0o777)
    (tmp_path / "cache").chmod(0o777)
    use_compilation_cache(tmp_path / "cache")
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_where_no_folder_can_be_made_the_cache_stays_off(tmp_path, settings):
    (tmp_path / "file").touch()
    assert use_compilation_cache(tmp_path / "file" / "cache") is None


def misses(tmp_path):
    environment = {**os.environ, "MIMICMILL_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", SOLVE], env=environment, capture_output=True, text=True, check=True
    )
    return done.stderr.count("PERSISTENT COMPILATION CACHE MISS for 'jit_solve")


def test_two_lengths_compile_twice_in_one_process_and_not_at_all_in_the_next(tmp_path):
    assert misses(tmp_path) == 2
    assert misses(tmp_path) == 0
