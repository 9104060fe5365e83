"""`voxify3d sample OUT.glb`: write the generated sample character."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from voxify3d.cli.parse import parse
from voxify3d.errors import ConfigError

_DESCRIPTION = """\
Write a small textured character that the package generates itself.

Example: voxify3d sample robot.glb
"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Options of `voxify3d sample`."""

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT.glb")]
    """File to write."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Overwrite the file if it exists."""


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = parse(Sample, argv, command="sample", description=_DESCRIPTION)
    if command.out.suffix.lower() != ".glb":
        raise ConfigError(f"{command.out}: the sample is a .glb; name it so")

    from voxify3d.export import check_writable
    from voxify3d.mesh.sample import sample_character
    from voxify3d.mesh.save import save_glb

    check_writable(command.out, command.force)
    save_glb(sample_character(), command.out)
    print(command.out)
    return 0
