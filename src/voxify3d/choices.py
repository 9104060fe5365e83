"""Words that settings and domain types share. No numpy: `--help` must not wait."""

from typing import Literal

Direction = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
"""One of the six axis directions of the world frame."""

ColorSampling = Literal["expected", "gumbel", "straight-through"]
"""How palette logits become colors while fitting; see `field/gumbel.py`."""
