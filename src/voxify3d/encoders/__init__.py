"""Pretrained networks behind one small protocol: pictures to unit features.

Nothing here touches the network: weights are read from this machine, and an error
says how to get them. (Fetching is `encoders/fetch.py`, which only `voxify3d models
pull` calls.)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxify3d.encoders.protocol import Encoder
    from voxify3d.encoders.registry import ENCODERS, load_encoder

__all__ = ["ENCODERS", "Encoder", "load_encoder"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used: torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from voxify3d.encoders import protocol, registry

    return getattr(protocol if name == "Encoder" else registry, name)
