"""Pictures of an archive's pages as their boxes lie on them: upright, one page each, made of the scans again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from pipelines.archive.picture_names import ENDING
from pipelines.archive.runs import RunRecord
from pipelines.archive.transcripts import Source
from pipelines.errors import UsageError
from pipelines.volumes import RecentVolumes, upright_page
from segmentation.decoding import DecodingError, DecodingSettings

_QUALITY = 95


def remove_picture(folder: Path, name: str) -> None:
    """Remove the picture ``<name>.jpg`` of a page from a folder, unless a file of that name with another ending lies
    beside it, which may need it."""
    picture = folder / f"{name}{ENDING}"
    if picture.is_file() and list(folder.glob(f"{name}.*")) == [picture]:
        picture.unlink()


class LostPicture(Exception):
    """A page cannot be shown: its document is no longer what was read, or cannot be read any more."""


class Pictures:
    """Pictures of the pages of some runs."""

    def __init__(self, records: Iterable[RunRecord]):
        self._volumes = RecentVolumes()
        self._options = {record.run_id: record.options.get("decoding") for record in records}

    def _settings(self, run_id: str) -> DecodingSettings:
        """Settings with which a run decoded its pages: at another resolution a PDF's pages would be of another size.

        Settings that only a later version knows are passed over.

        Raises:
            UsageError: they cannot be used.
        """
        options = self._options[run_id] or {}
        try:
            known = {field.name: options[field.name] for field in fields(DecodingSettings) if field.name in options}
            return DecodingSettings(**known)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"the pages of run {run_id} cannot be drawn as it drew them ({error}); restore its commit file"
            ) from error

    def picture(self, source: Source) -> np.ndarray:
        """The picture of a page, turned as it was to be read.

        Returns:
            uint8 (height, width, 3), blue, green and red; (height, width) of a page without colours.

        Raises:
            LostPicture: it cannot be shown.
            UsageError: its run's commit file does not say how it was drawn.
        """
        try:
            settings = self._settings(source.run_id)
            page = upright_page(source.ref, source.pages, source.rotation, settings, self._volumes, in_colour=True)
        except (OSError, DecodingError) as error:
            raise LostPicture(str(error)) from error
        if page.source_sha256 != source.sha256:
            raise LostPicture(f"{source.ref.uri}: has changed since it was read; read it again first")
        return page.gray if page.colours is None else page.colours


def jpeg(picture: np.ndarray, quality: int = _QUALITY) -> bytes:
    """A picture, as `Pictures` gives it, as JPEG of a quality, 0–100; the usual one is good enough to be trained on."""
    return cv2.imencode(ENDING, picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
