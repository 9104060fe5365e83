"""The manifest: what made a result, so that it can be made again.

A manifest is a dict of JSON types:

    {"generator": "voxify3d", "version": "0.1.0",
     "input": {"name": "robot.glb", "sha256": "…"},
     "load": {"pose": "nodes", "up": null, …},
     "settings": {"size": 40, "colors": 8, "seed": 0, …}}

It holds no times and no paths: the same run gives the same manifest, so the same
bytes. Every exporter writes it into the file.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from voxify3d.config import VoxelizeConfig, from_dict, to_dict
from voxify3d.errors import ConfigError, VoxifyError
from voxify3d.mesh.settings import DEFAULT_LOAD, LoadConfig
from voxify3d.version import __version__


def make_manifest(
    config: VoxelizeConfig, mesh_file: Path, load: LoadConfig = DEFAULT_LOAD
) -> dict[str, Any]:
    """Return the manifest of a run.

    Args:
        config: Every setting, the seed among them.
        mesh_file: The input. Only its own bytes are hashed, not the files it names.
        load: How the input was read.
    """
    return {
        "generator": "voxify3d",
        "version": __version__,
        "input": {
            "name": mesh_file.name,
            "sha256": sha256_of(mesh_file),
        },
        "load": to_dict(load) | {"rotate": list(load.rotate)},  # JSON has no tuples
        "settings": to_dict(config),
    }


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest in a `.json` file or in a file that voxify3d wrote.

    Raises:
        ConfigError: There is no such file, or no manifest in it.
    """
    if not path.is_file():
        raise ConfigError(f"--from {path}: no such file")
    try:
        found = _READERS.get(path.suffix.lower(), _from_voxels)(path)
    except (ValueError, OSError, VoxifyError) as error:
        raise ConfigError(f"--from {path}: cannot be read ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("settings"), dict):
        raise ConfigError(
            f"--from {path}: holds no voxify3d manifest; give a file that "
            "`voxify3d convert` wrote, or its manifest as .json"
        )
    return found


def config_of(manifest: dict[str, Any]) -> VoxelizeConfig:
    """Return the settings of a manifest.

    Raises:
        ConfigError: A setting that this version does not know, or out of range.
    """
    try:
        return from_dict(manifest["settings"])
    except ConfigError as error:
        made_by = manifest.get("version", "unknown")
        raise ConfigError(
            f"manifest of version {made_by}, this is {__version__}: {error}"
        ) from error


def load_config_of(manifest: dict[str, Any]) -> LoadConfig:
    """Return how the input of a manifest was read; by default where it does not say.

    Raises:
        ConfigError: A setting that this version does not know, or out of range.
    """
    values = manifest.get("load", {})
    if not isinstance(values, dict):
        raise ConfigError(f"manifest: load must be an object, got {values!r}")
    if isinstance(values.get("rotate"), list):
        values = values | {"rotate": tuple(values["rotate"])}
    return from_dict(values, LoadConfig)


def _from_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def _from_png(path: Path) -> object:
    from PIL import Image

    with Image.open(path) as image:
        texts = [text for text in image.info.values() if isinstance(text, str)]
    for text in texts:
        with contextlib.suppress(ValueError):
            record = json.loads(text)
            if isinstance(record, dict):
                return record.get("manifest", record)
    return None


def _from_voxels(path: Path) -> object:
    from voxify3d.export import read_voxels

    return read_voxels(path).manifest


_READERS = {".json": _from_json, ".png": _from_png}
