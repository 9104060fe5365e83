"""The names people import: all there, documented, typed, and light."""

import inspect
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

import voxify3d

ROOT = Path(__file__).parent.parent
PUBLIC = sorted(voxify3d.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(voxify3d, name)
    if isinstance(value, type | types.FunctionType):
        doc = inspect.getdoc(value) or ""
        assert len(doc.split()) >= 3
        assert not doc.startswith(f"{name}(")  # what dataclass writes by itself


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_is_typed(name):
    value = getattr(voxify3d, name)
    if isinstance(value, types.FunctionType):
        signature = inspect.signature(value)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty


def test_type_checkers_see_the_names_that_exist():
    source = (ROOT / "src/voxify3d/__init__.py").read_text()
    block = source.partition("if TYPE_CHECKING:")[2].partition("__all__")[0]
    imported = re.findall(r"\b(\w+)\b", re.sub(r"from [\w.]+ import", "", block))
    assert sorted(imported) == PUBLIC


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'voxelise'"):
        voxify3d.voxelise  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_completion_lists_the_public_names():
    assert set(PUBLIC) <= set(dir(voxify3d))


def test_import_is_light():
    code = (
        "import sys, voxify3d, voxify3d.errors; "
        "heavy = {'torch', 'numpy', 'scipy', 'trimesh', 'rich', 'tyro'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = (ROOT / "CITATION.cff").read_text()
    assert project["version"] == voxify3d.__version__
    assert f"\nversion: {voxify3d.__version__}\n" in citation


def test_the_package_says_that_it_is_typed():
    assert (Path(voxify3d.__file__).parent / "py.typed").is_file()
