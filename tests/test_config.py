import json
from dataclasses import replace
from typing import get_args

import pytest

from voxify3d.cli.convert import parse_convert
from voxify3d.cli.main import main
from voxify3d.color.palette import STRATEGIES
from voxify3d.config import (
    ABLATIONS,
    PRESETS,
    VoxelizeConfig,
    from_dict,
    to_dict,
    without,
)
from voxify3d.errors import ConfigError
from voxify3d.fit.settings import CoarseConfig, FineConfig
from voxify3d.pixelart.settings import PaletteStrategy

PAPER = PRESETS["paper"]


def test_the_paper_preset_has_the_papers_numbers():
    radiance, fine = PAPER.coarse.radiance, PAPER.fine.paper
    assert (PAPER.coarse.method, PAPER.fine.method) == ("radiance", "paper")
    assert (radiance.steps, radiance.rays, radiance.views) == (8000, 8192, 100)
    assert (radiance.density_rate, radiance.color_rate) == (0.1, 0.1)
    assert (fine.steps, fine.rays, fine.patch_share) == (6500, 8192, 0.5)
    assert (fine.density_rate, fine.logit_rate) == (5e-3, 0.1)
    assert (fine.pixel_weight, fine.alpha_weight) == (10, 20)
    assert (fine.depth_weight_coarse, fine.depth_weight, fine.depth_weight_late) == (
        *(10, 20, 30),
    )


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    text = json.dumps(to_dict(PRESETS[name]))
    assert from_dict(json.loads(text)) == PRESETS[name]


def test_the_settings_know_all_palette_strategies():
    assert set(get_args(PaletteStrategy)) == set(STRATEGIES)


# Leaving out parts ---------------------------------------------------------------


@pytest.mark.parametrize("part", ABLATIONS)
def test_each_part_can_be_left_out_and_changes_something(part):
    assert without(PAPER, [part]) != PAPER


def test_nothing_left_out_is_the_paper():
    assert without(PAPER, []) == PAPER
    assert without(VoxelizeConfig(), []) == VoxelizeConfig()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["stage1", "stage2"], "stage1 and stage2 exclude each other"),
        (["gumbel", "straight-through"], "exclude each other"),
        (["stage2", "depth"], "leaves nothing for the other parts"),
        (["soul"], "must be of stage1, stage2, .* got 'soul'"),
    ],
)
def test_contradictions_are_refused(parts, message):
    with pytest.raises(ConfigError, match=message):
        without(PAPER, parts)


def test_only_the_paper_has_parts_to_leave_out():
    with pytest.raises(ConfigError, match="add --preset paper"):
        without(VoxelizeConfig(), ["depth"])


@pytest.mark.parametrize(
    ("coarse", "fine", "message"),
    [
        ({"method": "none"}, {}, "needs fine.method paper"),
        ({"method": "none"}, {"method": "paper", "steps": 0}, "leave nothing to do"),
        ({}, {"method": "paper", "rendering": "perspective"}, "use --coarse radiance"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(coarse, fine, message):
    own = {k: v for k, v in fine.items() if k == "method"}
    paper = {k: v for k, v in fine.items() if k != "method"}
    settings = FineConfig(**own)
    settings = replace(settings, paper=replace(settings.paper, **paper))
    with pytest.raises(ConfigError, match=message):
        VoxelizeConfig(coarse=CoarseConfig(**coarse), fine=settings)


# On the command line -------------------------------------------------------------


def test_coarse_and_palette_may_be_written_short():
    command, _ = parse_convert(
        ["a.glb", "--coarse", "radiance", "--palette=maxmin", "--size", "9"]
    )
    assert command.config.coarse.method == "radiance"
    assert command.config.pixelart.palette == "maxmin"


def test_without_comes_after_the_preset_and_what_is_given():
    command, _ = parse_convert(
        ["a.glb", "--preset", "paper", "--without", "depth", "--without", "alpha"]
    )
    assert command.config == without(PAPER, ["depth", "alpha"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--preset paper --without stage1 --without stage2", "exclude each other"),
        ("--preset paper --without soul", "soul"),
        ("--without depth", "add --preset paper"),
        ("--preset papers", "papers"),
        ("--palette oil", "invalid choice 'oil'"),
        ("--coarse oil", "invalid choice 'oil'"),
        ("--fine.paper.steps -1", "fine.paper.steps must be 0 or more, got -1"),
        ("--fine.paper.alpha-weight -1", "alpha_weight must be 0 or more"),
        ("--coarse.radiance.steps 0", "radiance.steps must be at least 1"),
        ("--coarse.radiance.entropy-weight -1", "entropy_weight must be 0 or more"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(words, message, capsys):
    assert main(["convert", "a.glb", *words.split()]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
