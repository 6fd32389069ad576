"""What a digitize job is told, checked before anything is read."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field

from htr_model.decoding.settings import GREEDY, DecoderSettings
from pipelines.archive.run_names import COMPACTED, is_run_name
from pipelines.errors import UsageError
from segmentation.decoding import DecodingSettings
from segmentation.lines.network import model_id
from segmentation.page import SegmentationSettings

UNITS = ("line", "word")
EXISTING = ("skip", "redo", "abort")
DEFAULT_MODEL = "default"
"""Name of the bundle inside the package; workers find it in their own installation."""
BUNDLE_LANGUAGE_MODEL = "bundle"
"""Stands for the language model that the job's model bundle holds."""

_ACCELERATOR = r"type:[a-z0-9-]+;count:[1-9][0-9]*(;[A-Za-z0-9:._-]+)*"
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
        decoding: how files become pages.
        segmentation: how lines and words are found; a line network of its own has been checked (`options.lines`).
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
