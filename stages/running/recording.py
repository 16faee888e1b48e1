"""A network's work on a GPU, recorded once and replayed.

Small operations take longer to hand to a GPU than to carry out, all the more beside threads that
read pictures. A recording (a CUDA graph) is handed over as a whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

HELD_BYTES = 2**30
"""What the inputs of all recordings of a call may take; calls of further kinds are not recorded."""


_paused: ContextVar[bool] = ContextVar("paused", default=False)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Calls are carried out as they are, so that what they do can be counted."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


@dataclass(frozen=True)
class Recording:
    """What a GPU does from `inputs` to `found`, both at places that stay the same."""

    graph: torch.cuda.CUDAGraph
    inputs: list[torch.Tensor]
    found: Any


def recorded(call: Callable[..., Any], device: torch.device | str) -> Callable[..., Any]:
    """`call` as it is on a processor; on a GPU it is replayed from its second call of a kind on.

    Of a kind are calls whose tensors have the same shapes and types, and whose other arguments are
    the same. The result must depend on nothing else, and `call` must not wait for the GPU.
    """
    if torch.device(device).type != "cuda":
        return call
    recordings: dict[Any, Recording | None] = {}
    pool = torch.cuda.graph_pool_handle()

    def replay(*arguments: Any, **named: Any) -> Any:
        if _paused.get():
            return call(*arguments, **named)
        leaves, structure = tree_flatten((arguments, named))
        places = [place for place, each in enumerate(leaves) if isinstance(each, torch.Tensor)]
        tensors = [leaves[place] for place in places]
        kind = (str(structure), *map(_kind, leaves))
        recording = recordings.get(kind)
        if recording is None:
            known = kind in recordings
            recordings[kind] = None
            held = sum(_bytes(each.inputs) for each in recordings.values() if each)
            if not known or held + _bytes(tensors) > HELD_BYTES:
                # What libraries do at a first time cannot be recorded.
                return call(*arguments, **named)
            recording = _record(call, leaves, structure, places, pool)
            recordings[kind] = recording
        torch._foreach_copy_(recording.inputs, tensors)
        recording.graph.replay()
        return tree_map(torch.clone, recording.found)

    return replay


def _bytes(tensors: list[torch.Tensor]) -> int:
    return sum(each.nbytes for each in tensors)


def _kind(leaf: Any) -> Any:
    return (leaf.shape, leaf.dtype) if isinstance(leaf, torch.Tensor) else leaf


def _record(
    call: Callable[..., Any], leaves: list, structure: Any, places: list[int], pool: Any
) -> Recording:
    inputs = [leaves[place].clone() for place in places]
    held = list(leaves)
    for place, tensor in zip(places, inputs, strict=True):
        held[place] = tensor
    arguments, named = tree_unflatten(held, structure)
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        # Other threads may use the GPU meanwhile.
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            found = call(*arguments, **named)
        finally:
            graph.capture_end()
    torch.cuda.current_stream().wait_stream(stream)
    return Recording(graph, inputs, found)
