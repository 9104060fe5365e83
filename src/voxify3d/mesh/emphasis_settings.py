"""Emphasis: which region of a mesh is made larger, and how much. No numpy here."""

import re
from dataclasses import dataclass

from voxify3d.errors import ConfigError

LEAST, MOST = 1.0, 3.0
"""The factor lies above the one, up to the other."""
_FACTOR = 1.5
"""Without a factor: clearly larger, and still the same character."""

_EXAMPLES = "head, head:1.5, NAME:1.3 or 0..1,0.6..1,0..1:1.3"
_SPAN = r"([\d.+eE-]+?)\.\.([\d.+eE-]+)"


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What `--emphasize REGION[:FACTOR]` says.

    Attributes:
        region: `head`, the name of a node or a material, or a box as it was written.
        factor: How much larger; above 1, at most 3.
        box: Two corners, in fractions of the mesh's box, x y z; None if `region` is
            a name.
    """

    region: str
    factor: float
    box: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None


def emphasis_of(text: str) -> Emphasis:
    """Return what `REGION[:FACTOR]` means.

    Raises:
        ConfigError: No region, a factor out of range, or a box that is none.
    """
    region, colon, factor = text.rpartition(":")
    try:
        value = float(factor) if colon else _FACTOR
    except ValueError:  # a name may hold a colon
        region, value = text, _FACTOR
    if not colon:
        region = text
    region = region.strip()
    if not region:
        raise ConfigError(f"--emphasize needs a region, got {text!r}; try {_EXAMPLES}")
    if not LEAST < value <= MOST:
        raise ConfigError(
            f"--emphasize: the factor must be above {LEAST:g}, at most {MOST:g}, got "
            f"{value:g}"
        )
    return Emphasis(region, value, _box_of(region))


def _box_of(
    region: str,
) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    """Return the corners of `x0..x1,y0..y1,z0..z1`; None for what is no box."""
    if ".." not in region or not re.fullmatch(r"[\d.,+eE\s-]+", region):
        return None
    found = [re.fullmatch(_SPAN, span.strip()) for span in region.split(",")]
    try:
        spans = [(float(one[1]), float(one[2])) for one in found if one]
    except ValueError:
        spans = []
    if len(spans) != 3 or len(found) != 3:
        raise ConfigError(
            f"--emphasize: a box is x0..x1,y0..y1,z0..z1 in fractions of the mesh's "
            f"box, got {region!r}"
        )
    for axis, (low, high) in zip("xyz", spans, strict=True):
        if not 0 <= low < high <= 1:
            raise ConfigError(
                f"--emphasize: {axis} of a box goes from a smaller to a larger "
                f"fraction in 0 to 1, got {low:g}..{high:g}"
            )
    (x0, x1), (y0, y1), (z0, z1) = spans
    return (x0, y0, z0), (x1, y1, z1)
