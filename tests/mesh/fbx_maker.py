"""Binary .fbx files by hand: one textured square, its texture in the file or not."""

import struct

SQUARE = [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0]


def node(name, *values, children=()):
    """Return a function from a place in the file to a node's bytes."""

    def packed(place):
        properties = b"".join(map(property_bytes, values))
        head = place + 13 + len(name) + len(properties)
        body = b""
        for child in children:
            body += child(head + len(body))
        if children:
            body += bytes(13)
        end = head + len(body)
        sizes = struct.pack("<IIIB", end, len(values), len(properties), len(name))
        return sizes + name.encode() + properties + body

    return packed


def property_bytes(value):
    if isinstance(value, bytes):
        return b"R" + struct.pack("<I", len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return b"S" + struct.pack("<I", len(text)) + text
    if isinstance(value, list):
        kind = "d" if any(isinstance(entry, float) for entry in value) else "i"
        data = struct.pack(f"<{len(value)}{kind}", *value)
        return kind.encode() + struct.pack("<III", len(value), 0, len(data)) + data
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    if isinstance(value, Id):
        return b"L" + struct.pack("<q", value)
    return b"I" + struct.pack("<i", value)


class Id(int):
    """A number of 64 bits."""


def named(name, kind):
    return f"{name}\0\1{kind}"


def textured_square(path, picture, inside=True, reference="textures\\skin.png"):
    """Write a square of x, y in [0, 1] with a picture on it."""
    layer = node(
        "LayerElementUV",
        0,
        children=[
            node("Version", 101),
            node("Name", "UVMap"),
            node("MappingInformationType", "ByPolygonVertex"),
            node("ReferenceInformationType", "IndexToDirect"),
            node("UV", [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
            node("UVIndex", [0, 1, 2, 3]),
        ],
    )
    paint = node(
        "LayerElementMaterial",
        0,
        children=[
            node("MappingInformationType", "AllSame"),
            node("ReferenceInformationType", "IndexToDirect"),
            node("Materials", [0]),
        ],
    )
    geometry = [
        node("Vertices", [float(value) for value in SQUARE]),
        node("PolygonVertexIndex", [0, 1, 2, -4]),
        layer,
        paint,
    ]
    video = [
        node("Type", "Clip"),
        node("Filename", reference),
        node("RelativeFilename", reference),
    ]
    if inside:
        video.append(node("Content", picture))
    texture = [node("FileName", reference), node("RelativeFilename", reference)]
    version = [node("Version", 232)]
    objects = [
        node("Geometry", Id(1), named("square", "Geometry"), "Mesh", children=geometry),
        node("Model", Id(2), named("square", "Model"), "Mesh", children=version),
        node("Material", Id(3), named("paint", "Material"), "", children=version),
        node("Texture", Id(4), named("skin", "Texture"), "", children=texture),
        node("Video", Id(5), named("skin", "Video"), "Clip", children=video),
    ]
    connections = [
        node("C", "OO", Id(2), Id(0)),
        node("C", "OO", Id(1), Id(2)),
        node("C", "OO", Id(3), Id(2)),
        node("C", "OP", Id(4), Id(3), "DiffuseColor"),
        node("C", "OO", Id(5), Id(4)),
    ]
    layers = [
        node("LayerElement", children=[node("Type", name), node("TypedIndex", 0)])
        for name in ("LayerElementMaterial", "LayerElementUV")
    ]
    geometry.append(node("Layer", 0, children=layers))
    return written(path, objects, connections)


def moved_by(x, y, z):
    """Return what a node's properties say of where it is."""
    here = node(
        "P", "Lcl Translation", "Lcl Translation", "", "A", *map(float, (x, y, z))
    )
    return [node("Properties70", children=[here])]


def shift(x, y, z):
    """Return a matrix as .fbx stores it."""
    return [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, x, y, z, 1.0]


def skinned_square(path):
    """Write a square whose bones have moved since they were bound at z = 2.

    The left side's is at z = 5 now, the right side's at y = 10. The mesh's own node,
    which says nothing of where a skin is, is at x = 70.
    """
    geometry = [
        node("Vertices", [float(value) for value in SQUARE]),
        node("PolygonVertexIndex", [0, 1, 2, -4]),
    ]
    objects = [
        node("Geometry", Id(1), named("square", "Geometry"), "Mesh", children=geometry),
        node(
            "Model", Id(2), named("body", "Model"), "Mesh", children=moved_by(70, 0, 0)
        ),
        node("Deformer", Id(3), named("", "Deformer"), "Skin", children=VERSION),
    ]
    connections = [(2, 0), (1, 2), (3, 1)]
    for number, bone, vertices, place in (
        (10, "left", [0, 3], (0, 0, 5)),
        (20, "right", [1, 2], (0, 10, 2)),
    ):
        cluster = [
            node("Indexes", vertices),
            node("Weights", [0.5] * len(vertices)),
            node("Transform", shift(0.0, 0.0, -2.0)),
            node("TransformLink", shift(0.0, 0.0, 2.0)),
        ]
        name = named("", "SubDeformer")
        objects += [
            node("Deformer", Id(number), name, "Cluster", children=cluster),
            node(
                "Model",
                Id(number + 1),
                named(bone, "Model"),
                "LimbNode",
                children=moved_by(*place),
            ),
        ]
        connections += [(number, 3), (number + 1, number), (number + 1, 0)]
    joined = [node("C", "OO", Id(child), Id(parent)) for child, parent in connections]
    return written(path, objects, joined)


VERSION = [node("Version", 100)]


def written(path, objects, connections):
    data = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400)
    for top in (
        node("FBXHeaderExtension", children=[node("FBXVersion", 7400)]),
        node("GlobalSettings", children=[node("Version", 1000)]),
        node("Objects", children=objects),
        node("Connections", children=connections),
    ):
        data += top(len(data))
    path.write_bytes(data + bytes(13))
    return path
