"""sRGB ↔ linear ↔ OKLab.

OKLab: Björn Ottosson, "A perceptual color space for image processing" (2020).
Colors are `... 3` arrays; sRGB and linear in [0, 1], OKLab with L in [0, 1] and
a, b in about [-0.4, 0.4]. Distances in OKLab are often quoted times 100.
"""

import numpy as np
from jaxtyping import Float, UInt8

_LMS_FROM_LINEAR = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
LINEAR_FROM_LMS = np.linalg.inv(_LMS_FROM_LINEAR)
LMS_FROM_LAB = np.linalg.inv(_LAB_FROM_LMS)


def linear_from_srgb(
    srgb: Float[np.ndarray, "*n c"],
) -> Float[np.ndarray, "*n c"]:
    """Undo the sRGB transfer curve (IEC 61966-2-1)."""
    srgb = np.asarray(srgb)
    bright = ((np.maximum(srgb, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(srgb <= 0.04045, srgb / 12.92, bright).astype(srgb.dtype)


def srgb_from_linear(
    linear: Float[np.ndarray, "*n c"],
) -> Float[np.ndarray, "*n c"]:
    """Apply the sRGB transfer curve (IEC 61966-2-1)."""
    linear = np.clip(linear, 0.0, 1.0)
    bright = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, bright).astype(linear.dtype)


def oklab_from_srgb(srgb: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Return OKLab of sRGB colors in [0, 1]; the dtype is kept."""
    srgb = np.asarray(srgb)
    lms = linear_from_srgb(srgb) @ _LMS_FROM_LINEAR.T.astype(srgb.dtype)
    return np.cbrt(lms) @ _LAB_FROM_LMS.T.astype(srgb.dtype)


def srgb_from_oklab(lab: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Return sRGB in [0, 1], clipped to the gamut; the dtype is kept."""
    lab = np.asarray(lab)
    lms = (lab @ LMS_FROM_LAB.T.astype(lab.dtype)) ** 3
    return srgb_from_linear(lms @ LINEAR_FROM_LMS.T.astype(lab.dtype))


def oklab_from_bytes(rgb: UInt8[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Return float64 OKLab of sRGB bytes."""
    return oklab_from_srgb(np.asarray(rgb, np.float64) / 255.0)


def bytes_from_oklab(lab: Float[np.ndarray, "*n 3"]) -> UInt8[np.ndarray, "*n 3"]:
    """Return the nearest sRGB bytes."""
    return np.rint(srgb_from_oklab(lab) * 255.0).astype(np.uint8)
