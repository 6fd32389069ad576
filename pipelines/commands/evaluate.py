"""``inkbeam evaluate``: how well and how fast a recogniser reads."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from pipelines import exit_codes
from pipelines.logs import hold_back_native_output
from pipelines.options import DEFAULT_MODEL, UsageError

SUMMARY = "measure a recogniser on pictures with known text"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle (default: the one inside)")
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="PATH",
        help="IAM folder, CSV, Parquet or pages.jsonl; again for more",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "train", "all"),
        default="validation",
        help="part of data that names its splits; other data is read whole (default: validation)",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--save-predictions", metavar="FILE", help="also write a Parquet file of id, text, prediction and confidence"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print error rates and speed."""
    from htr_model.datasets import load
    from pipelines.files import absolute
    from pipelines.model_handler import load_bundle

    data = load(arguments.data)
    samples = _part(data, arguments.split)
    if not samples:
        raise UsageError(f"no usable sample in split {arguments.split!r}; {len(data.skipped)} were skipped")
    loaded = load_bundle(arguments.model if arguments.model == DEFAULT_MODEL else absolute(arguments.model))
    with hold_back_native_output():
        from htr_model.evaluation import evaluate
        from htr_model.recognizer import Recognizer

    result = evaluate(Recognizer(loaded), samples)
    print(f"model {loaded.id} ({loaded.network}); {len(data.skipped)} samples skipped")
    print(f"{'':24}{'samples':>9}{'CER %':>8}{'WER %':>8}{'exact %':>9}")
    rows = {**result.by_collection, "all": result.overall} if len(result.by_collection) > 1 else result.by_collection
    for name, rates in rows.items():
        print(f"{name:24}{rates.samples:9,}{100 * rates.cer:8.2f}{100 * rates.wer:8.2f}{100 * rates.accuracy:9.2f}")
    print(f"{result.seconds:.1f} s, {result.samples_per_second:.0f} samples/s")
    if arguments.json:
        figures = {
            "model_id": loaded.id,
            "network": loaded.network,
            "overall": asdict(result.overall),
            "by_collection": {name: asdict(rates) for name, rates in result.by_collection.items()},
            "seconds": result.seconds,
            "samples_per_second": result.samples_per_second,
            "skipped": len(data.skipped),
        }
        Path(arguments.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if arguments.save_predictions:
        _save_predictions(samples, result.predictions, Path(arguments.save_predictions))
    return exit_codes.DONE


def _part(data, name: str) -> list:
    """The samples of a split; those of data without splits belong to every one."""
    if name == "all":
        return data.samples
    return [s for s in data.samples if s.split in (None, name)]


def _save_predictions(samples: list, readings: list, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": [s.id for s in samples],
        "text": [s.text for s in samples],
        "prediction": [r.text for r in readings],
        "confidence": [r.confidence for r in readings],
        "min_char_confidence": [r.min_char_confidence for r in readings],
    }
    pq.write_table(pa.table(columns), path, compression="zstd")
