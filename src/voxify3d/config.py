"""VoxelizeConfig: the stages' settings put together, and the presets."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from voxify3d.choices import Direction
from voxify3d.encoders.weights import AUTOMATIC, available_encoder, check_wish
from voxify3d.errors import ConfigError
from voxify3d.fit.radiance_settings import RadianceConfig
from voxify3d.fit.semantic_settings import PAPER_SEMANTICS, SemanticConfig
from voxify3d.fit.settings import CoarseConfig, FineConfig
from voxify3d.mesh.emphasis_settings import emphasis_of
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.voxels.settings import FillConfig

Phase = Literal["auto", "middle", "search"]
_SMALL = 64
"""Size up to which `auto` searches: there half a voxel is an eye or a leg. Larger grids
would take seconds more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoxelizeConfig:
    """Everything that decides what the voxel art looks like."""

    size: int = 40
    """Voxels along the longest side. Smaller is blockier."""
    colors: int = 8
    """Most colors in the result, 2 to 255."""
    front: Direction = "+z"
    """Direction the object's face points to, in the mesh file's axes."""
    phase: Phase = "auto"
    """How the grid lies on the mesh: `middle`, as few voxels as hold it; `search` tries
    half a voxel to and fro along the shorter sides and keeps what looks most like the
    mesh (up to twice as long); `auto` searches up to 32 voxels."""
    emphasize: str = ""
    """Make a part larger first, as chibi artists do: REGION or REGION:FACTOR. A region
    is `head`, the name of a node or material, or a box in fractions of the mesh's
    (0..1,0.6..1,0..1); the factor is above 1, at most 3 (1.5 when not said)."""
    seed: int = 0
    """Of everything random. The same seed gives the same bytes."""
    semantic: str = "auto"
    """Encoder of the semantic loss: auto (CLIP if its weights are on this machine, else
    none), best (else the embedded one), clip, clip:FOLDER, efficientnet-lite0, none."""
    pixelart: PixelArtConfig = field(default_factory=PixelArtConfig)
    coarse: CoarseConfig = field(default_factory=CoarseConfig)
    fine: FineConfig = field(default_factory=FineConfig)
    semantics: SemanticConfig = field(default_factory=SemanticConfig)
    fill: FillConfig = field(default_factory=FillConfig)

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 1024:
            raise ConfigError(f"--size must be 1 to 1024, got {self.size}")
        if not 2 <= self.colors <= 255:
            raise ConfigError(f"--colors must be 2 to 255, got {self.colors}")
        if self.front not in get_args(Direction):
            choices = ", ".join(get_args(Direction))
            raise ConfigError(f"--front must be one of {choices}, got {self.front!r}")
        if self.phase not in get_args(Phase):
            choices = ", ".join(get_args(Phase))
            raise ConfigError(f"--phase must be one of {choices}, got {self.phase!r}")
        if self.emphasize:
            emphasis_of(self.emphasize)
        if self.seed < 0:
            raise ConfigError(f"--seed must be 0 or more, got {self.seed}")
        check_wish(self.semantic)
        paper = self.fine.method == "paper"
        if self.coarse.method == "none" and not paper:
            raise ConfigError("coarse.method none needs fine.method paper (ablations)")
        if self.coarse.method == "none" and not self.fine.paper.steps:
            raise ConfigError(
                "coarse.method none and fine.paper.steps 0 (no stage 1 and no stage 2) "
                "leave nothing to do"
            )
        if self.is_perspective and self.coarse.method == "surface":
            raise ConfigError(
                "fine.paper.rendering perspective does not fit coarse.method surface, "
                "which knows the exact views; use --coarse radiance"
            )

    @property
    def uses_encoder(self) -> bool:
        """Whether an encoder, if there is one, has anything to say."""
        paper = self.fine.method == "paper"
        steps = self.fine.paper.steps if paper else self.fine.steps
        asked = self.semantics.weight > 0 and steps > 0
        return self.semantic != "none" and (asked or len(candidates(self)) > 1)

    @property
    def searches_phase(self) -> bool:
        """Whether several grids are tried; the paper has one."""
        small = self.size <= _SMALL and self.fine.method != "paper"
        return self.phase == "search" or (self.phase == "auto" and small)

    @property
    def is_perspective(self) -> bool:
        """Whether the six views are seen from an eye, not along parallel rays."""
        paper = self.fine.method == "paper" and self.fine.paper.steps > 0
        return paper and self.fine.paper.rendering == "perspective"


DEFAULT = VoxelizeConfig()

PRESETS: dict[str, VoxelizeConfig] = {
    "draft": VoxelizeConfig(fine=FineConfig(steps=0)),
    "default": DEFAULT,
    "quality": VoxelizeConfig(semantic="best", semantics=SemanticConfig(candidates=4)),
    "paper": VoxelizeConfig(
        coarse=CoarseConfig(method="radiance", radiance=RadianceConfig()),
        fine=FineConfig(method="paper"),
        semantics=PAPER_SEMANTICS,
    ),
}
"""draft: no gradient steps; default: the recipe of docs/method.md; quality: with
an encoder's loss and choice (docs/semantic.md); paper: the paper's
own two stages and numbers (docs/paper.md)."""


def _change_paper(config: VoxelizeConfig, **changes: Any) -> VoxelizeConfig:  # noqa: ANN401
    fine = config.fine
    return replace(config, fine=replace(fine, paper=replace(fine.paper, **changes)))


def _no_pixel_art(config: VoxelizeConfig) -> VoxelizeConfig:
    plain = replace(config.pixelart, cell_color="mean", feature_weight=0.0)
    return replace(_change_paper(config, target="downscaled"), pixelart=plain)


def settled(config: VoxelizeConfig) -> tuple[VoxelizeConfig, str]:
    """Return the config with the encoder this machine has, and one line about it.

    The line is empty where the encoder was named, or has nothing to say.
    """
    if config.semantic not in AUTOMATIC:
        return config, ""
    if not config.uses_encoder:
        return replace(config, semantic="none"), ""
    name, why = available_encoder(config.semantic)
    return replace(config, semantic=name), why


def candidates(config: VoxelizeConfig) -> list[VoxelizeConfig]:
    """Return what a result may be made with; the encoder chooses among the results.

    All are as the settings want them: none trades a rule of the art for likeness.
    """
    if config.fine.method == "paper" or config.coarse.method != "surface":
        return [config]
    fine, art = config.fine, config.pixelart
    alone = replace(config, semantics=replace(config.semantics, weight=0.0))
    made = [
        config,
        alone,
        replace(alone, fine=replace(fine, steps=0)),
        replace(alone, pixelart=replace(art, rarity=max(art.rarity - 1, 1.0))),
    ]
    different = [c for i, c in enumerate(made) if c not in made[:i]]
    return different[: config.semantics.candidates]


ABLATIONS: dict[str, Callable[[VoxelizeConfig], VoxelizeConfig]] = {
    "stage1": lambda c: replace(c, coarse=replace(c.coarse, method="none")),
    "stage2": lambda c: _change_paper(c, steps=0),
    "orthographic": lambda c: _change_paper(c, rendering="perspective"),
    "pixelart": _no_pixel_art,
    "depth": lambda c: _change_paper(c, depth_weight=0.0, depth_weight_coarse=0.0),
    "alpha": lambda c: _change_paper(c, alpha_weight=0.0),
    "semantic": lambda c: replace(_change_paper(c, patch_share=0.0), semantic="none"),
    "gumbel": lambda c: _change_paper(c, color="continuous"),
    "straight-through": lambda c: _change_paper(c, color="gumbel"),
}
"""Part of the paper's method → the config without it."""


def without(config: VoxelizeConfig, parts: Sequence[str]) -> VoxelizeConfig:
    """Return the paper's method without some of its parts.

    Args:
        config: With `fine.method` paper.
        parts: Names in `ABLATIONS`.

    Raises:
        ConfigError: An unknown part, parts that exclude each other, or a config
            that does not follow the paper.
    """
    if parts and config.fine.method != "paper":
        raise ConfigError("--without leaves out parts of the paper: add --preset paper")
    for part in parts:
        if part not in ABLATIONS:
            known = ", ".join(ABLATIONS)
            raise ConfigError(f"--without must be of {known}, got {part!r}")
    for one, other in (("stage1", "stage2"), ("gumbel", "straight-through")):
        if one in parts and other in parts:
            raise ConfigError(f"--without {one} and {other} exclude each other")
    if "stage2" in parts and len(set(parts)) > 1:
        raise ConfigError("--without stage2 leaves nothing for the other parts to do")
    for part in parts:
        config = ABLATIONS[part](config)
    return config


def to_dict(config: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a config as nested dicts of JSON types."""
    return dataclasses.asdict(config)


def from_dict(values: dict[str, Any], kind: type = VoxelizeConfig) -> Any:  # noqa: ANN401
    """Return the config that `to_dict` made, checking names and ranges.

    Raises:
        ConfigError: An unknown name, or a value outside its range.
    """
    known = {f.name: f for f in dataclasses.fields(kind)}
    unknown = set(values) - set(known)
    if unknown:
        raise ConfigError(
            f"unknown setting {sorted(unknown)[0]!r} in {kind.__name__}; "
            f"known: {', '.join(known)}"
        )
    built = {
        name: from_dict(value, known[name].type)  # type: ignore[arg-type]
        if dataclasses.is_dataclass(known[name].type) and isinstance(value, dict)
        else _tuples(value)
        for name, value in values.items()
    }
    try:
        return kind(**built)
    except TypeError as error:
        raise ConfigError(f"bad value in {kind.__name__}: {error}") from error


def _tuples(value: Any) -> Any:  # noqa: ANN401
    """Return JSON's lists as the tuples they were."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
