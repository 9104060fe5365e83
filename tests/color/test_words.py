import numpy as np
import pytest

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.color.words import color_word


@pytest.mark.parametrize(
    ("rgb", "word"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "gray"),
        ((220, 30, 30), "red"),
        ((240, 140, 20), "orange"),
        ((250, 220, 40), "yellow"),
        ((40, 160, 60), "green"),
        ((40, 80, 220), "blue"),
        ((130, 40, 200), "purple"),
        ((110, 60, 20), "brown"),
        ((255, 150, 180), "pink"),
    ],
)
def test_colors_have_their_everyday_names(rgb, word):
    assert color_word(oklab_from_bytes(np.array([rgb], np.uint8))[0]) == word
