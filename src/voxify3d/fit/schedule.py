"""Step → temperature and weights. Pure functions of the step."""


def geometric(step: int, steps: int, start: float, end: float) -> float:
    """Return a value that goes from `start` to `end` by equal factors.

    Args:
        step: From 0 to `steps` - 1.
        steps: Steps in all.
        start: Value at step 0; above 0.
        end: Value at the last step; above 0.
    """
    share = step / max(steps - 1, 1)
    return start * (end / start) ** share
