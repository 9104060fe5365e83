"""What every benchmark shares: where numbers come from, the mesh set, tables, files."""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from voxify3d import __version__

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MESHES = ROOT.parent / "shared" / "meshes"
"""The set that LOG.md was measured on; VOXIFY3D_MESHES names another folder."""


@dataclass(frozen=True, slots=True)
class Source:
    """A mesh of the set.

    Attributes:
        name: In tables; the file's stem.
        path: The file.
        front: Direction the object's face points to.
    """

    name: str
    path: Path
    front: str


def mesh_set(paths: Sequence[Path], front: str | None = None) -> list[Source]:
    """Return the meshes of some paths; those of the default set for none.

    Args:
        paths: Mesh files, or folders with a meshes.json.
        front: Of files that stand in no meshes.json; +z unless given.
    """
    if not paths:
        paths = [Path(os.environ.get("VOXIFY3D_MESHES", MESHES))]
    found = []
    for path in paths:
        if path.is_dir():
            found += _listed(path)
        else:
            near = {source.path: source for source in _near(path)}
            known = near.get(path.resolve())
            chosen = front or (known.front if known else "+z")
            found.append(Source(path.stem, path, chosen))
    return found


def metadata() -> dict[str, Any]:
    """Return what a number depends on: command, commit, versions, machine."""
    return {
        "command": command(),
        "voxify3d": __version__,
        "commit": _git("rev-parse", "--short=10", "HEAD") or "unknown",
        # Only what decides the numbers: a draft of a page does not.
        "changed": (_git("status", "--porcelain", "--", "src") or "").splitlines(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            name: version(name) for name in ("numpy", "torch", "trimesh", "embreex")
        },
    }


def command() -> str:
    """Return the command that runs this again, from the repository's root."""
    script = Path(sys.argv[0]).resolve()
    shown = script.relative_to(ROOT) if script.is_relative_to(ROOT) else script.name
    return shlex.join(["python", str(shown), *sys.argv[1:]])


def write_json(record: Mapping[str, Any], path: Path) -> None:
    """Write a record: one line for each entry of its lists, so that diffs are short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = []
    for key, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n    ".join(json.dumps(v, allow_nan=False) for v in value)
            text = f"[\n    {lines}\n  ]"
        else:
            text = json.dumps(value, allow_nan=False)
        parts.append(f"  {json.dumps(key)}: {text}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, padded so that it reads as text too."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first = row[0].ljust(widths[0])
        rest = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(cells[0]), "| " + " | ".join(rule) + " |"]) + "".join(
        "\n" + line(row) for row in cells[1:]
    )


def _near(path: Path) -> list[Source]:
    for folder in path.resolve().parents[:2]:
        if (folder / "meshes.json").exists():
            return _listed(folder)
    return []


def _listed(folder: Path) -> list[Source]:
    """Return the meshes that a folder's meshes.json names, with their front axis."""
    index = folder / "meshes.json"
    if not index.exists():
        raise SystemExit(
            f"{folder}: no meshes.json there; give mesh files, or set VOXIFY3D_MESHES"
        )
    listed = json.loads(index.read_text(encoding="utf-8"))["meshes"]
    return [
        Source(Path(m["file"]).stem, (folder / m["file"]).resolve(), _front(m))
        for m in listed
    ]


def _front(entry: Mapping[str, Any]) -> str:
    """Return the front axis; things without one face along the axis that is not up."""
    axis = str(entry.get("front_axis", "")).lower()
    if len(axis) == 2:
        return axis
    return "-y" if entry.get("up_axis") == "Z" else "+z"


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
