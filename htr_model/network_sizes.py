"""Sizes of the networks: `networks` tells them in Keras and `onnx_networks` in ONNX, both with these numbers."""

from __future__ import annotations

STEM = ((32, 5), (64, 3))
"""Filters and side of the kernel of the two strided convolutions that ``crnn`` and ``resnet-ctc`` begin with."""
STAGES = (80, 160, 256)
"""Filters of the residual blocks behind them: two blocks a stage, with pooling over the rows between two stages. The
last stage's are the features of a column."""
CRNN_UNITS = (224, 224, 224)
"""Of the LSTMs of ``crnn``, in each direction."""
TIME_BLOCKS, TIME_KERNEL = 4, (1, 9)
"""Residual blocks of ``resnet-ctc`` along time, and their kernel's rows and columns."""
CLASSIC_FILTERS = (32, 64)
"""Of the convolutions of ``cnn-bilstm``."""
CLASSIC_FEATURES = 64
"""Of a column behind its convolutions."""
CLASSIC_UNITS = (128, 64)
"""Of its LSTMs, in each direction."""
