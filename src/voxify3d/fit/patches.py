"""Patches of the six views: where they lie, what the mesh shows there, and pairs.

A **canvas** holds the six views in image layout on one square, premultiplied sRGB
and opacity, with nothing outside: `l` is its side in pixels, `L` in cells. Patches
are squares in cells; both pictures of a pair are cut at the same places, so that a
shift or turn of one is that of the other. `p` patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from voxify3d.color.spaces import LINEAR_FROM_LMS, LMS_FROM_LAB
from voxify3d.fit.cells import CellPicture
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.types import Render, View, axis_of, sign_of

WHITE = 1.0
"""Ground behind a patch that is not augmented; the paper's."""
_GRAIN = 0.01
"""Deviation of the noise that every pair gets: a flat picture has no gradient in
networks with ReLU6, and noise of one byte wakes it."""
_TRIES = 24
"""Positions looked at for each patch of the pool; the first that is on the object, or
the one with most of it, is taken."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Squares on the views.

    Attributes:
        view: Number of the view.
        center: Row and column of the middle, cells.
        side: Cells.
    """

    view: Int[Tensor, " p"]
    center: Float[Tensor, "p 2"]
    side: Float[Tensor, " p"]

    def __len__(self) -> int:
        return len(self.view)

    def take(self, chosen: Int[Tensor, " _"]) -> "Patches":
        """Return some of them."""
        return Patches(self.view[chosen], self.center[chosen], self.side[chosen])

    def to(self, device: torch.device | str) -> "Patches":
        """Return them on a device."""
        return Patches(
            self.view.to(device), self.center.to(device), self.side.to(device)
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What is done alike to both pictures of each pair.

    Attributes:
        shift: Of the patch, in its own sides.
        turn: Radians.
        zoom: Factor of the side.
        mirror: -1 mirrors left and right, 1 does not.
        gain: Factor of the brightness.
        ground: sRGB behind the object.
        noise: Added to every pixel.
    """

    shift: Float[Tensor, "p 2"]
    turn: Float[Tensor, " p"]
    zoom: Float[Tensor, " p"]
    mirror: Float[Tensor, " p"]
    gain: Float[Tensor, " p"]
    ground: Float[Tensor, "p 3"]
    noise: Float[Tensor, "p 3 r r"]

    def to(self, device: torch.device | str) -> "Change":
        """Return it on a device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self)}
        return Change(**moved)


def random_change(
    count: int, size: int, strength: float, generator: torch.Generator
) -> Change:
    """Draw a change for each pair; only the grain is left at strength 0.

    At strength 1: shift up to an eighth of the side, turn up to 8°, size ± 15 %,
    mirrored half the time, gain 0.8 to 1, any light ground half the time, noise 0.03.

    Args:
        count: Pairs.
        size: Rows and columns of the pictures.
        strength: 0 for none.
        generator: Source of randomness.
    """

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    noise = torch.randn(count, 3, size, size, generator=generator)
    noise = noise * max(_GRAIN, 0.03 * strength)
    one = torch.ones(count)
    if strength == 0:
        ground = torch.full((count, 3), WHITE)
        return Change(torch.zeros(count, 2), 0 * one, one, one, one, ground, noise)
    tint = 1 - min(strength, 1.0) * 0.6 * uniform(count, 3)
    plain = (uniform(count, 1) < 0.5).float()
    return Change(
        shift=strength * (uniform(count, 2) - 0.5) / 4,
        turn=strength * (uniform(count) - 0.5) * 0.28,
        zoom=1 + strength * (uniform(count) - 0.5) * 0.3,
        mirror=1 - 2 * (uniform(count) < 0.5).float(),
        gain=1 - min(strength, 4.0) * 0.2 * uniform(count),
        ground=plain * WHITE + (1 - plain) * tint,
        noise=noise,
    )


def rgba_of(picture: CellPicture) -> Float[Tensor, "a b 4"]:
    """Return premultiplied sRGB and opacity; the colors of `srgb_from_oklab`."""
    opacity = picture.opacity[..., None]
    lab = picture.color / opacity.clamp(min=1e-3)
    lms = (lab @ lab.new_tensor(LMS_FROM_LAB).T) ** 3
    linear = (lms @ lab.new_tensor(LINEAR_FROM_LMS).T).clamp(0, 1)
    bright = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    srgb = torch.where(linear <= 0.0031308, linear * 12.92, bright)
    return torch.cat([srgb * opacity, opacity], dim=-1)


def image_of_cells(cells: Float[Tensor, "a b c"], view: View) -> Float[Tensor, "h w c"]:
    """Return a picture in cell layout in image layout; `View.image_from_cells`."""
    rows, columns = axis_of(view.down), axis_of(view.right)
    image = cells if rows < columns else cells.transpose(0, 1)
    flipped = [i for i, d in enumerate((view.down, view.right)) if sign_of(d) < 0]
    return image.flip(flipped) if flipped else image


def canvas_of(
    pictures: Sequence[Float[Tensor, "_ _ 4"]], views: Sequence[View]
) -> Float[Tensor, "view 4 l l"]:
    """Return the views on one square, each in its top left corner.

    Args:
        pictures: Premultiplied sRGB and opacity, cell layout, one pixel per cell or
            the same number per cell in all.
        views: Of the pictures.
    """
    images = [image_of_cells(p, v) for p, v in zip(pictures, views, strict=True)]
    side = max(max(image.shape[:2]) for image in images)
    return torch.stack(
        [
            functional.pad(
                image.permute(2, 0, 1),
                (0, side - image.shape[1], 0, side - image.shape[0]),
            )
            for image in images
        ]
    )


def mesh_canvas(
    renders: Sequence[Render], *, detailed: bool
) -> Float[Tensor, "view 4 l l"]:
    """Return the mesh's own pictures: every sample a pixel, or averaged to cells."""
    pictures = []
    for render in renders:
        a, b, s = render.hit.shape
        n = round(s**0.5)
        hit = render.hit[..., None].astype(np.float32)
        samples = np.concatenate([render.rgb * hit, hit], axis=-1)
        samples = samples.reshape(a, b, n, n, 4)
        if detailed:
            samples = samples.swapaxes(1, 2).reshape(a * n, b * n, 4)
        else:
            samples = samples.mean(axis=(2, 3))
        pictures.append(torch.from_numpy(np.ascontiguousarray(samples, np.float32)))
    return canvas_of(pictures, [render.view for render in renders])


def patch_pool(
    filled: Sequence[Bool[np.ndarray, "_ _"]],
    config: SemanticConfig,
    generator: torch.Generator,
) -> Patches:
    """Draw the fixed set of patch positions: views in turn, scales in turn.

    Args:
        filled: Cells of each view that hold the object, image layout.
        config: Scales, how many, and how much of each must lie on the object.
        generator: Source of randomness.
    """
    views, centers, sides = [], [], []
    for number in range(config.pool):
        view = number % len(filled)
        cells = filled[view]
        scale = config.scales[number // len(filled) % len(config.scales)]
        longest = max(cells.shape)
        side = min(scale * longest if scale <= 1 else scale, longest)
        views.append(view)
        sides.append(float(side))
        if scale == 1:
            centers.append([n / 2 for n in cells.shape])
        else:
            centers.append(_place(cells, float(side), config.cover, generator))
    return Patches(torch.tensor(views), torch.tensor(centers), torch.tensor(sides))


def _place(
    cells: Bool[np.ndarray, "h w"],
    side: float,
    cover: float,
    generator: torch.Generator,
) -> list[float]:
    """Return the middle of a patch that lies on the object, or anywhere if 0 of it."""
    shape = torch.tensor(cells.shape, dtype=torch.float32)
    room = (shape - side).clamp(min=0)
    best, best_share = (shape / 2).tolist(), -1.0
    for _ in range(_TRIES):
        corner = torch.rand(2, generator=generator) * room
        corner = torch.where(shape < side, (shape - side) / 2, corner)
        if cover > 0:
            corner = corner.round()  # patches of whole cells: nothing is cut in two
        (top, left), (bottom, right) = (
            corner.clamp(min=0).int().tolist(),
            (corner + side).ceil().int().tolist(),
        )
        share = cells[top:bottom, left:right].sum() / max(side * side, 1)
        if share > best_share:
            best, best_share = (corner + side / 2).tolist(), share
        if share >= cover:
            break
    return best


def cut(
    canvas: Float[Tensor, "view 4 l l"],
    cells: int,
    patches: Patches,
    change: Change,
    size: int,
    sampling: str = "bicubic",
) -> Float[Tensor, "p 3 r r"]:
    """Return patches as pictures: cut, turned, on their ground, with gain and noise.

    Args:
        canvas: The six views.
        cells: L, its side in cells.
        patches: Where. On the canvas's device, as what follows.
        change: What else.
        size: Rows and columns of the result.
        sampling: `nearest` shows each pixel as a block, `bicubic` and `bilinear` as
            torch's `grid_sample` has them.
    """
    at = torch.arange(size, dtype=torch.float32, device=canvas.device)
    at = (at + 0.5) / size - 0.5
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    columns = columns * change.mirror[:, None, None]
    cosine = torch.cos(change.turn)[:, None, None]
    sine = torch.sin(change.turn)[:, None, None]
    turned = torch.stack(
        [cosine * columns - sine * rows, sine * columns + cosine * rows], dim=-1
    )
    side = patches.side * change.zoom
    center = patches.center + change.shift * patches.side[:, None]
    place = center.flip(-1)[:, None, None] + side[:, None, None, None] * turned
    seen = functional.grid_sample(
        canvas[patches.view],
        2 * place / cells - 1,  # x, then y
        mode=sampling,
        padding_mode="zeros",
        align_corners=False,
    )
    rgb, opacity = seen[:, :3], seen[:, 3:]
    rgb = rgb + (1 - opacity) * change.ground[:, :, None, None]
    return (rgb * change.gain[:, None, None, None] + change.noise).clamp(0, 1)
