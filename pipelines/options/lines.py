"""The option that says how lines are found."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.errors import UsageError
from segmentation.lines.network import LineModelError, load
from segmentation.page import CLASSICAL, LEARNED, SegmentationSettings


def add_lines_option(group: argparse._ActionsContainer) -> None:
    """Add ``--lines``, which `segmentation_settings` understands."""
    group.add_argument(
        "--lines",
        default=LEARNED,
        metavar="FINDER",
        help=f"{LEARNED}, {CLASSICAL} or a folder (default: {LEARNED})",
    )


def segmentation_settings(lines: str) -> SegmentationSettings:
    """Settings with a finder of lines as ``--lines`` names it.

    Raises:
        UsageError: it is a line network that is missing or damaged.
    """
    named = lines in (CLASSICAL, LEARNED)
    if not named and not Path(lines).is_dir():
        raise UsageError(f"--lines {lines}: neither learned nor classical, and no folder")
    settings = SegmentationSettings(lines=lines if named else str(Path(lines).absolute()))
    check_line_model(settings)
    return settings


def check_line_model(settings: SegmentationSettings) -> None:
    """Nothing, for settings whose line network can be used.

    Raises:
        UsageError: it is missing or damaged.
    """
    if settings.line_model is not None:
        try:
            load(settings.line_model)
        except LineModelError as error:
            raise UsageError(f"--lines {settings.lines}: {error}") from error
