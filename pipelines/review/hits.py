"""Places that a search found, as one web page with a picture of each."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.archive.page_pictures import jpeg
from pipelines.review.html import template
from pipelines.search import Hit
from segmentation.geometry import Box, union
from segmentation.scaling import turned

_MARGIN = 0.3
"""Of a line's height, shown around it."""


@dataclass(frozen=True)
class Cut:
    """A line's picture, upright.

    Attributes:
        address: of the picture, which it holds itself.
        frames: left, top, width and height of the words that were found, in its pixels.
    """

    address: str
    width: int
    height: int
    frames: tuple[tuple[int, int, int, int], ...]


def cut(picture: np.ndarray, hit: Hit) -> Cut:
    """The line of a hit.

    Args:
        picture: of its page, as `page_pictures.Pictures` gives it.
    """
    turn = hit.words[0].turn
    upright = turned(picture, turn)
    # Where the page's corner comes to lie on the turned picture.
    x, y = (upright.shape[1] if turn == 90 else 0), (upright.shape[0] if turn == 270 else 0)
    boxes = [word.box.turned(turn) for word in (*hit.lines[0], *hit.words)]
    boxes = [Box(box.left + x, box.top + y, box.right + x, box.bottom + y) for box in boxes]
    around = union(boxes)
    margin = round(_MARGIN * (around.height))
    left, top = max(0, around.left - margin), max(0, around.top - margin)
    part = np.ascontiguousarray(upright[top : around.bottom + margin, left : around.right + margin])
    frames = tuple((box.left - left, box.top - top, box.width, box.height) for box in boxes[-len(hit.words) :])
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg(part)).decode()}"
    return Cut(address, part.shape[1], part.shape[0], frames)


def hits_page(query: str, found: int, hits: Sequence[tuple[Hit, Cut | None]]) -> bytes:
    """Hits as HTML, in their order.

    Args:
        found: how many there are, also those not shown.
        hits: each with its picture; None where there is none any more.
    """
    return template("hits.html").render(query=query, found=found, hits=hits).encode()
