"""Work of a GPU that is recorded gives what it gave as it was."""

import pytest
import torch

from stages.running.recording import recorded, unrecorded

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def scaled(values, factor, parts=()):
    return {"scaled": values * factor, "sum": [values.sum() + sum(each.sum() for each in parts)]}


def test_on_a_processor_a_call_stays_what_it_is():
    assert recorded(scaled, "cpu") is scaled


@pytest.mark.gpu
@needs_gpu
def test_what_is_replayed_is_of_the_arguments_at_hand():
    call = recorded(scaled, "cuda")
    found = []
    for seed in range(4):
        torch.manual_seed(seed)
        values, part = torch.rand(8, device="cuda"), torch.rand(3, device="cuda")
        found.append((call(values, 2, parts=[part]), scaled(values, 2, [part])))
    for ours, expected in found:
        assert torch.equal(ours["scaled"], expected["scaled"])
        assert torch.equal(ours["sum"][0], expected["sum"][0])


@pytest.mark.gpu
@needs_gpu
def test_calls_of_other_shapes_and_numbers_are_of_another_kind():
    call = recorded(scaled, "cuda")
    for size in (4, 6, 4, 6, 4):
        for factor in (2, 3):
            values = torch.rand(size, device="cuda")
            assert torch.equal(call(values, factor)["scaled"], values * factor)


@pytest.mark.gpu
@needs_gpu
def test_unrecorded_calls_are_carried_out_as_they_are():
    seen = []

    def note(values):
        seen.append(len(values))
        return values + 1

    call, values = recorded(note, "cuda"), torch.rand(5, device="cuda")
    for _ in range(4):
        call(values)
    assert len(seen) == 2, "once as it is, once for the recording"
    with unrecorded():
        call(values)
    assert len(seen) == 3
