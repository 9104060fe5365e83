from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxify3d.color.kmeans import spread_start
from voxify3d.color.match import nearest
from voxify3d.color.palette import (
    STRATEGIES,
    annealing,
    extract_palette,
    kmeans,
    maxmin,
    median_cut_boxes,
)
from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def random_colors(n, seed=0):
    generator = np.random.default_rng(seed)
    return oklab_from_srgb(generator.random((n, 3))), generator.random(n) + 0.1


def covering_radius(lab, palette):
    return nearest(lab, palette)[1].max()


def mean_distance(lab, weight, palette):
    return weight @ nearest(lab, palette)[1] / weight.sum()


def squared_error(lab, weight, palette):
    return weight @ nearest(lab, palette)[1] ** 2 / weight.sum()


@every_strategy
@pytest.mark.parametrize("k", [1, 2, 3, 8, 64, 255])
def test_every_entry_lies_within_the_range_of_the_colors(strategy, k):
    lab, weight = random_colors(600)
    palette = extract_palette(lab, weight, k, strategy=strategy)
    assert palette.shape == (k, 3)
    assert len(np.unique(palette, axis=0)) == k
    assert (palette >= lab.min(axis=0) - 1e-12).all()
    assert (palette <= lab.max(axis=0) + 1e-12).all()


@every_strategy
@given(st.integers(1, 40), st.integers(0, 5), st.integers(0, 2**31 - 1))
def test_as_many_entries_as_distinct_colors_reproduce_them(strategy, n, more, seed):
    generator = np.random.default_rng(seed)
    lab = oklab_from_bytes(generator.integers(0, 256, (n, 3), dtype=np.uint8))
    many = lab[generator.integers(0, n, 200)]
    distinct = np.unique(many, axis=0)
    weight = np.full(200, 0.3)
    palette = extract_palette(many, weight, len(distinct) + more, strategy=strategy)
    np.testing.assert_array_equal(palette, distinct)


@every_strategy
def test_the_same_seed_gives_the_same_palette(strategy):
    lab, weight = random_colors(500)
    one, two = (
        extract_palette(lab, weight, 8, strategy=strategy, seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


@every_strategy
@given(st.integers(2, 9), st.integers(0, 2**31 - 1))
def test_repeating_a_color_is_the_same_as_weighting_it(strategy, k, seed):
    generator = np.random.default_rng(seed)
    lab = oklab_from_srgb(generator.random((30, 3)))
    counts = generator.integers(1, 5, 30)
    weighted = extract_palette(lab, counts.astype(float), k, strategy=strategy)
    order = generator.permutation(counts.sum())
    repeated = np.repeat(lab, counts, axis=0)[order]
    again = extract_palette(repeated, np.ones(len(order)), k, strategy=strategy)
    np.testing.assert_allclose(again, weighted, atol=1e-12)


# Not median cut: it halves the pixels, through the middle of an area if need be.
@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"median-cut"}))
def test_well_separated_flat_areas_are_found(strategy):
    centers = oklab_from_srgb(
        np.array([[0.9, 0.1, 0.1], [0.1, 0.8, 0.2], [0.2, 0.2, 0.9], [0.5, 0.5, 0.5]])
    )
    generator = np.random.default_rng(0)
    lab = np.repeat(centers, 100, axis=0) + generator.normal(0, 0.003, (400, 3))
    palette = extract_palette(lab, np.ones(400), 4, strategy=strategy)
    assert nearest(centers, palette)[1].max() < 0.02


@every_strategy
def test_colors_of_no_weight_are_ignored(strategy):
    lab, weight = random_colors(100)
    extra = np.vstack([lab, [[5.0, 5.0, 5.0]]])
    one = extract_palette(lab, weight, 5, strategy=strategy)
    two = extract_palette(extra, np.append(weight, 0), 5, strategy=strategy)
    np.testing.assert_array_equal(one, two)


@every_strategy
def test_many_unique_colors_are_binned_and_still_served(strategy):
    lab, weight = random_colors(40_000, seed=1)
    palette = extract_palette(lab, weight, 32, strategy=strategy)
    chance = lab[np.random.default_rng(0).integers(0, len(lab), 32)]
    assert mean_distance(lab, weight, palette) < mean_distance(lab, weight, chance)


# K-means ------------------------------------------------------------------------


@given(st.integers(2, 6), st.integers(0, 2**31 - 1))
def test_kmeans_rests_where_every_entry_is_the_mean_of_its_colors(k, seed):
    lab, weight = random_colors(60, seed)
    palette = kmeans(lab, weight / weight.sum(), k, np.random.default_rng(seed))
    index = nearest(lab, palette)[0]
    for entry in range(k):
        own = index == entry
        mean = (weight[own, None] * lab[own]).sum(axis=0) / weight[own].sum()
        np.testing.assert_allclose(palette[entry], mean, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**31 - 1))
def test_kmeans_is_near_the_optimum_of_all_partitions_in_two(seed):
    lab, weight = random_colors(10, seed)
    best = np.inf
    for bits in range(1, 2**9):
        part = (bits >> np.arange(10)) & 1 == 1
        means = [
            (weight[p, None] * lab[p]).sum(axis=0) / weight[p].sum()
            for p in (part, ~part)
        ]
        best = min(best, squared_error(lab, weight, np.stack(means)))
    palette = kmeans(lab, weight / weight.sum(), 2, np.random.default_rng(seed))
    assert squared_error(lab, weight, palette) <= 1.3 * best


def greys(levels):
    return oklab_from_bytes(np.repeat(np.array(levels, np.uint8)[:, None], 3, axis=1))


@pytest.mark.parametrize(("extreme", "blurred"), [(255, 235), (0, 14)])
def test_white_and_black_stay_white_and_black(extreme, blurred):
    generator = np.random.default_rng(0)
    body = oklab_from_srgb(generator.random((300, 3)) * 0.3 + [0.5, 0.1, 0.1])
    eyes = greys([extreme] * 20 + [blurred] * 10)
    palette = extract_palette(np.vstack([body, eyes]), np.ones(330), 4)
    assert nearest(greys([extreme]), palette)[1][0] < 1e-9


def test_a_light_grey_area_is_not_turned_white_by_a_few_white_pixels():
    lab = np.vstack([greys([225] * 200 + [255] * 3), greys([90] * 200)])
    palette = extract_palette(lab, np.ones(len(lab)), 2)
    assert nearest(greys([225]), palette)[1][0] < 0.005


def test_rarity_moves_entries_towards_what_is_served_badly():
    lab, weight = random_colors(400, seed=2)
    plain = extract_palette(lab, weight, 6)
    rare = extract_palette(lab, weight, 6, rarity=3.0)
    cubes = [weight @ nearest(lab, p)[1] ** 3 for p in (plain, rare)]
    assert cubes[1] < cubes[0]
    np.testing.assert_array_equal(plain, extract_palette(lab, weight, 6, rarity=2.0))


# K-means + rare -----------------------------------------------------------------


@pytest.mark.parametrize(("k", "spread"), [(2, 0.3), (4, 0.8), (8, 0.8)])
def test_a_one_percent_accent_is_kept_by_kmeans_rare_and_lost_by_kmeans(k, spread):
    generator = np.random.default_rng(0)
    shades = generator.random((990, 3)) * [spread, spread, 0.2] + [0.1, 0.1, 0.0]
    accent = np.array([[0.5, 0.3, 0.6]])
    lab = oklab_from_srgb(np.vstack([shades, np.repeat(accent, 10, axis=0)]))
    target = oklab_from_srgb(accent)
    rare = extract_palette(lab, np.ones(1000), k, strategy="kmeans-rare")
    plain = extract_palette(lab, np.ones(1000), k, strategy="kmeans")
    assert nearest(target, rare)[1][0] < 0.02
    assert nearest(target, plain)[1][0] > 0.05


def test_one_stray_pixel_takes_no_place():
    generator = np.random.default_rng(0)
    shades = generator.random((5000, 3)) * [0.4, 0.4, 0.1] + [0.2, 0.3, 0.1]
    stray = np.array([[1.0, 0.0, 1.0]])
    lab = oklab_from_srgb(np.vstack([shades, stray]))
    palette = extract_palette(lab, np.ones(5001), 8, strategy="kmeans-rare")
    assert nearest(oklab_from_srgb(stray), palette)[1][0] > 0.1


# Max-Min ------------------------------------------------------------------------


@given(st.integers(5, 11), st.integers(1, 4), st.integers(0, 2**31 - 1))
def test_maxmin_covers_within_twice_the_optimum(n, k, seed):
    lab, weight = random_colors(n, seed)
    palette = maxmin(lab, weight, k, np.random.default_rng(seed))
    optimum = min(covering_radius(lab, lab[list(c)]) for c in combinations(range(n), k))
    assert covering_radius(lab, palette) <= 2 * optimum + 1e-12


# Median cut ---------------------------------------------------------------------


@given(st.integers(0, 6), st.integers(1, 9), st.integers(0, 2**31 - 1))
def test_median_cut_boxes_hold_equally_many_colors(power, each, seed):
    k = 2**power
    lab, _ = random_colors(k * each, seed)
    boxes = median_cut_boxes(lab, np.ones(k * each), k)
    assert {len(box) for box in boxes} == {each}
    assert sorted(np.concatenate(boxes)) == list(range(k * each))


@given(st.integers(2, 30), st.integers(0, 2**31 - 1))
def test_median_cut_halves_differ_by_at_most_the_heaviest_color(n, seed):
    lab, weight = random_colors(n, seed)
    one, two = median_cut_boxes(lab, weight, 2)
    assert abs(weight[one].sum() - weight[two].sum()) <= weight.max() + 1e-12


# Annealing ----------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 2**31 - 1))
def test_annealing_is_never_worse_than_its_start(k, seed):
    lab, weight = random_colors(50, seed)
    weight = weight / weight.sum()
    start = spread_start(lab, weight, k, np.random.default_rng(seed))
    found = annealing(lab, weight, k, np.random.default_rng(seed))
    before, after = (mean_distance(lab, weight, p) for p in (start, found))
    assert after <= before + 1e-12


def test_annealing_finds_the_best_of_all_small_palettes():
    lab, weight = random_colors(12, seed=5)
    best = min(
        mean_distance(lab, weight, lab[list(c)]) for c in combinations(range(12), 3)
    )
    palette = extract_palette(lab, weight, 3, strategy="annealing")
    assert mean_distance(lab, weight, palette) <= best * 1.02


# Bad input ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": "octree"}, "one of kmeans, kmeans-rare, maxmin, .* got 'octree'"),
        ({"k": 0}, "at least 1 color, got 0"),
        ({"rarity": 1.0}, "rarity must be 2 or more, got 1.0"),
        ({"weight": -np.ones(4)}, "weights must be 0 or more, got -1"),
        ({"weight": np.zeros(4)}, "no colors to take a palette from"),
        ({"weight": np.full(4, np.nan)}, "must be finite"),
        ({"lab": np.full((4, 3), np.inf)}, "must be finite"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"lab": random_colors(4)[0], "weight": np.ones(4), "k": 2} | change
    with pytest.raises(ValueError, match=message):
        extract_palette(**arguments)
