"""Fetch CLIP from the Hugging Face hub: only when asked, resumable, checked.

The one place of the package that uses the network. Weights end up as safetensors in
the user's cache; a repository that has pickled weights alone is converted here, by a
loader that runs no code of theirs (torch.load with weights_only).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxify3d.encoders.weights import DEFAULT_CLIP, has_weights, pulled_folder
from voxify3d.errors import MissingExtraError, WeightsError

_SMALL = (
    "config.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)
_PICKLED = "pytorch_model.bin"


@dataclass(frozen=True, slots=True)
class Item:
    """A file to fetch.

    Attributes:
        name: In the repository.
        size: Bytes.
        sha256: Of its content, where the hub knows it.
    """

    name: str
    size: int
    sha256: str | None


def contents(model: str = DEFAULT_CLIP) -> tuple[Item, ...]:
    """Return the files of a hub model that are needed, weights last.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        WeightsError: The hub cannot be reached, or has no such weights.
    """
    hub = _hub()
    try:
        info = hub.HfApi().model_info(model, files_metadata=True, timeout=20)
    except Exception as error:
        raise _unreached(model, error) from error
    found = {
        file.rfilename: Item(
            file.rfilename, file.size or 0, getattr(file.lfs, "sha256", None)
        )
        for file in info.siblings or ()
    }
    weights = sorted(name for name in found if name.endswith(".safetensors"))
    weights = weights or [name for name in (_PICKLED,) if name in found]
    if not weights or "config.json" not in found:
        raise WeightsError(f"{model}: no weights of a CLIP model on the hub")
    index = [n for n in found if n.endswith(".safetensors.index.json")]
    small = [name for name in _SMALL if name in found]
    return tuple(found[name] for name in (*small, *index, *weights))


def pull(
    model: str = DEFAULT_CLIP,
    *,
    announce: Callable[[tuple[Item, ...], Path], None] | None = None,
) -> Path:
    """Fetch a CLIP model and return its folder; what is there already stays.

    A transfer that broke off is taken up where it stopped.

    Args:
        model: Hub name.
        announce: Told the files and the folder before anything is fetched.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        WeightsError: The hub cannot be reached, or sent something else.
    """
    folder = pulled_folder(model)
    if has_weights(folder):
        return folder
    items = contents(model)
    if announce:
        announce(items, folder)
    hub = _hub()
    for item in items:
        try:
            got = hub.hf_hub_download(model, item.name, local_dir=folder)
        except Exception as error:
            raise _unreached(model, error) from error
        check(Path(got), item)
    if (folder / _PICKLED).exists():
        convert(folder / _PICKLED)
    return folder


def check(path: Path, item: Item) -> None:
    """Compare a fetched file with what the hub says of it.

    Raises:
        WeightsError: It differs; the file is gone, so that the next try fetches it.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    size = path.stat().st_size
    same = item.sha256 is None or digest.hexdigest() == item.sha256
    if not same or (item.size and size != item.size):
        path.unlink()
        raise WeightsError(
            f"{item.name}: damaged on the way ({size} of {item.size} bytes, or another "
            "SHA-256); pull again"
        )


def convert(path: Path) -> None:
    """Turn pickled weights into model.safetensors beside them, and remove them.

    Raises:
        WeightsError: They hold something else than tensors.
    """
    import pickle

    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).strip().split("\n")[0]
        raise WeightsError(f"{path.name}: not plain weights ({reason})") from error
    tensors = {name: value.clone().contiguous() for name, value in state.items()}
    part = path.with_name("model.safetensors.part")
    save_file(tensors, part, metadata={"format": "pt"})
    part.replace(path.with_name("model.safetensors"))
    path.unlink()


def _hub() -> Any:  # noqa: ANN401
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError(
            'fetching CLIP needs huggingface_hub: pip install "voxify3d[clip]"'
        ) from error
    return huggingface_hub


def _unreached(model: str, error: Exception) -> WeightsError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return WeightsError(
        f"{model}: cannot be fetched ({reason}); check the connection and pull again, "
        "or copy the model here and use --semantic clip:FOLDER"
    )
