"""Command line → frozen dataclass, by tyro; its mistakes as one line."""

import contextlib
import io
import re
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import tyro

from voxify3d.errors import ConfigError

T = TypeVar("T")


def parse(
    kind: Callable[..., T],
    argv: Sequence[str],
    *,
    command: str,
    description: str,
) -> T:
    """Return `kind` filled from a command line.

    Args:
        kind: A dataclass, its fields' docstrings are the help; or a
            `functools.partial` of one with other defaults.
        argv: Words after the command's name.
        command: Name of the command.
        description: Top of the help text.

    Raises:
        ConfigError: Anything the user can mistype, in one line.
        SystemExit: The help was asked for and printed.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parsed = tyro.cli(
                kind,
                args=argv,
                prog=f"voxify3d {command}",
                description=description,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ConfigError(
            f"{one_line(said.getvalue())} (help: voxify3d {command} --help)"
        ) from None
    except ConfigError:
        raise
    sys.stderr.write(said.getvalue())
    return parsed


def peek(kind: type[T], argv: Sequence[str], default: T) -> T:
    """Return the options of `kind` from a command line that holds others too.

    Mistakes are left for `parse` to report: `default` is returned then.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return tyro.cli(
                kind,
                args=argv,
                default=default,
                add_help=False,
                return_unknown_args=True,
            )[0]
        except SystemExit:
            return default


def one_line(box: str) -> str:
    """Return what matters of tyro's boxed message as one line.

    A box has a title, then paragraphs between rules: the message, sometimes the option
    that was meant or the help of the option, and where to find help. In ASCII a rule,
    not a frame, parts the title from the rest.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    rows = [row.strip("│ ") for row in plain.splitlines()]
    text = "\n".join(row for row in rows if row and row[0] not in "╭╰")
    paragraphs = re.split(r"^[─-]{5,}$", text, flags=re.MULTILINE)
    message, *others = paragraphs if "╭" in plain else paragraphs[1:] or paragraphs
    message = " ".join(message.split())
    message = re.sub(r"^Error parsing (config|Convert)[\w.]*: ", "", message)
    message = re.sub(r"^Error parsing (\S+): ", r"\1: ", message)
    message = re.sub(r"^Missing from [^:]*: (\S+) .*", r"missing \1", message)
    for other in others:
        meant = re.search(r"you meant:?\s+(--[\w.-]+)", other)
        if meant:
            message += f"; did you mean {meant[1]}?"
    return message
