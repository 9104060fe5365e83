"""A part made larger: what must hold of the bent mesh, and where heads are."""

from dataclasses import replace

import numpy as np
import pytest
from makers import joined

from voxify3d.errors import ConfigError
from voxify3d.mesh.emphasis import emphasized
from voxify3d.mesh.emphasis_settings import emphasis_of
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.shapes import box, sphere


def figure():
    """A body, a neck and a ball for a head."""
    mesh = joined(
        box((1.2, 1.6, 0.8), center=(0, 0.8, 0)),
        box((0.4, 0.5, 0.4), center=(0, 1.7, 0)),
        sphere(0.7, center=(0, 2.5, 0)),
    )
    names = ("coat", "skin", "Mat:Ball")
    looks = zip(mesh.materials, names, strict=True)
    return replace(mesh, materials=tuple(replace(m, name=n) for m, n in looks))


def split(mesh, bent):
    """Vertices of the body, and of the head's upper half, before and after."""
    height = mesh.vertices[:, 1]
    return [(mesh.vertices[at], bent.vertices[at]) for at in (height < 1.5, height > 2)]


@pytest.mark.parametrize("factor", [1.2, 2.0, 3.0])
def test_the_head_grows_by_the_factor_and_the_body_stays(factor):
    mesh = figure()
    bent = emphasized(mesh, emphasis_of(f"head:{factor}"))
    (body, body_after), (head, head_after) = split(mesh, bent)
    grown = np.ptp(head_after, axis=0) / np.ptp(head, axis=0)
    np.testing.assert_allclose(grown, factor, rtol=0.06)
    assert np.abs(body_after - body).max() < 0.03
    assert bent.bounds[0, 1] == pytest.approx(0, abs=0.01)


def volumes(vertices):
    """Signed volumes of the tetrahedra of a cube cut in five, for many cubes."""
    tetrahedra = [(0, 1, 2, 4), (3, 2, 1, 7), (5, 4, 7, 1), (6, 7, 4, 2), (1, 2, 4, 7)]
    at = vertices[:, tetrahedra]
    sides = at[:, :, 1:] - at[:, :, :1]
    return np.linalg.det(sides) / 6


@pytest.mark.parametrize("text", ["head:3", "0..1,0.3..0.6,0..1:3", "0..0.5,0..1,0..1"])
def test_space_is_bent_but_never_folded_or_torn(text):
    """Small cubes inside of the figure keep their handedness, and neighbors meet."""
    mesh = figure()
    low, high = mesh.bounds
    rng = np.random.default_rng(0)
    corner = rng.uniform(low, high - 0.02, (4000, 3))
    inside = (np.abs(corner) < [0.55, 9, 0.35]).all(axis=1) & (corner[:, 1] < 1.4)
    inside |= np.linalg.norm(corner - [0, 2.5, 0], axis=1) < 0.6
    inside |= (np.abs(corner[:, [0, 2]]) < 0.15).all(axis=1) & (corner[:, 1] < 2)
    steps = np.stack(np.meshgrid(*3 * [[0, 1]], indexing="ij"), -1).reshape(8, 3)
    cubes = corner[inside, None] + 0.02 * steps
    vertices = np.concatenate([mesh.vertices, cubes.reshape(-1, 3)])
    bent = emphasized(replace(mesh, vertices=vertices), emphasis_of(text))
    after = volumes(bent.vertices[len(mesh.vertices) :].reshape(-1, 8, 3))
    assert (after / volumes(cubes) > 0.2).all()


def test_a_symmetric_mesh_stays_symmetric():
    mesh = figure()
    bent = emphasized(mesh, emphasis_of("head:2"))
    low, high = bent.bounds
    np.testing.assert_allclose(low[[0, 2]], -high[[0, 2]], atol=1e-3)


def test_the_same_mesh_gives_the_same_bytes():
    one, other = (emphasized(figure(), emphasis_of("head")) for _ in range(2))
    assert one.vertices.tobytes() == other.vertices.tobytes()


def test_what_hangs_on_a_region_rides_along_and_keeps_its_size():
    mesh = figure()
    bent = emphasized(mesh, emphasis_of("0..1,0..0.4,0..1:2"))
    (_, _), (head, head_after) = split(mesh, bent)
    np.testing.assert_allclose(
        np.ptp(head_after, axis=0), np.ptp(head, axis=0), rtol=0.02
    )


def test_a_material_is_a_region():
    mesh = figure()
    bent = emphasized(mesh, emphasis_of("Mat:Ball:2"))
    (body, body_after), (head, head_after) = split(mesh, bent)
    assert np.ptp(head_after[:, 0]) == pytest.approx(2 * np.ptp(head[:, 0]), rel=0.08)
    assert np.abs(body_after - body).max() < 0.05


def test_a_node_of_the_file_is_a_region(shared_mesh):
    mesh = load_mesh(shared_mesh("robot-expressive.glb"))
    assert {"Head", "Torso", "Hand.L"} <= set(mesh.nodes)
    assert mesh.node is not None
    hand = np.unique(mesh.faces[mesh.node == mesh.nodes.index("Hand.L")])
    torso = np.unique(mesh.faces[mesh.node == mesh.nodes.index("Torso")])
    bent = emphasized(mesh, emphasis_of("Hand.L:1.8"))
    grown, same = (
        np.ptp(bent.vertices[at], axis=0) / np.ptp(mesh.vertices[at], axis=0)
        for at in (hand, torso)
    )
    assert (grown > 1.4).all()
    np.testing.assert_allclose(same, 1, atol=0.1)


def test_only_positions_change():
    mesh = sample_character()
    bent = emphasized(mesh, emphasis_of("head"))
    for name in ("faces", "material", "part", "uv", "color", "node", "materials"):
        assert getattr(bent, name) is getattr(mesh, name)


CREATURES = {
    "fox/fox.gltf": (0.55, 0.7),
    "knight.glb": (0.5, 0.0),
    "witch.glb": (0.75, 0.0),
    "skater-male.gltf": (0.6, 0.0),
    "robot-expressive.glb": (0.45, 0.0),
    "llama.fbx": (0.8, 0.6),
    "penguin.obj": (0.7, 0.0),
    "trex.glb": (0.5, 0.6),
    "spot-cow/spot-cow.obj": (0.4, 0.45),
}
"""Name → how far up and how far to the front everything that grows lies, in the box."""


@pytest.mark.parametrize("name", CREATURES)
def test_heads_of_real_creatures_are_found(name, shared_mesh):
    mesh = load_mesh(shared_mesh(name))
    front = "-z" if "spot" in name else "+z"
    bent = emphasized(mesh, emphasis_of("head:1.5"), front)
    low, high = mesh.bounds
    place = (mesh.vertices - low) / (high - low)
    ahead = 1 - place[:, 2] if front == "-z" else place[:, 2]
    moved = np.linalg.norm(bent.vertices - mesh.vertices, axis=1)
    far = moved > 0.04 * (high - low).max()
    least_up, least_ahead = CREATURES[name]
    assert far.any()
    assert place[far, 1].min() > least_up
    assert ahead[far].min() >= least_ahead
    still = place[:, 1] < least_up - 0.15
    assert moved[still].max() < 0.02 * (high - low).max()


HEADLESS = [
    *(
        "helicopter.gltf",
        "kenney-tree.stl",
        "birthday-cake.gltf",
        "egg-robot/egg-robot.obj",
    ),
    *("crab.ply", "toy-robot/toy-robot.glb"),
]


@pytest.mark.parametrize("name", HEADLESS)
def test_what_has_no_neck_is_told_in_one_line(name, shared_mesh):
    mesh = load_mesh(shared_mesh(name))
    with pytest.raises(ConfigError, match=r"no neck found.*a box in fractions: 0\.\.1"):
        emphasized(mesh, emphasis_of("head"))


WRONG = [
    ("", "needs a region"),
    (":2", "needs a region"),
    ("head:1", "above 1, at most 3, got 1"),
    ("head:3.1", "above 1, at most 3, got 3.1"),
    ("head:nan", "above 1, at most 3, got nan"),
    ("0..1,0..1", "a box is x0..x1,y0..y1,z0..z1.*got '0..1,0..1'"),
    ("0..1,0..1,0..1,0..1:2", "a box is"),
    ("0..1,0.7..0.3,0..1:2", "y of a box.*got 0.7..0.3"),
    ("0..2,0..1,0..1:2", "x of a box.*got 0..2"),
    ("0..1.2.3,0..1,0..1", "a box is"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_regions_that_cannot_be_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        emphasis_of(text)


def test_a_region_may_hold_colons_and_needs_no_factor():
    assert emphasis_of("head").factor == 1.5
    assert emphasis_of("Mat:Skin").region == "Mat:Skin"
    assert emphasis_of("Mat:Skin:2").factor == 2
    assert emphasis_of("0..1,0.5..1,.25..1:2").box == ((0, 0.5, 0.25), (1, 1, 1))


def test_regions_that_the_mesh_does_not_have_are_refused():
    mesh = figure()
    known = r"of this name in joined \(it has Mat:Ball, coat, skin\); or head"
    with pytest.raises(ConfigError, match=known):
        emphasized(mesh, emphasis_of("Hat"))
    with pytest.raises(ConfigError, match="nothing of joined lies in this box"):
        emphasized(mesh, emphasis_of("0..0.02,0.8..1,0..0.02"))
    with pytest.raises(ConfigError, match="all of box has this name"):
        emphasized(box((1, 1, 1)), emphasis_of("plain"))
