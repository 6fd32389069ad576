"""Pictures of a training run."""

from __future__ import annotations

from pathlib import Path


def training_curves(history: list[dict], path: Path) -> None:
    """Write loss and validation CER by epoch as a PNG.

    Args:
        history: rows with ``epoch``, ``loss``, ``cer`` (0–1) and ``cer_<collection>``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], marker=".")
    left.set(xlabel="epoch", ylabel="CTC loss per character (nats)", yscale="log")
    for key in [k for k in history[-1] if k.startswith("cer_")]:
        right.plot(epochs, [100 * row.get(key, float("nan")) for row in history], label=key[4:], linewidth=1)
    right.plot(epochs, [100 * row["cer"] for row in history], "k", marker=".", label="mean")
    right.set(xlabel="epoch", ylabel="validation CER (%)", ylim=(0, None))
    right.legend(fontsize="small")
    figure.savefig(path, dpi=110)
