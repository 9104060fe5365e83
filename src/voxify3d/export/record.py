"""What a file tells about itself: the frame and the manifest, as JSON inside it."""

import json
from typing import TypedDict

from voxify3d.errors import MeshError
from voxify3d.types import DIRECTIONS, Frame, VoxelGrid


def record_of(grid: VoxelGrid) -> dict:
    """Return what a reader needs to bring a grid back to the world."""
    frame = grid.frame
    return {
        "name": grid.name,
        "frame": {
            "origin": [float(value) for value in frame.origin],
            "cell": float(frame.cell),
            "shape": [int(value) for value in frame.shape],
            "front": frame.front,
            "up": frame.up,
        },
        "colors": len(grid.palette),
        "manifest": grid.manifest,
    }


class About(TypedDict):
    """The fields of a `VoxelGrid` beside its voxels, palette and frame."""

    name: str
    manifest: dict


def about_of(record: dict, name: str) -> About:
    """Return the name and the manifest that a record holds, else `name` and {}."""
    manifest = record.get("manifest")
    return {
        "name": str(record.get("name", name)),
        "manifest": manifest if isinstance(manifest, dict) else {},
    }


def json_bytes(value: dict) -> bytes:
    """Return JSON with the same bytes for the same value.

    Raises:
        ValueError: A number is NaN or infinite; JSON has no such numbers.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def frame_of(record: object, subject: str) -> Frame:
    """Return the frame that a record holds.

    Args:
        record: What `record_of` wrote, after a journey through a file.
        subject: The file, for the message.

    Raises:
        MeshError: The record is not one of ours, or its values make no sense.
    """
    try:
        frame = record["frame"]  # type: ignore[index]
        origin = tuple(float(value) for value in frame["origin"])
        shape = tuple(int(value) for value in frame["shape"])
        cell = float(frame["cell"])
        front, up = frame["front"], frame["up"]
        sound = (
            len(origin) == len(shape) == 3
            and all(abs(value) < float("inf") for value in origin)
            and 0 < cell < float("inf")
            and min(shape) >= 1
            and front in DIRECTIONS
            and up in DIRECTIONS
            and front[1] != up[1]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MeshError(f"{subject}: its frame cannot be read ({error!r})") from error
    if not sound:
        raise MeshError(f"{subject}: its frame makes no sense: {frame!r:.120}")
    return Frame(origin, cell, shape, front, up)  # type: ignore[arg-type]
