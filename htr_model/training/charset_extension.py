"""A bundle that can write more characters than it was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from htr_model.bundle import Bundle, BundleError
from htr_model.charset import Charset

_OUTPUT = ("logits/kernel", "logits/bias")
"""The weights whose last axis is the classes, in every network."""


def extend(bundle: Bundle, symbols: str) -> Bundle:
    """The bundle with those of ``symbols`` that its charset lacks put behind its own; the same bundle for none.

    A new symbol begins with the mean of the old symbols' weights. Its logit is their mean, never above the largest
    of them: until training tells the new symbols apart, every picture is read as before.

    Raises:
        BundleError: the bundle lacks the output layer's weights.
    """
    added = Charset(bundle.charset.symbols).unknown(symbols)
    if not added:
        return bundle
    weights = dict(bundle.weights)
    for name in _OUTPUT:
        if name not in weights:
            raise BundleError(f"bundle {bundle.id}: weight {name} is missing")
        mean = weights[name][..., 1:].mean(axis=-1, keepdims=True)
        weights[name] = np.concatenate([weights[name], np.repeat(mean, len(added), axis=-1)], axis=-1)
    return replace(bundle, charset=Charset(bundle.charset.symbols + added), weights=weights)
