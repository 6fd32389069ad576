"""The card of a model bundle: what it is, what it was trained on, how well it reads."""

from __future__ import annotations

from collections import Counter

from htr_model.evaluation import Evaluation
from htr_model.samples import Sample


def write(
    network: str,
    parameters: int,
    training: list[Sample],
    validation: list[Sample],
    steps: int,
    result: Evaluation | None,
) -> str:
    """Text of the card (Markdown).

    Args:
        result: of the validation samples; None when training was stopped before the first epoch's end.
    """
    lines = [
        "# Model card",
        "",
        f"Network `{network}`, {parameters:,} parameters, {steps:,} training steps.",
        "",
        "| collection | training samples | validation samples | writers in training | CER % | WER % |",
        "|---|---|---|---|---|---|",
    ]
    trained, validated = Counter(s.collection for s in training), Counter(s.collection for s in validation)
    for name in sorted(trained | validated):
        writers = len({s.writer for s in training if s.collection == name and s.writer}) or "not named"
        rates = result.by_collection.get(name) if result else None
        cer, wer = (f"{100 * rates.cer:.2f}", f"{100 * rates.wer:.2f}") if rates else ("–", "–")
        lines.append(f"| {name} | {trained[name]:,} | {validated[name]:,} | {writers} | {cer} | {wer} |")
    lines += [
        "",
        "CER and WER: validation samples, greedy decoding, no lexicon. The weights carry what was learned from the",
        "data above; whoever passes this bundle on must respect the terms of that data.",
        "",
    ]
    return "\n".join(lines)
