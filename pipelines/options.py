"""What a digitize job is told, checked before anything is read."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from segmentation.decoding import DecodingSettings
from segmentation.page import SegmentationSettings

UNITS = ("line", "word")
EXISTING = ("skip", "redo", "abort")
DEFAULT_MODEL = "default"
"""Name of the bundle inside the package; workers find it in their own installation."""


class UsageError(Exception):
    """The job cannot begin as it was asked for: exit code 2."""


class JobFailed(Exception):
    """The pipeline broke; nothing of the run was kept: exit code 3."""


@dataclass(frozen=True)
class Job:
    """A digitize job.

    Attributes:
        inputs: files, folders and patterns, at any URI that Beam's file systems open.
        output: folder of the tables.
        run_id: name of this run, part of file names.
        model: folder of a model bundle, or `DEFAULT_MODEL`.
        unit: what is handed to the recogniser, ``line`` or ``word``.
        existing: what is done about pages that a committed run holds already.
        batch_size: most pictures per call of the network.
        overlays: folder for pictures of the result, or None.
        redistribute: shuffle between segmentation and recognition, so that a cluster can run them on different
            machines. On one machine it would only hold every picture in memory.
        threads: of numeric libraries in each worker; 0 leaves their default.
    """

    inputs: tuple[str, ...]
    output: str
    run_id: str
    model: str = DEFAULT_MODEL
    unit: str = "line"
    existing: str = "skip"
    batch_size: int = 64
    overlays: str | None = None
    redistribute: bool = False
    threads: int = 0
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UsageError(f"--unit must be one of {', '.join(UNITS)}, got {self.unit!r}")
        if self.existing not in EXISTING:
            raise UsageError(f"--existing must be one of {', '.join(EXISTING)}, got {self.existing!r}")
        if set(self.output) & set("*?["):
            raise UsageError(
                f"--output {self.output}: Beam takes *, ? and [ in a path for a pattern; choose a folder without them"
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", self.run_id):
            raise UsageError(
                f"--run-id {self.run_id!r} may hold only letters, digits, '.', '_' and '-', and begins with a letter "
                "or digit"
            )
        if self.batch_size < 1:
            raise UsageError(f"--batch-size must be at least 1, got {self.batch_size!r}")

    @property
    def fingerprint(self) -> str:
        """Hash of the options that change results; a page is done only when it was read with the same ones."""
        settings = {
            "unit": self.unit,
            "pdf_dpi": self.decoding.pdf_dpi,
            "max_pixels": self.decoding.max_pixels,
            "working_side": self.segmentation.working_side,
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
