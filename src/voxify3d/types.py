"""The domain: Mesh → Render → PixelArt → VoxelGrid. Frozen, and few.

Three frames (docs/conventions.md): **world** is the mesh's own units and axes,
**grid** is continuous, in voxels, with voxel `ijk` filling `[i, i + 1)` on each
axis, **index** is the integers `ijk`.

Axes in shapes: `v` vertices, `f` faces, `x y z` voxels along the world axes, `k`
palette entries, `c` channels, `h w` image rows and columns, `a b` the two grid
axes a view does not look along (in x, y, z order), `s` samples of one cell.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int, UInt8
from numpy.typing import NDArray

from voxify3d.choices import Direction

DIRECTIONS: tuple[Direction, ...] = ("+x", "-x", "+y", "-y", "+z", "-z")


def axis_of(direction: Direction) -> int:
    """Return the axis number of a direction: 0 for x, 1 for y, 2 for z."""
    return "xyz".index(direction[1])


def sign_of(direction: Direction) -> int:
    """Return +1 or -1."""
    return 1 if direction[0] == "+" else -1


def vector_of(direction: Direction) -> NDArray[np.float64]:
    """Return the unit vector of a direction."""
    vector = np.zeros(3)
    vector[axis_of(direction)] = sign_of(direction)
    return vector


def opposite(direction: Direction) -> Direction:
    """Return the direction that points the other way."""
    return DIRECTIONS[DIRECTIONS.index(direction) ^ 1]


@dataclass(frozen=True, slots=True)
class Material:
    """How a set of faces is colored.

    Attributes:
        name: As in the file; for messages.
        base_color: Linear RGBA factor. Range [0, 1].
        texture: sRGB color and linear alpha, or None. Row 0 is v = 0 (glTF).
        wrap: Rule outside [0, 1] for u and for v.
        filter: Between texels; "nearest" keeps the hard edges of pixel textures.
        alpha_mode: glTF's: "mask" drops texels under `alpha_cutoff`, "blend"
            counts as solid from `alpha_cutoff` (0.5) on, "opaque" ignores alpha.
        alpha_cutoff: Alpha from which a texel is solid.
    """

    name: str = ""
    base_color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    texture: UInt8[np.ndarray, "h w 4"] | None = None
    wrap: tuple[
        Literal["repeat", "clamp", "mirror"], Literal["repeat", "clamp", "mirror"]
    ] = ("repeat", "repeat")
    filter: Literal["linear", "nearest"] = "linear"
    alpha_mode: Literal["opaque", "mask", "blend"] = "opaque"
    alpha_cutoff: float = 0.5


@dataclass(frozen=True, slots=True)
class Mesh:
    """A triangle mesh in the world frame, posed, with everything that colors it.

    Attributes:
        vertices: World positions.
        faces: Vertex numbers, counter-clockwise seen from outside where the file
            knows an outside.
        material: Entry of `materials` of each face.
        part: Connected or named part each face belongs to; from 0.
        materials: At least one.
        uv: Texture coordinates of each face's corners, v down (glTF), or None.
        color: Linear RGBA of each face's corners, multiplied with the material's
            color, or None.
        node: Entry of `nodes` of each face, or None.
        nodes: Names of the file's nodes that hold faces; empty where it has none.
        name: For messages and default file names.
        notes: What the loader had to repair or ignore, one line each.
    """

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    material: Int[np.ndarray, " f"]
    part: Int[np.ndarray, " f"]
    materials: tuple[Material, ...]
    uv: Float32[np.ndarray, "f 3 2"] | None = None
    color: Float32[np.ndarray, "f 3 4"] | None = None
    node: Int[np.ndarray, " f"] | None = None
    nodes: tuple[str, ...] = ()
    name: str = "mesh"
    notes: tuple[str, ...] = ()

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Smallest and largest corner of the box around all faces, world, (2, 3)."""
        # np.unique(faces) sorts: 2 s for 5 M faces, this takes 0.1
        is_used = np.zeros(len(self.vertices), bool)
        is_used[self.faces] = True
        used = self.vertices[is_used]
        return np.stack([used.min(axis=0), used.max(axis=0)])


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a voxel grid lies in the world, and how the object stands in it.

    Attributes:
        origin: World position of the grid's smallest corner.
        cell: Edge of a voxel, world units.
        shape: Voxels along world x, y, z.
        front: Direction the object's face points to.
        up: Direction of the object's head.
    """

    origin: tuple[float, float, float]
    cell: float
    shape: tuple[int, int, int]
    front: Direction = "+z"
    up: Direction = "+y"

    def grid_from_world(
        self, xyz: Float[np.ndarray, "*n 3"]
    ) -> Float64[np.ndarray, "*n 3"]:
        """Return positions in voxels."""
        return (np.asarray(xyz, np.float64) - self.origin) / self.cell

    def world_from_grid(
        self, xyz: Float[np.ndarray, "*n 3"]
    ) -> Float64[np.ndarray, "*n 3"]:
        """Return positions in world units."""
        return np.asarray(xyz, np.float64) * self.cell + self.origin


@dataclass(frozen=True, slots=True)
class View:
    """An axis-aligned orthographic view.

    Pictures of a view come in two layouts. In **cell layout** (`a b`) the two axes
    are the grid axes the view does not look along, in x, y, z order: cell [a, b]
    looks down one grid column. In **image layout** (`h w`) rows run down and
    columns right as a viewer sees them; `image_from_cells` goes from one to the other.

    Attributes:
        name: front, back, left, right, top or bottom, of the object.
        toward: Direction from the object to the eye.
        right: World direction that is right in the image.
        down: World direction that is down in the image.
    """

    name: str
    toward: Direction
    right: Direction
    down: Direction

    @property
    def axis(self) -> int:
        """Grid axis the view looks along."""
        return axis_of(self.toward)

    def image_from_cells(self, cells: np.ndarray) -> np.ndarray:
        """Return the image layout `h w ...` of a picture in cell layout `a b ...`."""
        rows, columns = axis_of(self.down), axis_of(self.right)
        image = cells if rows < columns else np.swapaxes(cells, 0, 1)
        return image[:: sign_of(self.down), :: sign_of(self.right)]

    def cells_from_image(self, image: np.ndarray) -> np.ndarray:
        """Return the cell layout `a b ...` of a picture in image layout `h w ...`."""
        rows, columns = axis_of(self.down), axis_of(self.right)
        image = image[:: sign_of(self.down), :: sign_of(self.right)]
        return image if rows < columns else np.swapaxes(image, 0, 1)


@dataclass(frozen=True, slots=True)
class Render:
    """What one view sees of the mesh, as the samples of each cell (cell layout).

    Attributes:
        view: The view.
        rgb: Unlit sRGB color of each sample; 0 where nothing is hit. Range [0, 1].
        hit: Samples that hit the mesh.
        depth: Distance from the grid's face on the eye's side, in voxels; infinite
            where nothing is hit.
        normal: Unit geometric normal, world axes, turned towards the eye.
        part: Part of the mesh; -1 where nothing is hit.
        coverage: Covered share of each cell, measured at least as finely as the
            samples are. Range [0, 1].
    """

    view: View
    rgb: Float32[np.ndarray, "a b s 3"]
    hit: Bool[np.ndarray, "a b s"]
    depth: Float32[np.ndarray, "a b s"]
    normal: Float32[np.ndarray, "a b s 3"]
    part: Int[np.ndarray, "a b s"]
    coverage: Float32[np.ndarray, "a b"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors, in an order that is kept.

    Attributes:
        rgb: sRGB bytes.
    """

    rgb: UInt8[np.ndarray, "k 3"]

    def __len__(self) -> int:
        return len(self.rgb)


@dataclass(frozen=True, slots=True)
class VoxelGrid:
    """Voxel art: the result.

    Attributes:
        index: 0 where empty, else 1 + the entry of `palette`. Axes are world x, y, z.
        palette: At most 255 entries.
        frame: Where the grid lies in the world.
        name: For file names and scene nodes.
        manifest: What made it (settings, version, seed, input hash); JSON types.
    """

    index: UInt8[np.ndarray, "x y z"]
    palette: Palette
    frame: Frame
    name: str = "voxels"
    manifest: dict = field(default_factory=dict)

    @property
    def occupied(self) -> Bool[np.ndarray, "x y z"]:
        """Where there is a voxel."""
        return self.index > 0

    @property
    def size(self) -> int:
        """Voxels along the longest side."""
        return max(self.index.shape)

    def with_index(self, index: UInt8[np.ndarray, "x y z"]) -> "VoxelGrid":
        """Return the same grid with other voxels."""
        return replace(self, index=index)

    def with_used_colors(self) -> "VoxelGrid":
        """Return the same voxels, with a palette of only the colors that they have."""
        used = np.unique(self.index[self.occupied]) - 1
        entry = np.zeros(1 + len(self.palette), np.uint8)
        entry[1 + used.astype(int)] = 1 + np.arange(len(used))
        palette = Palette(self.palette.rgb[used])
        return replace(self, index=entry[self.index], palette=palette)
