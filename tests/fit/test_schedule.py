import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.fit.paper_settings import PaperConfig
from voxify3d.fit.schedule import geometric, paper_phase

ends = st.floats(1e-3, 1e3)


@given(st.integers(2, 500), ends, ends)
def test_it_starts_and_ends_where_it_should(steps, start, end):
    assert geometric(0, steps, start, end) == start
    assert geometric(steps - 1, steps, start, end) == pytest.approx(end)


@given(st.integers(3, 50), ends, ends)
def test_every_step_changes_by_the_same_factor(steps, start, end):
    values = [geometric(step, steps, start, end) for step in range(steps)]
    factors = [after / before for before, after in pairwise(values)]
    assert factors == pytest.approx([factors[0]] * len(factors))


def test_a_run_of_one_step_has_the_start():
    assert geometric(0, 1, 1.0, 0.1) == 1.0


# The paper's table ---------------------------------------------------------------

PAPER = PaperConfig()
TEMPERATURES = {
    0: 1.0,
    999: 1.0,
    1000: 0.8,
    2999: 0.8,
    3000: 0.3,
    3999: 0.3,
    4000: 0.6,
    4999: 0.6,
    5000: 0.3,
    6000: 0.3,
    6001: 0.1,
    6499: 0.1,
}


@pytest.mark.parametrize(("step", "temperature"), TEMPERATURES.items())
def test_the_temperature_is_that_of_the_papers_table(step, temperature):
    assert paper_phase(step, 40, PAPER).temperature == temperature


def test_weights_and_views_change_when_the_paper_says():
    early, front, late = (paper_phase(n, 40, PAPER) for n in (4499, 4500, 6000))
    assert (early.pixel, early.depth, early.alpha) == (10, 10, 20)
    assert (early.front_only, front.front_only, late.front_only) == (False, True, True)
    assert (front.pixel, front.depth, front.alpha) == (10, 30, 20)
    assert (late.pixel, late.depth, late.alpha) == (1, 3, 20)
    assert paper_phase(0, 48, PAPER).depth == 10
    assert paper_phase(0, 49, PAPER).depth == 20


def test_colors_are_soft_early_and_hard_late():
    assert [paper_phase(n, 40, PAPER).hard for n in (0, 4999, 5000, 6499)] == [
        *(False, False, True, True)
    ]
    soft = dataclasses.replace(PAPER, color="gumbel")
    assert not paper_phase(6499, 40, soft).hard


def test_no_depth_means_no_depth_to_the_end():
    none = dataclasses.replace(PAPER, depth_weight=0.0, depth_weight_coarse=0.0)
    assert {paper_phase(n, s, none).depth for n in (0, 5000) for s in (40, 60)} == {0}


@given(st.integers(0, 99))
def test_a_shorter_run_does_the_same_in_less_time(step):
    short = dataclasses.replace(PAPER, steps=100)
    assert paper_phase(step, 40, short) == paper_phase(step * 65, 40, PAPER)


def test_rates_fall_to_a_tenth_in_the_papers_decay_steps():
    slow = dataclasses.replace(PAPER, decay_steps=3250)
    assert paper_phase(0, 40, slow).rate == 1
    assert paper_phase(3250, 40, slow).rate == pytest.approx(0.1)
