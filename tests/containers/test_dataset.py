"""`make dataset RUNNER=docker` leaves what `make dataset RUNNER=local` does."""

import pytest

from tests.data_sets import assert_people_are_alike, assert_robots_move_alike, results
from tests.driver.conftest import CHAIN
from tests.engines import STRANGER, make, strangers


def test_both_finish(contained, local):
    assert contained.exit_code == 0, contained.output[-3000:]
    assert local.exit_code == 0, local.output[-3000:]


def test_containers_leave_the_same_files(contained, local):
    assert results(contained.data) == results(local.data)


def test_containers_see_the_same_people(contained, local):
    assert_people_are_alike(contained.data, local.data)


def test_stage_3_says_which_methods_it_uses_without_networks(contained):
    said = [line for line in contained.output.splitlines() if line.startswith("stage3-post")]
    assert said[0] == (
        "stage3-postprocess: gravity by people and the surfaces around them, mesh by poisson"
    )


def test_containers_move_the_robot_alike(contained, continued):
    assert continued.exit_code == 0, continued.output[-3000:]
    assert_robots_move_alike(contained.data, continued.data)


def test_everything_belongs_to_the_caller(contained):
    assert {path.stat().st_uid for path in contained.data.rglob("*")} == {STRANGER}
    assert "verdicts: not here; make report judges the results" in contained.output


def test_the_exact_commands_are_printed(contained):
    printed = [line for line in contained.output.splitlines() if " run --rm " in line]
    assert [line.split(" run --rm ")[1].split()[0] for line in printed] == CHAIN
    assert all(f"MIMICMILL_DATA={contained.data} " in line for line in printed)


@pytest.mark.parametrize("stage", ["stage2-megahunter", "stage4-retarget"])
def test_a_second_container_compiles_nothing(contained, tmp_path, stage):
    cache = strangers(tmp_path)
    misses = []
    for _ in range(2):
        code, output = make(
            stage, "RUNNER=docker", f"DATA={contained.data}", f"RUN_AS={STRANGER}:{STRANGER}",
            "ARGS=--no-skip-existing --workers 1",
            MIMICMILL_CACHE=str(cache), JAX_EXPLAIN_CACHE_MISSES="1",
        )  # fmt: skip
        assert code == 0
        misses.append(output.count("PERSISTENT COMPILATION CACHE MISS for 'jit_minimise"))
    assert misses == [1, 0]
