"""Everyday words for colors."""

import numpy as np
from jaxtyping import Float64

_HUES = (
    *((45, "red"), (80, "orange"), (118, "yellow"), (170, "green"), (215, "turquoise")),
    *((285, "blue"), (340, "purple"), (361, "red")),
)
"""Upper end of each hue of OKLab, degrees."""


def color_word(lab: Float64[np.ndarray, " 3"]) -> str:
    """Return the everyday word for an OKLab color."""
    light, chroma = float(lab[0]), float(np.hypot(lab[1], lab[2]))
    if light < 0.32 and chroma < 0.09:
        return "black"
    if chroma < 0.035:
        return "white" if light > 0.88 else "gray"
    hue = float(np.degrees(np.arctan2(lab[2], lab[1]))) % 360
    word = next(word for end, word in _HUES if hue < end)
    if word in ("red", "orange", "yellow") and light < 0.5:
        return "brown"
    return "pink" if word in ("red", "purple") and light > 0.72 else word
