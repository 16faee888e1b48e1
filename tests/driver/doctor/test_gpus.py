"""Which GPUs and drivers run which images."""

import pytest

from driver.checks.check import Answer
from driver.checks.gpus import Gpu, check, driver_suffices, parse, runs
from tests.driver.doctor.conftest import GPU_LABELS

BUILT_FOR = GPU_LABELS["mimicmill.compute-capabilities"]
ROWS = "NVIDIA H100 80GB HBM3, 9.0, 535.129.03, 81559 MiB\nTesla T4, 7.5, 535.129.03, 15360 MiB"


def test_the_table_of_nvidia_smi():
    assert parse(ROWS) == [
        Gpu("NVIDIA H100 80GB HBM3", "9.0", "535.129.03", "81559 MiB"),
        Gpu("Tesla T4", "7.5", "535.129.03", "15360 MiB"),
    ]


@pytest.mark.parametrize("capability", ["5.2", "6.1", "7.5", "8.0", "8.6", "8.7", "8.9", "9.0"])
def test_a_gpu_runs_code_of_its_own_or_an_earlier_minor_version(capability):
    assert runs(capability, BUILT_FOR)


@pytest.mark.parametrize("capability", ["3.7", "10.0", "12.0", "[N/A]"])
def test_a_gpu_runs_no_code_of_another_major_version(capability):
    assert not runs(capability, BUILT_FOR)


def test_a_gpu_runs_no_code_of_a_later_minor_version():
    assert not runs("8.0", "8.6 8.9 9.0")


def test_a_gpu_runs_nothing_that_was_built_for_none():
    assert not runs("9.0", "none")


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("450.80.02", "11.8"), ("525.60.13", "12.4"), ("535.129.03", "12.4"), ("580.65.06", "11.8")],
)
def test_drivers_that_suffice(driver, cuda):
    assert driver_suffices(driver, cuda)


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("450.51.06", "11.8"), ("525.60.11", "12.4"), ("470.256.02", "12.4"), ("999.0", "99.0")],
)
def test_drivers_that_do_not(driver, cuda):
    assert not driver_suffices(driver, cuda)


def test_only_the_images_that_lack_a_gpu_are_named():
    images = {"stage0-sam2": GPU_LABELS, "stage3-postprocess": {}, "stage4-retarget": GPU_LABELS}
    h100, t4, driver = check(Answer(True, ROWS), images)
    for gpu in (h100, t4):
        assert not gpu.good
        assert gpu.found.endswith("; not for stage3-postprocess (built for none)")
    assert driver.good


def test_a_machine_without_driver_has_no_gpu():
    said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    (gpu,) = check(Answer(False, said), {})
    assert not gpu.good and gpu.found == said and "install NVIDIA's driver" in gpu.remedy
