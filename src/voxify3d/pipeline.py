"""voxelize(): the method in one screen."""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from voxify3d.config import DEFAULT, VoxelizeConfig
from voxify3d.types import Mesh, VoxelGrid


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a conversion is.

    Attributes:
        stage: What is being done: one of `STAGES`.
        step: Steps of this stage that are done.
        steps: Steps of this stage.
        losses: Loss terms by name, `total` among them; empty outside the fit.
    """

    stage: str
    step: int
    steps: int
    losses: dict[str, float] = field(default_factory=dict)


STAGES = ("renders", "pixelart", "coarse", "fine", "polish")


def voxelize(mesh: Mesh, config: VoxelizeConfig = DEFAULT) -> VoxelGrid:
    """Turn a mesh into voxel art.

    Args:
        mesh: Of `load_mesh`, or made by hand.
        config: Settings; `PRESETS` has ready ones.
    """
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
    # Imported here: `voxify3d --help` must not wait for scipy and embree.
    from voxify3d.fit.coarse import coarse_occupancy
    from voxify3d.fit.polish import polish
    from voxify3d.mesh.coverage import surface_coverage
    from voxify3d.pixelart.pixelize import pixelize
    from voxify3d.render.mesh import frame_of, render_mesh

    frame = frame_of(mesh, config.size, config.front)
    renders = render_mesh(mesh, frame, config.pixelart.samples)
    yield Progress("renders", 1, 1)
    art = pixelize(renders, config.colors, config.pixelart, config.seed)
    yield Progress("pixelart", 1, 1)
    coverage = surface_coverage(mesh, frame)
    occupancy = coarse_occupancy(coverage, art, config.coarse.min_part)
    yield Progress("coarse", 1, 1)
    occupied = occupancy.occupied
    if config.fine.steps:
        import torch  # seconds to import, and `draft` does without

        from voxify3d.fit.fine import FineFit

        generator = torch.Generator().manual_seed(config.seed)
        fit = FineFit(occupancy, art, coverage, config.fine, generator)
        for done in fit:
            yield Progress("fine", done.index + 1, done.steps, done.losses)
        occupied = fit.occupied()
    index = polish(
        occupied,
        occupancy,
        art,
        coverage,
        smoothness=config.fine.smoothness,
        min_part=config.coarse.min_part,
    )
    yield Progress("polish", 1, 1)
    return VoxelGrid(
        index=(index + 1).astype(np.uint8),
        palette=art.palette,
        frame=frame,
        name=mesh.name,
    )
