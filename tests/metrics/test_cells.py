import numpy as np
from makers import joined

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.mesh import shapes
from voxify3d.metrics.cells import see
from voxify3d.render.mesh import frame_of


def test_a_cell_is_the_mean_of_its_covered_samples_and_filled_from_one_half_on():
    red, blue = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9)
    # Two cells wide: the left one half red and half blue, the right one a third blue.
    mesh = joined(
        shapes.box((0.5, 1, 1), (0.25, 0.5, 0.5), red),
        shapes.box((0.5, 1, 1), (0.75, 0.5, 0.5), blue),
        shapes.box((1 / 3, 1, 1), (1 + 1 / 6, 0.5, 0.5), blue),
        shapes.box((0.01, 0.01, 0.01), (1.995, 0.5, 0.5), red),  # holds the frame open
    )
    frame = frame_of(mesh, 2)
    assert frame.shape == (2, 1, 1)
    front = see(mesh, frame)[0]
    assert front.filled.tolist() == [[True], [False]]
    lab = 100 * oklab_from_srgb(np.array([red, blue]))
    np.testing.assert_allclose(front.lab[0, 0], lab.mean(axis=0), atol=1e-2)
    np.testing.assert_allclose(front.lab[1, 0], lab[1], atol=1e-2)


def test_depth_is_the_median_of_the_covered_samples():
    mesh = joined(
        shapes.box((1, 1, 4), (0.5, 0.5, 2)), shapes.box((1, 1, 1), (1.5, 0.5, 0.5))
    )
    front, back = see(mesh, frame_of(mesh, 4))[:2]
    np.testing.assert_allclose(front.depth, [[0], [3]], atol=1e-5)
    np.testing.assert_allclose(back.depth, [[0], [0]], atol=1e-5)
    gap = joined(
        shapes.box((1, 1, 1), (0.5, 0.5, 0.5)), shapes.box((1, 1, 1), (2.5, 0.5, 0.5))
    )
    depth = see(gap, frame_of(gap, 3))[0].depth
    assert np.isinf(depth[1, 0])
