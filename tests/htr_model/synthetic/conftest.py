"""Fonts and texts to draw with: those that matplotlib brings along."""

import shutil
from pathlib import Path

import matplotlib
import pytest


def typeface(name: str) -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"


@pytest.fixture(scope="session")
def font_folder(tmp_path_factory) -> Path:
    """A font of each look."""
    root = tmp_path_factory.mktemp("fonts")
    for folder, name in ((".", "DejaVuSans-Oblique"), ("typed", "DejaVuSansMono"), ("printed/old", "DejaVuSerif")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(typeface(name), root / folder)
    return root
