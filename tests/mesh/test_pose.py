"""Clips, the bind pose and material variants of glTF files."""

import numpy as np
import pytest
from gltf_maker import TRIANGLE, Maker, middle_rgba

from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.animation import sampled
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.settings import LoadConfig

HALF = np.sqrt(0.5)


def clip(maker, path, times, values, mode=None, node=0, name="clip"):
    """Add a clip of one channel."""
    sampler = {"input": maker.accessor(times), "output": maker.accessor(values)}
    if mode:
        sampler["interpolation"] = mode
    channel = {"sampler": 0, "target": {"node": node, "path": path}}
    maker.add(
        "animations", {"name": name, "samplers": [sampler], "channels": [channel]}
    )


def at(path, time, animation="clip"):
    mesh = load_mesh(path, LoadConfig(animation=animation, time=float(time)))
    return mesh.vertices[mesh.faces][0]


@pytest.fixture
def moving(tmp_path):
    """A file whose triangle moves along x by one of the three interpolations."""

    def make(mode):
        maker = Maker()
        maker.triangle()
        rows = [[1, 0, 0], [3, 0, 0], [11, 0, 0]]
        if mode == "CUBICSPLINE":  # in-tangent, value, out-tangent
            flat = [0, 0, 0]
            rows = [part for row in rows for part in (flat, row, [4, 0, 0])]
        clip(maker, "translation", [1, 2, 4], rows, mode)
        return maker.glb(tmp_path / "a.glb")

    return make


@pytest.mark.parametrize(
    ("mode", "time", "x"),
    [
        ("STEP", 1.99, 1),
        ("STEP", 2.0, 3),
        ("STEP", 3.99, 3),
        ("STEP", 9.0, 11),
        ("LINEAR", 0.0, 1),
        ("LINEAR", 1.5, 2),
        ("LINEAR", 3.0, 7),
        (None, 3.0, 7),
        # t = 1/2: (1 + 3) / 2 + span * out-tangent / 8 = 2 + 1 * 4 / 8
        ("CUBICSPLINE", 1.5, 2.5),
        # (3 + 11) / 2 + 2 * 4 / 8: the tangent is scaled by the time between keys
        ("CUBICSPLINE", 3.0, 8),
        ("CUBICSPLINE", 2.0, 3),
        ("CUBICSPLINE", 0.0, 1),
        ("CUBICSPLINE", 4.0, 11),
    ],
)
def test_each_interpolation_gives_its_value(moving, mode, time, x):
    np.testing.assert_allclose(at(moving(mode), time), np.add(TRIANGLE, [x, 0, 0]))


def test_rotations_go_the_shorter_way_at_even_speed(tmp_path):
    maker = Maker()
    maker.triangle()
    # From 0 to 90 degrees about z; the second quaternion is stored with its sign off.
    clip(maker, "rotation", [0, 1], [[0, 0, 0, 1], [0, 0, -HALF, -HALF]])
    third = np.radians(30)
    corner = at(maker.glb(tmp_path / "a.glb"), 1 / 3)[1]
    np.testing.assert_allclose(corner, [np.cos(third), np.sin(third), 0], atol=1e-6)


def test_rotations_by_a_cubic_spline_are_unit_again(tmp_path):
    maker = Maker()
    maker.triangle()
    rows = [[0] * 4, [0, 0, 0, 1], [0] * 4, [0] * 4, [0, 0, 1, 0], [0] * 4]
    clip(maker, "rotation", [0, 1], rows, "CUBICSPLINE")
    corner = at(maker.glb(tmp_path / "a.glb"), 0.5)[1]
    np.testing.assert_allclose(corner, [0, 1, 0], atol=1e-6)


def test_equal_rotations_do_not_divide_by_zero():
    same = np.array([[0.0, 0, 0, 1], [0.0, 0, 0, 1]])
    times = np.array([0.0, 1.0])
    found = sampled(times, same, "LINEAR", 0.5, is_rotation=True)
    np.testing.assert_array_equal(found, [0, 0, 0, 1])


def test_scale_and_normalized_rotation_are_read(tmp_path):
    maker = Maker()
    maker.triangle()
    clip(maker, "scale", [0, 2], [[1, 1, 1], [3, 5, 1]])
    rows = [[0, 0, 32767, 0]] * 2
    sampler = {
        "input": maker.accessor([0, 2]),
        "output": maker.accessor(rows, "i2", normalized=True),
    }
    animation = maker.document["animations"][0]
    animation["samplers"].append(sampler)
    animation["channels"].append(
        {"sampler": 1, "target": {"node": 0, "path": "rotation"}}
    )
    found = at(maker.glb(tmp_path / "a.glb"), 1)
    np.testing.assert_allclose(found, [[0, 0, 0], [-2, 0, 0], [0, -3, 0]], atol=1e-4)


@pytest.mark.parametrize("mode", ["LINEAR", "CUBICSPLINE"])
def test_morph_weights_are_animated(tmp_path, mode):
    maker = Maker()
    primitive = maker.triangle()
    offsets = [maker.accessor([[0, 0, z]] * 3) for z in (1, 10)]
    primitive["targets"] = [{"POSITION": offset} for offset in offsets]
    maker.document["meshes"][0]["weights"] = [7, 7]
    rows = (
        [0, 1, 1, 0.5] if mode == "LINEAR" else [0, 0, 0, 1, 0, 0, 0, 0, 1, 0.5, 0, 0]
    )
    clip(maker, "weights", [0, 1], rows, mode)
    # Half way: weights 0.5 and 0.75.
    assert at(maker.glb(tmp_path / "a.glb"), 0.5)[:, 2].tolist() == [8, 8, 8]


def test_joints_are_animated(tmp_path):
    maker = Maker()
    maker.triangle(
        JOINTS_0=maker.accessor([[0, 0, 0, 0]] * 3, "u1"),
        WEIGHTS_0=maker.accessor([[1, 0, 0, 0]] * 3),
    )
    joint = maker.add("nodes", {})
    maker.document["nodes"][0]["skin"] = maker.add("skins", {"joints": [joint]})
    clip(maker, "translation", [0, 1], [[0, 0, 0], [0, 0, 6]], node=joint)
    assert at(maker.glb(tmp_path / "a.glb"), 0.5)[:, 2].tolist() == [3, 3, 3]


def test_a_node_with_a_matrix_keeps_what_the_clip_does_not_set(tmp_path):
    maker = Maker()
    maker.triangle()
    matrix = np.diag([2.0, 3, -1, 1])
    matrix[:3, 3] = 9
    maker.document["nodes"][0]["matrix"] = matrix.T.ravel().tolist()
    clip(maker, "translation", [0], [[5, 0, 0]])
    found = at(maker.glb(tmp_path / "a.glb"), 0)
    found = found[np.lexsort(found.T)]  # a mirrored face has its corners reversed
    np.testing.assert_allclose(found, [[5, 0, 0], [7, 0, 0], [5, 3, 0]], atol=1e-12)


def test_clips_are_found_by_name_case_or_number(tmp_path):
    maker = Maker()
    maker.triangle()
    for number, name in enumerate(["Walk", "Run"]):
        clip(maker, "translation", [0], [[number, 0, 0]], name=name)
    path = maker.glb(tmp_path / "a.glb")
    found = {name: at(path, 0, name)[0, 0] for name in ("Walk", "run", "1", "0")}
    assert found == {"Walk": 0, "run": 1, "1": 1, "0": 0}
    with pytest.raises(ConfigError, match="no animation 'Fly'; it holds Walk, Run"):
        at(path, 0, "Fly")
    with pytest.raises(ConfigError, match="no animation '2'"):
        at(path, 0, "2")


def test_a_moment_after_the_end_is_noted(moving):
    path = moving("LINEAR")
    late = load_mesh(path, LoadConfig(animation="clip", time=5.0))
    assert "animation clip ends at 4 s, its last pose is used" in late.notes


def test_a_channel_of_an_unknown_kind_is_noted(tmp_path):
    maker = Maker()
    maker.triangle()
    clip(maker, "pointer", [0], [[0, 0, 0]])
    mesh = load_mesh(maker.glb(tmp_path / "a.glb"), LoadConfig(animation="0"))
    assert any("pointer is not supported" in note for note in mesh.notes)


@pytest.mark.parametrize("rows", [[[1, 0, 0]], [[1, 0, 0]] * 3])
def test_a_clip_with_lying_sizes_is_refused(tmp_path, rows):
    maker = Maker()
    maker.triangle()
    clip(maker, "translation", [0, 1], rows)
    path = maker.glb(tmp_path / "a.glb")
    with pytest.raises(MeshError, match="for 2 keyframes of translation"):
        at(path, 0.5)
    assert len(load_mesh(path).faces) == 1  # nothing is read that is not asked for


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"time": 1.0}, "--animation"),
        ({"time": -1.0, "animation": "a"}, "--time must be 0 or more"),
        ({"time": float("nan"), "animation": "a"}, "--time must be 0 or more"),
        ({"animation": "a", "pose": "bind"}, "not both"),
        ({"rotate": (0.0, float("inf"), 0.0)}, "--rotate must be three angles"),
        ({"blend_cutoff": 0.0}, "--blend-cutoff must be above 0"),
        ({"blend_cutoff": float("nan")}, "--blend-cutoff must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, match):
    with pytest.raises(ConfigError, match=match):
        LoadConfig(**options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"animation": "0"}, "--animation is for glTF"),
        ({"pose": "bind"}, "--pose bind is for glTF"),
        ({"variant": "red"}, "--variant is for glTF"),
    ],
)
def test_other_formats_refuse_what_they_cannot_hold(tmp_path, options, match):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(ConfigError, match=match):
        load_mesh(path, LoadConfig(**options))


# --- the bind pose -----------------------------------------------------------------


def test_the_bind_pose_puts_joints_where_they_were_bound(tmp_path):
    maker = Maker()
    maker.triangle(
        JOINTS_0=maker.accessor([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]], "u1"),
        WEIGHTS_0=maker.accessor([[1, 0, 0, 0]] * 3),
    )
    # A hat on the second joint, which the nodes have lifted from y = 1 to y = 5.
    hat = maker.add("meshes", {"primitives": maker.document["meshes"][0]["primitives"]})
    hat_node = maker.add("nodes", {"mesh": hat, "translation": [0, 0, 2]})
    head = maker.add("nodes", {"translation": [0, 5, 0], "children": [hat_node]})
    root = maker.add("nodes", {"translation": [10, 0, 0], "children": [head]})
    bind = np.tile(np.eye(4), (2, 1, 1))
    bind[1, 1, 3] = -1
    stored = maker.accessor(bind.transpose(0, 2, 1).reshape(2, 16))
    skin = maker.add("skins", {"joints": [root, head], "inverseBindMatrices": stored})
    maker.document["nodes"][0]["skin"] = skin
    path = maker.glb(tmp_path / "a.glb")
    nodes = load_mesh(path)
    assert nodes.vertices[nodes.faces][0].tolist() == [
        [10, 0, 0],
        [11, 4, 0],
        [10, 5, 0],
    ]
    mesh = load_mesh(path, LoadConfig(pose="bind"))
    skinned, worn = mesh.vertices[mesh.faces]
    np.testing.assert_allclose(skinned, np.add(TRIANGLE, [10, 0, 0]))
    np.testing.assert_allclose(worn, np.add(TRIANGLE, [10, 1, 2]))


def test_the_robot_stretches_its_arms_in_the_bind_pose(shared_mesh):
    path = shared_mesh("robot-expressive.glb")
    stand = np.ptp(load_mesh(path).bounds, axis=0)
    bound = np.ptp(load_mesh(path, LoadConfig(pose="bind")).bounds, axis=0)
    assert bound[0] > 2 * stand[0]
    assert bound[1] == pytest.approx(stand[1], rel=0.05)


def test_the_clips_of_the_robot_do_what_their_names_say(shared_mesh):
    path = shared_mesh("robot-expressive.glb")

    def pose(animation, time):
        return load_mesh(path, LoadConfig(animation=animation, time=float(time)))

    stand, jump = pose("Idle", 0.0), pose("Jump", 0.4)
    wave, punch = pose("Wave", 0.9), pose("Punch", 0.4)
    assert jump.bounds[0, 1] > stand.bounds[0, 1] + 0.5  # both feet off the ground
    # One hand up, well above the other, in Wave; one fist forward in Punch.
    assert wave.bounds[0, 0] < stand.bounds[0, 0] - 1
    assert punch.bounds[1, 2] > stand.bounds[1, 2] + 0.8
    assert pose("Sitting", 0.4).bounds[1, 1] < stand.bounds[1, 1] - 0.4


# --- variants ----------------------------------------------------------------------


@pytest.fixture
def dress(tmp_path):
    """A file of one triangle, red, or as the variants Blue and Green."""
    maker = Maker()
    primitive = maker.triangle()
    for rgb in np.eye(3)[[0, 2, 1]].tolist():
        maker.add("materials", {"pbrMetallicRoughness": {"baseColorFactor": [*rgb, 1]}})
    primitive["material"] = 0
    names = [{"name": "Blue"}, {"name": "Green"}, {"name": "Plain"}]
    maker.document["extensions"] = {"KHR_materials_variants": {"variants": names}}
    mappings = [{"material": 1, "variants": [0]}, {"material": 2, "variants": [1]}]
    primitive["extensions"] = {"KHR_materials_variants": {"mappings": mappings}}
    return maker.glb(tmp_path / "a.glb")


@pytest.mark.parametrize(
    ("variant", "rgb"),
    [
        (None, [1, 0, 0]),
        ("Blue", [0, 0, 1]),
        ("green", [0, 1, 0]),
        ("Plain", [1, 0, 0]),  # without a mapping the primitive's own material stays
    ],
)
def test_a_variant_changes_the_material(dress, variant, rgb):
    mesh = load_mesh(dress, LoadConfig(variant=variant))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], rgb, atol=1e-6)


def test_an_unknown_variant_is_refused_with_the_known_ones(dress):
    with pytest.raises(
        ConfigError, match="no variant 'Gold'; it holds Blue, Green, Pl"
    ):
        load_mesh(dress, LoadConfig(variant="Gold"))
