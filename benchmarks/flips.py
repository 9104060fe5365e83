"""Single flips of finished voxel art that an encoder likes: do others like them too?

    python benchmarks/flips.py --meshes FOLDER [--sizes 24 40] [--seconds 25]

From a finished result, the flips of colors (or of voxels) that raise the encoder's own
likeness most by its gradient, less what they cost the six views, are made as long as
the likeness measured on moved and mirrored pictures rises; a batch that does not help
is halved. The pictures are those of the encoder's choice (fit/choose.py), without any
approximation. Rows are added to results/flips.json.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from gains import study
from jaxtyping import Bool, Float, Float32, Int
from scipy import ndimage
from torch import Tensor

from voxify3d import FineConfig, Mesh, VoxelGrid
from voxify3d.encoders import Encoder, load_encoder
from voxify3d.fit.choose import around
from voxify3d.fit.coarse import NEIGHBORS_26, Occupancy, coarse_occupancy
from voxify3d.fit.colors import color_hidden, seen_costs
from voxify3d.fit.fine import FineFit
from voxify3d.fit.polish import polish
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pixelart.pixelize import PixelArt, pixelize
from voxify3d.render.cast import look_from
from voxify3d.render.eye import Sight
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.render.volume import segment_ends
from voxify3d.types import Direction, Frame, vector_of

SAMPLES = 2
"""Rays along each side of a pixel."""
MOVES = (((0, 0), False), ((2, -1), True), ((-2, 2), False), ((1, 3), True))
"""Shift in pixels and mirroring of the pictures that are scored."""
COLOR_PRICE, VOXEL_PRICE = 0.05, 1.0
"""Likeness that one unit of the six views' cost is worth, per voxel. Others were tried
on four meshes: none helped more."""
LARGEST, FAILURES = 32, 12


class Scene:
    """The pictures of a shell of voxels: which of them each ray meets, in order.

    `n` shell voxels, `ray` rays that meet any, `l` most of them on a ray.
    """

    def __init__(self, frame: Frame, shell: Bool[np.ndarray, "x y z"]) -> None:
        self.shell, self.count = shell, int(shell.sum())
        number = np.full(shell.shape, self.count)
        number[shell] = np.arange(self.count)
        self.width = int(np.ceil(np.linalg.norm(frame.shape))) + 2
        tables: list[tuple[np.ndarray, ...]] = []
        for view, (origins, away, light) in enumerate(self._eyes(frame)):
            voxel, shade = _met(number, self.count, origins, away, light)
            row = np.arange(self.width * SAMPLES) // SAMPLES
            pixel = (row[:, None] * self.width + row).ravel() + view * self.width**2
            meets = (voxel < self.count).any(axis=1)
            tables.append((voxel[meets], shade[meets], pixel[meets]))
        longest = max(voxel.shape[1] for voxel, _, _ in tables)

        def together(which: int, filler: int) -> np.ndarray:
            return np.concatenate(
                [
                    np.pad(
                        t[which],
                        ((0, 0), (0, longest - t[which].shape[1])),
                        constant_values=filler,
                    )
                    for t in tables
                ]
            )

        self.voxel, self.shade = together(0, self.count), together(1, 0)
        self.pixel = np.concatenate([pixel for _, _, pixel in tables])
        self.views = len(tables)
        self.row = np.arange(len(self.pixel))

    def _eyes(
        self, frame: Frame
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield origins, direction and light of the views of `around`."""
        up, front = vector_of(frame.up), vector_of(frame.front)
        side = np.cross(up, front)
        at = (np.arange(self.width * SAMPLES) + 0.5) / SAMPLES - self.width / 2
        for number in range(8):
            turn, rise = (number + 0.5) * np.pi / 4, np.radians((35, 5)[number % 2])
            level = np.cos(turn) * front + np.sin(turn) * side
            toward = np.cos(rise) * level + np.sin(rise) * up
            right, down, toward = look_from(toward, up)
            light = -0.45 * right - 0.8 * down + 0.55 * toward
            origins = np.array(frame.shape) / 2 + self.width * toward
            origins = origins + at[:, None, None] * down + at[None, :, None] * right
            yield origins.reshape(-1, 3), -toward, light / np.linalg.norm(light)

    def first(self, occupied: Bool[np.ndarray, " n"]) -> Int[np.ndarray, " ray"]:
        """Return the place of the first occupied voxel on each ray, -1 for none."""
        solid = np.append(occupied, False)[self.voxel]
        return np.where(solid.any(axis=1), solid.argmax(axis=1), -1)

    def rgb(
        self, place: Int[np.ndarray, " ray"], color: Float32[np.ndarray, "n 3"]
    ) -> Float32[np.ndarray, "ray 3"]:
        """Return what each ray sees at a place of its list; white for -1."""
        color = np.vstack([color, np.ones((1, 3), np.float32)])
        seen = color[self.voxel[self.row, place]] * self.shade[self.row, place, None]
        return np.where(place[:, None] >= 0, seen, 1).astype(np.float32)

    def pictures(self, rgb: Float32[np.ndarray, "ray 3"]) -> Tensor:
        """Return the views, averaged to one pixel per voxel."""
        size = self.views * self.width**2
        dark = np.stack([self.sums(1 - c, self.pixel, size) for c in rgb.T], axis=1)
        shown = (1 - dark / SAMPLES**2).astype(np.float32)
        shown = shown.reshape(self.views, self.width, self.width, 3)
        return torch.from_numpy(shown).permute(0, 3, 1, 2).contiguous()

    def pull(self, gradient: Tensor) -> Float[np.ndarray, "ray 3"]:
        """Return the gradient of each ray's color from that of the pictures."""
        flat = gradient.permute(0, 2, 3, 1).reshape(-1, 3).numpy()
        return flat[self.pixel] / SAMPLES**2

    @staticmethod
    def sums(values: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
        """Return the sum of the values of each index."""
        return np.bincount(index, values, size)


def _met(
    number: Int[np.ndarray, "x y z"],
    count: int,
    origins: np.ndarray,
    direction: np.ndarray,
    light: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shell voxels on each ray, `count` for none, and their faces' light."""
    toward = np.broadcast_to(direction, origins.shape).copy()
    ends = segment_ends(
        torch.from_numpy(origins), torch.from_numpy(toward), number.shape, None
    ).numpy()
    middle = origins[:, None] + (ends[:, 1:] + ends[:, :-1])[..., None] / 2 * direction
    ijk = np.clip(np.floor(middle).astype(int), 0, np.array(number.shape) - 1)
    voxel = number[tuple(np.moveaxis(ijk, -1, 0))]
    voxel = np.where(np.diff(ends, axis=1) > 1e-9, voxel, count)
    entry = origins[:, None] + ends[:, :-1, None] * direction
    face = np.abs(entry - (ijk + (direction < 0))).argmin(axis=-1)
    shade = (0.62 + 0.38 * np.abs(light))[face]
    order = np.argsort(voxel == count, axis=1, kind="stable")
    order = order[:, : (voxel < count).sum(axis=1).max()]
    return np.take_along_axis(voxel, order, 1), np.take_along_axis(shade, order, 1)


class Liking:
    """How like the mesh an encoder finds pictures, moved and mirrored alike."""

    def __init__(self, encoder: Encoder, mesh: Float32[np.ndarray, "v 3 h w"]) -> None:
        self._encoder = encoder
        with torch.no_grad():
            self._mesh = [encoder.features(p) for p in _moved(torch.from_numpy(mesh))]

    def score(self, pictures: Tensor) -> Tensor:
        """Return the mean cosine."""
        found = [self._encoder.features(p) for p in _moved(pictures)]
        pairs = zip(found, self._mesh, strict=True)
        return torch.stack([(f * m).sum(dim=-1).mean() for f, m in pairs]).mean()

    def slope(self, pictures: Tensor) -> tuple[float, Tensor]:
        """Return the score and its gradient."""
        pictures = pictures.requires_grad_()
        score = self.score(pictures)
        (gradient,) = torch.autograd.grad(score, pictures)
        return score.item(), gradient


def _moved(pictures: Tensor) -> Iterator[Tensor]:
    for shift, mirrored in MOVES:
        moved = torch.roll(pictures, shift, dims=(-2, -1))
        yield moved.flip(-1) if mirrored else moved


def climb(
    score: Callable[[np.ndarray], float],
    gains: Callable[[np.ndarray], tuple[float, np.ndarray]],
    flip: Callable[[np.ndarray, np.ndarray], np.ndarray],
    state: np.ndarray,
    seconds: float,
) -> np.ndarray:
    """Make the most promising flips while the score rises, in batches.

    Args:
        score: Of a state.
        gains: Its score, and what each flip promises.
        flip: The state after some flips, by their numbers.
        state: Where to start.
        seconds: Of processor time.
    """
    begun, batch, failed = time.process_time(), 8, set()
    while time.process_time() - begun < seconds and len(failed) < FAILURES:
        now, promise = gains(state)
        promise[list(failed)] = -1
        order = np.argsort(-promise)
        order = order[promise[order] > 1e-7]
        size = min(batch, len(order))
        while size:
            after = flip(state, order[:size])
            if score(after) > now + 1e-6:
                state, batch = after, min(2 * size, LARGEST)
                break
            size //= 2
        else:
            if not len(order):
                break
            failed.add(int(order[0]))
            batch = max(batch // 2, 4)
    return state


def flip_colors(
    index: Int[np.ndarray, "x y z"],
    art: PixelArt,
    frame: Frame,
    liking: Liking,
    seconds: float,
) -> Int[np.ndarray, "x y z"]:
    """Return a result with some surface voxels in other palette entries."""
    occupied = index >= 0
    scene = Scene(frame, occupied & ~ndimage.binary_erosion(occupied))
    palette = (art.palette.rgb / 255).astype(np.float32)
    cost = seen_costs(occupied, art)[0][scene.shell]
    place = scene.first(np.ones(scene.count, bool))
    voxel = scene.voxel[scene.row, place]
    shade = np.where(place >= 0, scene.shade[scene.row, place], 0)

    def pictures(entry: np.ndarray) -> Tensor:
        return scene.pictures(scene.rgb(place, palette[entry]))

    def gains(entry: np.ndarray) -> tuple[float, np.ndarray]:
        now, gradient = liking.slope(pictures(entry))
        pull = scene.pull(gradient) * shade[:, None]
        pulls = [scene.sums(c, voxel, scene.count + 1)[:-1] for c in pull.T]
        gain = np.stack(pulls, axis=1) @ palette.T
        own = entry[:, None]
        gain -= np.take_along_axis(gain, own, axis=1)
        rise = np.maximum(cost - np.take_along_axis(cost, own, axis=1), 0)
        gain = gain - COLOR_PRICE * rise / scene.count
        np.put_along_axis(gain, own, -1, axis=1)
        return now, gain.ravel()

    def flip(entry: np.ndarray, flips: np.ndarray) -> np.ndarray:
        entry = entry.copy()
        entry[flips // len(palette)] = flips % len(palette)
        return entry

    def score(entry: np.ndarray) -> float:
        with torch.no_grad():
            return liking.score(pictures(entry)).item()

    result = index.copy()
    result[scene.shell] = climb(score, gains, flip, index[scene.shell], seconds)
    return result


def flip_voxels(
    index: Int[np.ndarray, "x y z"],
    art: PixelArt,
    occupancy: Occupancy,
    frame: Frame,
    liking: Liking,
    seconds: float,
) -> Int[np.ndarray, "x y z"]:
    """Return a result with some voxels more and some fewer."""
    occupied = index >= 0
    near = ndimage.binary_dilation(occupied, NEIGHBORS_26)
    scene = Scene(frame, near & ~ndimage.binary_erosion(occupied, iterations=3))
    everywhere = color_hidden(index, np.ones_like(occupied))
    color = (art.palette.rgb / 255).astype(np.float32)[everywhere[scene.shell]]
    ijk = np.argwhere(scene.shell)
    full = np.vstack([color, np.ones((1, 3), np.float32)])

    def pictures(solid: np.ndarray) -> Tensor:
        return scene.pictures(scene.rgb(scene.first(solid), color))

    def volume(solid: np.ndarray) -> np.ndarray:
        whole = occupied.copy()
        whole[scene.shell] = solid
        return whole

    def gains(solid: np.ndarray) -> tuple[float, np.ndarray]:
        place = scene.first(solid)
        seen = scene.rgb(place, color)
        now, gradient = liking.slope(scene.pictures(seen))
        pull = scene.pull(gradient)
        gain = np.zeros(scene.count + 1)
        for k in range(scene.voxel.shape[1]):  # a voxel before what is seen
            voxel = scene.voxel[:, k]
            before = (place < 0) | (k < place)
            shown = full[voxel] * scene.shade[:, k, None]
            change = np.where(before, (pull * (shown - seen)).sum(axis=1), 0)
            gain += scene.sums(change, voxel, scene.count + 1)
        rest = np.append(solid, False)[scene.voxel]  # without what is seen
        hit = place >= 0
        rest[scene.row[hit], place[hit]] = False
        behind = np.where(rest.any(axis=1), rest.argmax(axis=1), -1)
        change = (pull * (scene.rgb(behind, color) - seen)).sum(axis=1)
        gone = scene.voxel[scene.row, place]
        gain += scene.sums(np.where(hit, change, 0), gone, scene.count + 1)
        whole = volume(solid)
        rise = np.zeros(scene.count)
        for table in occupancy.tables:
            rise += table.change(Sight(whole, table.view), ijk, everywhere)
        gain = gain[:-1] - VOXEL_PRICE * np.maximum(rise, 0) / scene.count
        may = occupancy.free[scene.shell] & ndimage.binary_dilation(whole)[scene.shell]
        return now, np.where(may, gain, -1)

    def flip(solid: np.ndarray, flips: np.ndarray) -> np.ndarray:
        solid = solid.copy()
        solid[flips] = ~solid[flips]
        return solid

    def score(solid: np.ndarray) -> float:
        with torch.no_grad():
            return liking.score(pictures(solid)).item()

    solid = climb(score, gains, flip, occupied[scene.shell], seconds)
    return np.where(volume(solid), everywhere, -1)


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meshes", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[24, 40])
    parser.add_argument("--seconds", type=float, default=25.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder = load_encoder("efficientnet-lite0")
    assert encoder is not None

    def make(
        mesh: Mesh, size: int, front: Direction
    ) -> Iterator[tuple[str, VoxelGrid]]:
        frame = frame_of(mesh, size, front)
        art = pixelize(render_mesh(mesh, frame, 8), 8)
        coverage = surface_coverage(mesh, frame)
        occupancy = coarse_occupancy(coverage, art)
        generator = torch.Generator().manual_seed(0)
        fit = FineFit(occupancy, art, coverage, FineConfig(steps=60), generator)
        for _ in fit:
            pass
        index = polish(fit.occupied(), occupancy, art, coverage)
        liking = Liking(encoder, around(mesh, frame))
        made = {
            "without": lambda: index,
            "colors": lambda: flip_colors(index, art, frame, liking, args.seconds),
            "voxels": lambda: flip_voxels(
                index, art, occupancy, frame, liking, args.seconds
            ),
        }
        for name, result in made.items():
            grid = (result() + 1).astype(np.uint8)
            yield name, VoxelGrid(grid, art.palette, frame)

    notes = (
        "# Flips that the encoder likes\n\nFirst row of a size: means without flips. "
        "Others: mean differences to it over the meshes,\nlikeness with its standard "
        f"error. At most {args.seconds:g} seconds of one core for each."
    )
    study("flips", notes, make, args.meshes, args.sizes)


if __name__ == "__main__":
    main()
