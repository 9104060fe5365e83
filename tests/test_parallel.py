import threading

import pytest

from voxify3d.parallel import each


def test_results_come_in_the_order_of_the_items_whoever_ends_first():
    last = threading.Event()

    def wait(number):
        if number == 0:
            last.wait(timeout=5)
        elif number == 1:
            last.set()
        return number**2

    assert each(wait, range(7)) == [n**2 for n in range(7)]


def test_an_error_in_one_of_them_is_raised():
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 // number, [2, 1, 0])
