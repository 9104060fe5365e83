"""glTF 2.0 (.glb, .gltf, .vrm) → Mesh: the default scene, as its nodes stand or a clip.

Skinned meshes are posed by their joints; the transform of the node that holds them
is ignored, as glTF rules. Matrices are column-vector matrices: `world @ point`.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Float64, Int
from scipy.spatial.transform import Rotation

from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.accessors import (
    Buffers,
    bytes_from_data_uri,
    entry,
    unit_from_integers,
)
from voxify3d.mesh.animation import clip_seconds, find_clip, pose_of_clip
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import Texture, TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

MAX_FACES = 16_000_000
"""Of all nodes and instances together."""

_Wrap = Literal["repeat", "clamp", "mirror"]
_NEAREST = 9728
_WRAPS: dict[int, _Wrap] = {33071: "clamp", 33648: "mirror", 10497: "repeat"}

READ_EXTENSIONS = frozenset(
    {
        "KHR_draco_mesh_compression",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "KHR_meshopt_compression",
        "EXT_mesh_gpu_instancing",
        "EXT_meshopt_compression",
        "EXT_texture_webp",
    }
)
"""Extensions that change what is seen, and are obeyed."""

_IGNORABLE = (
    "KHR_materials_",
    "KHR_lights_",
    "KHR_xmp",
    "KHR_animation",
    "VRM",
    "MSFT_",
)


@dataclass(frozen=True, slots=True)
class _Look:
    """A material, and how texture coordinates reach its texture."""

    material: Material
    uv_set: int = 0
    uv_matrix: Float64[np.ndarray, "2 3"] | None = None


@dataclass(frozen=True, slots=True)
class _Primitive:
    """A primitive as stored, before any pose."""

    positions: Float64[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    look: int
    uv: Float32[np.ndarray, "v 2"] | None
    color: Float32[np.ndarray, "v 4"] | None
    joints: Int[np.ndarray, "v j"] | None
    weights: Float64[np.ndarray, "v j"] | None


def read_gltf(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a glTF file.

    Args:
        path: A .glb, .gltf or .vrm file.
        config: Pose, clip and variant.
        shelf: Reads the textures; the plain color stands in for a missing one.

    Raises:
        MeshError: The file cannot be read, or holds no triangles.
    """
    return _Reader(path, config, shelf).mesh()


def document_from_bytes(
    data: bytes, source: str
) -> tuple[dict[str, Any], bytes | None]:
    """Return the JSON document of a .glb or .gltf, and the .glb's binary chunk.

    Raises:
        MeshError: It is neither, or truncated.
    """
    if data[:4] == b"glTF":
        text, binary = _chunks(data, source)
    elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        text, binary = data, None
    else:
        raise MeshError(
            f"{source}: is no glTF file (it starts with {data[:8]!r}). Check the "
            "suffix, or export it as .glb."
        )
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MeshError(
            f"{source}: its JSON cannot be read ({error}). The file is truncated or "
            "damaged; get it again."
        ) from error
    if not isinstance(document, dict):
        raise MeshError(f"{source}: its JSON is no glTF document. Re-export it.")
    version = str(document.get("asset", {}).get("version", "2.0"))
    if not version.startswith("2"):
        raise MeshError(f"{source}: is glTF {version}, expected 2.0. Re-export it.")
    return document, binary


def _chunks(data: bytes, source: str) -> tuple[bytes, bytes | None]:
    if len(data) < 20:
        raise MeshError(
            f"{source}: a GLB of {len(data)} bytes is truncated. Get it again."
        )
    version, length, json_length = struct.unpack("<III", data[4:16])
    if version != 2:
        raise MeshError(
            f"{source}: is GLB version {version}, expected 2. Re-export it."
        )
    end = 20 + json_length
    if length > len(data) or end > len(data):
        raise MeshError(
            f"{source}: should have {max(length, end):,} bytes but has {len(data):,}. "
            "The file is truncated; get it again."
        )
    if data[16:20] != b"JSON":
        raise MeshError(f"{source}: its first chunk is not JSON. Re-export it.")
    binary = None
    start = end + (-end % 4)
    if start + 8 <= len(data):
        size, kind = struct.unpack("<I4s", data[start : start + 8])
        if kind == b"BIN\0":
            binary = data[start + 8 : start + 8 + size]
            if len(binary) < size:
                raise MeshError(
                    f"{source}: its binary chunk should have {size:,} bytes but has "
                    f"{len(binary):,}. The file is truncated; get it again."
                )
    return data[20:end], binary


class _Reader:
    """What reading one document shares: its parts, caches, and notes."""

    def __init__(self, path: Path, config: LoadConfig, shelf: TextureShelf) -> None:
        self.path, self.source = path, path.name
        self.config, self.shelf = config, shelf
        self.document, binary = document_from_bytes(read_bytes(path), path.name)
        self.buffers = Buffers(self.document, binary, path.parent, path.name)
        self.notes: list[str] = []
        self.looks: dict[int | None, int] = {}
        self.look_list: list[_Look] = []
        self.primitives: dict[tuple[int, int], _Primitive | None] = {}
        self._variant: int | None = None

    def mesh(self) -> Mesh:
        self._check_extensions()
        self._variant = self._find_variant()
        self._apply_clip()
        world = self._world_matrices()
        if self.config.pose == "bind":
            world = self._bound(world)
        pieces: list[Piece] = []
        total = 0
        for number in self._scene_nodes():
            node = self._entry("nodes", number)
            if "mesh" not in node:
                continue
            for primitive in self._primitives(node):
                for piece in self._placed(primitive, node, world, number):
                    total += len(piece.faces)
                    if total > MAX_FACES:
                        raise self._too_many()
                    pieces.append(piece)
        self.shelf.close()
        pieces = self._without_mask_colors(pieces)
        return mesh_from_pieces(
            pieces,
            [look.material for look in self.look_list],
            name=self.path.stem,
            source=self.source,
            notes=[*dict.fromkeys(self.notes), *self.shelf.notes],
        )

    def _too_many(self) -> MeshError:
        return MeshError(
            f"{self.source}: more than {MAX_FACES:,} faces. Decimate the mesh first."
        )

    def _entry(self, kind: str, number: Any) -> dict[str, Any]:  # noqa: ANN401
        return entry(self.document, kind, number, self.source)

    def _check_extensions(self) -> None:
        required = self.document.get("extensionsRequired", [])
        unknown = [
            name
            for name in required
            if name not in READ_EXTENSIONS and not str(name).startswith(_IGNORABLE)
        ]
        if "KHR_texture_basisu" in unknown:
            raise MeshError(
                f"{self.source}: KTX2 / Basis textures (KHR_texture_basisu) are not "
                "supported. Re-export with PNG, JPEG or WebP textures."
            )
        if unknown:
            raise MeshError(
                f"{self.source}: needs {', '.join(map(str, unknown))}, which is not "
                f"supported ({', '.join(sorted(READ_EXTENSIONS))} are). Re-export "
                "without it."
            )

    # --- what the user chose --------------------------------------------------------

    def _find_variant(self) -> int | None:
        """Return the number of the material variant that is asked for."""
        wanted = self.config.variant
        if wanted is None:
            return None
        names = variant_names(self.document)
        folded = [name.casefold() for name in names]
        if wanted in names:
            return names.index(wanted)
        if folded.count(wanted.casefold()) == 1:
            return folded.index(wanted.casefold())
        listed = f"it holds {', '.join(names)}" if names else "it holds none"
        raise ConfigError(f"{self.source}: no variant {wanted!r}; {listed}")

    def _apply_clip(self) -> None:
        """Let the nodes stand as the clip that is asked for has them."""
        wanted, time = self.config.animation, self.config.time
        if wanted is None:
            return
        number = find_clip(self.document, wanted, self.source)
        end = clip_seconds(self.document, self.buffers, number)
        if time > end:
            self.notes.append(
                f"animation {wanted} ends at {end:g} s, its last pose is used"
            )
        values, notes = pose_of_clip(
            self.document, self.buffers, number, time, self.source
        )
        self.notes += notes
        nodes = list(self.document["nodes"])
        for node, value in values.items():
            nodes[node] = {**with_parts(nodes[node]), **value}
        self.document = {**self.document, "nodes": nodes}

    def _bound(
        self, world: Float64[np.ndarray, "n 4 4"]
    ) -> Float64[np.ndarray, "n 4 4"]:
        """Return the world matrices with all joints where they were bound to the skin.

        The first joint above all others stays where it is; nodes below joints follow.
        """
        nodes = self.document.get("nodes", [])
        bound: dict[int, np.ndarray] = {}
        for skin in self.document.get("skins", []):
            joints = skin["joints"]
            joint_from_mesh = self._inverse_binds(skin)
            below = {
                c for j in joints for c in self._entry("nodes", j).get("children", [])
            }
            first = next((i for i, j in enumerate(joints) if j not in below), 0)
            mesh_in_world = world[joints[first]] @ joint_from_mesh[first]
            for joint, matrix in zip(joints, joint_from_mesh, strict=True):
                if abs(np.linalg.det(matrix)) > 0:
                    bound.setdefault(joint, mesh_in_world @ np.linalg.inv(matrix))
        out = world.copy()
        children = {child for node in nodes for child in node.get("children", [])}
        waiting = [number for number in range(len(nodes)) if number not in children]
        for number in waiting:
            out[number] = bound.get(number, out[number])
        while waiting:
            number = waiting.pop()
            for child in nodes[number].get("children", []):
                local = matrix_from_node(nodes[child])
                out[child] = bound.get(child, out[number] @ local)
                waiting.append(child)
        return out

    # --- nodes ------------------------------------------------------------------

    def _scene_nodes(self) -> list[int]:
        """Return the nodes of the default scene, parents first."""
        scenes = self.document.get("scenes", [])
        if scenes:
            roots = self._entry("scenes", self.document.get("scene", 0)).get(
                "nodes", []
            )
        else:
            nodes = self.document.get("nodes", [])
            children = {child for node in nodes for child in node.get("children", [])}
            roots = [number for number in range(len(nodes)) if number not in children]
        order, waiting, seen = [], list(reversed(roots)), set()
        while waiting:
            number = waiting.pop()
            node = self._entry("nodes", number)
            if number in seen:
                raise MeshError(
                    f"{self.source}: node {number} is reached twice; nodes must form a "
                    "tree. Re-export it."
                )
            seen.add(number)
            order.append(number)
            waiting.extend(reversed(node.get("children", [])))
        return order

    def _world_matrices(self) -> Float64[np.ndarray, "n 4 4"]:
        """Return every node's world matrix, in the scene or not (joints may not be)."""
        nodes = self.document.get("nodes", [])
        parent = np.full(len(nodes), -1)
        for number, node in enumerate(nodes):
            for child in node.get("children", []):
                self._entry("nodes", child)
                if parent[child] >= 0 or child == number:
                    raise MeshError(
                        f"{self.source}: node {child} has two parents or is its own; "
                        "nodes must form a tree. Re-export it."
                    )
                parent[child] = number
        world = np.zeros((len(nodes), 4, 4))
        waiting = [number for number in range(len(nodes)) if parent[number] < 0]
        done = 0
        while waiting:
            number = waiting.pop()
            done += 1
            local = matrix_from_node(nodes[number])
            above = parent[number]
            world[number] = local if above < 0 else world[above] @ local
            waiting.extend(nodes[number].get("children", []))
        if done < len(nodes):
            raise MeshError(
                f"{self.source}: {len(nodes) - done} nodes form a cycle. Re-export it."
            )
        return world

    def _placed(
        self,
        primitive: _Primitive,
        node: dict[str, Any],
        world: Float64[np.ndarray, "n 4 4"],
        number: int,
    ) -> list[Piece]:
        """Return a primitive as its node (or its skin, or its instances) poses it."""
        skinned = "skin" in node and primitive.joints is not None
        if skinned:
            vertices, flipped = self._skinned(primitive, node["skin"], world)
            return [self._piece(primitive, vertices, flipped)]
        instances = self._instances(node)
        if len(instances) * len(primitive.faces) > MAX_FACES:
            raise self._too_many()
        pieces = []
        for matrix in instances:
            matrix = world[number] @ matrix
            vertices = primitive.positions @ matrix[:3, :3].T + matrix[:3, 3]
            flipped = bool(np.linalg.det(matrix[:3, :3]) < 0)
            pieces.append(self._piece(primitive, vertices, flipped))
        return pieces

    def _piece(
        self, primitive: _Primitive, vertices: Float64[np.ndarray, "v 3"], flipped: bool
    ) -> Piece:
        # A negative scale turns the mesh inside out; reversing the corners undoes it.
        faces = primitive.faces[:, ::-1] if flipped else primitive.faces
        look = self.look_list[primitive.look]
        uv = None
        if primitive.uv is not None and look.material.texture is not None:
            uv = primitive.uv
            if look.uv_matrix is not None:
                uv = uv @ look.uv_matrix[:, :2].T + look.uv_matrix[:, 2]
            uv = uv.astype(np.float32)[faces]
        color = None if primitive.color is None else primitive.color[faces]
        material = np.full(len(faces), primitive.look)
        return Piece(vertices, faces, material, uv, color)

    def _instances(self, node: dict[str, Any]) -> Float64[np.ndarray, "n 4 4"]:
        """Return EXT_mesh_gpu_instancing's matrices; the identity without it."""
        extension = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        if extension is None:
            return np.eye(4)[None]
        attributes = extension["attributes"]
        names = ("TRANSLATION", "ROTATION", "SCALE")
        arrays = [
            self.buffers.floats(attributes[name]) if name in attributes else None
            for name in names
        ]
        counts = {len(array) for array in arrays if array is not None}
        if len(counts) != 1:
            raise MeshError(
                f"{self.source}: instance attributes have {sorted(counts)} entries, "
                "expected the same number. Re-export it."
            )
        matrices = np.tile(np.eye(4), (counts.pop(), 1, 1))
        translation, rotation, scale = arrays
        if rotation is not None:
            matrices[:, :3, :3] = _rotations(rotation)
        if scale is not None:
            matrices[:, :3, :3] *= scale[:, None, :]
        if translation is not None:
            matrices[:, :3, 3] = translation
        return matrices

    def _skinned(
        self,
        primitive: _Primitive,
        skin_number: int,
        world: Float64[np.ndarray, "n 4 4"],
    ) -> tuple[Float64[np.ndarray, "v 3"], bool]:
        """Return vertices where the joints put them, and whether they are mirrored."""
        skin = self._entry("skins", skin_number)
        nodes = skin["joints"]
        for node in nodes:
            self._entry("nodes", node)
        matrices = world[nodes] @ self._inverse_binds(skin)

        joints, weights = primitive.joints, primitive.weights
        assert joints is not None
        assert weights is not None
        if joints.size and joints.max() >= len(nodes):
            raise MeshError(
                f"{self.source}: a vertex follows joint {joints.max()}, but the skin "
                f"has {len(nodes)}. Re-export it."
            )
        weights = self._clean_weights(weights)
        points = np.concatenate(
            [primitive.positions, np.ones((len(joints), 1))], axis=1
        )
        vertices = np.zeros_like(primitive.positions)
        for column in range(joints.shape[1]):
            posed = np.zeros_like(vertices)
            for joint in np.unique(joints[weights[:, column] > 0, column]):
                mine = joints[:, column] == joint
                posed[mine] = points[mine] @ matrices[joint, :3].T
            vertices += posed * weights[:, column, None]
        used = np.unique(joints[weights > 0])
        mirrored = np.linalg.det(matrices[used, :3, :3]) < 0
        return vertices, bool(mirrored.mean() > 0.5)

    def _inverse_binds(self, skin: dict[str, Any]) -> Float64[np.ndarray, "j 4 4"]:
        """Return the matrix from the mesh to each joint, as bound."""
        count = len(skin["joints"])
        joint_from_mesh = np.tile(np.eye(4), (count, 1, 1))
        if "inverseBindMatrices" in skin:
            # glTF stores matrices by columns.
            stored = self.buffers.floats(skin["inverseBindMatrices"])
            stored = stored.reshape(-1, 4, 4).transpose(0, 2, 1)[:count]
            joint_from_mesh[: len(stored)] = stored
        return joint_from_mesh

    def _clean_weights(
        self, weights: Float64[np.ndarray, "v j"]
    ) -> Float64[np.ndarray, "v j"]:
        """Return weights that sum to one; vertices without any follow their first."""
        finite = np.isfinite(weights)
        if not finite.all():
            self.notes.append(f"{(~finite).sum():,} joint weights are NaN, taken as 0")
        weights = np.clip(np.where(finite, weights, 0.0), 0.0, None)
        total = weights.sum(axis=1, keepdims=True)
        lost = total[:, 0] <= 0
        if lost.any():
            self.notes.append(
                f"{lost.sum():,} vertices have no joint weight, they follow their "
                "first joint"
            )
            weights[lost, 0] = 1.0
            total[lost] = 1.0
        return weights / total

    # --- geometry ---------------------------------------------------------------

    def _primitives(self, node: dict[str, Any]) -> list[_Primitive]:
        number = node["mesh"]
        mesh = self._entry("meshes", number)
        targets = node.get("weights", mesh.get("weights"))
        found = []
        for index, info in enumerate(mesh["primitives"]):
            if targets and "targets" in info:
                primitive = self._primitive(info, targets)
            else:
                key = (number, index)
                if key not in self.primitives:
                    self.primitives[key] = self._primitive(info, [])
                primitive = self.primitives[key]
            if primitive is not None:
                found.append(primitive)
        return found

    def _primitive(
        self, info: dict[str, Any], targets: Sequence[float | int]
    ) -> _Primitive | None:
        mode = info.get("mode", 4)
        if mode not in (4, 5, 6):
            self.notes.append("points and lines are ignored")
            return None
        attributes = info["attributes"]
        draco = info.get("extensions", {}).get("KHR_draco_mesh_compression")
        if draco is not None:
            indices, arrays = self._draco(draco, attributes)
        elif "POSITION" not in attributes:
            self.notes.append("a primitive without positions is ignored")
            return None
        else:
            wanted = _wanted_attributes(attributes)
            arrays = {name: self.buffers.floats(attributes[name]) for name in wanted}
            indices = None
            if "indices" in info:
                indices = self.buffers.array(info["indices"])[:, 0].astype(np.int64)
        positions = arrays["POSITION"].astype(np.float64)
        count = len(positions)
        for name, array in arrays.items():
            if len(array) != count:
                raise MeshError(
                    f"{self.source}: {name} has {len(array):,} entries for {count:,} "
                    "vertices. Re-export it."
                )
        if indices is None:
            indices = np.arange(count)
        if len(indices) and indices.max() >= count:
            raise MeshError(
                f"{self.source}: a face uses vertex {indices.max():,} of {count:,}. "
                "The file is damaged; re-export it."
            )
        if targets:
            positions = self._morphed(positions, info["targets"], targets)
        look = self._look(self._material_number(info))
        uv = arrays.get(f"TEXCOORD_{self.look_list[look].uv_set}")
        joints, weights = _influences(arrays)
        return _Primitive(
            positions=positions,
            faces=_triangles(indices, mode),
            look=look,
            uv=None if uv is None else uv[:, :2].astype(np.float32),
            color=self._color(arrays.get("COLOR_0")),
            joints=joints,
            weights=weights,
        )

    def _draco(
        self, draco: dict[str, Any], attributes: dict[str, int]
    ) -> tuple[Int[np.ndarray, " i"], dict[str, np.ndarray]]:
        """Return the indices and the attributes of a Draco primitive."""
        import DracoPy

        try:
            decoded = DracoPy.decode(bytes(self.buffers.view(draco["bufferView"])))
        except (DracoPy.FileTypeException, RuntimeError, ValueError) as error:
            raise MeshError(
                f"{self.source}: its Draco data cannot be decoded ({error}). Re-export "
                "it without Draco."
            ) from error
        arrays = {}
        for name in _wanted_attributes(draco["attributes"]):
            found = decoded.get_attribute_by_unique_id(draco["attributes"][name])
            if found is None:
                raise MeshError(
                    f"{self.source}: its Draco data lacks {name}. Re-export it."
                )
            array = np.asarray(found["data"])
            array = array.reshape(len(array), -1)
            if name in attributes:
                array = self._as_declared(array, attributes[name])
            arrays[name] = array
        faces = np.asarray(getattr(decoded, "faces", np.zeros((0, 3))), np.int64)
        return faces.reshape(-1), arrays

    def _as_declared(self, array: np.ndarray, accessor: int) -> np.ndarray:
        """Return Draco's raw integers as their accessor declares them."""
        info = self._entry("accessors", accessor)
        if not info.get("normalized") or array.dtype.kind == "f":
            return array.astype(np.float64)
        narrow = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16}
        return unit_from_integers(array.astype(narrow[info["componentType"]]))

    def _morphed(
        self,
        positions: Float64[np.ndarray, "v 3"],
        targets: Sequence[dict[str, int]],
        weights: Sequence[float | int],
    ) -> Float64[np.ndarray, "v 3"]:
        """Return positions with the morph targets added at their weights."""
        for target, weight in zip(targets, weights, strict=False):
            if weight and "POSITION" in target:
                offsets = self.buffers.floats(target["POSITION"])
                if offsets.shape != positions.shape:
                    raise MeshError(
                        f"{self.source}: a morph target has {len(offsets):,} entries "
                        f"for {len(positions):,} vertices. Re-export it."
                    )
                positions = positions + weight * offsets
        return positions

    def _color(self, stored: np.ndarray | None) -> Float32[np.ndarray, "v 4"] | None:
        """Return COLOR_0 as linear RGBA, or None where it changes nothing."""
        if stored is None:
            return None
        color = np.ones((len(stored), 4), np.float32)
        width = min(stored.shape[1], 4)
        color[:, :width] = np.clip(np.nan_to_num(stored[:, :width]), 0, 1)
        return None if (color == 1).all() else color

    def _without_mask_colors(self, pieces: list[Piece]) -> list[Piece]:
        """Return pieces without vertex colors that cannot be meant as colors.

        Some exporters store masks (wind, damage) in COLOR_0, which would turn the mesh
        black or take a whole channel out of its texture.
        """
        peaks, textured = [], []
        for piece in pieces:
            if piece.color is not None and len(piece.faces):
                peaks.append(piece.color[..., :3].max(axis=(0, 1)))
                if piece.uv is not None:
                    textured.append(peaks[-1])
        if not peaks:
            return pieces
        if np.max(peaks) == 0:
            self.notes.append(
                "vertex colors are all black, taken as a mask and ignored"
            )
            return [replace(piece, color=None) for piece in pieces]
        if textured and np.max(textured, axis=0).min() == 0:
            self.notes.append(
                "vertex colors would take a channel out of the texture, taken as a "
                "mask and ignored"
            )
            return [
                replace(piece, color=None) if piece.uv is not None else piece
                for piece in pieces
            ]
        return pieces

    # --- materials --------------------------------------------------------------

    def _material_number(self, primitive: dict[str, Any]) -> int | None:
        extension = primitive.get("extensions", {}).get("KHR_materials_variants", {})
        if self._variant is not None:
            for mapping in extension.get("mappings", []):
                if self._variant in mapping.get("variants", []):
                    return mapping["material"]
        return primitive.get("material")

    def _look(self, number: int | None) -> int:
        if number not in self.looks:
            self.looks[number] = len(self.look_list)
            self.look_list.append(
                _Look(Material()) if number is None else self._read_look(number)
            )
        return self.looks[number]

    def _read_look(self, number: int) -> _Look:
        info = self._entry("materials", number)
        rough = info.get("pbrMetallicRoughness", {})
        gloss = info.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
        if gloss is not None:
            factor, texture = gloss.get("diffuseFactor"), gloss.get("diffuseTexture")
        else:
            factor, texture = (
                rough.get("baseColorFactor"),
                rough.get("baseColorTexture"),
            )
        factor = np.array(factor or (1, 1, 1, 1), np.float64)
        factor = np.clip(np.nan_to_num(factor), 0, 1)
        if texture is None and not factor[:3].any():
            # Black that glows: unlit looks are often stored so, and viewers show them.
            glow = np.clip(np.nan_to_num(info.get("emissiveFactor", (0, 0, 0))), 0, 1)
            if glow.any():
                factor[:3], texture = glow, info.get("emissiveTexture")
        mode = info.get("alphaMode", "OPAQUE")
        modes: dict[str, Literal["opaque", "mask", "blend"]] = {
            "MASK": "mask",
            "BLEND": "blend",
        }
        image, sampler, uv_set, matrix = self._texture(texture)
        material = Material(
            name=str(info.get("name", f"material {number}")),
            base_color=(factor[0], factor[1], factor[2], factor[3]),
            texture=image,
            wrap=(
                _WRAPS.get(sampler.get("wrapS", 10497), "repeat"),
                _WRAPS.get(sampler.get("wrapT", 10497), "repeat"),
            ),
            filter="nearest" if sampler.get("magFilter") == _NEAREST else "linear",
            alpha_mode=modes.get(mode, "opaque"),
            alpha_cutoff=float(info.get("alphaCutoff", 0.5)) if mode == "MASK" else 0.5,
        )
        return _Look(material, uv_set, matrix)

    def _texture(
        self, info: dict[str, Any] | None
    ) -> tuple[Texture | None, dict[str, Any], int, np.ndarray | None]:
        """Return a texture's image, sampler, coordinate set and transform."""
        if info is None:
            return None, {}, 0, None
        texture = self._entry("textures", info["index"])
        extensions = texture.get("extensions", {})
        number = extensions.get("EXT_texture_webp", texture).get("source")
        if number is None:
            number = texture.get("source")
        if number is None:
            if "KHR_texture_basisu" in extensions:
                raise MeshError(
                    f"{self.source}: KTX2 / Basis textures (KHR_texture_basisu) are "
                    "not supported. Re-export with PNG, JPEG or WebP textures."
                )
            self.notes.append(f"textures[{info['index']}] names no image, ignored")
            return None, {}, 0, None
        image = self._image(number)
        sampler = {}
        if "sampler" in texture:
            sampler = self._entry("samplers", texture["sampler"])
        transform = info.get("extensions", {}).get("KHR_texture_transform", {})
        uv_set = transform.get("texCoord", info.get("texCoord", 0))
        matrix = uv_matrix_from_transform(transform) if transform else None
        return image, sampler, uv_set, matrix

    def _image(self, number: int) -> Texture | None:
        info = self._entry("images", number)
        uri = info.get("uri")
        if uri is None:
            view = info["bufferView"]
            return self.shelf.from_bytes(
                f"images[{number}]", lambda: bytes(self.buffers.view(view))
            )
        if uri.startswith("data:"):
            return self.shelf.from_bytes(
                f"images[{number}]", lambda: bytes_from_data_uri(uri, self.source)
            )
        return self.shelf.from_file(uri)


def variant_names(document: dict[str, Any]) -> list[str]:
    """Return the names of a document's material variants."""
    extension = document.get("extensions", {}).get("KHR_materials_variants", {})
    return [str(variant.get("name", "")) for variant in extension.get("variants", [])]


def with_parts(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node whose matrix is split, so that a clip can set one part of it."""
    if "matrix" not in node:
        return node
    matrix = matrix_from_node(node)
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    if np.linalg.det(matrix[:3, :3]) < 0:
        scale[0] *= -1
    turn = Rotation.from_matrix(matrix[:3, :3] / np.where(scale == 0, 1, scale))
    rest = {key: value for key, value in node.items() if key != "matrix"}
    return rest | {
        "translation": matrix[:3, 3].tolist(),
        "rotation": turn.as_quat().tolist(),
        "scale": scale.tolist(),
    }


def matrix_from_node(node: dict[str, Any]) -> Float64[np.ndarray, "4 4"]:
    """Return a node's local matrix, from `matrix` or translation, rotation, scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    rotation = np.array([node.get("rotation", (0, 0, 0, 1))], np.float64)
    scale = np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, :3] = _rotations(rotation)[0] * scale
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def uv_matrix_from_transform(transform: dict[str, Any]) -> Float64[np.ndarray, "2 3"]:
    """Return KHR_texture_transform as a matrix on (u, v, 1).

    The rotation is counter-clockwise as seen in the picture, where v runs down.
    """
    offset, scale = transform.get("offset", (0, 0)), transform.get("scale", (1, 1))
    angle = float(transform.get("rotation", 0.0))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array(
        [
            [cos * scale[0], sin * scale[1], offset[0]],
            [-sin * scale[0], cos * scale[1], offset[1]],
        ],
        np.float64,
    )


def _rotations(xyzw: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 3 3"]:
    """Return the matrices of quaternions; zero ones turn nothing."""
    norm = np.linalg.norm(xyzw, axis=1, keepdims=True)
    xyzw = np.where(norm > 0, xyzw, [0.0, 0.0, 0.0, 1.0]) / np.where(norm > 0, norm, 1)
    x, y, z, w = xyzw.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def _triangles(indices: Int[np.ndarray, " i"], mode: int) -> Int[np.ndarray, "f 3"]:
    """Return triangles of a list (4), a strip (5) or a fan (6)."""
    if mode == 4:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    count = max(len(indices) - 2, 0)
    first = np.arange(count)
    if mode == 6:
        picks = np.stack([np.zeros(count, np.int64), first + 1, first + 2], axis=1)
    else:
        odd = first % 2
        picks = np.stack([first, first + 1 + odd, first + 2 - odd], axis=1)
    return indices[picks].reshape(-1, 3)


def _influences(
    arrays: dict[str, np.ndarray],
) -> tuple[Int[np.ndarray, "v j"] | None, Float64[np.ndarray, "v j"] | None]:
    """Return the joints and weights of all sets, side by side."""
    sets = [
        number
        for number in range(4)
        if f"JOINTS_{number}" in arrays and f"WEIGHTS_{number}" in arrays
    ]
    if not sets:
        return None, None
    joints = np.concatenate([arrays[f"JOINTS_{n}"] for n in sets], axis=1)
    weights = np.concatenate([arrays[f"WEIGHTS_{n}"] for n in sets], axis=1)
    return joints.astype(np.int64), weights.astype(np.float64)


def _wanted_attributes(attributes: dict[str, int]) -> list[str]:
    starts = ("POSITION", "TEXCOORD_", "COLOR_0", "JOINTS_", "WEIGHTS_")
    return [name for name in attributes if name.startswith(starts)]
