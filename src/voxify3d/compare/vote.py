"""vote.html: blind pairs with the paper's three questions; votes stay on the machine.

The user study of Voxify3D (2025) asks which of two results shows abstract detail
best, which is the most appealing as voxel art and, on greyscale pictures, which is
most faithful to the geometry.
"""

import hashlib

from voxify3d.compare.page import Pictures, fill, script_json
from voxify3d.compare.run import Comparison

QUESTIONS = {
    "detail": "Which one shows the details best in an abstract way?",
    "appeal": "Which one is more appealing as voxel art?",
    "geometry": "Which one follows the shape of the original better?",
}
"""Name → question. Geometry is asked in greyscale, as in the paper."""


def vote_html(comparison: Comparison, pictures: Pictures) -> str:
    """Return the page.

    A trial is a mesh, two methods and a question; order and sides are drawn at random
    by the page, and no name is shown before the votes are summed up.

    Args:
        comparison: Of `compare`; methods that failed on a mesh are left out there.
        pictures: Of `all_pictures`.
    """
    shown = {item.name: pictures[item.name] for item in comparison.items}
    data = {
        "questions": QUESTIONS,
        "methods": list(comparison.methods),
        "pictures": shown,
    }
    text = script_json(data)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return fill("vote.html", {"DATA": text, "KEY": script_json(key)})
