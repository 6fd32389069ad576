"""Drawn words and randomised networks for the tests."""

import cv2
import keras
import numpy as np

from htr_model.normalization import Normalization, normalize


def word(text: str, height: int = 60, paper: int = 245, ink: int = 30, thickness: int = 2) -> np.ndarray:
    """Grey picture of a word in OpenCV's vector font, uint8 (height, w)."""
    scale = height / 50
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    gray = np.full((height, width + 24), paper, np.uint8)
    place = (12, round(height * 0.68))
    return cv2.putText(gray, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)


def png(gray: np.ndarray) -> bytes:
    return cv2.imencode(".png", gray)[1].tobytes()


def likeness(one: np.ndarray, other: np.ndarray, rows: int = 0) -> float:
    """Correlation, at most 1, of what the network sees of two grey pictures, brought to one width.

    Args:
        rows: by which the other's writing may stand higher or lower.
    """
    a, b = (normalize(gray, Normalization()).pixels for gray in (one, other))
    b = cv2.resize(b, a.shape[::-1], interpolation=cv2.INTER_AREA)
    moved = (np.roll(b, by, axis=0) for by in range(-rows, rows + 1))
    return max(float(np.corrcoef(a.ravel(), m.ravel())[0, 1]) for m in moved)


def randomise(model: keras.Model, seed: int) -> None:
    """Random weights and random BatchNorm statistics, so sized that logits have a spread of a few units.

    Untrained biases and means are zero, and would hide what padding does.
    """
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed_generator" in variable.path:
            continue
        name, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
        if name in ("gamma", "moving_variance"):
            value = rng.uniform(0.7, 1.3, shape)
        elif len(shape) == 1:
            value = rng.normal(0, 0.3, shape)
        else:
            depthwise = len(shape) == 4 and shape[-1] == 1
            fan_in = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            value = rng.normal(0, 1.0 / np.sqrt(fan_in), shape)
        variable.assign(value.astype(np.float32))
