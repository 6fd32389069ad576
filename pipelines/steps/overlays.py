"""Pictures of pages with what was found and read."""

from __future__ import annotations

import apache_beam as beam
import cv2

from pipelines.archive.picture_names import ENDING
from pipelines.files import page_stem, write_bytes
from pipelines.inputs import Document
from pipelines.page_text import PageText
from pipelines.steps.failures import failure
from pipelines.steps.shared import one_per_process
from pipelines.volumes import RecentVolumes, upright_page
from segmentation.decoding import DecodingSettings
from segmentation.drawing.overlay import draw_overlay


class DrawOverlays(beam.DoFn):
    """Writes a picture of each page with its boxes and text; gives failures."""

    def __init__(self, folder: str, settings: DecodingSettings):
        self._folder = folder
        self._settings = settings

    def setup(self):
        self._volumes = one_per_process(RecentVolumes)

    def teardown(self):
        self._volumes = None

    def process(self, page: PageText):
        facts, ref = page.facts, page.facts.ref
        document = Document(ref.uri, facts.source_size, facts.source_modified)
        try:
            stem = page_stem(ref.uri, ref.page_index, facts.document_pages)
            write_bytes(f"{self._folder}/{stem}{ENDING}", self._draw(page, document))
        except Exception as error:
            yield failure("draw", document, ref.page_index, error, facts.document_pages)

    def _draw(self, page: PageText, document: Document) -> bytes:
        facts = page.facts
        place = facts.ref, facts.document_pages, facts.rotation_degrees
        gray = upright_page(*place, self._settings, self._volumes, version=document.fingerprint()).gray
        boxes: list[list] = [[] for _ in page.lines]
        turns = [0] * len(page.lines)
        for word in page.words:
            boxes[word.line].append(word.box)
            turns[word.line] = word.turn
        picture = draw_overlay(gray, [x.box for x in page.lines], boxes, [x.text for x in page.lines], turns)
        return cv2.imencode(ENDING, picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
