"""The optimizer of all training runs."""

from __future__ import annotations

import keras


def adamw(variables: list, learning_rate: float, weight_decay: float, clipnorm: float) -> keras.optimizers.AdamW:
    """AdamW (Loshchilov and Hutter 2019) for ``variables``; biases and what normalisations learn do not decay.

    Args:
        clipnorm: greatest norm of all gradients together; larger ones are scaled down to it.
    """
    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay, global_clipnorm=clipnorm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(variables)
    return optimizer
