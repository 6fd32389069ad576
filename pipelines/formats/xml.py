"""What files of XML have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def legal(text: str) -> str:
    """The text without characters that XML cannot hold, which names of files may have."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def to_bytes(root: Element) -> bytes:
    """The file of a root element: indented, in UTF-8."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def written(points: Iterable[tuple[int, int]]) -> str:
    """Points as both formats write them; what lies beyond the page's upper or left edge is moved onto it."""
    return " ".join(f"{max(0, x)},{max(0, y)}" for x, y in points)
