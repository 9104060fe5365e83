"""What a setting may be, and the one line that refuses the rest. No torch here."""

import math
from typing import Any, get_args

from voxify3d.errors import ConfigError


def check_range(owner: str, config: object, interval: str, *names: str) -> None:
    """Refuse settings outside an interval.

    Args:
        owner: Path of the config, as options have it: "fine.paper".
        config: Whose settings they are.
        interval: As it is written: "[0, 1)", "(0, inf)". NaN is in none.
        names: Settings.

    Raises:
        ConfigError: A value is outside.
    """
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    for name in names:
        value = getattr(config, name)
        above = value >= low if interval[0] == "[" else value > low
        below = value <= high if interval[-1] == "]" else value < high
        if not (above and below):
            raise refusal(owner, config, name, _in_words(interval, low, high))


def check_choice(owner: str, config: object, name: str, choices: Any) -> None:  # noqa: ANN401
    """Refuse a word that a Literal does not have.

    Raises:
        ConfigError: The value is another.
    """
    known = get_args(choices)
    if getattr(config, name) not in known:
        raise refusal(owner, config, name, "one of " + ", ".join(known))


def refusal(owner: str, config: object, name: str, expected: str) -> ConfigError:
    """Return the error of a setting that is not what is expected."""
    value = getattr(config, name)
    return ConfigError(f"{owner}.{name} must be {expected}, got {value!r}")


def _in_words(interval: str, low: float, high: float) -> str:
    if high < math.inf:
        return f"in {interval}"
    if interval[0] == "(":
        return f"above {low:g}"
    return f"at least {low:g}" if low else "0 or more"
