"""Steps of training: a batch in, its loss out, the weights changed.

Keras takes them (`keras_step`), and on an NVIDIA GPU with PyTorch `GraphedSteps` does: there the processor that calls
one operator after another is slower than the GPU that carries them out.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from htr_model.ctc import ctc_loss

Step = Callable[[tuple, np.ndarray], float]
"""``step((pixels, widths), packed)`` → the network's own loss, without that of a shortcut: of this step, or of the one
before it (`GraphedSteps`)."""


def packed_ctc_loss(packed, logits):
    """CTC loss per true character, for labels as `batches.make` packs them: float32 (batch,), mean over the batch.

    Divided by the batch's characters and not by its samples, so that a letter weighs as much in a line as in a word.
    """
    packed = keras.ops.cast(packed, "int32")
    lengths = packed[:, 0]
    losses = ctc_loss(packed[:, 2:], lengths, logits, packed[:, 1])
    count = keras.ops.cast(keras.ops.shape(lengths)[0], "float32")
    return losses * count / keras.ops.cast(keras.ops.sum(lengths), "float32")


def keras_step(function: Callable, outputs: int) -> Step:
    """Steps by a model's ``train_on_batch`` or ``test_on_batch``."""

    def step(inputs, packed):
        values = np.ravel(function(list(inputs), [packed] * outputs))
        # With several outputs the sum of all comes first.
        return float(values[min(1, len(values) - 1)])

    return step


def graphs_are_possible() -> bool:
    """Whether `GraphedSteps` can be used here."""
    if keras.backend.backend() != "torch":
        return False
    import torch

    return torch.cuda.is_available()


class GraphedSteps:
    """Training steps of PyTorch on an NVIDIA GPU, the network's part of them as CUDA graphs.

    What the GPU has to do forward and back is recorded once for each shape of ``pixels`` and then started by one call,
    where Keras makes some three thousand. For batches of few shapes (`batches.Batching.few_shapes`). All graphs share
    one pool of memory: none keeps anything in it beyond its step. The loss, whose kernel wants lengths on the
    processor, and the optimizer are called as always.
    """

    def __init__(self, trainer: keras.Model, loss_weights: list[float]):
        """
        Args:
            trainer: compiled model of inputs ``pixels`` and ``widths``; its outputs are logits.
            loss_weights: of the outputs' losses.
        """
        import torch

        self._torch = torch
        self._trainer = trainer
        self._loss_weights = loss_weights
        self._forward: dict[tuple[int, ...], Callable] = {}
        self._pool = torch.cuda.graph_pool_handle()
        self._before = None

    def __call__(self, inputs: tuple, packed: np.ndarray) -> float:
        """Take a step; the loss of the step **before** it (of itself, the first time), so that the processor can
        prepare a step while the GPU is still busy with another."""
        torch, variables = self._torch, self._trainer.trainable_variables
        pixels, widths = (self._on_gpu(array) for array in inputs)
        outputs = self._graph(pixels, widths)(pixels, widths)
        losses = self._losses(outputs, packed)
        self._trainer.zero_grad()
        sum(weight * loss for weight, loss in zip(self._loss_weights, losses, strict=True)).backward()
        with torch.no_grad():
            self._trainer.optimizer.apply([v.value.grad for v in variables], variables)
        loss = losses[0].detach()
        before, self._before = self._before, loss
        return float(loss if before is None else before)

    def _on_gpu(self, array: np.ndarray):
        return self._torch.from_numpy(array).pin_memory().to("cuda", non_blocking=True)

    def _graph(self, pixels, widths) -> Callable:
        shape = tuple(pixels.shape)
        if shape not in self._forward:
            sample = (pixels.clone(), widths.clone())
            forward = _forward_module(self._trainer)
            self._forward[shape] = self._torch.cuda.make_graphed_callables(forward, sample, pool=self._pool)
        return self._forward[shape]

    def _losses(self, outputs, packed: np.ndarray) -> list:
        """`packed_ctc_loss` of each output, mean over the batch, with lengths that stay on the processor."""
        torch = self._torch
        lengths, steps = (torch.from_numpy(packed[:, i].astype(np.int64)) for i in (0, 1))
        labels = self._on_gpu(np.ascontiguousarray(packed[:, 2:]))
        return [
            torch.nn.functional.ctc_loss(
                torch.log_softmax(logits, dim=-1).transpose(0, 1), labels, steps, lengths, reduction="sum"
            )
            / int(lengths.sum())
            for logits in outputs
        ]


def _forward_module(trainer: keras.Model):
    """``trainer`` in training, as the module of tensors in and a tuple of tensors out that can be recorded."""
    import torch

    class Forward(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.trainer = trainer

        def forward(self, pixels, widths):
            outputs = self.trainer([pixels, widths], training=True)
            return tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)

    return Forward()
