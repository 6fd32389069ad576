"""Pictures of an archive's pages as their boxes lie on them: upright, one page each, made of the scans again."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from pipelines.archive.runs import RunRecord
from pipelines.archive.transcripts import Source
from pipelines.volumes import LastVolume, upright_page
from segmentation.decoding import DecodingError, DecodingSettings

ENDING = ".jpg"
_QUALITY = 95


def picture_name(name: str, source: Source) -> str:
    """Name of the picture of a page of that name: another one when the scan is, or its way up, so that a correction
    keeps the picture that it is of."""
    turn = f"-{source.rotation}" if source.rotation else ""
    return f"{name}-{source.sha256[:6]}{turn}{ENDING}"


class LostPicture(Exception):
    """A page cannot be shown: its document is no longer what was read, or cannot be read any more."""


class Pictures:
    """Pictures of the pages of some runs."""

    def __init__(self, records: Iterable[RunRecord]):
        self._volume = LastVolume()
        # A PDF's pages are as large as the resolution makes them with which their run read them.
        self._settings = {r.run_id: DecodingSettings(**r.options.get("decoding", {})) for r in records}

    def picture(self, source: Source) -> np.ndarray:
        """A page the way up in which it was read.

        Returns:
            uint8 (height, width, 3), blue, green and red; (height, width) of a page without colours.

        Raises:
            LostPicture: it cannot be shown.
        """
        try:
            settings = self._settings[source.run_id]
            page = upright_page(source.ref, source.pages, source.rotation, settings, self._volume, in_colour=True)
        except (OSError, DecodingError) as error:
            raise LostPicture(str(error)) from error
        if page.source_sha256 != source.sha256:
            raise LostPicture(f"{source.ref.uri}: has changed since it was read; read it again first")
        return page.gray if page.colours is None else page.colours


def jpeg(picture: np.ndarray, quality: int = _QUALITY) -> bytes:
    """A picture, as `Pictures` gives it, as JPEG of a quality, 0–100; the usual one is good enough to be trained on."""
    return cv2.imencode(ENDING, picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
