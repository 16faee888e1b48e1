"""Which GPUs and drivers run which images."""

import pytest
import yaml

from driver.checks.check import Answer
from driver.checks.gpus import SETS, Gpu, check, driver_suffices, needed, parse, runs
from tests.driver.doctor.conftest import GPU_LABELS
from tests.pipeline.commands import REPOSITORY

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


@pytest.mark.parametrize(
    ("capabilities", "driver", "sets"),
    [
        (["6.1"], "580.65.06", "CUDA=12"),
        (["8.9"], "580.65.06", "CUDA=12 or CUDA=13"),
        (["9.0"], "570.86.10", "CUDA=12"),
        (["10.0"], "580.65.06", "CUDA=13"),
        (["10.3"], "580.82.07", "CUDA=13"),
        (["12.0"], "580.65.06", "CUDA=13"),
        (["12.1"], "580.95.05", "CUDA=13"),
        (["8.6", "12.0"], "580.65.06", "CUDA=13"),
    ],
)
def test_the_set_of_images_that_a_machine_needs(capabilities, driver, sets):
    rows = "\n".join(f"NVIDIA, {each}, {driver}, 8192 MiB" for each in capabilities)
    for name in SETS:
        said = needed(parse(rows), name)
        assert said.found == f"this machine needs {sets}"
        assert said.good == (name in sets)


def test_a_machine_without_images_on_its_gpus_takes_either_set():
    gpus = parse("NVIDIA B200, 10.0, 580.65.06, 183359 MiB")
    assert needed(gpus, "").good and needed(gpus, "").found == "this machine needs CUDA=13"


def test_a_driver_that_is_too_old_for_the_set_that_a_gpu_needs():
    said = needed(parse("NVIDIA GeForce RTX 5090, 12.0, 570.86.16, 32607 MiB"), "13")
    assert not said.good
    assert said.found == "this machine needs CUDA=13, and a later driver"
    assert said.remedy == "update the driver, or set DEVICE=cpu"


@pytest.mark.parametrize("capabilities", [["6.1", "12.0"], ["3.7"], ["[N/A]"]])
def test_gpus_that_no_set_knows_all_of(capabilities):
    rows = "\n".join(f"NVIDIA, {each}, 580.65.06, 8192 MiB" for each in capabilities)
    said = needed(parse(rows), "12")
    assert not said.good and said.found == "no set knows all GPUs of this machine"


@pytest.mark.parametrize(
    ("name", "file", "block"),
    [("12", "compose.gpu.yaml", "x-cu124"), ("13", "compose.cuda13.yaml", "x-cu130")],
)
def test_sets_are_what_composes_files_build(name, file, block):
    built = yaml.safe_load((REPOSITORY / file).read_text())[block]
    assert SETS[name] == (built["CUDA"], built["COMPUTE_CAPABILITIES"])
