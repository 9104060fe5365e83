"""The gallery: gallery/*.png and ../gallery.md, from meshes of ../shared/meshes.

python docs/figures/gallery.py [NAME ...]

Every picture shows a mesh, and voxel art of it at two sizes: 8 colors, preset default.
Authors, licenses and sources are those of meshes.json; only meshes that anybody may
use for anything are shown. With names, only those pictures are made again.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from voxify3d import LoadConfig, VoxelizeConfig, load_mesh, voxelize
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.types import Direction, vector_of
from voxify3d.voxels.surface import mesh_from_voxels

HERE = Path(__file__).parent
MESHES = HERE.parents[2] / "shared" / "meshes"
OUT = HERE / "gallery"
PAGE = HERE.parent / "gallery.md"
PANEL, FOOT = 300, 30
INK = (110, 113, 124)
FREE = ("CC0-1.0", "Public domain")


@dataclass(frozen=True)
class Piece:
    """A mesh that is shown: from how far right and above, and how it is read."""

    file: str
    title: str
    front: Direction = "+z"
    sizes: tuple[int, int] = (24, 48)
    right: float = 0.55
    above: float = 0.3
    load: LoadConfig = LoadConfig()  # noqa: RUF009


PIECES = (
    Piece(
        "knight.glb",
        "Knight",
        sizes=(32, 56),
        load=LoadConfig(animation="Idle", time=0.3),
    ),
    Piece("witch.glb", "Witch", sizes=(32, 64)),
    Piece("skater-male.gltf", "Skater", sizes=(32, 56)),
    Piece("robot-expressive.glb", "Robot", load=LoadConfig(animation="Wave", time=0.9)),
    Piece("fox/fox.gltf", "Fox", sizes=(32, 64), right=1.1),
    Piece("spot-cow/spot-cow.obj", "Spot the cow", "-z", right=0.75),
    Piece("llama.fbx", "Llama", right=1.0),
    Piece("trex.glb", "Tyrannosaurus", sizes=(32, 64), right=1.1),
    Piece("toy-robot/toy-robot.glb", "Toy robot"),
    Piece("crab.ply", "Crab"),
    Piece("helicopter.gltf", "Helicopter", sizes=(32, 64), right=1.0, above=0.45),
    Piece("birthday-cake.gltf", "Birthday cake", above=0.7),
)


def main(names: list[str]) -> None:
    """Make the pictures and the page."""
    if not MESHES.is_dir():
        print(f"skipped: no folder {MESHES.name} beside the checkout")
        return
    listed = json.loads((MESHES / "meshes.json").read_text())["meshes"]
    facts = {entry["file"]: entry for entry in listed}
    OUT.mkdir(exist_ok=True)
    for piece in PIECES:
        assert facts[piece.file]["licence"].startswith(FREE), piece.file
        if not names or picture_of(piece).stem in names:
            make(piece)
            print(picture_of(piece).name, flush=True)
    PAGE.write_text(page(facts), encoding="utf-8")
    print(PAGE.name)


def picture_of(piece: Piece) -> Path:
    """Return where a piece's picture lies."""
    return OUT / f"{Path(piece.file).stem}.png"


def make(piece: Piece) -> None:
    """Make one picture: the mesh, then voxel art, small and large."""
    mesh = load_mesh(MESHES / piece.file, piece.load)
    forward, up = vector_of(piece.front), np.array([0.0, 1.0, 0.0])
    eye = forward + piece.right * np.cross(up, forward) + piece.above * up
    sheet = Image.new("RGB", (3 * PANEL, PANEL + FOOT), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    grids = [
        voxelize(mesh, VoxelizeConfig(size=size, front=piece.front))
        for size in piece.sizes
    ]
    panels = [("the mesh", mesh, grids[-1])]
    panels += [
        (f"--size {size}", mesh_from_voxels(grid), grid)
        for size, grid in zip(piece.sizes, grids, strict=True)
    ]
    for number, (label, shown, grid) in enumerate(panels):
        picture = render_picture(
            shown, grid.frame, eye, up, size=PANEL, fit=mesh, lines=number > 0
        )
        sheet.paste(Image.fromarray(picture), (number * PANEL, 0))
        place = (number * PANEL + PANEL / 2, PANEL + FOOT * 0.4)
        draw.text(place, label, INK, font, "mm")
    sheet.quantize(96, dither=Image.Dither.NONE).save(picture_of(piece), optimize=True)


def page(facts: dict[str, dict]) -> str:
    """Return the gallery's page."""
    lines = [
        "# Gallery",
        "",
        "Input beside result: 8 colors, preset `default`, nothing touched up by hand.",
        "The meshes are by others, who gave them away; none of them was made for",
        "voxels. `python docs/figures/gallery.py` makes the pictures and this page.",
        "",
        "## Beside what people use today",
        "",
        "![Four meshes, and voxel art of them by trimesh, by Blender's remesh, by the",
        "median of finer voxels, and by voxify3d](figures/peers.png)",
        "",
        "`--size 32 --colors 8`. trimesh makes every part a voxel too thick; Blender",
        "and the median lose eyes, buttons and stripes, or halves of them. Numbers, of",
        "all shared meshes: [peers.md](../benchmarks/results/peers.md). Of your own:",
        "`voxify3d compare MESH --methods ours,plain,blender,median --report DIR`.",
    ]
    for piece in PIECES:
        entry = facts[piece.file]
        small, large = piece.sizes
        front = "" if piece.front == "+z" else f", `--front {piece.front}`"
        if piece.load.animation:
            front += f", `--animation {piece.load.animation} --time {piece.load.time}`"
        source = f"https://github.com/{entry['origin_repo']}"
        lines += [
            "",
            f"## {piece.title}",
            "",
            f"![{piece.title}: the mesh, and voxel art of {small} and {large} voxels]"
            f"(figures/gallery/{picture_of(piece).name})",
            "",
            f"`--size {small}` and `--size {large}`{front}.",
            f"Mesh: {entry['author']}, {entry['licence']},",
            f"`{Path(entry['origin_path']).name}` of",
            f"[{entry['origin_repo']}]({source}).",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
