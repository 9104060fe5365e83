"""Wavefront files as they come."""

import numpy as np
import pytest
from gltf_maker import middle_rgba
from PIL import Image

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh import obj
from voxify3d.mesh.load import load_mesh

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


def written(folder, text, mtl=None, name="a"):
    if mtl is not None:
        (folder / f"{name}.mtl").write_text(mtl)
    path = folder / f"{name}.obj"
    path.write_text(text)
    return path


def test_polygons_become_fans(tmp_path):
    square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n"
    mesh = load_mesh(written(tmp_path, square))
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_numbers_may_count_back_from_the_end(tmp_path):
    text = TRIANGLE + "f -3 -2 -1\n" + "v 5 5 5\nv 6 5 5\nv 5 6 5\nf -3 -2 -1\n"
    assert load_mesh(written(tmp_path, text)).faces.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("corner", ["{0}", "{0}/{0}", "{0}/{0}/{0}", "{0}//{0}"])
def test_every_form_of_a_corner_is_read(corner, tmp_path):
    text = TRIANGLE + "vt 0 0\nvt 1 0\nvt 0 1\nvn 0 0 1\nvn 0 0 1\nvn 0 0 1\n"
    text += "f " + " ".join(corner.format(n) for n in (1, 2, 3)) + "\n"
    assert load_mesh(written(tmp_path, text)).faces.tolist() == [[0, 1, 2]]


def test_texture_coordinates_have_v_up(tmp_path):
    Image.fromarray(np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8)).save(
        tmp_path / "t.png"
    )
    text = "mtllib a.mtl\nusemtl skin\n" + TRIANGLE + "vt 0.5 0.75\nf 1/1 2/1 3/1\n"
    mesh = load_mesh(written(tmp_path, text, "newmtl skin\nmap_Kd t.png\n"))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [1, 0, 0], atol=1e-6)


def test_material_colors_are_as_programs_show_them(tmp_path):
    text = "mtllib a.mtl\nusemtl a b <c> #1\n" + TRIANGLE + "f 1 2 3\n"
    mesh = load_mesh(written(tmp_path, text, "newmtl a b <c> #1\nKd 0.2 0.4 0.6\n"))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [0.2, 0.4, 0.6], atol=1e-6)
    assert mesh.notes == ()


@pytest.mark.parametrize(
    ("kd", "expected"),
    [("0 0 0", [1, 1, 1]), ("0.8 0.8 0.8", [1, 1, 1]), ("1 0 0.5", [1, 0, 0.5])],
)
def test_only_a_colored_kd_tints_a_map(kd, expected, tmp_path):
    Image.new("RGB", (1, 1), (255, 255, 255)).save(tmp_path / "t.png")
    text = "mtllib a.mtl\nusemtl m\n" + TRIANGLE + "vt 0 0\nf 1/1 2/1 3/1\n"
    library = f"newmtl m\nKd {kd}\nmap_Kd t.png\n"
    mesh = load_mesh(written(tmp_path, text, library))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("line", "alpha"), [("d 0.25", 0.25), ("Tr 0.25", 0.75), ("d 0", 1), ("Tr 1", 1)]
)
def test_opacity_is_read_and_none_at_all_is_not_believed(line, alpha, tmp_path):
    text = "mtllib a.mtl\nusemtl m\n" + TRIANGLE + "f 1 2 3\n"
    mesh = load_mesh(written(tmp_path, text, f"newmtl m\n{line}\n"))
    assert mesh.materials[0].base_color[3] == alpha
    assert mesh.materials[0].alpha_mode == ("blend" if alpha < 1 else "opaque")


def test_vertex_colors_follow_the_positions(tmp_path):
    text = "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n"
    mesh = load_mesh(written(tmp_path, text))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [1, 0, 0], atol=1e-6)


def test_vertex_colors_may_be_bytes(tmp_path):
    text = "v 0 0 0 128 0 0\nv 1 0 0 128 0 0\nv 0 1 0 128 0 0\nf 1 2 3\n"
    mesh = load_mesh(written(tmp_path, text))
    assert mesh.color is not None
    expected = linear_from_srgb(np.array([128 / 255]))[0]
    assert mesh.color[0, 0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("map_Kd my skin.png", "my skin.png"),
        ("map_Kd -clamp on -s 1 1 1 skin.png", "skin.png"),
        ("map_Kd -bm 0.5 skin.png", "skin.png"),
        ("map_Kd Textures\\SKIN.png", "textures/skin.png"),
        ("map_Kd C:\\art\\skin.png", "skin.png"),
        ("map_Kd /elsewhere/art/skin.png", "skin.png"),
        ("map_kd skin.png", "skin.png"),
    ],
)
def test_map_lines_are_understood(line, place, tmp_path):
    (tmp_path / place).parent.mkdir(exist_ok=True)
    Image.new("RGB", (1, 1), (255, 0, 0)).save(tmp_path / place)
    text = "mtllib a.mtl\nusemtl m\n" + TRIANGLE + "vt 0 0\nf 1/1 2/1 3/1\n"
    mesh = load_mesh(written(tmp_path, text, f"newmtl m\nKd 0 0 0\n{line}\n"))
    np.testing.assert_allclose(middle_rgba(mesh)[0, :3], [1, 0, 0], atol=1e-6)


def test_a_missing_library_is_noted(tmp_path):
    text = "mtllib gone.mtl\nusemtl skin\n" + TRIANGLE + "f 1 2 3\n"
    mesh = load_mesh(written(tmp_path, text))
    assert mesh.notes == (
        "material library gone.mtl is missing, white used",
        "materials not found, white used: skin",
    )


@pytest.mark.parametrize("name", ["../evil.mtl", "/etc/evil.mtl", "http://x/evil.mtl"])
def test_a_library_outside_the_folder_is_refused(name, tmp_path):
    path = written(tmp_path, f"mtllib {name}\n" + TRIANGLE + "f 1 2 3\n")
    with pytest.raises(MeshError, match="lies outside the file's folder"):
        load_mesh(path)


def test_a_map_outside_the_folder_is_refused(tmp_path):
    text = "mtllib a.mtl\nusemtl m\n" + TRIANGLE + "vt 0 0\nf 1/1 2/1 3/1\n"
    path = written(tmp_path, text, "newmtl m\nmap_Kd ../../etc/skin.png\n")
    with pytest.raises(MeshError, match="refused: outside"):
        load_mesh(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("v 0 0 x\n", r"line 1 cannot be read: 'v 0 0 x'"),
        (TRIANGLE + "f 1 2 9\n", "a face uses vertex 9 of 3"),
        (TRIANGLE + "f 1 2 -9\n", "line 4 cannot be read"),
        (TRIANGLE + "f 1/9 2/9 3/9\n", "a face uses texture coordinate 9 of 0"),
        ("v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n", "fewer than 3 numbers"),
    ],
)
def test_damaged_lines_are_said(text, match, tmp_path):
    with pytest.raises(MeshError, match=match):
        load_mesh(written(tmp_path, text))


def test_spot_has_her_spots(shared_mesh):
    mesh = load_mesh(shared_mesh("spot-cow/spot-cow.obj"))
    assert len(mesh.faces) == 5856
    brightness = middle_rgba(mesh)[:, :3].mean(axis=1)
    assert 0.5 < (brightness > 0.8).mean() < 0.95
    assert (brightness < 0.3).any()


def test_egg_robot_is_blue(shared_mesh):
    mesh = load_mesh(shared_mesh("egg-robot/egg-robot.obj"))
    assert len(mesh.materials) == 3
    rgb = middle_rgba(mesh)[:, :3]
    assert (rgb[:, 2] > rgb[:, 0]).mean() > 0.5


FORMS = {
    "plain": "{0}",
    "uv": "{0}/{1}",
    "normal": "{0}//{0}",
    "all": "{0}/{1}/{0}",
    "back": "{2}/{3}",
    "back and normal": "{2}//{2}",
}
CHANGES = {
    "as it is": lambda text: text,
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "double spaces": lambda text: text.replace(" ", "  "),
    "tabs": lambda text: text.replace(" ", "\t"),
    "trailing spaces": lambda text: text.replace("\n", " \n"),
    "indented": lambda text: "\n".join("\t" + line for line in text.split("\n")),
    "continued": lambda text: text.replace(" ", " \\\n "),
    "no last line end": lambda text: text.rstrip("\n"),
    "a comment": lambda text: text.replace("\nf ", "\n# more\nf ", 20),
    "one odd line": lambda text: text + "v 1_0 2 3 9\nvt 0.5\nf 1 2 3 4\nf 5 6\nf\n",
    "colors": lambda text: text + "v 1 2 3 1 0 0\n",
}


def grid_obj(form, side=12):
    """A grid of squares and, where two of them are joined, hexagons."""
    random = np.random.default_rng(0)
    lines = [f"v {x} {y} {z:.4f}" for x, y, z in random.random((side * side, 3))]
    lines += [f"vt {u:.3f} {v:.3e}" for u, v in random.random((side * side // 2, 2))]
    lines.append("usemtl one")
    for row in range(side - 1):
        if row == side // 2:
            lines.append("usemtl two")
        for column in range(0, side - 2, 2):
            a, b = row * side + column, (row + 1) * side + column
            ring = [a, a + 1, b + 1, b] if row % 2 else [a, a + 1, a + 2, b + 2, b + 1]
            lines.append("f " + " ".join(corner(form, n, side) for n in ring))
    return "\n".join(lines) + "\n"


def corner(form, number, side):
    points, uvs = side * side, side * side // 2
    uv = number % uvs
    return FORMS[form].format(number + 1, uv + 1, number - points, uv - uvs)


def same_mesh(one, two):
    for name in ("vertices", "faces", "material", "uv", "color"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", FORMS)
def test_many_lines_at_once_are_read_as_one_by_one(form, change, tmp_path, monkeypatch):
    path = tmp_path / "a.obj"
    path.write_bytes(CHANGES[change](grid_obj(form)).encode())
    at_once = load_mesh(path)
    monkeypatch.setattr(obj, "_SHORT", 1 << 60)
    same_mesh(at_once, load_mesh(path))


def test_lines_of_one_kind_are_read_at_once(monkeypatch):
    text = grid_obj("uv").replace("usemtl two\n", "").encode()
    monkeypatch.setattr(obj, "_add_lines", lambda raw, run, first, source: None)
    raw = obj._parse(text, "a.obj")
    assert [len(block) for block in raw.points] == [144]
    assert [len(block) for block in raw.uvs] == [72]
    assert [len(block) for block in raw.counts] == [11 * 5]


@pytest.mark.parametrize("odd", ["f 1 x 3", "f 1/1 2", "f 1//1 2/1/1 3", "f 1 2 -999"])
def test_an_odd_face_among_many_is_read_or_said_with_its_line(odd, tmp_path):
    lines = (TRIANGLE + "vt 0 0\n" + "f 1 2 3\n" * 40).split("\n")
    lines[20] = odd
    path = written(tmp_path, "\n".join(lines))
    if "x" in odd or "999" in odd:
        with pytest.raises(MeshError, match="line 21 cannot be read"):
            load_mesh(path)
    else:
        assert len(load_mesh(path).faces) in (39, 40)


def test_an_odd_number_among_many_is_said_with_its_line(tmp_path):
    lines = ["v 0 0 0"] * 40
    lines[17] = "v 0 0 1.2.3"
    with pytest.raises(MeshError, match=r"line 18 .* 'v 0 0 1\.2\.3'"):
        load_mesh(written(tmp_path, "\n".join(lines)))


def test_indented_faces_keep_their_materials(tmp_path):
    text = TRIANGLE + "\t\tusemtl a\n\t\tf 1 2 3\n\t\tusemtl b\n\t\tf 3 2 1\n"
    assert load_mesh(written(tmp_path, text)).material.tolist() == [0, 1]


def test_concave_polygons_keep_their_shape(tmp_path):
    text = "v 0 3 0\nv -2 -1 0\nv 0 0 0\nv 2 -1 0\nf 1 2 3 4\n"
    mesh = load_mesh(written(tmp_path, text))
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)[:, 2] / 2
    assert area.tolist() == [3, 3]
