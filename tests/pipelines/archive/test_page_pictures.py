"""Pictures of pages beside their exports: what was read can be corrected, measured and trained on."""

import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from htr_model.data.samples import Sample, Skipped
from htr_model.readers.datasets import read
from htr_model.readers.page_truth import TruePage, true_pages
from pipelines.evaluation.ground_truth import load_page
from segmentation.scaling import turned
from tests.pipelines.jobs import inkbeam, rows
from tests.segmentation.drawing import TEXT, draw_page


@pytest.fixture(scope="module")
def archive(tmp_path_factory, tiny_bundle):
    """A folder of scans, and the tables of it: a TIFF of two pages, a PDF, and a page on its side."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "scans").mkdir()
    pages = [Image.fromarray(draw_page(text).gray) for text in (TEXT, TEXT[:2])]
    pages[0].save(folder / "scans" / "volume.tif", save_all=True, append_images=pages[1:])
    pages[0].save(folder / "scans" / "letter.pdf", resolution=150)
    cv2.imwrite(str(folder / "scans" / "turned.png"), turned(draw_page(pitch=2.5).gray, 90))
    tables = folder / "tables"
    done = inkbeam(
        "digitize", "--input", folder / "scans", "--output", tables, "--model", tiny_bundle, "--pdf-dpi", 150
    )
    assert done.code == 0, done.err
    return folder


@pytest.mark.parametrize("kind", ["page", "alto"])
def test_exports_with_pictures_are_read_back_page_by_page(archive, tmp_path, kind):
    done = inkbeam("export", archive / "tables", "--to", kind, "--pictures", "--output", tmp_path / "out")
    assert done.code == 0, done.err
    pages = list(true_pages(tmp_path / "out"))
    assert all(isinstance(page, TruePage) for page in pages)
    read_lines = {len(row["lines"]) for row in rows(archive / "tables", "pages")}
    assert {len(page.lines) for page in pages} <= read_lines
    for page in pages:
        gray = load_page(page).gray  # of the size that the file says
        box = np.vstack([outline for line in page.lines for outline in line.outlines])
        (left, top), (right, bottom) = box.min(axis=0).astype(int), box.max(axis=0).astype(int)
        assert gray[top:bottom, left:right].min() < 100 < gray[: top - 5].min(), page.picture
    assert len([item for item in read(tmp_path / "out") if isinstance(item, Sample)]) > len(TEXT)


@pytest.mark.parametrize("kind", ["page", "alto"])
def test_scans_on_which_boxes_do_not_fit_are_not_taken_for_the_pages(archive, tmp_path, kind):
    scans = tmp_path / "scans"
    shutil.copytree(archive / "scans", scans)
    done = inkbeam("export", archive / "tables", "--to", kind, "--output", scans)
    turned_pages = [row for row in rows(archive / "tables", "pages") if row["rotation_degrees"]]
    unlike = {row["document_uri"] for row in turned_pages} | {str(archive / "scans" / "letter.pdf")}
    assert str(archive / "scans" / "turned.png") in unlike
    assert "4 pages of PDFs, of files with several pages or turned to be read: boxes do not fit the scans" in done.err
    items = list(true_pages(scans))
    assert len(items) == 4 and all(isinstance(item, Skipped) for item in items)
    reasons = " ".join(item.reason for item in items)
    assert reasons.count("no picture volume.tif-") == 2
    assert "no picture letter.pdf-" in reasons and "no picture turned.png-" in reasons


def test_colours_of_the_scan_are_those_of_its_picture(tmp_path, tiny_bundle):
    scan = np.repeat(turned(draw_page(pitch=2.5).gray, 90)[..., None], 3, axis=2)
    scan[:40, :60] = (30, 40, 200)  # a red stamp in the corner, before the page is turned
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "a.png"), scan)
    inkbeam("digitize", "--input", tmp_path / "scans", "--output", tmp_path / "tables", "--model", tiny_bundle)
    (page,) = rows(tmp_path / "tables", "pages")
    assert page["rotation_degrees"] in (90, 270)
    for command in (("export", "--to", "page", "--pictures"), ("review",)):
        done = inkbeam(command[0], tmp_path / "tables", *command[1:], "--output", tmp_path / command[0])
        assert done.code == 0, done.err
        (picture,) = (tmp_path / command[0]).glob("*.jpg")
        seen = turned(cv2.imread(str(picture)), -page["rotation_degrees"])
        assert seen.shape == scan.shape
        assert seen[10, 10].tolist() == pytest.approx((30, 40, 200), abs=12)
        assert np.abs(seen.astype(int) - scan).mean() < 3


def test_scan_that_changed_or_is_gone_costs_its_picture_only(archive, tmp_path, tiny_bundle):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(scans / name), draw_page(TEXT[:2]).gray)
    inkbeam("digitize", "--input", scans, "--output", tmp_path / "tables", "--model", tiny_bundle)
    cv2.imwrite(str(scans / "a.png"), draw_page(TEXT).gray)
    (scans / "b.png").unlink()
    done = inkbeam("export", tmp_path / "tables", "--to", "page", "--pictures", "--output", tmp_path / "out")
    assert done.code == 1
    assert "a.png: has changed since it was read" in done.err
    assert "b.png" in done.err
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".xml", ".xml"]
