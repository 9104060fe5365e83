""".3mf packages made by hand."""

import io
import zipfile

import numpy as np
import pytest
from gltf_maker import middle_rgba
from PIL import Image

from voxify3d.errors import MeshError
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.settings import LoadConfig

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIAL = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"

MESH = (
    '<mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/>'
    '<vertex x="0" y="1" z="0"/></vertices>'
    '<triangles><triangle v1="0" v2="1" v3="2" {}/></triangles></mesh>'
)


def model(resources, build):
    return (
        f'<model xmlns="{CORE}" xmlns:m="{MATERIAL}" xmlns:p="{PRODUCTION}">'
        f"<resources>{resources}</resources><build>{build}</build></model>"
    )


def composed(number, of):
    twice = f'<component objectid="{of}"/>' * 2
    return f'<object id="{number}"><components>{twice}</components></object>'


def package(path, text, **more):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("3D/3dmodel.model", text)
        for name, data in more.items():
            archive.writestr(name.replace("__", "/"), data)
    return path


def test_base_materials_color_an_object(tmp_path):
    materials = '<basematerials id="1"><base name="a" displaycolor="#FF0000"/>'
    materials += '<base name="b" displaycolor="#336699FF"/></basematerials>'
    thing = f'<object id="2" pid="1" pindex="1">{MESH.format("")}</object>'
    text = model(materials + thing, '<item objectid="2"/>')
    rgb = middle_rgba(load_mesh(package(tmp_path / "a.3mf", text)))[0, :3]
    np.testing.assert_allclose(rgb, [0.2, 0.4, 0.6], atol=1e-6)


def test_colors_of_corners_are_blended(tmp_path):
    group = '<m:colorgroup id="1"><m:color color="#FF0000"/><m:color color="#00FF00"/>'
    group += '<m:color color="#0000FF"/></m:colorgroup>'
    mesh = MESH.format('pid="1" p1="0" p2="1" p3="2"')
    text = model(group + f'<object id="2">{mesh}</object>', '<item objectid="2"/>')
    color = load_mesh(package(tmp_path / "a.3mf", text)).color
    assert color is not None
    np.testing.assert_array_equal(color[0, :, :3], np.eye(3))


def test_textures_have_v_up(tmp_path):
    buffer = io.BytesIO()
    pixels = np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    group = '<m:texture2d id="1" path="/3D/t.png" contenttype="image/png"/>'
    group += '<m:texture2dgroup id="3" texid="1"><m:tex2coord u="0.5" v="0.75"/>'
    group += "</m:texture2dgroup>"
    mesh = MESH.format('pid="3" p1="0"')
    text = model(group + f'<object id="2">{mesh}</object>', '<item objectid="2"/>')
    path = package(tmp_path / "a.3mf", text, **{"3D__t.png": buffer.getvalue()})
    np.testing.assert_allclose(
        middle_rgba(load_mesh(path))[0, :3], [1, 0, 0], atol=1e-6
    )


def test_components_in_other_files_are_placed(tmp_path):
    part = model(f'<object id="7">{MESH.format("")}</object>', "")
    whole = '<object id="1"><components><component objectid="7" p:path="/3D/o/b.model" '
    whole += 'transform="2 0 0 0 2 0 0 0 2 0 0 0"/></components></object>'
    build = '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 10 20 30"/>'
    path = package(tmp_path / "a.3mf", model(whole, build), **{"3D__o__b.model": part})
    mesh = load_mesh(path, LoadConfig(up="+y"))
    assert mesh.bounds.tolist() == [[10, 20, 30], [12, 22, 30]]


@pytest.mark.parametrize(
    ("resources", "match"),
    [
        ("", "object 1 does not exist"),
        (composed(1, 1), "composed of itself"),
        (
            "".join(composed(n, n + 1) for n in range(1, 60)) + '<object id="60"/>',
            "composed",
        ),
        (
            f'<object id="1">{MESH.format("").replace("2", "9")}</object>',
            "damaged or not valid|a face uses vertex",
        ),
    ],
)
def test_damaged_packages_are_said(resources, match, tmp_path):
    path = package(tmp_path / "a.3mf", model(resources, '<item objectid="1"/>'))
    with pytest.raises(MeshError, match=match):
        load_mesh(path)


def test_xml_entities_are_refused(tmp_path):
    path = package(tmp_path / "a.3mf", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(MeshError, match="entities"):
        load_mesh(path)


def test_a_package_without_a_model_is_said(tmp_path):
    path = tmp_path / "a.3mf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(MeshError, match=r"3D/3dmodel\.model is missing"):
        load_mesh(path)
