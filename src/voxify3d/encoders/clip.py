"""CLIP through transformers: the paper's encoder.

Radford et al., "Learning transferable visual models from natural language
supervision" (2021). Weights are read from this machine only, in safetensors only.
"""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from voxify3d.encoders.protocol import WeightsError, frozen, resized, unit
from voxify3d.encoders.weights import DEFAULT_CLIP, clip_folder
from voxify3d.errors import MissingExtraError

DEFAULT_MODEL = DEFAULT_CLIP

# Of OpenAI's training pictures; models trained by others kept these numbers.
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class ClipEncoder:
    """Pictures and sentences in one space of unit vectors.

    Attributes:
        network: transformers' CLIPModel, frozen.
        tokenizer: None where the folder has none: then there are no sentences.
        name: Hub name or folder.
        low_pass: False: CLIP copes with hard edges, and the paper gives it such.
    """

    network: Any
    tokenizer: Any
    name: str
    low_pass: bool = False

    @property
    def input_size(self) -> int:
        """Rows and columns it works at."""
        return self.network.config.vision_config.image_size

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return unit vectors; differentiable in the images.

        Args:
            images: sRGB. Range [0, 1].
        """
        weight = self.network.visual_projection.weight
        images = resized(images, self.input_size).to(weight.device, weight.dtype)
        mean = images.new_tensor(_MEAN)[:, None, None]
        deviation = images.new_tensor(_DEVIATION)[:, None, None]
        seen = self.network.vision_model(pixel_values=(images - mean) / deviation)
        return unit(self.network.visual_projection(seen.pooler_output))

    def text_features(self, texts: list[str]) -> Float[Tensor, "b d"]:
        """Return unit vectors of sentences; those too long are cut.

        Raises:
            WeightsError: The model came without its tokenizer.
        """
        if self.tokenizer is None:
            raise WeightsError(
                f"{self.name}: no tokenizer files, which texts need; "
                "fetch the whole model: voxify3d models pull clip"
            )
        limit = self.network.config.text_config.max_position_embeddings
        tokens = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=limit,
            return_tensors="pt",
        ).to(self.network.text_projection.weight.device)
        with torch.no_grad():
            read = self.network.text_model(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
            return unit(self.network.text_projection(read.pooler_output))


def load_clip(
    model: str = DEFAULT_MODEL,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> ClipEncoder:
    """Return a CLIP model that is on this machine; nothing is fetched.

    Args:
        model: A local folder, or the name of a model of the Hugging Face hub.
        device: Where it runs.
        dtype: Of the weights.

    Raises:
        MissingExtraError: transformers is not installed.
        WeightsError: No such folder, a folder without weights or with pickled ones,
            or a hub model that was never fetched.
    """
    transformers = _transformers()
    from safetensors import SafetensorError

    _check_folder(model)
    place = str(clip_folder(model) or model)
    try:
        with _quiet(transformers):
            network = transformers.CLIPModel.from_pretrained(
                place, local_files_only=True, use_safetensors=True, dtype=dtype
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise WeightsError(_why_not(model, error)) from error
    try:
        with _quiet(transformers):
            tokenizer = transformers.CLIPTokenizer.from_pretrained(
                place, local_files_only=True
            )
    except (OSError, ValueError, KeyError, TypeError):
        tokenizer = None  # features() works without; text_features() says so
    # Where the files are missing, transformers makes an empty tokenizer, silently.
    words = network.config.text_config.vocab_size
    if tokenizer is not None and len(tokenizer) < words / 2:
        tokenizer = None
    return ClipEncoder(frozen(network).to(device), tokenizer, model)


def has_clip(model: str = DEFAULT_MODEL) -> bool:
    """Return whether a model's weights are on this machine; loads nothing."""
    return clip_folder(model) is not None


def _transformers() -> Any:  # noqa: ANN401
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(
            'the clip encoder needs transformers: pip install "voxify3d[clip]"'
        ) from error
    return transformers


def _check_folder(model: str) -> None:
    folder = Path(model)
    looks_local = folder.is_absolute() or model.startswith((".", "~"))
    if not folder.is_dir():
        if looks_local or model.count("/") > 1:
            raise WeightsError(f"{model}: no such folder, expected a saved CLIP model")
        return
    if any(folder.glob("*.safetensors")):
        return
    if pickled := sorted([*folder.glob("*.bin"), *folder.glob("*.pt*")]):
        raise WeightsError(
            f"{model}: only pickled weights ({pickled[0].name}), which can run code "
            "when loaded; save the model as safetensors first"
        )
    raise WeightsError(f"{model}: no model.safetensors in this folder")


def _why_not(model: str, error: Exception) -> str:
    if Path(model).is_dir():
        return f"{model}: not a CLIP model ({str(error).strip().splitlines()[0]})"
    return (
        f"{model} is not on this machine, and nothing is fetched unasked: "
        "voxify3d models pull clip"
    )


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:  # noqa: ANN401
    """Keep the loader's progress bar and reports off the terminal."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
