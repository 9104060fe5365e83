"""The layers of a USD stage: where they may lead, and where they lie."""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

import os
import re
import zipfile
from pathlib import Path

from pxr import Ar, Sdf, Usd

NOW = Usd.TimeCode.EarliestTime()
"""All values are read at the earliest time that the file knows."""

_MAX_LAYERS = 10_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class RefusedError(Exception):
    """What the user is told, without the file's name."""


def check_layers(root: Sdf.Layer, folder: Path) -> None:
    """Follow every layer that a stage would open, before it does.

    Args:
        root: The file's own layer.
        folder: Where the file lies; no layer may lie outside of it.

    Raises:
        RefusedError: One lies outside of the folder, is missing, or cannot be checked.
    """
    waiting, seen = [root], {root.identifier}
    while waiting:
        layer = waiting.pop()
        _check_clips(layer)
        for reference in layer.GetCompositionAssetDependencies():
            if not reference:  # it is of this layer
                continue
            inside = _checked(reference, layer, folder)
            if inside is None:
                continue
            below = Sdf.Layer.FindOrOpen(inside)
            if below is None:
                raise RefusedError(
                    f"layer {reference[:80]} is missing or no USD file. Put it next to "
                    "the file."
                )
            if below.identifier not in seen:
                seen.add(below.identifier)
                waiting.append(below)
        if len(seen) > _MAX_LAYERS:
            raise RefusedError(f"has more than {_MAX_LAYERS:,} layers. Flatten it.")


def place_of(layer: Sdf.Layer) -> tuple[Path, str]:
    """Return a layer's file, and its place in it if that is a package.

    Args:
        layer: One that lies in a file.

    Returns:
        The file; the path inside of a package, else an empty one.
    """
    outer, inner = Ar.SplitPackageRelativePathOuter(layer.identifier)
    if not inner and outer.lower().endswith(".usdz"):
        with zipfile.ZipFile(outer) as package:
            inner = package.namelist()[0]  # a package's root layer goes first
    return Path(outer), inner


def has_scheme(reference: str) -> bool:
    """Return whether a reference starts as a URI does, or with a drive's letter."""
    return _SCHEME.match(reference) is not None


def _checked(reference: str, layer: Sdf.Layer, folder: Path) -> str | None:
    """Return where a layer lies; None for what is no USD."""
    text = reference.replace("\\", "/")
    outside = text.startswith(("/", "`")) or has_scheme(text)
    home, within = place_of(layer)
    # A path that is not found beside its layer is looked for beside the root layer.
    here = _inside(os.path.normpath(os.path.join(os.path.dirname(within), text)))
    if not within:
        parts = (home.parent / text, folder / text)
        here = all(_is_below(part, folder) for part in parts)
        # A pipe or a device would be waited for.
        here &= all(part.is_file() or not part.exists() for part in parts)
    if outside or not here or "\0" in text:
        raise RefusedError(
            f"layer {reference[:80]} lies outside the file's folder, which is refused. "
            "Put it next to the file, or flatten it."
        )
    if Path(text.split(":SDF_FORMAT_ARGS:")[0]).suffix.lower() == ".mtlx":
        return None  # materials of another kind, which come as a note
    return Sdf.ComputeAssetPathRelativeToLayer(layer, reference)


def _inside(path: str) -> bool:
    return not path.startswith(("..", "/"))


def _is_below(path: Path, folder: Path) -> bool:
    """Return whether a path stays in a folder, with and without symbolic links."""
    written = Path(os.path.normpath(path))
    return written.is_relative_to(folder) and path.resolve().is_relative_to(
        folder.resolve()
    )


def _check_clips(layer: Sdf.Layer) -> None:
    """Refuse value clips: files that are opened when a value is asked for."""
    found = []

    def look(path: Sdf.Path) -> None:
        if path.IsPrimPath() and layer.GetPrimAtPath(path).HasInfo("clips"):
            found.append(path)

    layer.Traverse(Sdf.Path.absoluteRootPath, look)
    if found:
        raise RefusedError(
            f"{found[0]} has value clips. Flatten it, or bake the clips."
        )
