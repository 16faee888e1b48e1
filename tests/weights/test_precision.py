"""Where networks compute in bfloat16."""

import pytest
import torch

from stages.weights.precision import autocast_bfloat16, has_units


def product_type() -> torch.dtype:
    a = torch.rand(8, 8)
    return (a @ a).dtype


@pytest.mark.skipif(not has_units(), reason="this processor has no units for bfloat16 matrices")
def test_products_are_in_bfloat16_where_the_cpu_has_units_for_it():
    with autocast_bfloat16("cpu"):
        assert product_type() == torch.bfloat16
    assert product_type() == torch.float32


def test_elsewhere_they_stay_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": False}, raising=False)
    with autocast_bfloat16("cpu"):
        assert product_type() == torch.float32


def test_networks_on_a_gpu_leave_the_cpu_as_it_is():
    with autocast_bfloat16("cuda"):
        assert product_type() == torch.float32


def test_a_pytorch_that_cannot_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    with autocast_bfloat16("cpu"):
        assert product_type() == torch.float32
