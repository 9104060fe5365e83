"""What the tests of comparisons share."""

SIZE = 10


def finish(steps):
    """The value a generator returns, and what it yielded."""
    said = []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as stop:
            return stop.value, said
