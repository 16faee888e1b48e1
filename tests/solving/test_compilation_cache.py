"""What is traced and compiled once: kept privately, and used by the next process."""

import os
import pickle
import stat
import subprocess
import sys

import jax
import jaxlib
import pytest

from stages.solving import use_compilation_cache

SOLVE = """
import jax, jax.numpy as jnp, logging, sys
from stages.solving import Problem, solve, use_compilation_cache
use_compilation_cache()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_explain_cache_misses", True)
logging.basicConfig(level="INFO")
traced = []
def seen(x, s, data, c):
    traced.append(1)
    return {"seen": x - data}
problem = Problem(1, lambda x, d: x + d, seen, closure_digest=sys.argv[1] or None)
for frames in (100, 100, 200):
    found = solve(problem, jnp.zeros((1, frames, 1)), None, jnp.ones((1, frames, 1)), None,
                  jnp.ones((1, frames), bool))
assert abs(float(found.frames[0, 0, 0]) - 1) < 1e-4
print(len(traced))
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


@pytest.mark.parametrize("place", [".", "jax"])
def test_a_folder_others_may_write_to_is_neither_used_nor_changed(tmp_path, settings, place):
    open_to_all = tmp_path / "cache" / place
    open_to_all.mkdir(parents=True)
    open_to_all.chmod(0o777)
    with pytest.warns(UserWarning, match=f"others can write to {open_to_all}: make a folder of"):
        assert use_compilation_cache(tmp_path / "cache") is None
    assert stat.S_IMODE(open_to_all.stat().st_mode) == 0o777


def test_a_folder_that_others_may_read_is_used_and_stays_so(tmp_path, settings):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o755)
    folder = use_compilation_cache(tmp_path / "cache")
    assert folder is not None and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o755


def test_where_no_folder_can_be_made_the_cache_stays_off(tmp_path, settings):
    (tmp_path / "file").touch()
    assert use_compilation_cache(tmp_path / "file" / "cache") is None


def solved(cache, digest=""):
    """Programs compiled by JAX, and calls of the residual function, which are all for tracing."""
    environment = {**os.environ, "MIMICMILL_CACHE": str(cache)}
    command = [sys.executable, "-c", SOLVE, digest]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    misses = done.stderr.count("PERSISTENT COMPILATION CACHE MISS for 'jit_minimise")
    return misses, int(done.stdout)


def programs_in(cache):
    return list(cache.rglob("traced/*"))


def test_two_lengths_compile_twice_in_one_process_and_not_at_all_in_the_next(tmp_path):
    assert solved(tmp_path)[0] == 2
    assert solved(tmp_path)[0] == 0
    assert not programs_in(tmp_path), "nobody said what the problem closes over"


def test_a_problem_that_says_what_it_closes_over_is_not_even_traced_again(tmp_path):
    misses, traced = solved(tmp_path, "one table")
    assert misses == 2 and traced > 0
    assert len(programs_in(tmp_path)) == 2
    assert solved(tmp_path, "one table") == (0, 0)


def test_other_data_closed_over_makes_other_programs(tmp_path):
    solved(tmp_path, "one table")
    assert solved(tmp_path, "another table")[1] > 0


def test_a_damaged_program_is_made_again(tmp_path):
    solved(tmp_path, "one table")
    for path in programs_in(tmp_path):
        path.write_bytes(path.read_bytes()[:1000])
    assert solved(tmp_path, "one table")[1] > 0
    assert solved(tmp_path, "one table")[1] == 0


@pytest.mark.parametrize("left_open", ["file", "folder", "link"])
def test_a_traced_program_that_others_could_have_written_is_not_run(tmp_path, left_open):
    ran = tmp_path / "ran"
    solved(tmp_path, "one table")
    for path in programs_in(tmp_path):
        path.write_bytes(pickle.dumps(Calls(os.mkdir, str(ran))))
        if left_open == "link":
            path.rename(tmp_path / path.name)
            path.symlink_to(tmp_path / path.name)
        else:
            (path if left_open == "file" else path.parent).chmod(0o777)
    assert solved(tmp_path, "one table")[1] > 0
    assert not ran.exists()


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_cache_with_a_file_of_somebody_else_is_left_alone(tmp_path, settings):
    folder = use_compilation_cache(tmp_path / "cache")
    assert folder is not None
    (folder / "planted").touch()
    os.chown(folder / "planted", 65534, 65534)
    with pytest.warns(UserWarning, match="planted is somebody else's: delete"):
        assert use_compilation_cache(tmp_path / "cache") is None
