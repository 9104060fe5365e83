"""What every test shares: no network, seeds, and which tests this machine can run."""

import os
import shutil
from pathlib import Path

import pytest
import pytest_socket
from hypothesis import settings

# At toy sizes torch's threads only wait for one another, and for other workers'.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("voxify3d", deadline=None, derandomize=True)
settings.load_profile("voxify3d")

_FOREIGN = Path(__file__).parent / "foreign"


def _no_goxel() -> str:
    found = shutil.which("goxel") and shutil.which("xvfb-run")
    return "" if found else "needs goxel and xvfb: apt-get install goxel xvfb"


def _no_node() -> str:
    found = shutil.which("node") and (_FOREIGN / "node_modules").is_dir()
    return "" if found else "needs node: npm ci in tests/foreign"


def _no_browser() -> str:
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        return "needs a browser: apt-get install chromium"
    found = (_FOREIGN / "node_modules/three").is_dir()
    return "" if found else "needs three.js: npm ci in tests/foreign"


def _no_gpu() -> str:
    import torch

    return "" if torch.cuda.is_available() else "needs a CUDA device"


def _no_clip() -> str:
    return "needs CLIP weights"


_MISSING = {
    "goxel": _no_goxel,
    "node": _no_node,
    "browser": _no_browser,
    "gpu": _no_gpu,
    "clip": _no_clip,
}
"""Marker → why its tests cannot run here, or nothing."""


def pytest_collection_modifyitems(items):
    reasons = {}
    for item in items:
        for marker in _MISSING.keys() & {mark.name for mark in item.iter_markers()}:
            if marker not in reasons:
                reasons[marker] = _MISSING[marker]()
            if reasons[marker]:
                item.add_marker(pytest.mark.skip(reason=reasons[marker]))


def pytest_runtest_setup():
    pytest_socket.disable_socket(allow_unix_socket=True)
