"""Fixtures that the tests of several packages share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real handwriting; the test is skipped where it is absent."""
    named = os.environ.get("INKBEAM_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set INKBEAM_DATA to a folder that holds it")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory) -> Path:
    """Folder of a model bundle of the small network, for low pictures, with seeded random weights.

    It writes nonsense: the same for the same picture every time, and other nonsense for other pictures.
    """
    from htr_model import bundle, networks
    from htr_model.charset import Charset
    from htr_model.networks import named_weights
    from htr_model.normalization import Normalization, normalize, stack
    from htr_model.time_steps import time_steps
    from tests.htr_model.drawing import randomise, word

    charset, settings = Charset(" ,.'abcdefghijklmnopqrstuvwxyzABCDEFGH"), Normalization.of_height(32)
    model = networks.build("resnet-ctc", settings.height, charset.classes)
    randomise(model, seed=7)
    weights = named_weights(model)
    kernel, bias = (
        next(n for n in weights if n.startswith("logits/") and n.endswith(end)) for end in ("kernel", "bias")
    )
    # Logits of drawn words are brought to mean 0 and deviation 2, so that every symbol has its chance, and the
    # blank well above, so that symbols stand apart as they do in a trained network's output.
    drawn = [normalize(word(text), settings).pixels for text in ("archive", "Hands", "quill pen", "by, for")]
    pixels, widths = stack(drawn, settings)
    logits = np.asarray(model.predict_on_batch([pixels, widths]))
    valid = np.concatenate([row[: time_steps(n)] for row, n in zip(logits, widths, strict=True)])
    gain = 2 / valid.std(axis=0)
    weights[kernel] = weights[kernel] * gain
    weights[bias] = (weights[bias] - valid.mean(axis=0)) * gain + np.eye(charset.classes)[0] * 4
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    bundle.save(bundle.Bundle("resnet-ctc", charset, settings, weights), folder, "# A bundle for tests\n")
    return folder
