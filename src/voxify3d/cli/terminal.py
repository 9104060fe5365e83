"""What the user sees while it runs: messages and the progress bar, on stderr."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from voxify3d.pipeline import Progress

T = TypeVar("T")
Show = Callable[["Progress"], None]

_RED, _YELLOW = "31", "33"


def print_error(message: str) -> None:
    """Print one red line on stderr."""
    _print_line(f"error: {message}", _RED)


def print_warning(message: str) -> None:
    """Print one yellow line on stderr."""
    _print_line(f"warning: {message}", _YELLOW)


def _print_line(text: str, color: str) -> None:
    text = " ".join(text.split())
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        text = f"\x1b[{color}m{text}\x1b[0m"
    print(text, file=sys.stderr)


@contextlib.contextmanager
def progress_bar(quiet: bool) -> Iterator[Show]:
    """Give a function that shows a `Progress`: stage, step, loss and time left.

    It shows nothing when `quiet`, or when stderr is not a terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("loading", total=None, loss="")
        stage = ""

        def show(progress: "Progress") -> None:
            nonlocal stage
            if progress.stage != stage:
                stage = progress.stage
                bar.reset(task, description=stage, total=progress.steps, loss="")
            total = progress.losses.get("total")
            bar.update(
                task,
                completed=progress.step,
                total=progress.steps,
                loss="" if total is None else f"loss {total:.4g}",
            )

        yield show


@contextlib.contextmanager
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Give a function that raises `KeyboardInterrupt` if Ctrl-C came and was lost.

    It can be lost: imports of optional packages have `except BaseException` around
    them, and C code drops what is raised in its callbacks.
    """
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check  # somebody else decides what Ctrl-C does
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def follow(
    steps: "Generator[Progress, None, T]", show: Show, seconds: dict[str, float]
) -> T:
    """Run a generator of `Progress` to its end and return its result.

    Args:
        steps: What is run.
        show: Called with every `Progress`.
        seconds: Receives the time of each stage, by its name. A stage announced
            with step 0 starts there; the time before belongs to the one before.
    """
    stage = ""
    last = time.perf_counter()
    while True:
        try:
            progress = next(steps)
        except StopIteration as stop:
            _add(seconds, stage, time.perf_counter() - last)
            return stop.value
        now = time.perf_counter()
        _add(seconds, stage if progress.step == 0 else progress.stage, now - last)
        stage, last = progress.stage, now
        show(progress)


def _add(seconds: dict[str, float], stage: str, elapsed: float) -> None:
    if stage:
        seconds[stage] = seconds.get(stage, 0.0) + elapsed
