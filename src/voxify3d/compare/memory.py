"""The most memory this process held while something ran; Linux only."""

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(slots=True)
class Memory:
    """Filled when the block of `peak_memory` ends.

    Attributes:
        megabytes: Resident memory at its highest; NaN where it cannot be measured.
    """

    megabytes: float = math.nan


@contextlib.contextmanager
def peak_memory() -> Iterator[Memory]:
    """Measure the block: what the process held before is in the number too."""
    memory = Memory()
    with contextlib.suppress(OSError):
        _RESET.write_text("5", encoding="ascii")  # the peak starts anew
    yield memory
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
        if found:
            memory.megabytes = int(found[1]) / 1024
