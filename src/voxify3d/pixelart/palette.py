"""The palette of six pictures: common colors, and what a face cannot do without.

`n` colors with weights, `k` entries, `t` candidates.
"""

import numpy as np
from jaxtyping import Float64

from voxify3d.color.palette import extract_palette
from voxify3d.parallel import each
from voxify3d.pixelart.blends import HELD, thinned, without_blends
from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import CellStatistics

OUTLIER = 0.15
"""Distance (OKLab) from which a color looks like another color, not another shade:
its cost then grows with the fourth power instead of the second."""
CHROMA = np.array([1.0, 2.0, 2.0])
"""Scale of L, a and b while a palette is sought and cells get its colors: another hue
is worse than another shade. The value of CSS Color 4 (deltaEOK2)."""
FEATURE_CELLS = 0.25
"""A cell of a feature, or of its area, counts as much as this many cells of others."""
STRIKING_FEW, STRIKING_MANY = 2.0, 4.0
"""How much more those of a striking feature count, as eyes and buttons: half the
number of entries, within these bounds. Gray eyes spoil a face; so does gray skin."""
VISIBLE = 0.02
"""Difference (OKLab) under which two shades look the same."""
STARTS = 6
"""K-means runs whose results are improved by swaps."""
TOLERANCE, FOR_MARKS, FOR_EYES = 0.05, 0.1, 0.4
"""Share by which a palette's sum of costs may exceed the least one's; where it has the
color of a button that the others lack; and where it has that of two eyes, or of the
skin around them."""
LACKING = 0.1
"""Distance (OKLab) of a feature to its nearest entry from which a palette lacks it."""
DARK = 0.2
"""Lightness (OKLab) under which all colors look black."""
FRONT = 3.0
"""How much more colors of the front count than those of each other view."""
_CANDIDATES = 24
_SWAPS = 16
_RECENTERINGS = 8


def palettes_of(
    cells: list[CellStatistics],
    features: list[Feature],
    colors: int,
    config: PixelArtConfig,
    seed: int,
) -> list[Float64[np.ndarray, "k 3"]]:
    """Return palettes of the filled cells of all views, OKLab: good ones, to choose of.

    Cells of one color count more than cells across an edge; those whose median is a
    blend that they do not hold do not count. Features count as several cells. K-means
    gives the starts; then entries are swapped as long as the sum of costs falls, so
    that two shades of a large area do not keep the only skin color out. Where the
    swaps end hangs on the start: there are `STARTS` of them, and what ends well is
    kept. Where the best one lacks the color of an eye or a button of the front, it is
    sought again with that color held. Palettes that lack it go where another has it.

    Args:
        cells: The six views, front first.
        features: Small things that stand out.
        colors: Most entries.
        config: Settings.
        seed: Of the K-means starts.
    """
    lab, weight = _colors_of(cells, features, colors, config)
    lab = lab * CHROMA

    def start(seed: int) -> Float64[np.ndarray, "k 3"]:
        strategy, rarity = config.palette, config.rarity
        return extract_palette(
            lab, weight, colors, strategy=strategy, seed=seed, rarity=rarity
        )

    first = start(seed)
    if config.palette != "kmeans" or not config.feature_weight:
        return [first / CHROMA]

    def cost(palette: Float64[np.ndarray, "_ 3"]) -> float:
        return _total(lab, weight, palette * CHROMA)

    def finished(palette: Float64[np.ndarray, "_ 3"]) -> Float64[np.ndarray, "_ 3"]:
        distinct = _distinct(lab, weight, palette) / CHROMA
        return without_blends(distinct, cells, features, cost)

    striking = [f for f in features if f.view == 0 and f.is_striking and len(f.cells)]
    marks = [feature.lab for feature in striking]
    eyes = [lab for f in striking if len(f.other) for lab in (f.lab, f.ground)]
    ends = [first]
    if len(first) == colors:
        finer = extract_palette(lab, weight, max(_CANDIDATES, 2 * colors), seed=seed)
        candidates = np.concatenate([finer, *[f.lab[None] * CHROMA for f in features]])
        starts = [first, *(start(seed + i) for i in range(1, STARTS))]
        ends = each(lambda one: swap_entries(lab, weight, one, candidates), starts)
        best = min(ends, key=lambda end: _total(lab, weight, end))
        for held in range(colors // 2):
            own = finished(best)
            lacked = [*_lacked(own, eyes), *_lacked(own, marks)]
            if not lacked:
                break
            best = _holding(lab, weight, best, candidates, lacked[0] * CHROMA, held)
            ends.append(best)
    totals = np.array([_total(lab, weight, p) for p in ends])
    return _good_ones(each(finished, ends), totals, eyes, marks)


def _colors_of(
    cells: list[CellStatistics],
    features: list[Feature],
    colors: int,
    config: PixelArtConfig,
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, " n"]]:
    """Return the colors a palette is taken from, and how much each counts."""
    labs, weights = [], []
    striking = min(max(colors / 2, STRIKING_FEW), STRIKING_MANY)
    real = any((cell.filled & (cell.own >= HELD)).any() for cell in cells)
    for number, cell in enumerate(cells):
        # thinner than half a cell from every side: better its colors than none
        used = cell.filled if cell.filled.any() else cell.coverage > 0
        if real:
            used = used & (cell.own >= HELD)
        few = thinned(used)
        pure = 1 / (1 + 40 * cell.spread[few])
        every = int(used.sum()) / max(int(few.sum()), 1)
        labs.append(cell.median[few])
        weights.append(every * pure * (FRONT if number == 0 else 1))
    for feature in features:
        area = len(feature.points) / cells[feature.view].hit.shape[2]
        count = max(area, len(feature.cells))
        count *= config.feature_weight * FEATURE_CELLS
        count *= striking if feature.is_striking else 1.0
        labs.append(feature.lab[None])
        weights.append([count * (FRONT if feature.view == 0 else 1)])
    lab = np.concatenate(labs).astype(np.float64)
    return lab, np.concatenate(weights).astype(np.float64)


def _good_ones(
    palettes: list[Float64[np.ndarray, "_ 3"]],
    totals: Float64[np.ndarray, " p"],
    eyes: list[Float64[np.ndarray, " 3"]],
    marks: list[Float64[np.ndarray, " 3"]],
) -> list[Float64[np.ndarray, "_ 3"]]:
    """Return palettes that cost little, and lack as few colors as may be.

    Args:
        palettes: To choose of.
        totals: The sum of costs of each.
        eyes: Colors that come first: of two eyes, and of the skin around them.
        marks: Colors of all striking features.
    """
    kept = np.ones(len(palettes), bool)
    for share, wanted in ((FOR_EYES, eyes), (FOR_MARKS, marks), (TOLERANCE, [])):
        lacking = np.array([len(_lacked(palette, wanted)) for palette in palettes])
        kept &= totals <= totals[kept].min() * (1 + share)
        kept &= lacking == lacking[kept].min()
    return [palettes[i] for i in np.flatnonzero(kept)]


def _lacked(
    palette: Float64[np.ndarray, "k 3"], colors: list[Float64[np.ndarray, " 3"]]
) -> list[Float64[np.ndarray, " 3"]]:
    """Return the colors that a palette does not have."""
    darkest = np.array([DARK, -np.inf, -np.inf])
    entries = np.maximum(palette, darkest)
    return [
        color
        for color in colors
        if _distances(np.maximum(color, darkest)[None], entries).min() > LACKING
    ]


def _cost(distance: np.ndarray) -> np.ndarray:
    return distance**2 * (1 + (distance / OUTLIER) ** 2)


def _holding(
    lab: Float64[np.ndarray, "n 3"],
    weight: Float64[np.ndarray, " n"],
    palette: Float64[np.ndarray, "k 3"],
    candidates: Float64[np.ndarray, "t 3"],
    color: Float64[np.ndarray, " 3"],
    held: int,
) -> Float64[np.ndarray, "k 3"]:
    """Return a good palette with a given color, which comes first.

    Args:
        lab: As for `swap_entries`.
        weight: As there.
        palette: As there.
        candidates: As there.
        color: It will hold.
        held: First entries that it holds already.
    """
    _, (entry, _) = _best_swap(lab, weight, palette, color[None], held)
    palette = np.concatenate([color[None], np.delete(palette, entry, axis=0)])
    return swap_entries(lab, weight, palette, candidates, held + 1)


def swap_entries(
    lab: Float64[np.ndarray, "n 3"],
    weight: Float64[np.ndarray, " n"],
    palette: Float64[np.ndarray, "k 3"],
    candidates: Float64[np.ndarray, "t 3"],
    held: int = 0,
) -> Float64[np.ndarray, "k 3"]:
    """Swap entries for candidates while the sum of weighted costs falls.

    Args:
        lab: Colors.
        weight: How much each counts.
        palette: Where to start.
        candidates: Colors that may become entries; each is then re-centered on the
            colors that it serves.
        held: First entries that stay as they are.
    """
    total = _total(lab, weight, palette)
    for _ in range(_SWAPS):
        best, swap = _best_swap(lab, weight, palette, candidates, held)
        if best >= total * (1 - 1e-3):
            break
        changed = palette.copy()
        changed[swap[0]] = candidates[swap[1]]
        palette = _recenter(lab, weight, changed, held)
        total = _total(lab, weight, palette)
    free = palette[held:]
    return np.concatenate([palette[:held], free[np.lexsort(free.T[::-1])]])


def _distinct(
    lab: Float64[np.ndarray, "n 3"],
    weight: Float64[np.ndarray, " n"],
    palette: Float64[np.ndarray, "k 3"],
) -> Float64[np.ndarray, "j 3"]:
    """Return a palette without shades that nobody can tell apart."""
    while len(palette) > 1:
        apart = _distances(palette / CHROMA, palette / CHROMA)
        np.fill_diagonal(apart, np.inf)
        pair = np.unravel_index(apart.argmin(), apart.shape)
        if apart[pair] >= VISIBLE:
            break
        nearest = _distances(lab, palette).argmin(axis=1)
        share = np.bincount(nearest, weight, minlength=len(palette))
        less = min(pair, key=lambda entry: share[entry])
        palette = np.delete(palette, less, axis=0)
    return palette


def _distances(lab: np.ndarray, entries: np.ndarray) -> Float64[np.ndarray, "n k"]:
    return np.linalg.norm(lab[:, None] - entries, axis=-1)


def _total(lab: np.ndarray, weight: np.ndarray, palette: np.ndarray) -> float:
    return float(weight @ _cost(_distances(lab, palette).min(axis=1)))


def _best_swap(
    lab: np.ndarray,
    weight: np.ndarray,
    palette: np.ndarray,
    candidates: np.ndarray,
    held: int,
) -> tuple[float, tuple[int, int]]:
    """Return the least total that one swap reaches, and (entry, candidate).

    The first `held` entries stay.
    """
    to_palette = _distances(lab, palette)
    to_candidate = _cost(_distances(lab, candidates))
    best, swap = np.inf, (0, 0)
    for entry in range(held, len(palette)):
        rest = _cost(np.delete(to_palette, entry, axis=1).min(axis=1))
        totals = weight @ np.minimum(rest[:, None], to_candidate)
        if totals.min() < best:
            best, swap = float(totals.min()), (entry, int(totals.argmin()))
    return best, swap


def _recenter(
    lab: np.ndarray, weight: np.ndarray, palette: np.ndarray, held: int
) -> Float64[np.ndarray, "k 3"]:
    """Move entries to where their colors cost least; keep the best total seen.

    The first `held` entries stay.
    """
    best, least = palette, _total(lab, weight, palette)
    for _ in range(_RECENTERINGS):
        distance = _distances(lab, palette)
        nearest = distance.argmin(axis=1)
        pull = weight * (1 + 2 * (distance.min(axis=1) / OUTLIER) ** 2)
        share = np.bincount(nearest, pull, minlength=len(palette))
        moved = palette.copy()
        for channel in range(3):
            total = np.bincount(nearest, pull * lab[:, channel], len(palette))
            moved[:, channel] = np.where(
                share > 0, total / np.maximum(share, 1e-12), palette[:, channel]
            )
        moved[:held] = palette[:held]
        palette = moved
        total = _total(lab, weight, palette)
        if total < least:
            best, least = palette, total
    return best
