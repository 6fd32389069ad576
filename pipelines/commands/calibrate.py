"""``inkbeam calibrate``: a bundle whose confidence says how often words are right."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from htr_model.confidence import Calibration
from htr_model.decoding.settings import LANGUAGE_WEIGHT, DecoderSettings
from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import BUNDLE_LANGUAGE_MODEL, LanguageModelFile
from pipelines.logs import hold_back_native_output
from pipelines.options.outputs import path_ending_in, refuse_unwritable, write_figures, writing
from pipelines.options.samples import add_measured_options, measured
from pipelines.wording import counted

GREEDY, WITH_LANGUAGE_MODEL = "greedy", "language model"

SUMMARY = "make a model's confidence honest on pictures with known text"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_measured_options(parser, "data as for train, that was not trained on; again for more")
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="the calibrated bundle; may be the folder of --model"
    )
    parser.add_argument("--json", type=path_ending_in(".json"), metavar="FILE", help="also write the figures here")


def run(arguments: argparse.Namespace) -> int:
    """Print the calibration error before and after, and write the bundle."""
    from htr_model import bundle
    from htr_model.readers.datasets import load
    from pipelines import files
    from pipelines.models import bundle_address, load_bundle

    files.configure([])
    output = Path(arguments.output)
    refuse_unwritable("--output", arguments.output, folder=True)
    if arguments.json:
        refuse_unwritable("--json", arguments.json)
    own = os.path.realpath(bundle_address(arguments.model)) == os.path.realpath(output)
    if (output / bundle.SETTINGS_FILE).exists() and not own:
        raise UsageError(f"--output {output}: holds another model bundle; name another folder, or remove it")
    data = load(arguments.data)
    samples = measured(data, arguments.split)
    model = bundle_address(arguments.model)
    loaded = load_bundle(model)
    with hold_back_native_output():
        from htr_model.training.card import with_confidence

    names = sorted({s.collection for s in samples})
    fitted = _fitted(loaded, samples, names)
    _print(fitted)
    greedy, language = fitted[GREEDY], fitted.get(WITH_LANGUAGE_MODEL)
    stayed = [decoder for decoder, of_decoder in fitted.items() if not of_decoder.is_better]
    calibrated = replace(
        loaded,
        calibration=greedy.calibration if greedy.is_better else loaded.calibration,
        language_calibration=language.calibration if language and language.is_better else loaded.language_calibration,
    )
    card = with_confidence(loaded.card or "# Model card\n", greedy.error, names, language and language.error, stayed)
    with writing(f"--output {arguments.output}"):
        identity = bundle.save(calibrated, Path(arguments.output), card)
    print(f"{arguments.output}: model {identity} (before: {loaded.id})")
    if arguments.json:
        values = {"model_id": identity, "by_collection": greedy.figures}
        if language:
            values["with_language_model"] = language.figures
        write_figures(arguments.json, values)
    return exit_codes.DONE


@dataclass(frozen=True)
class Fitted:
    """A calibration for one decoder.

    Attributes:
        calibration: the map, fitted on all words.
        figures: of each collection, as `_figures` gives them.
    """

    calibration: Calibration
    figures: dict[str, dict]

    @property
    def total(self) -> dict:
        """The figures of all words."""
        return self.figures.get("all") or next(iter(self.figures.values()))

    @property
    def is_better(self) -> bool:
        """Whether it is at least as good as the map from before, for other writers than it was fitted on."""
        return self.total["after"] <= self.total["before"]

    @property
    def error(self) -> float:
        """Expected calibration error of all words with the better of the two maps."""
        return min(self.total["after"], self.total["before"])


def _fitted(loaded, samples: list, names: list[str]) -> dict[str, Fitted]:
    """A calibration of a bundle for each decoder that it may be read with.

    Raises:
        UsageError: there are too few words to fit one.
    """
    from pipelines.models import load_language_model

    with hold_back_native_output():
        from htr_model.normalization import normalize
        from htr_model.recognizer import Recognizer
        from htr_model.scoring.calibration import LEAST_WORDS, cross_fitted, fit, judged_words

    print(f"reading {counted(len(samples), 'picture')} with each decoder")
    recognizers = {GREEDY: Recognizer(loaded)}
    if loaded.language_model is not None:
        known = load_language_model(LanguageModelFile(BUNDLE_LANGUAGE_MODEL, "", LANGUAGE_WEIGHT), loaded)
        recognizers[WITH_LANGUAGE_MODEL] = Recognizer(loaded, DecoderSettings("beam"), known)
    pictures = [normalize(s.gray, loaded.normalization).pixels for s in samples]
    fitted = {}
    for decoder, recognizer in recognizers.items():
        words = judged_words(samples, recognizer.read(pictures))
        judged = cross_fitted(words)
        if judged is None:
            raise UsageError(
                f"{len(words):,} words were read in {len(samples):,} pictures; calibration needs {LEAST_WORDS} in each "
                f"half of the writers, {2 * LEAST_WORDS} and more in all"
            )
        fitted[decoder] = Fitted(fit(words), _figures(words, judged, names))
    return fitted


def _print(fitted: dict[str, Fitted]) -> None:
    print("expected calibration error of word confidence; after: each half of the writers with a map of the other half")
    for decoder, of_decoder in fitted.items():
        print(f"{decoder:24}{'words':>9}{'right %':>9}{'before':>9}{'after':>9}")
        for name, row in of_decoder.figures.items():
            print(f"{name:24}{row['words']:9,}{100 * row['right']:9.1f}{row['before']:9.3f}{row['after']:9.3f}")
        if not of_decoder.is_better:
            print(
                f"{decoder}: the confidence of the model before is the better one and stays; "
                f"{of_decoder.total['words']:,} words may be too few, give more --data",
                file=sys.stderr,
            )


def _figures(words: list, judged: list, names: list[str]) -> dict[str, dict]:
    """Words, share of right ones and calibration error before and after, of each collection and of all."""
    figures = {}
    for name in [*names, *(["all"] if len(names) > 1 else [])]:
        members = [i for i, w in enumerate(words) if name == "all" or w.group.startswith(f"{name}/")]
        if members:
            before, after = _error([words[i] for i in members]), _error([judged[i] for i in members])
            right = sum(words[i].right for i in members) / len(members)
            figures[name] = {"words": len(members), "right": right, "before": before, "after": after}
    return figures


def _error(words: list) -> float:
    from htr_model.scoring.calibration import expected_calibration_error

    return expected_calibration_error([w.confidence for w in words], [w.right for w in words])
