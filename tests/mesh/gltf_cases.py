"""glTF files made to hit one extension or trap each, for comparison with three.js."""

import io
import json
import struct

import numpy as np
from gltf_maker import Maker
from PIL import Image

QUAD = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)
FACES = [0, 1, 2, 0, 2, 3]


def _cards():
    """Three quads that cross, one across each axis, of different sizes."""
    positions, uvs, indices = [], [], []
    for axis, size in enumerate((0.6, 0.8, 1.0)):
        card = np.insert(QUAD * size, axis, 0, axis=1) + 0.05 * axis
        indices += [4 * axis + corner for corner in FACES]
        positions.append(card)
        uvs.append(UV)
    return np.concatenate(positions), np.concatenate(uvs), indices


def _picture(kind="PNG", alpha=False):
    """A smooth picture without any symmetry."""
    y, x = np.mgrid[:64, :64] / 63
    rgba = np.stack([x, y, (x - 0.3) ** 2 + 0.4 * y, np.ones_like(x)], axis=-1)
    rgba[10:24, 8:30, :3] = [1, 0.9, 0.1]
    rgba[40:56, 36:60, :3] = [0.1, 0.2, 0.9]
    if alpha:
        rgba[..., 3] = 0.5 + 0.5 * np.sin(9 * x) * np.cos(7 * y)
    buffer = io.BytesIO()
    pixels = np.round(255 * np.clip(rgba, 0, 1)).astype(np.uint8)
    Image.fromarray(pixels).save(
        buffer, kind, **({"lossless": True} if kind != "PNG" else {})
    )
    return buffer.getvalue()


def _textured(uv_scale=1.0, sampler=None, kind="PNG", alpha=False, **texture_info):
    maker = Maker()
    positions, uv, indices = _cards()
    primitive = maker.triangle(positions, TEXCOORD_0=maker.accessor(uv * uv_scale))
    primitive["indices"] = maker.accessor(indices, "u2")
    image = {
        "bufferView": maker.view(_picture(kind, alpha)),
        "mimeType": f"image/{kind.lower()}",
    }
    texture = {"source": maker.add("images", image)}
    if sampler:
        texture["sampler"] = maker.add("samplers", sampler)
    rough = {
        "baseColorTexture": {"index": maker.add("textures", texture)} | texture_info
    }
    look = {"pbrMetallicRoughness": rough, "doubleSided": True}
    primitive["material"] = maker.add("materials", look)
    return maker, primitive


def wraps():
    """Mirrored and clamped coordinates far outside [0, 1]."""
    return _textured(2.7, {"wrapS": 33648, "wrapT": 33071})[0]


def texture_transform():
    """KHR_texture_transform with all three parts."""
    transform = {"offset": [0.2, -0.4], "rotation": 0.7, "scale": [1.6, 0.7]}
    maker, _ = _textured(extensions={"KHR_texture_transform": transform})
    maker.document["extensionsUsed"] = ["KHR_texture_transform"]
    return maker


def two_uv_sets():
    """The color texture uses TEXCOORD_1."""
    maker, primitive = _textured(texCoord=1)
    _, uv, _ = _cards()
    primitive["attributes"]["TEXCOORD_1"] = maker.accessor(uv[:, ::-1] * 0.6)
    return maker


def webp():
    """EXT_texture_webp."""
    maker, _ = _textured(kind="WEBP")
    source = maker.document["textures"][0].pop("source")
    webp = {"EXT_texture_webp": {"source": source}}
    maker.document["textures"][0]["extensions"] = webp
    maker.document["extensionsUsed"] = ["EXT_texture_webp"]
    maker.document["extensionsRequired"] = ["EXT_texture_webp"]
    return maker


def mask():
    """alphaMode MASK with a cutoff of its own."""
    maker, _ = _textured(alpha=True)
    maker.document["materials"][0] |= {"alphaMode": "MASK", "alphaCutoff": 0.35}
    return maker


def blend():
    """alphaMode BLEND: solid from one half on."""
    maker, _ = _textured(alpha=True)
    maker.document["materials"][0] |= {"alphaMode": "BLEND"}
    return maker


def unlit_factor():
    """KHR_materials_unlit with a color factor over the texture."""
    maker, _ = _textured()
    look = maker.document["materials"][0]
    look["pbrMetallicRoughness"]["baseColorFactor"] = [0.9, 0.5, 0.3, 1]
    look["extensions"] = {"KHR_materials_unlit": {}}
    maker.document["extensionsUsed"] = ["KHR_materials_unlit"]
    return maker


def vertex_colors():
    """COLOR_0 as normalized bytes, which are linear."""
    maker = Maker()
    positions, _, indices = _cards()
    colors = np.random.default_rng(0).integers(0, 256, (len(positions), 4))
    colors[:, 3] = 255
    primitive = maker.triangle(
        positions, COLOR_0=maker.accessor(colors, "u1", normalized=True)
    )
    primitive["indices"] = maker.accessor(indices, "u2")
    return maker


def quantized():
    """KHR_mesh_quantization: positions as 16-bit, texture coordinates as 8-bit."""
    maker, primitive = _textured()
    positions, uv, _ = _cards()
    padded = np.zeros((len(positions), 4), np.int64)
    padded[:, :3] = np.round(positions / 1.2 * 32767)
    view = maker.view(padded.astype("<i2").tobytes(), byteStride=8)
    info = {"bufferView": view, "componentType": 5122, "count": len(positions)}
    place = maker.add("accessors", info | {"type": "VEC3", "normalized": True})
    coordinates = maker.accessor(np.round(uv * 65535), "u2", normalized=True)
    primitive["attributes"] = {"POSITION": place, "TEXCOORD_0": coordinates}
    maker.document["nodes"][0]["scale"] = [1.2, 1.2, 1.2]
    maker.document["extensionsUsed"] = ["KHR_mesh_quantization"]
    maker.document["extensionsRequired"] = ["KHR_mesh_quantization"]
    return maker


def sparse():
    """A sparse accessor that moves two corners."""
    maker, primitive = _textured()
    moved = {
        "count": 2,
        "indices": {
            "bufferView": maker.view(struct.pack("<2H", 2, 9)),
            "componentType": 5123,
        },
        "values": {
            "bufferView": maker.view(struct.pack("<6f", 0.1, 1.5, 1, 1.4, -1, 0.3))
        },
    }
    maker.document["accessors"][primitive["attributes"]["POSITION"]]["sparse"] = moved
    return maker


def morphed_and_mirrored():
    """Morph targets at stored weights, under a node with a negative scale."""
    maker, primitive = _textured()
    random = np.random.default_rng(1)
    offsets = [maker.accessor(random.normal(0, 0.3, (12, 3))) for _ in range(2)]
    primitive["targets"] = [{"POSITION": offset} for offset in offsets]
    maker.document["meshes"][0]["weights"] = [0.8, -0.5]
    turn = [0.2, 0.3, 0.1]
    w = float(np.sqrt(1 - np.dot(turn, turn)))
    maker.document["nodes"][0] |= {"scale": [-1, 1.3, 0.8], "rotation": [*turn, w]}
    return maker


def skinned():
    """A skin that blends two joints, below a node that is scaled by 100."""
    maker, primitive = _textured()
    positions, _, _ = _cards()
    share = np.clip(0.5 + positions[:, 1] / 2, 0, 1)
    weights = np.stack([1 - share, share, 0 * share, 0 * share], axis=1)
    primitive["attributes"]["JOINTS_0"] = maker.accessor([[0, 1, 0, 0]] * 12, "u1")
    primitive["attributes"]["WEIGHTS_0"] = maker.accessor(weights)
    small = np.diag([0.01, 0.01, 0.01, 1.0])
    binds = [small, small + np.outer([0, 0.003, 0, 0], [0, 0, 0, 1])]
    stored = [bind.T.ravel() for bind in binds]
    skin = {"joints": [1, 2], "inverseBindMatrices": maker.accessor(stored)}
    maker.document["nodes"][0] |= {"skin": maker.add("skins", skin), "children": [1]}
    maker.document["nodes"][0]["scale"] = [100, 100, 100]
    low = {"rotation": [0, 0.3, 0, 0.954], "children": [2], "translation": [0.2, 0, 0]}
    maker.add("nodes", low)
    maker.add("nodes", {"rotation": [0.2, 0, 0.4, 0.894], "translation": [0, 0.4, 0]})
    return maker


def instances(count=500):
    """EXT_mesh_gpu_instancing with all three attributes."""
    maker, _ = _textured()
    random = np.random.default_rng(2)
    turns = random.normal(size=(count, 4))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    attributes = {
        "TRANSLATION": maker.accessor(random.uniform(-20, 20, (count, 3))),
        "ROTATION": maker.accessor(turns),
        "SCALE": maker.accessor(random.uniform(0.5, 2, (count, 3))),
    }
    extension = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    maker.document["nodes"][0]["extensions"] = extension
    maker.document["extensionsUsed"] = ["EXT_mesh_gpu_instancing"]
    maker.document["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    return maker


CASES = {
    make.__name__: make
    for make in (
        wraps, texture_transform, two_uv_sets, webp, mask, blend, unlit_factor,
        vertex_colors, quantized, sparse, morphed_and_mirrored, skinned, instances,
    )
}  # fmt: skip


def make_case(name, folder):
    """Write the file of a case and return its path."""
    maker = CASES[name]()
    maker.document["scenes"] = [{"nodes": [0]}]
    maker.document["scene"] = 0
    return maker.glb(folder / f"{name.replace('_', '-')}.glb")


def without_gloss(data):
    """Return a .glb with its specular-glossiness colors as metallic-roughness ones.

    three.js reads only the latter. Nothing else of the file is touched.
    """
    length = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + length])
    for look in document["materials"]:
        gloss = look.get("extensions", {}).pop(
            "KHR_materials_pbrSpecularGlossiness", {}
        )
        rough = look.setdefault("pbrMetallicRoughness", {})
        for theirs, name in (
            ("diffuseFactor", "baseColorFactor"),
            ("diffuseTexture", "baseColorTexture"),
        ):
            if theirs in gloss:
                rough[name] = gloss[theirs]
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + rest
