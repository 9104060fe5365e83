"""A .zip that holds one mesh with its textures → files, for a while."""

import contextlib
import lzma
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from voxify3d.errors import MeshError
from voxify3d.mesh.files import MAX_FILE_BYTES, read_bytes

MAX_MEMBERS = 10_000
MAX_BYTES = 1 << 30
"""Of all members together, unpacked."""

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
"""What zipfile raises for archives that are damaged or of a kind it cannot unpack."""

_BLOCK = 1 << 20
_FREE_BYTES, _MOST_TIMES = 32 << 20, 50
"""A member may unpack to the first, or to as many times its packed size: text and
pictures come to 5 to 20 times, zeros to 1,000."""


def check_packing(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: str) -> None:
    """Refuse a member that unpacks to far more than any mesh or picture does.

    Raises:
        MeshError: It does.
    """
    packed = min(info.compress_size, archive.start_dir)  # the first may lie
    if info.file_size > max(_FREE_BYTES, _MOST_TIMES * packed):
        raise MeshError(
            f"{source}: member {info.filename[:80]!r} unpacks from {packed:,} to "
            f"{info.file_size:,} bytes, which is refused. Unpack it and give the mesh "
            "inside."
        )


@contextlib.contextmanager
def unpacked(path: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """Unpack a .zip for a while, and give the path of the one mesh in it.

    Args:
        path: The archive.
        suffixes: Of meshes, in lower case.

    Raises:
        MeshError: The archive is damaged, too large, unsafe, or does not hold one mesh;
            or what is raised inside, with the archive's name before it.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        read_bytes(path)
    with tempfile.TemporaryDirectory(prefix="voxify3d-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = _members(archive, path.name)
                wanted = _the_mesh(list(members), suffixes, path.name)
                _unpack(archive, members, Path(folder), path.name)
        except (*ZIP_ERRORS, OSError) as error:
            raise MeshError(
                f"{path.name}: is no .zip that can be unpacked ({error}). Unpack it "
                "and give the mesh inside."
            ) from error
        try:
            yield Path(folder) / wanted
        except MeshError as error:
            raise MeshError(f"{path.name}: {error}") from error


def _members(
    archive: zipfile.ZipFile, source: str
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files of an archive by their place, all of them checked."""
    found = archive.infolist()
    if len(found) > MAX_MEMBERS:
        raise MeshError(
            f"{source}: holds {len(found):,} files, at most {MAX_MEMBERS:,} are "
            "unpacked. Give the mesh alone with its textures."
        )
    members = {}
    total = 0
    for info in found:
        name = info.filename.replace("\\", "/")
        place = PurePosixPath(name)
        outside = name.startswith("/") or ".." in place.parts or ":" in name
        if outside or stat.S_ISLNK(info.external_attr >> 16):
            raise MeshError(
                f"{source}: member {info.filename[:80]!r} leads outside the archive, "
                "which is refused. Pack the mesh again."
            )
        check_packing(archive, info, source)
        total += info.file_size
        hidden = place.parts[:1] == ("__MACOSX",) or place.name.startswith("._")
        if not info.is_dir() and not hidden:
            members[place] = info
    if total > MAX_BYTES:
        raise MeshError(
            f"{source}: unpacks to {total:,} bytes, at most {MAX_BYTES:,} are "
            "unpacked. Give the mesh alone with its textures."
        )
    return members


def _the_mesh(
    places: list[PurePosixPath], suffixes: Collection[str], source: str
) -> PurePosixPath:
    meshes = [place for place in places if place.suffix.lower() in suffixes]
    if len(meshes) != 1:
        listed = ", ".join(map(str, meshes[:5])) or "none"
        raise MeshError(
            f"{source}: holds {len(meshes)} meshes ({listed}), expected one. Unpack it "
            f"and give one of {', '.join(suffixes)}."
        )
    return meshes[0]


def _unpack(
    archive: zipfile.ZipFile,
    members: dict[PurePosixPath, zipfile.ZipInfo],
    folder: Path,
    source: str,
) -> None:
    total = 0
    for place, info in members.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as packed, target.open("wb") as out:
            while block := packed.read(_BLOCK):
                total += len(block)
                if total > MAX_BYTES:  # the directory of the archive lied
                    raise MeshError(
                        f"{source}: unpacks to more than {MAX_BYTES:,} bytes. It is "
                        "damaged; pack the mesh again."
                    )
                out.write(block)
