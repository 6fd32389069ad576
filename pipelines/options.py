"""What a digitize job is told, checked before anything is read."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from htr_model.decoding.settings import GREEDY, DecoderSettings
from segmentation.decoding import DecodingSettings
from segmentation.lines.network import LineModelError, load, model_id
from segmentation.page import CLASSICAL, LEARNED, SegmentationSettings

UNITS = ("line", "word")
EXISTING = ("skip", "redo", "abort")
COMPACTED = "compacted-"
"""What the name of a compaction begins with, and that of no run."""
DEFAULT_MODEL = "default"
"""Name of the bundle inside the package; workers find it in their own installation."""
BUNDLE_LANGUAGE_MODEL = "bundle"
"""Stands for the language model that the job's model bundle holds."""

_ACCELERATOR = r"type:[a-z0-9-]+;count:[1-9][0-9]*(;[A-Za-z0-9:._-]+)*"


class UsageError(Exception):
    """The job cannot begin as it was asked for: exit code 2."""


@contextmanager
def writing(named: str) -> Iterator[None]:
    """What is done inside writes what ``named`` says, an option and its path.

    Raises:
        UsageError: it could not be written.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"{named}: cannot be written ({error})") from error


def write_figures(path: str, figures: dict) -> None:
    """Write the file of ``--json``.

    Raises:
        UsageError: it could not be written.
    """
    with writing(f"--json {path}"):
        Path(path).write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


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
    _check_line_model(settings)
    return settings


def _check_line_model(settings: SegmentationSettings) -> None:
    if settings.line_model is not None:
        try:
            load(settings.line_model)
        except LineModelError as error:
            raise UsageError(f"--lines {settings.lines}: {error}") from error


class JobFailed(Exception):
    """The pipeline broke; the message says what was kept of the job: exit code 3.

    Attributes:
        kept: the outcome of the portions that had been committed (`launch.Outcome`); None where there is none.
    """

    def __init__(self, message: str, kept=None):
        super().__init__(message)
        self.kept = kept


def dated_name(prefix: str = "") -> str:
    """A name for a run or a compaction: the time, and what tells apart two of one second."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{prefix}{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def is_run_name(name: str) -> bool:
    """Whether a run or a compaction may have this name, which becomes part of paths."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name) is not None


_MOST_WEIGHT = 10
"""Of a language model: beyond it texts become too improbable to be told from impossible ones. About 0.4 is usual."""


@dataclass(frozen=True)
class LanguageModelFile:
    """A file with a language model, or the one in the model bundle.

    Attributes:
        uri: where it is; every worker reads it there. `BUNDLE_LANGUAGE_MODEL` for the bundle's.
        id: of its content, so that a changed file is another model; empty for the bundle's, which the bundle's own
            id covers.
        weight: exponent of its probabilities.
    """

    uri: str
    id: str
    weight: float

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= _MOST_WEIGHT:
            raise UsageError(f"--language-weight must lie between 0 and {_MOST_WEIGHT}, got {self.weight!r}")

    @staticmethod
    def id_of(data: bytes) -> str:
        """First 16 hexadecimal digits of the content's SHA-256."""
        return hashlib.sha256(data).hexdigest()[:16]


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
        max_attempts: a page that failed in so many runs in a row is set aside until its file changes; 0: no limit.
        accelerator: the kind of GPU that recognition asks a cluster for, as in Beam's resource hints, or None.
        decoder: how texts are found in what the network says.
        language_model: what the decoder knows of the language, or None.
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
    max_attempts: int = 3
    accelerator: str | None = None
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)
    decoder: DecoderSettings = GREEDY
    language_model: LanguageModelFile | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UsageError(f"--unit must be one of {', '.join(UNITS)}, got {self.unit!r}")
        if self.existing not in EXISTING:
            raise UsageError(f"--existing must be one of {', '.join(EXISTING)}, got {self.existing!r}")
        if set(self.output) & set("*?["):
            raise UsageError(
                f"--output {self.output}: Beam takes *, ? and [ in a path for a pattern; choose a folder without them"
            )
        if not is_run_name(self.run_id):
            raise UsageError(
                f"--run-id {self.run_id!r} may hold only letters, digits, '.', '_' and '-', and begins with a letter "
                "or digit"
            )
        if self.run_id.startswith(COMPACTED):
            raise UsageError(f"--run-id {self.run_id!r}: names that begin with {COMPACTED!r} are those of compactions")
        if self.batch_size < 1:
            raise UsageError(f"--batch-size must be at least 1, got {self.batch_size!r}")
        _check_line_model(self.segmentation)
        if self.max_attempts < 0:
            raise UsageError(f"--max-attempts must be at least 0, got {self.max_attempts!r}")
        if self.accelerator and not re.fullmatch(_ACCELERATOR, self.accelerator):
            raise UsageError(
                f"--accelerator {self.accelerator!r} must look like type:nvidia-tesla-t4;count:1;install-nvidia-driver"
            )

    @property
    def fingerprint(self) -> str:
        """Hash of the options that change results; a page is done only when it was read with the same ones."""
        settings = {
            "unit": self.unit,
            "pdf_dpi": self.decoding.pdf_dpi,
            "max_pixels": self.decoding.max_pixels,
            "working_side": self.segmentation.working_side,
        }
        if self.segmentation.line_model is not None:
            settings["lines"] = model_id(self.segmentation.line_model)
        # Left out where it is what it was before there was a choice: what was read then stays done.
        if self.decoder != GREEDY:
            settings["decoder"] = asdict(self.decoder)
        if self.language_model is not None:
            settings["language_model"] = [self.language_model.id, self.language_model.weight]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
