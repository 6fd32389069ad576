"""Writing much paler than something else on the page, such as a dark frame or bold print, which hides it."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.ink.binarisation import Tones, tones_at
from segmentation.ink.preparation import Prepared
from segmentation.lines.curves import Curve, zones_of

_COMPLETE = 1.0
"""A page's ink is complete if the zones of its lines have at most so many dark pixels, by a threshold of their own, for
each pixel of the page's ink there: .7 to .96 on pages whose ink was found."""


def pale_writing(page: Prepared, curves: list[Curve]) -> Tones | None:
    """Tones of a page's writing, where that is paler than the page's ink was taken to be; None where it is not.

    A line network marks lines of pale writing as well. In their zones Otsu's threshold (1979) tells ink from paper.
    """
    if page.scale is None or not curves:
        return None
    zones = zones_of(curves, round(page.scale.x_height / 2), page.ink.shape)
    levels = page.flat[zones]
    threshold, _ = cv2.threshold(levels.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    dark = np.count_nonzero(levels <= threshold)
    if dark <= _COMPLETE * np.count_nonzero(page.ink[zones]):
        return None
    return tones_at(page.flat, zones, threshold)
