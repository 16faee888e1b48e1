"""A bounded stock of rendered samples: each is drawn several times before newer ones replace it."""

from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from tools.footage.batches import Batched

Samples = TypeVar("Samples", bound=Batched)


class Stock(Generic[Samples]):
    """Holds up to `capacity` samples on their device; the oldest make room for new ones."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.samples: Samples | None = None
        self.count = 0
        self._next = 0

    def add(self, new: Samples) -> None:
        """Takes in the samples (their first dimension counts them)."""
        if len(new) == 0:
            return
        if self.samples is None:
            self.samples = new._map(lambda value: value.new_zeros(self.capacity, *value.shape[1:]))
        where = (self._next + torch.arange(len(new))) % self.capacity
        for name, value in vars(self.samples).items():
            value[where.to(value.device)] = getattr(new, name)
        self._next = int(where[-1] + 1) % self.capacity
        self.count = min(self.count + len(new), self.capacity)

    def refill(self, render: Callable[[], Samples], least: int, due: bool) -> None:
        """Renders once if that is due, and on until there are `least` samples."""
        while due or self.count < least:
            self.add(render())
            due = False

    def draw(self, count: int) -> Samples:
        """`count` samples at random, with repetition."""
        if self.samples is None:
            raise ValueError("the stock is empty; add samples before drawing")
        return self.samples[torch.randint(self.count, (count,))]
