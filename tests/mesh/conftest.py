"""Real meshes, which lie beside the repository on some machines only."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[3] / "shared" / "meshes"


@pytest.fixture
def shared_mesh():
    """Return `shared_mesh(name)`, the path of a real mesh; skips without."""

    def find(name: str) -> Path:
        path = _SHARED / name
        if not path.exists():
            pytest.skip(f"needs the real meshes: {path} does not exist")
        return path

    return find
