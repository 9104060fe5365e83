"""voxelize(): the method in one screen."""

from collections.abc import Generator
from dataclasses import dataclass, field

from voxify3d.config import DEFAULT, VoxelizeConfig
from voxify3d.types import Mesh, VoxelGrid


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a conversion is.

    Attributes:
        stage: Name of the stage: renders, pixelart, coarse, fine, clean.
        step: Steps of this stage that are done.
        steps: Steps of this stage.
        losses: Loss terms by name, `total` among them; empty outside the fit.
    """

    stage: str
    step: int
    steps: int
    losses: dict[str, float] = field(default_factory=dict)


def voxelize(mesh: Mesh, config: VoxelizeConfig = DEFAULT) -> VoxelGrid:
    """Turn a mesh into voxel art."""
    steps = voxelize_steps(mesh, config)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def voxelize_steps(
    mesh: Mesh, config: VoxelizeConfig = DEFAULT
) -> Generator[Progress, None, VoxelGrid]:
    """Turn a mesh into voxel art, yielding after every step; returns the grid."""
    raise RuntimeError("being written")
    yield
