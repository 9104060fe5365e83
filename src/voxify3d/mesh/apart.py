"""Parsers in C++ that trust their input, each in a process of its own.

A damaged file may crash, fill or hang that process, never the caller. What it finds
comes back as plain arrays and a description in JSON types.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from voxify3d.errors import MeshError

MAX_SECONDS = 120
"""Of a parser."""

_BASE_BYTES, _BYTES_A_BYTE, _MAX_BYTES = 2 << 30, 64, 8 << 30
"""Memory of a parser: what it needs for any file, for each byte of it, and at most."""


def parsed_apart(
    module: str, path: Path, program: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what `python -m module PATH OUT` made of a file by `give_back`.

    Args:
        module: It must call `limit_memory` first.
        path: The file.
        program: Name of the parser, for messages.

    Raises:
        MeshError: The parser failed, crashed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="voxify3d-") as folder:
        out = Path(folder) / "scene.npz"
        # -P and an empty folder to work in: nothing next to the input is ever run.
        words = [sys.executable, "-P", "-m", module, str(path.absolute()), str(out)]
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env=_environment(),
                capture_output=True,
                timeout=MAX_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise MeshError(
                f"{path.name}: {program} takes more than {MAX_SECONDS} s. Export it "
                "as .glb."
            ) from error
        if done.returncode != 0 or not out.exists():
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            detail = lines[-1][:160] if lines else f"it ended with {done.returncode}"
            raise MeshError(
                f"{path.name}: cannot be read by {program} ({detail}). Check the "
                "suffix, or export it as .glb."
            )
        with np.load(out, allow_pickle=False) as stored:
            arrays = dict(stored)
    return arrays, json.loads(bytes(arrays.pop("scene")))


def give_back(out: str, arrays: dict[str, np.ndarray], scene: dict[str, Any]) -> None:
    """Hand arrays and a description over to `parsed_apart`."""
    text = np.frombuffer(json.dumps(scene).encode(), np.uint8)
    np.savez(out, allow_pickle=False, scene=text, **arrays)


def limit_memory(path: str) -> None:
    """Let this process have what a file of that size may need, and no more."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    size = Path(path).stat().st_size
    limit = min(_BASE_BYTES + _BYTES_A_BYTE * size, _MAX_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _environment() -> dict[str, str]:
    """Return ours, with few threads and no plugins of other installations."""
    threads = {"OPENBLAS_NUM_THREADS": "1", "PXR_WORK_THREAD_LIMIT": "1"}
    kept = {key: value for key, value in os.environ.items() if key[:4] != "PXR_"}
    return kept | threads
