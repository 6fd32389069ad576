"""``inkbeam export-model``: a recogniser for programs without Keras."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL
from pipelines.logs import hold_back_native_output
from pipelines.options.outputs import writing

SUMMARY = "write a recogniser as ONNX, LiteRT or SavedModel"

_FORMATS = ("onnx", "litert", "saved-model")
_TOLERANCE = 1e-3
"""Largest difference of a logit that rounding may make; texts follow from differences of whole units."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="BUNDLE", help=f"model bundle, or {DEFAULT_MODEL} for the one inside")
    parser.add_argument("--to", choices=_FORMATS, required=True, help="what to write")
    parser.add_argument(
        "--output", required=True, metavar="PATH", help="file, or folder for saved-model; and PATH.json"
    )
    parser.add_argument(
        "--width", type=int, metavar="N", help="columns of a LiteRT input (default: the widest that the bundle reads)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write, compare with Keras on one batch, and say how fast both are."""
    from pipelines import files
    from pipelines.models import bundle_address, load_bundle

    files.configure([])
    path = Path(arguments.output)
    beside = path.with_name(f"{path.name}.json")
    for taken in (path, beside):
        if taken.exists():
            raise UsageError(f"--output {path}: {taken} exists; name another")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--output {path}: its folder does not exist")
    bundle = load_bundle(bundle_address(arguments.model), "BUNDLE")
    width = arguments.width or bundle.normalization.max_width
    if not 16 <= width <= bundle.normalization.max_width or width % 16:
        raise UsageError(
            f"--width must be a multiple of 16 between 16 and {bundle.normalization.max_width}, got {width!r}"
        )
    if arguments.width and arguments.to != "litert":
        raise UsageError(f"--width is for litert; {arguments.to} takes every width")
    with hold_back_native_output():
        from htr_model import export

    with writing(f"--output {path}"):
        export.write(bundle, arguments.to, path, width)
        beside.write_bytes(export.settings(bundle, arguments.to, width))
    size = sum(f.stat().st_size for f in ([path] if path.is_file() else path.rglob("*")) if f.is_file())
    print(f"{path}: {size / 1e6:.1f} MB, model {bundle.id}; settings in {beside}")
    return _compare(bundle, arguments.to, path, width)


def _compare(bundle, kind: str, path: Path, width: int) -> int:
    import numpy as np

    from htr_model import export
    from htr_model.time_steps import time_steps

    with hold_back_native_output():
        exported = export.runner(kind, path)
    rng = np.random.default_rng(0)
    batch = 1 if kind == "litert" else 8
    pixels = rng.integers(0, 256, (batch, bundle.normalization.height, width, 1)) * (rng.random(width) < 0.3)[:, None]
    pixels = pixels.astype(np.uint8)
    widths = np.linspace(width - 8, width // 2, batch).astype(np.int32)
    for i, valid in enumerate(widths):
        pixels[i, :, valid:] = 0
    with hold_back_native_output():
        keras_seconds, expected = _timed(export.in_keras(bundle), pixels, widths)
        own_seconds, found = _timed(exported, pixels, widths)
    steps = time_steps(widths)
    difference = max(float(np.abs(expected[i, :n] - found[i, :n]).max()) for i, n in enumerate(steps))
    print(
        f"{batch} pictures of {width} columns: {own_seconds:.3f} s, with Keras {keras_seconds:.3f} s; "
        f"logits differ by at most {difference:.1e}"
    )
    if difference > _TOLERANCE:
        print("The exported network does not read like the bundle: do not use it.")
        return exit_codes.FAILED
    return exit_codes.DONE


def _timed(function, pixels, widths) -> tuple[float, object]:
    """Median seconds of three calls after a first one, and the result."""
    import numpy as np

    result = np.asarray(function(pixels, widths))
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        np.asarray(function(pixels, widths))
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[1], result
