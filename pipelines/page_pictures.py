"""Pictures of an archive's pages as their boxes lie on them: upright, one page each, made of the scans again."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from pipelines.runs import RunRecord
from pipelines.transcripts import Source
from pipelines.transforms import upright_page
from segmentation.decoding import DecodingSettings

ENDING = ".jpg"
_QUALITY = 95


class ChangedSource(Exception):
    """A document is no longer what was read."""


def decoding_settings(records: Iterable[RunRecord]) -> dict[str, DecodingSettings]:
    """How each run read its pages, by its name; a PDF's pages are as large as its resolution makes them."""
    return {record.run_id: DecodingSettings(**record.options.get("decoding", {})) for record in records}


def page_gray(source: Source, settings: DecodingSettings) -> np.ndarray:
    """A page, uint8 (height, width), the way up in which it was read.

    Raises:
        OSError, DecodingError: the document can no longer be read.
        ChangedSource: it is another one.
    """
    page = upright_page(source.ref, source.rotation, settings)
    if page.source_sha256 != source.sha256:
        raise ChangedSource(f"{source.ref.uri}: has changed since it was read; read it again first")
    return page.gray


def jpeg(gray: np.ndarray) -> bytes:
    """A grey picture as JPEG."""
    return cv2.imencode(ENDING, gray, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
