"""The commands beside digitize: segment, train, evaluate. TensorFlow is imported only by those that need it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import cv2

from htr_model import bundle
from htr_model.datasets import Dataset, load
from htr_model.samples import DatasetError, Sample
from pipelines import launch
from pipelines.files import absolute, read_bytes
from pipelines.inputs import find
from pipelines.model_handler import load_bundle
from pipelines.options import DEFAULT_MODEL, UsageError
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from segmentation.overlay import draw_overlay
from segmentation.page import segment


def usage_errors() -> tuple[type[Exception], ...]:
    """Exceptions that say what the user did wrong; training's is known only once its libraries are loaded."""
    training = sys.modules.get("htr_model.training")
    return (DatasetError, bundle.BundleError, *((training.TrainingError,) if training else ()))


def add_segment(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``inkbeam segment``."""
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="files, folders or globs")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the pictures")
    parser.set_defaults(run=run_segment)


def run_segment(arguments: argparse.Namespace) -> int:
    """Draw lines, words and reading order on every page; 1 when a page could not be read."""
    output = Path(arguments.output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be written ({error})") from error
    settings = DecodingSettings()
    failed = 0
    for document in find(arguments.pages):
        try:
            data = read_bytes(document.uri)
            pages = count_pages(data, document.uri, settings)
        except (OSError, DecodingError) as error:
            failed += 1
            print(f"failed: {error}", file=sys.stderr)
            continue
        for index in range(pages):
            try:
                page = decode_page(data, PageRef(document.uri, index), settings)
            except DecodingError as error:
                failed += 1
                print(f"failed: {error}", file=sys.stderr)
                continue
            layout = segment(page.gray).layout
            words = [line.word_boxes() for line in layout.lines]
            picture = draw_overlay(page.gray, [line.box for line in layout.lines], words)
            number = f"-page{index + 1}" if pages > 1 else ""
            path = output / f"{Path(document.uri).name}{number}.png"
            cv2.imwrite(str(path), picture)
            print(
                f"{path}: {len(layout.lines)} lines, {sum(map(len, words))} words, skew {layout.skew_degrees:+.1f}°, "
                f"x-height {layout.x_height:.0f} px, "
                f"{layout.discarded_ink / max(layout.ink, 1):.0%} of the ink left out"
            )
    return launch.TOO_MANY_FAILURES if failed else launch.DONE


def add_train(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``inkbeam train``."""
    data = parser.add_argument_group("data and result")
    data.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="PATH",
        help="IAM folder, CSV, Parquet or pages.jsonl; again for more",
    )
    data.add_argument(
        "--output", required=True, metavar="DIR", help="the model bundle; DIR/training holds curves and checkpoints"
    )
    data.add_argument("--from", dest="start", metavar="DIR", help="begin with this bundle's weights")
    data.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR/training")
    how = parser.add_argument_group("how to train")
    how.add_argument("--network", default="crnn", help="crnn or resnet-ctc (default: crnn)")
    how.add_argument("--epochs", type=int, default=40, metavar="N", help="passes over the data at most (default: 40)")
    how.add_argument(
        "--max-minutes", type=float, metavar="N", help="time budget; the learning rate is lowered within it"
    )
    how.add_argument(
        "--patience", type=int, default=8, metavar="N", help="epochs without gain before it stops (default: 8)"
    )
    how.add_argument("--learning-rate", type=float, default=2e-3, metavar="R", help="highest rate (default: 0.002)")
    how.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="of the convolutions (default: float32)",
    )
    how.add_argument("--seed", type=int, default=0, metavar="N")
    parser.set_defaults(run=run_train)


def run_train(arguments: argparse.Namespace) -> int:
    """Train, and say where the bundle is."""
    data = load(arguments.data)
    from htr_model.training import TrainingRun, TrainingSettings

    settings = TrainingSettings(
        network=arguments.network,
        epochs=arguments.epochs,
        max_minutes=arguments.max_minutes,
        learning_rate=arguments.learning_rate,
        patience=arguments.patience,
        seed=arguments.seed,
        precision=arguments.precision,
    )
    start = load_bundle(arguments.start) if arguments.start else None
    run = TrainingRun(data, settings, Path(arguments.output), start_from=start)
    print(
        f"{len(run.train):,} samples to train on, {len(run.validation):,} to validate, {len(run.skipped):,} skipped "
        f"(listed in {run.folder / 'skipped.csv'}); {run.model.count_params():,} parameters"
    )
    done = run.run(resume=arguments.resume)
    print(
        f"{arguments.output}: {done.step:,} steps in {done.seconds / 60:.0f} minutes, "
        f"best validation CER {100 * done.best_cer:.2f} % after epoch {done.best_epoch + 1}"
    )
    return launch.DONE


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``inkbeam evaluate``."""
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
    parser.set_defaults(run=run_evaluate)


def _part(data: Dataset, name: str) -> list[Sample]:
    """The samples of a split; those of data without splits belong to every one."""
    if name == "all":
        return data.samples
    return [s for s in data.samples if s.split in (None, name)]


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Print error rates and speed."""
    data = load(arguments.data)
    samples = _part(data, arguments.split)
    if not samples:
        raise UsageError(f"no usable sample in split {arguments.split!r}; {len(data.skipped)} were skipped")
    loaded = load_bundle(arguments.model if arguments.model == DEFAULT_MODEL else absolute(arguments.model))
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
    return launch.DONE


def _save_predictions(samples: list[Sample], readings: list, path: Path) -> None:
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
