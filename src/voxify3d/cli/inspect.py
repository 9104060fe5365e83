"""`voxify3d inspect MESH`: what is in a mesh file, and how it looks from six sides."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from voxify3d.choices import Direction
from voxify3d.cli.parse import parse
from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.settings import LoadConfig

if TYPE_CHECKING:
    from PIL.Image import Image

    from voxify3d.mesh.facts import Facts
    from voxify3d.suggest import Suggestion
    from voxify3d.types import Mesh

_DESCRIPTION = """\
Tell what is in a mesh file: colors, textures, clips, box, holes.

Examples:
  voxify3d inspect robot.glb
  voxify3d inspect robot.glb --picture robot.png
  voxify3d inspect robot.glb --animation Wave --time 0.9 --picture wave.png
  voxify3d inspect robot.glb --suggest-size --picture robot.png
  voxify3d inspect robot.glb --json > robot.json
"""

_VIEW_PIXELS, _MARGIN, _LABEL = 160, 8, 14
_PAPER = (236, 236, 236)
_LISTED = 12
"""Entries of a long list that are shown to people."""


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Options of `voxify3d inspect`."""

    mesh: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MESH")]
    """Mesh file to look into."""
    picture: Path | None = None
    """Also write a picture (.png) of the mesh from six sides, unlit; with
    --suggest-size, drafts of a smaller, the suggested and a larger size below."""
    suggest_size: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Tell the smallest --size at which eyes, buttons and thin limbs survive."""
    front: Direction = "+z"
    """Direction the object's face points to, in the mesh file's axes."""
    load: Annotated[LoadConfig, tyro.conf.arg(name=""), tyro.conf.FlagCreatePairsOff]
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object instead of a table."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Overwrite the picture if it exists."""


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = parse(Inspect, argv, command="inspect", description=_DESCRIPTION)
    picture = command.picture
    if picture is not None:
        from voxify3d.export import check_writable

        if picture.suffix.lower() != ".png":
            raise ConfigError(f"{picture}: the picture is a .png; name it so")
        check_writable(picture, command.force)

    from voxify3d.mesh.facts import facts_of
    from voxify3d.mesh.load import front_of

    facts = facts_of(command.mesh, command.load)
    front = front_of(command.mesh, command.load, command.front)
    suggestion = None
    if command.suggest_size:
        from voxify3d.suggest import suggest_size

        suggestion = suggest_size(facts.mesh, front)
    if picture is not None:
        sheet = six_view_picture(facts.mesh, front)
        if suggestion is not None:
            sheet = _below(sheet, size_picture(facts.mesh, front, suggestion))
        sheet.save(picture)
    if command.json:
        report = {"file": str(command.mesh)} | facts.as_dict()
        report["nodes"] = [name for name in facts.mesh.nodes if name]
        report["picture"] = None if picture is None else str(picture)
        if suggestion is not None:
            report["suggestion"] = suggestion.as_dict()
        print(json.dumps(report, indent=2))
    else:
        _show(facts, command.mesh, suggestion)
        if picture is not None:
            print(picture)
    if facts.missing and not command.load.allow_missing_textures:
        count = len(facts.missing)
        raise MeshError(
            f"{command.mesh.name}: {count} missing texture{'s' if count > 1 else ''}: "
            f"{', '.join(facts.missing)}. Put the files there, or go on with plain "
            "colors by --allow-missing-textures."
        )
    return 0


def six_view_picture(mesh: "Mesh", front: Direction = "+z") -> "Image":
    """Return the six views on one sheet, three in a row, each with its name."""
    import numpy as np
    from PIL import Image, ImageDraw

    from voxify3d.render.mesh import frame_of, render_mesh

    frame = frame_of(mesh, _VIEW_PIXELS, front)
    width, height = _VIEW_PIXELS + 2 * _MARGIN, _VIEW_PIXELS + 2 * _MARGIN + _LABEL
    sheet = Image.new("RGB", (3 * width, 2 * height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, render in enumerate(render_mesh(mesh, frame, samples=3)):
        paper = np.array(_PAPER) / 255.0
        rgb = np.where(render.hit[..., None], render.rgb, paper).mean(axis=2)
        pixels = render.view.image_from_cells(np.round(255 * rgb).astype(np.uint8))
        left, top = number % 3 * width + _MARGIN, number // 3 * height + _MARGIN
        draw.text((left, top - 4), render.view.name, fill=(90, 90, 90))
        left += (_VIEW_PIXELS - pixels.shape[1]) // 2
        top += _LABEL + (_VIEW_PIXELS - pixels.shape[0]) // 2
        sheet.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left, top))
    return sheet


def size_picture(mesh: "Mesh", front: Direction, suggestion: "Suggestion") -> "Image":
    """Return drafts of a smaller, the suggested and a larger size, from the front."""
    from dataclasses import replace

    from PIL import Image, ImageDraw

    from voxify3d.config import PRESETS
    from voxify3d.pipeline import voxelize
    from voxify3d.render.picture import render_picture
    from voxify3d.types import vector_of
    from voxify3d.voxels.surface import mesh_from_voxels

    width = _VIEW_PIXELS + 2 * _MARGIN
    sizes = suggestion.neighbors
    sheet = Image.new("RGB", (3 * width, width + _LABEL), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, size in enumerate(sizes):
        config = replace(PRESETS["draft"], size=size, front=front)
        grid = voxelize(mesh, config)
        pixels = render_picture(
            mesh_from_voxels(grid),
            grid.frame,
            vector_of(front),
            vector_of(grid.frame.up),
            size=_VIEW_PIXELS,
            shaded=False,
            fit=mesh,
        )
        pixels[(pixels == pixels[0, 0]).all(axis=-1)] = _PAPER
        left = number * width + _MARGIN
        label = f"--size {size}" + (" suggested" if size == suggestion.size else "")
        draw.text((left, _MARGIN - 4), label, fill=(90, 90, 90))
        sheet.paste(Image.fromarray(pixels), (left, _MARGIN + _LABEL))
    return sheet


def _below(upper: "Image", lower: "Image") -> "Image":
    from PIL import Image

    size = (max(upper.width, lower.width), upper.height + lower.height)
    sheet = Image.new("RGB", size, _PAPER)
    sheet.paste(upper, (0, 0))
    sheet.paste(lower, (0, upper.height))
    return sheet


def rows_of(
    facts: "Facts", suggestion: "Suggestion | None" = None
) -> list[tuple[str, str]]:
    """Return what is shown to people, as pairs of a word and a text."""
    mesh = facts.mesh
    low, high = mesh.bounds
    rows = [
        ("format", facts.format.removeprefix(".")),
        ("triangles", f"{len(mesh.faces):,} in {int(mesh.part.max()) + 1:,} parts"),
        ("box", " x ".join(f"{side:.4g}" for side in high - low) + " (x y z)"),
        ("from", ", ".join(f"{value:.4g}" for value in low)),
        ("to", ", ".join(f"{value:.4g}" for value in high)),
        ("nodes", _few([name for name in mesh.nodes if name])),
        ("materials", _materials(facts)),
        ("textures", _few(list(facts.textures)) or "none"),
        ("missing", _few(list(facts.missing)) or "none"),
        ("colors from", ", ".join(facts.colors) or "nothing: it is white"),
        ("alpha", _few([f"{n} ({m})" for n, m in facts.alpha.items()]) or "opaque"),
        ("skins", str(facts.skins)),
        ("clips", _few([f"{n} {s:g} s" for n, s in facts.animations.items()])),
        ("variants", _few(list(facts.variants))),
        ("extensions", _few(list(facts.extensions))),
        (
            "up",
            f"{facts.up} of the file" + ("" if facts.up == "+y" else ", turned to +y"),
        ),
        ("front", "+z, unless --front says otherwise"),
        ("watertight", _watertight(facts)),
    ]
    if suggestion is not None:
        from voxify3d.suggest import named

        rows.append(("size", f"{suggestion.size} suggested"))
        rows += [("why", reason) for reason in suggestion.reasons]
        rows.append(("features", _few(named(suggestion.features))))
    rows = [(word, text) for word, text in rows if text]
    return rows + [("warning", warning) for warning in facts.warnings]


def _materials(facts: "Facts") -> str:
    from voxify3d.mesh.facts import described

    listed = []
    for material in map(described, facts.mesh.materials):
        texture = material["texture"]
        look = f"{texture[0]} x {texture[1]} texture" if texture else material["color"]
        listed.append(f"{material['name'] or '(no name)'} {look}")
    return _few(listed)


def _watertight(facts: "Facts") -> str:
    edges = facts.edges
    if edges.is_watertight:
        return "yes"
    return f"no: {edges.open:,} open edges, {edges.crowded:,} of more than two faces"


def _few(names: list[str]) -> str:
    more = len(names) - _LISTED
    listed = ", ".join(names[:_LISTED])
    return f"{listed} and {more:,} more" if more > 0 else listed


def _show(facts: "Facts", path: Path, suggestion: "Suggestion | None") -> None:
    rows = rows_of(facts, suggestion)
    if not sys.stdout.isatty():
        print(path)
        for word, text in rows:
            print(f"{word:<12}{text}")
        return

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=str(path), title_justify="left", show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for word, text in rows:
        is_bad = word == "warning" or (word == "missing" and text != "none")
        style = "yellow" if is_bad else ""
        table.add_row(word, Text(text, style=style))
    Console().print(table)
