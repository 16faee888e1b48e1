"""People known by the colours of their clothes."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

ALIKE = 0.6
"""Colours that two pictures of one person have in common at least."""
SHADES = 4
"""Steps of red, green and blue in which colours are counted."""

Colours = Float[np.ndarray, "*P 64"]
"""Of somebody, or of each of their parts: shares of all their pixels, which add up to 1."""


def colours_of(image: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]) -> Colours:
    """Shares of the colours of a person's pixels; they add up to 1."""
    shade = image[mask].astype(int) * SHADES // 256
    number = (shade[:, 0] * SHADES + shade[:, 1]) * SHADES + shade[:, 2]
    return np.bincount(number, minlength=SHADES**3) / max(len(number), 1)


def likeness(a: Colours, b: Colours) -> float:
    """How much of their colours two people have in common, from 0 to 1.

    Part by part; what is to be seen of a part in both counts as much as the smaller share.
    """
    shares_a, shares_b = np.sum(a, axis=-1, keepdims=True), np.sum(b, axis=-1, keepdims=True)
    weights = np.minimum(shares_a, shares_b)
    if not weights.any():
        return 0.0
    common = np.minimum(a / np.maximum(shares_a, 1e-9), b / np.maximum(shares_b, 1e-9))
    return float((weights * common).sum() / weights.sum())
