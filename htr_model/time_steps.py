"""How pictures and texts are measured in the networks' time steps."""

from __future__ import annotations

TIME_STRIDE = 4
"""Columns of the input per time step of the output, in all networks."""


def time_steps(widths):
    """Valid time steps of pictures ``widths`` columns wide: ceil(widths / TIME_STRIDE)."""
    return (widths + TIME_STRIDE - 1) // TIME_STRIDE


def steps_needed(classes: list[int]) -> int:
    """Fewest time steps that can carry ``classes``: one each, and a blank between equal neighbours."""
    return len(classes) + sum(a == b for a, b in zip(classes, classes[1:], strict=False))
