import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.render.views import VIEW_NAMES, default_up, six_views
from voxify3d.types import (
    DIRECTIONS,
    Direction,
    axis_of,
    opposite,
    sign_of,
    vector_of,
)

STANDING = [(f, u) for f in DIRECTIONS for u in DIRECTIONS if f[1] != u[1]]


def test_the_default_views_are_what_the_conventions_page_says():
    found = {v.name: (v.toward, v.right, v.down) for v in six_views()}
    assert found == {
        "front": ("+z", "+x", "-y"),
        "back": ("-z", "-x", "-y"),
        "left": ("-x", "+z", "-y"),  # the side that is left in the front picture
        "right": ("+x", "-z", "-y"),
        "top": ("+y", "+x", "+z"),  # the front points down
        "bottom": ("-y", "+x", "-z"),
    }


@pytest.mark.parametrize(("front", "up"), STANDING)
def test_every_view_is_a_right_handed_picture_of_its_own_side(front, up):
    views = six_views(front, up)
    assert tuple(view.name for view in views) == VIEW_NAMES
    assert sorted(view.toward for view in views) == sorted(DIRECTIONS)
    for view in views:
        # right × up points to the eye, or the picture would be a mirror image
        turn = np.cross(vector_of(view.right), -vector_of(view.down))
        np.testing.assert_array_equal(turn, vector_of(view.toward))


@pytest.mark.parametrize(("front", "up"), STANDING)
def test_names_follow_the_object(front, up):
    views = {view.name: view for view in six_views(front, up)}
    assert views["front"].toward == front
    assert views["top"].toward == up
    assert views["left"].toward == opposite(views["front"].right)
    for one, other in (("front", "back"), ("left", "right"), ("top", "bottom")):
        assert views[one].toward == opposite(views[other].toward)
    for side in ("front", "back", "left", "right"):
        assert views[side].down == opposite(up)


@pytest.mark.parametrize("front", DIRECTIONS)
def test_the_head_is_up_unless_the_front_is(front):
    assert default_up(front) == ("+z" if front[1] == "y" else "+y")


def test_a_front_along_up_is_refused():
    with pytest.raises(ValueError, match=r"front -y and up \+y lie on one axis"):
        six_views("-y", "+y")


@given(
    st.sampled_from(STANDING),
    st.integers(0, 5),
    st.tuples(*[st.integers(1, 4)] * 3),
    st.booleans(),
)
def test_image_layout_and_back_is_the_same_picture(standing, number, shape, channels):
    view = six_views(*standing)[number]
    cells_shape = [n for i, n in enumerate(shape) if i != view.axis]
    cells = np.random.default_rng(0).random(cells_shape + [3] * channels)
    image = view.image_from_cells(cells)
    np.testing.assert_array_equal(view.cells_from_image(image), cells)
    assert image.shape[0] == shape[axis_of(view.down)]
    assert image.shape[1] == shape[axis_of(view.right)]


@pytest.mark.parametrize(("front", "up"), STANDING)
def test_image_columns_run_right_and_rows_run_down(front, up):
    shape = (3, 4, 5)
    place = np.indices(shape)
    for view in six_views(front, up):
        directions: tuple[Direction, Direction] = (view.down, view.right)
        for along, direction in enumerate(directions):
            # the coordinate along that direction, as a picture of the first layer
            cells = place[axis_of(direction)].take(0, axis=view.axis)
            image = view.image_from_cells(cells)
            assert (np.diff(image, axis=along) == sign_of(direction)).all()
            assert (np.diff(image, axis=1 - along) == 0).all()
