"""`voxify3d`: finds the command, runs it, and turns errors into exit codes.

0 done · 1 failure · 2 usage · 3 input unreadable · 130 interrupted
"""

import importlib
import os
import sys
from collections.abc import Sequence

from voxify3d.cli.terminal import print_error
from voxify3d.errors import ConfigError, MeshError, VoxifyError
from voxify3d.version import __version__

COMMANDS = {
    "convert": "Turn a mesh into voxel art",
    "inspect": "Tell what is in a mesh file",
    "sample": "Write a sample character to try things on",
    "evaluate": "Measure how good results are",
    "score": "Score results against a caption, as the paper does",
    "compare": "Show methods side by side on one page",
    "models": "List, fetch and find pretrained networks",
}
"""Each is `run(argv)` in the module of `voxify3d.cli` with its name."""

_EXAMPLES = """\
examples:
  voxify3d sample robot.glb                   a textured character to start from
  voxify3d convert robot.glb                  .vox, .glb and .png, here
  voxify3d convert robot.glb small.vox --size 24 --colors 6
  voxify3d convert robot.glb quick.png --preset draft
  voxify3d convert robot.glb again.vox --from small.vox
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        argv: Words after the program's name; those of the process by default.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except MeshError as error:
        print_error(str(error))
        return 3
    except ConfigError as error:
        print_error(str(error))
        return 2
    except VoxifyError as error:
        print_error(str(error))
        return 1
    except MemoryError:
        print_error("not enough memory; try a smaller --size or --pixelart.samples")
        return 1
    except FloatingPointError as error:
        print_error(f"{error}; try smaller weights or learning rates")
        return 1
    except KeyboardInterrupt:
        print_error("interrupted")
        return 130
    except BrokenPipeError:  # `voxify3d … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as stop:  # `--help` of a command
        return stop.code if isinstance(stop.code, int) else 0


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(help_text(), end="")
        return 0
    name, *rest = words
    if name in ("-V", "--version"):
        print(f"voxify3d {__version__}")
        return 0
    if name not in COMMANDS:
        raise ConfigError(f"unknown command {name!r}; known: {', '.join(COMMANDS)}")
    return importlib.import_module(f"voxify3d.cli.{name}").run(rest)


def help_text() -> str:
    """Return what `voxify3d --help` prints."""
    lines = [f"  {name:<10}{summary}" for name, summary in COMMANDS.items()]
    return (
        "usage: voxify3d COMMAND ...\n\n"
        "Turn a 3-D mesh into voxel art: few cubes, few colors, the same character.\n\n"
        "commands:\n" + "\n".join(lines) + "\n\n" + _EXAMPLES + "\n"
        "`voxify3d COMMAND --help` lists the options. `voxify3d --version` prints the\n"
        "version. Exit codes: 0 done, 1 failure, 2 usage, 3 input unreadable,\n"
        "130 interrupted.\n"
    )
