"""Results of several methods side by side: numbers, pictures, a page, votes."""

from voxify3d.compare.methods import METHODS, Task
from voxify3d.compare.results import Result, frame_for, load_config_for, load_result
from voxify3d.compare.run import Comparison, Row, compare

__all__ = [
    "METHODS",
    "Comparison",
    "Result",
    "Row",
    "Task",
    "compare",
    "frame_for",
    "load_config_for",
    "load_result",
]
