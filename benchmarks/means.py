"""Means by method of rows that the stage benchmarks write, and their two files."""

import math
from typing import Any

from common import RESULTS, markdown_table, metadata, write_json

from voxify3d.metrics.judge import METRICS

Row = dict[str, Any]
"""`mesh`, `method`, and numbers; NaN where a mesh has none."""


def mean(values: list[float]) -> float:
    """Return the mean of the values that are numbers."""
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def mean_table(rows: list[Row]) -> str:
    """Return the means of each method over its meshes, as Markdown."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    columns = [name for name in rows[0] if name not in ("mesh", "method")]
    lines = []
    for method in methods:
        line = [method]
        for column in columns:
            value = mean([r[column] for r in rows if r["method"] == method])
            digits = METRICS[column].digits if column in METRICS else 2
            line.append("" if math.isnan(value) else f"{value:.{digits}f}")
        lines.append(line)
    heads = [METRICS[c].label if c in METRICS else c for c in columns]
    return markdown_table(["method", *heads], lines)


def write(name: str, title: str, notes: str, rows: list[Row]) -> None:
    """Write results/NAME.md (means, with the command) and NAME.json (every row)."""
    source = metadata()
    head = f"# {title}\n\n{notes}\n\n    {source['command']}\n\n"
    text = f"{head}Commit {source['commit']}.\n\n{mean_table(rows)}\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    plain = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in r.items()}
        for r in rows
    ]
    write_json(source | {"rows": plain}, RESULTS / f"{name}.json")
