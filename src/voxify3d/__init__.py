"""voxify3d: turn a 3-D mesh into voxel art.

    from voxify3d import VoxelizeConfig, load_mesh, voxelize
    from voxify3d.export import export

    grid = voxelize(load_mesh("robot.glb"), VoxelizeConfig(size=32))
    export(grid, "robot.vox")

The names below are the public API. They are imported when first used, so that
`import voxify3d` and the command line's `--help` do not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from voxify3d.version import __version__ as __version__

if TYPE_CHECKING:
    from voxify3d.config import DEFAULT, PRESETS, VoxelizeConfig, from_dict, to_dict
    from voxify3d.errors import (
        ConfigError,
        ExportError,
        MeshError,
        MissingExtraError,
        VoxifyError,
    )
    from voxify3d.fit.settings import CoarseConfig, FineConfig
    from voxify3d.mesh.load import load_mesh
    from voxify3d.mesh.settings import LoadConfig
    from voxify3d.pipeline import Progress, voxelize, voxelize_steps
    from voxify3d.pixelart.settings import PixelArtConfig
    from voxify3d.types import Frame, Material, Mesh, Palette, VoxelGrid
    from voxify3d.voxels.settings import FillConfig

__all__ = [
    "DEFAULT",
    "PRESETS",
    "CoarseConfig",
    "ConfigError",
    "ExportError",
    "FillConfig",
    "FineConfig",
    "Frame",
    "LoadConfig",
    "Material",
    "Mesh",
    "MeshError",
    "MissingExtraError",
    "Palette",
    "PixelArtConfig",
    "Progress",
    "VoxelGrid",
    "VoxelizeConfig",
    "VoxifyError",
    "from_dict",
    "load_mesh",
    "to_dict",
    "voxelize",
    "voxelize_steps",
]

_HOMES = {
    "voxify3d.config": (
        "DEFAULT",
        "PRESETS",
        "VoxelizeConfig",
        "from_dict",
        "to_dict",
    ),
    "voxify3d.errors": (
        "ConfigError",
        "ExportError",
        "MeshError",
        "MissingExtraError",
        "VoxifyError",
    ),
    "voxify3d.fit.settings": ("CoarseConfig", "FineConfig"),
    "voxify3d.mesh.load": ("load_mesh",),
    "voxify3d.mesh.settings": ("LoadConfig",),
    "voxify3d.pipeline": ("Progress", "voxelize", "voxelize_steps"),
    "voxify3d.pixelart.settings": ("PixelArtConfig",),
    "voxify3d.types": ("Frame", "Material", "Mesh", "Palette", "VoxelGrid"),
    "voxify3d.voxels.settings": ("FillConfig",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return sorted([*__all__, "__version__"])
