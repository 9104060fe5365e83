"""voxelize(): the method in one screen."""

import warnings
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Int

from voxify3d.config import DEFAULT, VoxelizeConfig, candidates, settled
from voxify3d.errors import MeshError
from voxify3d.types import Frame, Mesh, Render, VoxelGrid

if TYPE_CHECKING:
    from voxify3d.encoders import Encoder
    from voxify3d.fit.fine import Semantic
    from voxify3d.fit.radiance import RadianceField
    from voxify3d.pixelart.pixelize import PixelArt


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


Result = TypeVar("Result")

STAGES = ("renders", "pixelart", "coarse", "fine", "polish", "choice")


def voxelize(mesh: Mesh, config: VoxelizeConfig = DEFAULT) -> VoxelGrid:
    """Turn a mesh into voxel art.

    Args:
        mesh: Of `load_mesh`, or made by hand.
        config: Settings; `PRESETS` has ready ones.

    Raises:
        MeshError: It is far thinner than a voxel, and no ray of any view meets it.
    """
    return _result(voxelize_steps(mesh, config))


def _result(steps: "Generator[Progress, None, Result]") -> "Result":
    """Return what a generator returns when all its steps are done."""
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
    from voxify3d.pixelart.pixelize import pixelize
    from voxify3d.voxels.fill import apply_fill

    config, _ = settled(config)
    mesh = _emphasized(mesh, config)
    encoder = _encoder(config)
    trial = yield from _framed(mesh, config)
    frame, renders = trial.frame, trial.renders
    stages = _paper if config.fine.method == "paper" else _recipe
    results = []
    for candidate in candidates(config) if encoder else [config]:
        art = trial.art
        if art is None or candidate.pixelart != config.pixelart:
            art = pixelize(renders, config.colors, candidate.pixelart, config.seed)
        yield Progress("pixelart", 1, 1)
        index = trial.index
        if index is None or candidate != _quick(config):
            semantic = _semantic(encoder, renders, candidate)
            index = yield from stages(mesh, frame, art, candidate, semantic)
        grid = VoxelGrid(
            index=apply_fill((index + 1).astype(np.uint8), config.fill),
            palette=art.palette,
            frame=frame,
            name=mesh.name,
        )
        results.append(grid.with_used_colors())
    if encoder is None or len(results) == 1:
        return results[0]

    from voxify3d.fit.choose import Chooser

    chooser = Chooser(mesh, frame, encoder)
    best = max(results, key=chooser.score)
    yield Progress("choice", 1, 1)
    return best


@dataclass(frozen=True, slots=True)
class _Trial:
    """A grid, and what the mesh looks like on it.

    Attributes:
        frame: The grid.
        renders: The six views.
        art: Their pixel art; None where it is the only grid.
        index: The exact stages' result, as far as that was asked for.
    """

    frame: Frame
    renders: tuple[Render, ...]
    art: "PixelArt | None" = None
    index: "Int[np.ndarray, 'x y z'] | None" = None


def _quick(config: VoxelizeConfig) -> VoxelizeConfig:
    """Return settings with the exact stages alone, as `draft` has them."""
    coarse = replace(config.coarse, method="surface")
    fine = replace(config.fine, method="shell", steps=0)
    return replace(config, coarse=coarse, fine=fine)


def _framed(mesh: Mesh, config: VoxelizeConfig) -> Generator[Progress, None, _Trial]:
    """Return the grid, of several the one with the best result of the exact stages."""
    from voxify3d.fit.phase import best_phase, misfits
    from voxify3d.pixelart.pixelize import pixelize
    from voxify3d.render.mesh import frames_of, render_mesh

    frames = frames_of(mesh, config.size, config.front)
    if not config.searches_phase:
        frames = frames[:1]
    is_only = len(frames) == 1
    slanted = config.is_perspective and is_only  # else all are compared straight on
    samples = config.pixelart.samples_at(config.size)
    found, unlike, eyes = [], [], []
    for step, frame in enumerate(frames, start=1):
        renders = render_mesh(mesh, frame, samples, perspective=slanted)
        if any(render.hit.any() for render in renders):
            trial = _Trial(frame, renders)
            if not is_only:
                art = pixelize(renders, config.colors, config.pixelart, config.seed)
                index = _result(_recipe(mesh, frame, art, _quick(config), None))
                unlike.append(misfits(index, art, renders))
                eyes.append(art.eye_cost)
                trial = _Trial(frame, renders, art, index)
            found.append(trial)
        yield Progress("renders", step, len(frames))
    if not found:
        raise MeshError(
            f"no ray meets the mesh: at size {config.size} it is thinner than "
            f"1/{samples} of a voxel from every side; a larger --size will do"
        )
    best = found[best_phase(unlike, eyes)] if unlike else found[0]
    if config.is_perspective and not is_only:
        renders = render_mesh(mesh, best.frame, samples, perspective=True)
        return _Trial(best.frame, renders)
    return best


def _emphasized(mesh: Mesh, config: VoxelizeConfig) -> Mesh:
    """Return the mesh as the settings want it proportioned."""
    if not config.emphasize:
        return mesh
    from voxify3d.mesh.emphasis import emphasized
    from voxify3d.mesh.emphasis_settings import emphasis_of
    from voxify3d.render.views import default_up

    up = default_up(config.front)
    return emphasized(mesh, emphasis_of(config.emphasize), config.front, up)


def _encoder(config: VoxelizeConfig) -> "Encoder | None":
    """Return the encoder, if it is needed: `draft` does without torch."""
    if not config.uses_encoder:
        return None
    from voxify3d.encoders import load_encoder
    from voxify3d.fit.devices import device_of

    device = device_of("semantics.device", config.semantics.device)
    return load_encoder(config.semantic, device=device)


def _semantic(
    encoder: "Encoder | None", renders: tuple[Render, ...], config: VoxelizeConfig
) -> "Semantic | None":
    """Return the semantic loss of a fit."""
    paper = config.fine.method == "paper"
    steps = config.fine.paper.steps if paper else config.fine.steps
    if encoder is None or not steps or not config.semantics.weight:
        return None
    import torch

    from voxify3d.encoders.registry import at_size
    from voxify3d.fit.patch_loss import PatchLoss

    # another stream than the fit's: its noise stays what it is without semantics
    generator = torch.Generator().manual_seed(config.seed + 1)
    encoder = at_size(encoder, config.semantics.pixels)
    return PatchLoss(encoder, renders, config.semantics, steps, generator)


def _recipe(
    mesh: Mesh,
    frame: Frame,
    art: "PixelArt",
    config: VoxelizeConfig,
    semantic: "Semantic | None",
) -> "Generator[Progress, None, Int[np.ndarray, 'x y z']]":
    """Both stages as this package does them, and the exact polish."""
    from voxify3d.fit.coarse import coarse_occupancy, occupancy_of_field
    from voxify3d.fit.polish import polish
    from voxify3d.mesh.coverage import surface_coverage

    coarse, fine = config.coarse, config.fine
    if coarse.method == "radiance":
        field = yield from _radiance(mesh, frame, config)
        occupancy, coverage = occupancy_of_field(
            field.alpha, field.color, art, coarse.threshold, coarse.min_part
        )
    else:
        coverage = surface_coverage(mesh, frame)
        occupancy = coarse_occupancy(coverage, art, coarse.min_part)
        yield Progress("coarse", 1, 1)
    occupied = occupancy.occupied
    if fine.steps:
        import torch  # seconds to import, and `draft` does without

        from voxify3d.fit.fine import FineFit

        generator = torch.Generator().manual_seed(config.seed)
        fit = FineFit(occupancy, art, coverage, fine, generator, semantic)
        for done in fit:
            yield Progress("fine", done.index + 1, done.steps, done.losses)
        occupied = fit.occupied()
    index = polish(
        occupied,
        occupancy,
        art,
        coverage,
        smoothness=fine.smoothness,
        min_part=coarse.min_part,
    )
    yield Progress("polish", 1, 1)
    return index


def _paper(
    mesh: Mesh,
    frame: Frame,
    art: "PixelArt",
    config: VoxelizeConfig,
    semantic: "Semantic | None",
) -> "Generator[Progress, None, Int[np.ndarray, 'x y z']]":
    """Both stages as the paper does them; nothing is polished."""
    import torch

    from voxify3d.fit.coarse import coarse_occupancy
    from voxify3d.fit.paper import PaperFit, export_field, field_of_occupancy, fog
    from voxify3d.mesh.coverage import surface_coverage

    coarse, paper = config.coarse, config.fine.paper
    if coarse.method == "radiance":
        start = yield from _radiance(mesh, frame, config)
    elif coarse.method == "surface":
        coverage = surface_coverage(mesh, frame)
        occupancy = coarse_occupancy(coverage, art, coarse.min_part)
        start = field_of_occupancy(occupancy, coverage)
        yield Progress("coarse", 1, 1)
    else:
        start = fog(frame.shape, paper.initial_alpha)
    if not paper.steps:
        return export_field(start, art, coarse.threshold)
    if semantic is None and paper.patch_share:
        warnings.warn("fine.method paper runs without its semantic loss", stacklevel=2)
    generator = torch.Generator().manual_seed(config.seed)
    fit = PaperFit(start, art, paper, generator, semantic)
    for done in fit:
        yield Progress("fine", done.index + 1, done.steps, done.losses)
    return fit.index()


def _radiance(
    mesh: Mesh, frame: Frame, config: VoxelizeConfig
) -> "Generator[Progress, None, RadianceField]":
    """The paper's first stage."""
    import torch

    from voxify3d.fit.devices import device_of
    from voxify3d.fit.radiance import fit_radiance

    radiance = config.coarse.radiance
    device = device_of("coarse.radiance.device", radiance.device)
    generator = torch.Generator(device).manual_seed(config.seed)
    steps = fit_radiance(mesh, frame, radiance, generator=generator)
    while True:
        try:
            done = next(steps)
        except StopIteration as stop:
            return stop.value
        yield Progress("coarse", done.index + 1, done.steps, done.losses)
