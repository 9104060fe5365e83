"""Command line → frozen dataclass, by tyro; its mistakes as one line."""

import contextlib
import io
import itertools
import re
import sys
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
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


def peek(argv: Sequence[str], option: str) -> str | None:
    """Return the value of an option without parsing the rest; mistakes are `parse`'s.

    Options that decide the defaults of others must be known before. (A pass of tyro
    over them alone takes 40 ms of the 300 that `--help` has.)
    """
    found = None
    for word, following in itertools.pairwise([*argv, ""]):
        if word == option:
            found = following
        elif word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found


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
        wrong = re.search(r"--[\w.-]+", message)
        near = re.findall(r"--[\w.-]+", other.partition("you meant")[2])
        if wrong and near:
            # tyro's first is one that contains the word: --emphasize for --siz
            word = wrong[0]
            best = max(near, key=lambda n: SequenceMatcher(None, n, word).ratio())
            message += f"; did you mean {best}?"
    return message
