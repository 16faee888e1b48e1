"""Which networks compute in half precision, and where."""

import pytest
import torch

from stages.weights.precision import (
    BFLOAT16_ON_CPU,
    HALF_ON_GPU,
    autocast,
    half_of,
    has_units,
    on_device,
)


def product_type() -> torch.dtype:
    a = torch.rand(8, 8)
    return (a @ a).dtype


@pytest.mark.skipif(not has_units(), reason="this processor has no units for bfloat16 matrices")
@pytest.mark.parametrize("network", HALF_ON_GPU)
def test_products_are_in_bfloat16_where_the_cpu_has_units_and_the_network_bears_it(network):
    with autocast(half_of(network, "cpu"), "cpu"):
        assert (product_type() == torch.bfloat16) == (network in BFLOAT16_ON_CPU)
    assert product_type() == torch.float32


def test_elsewhere_they_stay_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": False}, raising=False)
    assert half_of("vitpose", "cpu") is None
    with autocast(None, "cpu"):
        assert product_type() == torch.float32


def test_weights_of_products_are_halved_and_norms_are_not():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4))
    linear, norm = on_device(model, torch.bfloat16, "cpu")
    assert (linear.weight.dtype, norm.weight.dtype) == (torch.bfloat16, torch.float32)
    with autocast(torch.bfloat16, "cpu"):
        assert model(torch.rand(2, 4)).isfinite().all()
    assert on_device(torch.nn.Linear(4, 4), None, "cpu").weight.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize(("network", "half"), HALF_ON_GPU.items())
def test_on_a_gpu_each_network_has_its_own(network, half):
    a = torch.rand(8, 8, device="cuda")
    with autocast(half_of(network, "cuda"), "cuda"):
        assert (a @ a).dtype == (half or torch.float32)
        assert product_type() == torch.float32


def test_a_pytorch_that_cannot_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert half_of("vitpose", "cpu") is None
