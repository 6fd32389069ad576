"""Connectionist temporal classification: the loss, and what is read off the logits. Backend-neutral Keras.

Graves et al. 2006. Class 0 is the blank everywhere.
"""

from __future__ import annotations

import keras
from keras import ops

from htr_model.charset import BLANK

_IMPOSSIBLE = -1e30
"""Log-probability of what cannot be; finite, since infinities would turn gradients into NaN."""


def ctc_loss(labels, label_lengths, logits, logit_lengths):
    """Negative log-likelihood of each label sequence: float32 (batch,), in nats.

    The forward recursion of Graves et al. 2006 (equations 5–8) in log space, one scan over time; the gradient comes
    from the backend. `keras.ops.ctc_loss` gives the same values and takes about a third of a training step on a CPU,
    since it builds its gradient over every class and not only over the label's own. PyTorch has no scan that is
    compiled, but a kernel for the whole loss: there it is Keras' one.

    Args:
        labels: int32 (batch, longest), classes 1 …; positions beyond a label's length are not read.
        label_lengths: int32 (batch,).
        logits: float32 (batch, time, classes), not normalised.
        logit_lengths: int32 (batch,), valid time steps.
    """
    labels = ops.cast(labels, "int32")
    if keras.backend.backend() == "torch":
        return ops.ctc_loss(labels, logits, label_lengths, logit_lengths, mask_index=BLANK)
    longest = ops.shape(labels)[1]
    # States: blank, first symbol, blank, second symbol, …, blank.
    blanks = ops.full_like(labels, BLANK)
    states = ops.reshape(ops.stack([blanks, labels], axis=2), (-1, 2 * longest))
    states = ops.pad(states, [[0, 0], [0, 1]], constant_values=BLANK)
    before = ops.pad(states[:, :-2], [[0, 0], [2, 0]], constant_values=BLANK)
    skippable = ops.where(ops.logical_and(states != BLANK, states != before), 0.0, _IMPOSSIBLE)

    log_probabilities = ops.log_softmax(logits, axis=-1)
    steps = ops.shape(logits)[1]
    index = ops.broadcast_to(states[:, None, :], (ops.shape(states)[0], steps, 2 * longest + 1))
    emitted = ops.transpose(ops.take_along_axis(log_probabilities, index, axis=2), (1, 0, 2))
    valid = ops.arange(steps, dtype="int32")[:, None] < ops.cast(logit_lengths, "int32")[None, :]

    def advance(alpha, step):
        emission, real = step
        stay_or_next = ops.logaddexp(alpha, ops.pad(alpha[:, :-1], [[0, 0], [1, 0]], constant_values=_IMPOSSIBLE))
        skip = ops.pad(alpha[:, :-2], [[0, 0], [2, 0]], constant_values=_IMPOSSIBLE) + skippable
        moved = ops.logaddexp(stay_or_next, skip) + emission
        return ops.where(real[:, None], moved, alpha)

    # Before the first step all probability lies in an imaginary state from which the first two can be entered.
    start = ops.where(ops.arange(2 * longest + 1) < 1, 0.0, _IMPOSSIBLE)
    start = ops.zeros_like(emitted[0]) + start
    alpha = _fold(advance, start, (emitted, valid))
    last = 2 * ops.cast(label_lengths, "int32")[:, None]
    ends = ops.concatenate([last, ops.maximum(last - 1, 0)], axis=1)
    final = ops.take_along_axis(alpha, ends, axis=1)
    ends_in_symbol = ops.where(last[:, 0] > 0, final[:, 1], _IMPOSSIBLE)
    return -ops.logaddexp(final[:, 0], ends_in_symbol)


def _fold(function, start, elements):
    """``function(state, element)`` over the leading axis of ``elements``; the last state."""
    if keras.backend.backend() == "tensorflow":
        # keras.ops.scan wants a length known when the graph is traced; batches differ in theirs.
        import tensorflow as tf

        return tf.scan(function, elements, start)[-1]
    return ops.scan(lambda state, element: (function(state, element), None), start, elements)[0]


def top_classes(logits, count: int):
    """Most probable classes of each time step, the best first: int32 (batch, time, count); and their log-probabilities.

    Runs on the accelerator, so that what no decoder looks at need not travel back.
    """
    log_probabilities = ops.log_softmax(logits, axis=-1)
    values, classes = ops.top_k(log_probabilities, min(count, logits.shape[-1]), sorted=True)
    return ops.cast(classes, "int32"), values
