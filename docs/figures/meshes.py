"""Input beside result for meshes of ../shared/meshes.

python docs/figures/meshes.py

Makes knight.png, fox.png, spot-cow.png and toy-robot.png, size 40, 8 colors, default
preset. Meshes: KayKit knight (CC0), fox by PixelMannen (CC0; rig CC BY 4.0 by
tomkranis), spot by Keenan Crane (public domain), toy robot by Kenney (CC0).
"""

from pathlib import Path

from PIL import Image

from voxify3d import VoxelizeConfig, load_mesh, voxelize
from voxify3d.export.image import preview
from voxify3d.types import Direction

HERE = Path(__file__).parent
MESHES = HERE.parents[2] / "shared" / "meshes"
SHOWN: dict[str, Direction] = {
    "knight.glb": "+z",
    "fox/fox.gltf": "+z",
    "spot-cow/spot-cow.obj": "-z",
    "toy-robot/toy-robot.glb": "+z",
}


def main() -> None:
    """Make the pictures."""
    if not MESHES.is_dir():
        print(f"skipped: no folder {MESHES.name} beside the checkout")
        return
    for name, front in SHOWN.items():
        mesh = load_mesh(MESHES / name)
        grid = voxelize(mesh, VoxelizeConfig(front=front))
        picture = Image.fromarray(preview(grid, mesh))
        out = HERE / f"{Path(name).stem}.png"
        picture.quantize(128).save(out, optimize=True)
        print(out.name)


if __name__ == "__main__":
    main()
