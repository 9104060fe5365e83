"""`voxify3d models`: list, fetch and find pretrained weights."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from voxify3d.cli.parse import parse
from voxify3d.encoders.weights import (
    DEFAULT_CLIP,
    MODELS,
    has_weights,
    locate,
    pulled_folder,
)
from voxify3d.errors import ConfigError, MissingExtraError, WeightsError

if TYPE_CHECKING:
    from voxify3d.encoders.fetch import Item

_DESCRIPTION = """\
Show, fetch and find the pretrained networks of the semantic loss and the judge.
Nothing is ever fetched but by `pull`.

Examples:
  voxify3d models list
  voxify3d models pull clip
  voxify3d models path clip
"""


@dataclass(frozen=True, kw_only=True)
class Models:
    """Options of `voxify3d models`."""

    action: Annotated[
        Literal["list", "pull", "path"],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="{list,pull,path}"),
    ] = "list"
    """list what there is, pull (fetch) one, or print the path of one."""
    name: Annotated[
        str,
        tyro.conf.Positional,
        tyro.conf.arg(metavar="[NAME]", help_behavior_hint=""),
    ] = ""
    """Which; as `list` shows it."""
    hub: str = DEFAULT_CLIP
    """The hub's name of the CLIP model to pull; use it as --semantic clip:NAME."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """List as one JSON object."""


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = parse(Models, argv, command="models", description=_DESCRIPTION)
    if command.action == "list":
        if command.name:
            raise ConfigError(f"models list takes no name, got {command.name!r}")
        _list(command.json)
        return 0
    if command.name not in MODELS:
        known = ", ".join(MODELS)
        raise ConfigError(
            f"models {command.action} needs one of {known}, got {command.name!r}"
        )
    if command.action == "path":
        print(locate(command.name))
        return 0
    print(_pull(command.name, command.hub))
    return 0


def _list(as_json: bool) -> None:
    found: dict[str, Path | None] = {}
    for name in MODELS:
        try:
            found[name] = locate(name)
        except (MissingExtraError, WeightsError):
            found[name] = None
    if as_json:
        rows = {
            name: asdict(model) | {"path": str(path) if (path := found[name]) else None}
            for name, model in MODELS.items()
        }
        print(json.dumps(rows, indent=2))
        return
    for name, model in MODELS.items():
        state = "here" if found[name] else model.get
        print(f"{name:<20}{model.megabytes:>4} MB  {state}")
        print(f"{'':<20}{model.purpose} ({model.source}, {model.license})")


def _pull(name: str, hub: str) -> Path:
    if name != "clip":
        return locate(name)  # a package; the error names the pip command
    from voxify3d.encoders.fetch import pull

    if has_weights(pulled_folder(hub)):
        print(f"{hub} is here already", file=sys.stderr)
    return pull(hub, announce=lambda items, folder: _announce(hub, items, folder))


def _announce(hub: str, items: "tuple[Item, ...]", folder: Path) -> None:
    size = sum(item.size for item in items) / 1e6
    print(
        f"fetching {hub}: {size:.0f} MB in {len(items)} files to {folder} "
        "(Ctrl-C stops; pull again to go on)",
        file=sys.stderr,
    )
