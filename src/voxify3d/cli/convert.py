"""`voxify3d convert MESH [OUT ...]`: a mesh in, voxel art out."""

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from voxify3d.cli.parse import parse, peek
from voxify3d.cli.terminal import ctrl_c, follow, print_warning, progress_bar
from voxify3d.config import (
    ABLATIONS,
    DEFAULT,
    PRESETS,
    VoxelizeConfig,
    settled,
    without,
)
from voxify3d.errors import ConfigError
from voxify3d.manifest import (
    config_of,
    load_config_of,
    load_manifest,
    make_manifest,
)
from voxify3d.mesh.settings import LoadConfig
from voxify3d.version import __version__

if TYPE_CHECKING:
    from voxify3d.pipeline import Progress
    from voxify3d.types import Mesh, VoxelGrid

    Preset = Part = str
else:
    Preset = tyro.extras.literal_type_from_choices(tuple(PRESETS))
    Part = tyro.extras.literal_type_from_choices(tuple(ABLATIONS))

_SHORT = {
    "--coarse": "--coarse.method",
    "--fill": "--fill.kind",
    "--palette": "--pixelart.palette",
}
"""Options that may be written shorter; their help says so."""

_DEFAULT_SUFFIXES = (".vox", ".glb", ".png")

_DESCRIPTION = """\
Turn a mesh into voxel art.

Examples:
  voxify3d convert robot.glb
  voxify3d convert robot.glb small.vox --size 24 --colors 6
  voxify3d convert robot.glb robot.vox preview.png --preset draft --force
  voxify3d convert cow.obj cow.vox --front -z
  voxify3d convert print.obj print.vox --up +z --front -y
  voxify3d convert robot.glb wave.vox --animation Wave --time 0.9
  voxify3d convert robot.glb again.vox --from small.vox
  voxify3d convert robot.glb robot.vox --palette maxmin --coarse radiance
  voxify3d convert robot.glb robot.vox --json > result.json
"""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where the settings start from; options that are given replace them."""

    preset: Preset = "default"  # pyright: ignore[reportInvalidTypeForm]
    """Settings to start from: draft is quick, default looks better, quality lets an
    encoder judge, paper repeats the paper's two stages (slow)."""
    without: Annotated[tuple[Part, ...], tyro.conf.UseAppendAction] = ()
    """Part of the paper to leave out (ablation); may be repeated."""
    from_: Annotated[
        Path | None, tyro.conf.arg(name="from", metavar="FILE", help_behavior_hint="")
    ] = None
    """Repeat the run that wrote FILE (.vox, .glb, .png, or a manifest .json)."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is written and printed; nothing here changes the voxels."""

    force: bool = False
    """Overwrite files that exist."""
    json: bool = False
    """Print one JSON object instead of the files' names."""
    quiet: bool = False
    """No progress bar, no warnings."""


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Options of `voxify3d convert`."""

    mesh: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MESH")]
    """Mesh to convert: .glb .gltf .vrm .obj .ply .stl .off .3mf .fbx .dae .3ds .usd*
    .zip"""
    out: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="[OUT ...]", help_behavior_hint=""),
    ] = ()
    """Files to write; the suffix chooses the format. Default: all, in this folder."""
    config: Annotated[VoxelizeConfig, tyro.conf.arg(name="")]
    start: Annotated[Start, tyro.conf.arg(name="")]
    load: Annotated[LoadConfig, tyro.conf.arg(name=""), tyro.conf.FlagCreatePairsOff]
    run: Annotated[Run, tyro.conf.arg(name=""), tyro.conf.FlagCreatePairsOff]


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command, origin = parse_convert(argv)

    from voxify3d.export import check_writable

    outputs = output_paths(command.mesh, command.out)
    for path in outputs:
        check_writable(path, command.run.force)
    config, about = settled(command.config)
    command = replace(command, config=config)

    seconds: dict[str, float] = {}
    notes: list[str] = []
    with _warnings_into(notes), ctrl_c() as check:
        grid, mesh = _convert(command, origin, seconds, notes, check)
        check()
        with _stage(seconds, "export"):
            _write(grid, mesh, outputs, command.run.force)

    if not command.run.quiet:
        if about:
            print(about, file=sys.stderr)
        for note in notes:
            print_warning(note)
    if command.run.json:
        report = _report(grid, outputs, seconds, command, notes)
        print(json.dumps(report, indent=2))
    else:
        print(*outputs, sep="\n")
    return 0


def parse_convert(argv: list[str]) -> tuple[Convert, dict[str, Any]]:
    """Return the options, and the manifest that `--from` names, else {}.

    Raises:
        ConfigError: A mistake in the options or in the manifest.
    """
    preset, source = peek(argv, "--preset"), peek(argv, "--from")
    if preset is not None and source is not None:
        raise ConfigError("give --preset or --from, not both")
    config, load, manifest = PRESETS.get(preset or "default", DEFAULT), LoadConfig(), {}
    if source:
        manifest = load_manifest(Path(source))
        config, load = config_of(manifest), load_config_of(manifest)
    options = partial(Convert, config=config, start=Start(), load=load, run=Run())
    words = [_in_full(word) for word in argv]
    command = parse(options, words, command="convert", description=_DESCRIPTION)
    config = without(command.config, command.start.without)
    return replace(command, config=config), manifest


def _in_full(word: str) -> str:
    name, equals, value = word.partition("=")
    return _SHORT.get(name, name) + equals + value


def output_paths(mesh: Path, out: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the files to write, each in a known format and none of them the mesh.

    Raises:
        ConfigError: An unknown suffix, a file named twice, or the mesh itself.
    """
    from voxify3d.export import EXPORTERS

    if not out:
        paths = (Path(mesh.stem + suffix) for suffix in _DEFAULT_SUFFIXES)
        return tuple(
            path.with_stem(f"{mesh.stem}-voxels") if _is_same(path, mesh) else path
            for path in paths
        )
    for path in out:
        if path.suffix.lower() not in EXPORTERS:
            known = " ".join(EXPORTERS)
            raise ConfigError(
                f"{path}: cannot write {path.suffix or 'a file without suffix'}; "
                f"known: {known}"
            )
        if _is_same(path, mesh):
            raise ConfigError(f"{path}: would replace the mesh; choose another name")
        if sum(_is_same(path, other) for other in out) > 1:
            raise ConfigError(f"{path}: named twice")
    return out


def _is_same(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()


def _source(manifest: dict[str, Any]) -> dict[str, Any]:
    found = manifest.get("input")
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def _warnings_into(notes: list[str]) -> Iterator[None]:
    """Collect what the library warns of; what numpy says is not for the user."""

    def collect(message: Warning | str, category: type, *_: object) -> None:
        if issubclass(category, UserWarning):
            notes.append(str(message))

    with warnings.catch_warnings():
        warnings.showwarning = collect
        yield


def _convert(
    command: Convert,
    origin: dict[str, Any],
    seconds: dict[str, float],
    notes: list[str],
    check: Callable[[], None],
) -> "tuple[VoxelGrid, Mesh]":
    """Return the result with its manifest, and the mesh.

    Args:
        command: The options.
        origin: The manifest that is repeated, or {}.
        seconds: Receives the time of each stage.
        notes: Receives what the user should know, one line each.
        check: Called between steps; raises when the user has had enough.
    """
    with progress_bar(command.run.quiet or command.run.json) as bar:

        def show(progress: "Progress") -> None:
            check()
            bar(progress)

        with _stage(seconds, "load"):
            from voxify3d.mesh.load import front_of, load_mesh
            from voxify3d.pipeline import voxelize_steps

            mesh = load_mesh(command.mesh, command.load)
            manifest = make_manifest(command.config, command.mesh, command.load)
            front = front_of(command.mesh, command.load, command.config.front)
            config = replace(command.config, front=front)
        notes += [*mesh.notes, *_differences(origin, manifest, command.mesh)]
        grid = follow(voxelize_steps(mesh, config), show, seconds)
    if len(grid.palette) < config.colors and config.colors > DEFAULT.colors:
        notes.append(
            f"the result has {len(grid.palette)} of {config.colors} colors: the mesh "
            "holds no more that differ"
        )
    return replace(grid, name=command.mesh.stem, manifest=manifest), mesh


def _differences(
    origin: dict[str, Any], manifest: dict[str, Any], mesh: Path
) -> Iterator[str]:
    """Say why a repeated run may not give the same bytes."""
    if not origin:
        return
    if origin.get("version") != __version__:
        yield f"--from is of version {origin.get('version')}, this is {__version__}"
    if _source(origin).get("sha256") != manifest["input"]["sha256"]:
        name = _source(origin).get("name")
        yield f"{mesh}: not the file that --from was made of ({name}, other SHA-256)"


@contextlib.contextmanager
def _stage(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def _write(
    grid: "VoxelGrid", mesh: "Mesh", outputs: tuple[Path, ...], force: bool
) -> None:
    """Write every file, or leave none that was not there before."""
    from voxify3d.export import export

    new = [path for path in outputs if not path.exists()]
    try:
        for path in outputs:
            export(grid, path, mesh=mesh, overwrite=force)
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def _report(
    grid: "VoxelGrid",
    outputs: tuple[Path, ...],
    seconds: dict[str, float],
    command: Convert,
    notes: list[str],
) -> dict[str, Any]:
    """Return what `--json` prints."""
    used = set(grid.index[grid.occupied].tolist())
    return {
        "outputs": [str(path) for path in outputs],
        "size": list(grid.index.shape),
        "voxels": int(grid.occupied.sum()),
        "colors": len(used),
        "seed": command.config.seed,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "warnings": notes,
        "version": __version__,
    }
