"""The command line: one table of commands × exit code, message and files."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import voxify3d.export
import voxify3d.mesh.load
from voxify3d import __version__
from voxify3d.cli.main import COMMANDS, main
from voxify3d.cli.parse import one_line
from voxify3d.config import PRESETS, VoxelizeConfig, from_dict, to_dict
from voxify3d.manifest import load_manifest, sha256_of
from voxify3d.mesh.settings import LoadConfig
from voxify3d.pipeline import Progress
from voxify3d.types import Frame, Palette, VoxelGrid

SMALL = ["--size", "8", "--preset", "draft"]
"""Options of a conversion that takes a moment."""


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The sample character, as the user gets it."""
    path = tmp_path_factory.mktemp("sample") / "robot.glb"
    assert main(["sample", str(path)]) == 0
    return path


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """No word about encoders: tests/test_semantic_option.py has that."""
    monkeypatch.setattr("voxify3d.cli.convert.settled", lambda config: (config, ""))


@pytest.fixture
def here(tmp_path, monkeypatch, sample):
    """An empty working folder beside a folder of good and bad input."""
    meshes = tmp_path / "in"
    meshes.mkdir()
    glb = sample.read_bytes()
    triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    files = {
        "robot.glb": glb,
        "cut.glb": glb[: len(glb) // 2],
        "header.glb": glb[:15],
        "empty.glb": b"",
        "empty.obj": b"",
        "text.glb": b"Dear diary, this is not a mesh.\n",
        "text.stl": b"Dear diary, this is not a mesh.\n",
        "text.gltf": b"{}",
        "points.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\n",
        "nan.obj": triangle.replace("v 1 0 0", "v nan 0 0").encode(),
        "inf.obj": triangle.replace("v 1 0 0", "v inf 0 0").encode(),
        "dot.obj": b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n",
        "bare.obj": b"mtllib bare.mtl\nusemtl a\nvt 0 0\n"
        + triangle.replace("f 1 2 3", "f 1/1 2/1 3/1").encode(),
        "bare.mtl": b"newmtl a\nKd 1 0 0\nmap_Kd gone.png\n",
        "triangle.obj": triangle.encode(),
        "plane.obj": (triangle.replace("f 1 2 3", "v 1 1 0\nf 1 2 4 3")).encode(),
        "robot.fbx": b"Kaydara FBX Binary  \x00",
        "noise.json": b"[1, 2]",
        "unknown.json": b'{"settings": {"sizes": 8}}',
        "range.json": b'{"settings": {"size": 0}}',
        "wrong.json": b'{"settings": {"fine": {"steps": "many"}}}',
        "broken.json": b"{",
    }
    for name, data in files.items():
        (meshes / name).write_bytes(data)
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.vox").write_bytes(b"old")
    (out / "folder.vox").mkdir()
    monkeypatch.chdir(out)
    return out


def written(folder):
    """Names in the working folder beside those of `here`."""
    return {p.name for p in folder.rglob("*")} - {"old.vox", "folder.vox"}


def fake_steps(mesh, config):
    """A pipeline that takes no time."""
    yield Progress("renders", 1, 1)
    for step in range(3):
        yield Progress("fine", step + 1, 3, {"total": 1.0 / (step + 1)})
    index = np.zeros((2, 3, 4), np.uint8)
    index[0, 0, :3] = 1, 2, 2
    palette = np.zeros((min(config.colors, 8), 3), np.uint8)
    palette[:, 0] = np.arange(len(palette))
    return VoxelGrid(index, Palette(palette), Frame((0.0, 0.0, 0.0), 1.0, (2, 3, 4)))


@pytest.fixture
def fake_pipeline(monkeypatch):
    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", fake_steps)


REFUSED = [
    # words after `convert`, exit code, what stderr says
    ("../in/gone.glb a.vox", 3, r"gone\.glb.*no such file"),
    ("../in a.vox", 3, r"in.*folder|directory"),
    ("../in/empty.glb a.vox", 3, r"empty\.glb.*empty"),
    ("../in/empty.obj a.vox", 3, r"empty\.obj.*empty"),
    ("../in/cut.glb a.vox", 3, r"cut\.glb"),
    ("../in/header.glb a.vox", 3, r"header\.glb"),
    ("../in/text.glb a.vox", 3, r"text\.glb.*no glTF"),
    ("../in/text.stl a.vox", 3, r"text\.stl"),
    ("../in/text.gltf a.vox", 3, r"text\.gltf"),
    ("../in/points.obj a.vox", 3, r"points\.obj.*no faces"),
    ("../in/nan.obj a.vox", 3, r"nan\.obj.*(NaN|finite)"),
    ("../in/inf.obj a.vox", 3, r"inf\.obj.*(NaN|finite)"),
    ("../in/dot.obj a.vox", 3, r"dot\.obj"),
    ("../in/bare.obj a.vox", 3, r"gone\.png.*--allow-missing-textures"),
    ("../in/robot.fbx a.vox", 3, r"robot\.fbx.*\.fbx.*\.glb"),
    ("../in/robot.glb a.xyz", 2, r"a\.xyz.*\.xyz.*\.vox"),
    ("../in/robot.glb a", 2, r"a: .*\.vox"),
    ("../in/robot.glb a.vox a.vox", 2, r"a\.vox: named twice"),
    ("../in/robot.glb ../in/robot.glb --force", 2, r"would replace the mesh"),
    ("../in/robot.glb a.vox --size 0", 2, r"--size must be 1 to 1024, got 0"),
    ("../in/robot.glb a.vox --size 9999", 2, r"--size .*got 9999"),
    ("../in/robot.glb a.vox --size big", 2, r"--size: .*'big'"),
    ("../in/robot.glb a.vox --colors 1", 2, r"--colors must be 2 to 255, got 1"),
    ("../in/robot.glb a.vox --colors 300", 2, r"--colors .*got 300"),
    ("../in/robot.glb a.vox --seed -1", 2, r"--seed .*got -1"),
    ("../in/robot.glb a.vox --front up", 2, r"'up'.*--front.*\+z"),
    ("../in/robot.glb a.vox --up up", 2, r"'up'.*--up.*\+z"),
    ("../in/robot.glb a.vox --rotate 1 2", 2, r"--rotate"),
    ("../in/robot.glb a.vox --pose bound", 2, r"'bound'.*--pose.*nodes.*bind"),
    ("../in/robot.glb a.vox --time 1", 2, r"--time.*--animation"),
    ("../in/robot.glb a.vox --animation Run", 2, r"no animation 'Run'; it holds none"),
    ("../in/robot.glb a.vox --variant Red", 2, r"no variant 'Red'; it holds none"),
    ("../in/triangle.obj a.vox --pose bind", 2, r"--pose bind is for glTF"),
    ("../in/robot.glb a.vox --preset best", 2, r"'best'.*--preset.*draft.*default"),
    ("../in/robot.glb a.vox --fine.steps -2", 2, r"fine\.steps .*got -2"),
    ("../in/robot.glb a.vox --siz 8", 2, r"--siz.*did you mean --size\?"),
    ("", 2, r"missing MESH"),
    ("../in/robot.glb gone/a.vox", 1, r"gone.*does not exist"),
    ("../in/robot.glb folder.vox", 1, r"folder\.vox.*folder"),
    ("../in/robot.glb old.vox", 1, r"old\.vox.*exists.*--force"),
    ("../in/robot.glb a.vox old.vox", 1, r"old\.vox.*exists.*--force"),
    ("../in/robot.glb a.vox --from gone.json", 2, r"gone\.json: no such file"),
    ("../in/robot.glb a.vox --from ../in/noise.json", 2, r"holds no .*manifest"),
    ("../in/robot.glb a.vox --from ../in/broken.json", 2, r"cannot be read"),
    ("../in/robot.glb a.vox --from ../in/text.glb", 2, r"cannot be read"),
    ("../in/robot.glb a.vox --from ../in/robot.fbx", 2, r"cannot be read"),
    ("../in/robot.glb a.vox --from ../in/unknown.json", 2, r"'sizes'.*size"),
    ("../in/robot.glb a.vox --from ../in/range.json", 2, r"--size .*got 0"),
    ("../in/robot.glb a.vox --from ../in/wrong.json", 2, r"FineConfig"),
    (
        "../in/robot.glb a.vox --preset draft --from ../in/range.json",
        2,
        r"--preset or --from",
    ),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSED)
def test_a_mistake_is_one_line_and_leaves_nothing(here, capsys, words, code, message):
    options = [] if "--size" in words else ["--size", "8"]
    assert main(["convert", *words.split(), *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(message, err), err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert written(here) == set()
    assert (here / "old.vox").read_bytes() == b"old"


@pytest.mark.parametrize("words", ["", "--help", "-h"])
def test_help_lists_every_command_with_examples(capsys, words):
    assert main(words.split()) == 0
    out, err = capsys.readouterr()
    assert all(re.search(rf"^  {name} ", out, re.MULTILINE) for name in COMMANDS)
    assert "voxify3d convert robot.glb" in out
    assert err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_shows_an_example(capsys, command):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"voxify3d {command} (robot\.|fox\.|list)", shown)


def test_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"voxify3d {__version__}\n"


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    assert main(["conver", "a.glb"]) == 2
    assert capsys.readouterr().err == (
        f"error: unknown command 'conver'; known: {', '.join(COMMANDS)}\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("", 2, "missing OUT.glb"),
        ("a.obj", 2, r"\.glb"),
        ("gone/a.glb", 1, "does not exist"),
        ("../in/robot.glb", 1, "exists.*--force"),
    ],
)
def test_a_mistake_in_sample_is_one_line(here, capsys, words, code, message):
    assert main(["sample", *words.split()]) == code
    err = capsys.readouterr().err
    assert re.fullmatch(f"error: .*{message}.*\n", err)
    assert written(here) == set()


def test_the_sample_is_the_same_file_every_time(here, sample):
    assert main(["sample", "a.glb"]) == 0
    assert main(["sample", "a.glb", "--force"]) == 0
    assert (here / "a.glb").read_bytes() == sample.read_bytes()


# --- What is written and printed ---------------------------------------------------


def test_stdout_is_the_files_and_stderr_is_empty(here, capsys, fake_pipeline):
    assert main(["convert", "../in/robot.glb", "a.vox", "b.png"]) == 0
    assert capsys.readouterr() == ("a.vox\nb.png\n", "")
    assert written(here) == {"a.vox", "b.png"}


def test_a_palette_of_fewer_colors_than_asked_for_is_told(here, capsys, fake_pipeline):
    assert main(["convert", "../in/robot.glb", "a.vox", "--colors", "20"]) == 0
    assert re.fullmatch(
        r"warning: the result has 8 of 20 colors.*\n", capsys.readouterr().err
    )


def test_without_out_every_format_is_written_here(here, capsys, fake_pipeline):
    assert main(["convert", "../in/robot.glb"]) == 0
    assert capsys.readouterr().out == "robot.vox\nrobot.glb\nrobot.png\n"
    assert written(here) == {"robot.vox", "robot.glb", "robot.png"}


def test_the_mesh_is_never_overwritten(here, sample, capsys, fake_pipeline):
    (here / "robot.glb").write_bytes(sample.read_bytes())
    assert main(["convert", "robot.glb", "--force"]) == 0
    assert capsys.readouterr().out == "robot.vox\nrobot-voxels.glb\nrobot.png\n"
    assert (here / "robot.glb").read_bytes() == sample.read_bytes()


def test_force_overwrites(here, fake_pipeline):
    assert main(["convert", "../in/robot.glb", "old.vox", "--force"]) == 0
    assert (here / "old.vox").read_bytes() != b"old"


def test_json_is_one_object(here, capsys, fake_pipeline):
    words = ["convert", "../in/robot.glb", "a.vox", "--json", "--seed", "3"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    seconds = json.loads(out).pop("seconds")
    assert set(seconds) == {"load", "renders", "fine", "export"}
    assert all(value >= 0 for value in seconds.values())
    assert {**json.loads(out), "seconds": {}} == {
        "outputs": ["a.vox"],
        "size": [2, 3, 4],
        "voxels": 3,
        "colors": 2,  # that are used
        "seed": 3,
        "seconds": {},
        "warnings": [],
        "version": __version__,
    }
    assert err == ""


@pytest.fixture
def terminal(monkeypatch, capsys):
    """The streams say that they are a terminal."""
    stream = type(sys.stderr)
    monkeypatch.setattr(stream, "isatty", lambda self: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.usefixtures("terminal", "fake_pipeline")
def test_a_terminal_shows_stage_step_and_loss(here, capsys):
    assert main(["convert", "../in/robot.glb", "a.vox"]) == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert re.search(r"fine.*3/3.*loss 0\.3333", shown)


@pytest.mark.usefixtures("terminal", "fake_pipeline")
def test_quiet_shows_nothing_on_a_terminal(here, capsys):
    assert main(["convert", "../in/robot.glb", "a.vox", "--quiet"]) == 0
    assert capsys.readouterr() == ("a.vox\n", "")


@pytest.mark.usefixtures("terminal")
def test_errors_are_red_on_a_terminal_unless_no_color(capsys, monkeypatch):
    assert main(["nonsense"]) == 2
    assert re.fullmatch(r"\x1b\[31merror: .*\x1b\[0m\n", capsys.readouterr().err)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["nonsense"]) == 2
    assert re.fullmatch(r"error: .*\n", capsys.readouterr().err)


# --- What goes wrong in the middle -------------------------------------------------


def test_ctrl_c_in_a_step_exits_130_and_leaves_nothing(here, capsys, monkeypatch):
    def interrupted(mesh, config):
        yield Progress("fine", 1, 9, {"total": 1.0})
        raise KeyboardInterrupt

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", interrupted)
    assert main(["convert", "../in/robot.glb", "a.vox", "b.glb"]) == 130
    assert capsys.readouterr() == ("", "error: interrupted\n")
    assert written(here) == set()


@pytest.fixture
def interruptible():
    """Ctrl-C is heard, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("fake_pipeline", "interruptible")
def test_ctrl_c_that_an_import_swallows_counts(here, capsys, monkeypatch):
    load = voxify3d.mesh.load.load_mesh

    def loading(*args, **kwargs):
        with contextlib.suppress(BaseException):  # as trimesh's optional imports do
            signal.raise_signal(signal.SIGINT)
        return load(*args, **kwargs)

    monkeypatch.setattr("voxify3d.mesh.load.load_mesh", loading)
    assert main(["convert", "../in/robot.glb", "a.vox"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
    assert written(here) == set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _failing_second_export(monkeypatch, error):
    """Let the second file fail while it is moved to its place."""
    moves = []
    replace = os.replace

    def failing(source, target):
        moves.append(target)
        if len(moves) == 2:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)


def test_ctrl_c_while_writing_leaves_nothing(here, capsys, monkeypatch, fake_pipeline):
    _failing_second_export(monkeypatch, KeyboardInterrupt())
    assert main(["convert", "../in/robot.glb", "a.vox", "b.glb"]) == 130
    assert written(here) == set()


def test_a_full_disk_is_one_line_and_leaves_nothing(
    here, capsys, monkeypatch, fake_pipeline
):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    _failing_second_export(monkeypatch, full)
    assert main(["convert", "../in/robot.glb", "a.vox", "b.glb"]) == 1
    err = capsys.readouterr().err
    assert re.fullmatch(r"error: b\.glb: .*No space left.*\n", err)
    assert written(here) == set()


def test_a_folder_that_refuses_is_found_before_work(here, capsys, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def never(mesh, config):
        pytest.fail("work was done")

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", never)
    monkeypatch.setattr(Path, "touch", refuse)
    assert main(["convert", "../in/robot.glb", "a.vox"]) == 1
    assert re.fullmatch(
        r"error: a\.vox: .*Permission denied.*\n", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "not enough memory; try a smaller --size"),
        (FloatingPointError("loss at step 3 is nan"), "step 3 is nan; try smaller"),
    ],
)
def test_what_large_settings_cause_is_one_line(
    here, capsys, monkeypatch, error, message
):
    def failing(mesh, config):
        raise error
        yield

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", failing)
    assert main(["convert", "../in/robot.glb", "a.vox"]) == 1
    err = capsys.readouterr().err
    assert re.fullmatch(f"error: .*{message}.*\n", err)
    assert written(here) == set()


def test_our_own_fault_keeps_its_traceback(here, monkeypatch):
    def wrong(mesh, config):
        raise AssertionError("our fault")
        yield

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", wrong)
    with pytest.raises(AssertionError, match="our fault"):
        main(["convert", "../in/robot.glb", "a.vox"])
    assert written(here) == set()


# --- Settings: presets, options, manifests -----------------------------------------


@pytest.fixture
def settings_used(monkeypatch):
    """Every config that the pipeline is called with."""
    used = []

    def recording(mesh, config):
        used.append(config)
        return (yield from fake_steps(mesh, config))

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", recording)
    return used


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_where_options_start(here, settings_used, preset):
    words = ["convert", "../in/robot.glb", "a.vox", "--colors", "5"]
    assert main([*words, "--preset", preset]) == 0
    want = to_dict(PRESETS[preset]) | {"colors": 5}
    assert to_dict(settings_used[0]) == want


@pytest.mark.parametrize("order", [1, -1])
def test_an_option_overrides_its_preset_in_any_order(here, settings_used, order):
    options = [["--preset=draft"], ["--fine.steps", "7"]][::order]
    assert main(["convert", "../in/robot.glb", "a.vox", *options[0], *options[1]]) == 0
    assert settings_used[0].fine.steps == 7


def test_a_front_that_starts_with_a_dash_is_understood(here, settings_used):
    assert main(["convert", "../in/robot.glb", "a.vox", "--front", "-x"]) == 0
    assert settings_used[0].front == "-x"


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_survive_json(preset):
    config = PRESETS[preset]
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("suffix", voxify3d.export.EXPORTERS)
def test_every_output_holds_its_manifest(here, sample, fake_pipeline, suffix):
    path = here / f"a{suffix}"
    assert main(["convert", "../in/robot.glb", path.name, *SMALL]) == 0
    assert load_manifest(path) == {
        "generator": "voxify3d",
        "version": __version__,
        "input": {
            "name": "robot.glb",
            "sha256": sha256_of(sample),
        },
        "load": json.loads(json.dumps(to_dict(LoadConfig()))),
        "settings": json.loads(
            json.dumps(to_dict(PRESETS["draft"]) | {"size": 8}),
        ),
    }


@pytest.mark.parametrize("suffix", voxify3d.export.EXPORTERS)
def test_from_an_output_repeats_its_run(here, capsys, settings_used, suffix):
    words = ["convert", "../in/robot.glb"]
    options = ["--size", "9", "--fine.steps", "4", "--seed", "5", "--front", "+x"]
    assert main([*words, f"a{suffix}", *options]) == 0
    assert main([*words, f"b{suffix}", "--from", f"a{suffix}"]) == 0
    assert settings_used[0] == settings_used[1]
    assert (here / f"a{suffix}").read_bytes() == (here / f"b{suffix}").read_bytes()
    assert capsys.readouterr().err == ""


def test_from_a_manifest_file_and_an_option_on_top(here, settings_used):
    manifest = {"version": __version__, "settings": {"size": 12, "seed": 2}}
    (here / "m.json").write_text(json.dumps(manifest))
    words = ["convert", "../in/robot.glb", "a.vox", "--from", "m.json", "--size", "7"]
    assert main(words) == 0
    assert settings_used == [VoxelizeConfig(size=7, seed=2)]


def test_from_another_mesh_or_version_warns(here, capsys, fake_pipeline):
    manifest = {"version": "0.0.1", "input": {"name": "cat.glb"}, "settings": {}}
    (here / "m.json").write_text(json.dumps(manifest))
    assert main(["convert", "../in/robot.glb", "a.vox", "--from", "m.json"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"warning: --from is of version 0\.0\.1.*", first)
    assert re.fullmatch(r"warning: .*robot\.glb: not the file .*cat\.glb.*", second)


@pytest.mark.filterwarnings("default")
def test_warnings_of_the_library_are_lines_and_part_of_the_json(
    here, capsys, monkeypatch
):
    def warning(mesh, config):
        warnings.warn("the grid is huge", stacklevel=2)
        warnings.warn("numpy says", RuntimeWarning, stacklevel=2)
        return (yield from fake_steps(mesh, config))

    monkeypatch.setattr("voxify3d.pipeline.voxelize_steps", warning)
    assert main(["convert", "../in/robot.glb", "a.vox", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["warnings"] == ["the grid is huge"]
    assert err == "warning: the grid is huge\n"
    assert main(["convert", "../in/robot.glb", "b.vox", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_run_without_textures_is_repeated_without(here, capsys, fake_pipeline):
    words = ["convert", "../in/bare.obj"]
    assert main([*words, "a.vox", "--allow-missing-textures"]) == 0
    assert re.search(r"warning: .*gone\.png", capsys.readouterr().err)
    assert main([*words, "b.vox", "--from", "a.vox"]) == 0
    assert (here / "a.vox").read_bytes() == (here / "b.vox").read_bytes()


# --- The real thing, small ---------------------------------------------------------


def test_a_character_becomes_voxels_and_again_the_same_bytes(here, capsys):
    words = ["convert", "../in/robot.glb"]
    assert main([*words, "a.vox", "a.glb", "a.png", *SMALL, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert max(report["size"]) == 8
    assert report["colors"] <= 8
    assert report["voxels"] > 0
    grid = voxify3d.export.read_voxels(here / "a.vox")
    assert list(grid.index.shape) == report["size"]
    assert int(grid.occupied.sum()) == report["voxels"]
    for suffix in (".vox", ".glb", ".png"):
        assert main([*words, f"b{suffix}", "--from", "a.vox"]) == 0
        again = (here / f"b{suffix}").read_bytes()
        assert again == (here / f"a{suffix}").read_bytes()


@pytest.mark.parametrize("mesh", ["triangle.obj", "plane.obj"])
def test_a_flat_mesh_is_one_layer(here, capsys, mesh):
    assert main(["convert", f"../in/{mesh}", "a.vox", *SMALL, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert sorted(report["size"]) == [1, 8, 8]


# --- Light ------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["--help", "convert --help", "sample --help"])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys; from voxify3d.cli.main import main; "
        f"assert main({words.split()!r}) == 0; "
        "heavy = {'torch', 'scipy', 'trimesh', 'embreex', 'PIL', 'networkx'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "voxify3d", "nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown command 'nonsense'")


@pytest.mark.parametrize(
    ("box", "line"),
    [
        (
            "╭─ Value error ─╮\n│ Error parsing config.fine: steps: bad │\n"
            "│ ───────────── │\n│ For full helptext, see x --help │\n╰──╯\n",
            "steps: bad",
        ),
        (
            " Value error \n ------------- \n  Error parsing --size: bad  \n"
            "  -------------  \n  For full helptext, see x --help\n",
            "--size: bad",
        ),
        ("something new", "something new"),
    ],
)
def test_boxes_become_lines(box, line):
    assert one_line(box) == line
