"""Six views of glTF files as three.js draws them, in headless Chromium.

An independent witness: nothing of ours reads the file or draws. Pictures come as our
own do, unlit, orthographic, 4 x 4 samples a pixel, alpha a yes or a no.
"""

import base64
import io
import json
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from PIL import Image

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.render.mesh import render_mesh
from voxify3d.types import Frame, Mesh

FOREIGN = Path(__file__).parents[1] / "foreign"
THREE = FOREIGN / "node_modules/three"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

SAMPLES = 4
"""Along each side of a pixel: textures finer than pixels do not depend on luck."""

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_TYPES = {".js": "text/javascript", ".html": "text/html", ".wasm": "application/wasm"}


@dataclass(frozen=True)
class Job:
    """A glTF file, and the box that the pictures show."""

    path: Path
    center: tuple[float, float, float]
    half: float
    clip: str | None = None
    time: float = 0.0


@dataclass(frozen=True)
class Agreement:
    """How well two sets of six pictures agree.

    Attributes:
        iou: Of the silhouettes: of all six together, and of the worst view.
        color: Mean OKLab distance where both see the mesh.
    """

    iou: float
    worst: float
    color: float


def job_of(path: Path, mesh: Mesh, clip: str | None = None, time: float = 0.0) -> Job:
    """Return a job whose box holds the mesh with some room."""
    low, high = mesh.bounds
    center = (low + high) / 2
    half = float((high - low).max()) / 2 * 1.05
    return Job(
        path, (float(center[0]), float(center[1]), float(center[2])), half, clip, time
    )


def our_views(mesh: Mesh, job: Job, pixels: int) -> np.ndarray:
    """Return our six pictures as RGBA in [0, 1]: (6, h, w, 4)."""
    low = np.array(job.center) - job.half
    origin = (float(low[0]), float(low[1]), float(low[2]))
    frame = Frame(origin, 2 * job.half / pixels, (pixels, pixels, pixels))
    out = []
    for render in render_mesh(mesh, frame, samples=SAMPLES):
        rgba = np.concatenate([render.rgb, render.hit[..., None]], axis=-1)
        out.append(render.view.image_from_cells(_mean_color(rgba)))
    return np.stack(out)


def _mean_color(rgba: np.ndarray) -> np.ndarray:
    """Return the covered share of each pixel, and the mean color of what covers it."""
    hit = rgba[..., 3:] > 0.5
    count = hit.sum(axis=2)
    rgb = (rgba[..., :3] * hit).sum(axis=2) / np.maximum(count, 1)
    return np.concatenate([rgb, count / rgba.shape[2]], axis=-1)


def agreement(ours: np.ndarray, theirs: np.ndarray) -> Agreement:
    """Compare two sets of pictures."""
    one, two = ours[..., 3] >= 0.5, theirs[..., 3] >= 0.5
    both, either = one & two, one | two
    views = both.sum(axis=(1, 2)) / np.maximum(either.sum(axis=(1, 2)), 1)
    lab = [oklab_from_srgb(rgba[both][:, :3].astype(float)) for rgba in (ours, theirs)]
    color = (
        float(np.linalg.norm(lab[0] - lab[1], axis=-1).mean()) if both.any() else 0.0
    )
    return Agreement(float(both.sum() / either.sum()), float(views.min()), color)


def three_views(jobs: list[Job], pixels: int, seconds: float = 300) -> list[np.ndarray]:
    """Return the six pictures of each job as RGBA in [0, 1]: (6, h, w, 4).

    Raises:
        RuntimeError: The browser failed or took too long.
    """
    results: dict[int, dict] = {}
    done = threading.Event()
    wanted = [
        {
            "file": f"/mesh/{number}/{job.path.name}",
            "pixels": pixels * SAMPLES,
            "center": job.center,
            "half": job.half,
            "clip": job.clip,
            "time": job.time,
        }
        for number, job in enumerate(jobs)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            place = unquote(urlsplit(self.path).path)
            if place == "/jobs":
                return self._send(json.dumps(wanted).encode(), "application/json")
            kind, _, rest = place.lstrip("/").partition("/")
            if kind == "mesh":
                number, _, rest = rest.partition("/")
                path = jobs[int(number)].path.parent / rest
            else:
                path = {"three": THREE, "": FOREIGN}.get(kind, FOREIGN / kind) / rest
            if not path.is_file():
                return self.send_error(404)
            kind = _TYPES.get(path.suffix, "application/octet-stream")
            return self._send(path.read_bytes(), kind)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/done":
                done.set()
            else:
                results[int(self.path.rpartition("/")[2])] = json.loads(body)
            self._send(b"", "text/plain")

        def _send(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{server.server_port}/views.html"
    # The browser may still write while it is being ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            # Without a deadline headless mode prints the page at once and leaves.
            [
                str(CHROMIUM),
                *_FLAGS,
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                page,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            is_done = done.wait(seconds)
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
            server.shutdown()
            server.server_close()
    if not is_done:
        raise RuntimeError(f"{len(results)} of {len(jobs)} files drawn in {seconds} s")
    return [_pictures(results[number], job) for number, job in enumerate(jobs)]


def _pictures(result: dict, job: Job) -> np.ndarray:
    if "error" in result:
        raise RuntimeError(f"{job.path.name}: {result['error']}")
    images = []
    for url in result["pictures"]:
        data = base64.b64decode(url.partition(",")[2])
        images.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")))
    fine = np.stack(images) / 255.0
    size = fine.shape[1] // SAMPLES
    split = fine.reshape(6, size, SAMPLES, size, SAMPLES, 4).swapaxes(2, 3)
    split = split.reshape(6 * size, size, SAMPLES * SAMPLES, 4)
    return _mean_color(split).reshape(6, size, size, 4)
