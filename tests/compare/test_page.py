"""The pages are read as a browser would, as far as a parser goes."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from voxify3d.compare.page import all_pictures, fill, report_html, script_json
from voxify3d.compare.pictures import VIEWS, data_uri
from voxify3d.compare.vote import QUESTIONS, vote_html


class Page(HTMLParser):
    """Elements with their attributes, and the text of each kind."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self, tag):
        return [data for name, data in self.texts if name == tag]


@pytest.fixture(scope="module")
def pictures(comparison):
    return all_pictures(comparison, 64, lambda name: None)


@pytest.fixture(scope="module")
def report(comparison, pictures):
    settings = {"size": 8, "colors": 4, "meshes": ["a.glb", "b.glb"]}
    return report_html(comparison, pictures, settings, {"plain": "as <i>others</i> do"})


@pytest.fixture(scope="module")
def vote(comparison, pictures):
    return vote_html(comparison, pictures)


def test_pages_ask_nobody_for_anything(report, vote):
    for text in (report, vote):
        assert "default-src 'none'" in text
        for _, attrs in Page(text).elements:
            for name in ("src", "href", "action", "data"):
                assert (attrs.get(name) or "data:").startswith("data:")
        assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp", text)


def test_every_picture_is_there_and_whole(comparison, report):
    shown = Page(report).all("img")
    whole = sum(1 + sum(not r.error for r in item.rows) for item in comparison.items)
    assert len(shown) == whole * len(VIEWS)
    for attrs in shown:
        data = base64.b64decode(attrs["src"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (64, 64)
    assert all(attrs["alt"] for attrs in shown)


def test_names_are_text_and_no_markup(report, vote):
    page = Page(report)
    assert len(page.all("script")) == 1
    assert any("<script>alert(1)</script>" in text for text in page.text("h2"))
    assert any("not today <b>" in text for text in page.text("p"))
    assert "as <i>others</i> do" in page.text("dd")
    assert "<script>alert" not in vote


def test_the_best_values_are_marked(comparison, report):
    best = [a for a in Page(report).all("td") if a.get("class") == "best"]
    assert len(best) >= 3
    assert {"metric", "draft", "plain", "moody"} <= set(Page(report).text("th"))


def test_the_vote_page_is_blind_and_holds_all_that_it_needs(comparison, vote):
    page = Page(vote)
    (data,) = [a for a in page.all("script") if a.get("id") == "data"]
    assert data["type"] == "application/json"
    (text,) = re.findall(r'id="data">(.*?)</script>', vote, re.DOTALL)
    record = json.loads(text)
    assert record["questions"] == QUESTIONS
    assert record["methods"] == ["draft", "plain", "moody"]
    assert set(record["pictures"]) == {item.name for item in comparison.items}
    before = vote.partition('<script type="application/json"')[0]
    assert "draft" not in before
    assert "plain" not in before


def test_script_json_cannot_close_its_element():
    text = script_json({"</script>": ["<!--"]})
    assert "<" not in text
    assert json.loads(text) == {"</script>": ["<!--"]}


def test_a_template_is_filled_once():
    # A name that looks like a place is left alone.
    page = fill("vote.html", {"DATA": "{{KEY}}", "KEY": '"k"'})
    assert '<script type="application/json" id="data">{{KEY}}</script>' in page


def test_pictures_keep_flat_colors():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 10, 200, 30
    data = base64.b64decode(data_uri(picture).partition(",")[2])
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), picture)
