"""The semantic loss of the six views, over patches of the mesh and of the result."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from voxify3d.encoders import Encoder
from voxify3d.fit.cells import CellPicture
from voxify3d.fit.patches import (
    Change,
    Patches,
    canvas_of,
    cut,
    mesh_canvas,
    patch_pool,
    random_change,
    rgba_of,
)
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.losses.semantic import SemanticLoss
from voxify3d.types import Render


class PatchLoss:
    """The semantic loss of the six views, step by step."""

    def __init__(
        self,
        encoder: Encoder,
        renders: Sequence[Render],
        config: SemanticConfig,
        steps: int,
        generator: torch.Generator,
        *,
        keep: bool = True,
    ) -> None:
        """Draw the patches and look at the mesh.

        Args:
            encoder: Frozen, on the device of the settings.
            renders: The mesh's six views, with all their samples.
            config: Settings.
            steps: Of the fit.
            generator: Source of randomness.
            keep: Compute target features that stay the same only once.
        """
        self._loss = SemanticLoss(encoder, config.batch)
        self._encoder = encoder
        self._config = config
        self._steps = steps
        self._generator = generator
        self._views = [render.view for render in renders]
        detailed = not encoder.low_pass
        self._target = mesh_canvas(renders, detailed=detailed).to(config.device)
        cells = [r.view.image_from_cells(r.coverage >= 0.5) for r in renders]
        self._cells = max(max(c.shape) for c in cells)
        self.patches = patch_pool(cells, config, generator).to(config.device)
        self._kept = keep and config.augment == 0
        self._features: dict[int, Tensor] = {}
        self._grain = random_change(1, encoder.input_size, 0.0, generator).noise
        self._turn = 0

    def __call__(
        self, step: int, pictures: Sequence[CellPicture]
    ) -> Float[Tensor, ""] | None:
        """Return the weighted loss of a step, or None when it has none.

        Args:
            step: Its number.
            pictures: The six views, on any device; the loss is on theirs.
        """
        if not self._config.takes(step, self._steps):
            return None
        front = step >= self._config.front_from * self._steps
        canvas = canvas_of([rgba_of(picture) for picture in pictures], self._views)
        chosen = self._next(only_front=front)
        loss = self.loss(canvas.to(self._config.device), chosen)
        return self._config.weight * loss.to(canvas.device)

    def loss(
        self, canvas: Float[Tensor, "view 4 l l"], chosen: Int[Tensor, " p"]
    ) -> Float[Tensor, ""]:
        """Return the loss of some patches of the pool.

        Args:
            canvas: The rendered views, one pixel per cell, on the settings' device.
            chosen: Numbers of the patches.
        """
        size = self._encoder.input_size
        patches = self.patches.take(chosen)
        change = random_change(
            len(patches), size, self._config.augment, self._generator
        )
        if self._config.augment == 0:  # the same grain in every step
            noise = self._grain.expand(len(patches), -1, -1, -1)
            change = _with_noise(change, noise)
        change = change.to(canvas.device)
        sampling = "bicubic" if self._encoder.low_pass else "nearest"
        images = cut(canvas, self._cells, patches, change, size, sampling)
        return self._loss(images, self._targets(chosen, patches, change))

    def _targets(
        self, chosen: Int[Tensor, " p"], patches: Patches, change: Change
    ) -> Float[Tensor, "p d"]:
        missing = [n for n in chosen.tolist() if n not in self._features]
        if self._kept and not missing:
            return torch.stack([self._features[n] for n in chosen.tolist()])
        features = self._loss.features(self._mesh_patches(patches, change))
        if self._kept:
            self._features |= dict(zip(chosen.tolist(), features, strict=True))
        return features

    def _mesh_patches(
        self, patches: Patches, change: Change
    ) -> Float[Tensor, "p 3 r r"]:
        """Return the mesh's patches: as low as the render's, or at full detail."""
        size = self._encoder.input_size
        if self._encoder.low_pass:
            return cut(self._target, self._cells, patches, change, size)
        # Twice the size, then averaged: samples finer than pixels do not flicker.
        noise = change.noise.repeat_interleave(2, -1).repeat_interleave(2, -2)
        fine = cut(
            self._target,
            self._cells,
            patches,
            _with_noise(change, noise),
            2 * size,
            "bilinear",
        )
        return functional.avg_pool2d(fine, 2)

    def _next(self, *, only_front: bool) -> Int[Tensor, " p"]:
        """Return the next patches of the pool in a random order of its rounds."""
        views = len(self._views)
        rounds = len(self.patches) // views
        chosen = []
        for _ in range(self._config.patches):
            pick = int(torch.randint(max(rounds, 1), (1,), generator=self._generator))
            view = 0 if only_front else self._turn % views
            chosen.append(min(pick * views + view, len(self.patches) - 1))
            self._turn += 1
        return torch.tensor(chosen)


def _with_noise(change: Change, noise: Float[Tensor, "p 3 r r"]) -> Change:
    return Change(
        change.shift,
        change.turn,
        change.zoom,
        change.mirror,
        change.gain,
        change.ground,
        noise,
    )
