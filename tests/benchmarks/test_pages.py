import argparse
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks import pages
from benchmarks.damage import DAMAGES, damaged
from pipelines.evaluation.ground_truth import load_page


@pytest.fixture
def letters(tmp_path, monkeypatch):
    """A folder of real collections, one with 19 validation pages."""
    monkeypatch.setenv("INKBEAM_DATA", str(tmp_path))
    (tmp_path / "iam_pages").mkdir()
    described = [
        {"image": f"{i:02}.png", "split": split, "lines": [{"text": f"line {i}", "bbox": [0, 0, 9, 9]}]}
        for i, split in enumerate(["validation"] * 19 + ["train"])
    ]
    (tmp_path / "iam_pages" / "pages.jsonl").write_text("\n".join(map(json.dumps, described)))


@pytest.mark.parametrize("limit", [10, 12, 18])
def test_pages_are_chosen_from_the_first_to_the_last(limit, letters):
    numbers = [int(page.picture.stem) for page in pages.validation_pages("iam_pages", limit)]
    assert len(numbers) == limit
    assert set(np.diff(numbers)) <= {1, 2}
    assert numbers[0] == 0 and numbers[-1] >= 17


def test_all_pages_are_measured_when_nothing_is_said(letters):
    found = pages.validation_pages("iam_pages")
    assert [page.text for page in found] == [f"line {i}" for i in range(19)]


def test_samples_stand_in_for_real_pages_and_are_as_many_as_was_said(tmp_path, monkeypatch):
    monkeypatch.setenv("INKBEAM_DATA", str(tmp_path))
    assert [len(found) for found in pages.measured_pages(2).values()] == [2]
    samples = pages.measured_pages()["samples"]
    assert len(samples) > 2
    assert pages.page_cer(samples, [" ".join(page.text.split()) for page in samples]) == 0


@pytest.mark.parametrize("text", ["0", "-3", "all", ""])
def test_a_number_of_pages_is_at_least_one(text):
    assert pages.page_count("1") == 1
    with pytest.raises(argparse.ArgumentTypeError, match="at least 1"):
        pages.page_count(text)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_pages_can_be_read_as_pictures(kind, tmp_path):
    (page,) = pages.sample_pages(1)
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), load_page(page).gray[::8, ::8])
    (result,) = damaged([replace(page, picture=small)], DAMAGES[kind], tmp_path)
    assert load_page(result).gray.size and result.text == page.text
