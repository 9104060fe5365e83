"""report.html: one page that needs nothing else, and report.json beside it."""

import html
import json
import math
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from voxify3d.compare.pictures import VIEWS, data_uri, take_pictures
from voxify3d.compare.run import EXTRA, Comparison, Item, best_methods
from voxify3d.metrics.judge import METRICS, Metric

Pictures = dict[str, dict[str, dict[str, str]]]
"""Mesh → "input" or method → view → `data:` address."""

_ARROWS = {"high": "↑", "low": "↓", "none": ""}


def report_dict(comparison: Comparison, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what report.json holds; JSON types, NaN as None.

    Args:
        comparison: Of `compare`.
        settings: Options, versions: kept as they are.
    """
    means = {
        method: {k: v if math.isfinite(v) else None for k, v in values.items()}
        for method, values in comparison.means().items()
    }
    return {
        "settings": dict(settings),
        "methods": list(comparison.methods),
        "means": means,
        "rows": [row.as_dict() for row in comparison.rows],
        "skipped": comparison.skipped,
    }


def all_pictures(
    comparison: Comparison, pixels: int, tell: Callable[[str], None]
) -> Pictures:
    """Return pictures of every input and result.

    Args:
        comparison: Of `compare`.
        pixels: Along each side.
        tell: Called with the name of each mesh before its pictures.
    """
    pictures: Pictures = {}
    for item in comparison.items:
        tell(item.name)
        shown = {"input": item.mesh}
        shown |= {row.method: row.result for row in item.rows if row.result is not None}
        pictures[item.name] = {
            name: {
                view: data_uri(picture)
                for view, picture in take_pictures(
                    mesh, item.frame, item.mesh, pixels, lines=name != "input"
                ).items()
            }
            for name, mesh in shown.items()
        }
    return pictures


def report_html(
    comparison: Comparison,
    pictures: Pictures,
    settings: Mapping[str, Any],
    summaries: Mapping[str, str],
) -> str:
    """Return the page.

    Args:
        comparison: Of `compare`.
        pictures: Of `all_pictures`.
        settings: Shown at the foot.
        summaries: Method → one line about it.
    """
    methods = comparison.methods
    count = len(comparison.items)
    lead = f"{count} mesh{'es' if count != 1 else ''}, {len(methods)} methods"
    if "size" in settings and "colors" in settings:
        lead += f", {settings['size']} voxels, {settings['colors']} colors"
    return fill(
        "report.html",
        {
            "LEAD": html.escape(lead),
            "MEANS": _means(comparison),
            "ABOUT": "".join(
                f"<div><dt>{html.escape(m)}</dt>"
                f"<dd>{html.escape(summaries.get(m, ''))}</dd></div>"
                for m in methods
            ),
            "VIEWS": "".join(
                f'<label><input type="radio" name="view" value="{view}"'
                f"{' checked' if view == 'corner' else ''}>{view}</label>"
                for view in VIEWS
            ),
            "OPTIONS": "".join(
                f'<option value="{html.escape(name)}">{html.escape(name)}</option>'
                for name in ("input", *methods)
            ),
            "CARDS": "".join(
                _card(item, pictures[item.name], methods) for item in comparison.items
            ),
            "SKIPPED": _skipped(comparison),
            "SETTINGS": "".join(
                f"<div><dt>{html.escape(str(key))}</dt>"
                f"<dd>{html.escape(_said(value))}</dd></div>"
                for key, value in settings.items()
            ),
        },
    )


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template of this package with every `{{NAME}}` replaced, once."""
    text = files("voxify3d.compare").joinpath(template).read_text(encoding="utf-8")
    first, *parts = text.split("{{")
    filled = [first]
    for part in parts:
        name, _, rest = part.partition("}}")
        filled += [values[name], rest]
    return "".join(filled)


def script_json(value: object) -> str:
    """Return JSON that can stand in a script element, whatever names it holds."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def _table(
    methods: tuple[str, ...],
    values: Mapping[str, Mapping[str, float | int]],
    *,
    explain: bool,
) -> str:
    """Return a table: a row for each metric, a column for each method."""
    head = "".join(f'<th scope="col">{html.escape(m)}</th>' for m in methods)
    lines = []
    for name, about in METRICS.items():
        found = {m: float(values[m].get(name, math.nan)) for m in methods}
        lines.append(_line(about, found, best_methods(found, name), explain=explain))
    for name, about in EXTRA.items():
        found = {m: float(values[m].get(name, math.nan)) for m in methods}
        if name != "score" or not all(map(math.isnan, found.values())):
            lines.append(
                _line(about, found, best_methods(found, name), explain=explain)
            )
    return (
        f'<table><thead><tr><th scope="col">metric</th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _line(
    about: Metric, found: Mapping[str, float], best: set[str], *, explain: bool
) -> str:
    cells = "".join(
        f'<td class="best">{_number(value, about.digits)}</td>'
        if method in best
        else f"<td>{_number(value, about.digits)}</td>"
        for method, value in found.items()
    )
    note = f"<small>{html.escape(about.summary)}</small>" if explain else ""
    title = html.escape(about.summary, quote=True)
    kind = ' class="fact"' if about.best == "none" else ""
    arrow = _ARROWS[about.best]
    return (
        f'<tr{kind}><th scope="row" title="{title}">{html.escape(about.label)}'
        f"<i>{arrow}</i>{note}</th>{cells}</tr>"
    )


def _means(comparison: Comparison) -> str:
    failed = [item.name for item in comparison.items if any(r.error for r in item.rows)]
    whole = len(comparison.items) - len(failed)
    note = f"Means over {whole} mesh{'es' if whole != 1 else ''}."
    if failed:
        names = html.escape(", ".join(failed))
        note += f" Left out, because a method failed there: {names}."
    table = _table(comparison.methods, comparison.means(), explain=True)
    return f'<div class="scroll">{table}</div><p class="note">{note}</p>'


def _card(
    item: Item, pictures: dict[str, dict[str, str]], methods: tuple[str, ...]
) -> str:
    errors = {row.method: row.error for row in item.rows if row.error}
    figures = []
    for name in ("input", *methods):
        if name in pictures:
            shown = "".join(
                f'<img class="{view}" src="{uri}" loading="lazy" '
                f'alt="{html.escape(f"{item.name}, {name}, {view}", quote=True)}">'
                for view, uri in pictures[name].items()
            )
        else:
            shown = f'<p class="failed">{html.escape(errors.get(name, ""))}</p>'
        figures.append(
            f'<figure data-name="{html.escape(name, quote=True)}">{shown}'
            f"<figcaption>{html.escape(name)}</figcaption></figure>"
        )
    values = {
        row.method: row.values | {name: getattr(row, name) for name in EXTRA}
        for row in item.rows
    }
    grid = " × ".join(map(str, item.frame.shape))
    return (
        f'<article class="card"><h2>{html.escape(item.name)}'
        f"<small>{grid}</small></h2>"
        f'<div class="row">{"".join(figures)}</div>'
        f'<div class="wipe" hidden></div>'
        f"<details><summary>numbers</summary>"
        f'<div class="scroll">{_table(methods, values, explain=False)}</div>'
        f"</details></article>"
    )


def _skipped(comparison: Comparison) -> str:
    if not comparison.skipped:
        return ""
    lines = "".join(
        f"<li><b>{html.escape(name)}</b> {html.escape(reason)}</li>"
        for name, reason in comparison.skipped.items()
    )
    return f'<section class="skipped"><h2>Not compared</h2><ul>{lines}</ul></section>'
