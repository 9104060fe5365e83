"""Encoders by name, each loaded when it is asked for."""

from collections.abc import Callable
from dataclasses import replace

import torch

from voxify3d.encoders.efficientnet import Lite0Encoder, load_lite0
from voxify3d.encoders.protocol import Encoder
from voxify3d.errors import ConfigError


def load_encoder(
    name: str,
    *,
    device: torch.device | str = "cpu",
    half: bool | None = None,
    input_size: int | None = None,
) -> Encoder | None:
    """Return a frozen encoder by its name, or None for "none".

    Args:
        name: One of `ENCODERS`. After "clip" may follow ":" and a local folder or the
            name of a model of the Hugging Face hub that is on this machine.
        device: Where it runs.
        half: Whether weights are half precision; None for half on a GPU only.
        input_size: Rows and columns, for encoders that leave a choice; None for
            their own.

    Raises:
        ConfigError: An unknown name.
        MissingExtraError: A package that is not installed.
        WeightsError: Weights that are not on this machine, or that are pickled.
    """
    kind, _, model = name.partition(":")
    if kind not in ENCODERS or (model and kind != "clip"):
        choices = ", ".join(ENCODERS)
        raise ConfigError(
            f"encoder must be one of {choices} (or clip:FOLDER), got {name!r}"
        )
    device = torch.device(device)
    dtype = torch.float16 if half or (half is None and device.type == "cuda") else None
    encoder = ENCODERS[kind](model, device, dtype or torch.float32)
    return encoder and at_size(encoder, input_size)


def at_size(encoder: Encoder, input_size: int | None) -> Encoder:
    """Return an encoder at other rows and columns, if it leaves a choice."""
    if input_size is None or not isinstance(encoder, Lite0Encoder):
        return encoder
    return replace(encoder, input_size=input_size)


def _none(model: str, device: torch.device, dtype: torch.dtype) -> None:
    return None


def _lite0(model: str, device: torch.device, dtype: torch.dtype) -> Encoder:
    return load_lite0(device=device, dtype=dtype)


def _clip(model: str, device: torch.device, dtype: torch.dtype) -> Encoder:
    from voxify3d.encoders.clip import DEFAULT_MODEL, load_clip

    return load_clip(model or DEFAULT_MODEL, device=device, dtype=dtype)


ENCODERS: dict[str, Callable[[str, torch.device, torch.dtype], Encoder | None]] = {
    "clip": _clip,
    "efficientnet-lite0": _lite0,
    "none": _none,
}
"""Loaders by name; each imports what it needs when it is called."""
