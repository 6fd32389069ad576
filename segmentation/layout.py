"""From the curves of a page's lines to its layout and the pictures that are cut by it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from segmentation.description import Described, Order, describe
from segmentation.geometry import Box, Line, union
from segmentation.ink.components import Components, components
from segmentation.ink.preparation import Prepared
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.lines.ownership import assign, claim_leftovers
from segmentation.lines.sideways import Sideways
from segmentation.lines.small_print import SmallPrint
from segmentation.order.columns import divide_at_gutters
from segmentation.order.reading_order import reading_order, regions, stacked_blocks
from segmentation.order.tables import Table, find_table
from segmentation.placement import Placement
from segmentation.scaling import turned
from segmentation.segmented import Cut, Layout, Part, SegmentedPage, Sheet

_BLOCK = 2.0
"""Lines of small print are one block if their zones are less than so many of its x-heights apart: no larger writing has
room there."""


@dataclass(frozen=True)
class _Writing:
    """Lines that run one way.

    Attributes:
        turn: degrees clockwise by which the page is turned for them to be upright.
        lines: in reading order.
        owners: int32 (h, w) of the working picture turned so, 0 or i + 1 for ``lines[i]``.
    """

    turn: int
    lines: list[Described]
    owners: np.ndarray


def lay_out(
    page: Prepared, curves: list[Curve], sideways: Sideways | None = None, small: SmallPrint | None = None
) -> SegmentedPage:
    """A page with its ink given to lines, and those described.

    Args:
        page: whose components are those of its writing without small print.
        curves: of the upright lines, where there is no sideways writing.
        sideways: which has upright curves of its own.
    """
    scale, parts = page.scale, page.parts
    if scale is None:
        return _empty(page)
    if sideways is not None:
        curves = sideways.upright
        parts = components((parts.labels > 0) & ~sideways.ink)
    table = find_table(page.rules, curves, parts.labels > 0, scale)
    upright = _columns_of_writing(parts, curves, scale, page.placement, table)
    if small is not None:
        fine = _columns_of_writing(small.parts, small.curves, small.scale, page.placement, table)
        upright = _together(upright, fine, _BLOCK * small.scale.x_height, table)
    owners, writings, firsts = upright.owners, [upright], [0]
    margins = len({d.line.region for d in upright.lines})
    if sideways is not None:
        clockwise, counter = (_sideways_writing(sideways, turn, page) for turn in (90, 270))
        writings += [clockwise, counter]
        firsts += [len(upright.lines), len(upright.lines) + len(clockwise.lines)]
        aside = turned(clockwise.owners, 270)
        owners = np.where(aside > 0, aside + firsts[1], owners)
    flat = table.cleared(page.flat, owners) if table else page.flat
    lines: list[tuple[Line, ...]] = []
    cuts: list[Cut] = []
    for writing, first in zip(writings, firsts, strict=True):
        own = np.where(writing.owners > 0, writing.owners + first, turned(owners, writing.turn))
        sheet = Sheet(turned(flat, writing.turn), own)
        cuts += [Cut(sheet, d.frame, d.course, first + d.line.index + 1) for d in writing.lines]
        numbered = [replace(d.line, index=first + d.line.index, turn=writing.turn) for d in writing.lines]
        if writing.turn:
            sides = _margins([x.box for x in numbered], page.placement.width)
            numbered = [replace(x, region=margins + side) for x, side in zip(numbered, sides, strict=True)]
        lines.append(tuple(numbered))
    layout = Layout(
        lines=sum(lines[:2], ()),
        other_way=sum(lines[2:], ()),
        skew_degrees=page.skew_degrees,
        x_height=scale.x_height / page.placement.factor,
        ink=page.total_ink,
        discarded_ink=max(0, page.total_ink - int(np.count_nonzero(owners))),
    )
    return SegmentedPage(layout, [Part(owners, page.placement)], cuts)


def _writing(
    parts: Components,
    curves: list[Curve],
    scale: Scale,
    placement: Placement,
    turn: int = 0,
    in_order: Order = regions,
) -> _Writing:
    owners = assign(parts, curves, scale)
    leftovers = claim_leftovers(parts, owners, scale)
    if leftovers:
        curves = curves + leftovers
        owners = assign(parts, curves, scale)
    lines = describe(owners, parts, curves, scale, placement, in_order)
    numbers = np.zeros(len(curves) + 1, np.int32)
    numbers[[d.curve + 1 for d in lines]] = [d.line.index + 1 for d in lines]
    return _Writing(turn, lines, numbers[owners])


def _columns_of_writing(
    parts: Components, curves: list[Curve], scale: Scale, placement: Placement, table: Table | None
) -> _Writing:
    ink = parts.labels > 0
    if table is None:
        return _writing(parts, divide_at_gutters(curves, ink, scale), scale, placement)
    ink = table.without_rules(ink)
    curves = table.divide(curves, ink, scale.stroke_width)
    return _writing(components(ink), curves, scale, placement, in_order=table.cells)


def _together(writing: _Writing, small: _Writing, reach: float, table: Table | None) -> _Writing:
    """Writing and small print, which run the same way, in one reading order.

    Args:
        reach: pixels between the zones of lines of one block of small print.
    """
    lines = writing.lines + small.lines
    first = len(writing.lines)
    zones = [d.zone for d in small.lines]
    blocks = [[i] for i in range(len(zones))] if table else stacked_blocks(zones, reach)
    blocks = [[first + i for i in block] for block in blocks]
    in_order = table.cells if table else regions
    # What stands beside a block of small print is not read between its lines.
    units = [[i] for i in range(first)] + blocks
    numbers = np.zeros(len(lines) + 1, np.int32)
    ordered: list[Described] = []
    for number, region in enumerate(in_order([union(lines[i].zone for i in unit) for unit in units])):
        for unit in (units[u] for u in region.lines):
            for i in reading_order([lines[i].zone for i in unit]):
                described = lines[unit[i]]
                numbers[unit[i] + 1] = len(ordered) + 1
                line = replace(described.line, index=len(ordered), region=number, cell=region.cell)
                ordered.append(replace(described, line=line))
    owners = np.where(small.owners > 0, small.owners + first, writing.owners)
    return _Writing(writing.turn, ordered, numbers[owners])


def _margins(boxes: list[Box], width: int) -> list[int]:
    """Which margin of a page each sideways line is in: 0 the left one, 1 the right one.

    The notes in each are a region: whoever turned the sheet may have gone up one and down the other. Where some stand
    in the middle third of the page all are one.
    """
    middles = [(box.left + box.right) / 2 for box in boxes]
    if any(width / 3 < middle < 2 * width / 3 for middle in middles):
        return [0] * len(boxes)
    return [int(middle > width / 2) for middle in middles]


def _sideways_writing(sideways: Sideways, turn: int, page: Prepared) -> _Writing:
    """Sideways writing as it is read when the page is turned clockwise by 90 or 270 degrees."""
    ink, curves = turned(sideways.ink, turn), sideways.curves
    if turn == 270:
        height, width = ink.shape
        curves = [Curve(width - 1 - c.last, height - 1 - c.ys[::-1]) for c in curves]
    return _writing(components(ink), curves, page.scale, page.placement.turned(turn, page.flat.shape), turn)


def _empty(page: Prepared) -> SegmentedPage:
    layout = Layout((), (), 0.0, 0.0, page.total_ink, page.total_ink)
    return SegmentedPage(layout, [Part(np.zeros(page.flat.shape, np.int32), page.placement)], [])
