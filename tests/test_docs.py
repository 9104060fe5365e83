"""Docs are run: commands, Python, links and settings."""

import dataclasses
import os
import re
import shlex
from pathlib import Path

import pytest

from voxify3d import PRESETS, VoxelizeConfig
from voxify3d.cli.convert import Convert, Run, Start, parse_convert
from voxify3d.cli.main import main
from voxify3d.export import EXPORTERS
from voxify3d.mesh.load import READERS
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import DIRECTIONS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def commands(text):
    """Lines after a `$` prompt in a page's code blocks, without comments."""
    lines = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    return [line.partition("#")[0].strip() for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"https?:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_the_docs_exists(page):
    for target in re.findall(r"`make (\S+?)`|^\$ make (\S+)", page.read_text()):
        name = "".join(target)
        assert re.search(rf"^{name}:.*##", MAKEFILE, re.MULTILINE), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_named_in_the_docs_exists(page):
    text = re.sub(r"\bx\.py\b", "", page.read_text())
    for name in re.findall(r"`((?:src|cli|mesh|export|tests)/[\w/]+\.py)`", text):
        found = [ROOT / name, ROOT / "src/voxify3d" / name]
        assert any(path.exists() for path in found), name


@pytest.fixture
def small(monkeypatch):
    """Every conversion of the docs, at toy size: the commands stay as they are."""
    toy = {
        name: dataclasses.replace(
            config, size=8, fine=dataclasses.replace(config.fine, steps=0)
        )
        for name, config in PRESETS.items()
    }
    monkeypatch.setattr("voxify3d.cli.convert.PRESETS", toy)
    monkeypatch.setattr("voxify3d.cli.convert.DEFAULT", toy["default"])


def test_the_readme_runs_from_top_to_bottom(tmp_path, monkeypatch, small):
    monkeypatch.chdir(tmp_path)
    lines = [c for c in commands(README) if c.startswith("voxify3d ")]
    lines = [c for c in lines if not c.endswith("--help")]
    assert len(lines) >= 3
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, line
    for name in ("robot.vox", "preview.png", "again.vox"):
        assert Path(name).stat().st_size > 0
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line]) == 4
    before = os.stat("robot.vox").st_mtime_ns
    exec(compile(snippet.replace("size=32", "size=8"), "README.md", "exec"), {})
    assert os.stat("robot.vox").st_mtime_ns > before


@pytest.mark.parametrize("command", ["convert", "inspect", "sample"])
def test_examples_in_the_help_are_understood(capsys, command):
    assert main([command, "--help"]) == 0
    help_text = capsys.readouterr().out
    for line in re.findall(r"^ *(voxify3d convert .*)$", help_text, re.MULTILINE):
        words = shlex.split(line.partition(" > ")[0])[2:]
        if "--from" not in words:
            assert parse_convert(words)[0].mesh.suffix in READERS


def _settings(kind, prefix=""):
    for field in dataclasses.fields(kind):
        name = prefix + field.name.replace("_", "-")
        if dataclasses.is_dataclass(field.type):
            yield from _settings(field.type, f"{name}.")
        else:
            yield name


def _help(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["convert", "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", list(_settings(VoxelizeConfig)))
def test_every_setting_is_explained_in_the_help(capsys, monkeypatch, name):
    text = _help(capsys, monkeypatch)
    end = r"(?=\n[ │]*(?:--|\n|╰))"  # the next option, or the end of the group
    found = re.search(rf"--{re.escape(name)}[ ,/].*?{end}", text, re.DOTALL)
    assert found, name
    words = re.sub(r"[│{}]|\(default.*?\)|\S*[A-Z]{3}\S*", " ", found[0]).split()
    assert len(words) >= 4, found[0]


@pytest.mark.parametrize("kind", [Convert, Start, LoadConfig, Run])
def test_every_option_is_explained_in_the_help(capsys, monkeypatch, kind):
    text = _help(capsys, monkeypatch)
    for field in dataclasses.fields(kind):
        name = field.name.strip("_").replace("_", "-")
        if field.name not in ("mesh", "out", "config", "start", "load", "run"):
            assert f"--{name}" in text


def test_formats_in_the_help_and_the_readme_are_those_there_are(capsys, monkeypatch):
    for text in (_help(capsys, monkeypatch), README):
        for suffix in EXPORTERS:
            assert suffix in text
    for suffix in READERS:
        assert f"`{suffix}`" in README
    assert set(re.findall(r"`(\.\w+)`", README)) <= {
        *READERS,
        *EXPORTERS,
        ".mtl",
        ".zip",
        ".json",
    }


def test_conventions_name_every_direction_and_the_papers_sizes():
    page = (ROOT / "docs/conventions.md").read_text()
    cells = re.findall(r"(\d+)x \|", page)
    sizes = re.search(r"\| `--size` \|(.*)\|", page)
    assert sizes
    products = [
        int(cell) * int(size)
        for cell, size in zip(cells, sizes[1].split("|"), strict=True)
    ]
    assert products == [1200] * 5
    assert {d[1] for d in DIRECTIONS} <= set(re.findall(r"[xyz]", page))


def test_the_layers_in_the_docs_are_those_that_are_checked():
    page = (ROOT / "docs/architecture.md").read_text()
    block = page.partition("```text\n")[2].partition("```")[0]
    drawn = [re.split(r"\s{2,}", line)[0] for line in block.strip().splitlines()]
    contract = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2]
    checked = re.findall(r'"(voxify3d\..*)"', contract.partition("]")[0])
    assert drawn == [layer.replace("voxify3d.", "") for layer in checked]
