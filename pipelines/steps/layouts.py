"""Segmented pages without their pixels, and the pictures that go to the recogniser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from htr_model.normalization import Normalization, normalize
from pipelines.page_text import PageFacts
from pipelines.steps.listing import PageTask
from pipelines.steps.units import ImageKey, TextImage
from segmentation.decoding import Page, PageRef
from segmentation.geometry import Line
from segmentation.page import UprightPage
from segmentation.segmented import SegmentedPage


@dataclass(frozen=True)
class PageLayout:
    """A segmented page without its pixels.

    Attributes:
        lines, other_way: as in `segmentation.segmented.Layout`.
        attempt: counts the runs in a row that tried to read it.
        on_its_head: the same page the other way up, its lines numbered on from this one's; None where nobody doubts.
    """

    facts: PageFacts
    lines: tuple[Line, ...]
    other_way: tuple[Line, ...] = ()
    attempt: int = 1
    on_its_head: PageLayout | None = None


def laid_out(
    task: PageTask, page: Page, ways: Iterable[UprightPage], unit: str, settings: Normalization
) -> tuple[PageLayout, list[TextImage]]:
    """A page's layout and the pictures of its writing, of every way up that it may have, the likelier first."""
    layouts: list[PageLayout] = []
    images: list[TextImage] = []
    first_line = 0
    for way in ways:
        images += text_images(task.ref, way.segmented, unit, settings, first_line)
        layouts.append(_layout(task, page, way, first_line))
        first_line += len(layouts[-1].lines) + len(layouts[-1].other_way)
    return replace(layouts[0], on_its_head=layouts[1] if len(layouts) > 1 else None), images


def _layout(task: PageTask, page: Page, way: UprightPage, first_line: int) -> PageLayout:
    """A page's layout the way up in which it was segmented, its lines numbered from ``first_line`` on."""
    found = way.segmented.layout
    lines, other_way = (
        tuple(replace(line, index=first_line + line.index) for line in some) for some in (found.lines, found.other_way)
    )
    attempt = task.document.attempt(task.ref.page_index)
    return PageLayout(facts_of(task, page, way), lines, other_way, attempt)


def facts_of(task: PageTask, page: Page, way: UprightPage) -> PageFacts:
    """What the pages table says, beside its text, of a page the way up in which it was segmented."""
    layout = way.segmented.layout
    return PageFacts(
        ref=task.ref,
        document_pages=task.document_pages,
        source_sha256=page.source_sha256,
        source_size=task.document.size,
        source_modified=task.document.modified,
        width=way.gray.shape[1],
        height=way.gray.shape[0],
        dpi=page.dpi,
        rotation_degrees=(page.rotation + way.turn) % 360,
        skew_degrees=layout.skew_degrees,
        discarded_ink=layout.discarded_share,
    )


def text_images(
    ref: PageRef, segmented: SegmentedPage, unit: str, settings: Normalization, first_line: int = 0
) -> Iterator[TextImage]:
    """Pictures of a page's lines or words, ready for the recogniser; of sideways lines both ways.

    Args:
        first_line: number of the first line in the pictures' keys.
    """
    for line in segmented.layout.lines + segmented.layout.other_way:
        if unit == "line":
            pictures = [(None, segmented.line_picture(line.index))]
        else:
            pictures = [(i, segmented.word_picture(line.index, i)) for i in range(len(line.words))]
        for word_index, picture in pictures:
            normal = normalize(picture, settings)
            key = ImageKey(ref, first_line + line.index, word_index)
            yield TextImage(key, normal.pixels, normal.left, normal.scale)
