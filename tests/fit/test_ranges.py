from dataclasses import dataclass
from typing import Literal

import pytest

from voxify3d.errors import ConfigError
from voxify3d.fit.ranges import check_choice, check_range


@dataclass
class Setting:
    value: float | str


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "words"),
    [
        ("[0, 1]", (0, 0.5, 1), (-1e-9, 1.1), r"in [0, 1]"),
        ("[0, 1)", (0, 0.99), (1,), r"in [0, 1)"),
        ("(0, 1)", (0.5,), (0, 1), r"in (0, 1)"),
        ("[0, inf)", (0, 1e9), (-1, float("inf")), "0 or more"),
        ("[1, inf)", (1,), (0,), "at least 1"),
        ("(0, inf)", (1e-9,), (0, -1), "above 0"),
    ],
)
def test_an_interval_means_what_is_written(interval, inside, outside, words):
    for value in inside:
        check_range("it", Setting(value), interval, "value")
    for value in (*outside, float("nan")):
        with pytest.raises(ConfigError) as caught:
            check_range("it", Setting(value), interval, "value")
        assert str(caught.value) == f"it.value must be {words}, got {value!r}"


def test_a_word_is_one_of_its_choices():
    check_choice("it", Setting("red"), "value", Literal["red", "blue"])
    with pytest.raises(
        ConfigError, match=r"it\.value must be one of red, blue, got .r."
    ):
        check_choice("it", Setting("r"), "value", Literal["red", "blue"])
