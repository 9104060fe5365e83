from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.fit.schedule import geometric

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
