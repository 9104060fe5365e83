"""glTF by the book: each trap alone, in a file made for it, then the real ones."""

import numpy as np
import pytest
import trimesh
from gltf_maker import TRIANGLE, Maker, middle_rgba

from voxify3d.color.spaces import srgb_from_linear
from voxify3d.errors import MeshError
from voxify3d.mesh.gltf_materials import uv_matrix_from_transform
from voxify3d.mesh.load import load_mesh

IDENTITY = np.eye(4).T.reshape(1, 16)


def corners(mesh):
    return mesh.vertices[mesh.faces]


def turned_up(degrees):
    """Return the quaternion of a turn about z."""
    half = np.radians(degrees) / 2
    return [0, 0, float(np.sin(half)), float(np.cos(half))]


# --- nodes ------------------------------------------------------------------------


def test_transforms_of_parents_come_after_those_of_children(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.document["nodes"][0] |= {"translation": [1, 0, 0], "scale": [2, 2, 2]}
    maker.add("nodes", {"children": [0], "rotation": turned_up(90)})
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    expected = [[[0, 1, 0], [0, 3, 0], [-2, 1, 0]]]
    np.testing.assert_allclose(corners(mesh), expected, atol=1e-12)


def test_matrix_of_a_node_is_stored_by_columns(tmp_path):
    maker = Maker()
    maker.triangle()
    columns = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 5, 6, 7, 1]
    maker.document["nodes"][0]["matrix"] = columns
    mesh = load_mesh(maker.gltf(tmp_path / "a.gltf"))
    np.testing.assert_allclose(corners(mesh)[0], [[5, 6, 7], [5, 7, 7], [4, 6, 7]])


def test_negative_scale_keeps_the_outside_outside(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.document["nodes"][0]["scale"] = [-1, 1, 1]
    a, b, c = corners(load_mesh(maker.glb(tmp_path / "a.glb")))[0]
    assert np.cross(b - a, c - a)[2] > 0
    assert min(a[0], b[0], c[0]) == -1


def test_only_the_default_scene_is_read(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.triangle(np.add(TRIANGLE, 5))
    maker.document |= {"scenes": [{"nodes": [0]}, {"nodes": [1]}], "scene": 1}
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.bounds.tolist() == [[5, 5, 5], [6, 6, 5]]


def test_a_mesh_of_two_nodes_is_there_twice(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.add("nodes", {"mesh": 0, "translation": [3, 0, 0]})
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert len(mesh.faces) == 2
    assert mesh.part.tolist() == [0, 1]


def test_instances_multiply_their_node(tmp_path):
    maker = Maker()
    maker.triangle()
    attributes = {
        "TRANSLATION": maker.accessor([[0, 0, 0], [3, 0, 0]]),
        "SCALE": maker.accessor([[1, 1, 1], [2, 2, 2]]),
        "ROTATION": maker.accessor([[0, 0, 0, 1], turned_up(90)]),
    }
    extension = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    maker.document["nodes"][0] |= {"extensions": extension, "translation": [0, 1, 0]}
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    np.testing.assert_allclose(
        corners(mesh)[1], [[3, 1, 0], [3, 3, 0], [1, 1, 0]], atol=1e-6
    )


@pytest.mark.parametrize("children", [{0: [1], 1: [0]}, {0: [0]}, {0: [1], 2: [1]}])
def test_nodes_that_form_no_tree_are_refused(children, tmp_path):
    maker = Maker()
    for _ in range(3):
        maker.triangle()
    for node, below in children.items():
        maker.document["nodes"][node]["children"] = below
    with pytest.raises(MeshError, match=r"a tree|a cycle"):
        load_mesh(maker.glb(tmp_path / "a.glb"))


def test_a_chain_of_ten_thousand_nodes_is_no_problem(tmp_path):
    maker = Maker()
    maker.triangle()
    for number in range(10_000):
        maker.add("nodes", {"children": [number], "translation": [0, 0, 0.5]})
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.bounds[0, 2] == 5000


# --- skins, morphs ----------------------------------------------------------------


def skinned(weights, joint_moves, **node):
    """A triangle whose vertices follow two joints, in a node that stands elsewhere."""
    maker = Maker()
    maker.triangle(
        JOINTS_0=maker.accessor([[0, 1, 0, 0]] * 3, "u1"),
        WEIGHTS_0=maker.accessor(weights),
    )
    joints = [maker.add("nodes", {"translation": move}) for move in joint_moves]
    bind = maker.accessor(np.repeat(IDENTITY, 2, axis=0))
    skin = maker.add("skins", {"joints": joints, "inverseBindMatrices": bind})
    maker.document["nodes"][0] |= {"skin": skin} | node
    return maker


def test_joints_pose_a_skinned_mesh_and_its_own_node_does_not(tmp_path):
    weights = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0]]
    maker = skinned(weights, [[0, 0, 1], [0, 0, 3]], scale=[100, 100, 100])
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    np.testing.assert_allclose(corners(mesh)[0], [[0, 0, 1], [1, 0, 2], [0, 1, 3]])


def test_inverse_bind_matrices_come_first(tmp_path):
    maker = skinned([[1, 0, 0, 0]] * 3, [[5, 0, 0], [0, 0, 0]])
    bind = np.eye(4)
    bind[:3, 3] = [-4, 0, 0]
    matrices = np.stack([bind.T, np.eye(4)]).reshape(2, 16)
    maker.document["skins"][0]["inverseBindMatrices"] = maker.accessor(matrices)
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    np.testing.assert_allclose(corners(mesh)[0], np.add(TRIANGLE, [1, 0, 0]))


def test_weights_that_are_nan_or_all_zero_are_repaired_and_noted(tmp_path):
    nan = float("nan")
    weights = [[nan, 1, 0, 0], [0, 0, 0, 0], [2, 2, 0, 0]]
    maker = skinned(weights, [[0, 0, 1], [0, 0, 3]])
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    np.testing.assert_allclose(corners(mesh)[0][:, 2], [3, 1, 2])
    assert any("NaN" in note for note in mesh.notes)
    assert any("no joint weight" in note for note in mesh.notes)


def test_a_joint_that_does_not_exist_is_said(tmp_path):
    maker = skinned([[1, 0, 0, 0]] * 3, [[0, 0, 0], [0, 0, 0]])
    maker.document["skins"][0]["joints"].pop()
    with pytest.raises(MeshError, match="follows joint 1, but the skin has 1"):
        load_mesh(maker.glb(tmp_path / "a.glb"))


def test_morph_targets_are_added_at_their_stored_weights(tmp_path):
    maker = Maker()
    primitive = maker.triangle()
    offsets = [maker.accessor([[0, 0, z]] * 3) for z in (1, 10)]
    primitive["targets"] = [{"POSITION": offset} for offset in offsets]
    maker.document["meshes"][0]["weights"] = [1, 0.5]
    path = maker.glb(tmp_path / "a.glb")
    assert load_mesh(path).bounds[0, 2] == 6
    maker.document["nodes"][0]["weights"] = [0, 0.25]
    assert load_mesh(maker.glb(path)).bounds[0, 2] == 2.5


# --- accessors --------------------------------------------------------------------


def test_strips_and_fans_keep_their_winding(tmp_path):
    square = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]
    for mode, order in ((5, [0, 1, 2, 3]), (6, [0, 1, 3, 2])):
        maker = Maker()
        primitive = maker.triangle(square)
        primitive |= {"mode": mode, "indices": maker.accessor(order, "u2")}
        faces = corners(load_mesh(maker.glb(tmp_path / "a.glb")))
        assert len(faces) == 2
        normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        np.testing.assert_array_equal(normals, [[0, 0, 1], [0, 0, 1]])


def test_interleaved_attributes_are_taken_apart(tmp_path):
    maker = Maker()
    rows = np.zeros((3, 5), "<f4")
    rows[:, :3] = TRIANGLE
    rows[:, 3:] = 9
    view = maker.view(rows.tobytes(), byteStride=20)
    primitive = maker.triangle()
    info = {"bufferView": view, "componentType": 5126, "count": 3, "type": "VEC3"}
    primitive["attributes"]["POSITION"] = maker.add("accessors", info)
    np.testing.assert_array_equal(
        corners(load_mesh(maker.glb(tmp_path / "a.glb")))[0], TRIANGLE
    )


def test_sparse_entries_replace_the_stored_ones(tmp_path):
    maker = Maker()
    primitive = maker.triangle()
    number = primitive["attributes"]["POSITION"]
    maker.document["accessors"][number]["sparse"] = {
        "count": 1,
        "indices": {
            "bufferView": maker.view(np.array([2], "<u2").tobytes()),
            "componentType": 5123,
        },
        "values": {"bufferView": maker.view(np.array([[0, 7, 0]], "<f4").tobytes())},
    }
    assert load_mesh(maker.glb(tmp_path / "a.glb")).bounds[1, 1] == 7


@pytest.mark.parametrize(("dtype", "top"), [("u1", 255), ("i2", 32767)])
def test_quantized_positions_are_normalized(dtype, top, tmp_path):
    maker = Maker()
    primitive = maker.triangle()
    number = maker.accessor(np.array(TRIANGLE) * top, dtype, normalized=True)
    primitive["attributes"]["POSITION"] = number
    maker.document["extensionsRequired"] = ["KHR_mesh_quantization"]
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    np.testing.assert_array_equal(corners(mesh)[0], TRIANGLE)


# --- colors -----------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "top"), [("f4", 1), ("u1", 255), ("u2", 65535)])
def test_vertex_colors_are_linear_in_every_encoding(dtype, top, tmp_path):
    maker = Maker()
    colors = np.array([[0.2, 0.4, 0.6]] * 3) * top
    number = maker.accessor(colors, dtype, normalized=dtype != "f4")
    maker.triangle(COLOR_0=number)
    rgba = middle_rgba(load_mesh(maker.glb(tmp_path / "a.glb")))
    expected = srgb_from_linear(np.array([0.2, 0.4, 0.6]))
    np.testing.assert_allclose(rgba[0, :3], expected, atol=2e-3)


def test_vertex_colors_that_are_all_black_are_a_mask(tmp_path):
    maker = Maker()
    maker.triangle(COLOR_0=maker.accessor([[0, 0, 0, 1]] * 3))
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.color is None
    assert "mask" in mesh.notes[0]


def test_vertex_colors_that_take_a_channel_out_of_a_texture_are_a_mask(tmp_path):
    maker = Maker()
    primitive = maker.textured([[[200, 100, 50]]], [[0, 0], [1, 0], [0, 1]])
    rows = [[1, 0, 0], [0.5, 0, 0], [0, 0, 0]]
    primitive["attributes"]["COLOR_0"] = maker.accessor(rows)
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    rgba = middle_rgba(mesh)
    np.testing.assert_allclose(rgba[0, :3] * 255, [200, 100, 50], atol=0.01)
    assert "mask" in mesh.notes[0]


def test_black_vertices_beside_colored_ones_stay_black(tmp_path):
    maker = Maker()
    maker.triangle(COLOR_0=maker.accessor([[0, 0, 0]] * 3))
    maker.triangle(COLOR_0=maker.accessor([[1, 0, 0]] * 3))
    rgba = middle_rgba(load_mesh(maker.glb(tmp_path / "a.glb")))
    assert rgba[:, 0].round(6).tolist() == [0, 1]


def test_texture_rows_run_down_from_v_zero(tmp_path):
    pixels = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]]
    for u, v, expected in (
        (0.25, 0.25, [1, 0, 0]),
        (0.75, 0.25, [0, 1, 0]),
        (0.25, 0.75, [0, 0, 1]),
        (0.75, 0.75, [1, 1, 1]),
    ):
        maker = Maker()
        maker.textured(pixels, [[u, v]] * 3)
        rgba = middle_rgba(load_mesh(maker.glb(tmp_path / "a.glb")))
        np.testing.assert_allclose(rgba[0, :3], expected, atol=1e-6)


def test_sampler_wrap_modes_are_kept(tmp_path):
    maker = Maker()
    maker.textured([[[1, 2, 3]]], [[0, 0]] * 3)
    maker.document["samplers"] = [{"wrapS": 33071, "wrapT": 33648}]
    maker.document["textures"][0]["sampler"] = 0
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.materials[0].wrap == ("clamp", "mirror")


def test_texture_transform_scales_turns_and_moves_the_coordinates():
    transform = {"scale": [2, 3], "rotation": np.pi / 2, "offset": [0.5, 0.25]}
    matrix = uv_matrix_from_transform(transform)
    # (1, 1) → scaled (2, 3) → a quarter turn, v down: (u, v) → (v, -u) → moved.
    np.testing.assert_allclose(matrix @ [1, 1, 1], [3.5, -1.75])


def test_texture_transform_may_name_the_second_set_of_coordinates(tmp_path):
    pixels = [[[255, 0, 0], [0, 0, 255]]]
    transform = {"texCoord": 1, "scale": [0.5, 1], "offset": [0.5, 0]}
    extensions = {"KHR_texture_transform": transform}
    maker = Maker()
    primitive = maker.textured(pixels, [[0.25, 0.5]] * 3, extensions=extensions)
    primitive["attributes"]["TEXCOORD_1"] = maker.accessor([[0.5, 0.5]] * 3)
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.uv is not None
    np.testing.assert_array_equal(mesh.uv[0, 0], [0.75, 0.5])
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [0, 0, 1], atol=1e-6)


def test_specular_glossiness_gives_its_diffuse_color(tmp_path):
    maker = Maker()
    primitive = maker.triangle()
    gloss = {"diffuseFactor": [0.1, 0.2, 0.3, 1]}
    extensions = {"KHR_materials_pbrSpecularGlossiness": gloss}
    primitive["material"] = maker.add("materials", {"extensions": extensions})
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.materials[0].base_color == (0.1, 0.2, 0.3, 1)


def test_black_that_glows_shows_its_glow(tmp_path):
    maker = Maker()
    rough = {"baseColorFactor": [0, 0, 0, 1]}
    info = {"pbrMetallicRoughness": rough, "emissiveFactor": [0.5, 0.25, 0]}
    maker.triangle()["material"] = maker.add("materials", info)
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert mesh.materials[0].base_color == (0.5, 0.25, 0, 1)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ({}, ("opaque", 0.5)),
        ({"alphaMode": "MASK"}, ("mask", 0.5)),
        ({"alphaMode": "MASK", "alphaCutoff": 0.1}, ("mask", 0.1)),
        ({"alphaMode": "BLEND", "alphaCutoff": 0.1}, ("blend", 0.5)),
    ],
)
def test_alpha_modes_are_kept(mode, expected, tmp_path):
    maker = Maker()
    maker.triangle()["material"] = maker.add("materials", mode)
    material = load_mesh(maker.glb(tmp_path / "a.glb")).materials[0]
    assert (material.alpha_mode, material.alpha_cutoff) == expected


def test_points_beside_triangles_are_ignored_and_noted(tmp_path):
    maker = Maker()
    maker.triangle()
    maker.triangle()["mode"] = 0
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"))
    assert len(mesh.faces) == 1
    assert mesh.notes == ("points and lines are ignored",)


# --- real files -------------------------------------------------------------------

REAL = {
    "knight.glb": (6952, [2.69, 2.47, 2.58]),
    "fox/fox.gltf": (576, [25.2, 79.0, 154.7]),
    "robot-expressive.glb": (3234, [3.10, 4.46, 2.69]),
    "witch.glb": (6900, [1.65, 2.05, 0.548]),
    "trex.glb": (1820, [7.96, 14.68, 30.87]),
    "toy-robot/toy-robot.glb": (550, [1.2, 1.1, 0.635]),
    "skater-male.gltf": (1604, [2.32, 2.41, 0.67]),
    "birthday-cake.gltf": (1332, [0.639, 0.364, 0.639]),
    "oak-tree/oak-tree.gltf": (778, [1752, 2471, 1796]),
    "bridge-garden.glb": (21883, [11.4, 7.01, 11.4]),
    "helicopter.gltf": (219011, [3.66, 2.15, 5.11]),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_have_the_expected_size(name, shared_mesh):
    mesh = load_mesh(shared_mesh(name))
    faces, box = REAL[name]
    assert len(mesh.faces) == faces
    low, high = mesh.bounds
    np.testing.assert_allclose(high - low, box, rtol=0.01)


@pytest.mark.parametrize(
    "name",
    ["toy-robot/toy-robot.glb", "birthday-cake.gltf", "oak-tree/oak-tree.gltf"],
)
def test_another_reader_finds_the_same_triangles(name, shared_mesh):
    path = shared_mesh(name)
    mesh = load_mesh(path)
    other = trimesh.load_scene(path, process=False).to_mesh()
    size = np.ptp(mesh.bounds)
    ours = np.sort((corners(mesh).mean(axis=1) / size).round(4), axis=0)
    theirs = np.sort((other.triangles.mean(axis=1) / size).round(4), axis=0)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_robot_hands_are_attached_to_its_arms(shared_mesh):
    mesh = load_mesh(shared_mesh("robot-expressive.glb"))
    # Without the skin the box is 6.6 wide: the hands hang in the air.
    low, high = mesh.bounds
    assert (high - low)[0] < 3.5


def test_white_draco_colors_change_nothing(shared_mesh):
    mesh = load_mesh(shared_mesh("skater-male.gltf"))
    assert mesh.color is None


@pytest.mark.slow
def test_six_hundred_thousand_triangles_load(shared_mesh):
    mesh = load_mesh(shared_mesh("cave.glb"))
    assert len(mesh.faces) == 593_326
    assert mesh.notes == ("dropped 2,084 degenerate faces",)
