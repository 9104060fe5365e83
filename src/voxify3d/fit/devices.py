"""Devices that settings may name, and the one line that refuses the rest."""

import torch

from voxify3d.errors import ConfigError


def device_of(setting: str, name: str) -> torch.device:
    """Return the device that a setting names.

    Args:
        setting: As options have it: "semantics.device".
        name: Its value.

    Raises:
        ConfigError: It is not on this machine.
    """
    known = devices()
    if name not in known:
        raise ConfigError(
            f"{setting} must be a device that torch finds here ({', '.join(known)}), "
            f"got {name!r}; take one of these, or install a torch that is built for "
            "yours"
        )
    return torch.device(name)


def devices() -> tuple[str, ...]:
    """Return the devices of this machine, by torch's names."""
    found = torch.accelerator.current_accelerator()
    if found is None or not torch.accelerator.is_available():
        return ("cpu",)
    numbers = range(torch.accelerator.device_count())
    return ("cpu", found.type, *(f"{found.type}:{number}" for number in numbers))
