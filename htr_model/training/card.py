"""The card of a model bundle: what it is, what it was trained on, how well it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from htr_model.bundle import Bundle
from htr_model.data.samples import Sample
from htr_model.scoring.evaluation import Evaluation


@dataclass(frozen=True)
class Training:
    """What a card tells of a training run.

    Attributes:
        network: key of `networks.NETWORKS`.
        parameters: of the network, how many.
        steps: that were taken.
        training, validation: the samples that it learned from and was measured on.
        result: of the validation samples; None when training was stopped before the first epoch's end.
        calibration_error: expected error of word confidence, 0–1, each word measured with a map fitted on other
            writers; None where it is not calibrated.
        start_from: the bundle whose weights the run began with; its card becomes part of this one.
    """

    network: str
    parameters: int
    steps: int
    training: list[Sample]
    validation: list[Sample]
    result: Evaluation | None
    calibration_error: float | None
    start_from: Bundle | None


def write(run: Training) -> str:
    """Text of the card (Markdown)."""
    lines = [
        "# Model card",
        "",
        f"Network `{run.network}`, {run.parameters:,} parameters, {run.steps:,} training steps.",
        "",
        "| collection | training samples | validation samples | writers in training | CER % | WER % |",
        "|---|---|---|---|---|---|",
    ]
    trained, validated = (Counter(s.collection for s in samples) for samples in (run.training, run.validation))
    for name in sorted(trained | validated):
        writers = len({s.writer for s in run.training if s.collection == name and s.writer}) or "not named"
        rates = run.result.by_collection.get(name) if run.result else None
        cer, wer = (f"{100 * rates.cer:.2f}", f"{100 * rates.wer:.2f}") if rates else ("–", "–")
        lines.append(f"| {name} | {trained[name]:,} | {validated[name]:,} | {writers} | {cer} | {wer} |")
    lines += [
        "",
        *_confidence(run.calibration_error, inherited=run.start_from is not None),
        "CER and WER: validation samples, greedy decoding, no lexicon. The weights carry what was learned from the",
        "data above; whoever passes this bundle on must respect the terms of that data.",
        "",
    ]
    if run.start_from is not None:
        lines += _beginning(run.start_from)
    return "\n".join(lines)


def _beginning(bundle: Bundle) -> list[str]:
    """What a card says of the bundle that a run began with: its own card, its headings a level lower."""
    card = bundle.card.strip() or "Its card is not at hand."
    return [
        "## The bundle that training began with",
        "",
        f"Bundle `{bundle.id}`. What it was trained on is in these weights too: its terms hold for this bundle.",
        "",
        *(f"##{line}" if line.startswith("#") else line for line in card.split("\n")),
        "",
    ]


_UNCALIBRATED = "Confidence is not calibrated."
_INHERITED = "Confidence is not calibrated: it is that of the bundle that training began with (`inkbeam calibrate`)."
_CALIBRATED = "Confidence is calibrated: "
_KEPT = "With a language model it is still that of the bundle that training began with (`inkbeam calibrate`)."
_NEW = "with a map fitted on other validation writers"
_STAYED = "with the map from before, which is better for them than one fitted on other validation writers"


def _confidence(
    calibration_error: float | None,
    collections: list[str] | None = None,
    with_language_model: float | None = None,
    inherited: bool = False,
    stayed: Sequence[str] = (),
) -> list[str]:
    """What a card says of the bundle's confidence, and an empty line."""
    if calibration_error is None:
        return [_INHERITED if inherited else _UNCALIBRATED, ""]
    fitted = f" ({', '.join(collections)})" if collections else ""
    maps = f"{_NEW} ({', '.join(stayed)}: {_STAYED})" if stayed else _NEW
    if len(stayed) == (1 if with_language_model is None else 2):
        maps = _STAYED
    measured = f"measured on validation writers{fitted} {maps}."
    other = "" if with_language_model is None else f" (with the language model {with_language_model:.3f})"
    kept = f" {_KEPT}" if inherited else ""
    return [f"{_CALIBRATED}expected calibration error of words {calibration_error:.3f}{other}, {measured}{kept}", ""]


def with_confidence(
    card: str,
    calibration_error: float,
    collections: list[str],
    with_language_model: float | None = None,
    stayed: Sequence[str] = (),
) -> str:
    """A card that says how good the confidence is, in place of what it said of it before.

    Args:
        with_language_model: calibration error of words that the bundle's language model helped to find.
        stayed: decoders whose map was not replaced by one that was fitted; their errors are those of the map that is
            there.
    """
    statement = _confidence(calibration_error, collections, with_language_model, stayed=stayed)[0]
    lines = card.rstrip("\n").split("\n")
    for i, line in enumerate(lines):
        if line in (_UNCALIBRATED, _INHERITED) or line.startswith(_CALIBRATED):
            end = next((k for k in range(i, len(lines)) if not lines[k].strip()), len(lines))  # of its paragraph
            return "\n".join([*lines[:i], statement, *lines[end:], ""])
    return "\n".join([*lines, "", statement, ""])
