"""Six views with a painted front, sample by sample."""

from dataclasses import replace

import numpy as np

from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.statistics import cell_statistics
from voxify3d.render.views import six_views
from voxify3d.types import Render

SIDE = 8
SKIN = (0.95, 0.78, 0.65)
INK = (0.1, 0.1, 0.15)
GOLD = (0.8, 0.5, 0.05)


def renders_of(front: np.ndarray, cells: int = 14) -> tuple[Render, ...]:
    """Six views: a picture of samples [x, y] in front, skin on all other sides."""
    renders = []
    for view in six_views():
        image = np.full((cells * SIDE, cells * SIDE, 3), SKIN)
        if view.name == "front":
            image = front
        split = image.reshape(cells, SIDE, cells, SIDE, 3)
        rgb = np.swapaxes(split, 1, 2).reshape(cells, cells, SIDE**2, 3)
        hit = np.ones(rgb.shape[:3], bool)
        renders.append(
            Render(
                view,
                rgb.astype(np.float32),
                hit,
                np.zeros(hit.shape, np.float32),
                np.zeros(rgb.shape, np.float32),
                np.zeros(hit.shape, np.int64),
                np.ones(hit.shape[:2], np.float32),
            )
        )
    return tuple(renders)


def without(render: Render, missed: np.ndarray) -> Render:
    """Return a render whose samples [x, y] under a mask hit nothing."""
    split = missed.reshape(-1, SIDE, missed.shape[1] // SIDE, SIDE)
    hit = ~np.swapaxes(split, 1, 2).reshape(render.hit.shape)
    return replace(render, hit=hit, coverage=hit.mean(axis=-1, dtype=np.float32))


def face(dots, color=INK, cells: int = 14) -> np.ndarray:
    """Samples [x, y] of skin with round dots: (x, y, radius), in cells."""
    image = np.full((cells * SIDE, cells * SIDE, 3), SKIN)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for at_x, at_y, radius in dots:
        image[(x - at_x) ** 2 + (y - at_y) ** 2 < radius**2] = color
    return image


def features_of(front: np.ndarray, cells: int = 14) -> list[Feature]:
    """Return the features of six views with this front."""
    return find_features([cell_statistics(r) for r in renders_of(front, cells)])
