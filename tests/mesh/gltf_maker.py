"""glTF files by hand: a document that grows, so that tests can break it anywhere."""

import base64
import io
import json
import struct

import numpy as np
from PIL import Image

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}

TRIANGLE = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


class Maker:
    """A document with one buffer."""

    def __init__(self):
        self.binary = bytearray()
        self.document = {
            "asset": {"version": "2.0"},
            "buffers": [{}],
            "bufferViews": [],
            "accessors": [],
        }

    def add(self, kind, info):
        entries = self.document.setdefault(kind, [])
        entries.append(info)
        return len(entries) - 1

    def view(self, data, **more):
        start = len(self.binary)
        self.binary += bytes(data) + b"\0" * (-len(data) % 4)
        info = {"buffer": 0, "byteOffset": start, "byteLength": len(data)}
        return self.add("bufferViews", info | more)

    def accessor(self, rows, dtype="f4", **more):
        array = np.array(rows, np.dtype("<" + dtype))
        array = array.reshape(len(array), -1)
        info = {
            "bufferView": self.view(array.tobytes()),
            "componentType": COMPONENTS[dtype],
            "count": len(array),
            "type": TYPES[array.shape[1]],
        }
        return self.add("accessors", info | more)

    def triangle(self, positions=TRIANGLE, **attributes):
        """Add a mesh of one primitive, a node for it, and return the primitive."""
        primitive = {"attributes": {"POSITION": self.accessor(positions)} | attributes}
        mesh = self.add("meshes", {"primitives": [primitive]})
        self.add("nodes", {"mesh": mesh})
        return primitive

    def textured(self, pixels, uv, **texture_info):
        """Add a triangle with a texture given by its pixels."""
        buffer = io.BytesIO()
        Image.fromarray(np.array(pixels, np.uint8)).save(buffer, "PNG")
        image = self.add("images", {"bufferView": self.view(buffer.getvalue())})
        texture = self.add("textures", {"source": image})
        primitive = self.triangle(TEXCOORD_0=self.accessor(uv))
        rough = {"baseColorTexture": {"index": texture} | texture_info}
        primitive["material"] = self.add("materials", {"pbrMetallicRoughness": rough})
        return primitive

    def gltf(self, path):
        self.document["buffers"][0] = {
            "byteLength": len(self.binary),
            "uri": "data:application/octet-stream;base64,"
            + base64.b64encode(self.binary).decode(),
        }
        path.write_text(json.dumps(self.document))
        return path

    def glb(self, path):
        self.document["buffers"][0] = {"byteLength": len(self.binary)}
        text = json.dumps(self.document).encode()
        text += b" " * (-len(text) % 4)
        body = struct.pack("<I4s", len(text), b"JSON") + text
        body += struct.pack("<I4s", len(self.binary), b"BIN\0") + self.binary
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
        return path


def middle_rgba(mesh):
    """Return the color in the middle of every face."""
    from voxify3d.mesh.texture import surface_rgba

    count = len(mesh.faces)
    return surface_rgba(mesh, np.arange(count), np.full((count, 3), 1 / 3))
