"""glTF animations: what a clip says about the nodes at one moment.

Axes in shapes: `k` keyframes, `m` numbers of one value (3, 4, or morph targets).
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.accessors import Buffers, entry

_WIDTHS = {"translation": 3, "rotation": 4, "scale": 3}


def clip_names(document: dict[str, Any]) -> list[str]:
    """Return the clips' names; those without one are called by their number."""
    clips = document.get("animations", [])
    return [str(clip.get("name", number)) for number, clip in enumerate(clips)]


def find_clip(document: dict[str, Any], wanted: str, source: str) -> int:
    """Return the number of a clip given by its name or its number.

    Raises:
        ConfigError: There is no such clip.
    """
    names = clip_names(document)
    if wanted in names:
        return names.index(wanted)
    folded = [name.casefold() for name in names]
    if folded.count(wanted.casefold()) == 1:
        return folded.index(wanted.casefold())
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    listed = f"it holds {', '.join(names)}" if names else "it holds none"
    raise ConfigError(f"{source}: no animation {wanted!r}; {listed}")


def clip_seconds(document: dict[str, Any], buffers: Buffers, number: int) -> float:
    """Return when the last keyframe of a clip is, seconds."""
    clip = entry(document, "animations", number, "")
    inputs = {sampler["input"] for sampler in clip["samplers"]}
    ends = [buffers.floats(index).max(initial=0.0) for index in inputs]
    return float(max(ends, default=0.0))


def pose_of_clip(
    document: dict[str, Any],
    buffers: Buffers,
    number: int,
    time: float,
    source: str,
) -> tuple[dict[int, dict[str, list[float]]], list[str]]:
    """Return the nodes' values at one moment of a clip.

    Args:
        document: The glTF file.
        buffers: Its numbers.
        number: Of the clip.
        time: Seconds. Before the first keyframe and after the last their values hold.
        source: File name, for messages.

    Returns:
        Node → "translation", "rotation", "scale" or "weights" → value, and what could
        not be obeyed, one line each.
    """
    clip = entry(document, "animations", number, source)
    values: dict[int, dict[str, list[float]]] = {}
    notes = []
    for channel in clip["channels"]:
        target = channel["target"]
        node, path = target.get("node"), target["path"]
        if node is None or path not in (*_WIDTHS, "weights"):
            notes.append(f"animation of {path} is not supported, ignored")
            continue
        entry(document, "nodes", node, source)
        sampler = clip["samplers"][channel["sampler"]]
        times = buffers.floats(sampler["input"])[:, 0]
        stored = buffers.floats(sampler["output"])
        mode = sampler.get("interpolation", "LINEAR")
        count = len(times) * (3 if mode == "CUBICSPLINE" else 1)
        width = _WIDTHS.get(path, stored.size // count if count else 0)
        if not len(times) or stored.size != count * width or (np.diff(times) < 0).any():
            raise MeshError(
                f"{source}: animation {number} has {stored.size:,} numbers for "
                f"{len(times):,} keyframes of {path}. Re-export it."
            )
        rows = stored.reshape(count, width)
        value = sampled(times, rows, mode, time, is_rotation=path == "rotation")
        values.setdefault(node, {})[path] = value.tolist()
    return values, notes


def sampled(
    times: Float64[np.ndarray, " k"],
    rows: Float64[np.ndarray, "n m"],
    mode: str,
    time: float,
    *,
    is_rotation: bool = False,
) -> Float64[np.ndarray, " m"]:
    """Return the value of one sampler at one moment.

    Args:
        times: Of the keyframes, growing.
        rows: Their values; in-tangent, value and out-tangent of each for CUBICSPLINE.
        mode: STEP, LINEAR or CUBICSPLINE.
        time: Seconds.
        is_rotation: The values are unit quaternions.

    Reference:
        glTF 2.0, appendix C.
    """
    is_cubic = mode == "CUBICSPLINE"
    values = rows[1::3] if is_cubic else rows
    if time <= times[0] or time >= times[-1]:
        value = values[0] if time <= times[0] else values[-1]
        return _unit(value) if is_rotation else value
    after = int(np.searchsorted(times, time, side="right"))
    before = after - 1
    span = times[after] - times[before]
    t = (time - times[before]) / span
    if mode == "STEP":
        return values[before]
    if is_cubic:
        out_tangent, in_tangent = rows[3 * before + 2], rows[3 * after]
        value = (
            (2 * t**3 - 3 * t**2 + 1) * values[before]
            + span * (t**3 - 2 * t**2 + t) * out_tangent
            + (-2 * t**3 + 3 * t**2) * values[after]
            + span * (t**3 - t**2) * in_tangent
        )
        return _unit(value) if is_rotation else value
    if is_rotation:
        return _slerp(_unit(values[before]), _unit(values[after]), t)
    return values[before] + t * (values[after] - values[before])


def _slerp(
    a: Float64[np.ndarray, " 4"], b: Float64[np.ndarray, " 4"], t: float
) -> Float64[np.ndarray, " 4"]:
    """Return the rotation at `t` of the shorter way from `a` to `b`."""
    dot = float(a @ b)
    if dot < 0:
        b, dot = -b, -dot
    angle = np.arccos(min(dot, 1.0))
    if angle < 1e-6:  # the sines below would be 0 / 0
        return _unit(a + t * (b - a))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def _unit(xyzw: Float64[np.ndarray, " 4"]) -> Float64[np.ndarray, " 4"]:
    length = float(np.linalg.norm(xyzw))
    return xyzw / length if length > 0 else np.array([0.0, 0.0, 0.0, 1.0])
