import errno
import os
import stat

import numpy as np
import pytest
from grids import grid_of, six_colored, tripod

from voxify3d.errors import ExportError, MeshError
from voxify3d.export import EXPORTERS, check_writable, export, read_voxels

suffixes = pytest.mark.parametrize("suffix", [".vox", ".glb"])


@suffixes
def test_the_same_grid_gives_the_same_bytes(suffix, tmp_path):
    grid = grid_of(six_colored(), manifest={"b": 1, "a": [1.5, None, "x"]})
    first = export(grid, tmp_path / f"1{suffix}").read_bytes()
    again = grid_of(six_colored(), manifest={"a": [1.5, None, "x"], "b": 1})
    assert export(again, tmp_path / f"2{suffix}").read_bytes() == first


@pytest.mark.parametrize("name", ["a.obj", "a", ".vox"])
def test_an_unknown_suffix_names_the_known_ones(name, tmp_path):
    with pytest.raises(ExportError, match=r"\.vox, \.glb, \.png"):
        export(grid_of(tripod()), tmp_path / name)


def test_upper_case_suffixes_are_the_same(tmp_path):
    assert export(grid_of(tripod()), tmp_path / "A.VOX").stat().st_size > 0


@pytest.mark.parametrize("refuse", [export, check_writable])
def test_a_file_is_replaced_only_when_asked(refuse, tmp_path):
    path = tmp_path / "a.vox"
    path.write_bytes(b"mine")

    def ask(**options):
        if refuse is export:
            return export(grid_of(tripod()), path, **options)
        return check_writable(path, **options)

    with pytest.raises(ExportError, match=r"a\.vox: exists already; use --force"):
        ask()
    assert path.read_bytes() == b"mine"
    ask(overwrite=True)
    assert (path.read_bytes() == b"mine") == (refuse is check_writable)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda at: at / "none" / "a.vox", "none does not exist; make it first"),
        (lambda at: (at / "file").touch() or at / "file" / "a.vox", "does not exist"),
        (lambda at: (at / "d.vox").mkdir() or at / "d.vox", "is a folder"),
        (lambda at: at / ("n" * 300 + ".vox"), "cannot be written"),
        (lambda at: at / "nul\0.vox", "not a usable path"),
    ],
    ids=["no-folder", "file-as-folder", "folder", "long-name", "zero-byte"],
)
def test_a_bad_place_is_refused_in_one_line(make, message, tmp_path):
    path = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    for ask in (lambda: check_writable(path), lambda: export(grid_of(tripod()), path)):
        with pytest.raises(ExportError, match=message) as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_read_only_folder_is_refused_before_the_work(tmp_path, monkeypatch):
    # Simulated, since tests may run as a user whom permissions do not stop.
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    with pytest.raises(ExportError, match="Permission denied"):
        check_writable(tmp_path / "a.vox")


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@suffixes
@pytest.mark.parametrize("where", ["os.replace", "os.fsync"])
def test_a_full_disk_leaves_nothing_behind(where, suffix, tmp_path, monkeypatch):
    monkeypatch.setattr(where, full)
    with pytest.raises(ExportError, match=r"No space left on device\); free the disk"):
        export(grid_of(tripod()), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.vox"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ExportError):
        export(grid_of(tripod()), path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        export(grid_of(tripod()), tmp_path / "a.vox")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_grid_is_refused(tmp_path):
    with pytest.raises(ExportError, match="no voxels"):
        export(grid_of(np.zeros((2, 2, 2), np.uint8)), tmp_path / "a.vox")


def test_a_link_keeps_pointing_where_it_did(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.vox", tmp_path / "a.vox"
    target.touch()
    link.symlink_to(target)
    export(grid_of(tripod()), link, overwrite=True)
    assert link.is_symlink()
    assert target.stat().st_size > 0


def test_the_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    path = export(grid_of(tripod()), tmp_path / "a.vox")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(
        (tmp_path / "usual").stat().st_mode
    )


def test_voxels_cannot_be_read_from_a_picture(tmp_path):
    path = tmp_path / "a.png"
    path.touch()
    with pytest.raises(MeshError, match=r"known are \.vox, \.glb"):
        read_voxels(path)


def test_every_format_has_a_lower_case_suffix():
    assert all(suffix == suffix.lower() for suffix in EXPORTERS)
