"""compare(): every method on every mesh, judged on cells of one size."""

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from voxify3d.compare.memory import peak_memory
from voxify3d.compare.methods import Task
from voxify3d.errors import VoxifyError
from voxify3d.metrics.judge import METRICS, Judge, Metric
from voxify3d.render.mesh import frame_of
from voxify3d.types import Direction, Frame, Mesh

Make = Callable[[Mesh, Task], Mesh]
Scorer = Callable[[Mesh, str, Direction], float]
"""The paper's score of a result, by the name of its mesh and its front."""

EXTRA: dict[str, Metric] = {
    "score": Metric("paper's score", "high", 2, "CLIP to “a voxel art of …”, × 100"),
    "seconds": Metric("seconds", "none", 1, "Of the method, on this machine"),
    "memory": Metric(
        "memory", "none", 0, "Peak of the process, MB, with what came before it"
    ),
}
"""What is known of a row beyond `METRICS`; the score only with prompts and CLIP."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one mesh.

    Attributes:
        mesh: Name of the mesh.
        method: Name of the method.
        values: Metric → value; empty when the method failed.
        score: The paper's, of CLIP; NaN when not asked for.
        seconds: The method took; judging is not counted.
        memory: Peak of the process meanwhile, MB; NaN where it cannot be measured.
        error: Why it failed, in one line; empty when it did not.
        result: What the method made; None when it failed.
    """

    mesh: str
    method: str
    values: dict[str, float | int] = field(default_factory=dict)
    score: float = math.nan
    seconds: float = math.nan
    memory: float = math.nan
    error: str = ""
    result: Mesh | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the result, as JSON types; NaN becomes None."""
        return {
            "mesh": self.mesh,
            "method": self.method,
            **{name: _finite(value) for name, value in self.values.items()},
            **({"score": self.score} if math.isfinite(self.score) else {}),
            "seconds": _finite(round(self.seconds, 3)),
            "memory": _finite(round(self.memory, 1)),
            **({"error": self.error} if self.error else {}),
        }


@dataclass(frozen=True, slots=True)
class Item:
    """A mesh to compare on.

    Attributes:
        name: Unique among the items.
        mesh: The input.
        frame: The grid of the comparison.
        rows: One a method.
    """

    name: str
    mesh: Mesh
    frame: Frame
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was measured.

    Attributes:
        methods: Names, in the order they were asked for.
        items: One a mesh.
        skipped: Meshes that cannot be loaded, and why, in one line.
    """

    methods: tuple[str, ...]
    items: tuple[Item, ...]
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """Every row, mesh by mesh."""
        return [row for item in self.items for row in item.rows]

    def means(self) -> dict[str, dict[str, float]]:
        """Return method → metric → mean over the meshes on which no method failed.

        A metric is averaged over the meshes that have it; NaN when none has.
        """
        whole = [item for item in self.items if not any(r.error for r in item.rows)]
        names = [*METRICS, *EXTRA]
        return {
            method: {
                name: _mean([_value(i.rows[k], name) for i in whole]) for name in names
            }
            for k, method in enumerate(self.methods)
        }


def compare(
    meshes: Mapping[str, tuple[Callable[[], Mesh], Task]],
    methods: Mapping[str, Make],
    *,
    with_likeness: bool = True,
    scorer: Scorer | None = None,
) -> Generator[tuple[str, str], None, Comparison]:
    """Run every method on every mesh, yielding (mesh, method) before each run.

    A method that fails leaves its reason in its row and the others go on.

    Args:
        meshes: Name → function that loads the mesh, and what is asked for.
        methods: Name → method.
        with_likeness: Compare turntable pictures, when the weights are here.
        scorer: Gives the paper's score as well.
    """
    items, skipped = [], {}
    for name, (load, task) in meshes.items():
        yield name, "load"
        try:
            mesh = load()
        except VoxifyError as error:
            skipped[name] = str(error)
            continue
        frame = frame_of(mesh, task.size, task.front)
        judge = Judge(mesh, frame, with_likeness=with_likeness)
        rows = []
        for method, make in methods.items():
            yield name, method
            row = _run(name, mesh, task, judge, method, make)
            if scorer is not None and row.result is not None:
                row = replace(row, score=scorer(row.result, name, task.front))
            rows.append(row)
        items.append(Item(name, mesh, frame, tuple(rows)))
    return Comparison(tuple(methods), tuple(items), skipped)


def unique_names(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each path: its stem, or more where stems are alike."""
    stems = [path.stem for path in paths]
    names = [
        path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.name}"
        for path in paths
    ]
    return [
        name if names.index(name) == k else f"{name} ({names[:k].count(name) + 1})"
        for k, name in enumerate(names)
    ]


def best_methods(values: Mapping[str, float], metric: str) -> set[str]:
    """Return the methods that are best by what a table shows; none if all are.

    Args:
        values: Method → value.
        metric: One of `METRICS` or `EXTRA`.
    """
    about = (METRICS | EXTRA)[metric]
    shown = {
        method: round(value, about.digits)
        for method, value in values.items()
        if not math.isnan(value)
    }
    if about.best == "none" or len(set(shown.values())) < 2:
        return set()
    top = (max if about.best == "high" else min)(shown.values())
    return {method for method, value in shown.items() if value == top}


def _run(
    name: str, mesh: Mesh, task: Task, judge: Judge, method: str, make: Make
) -> Row:
    try:
        with peak_memory() as memory:
            start = time.perf_counter()
            result = make(mesh, task)
            seconds = time.perf_counter() - start
    except VoxifyError as error:
        return Row(name, method, error=str(error))
    values = judge.judge(result).as_dict()
    return Row(
        name,
        method,
        values,
        seconds=seconds,
        memory=memory.megabytes,
        result=result,
    )


def _value(row: Row, name: str) -> float:
    if name in EXTRA:
        return float(getattr(row, name))
    return float(row.values.get(name, math.nan))


def _mean(values: list[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return float(np.mean(finite)) if finite else math.nan


def _finite(value: float | int) -> float | int | None:
    return value if math.isfinite(value) else None
