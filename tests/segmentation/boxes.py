"""How boxes are compared in tests: in Python's own numbers, one by one."""

from __future__ import annotations

from segmentation.geometry import Box


def intersection_over_union(a: Box, b: Box) -> float:
    """Shared area over covered area, 0–1."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (a.width * a.height + b.width * b.height - shared)
