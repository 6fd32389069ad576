"""Scans that lie on their side or head, from the file to the tables."""

import cv2
import numpy as np

from segmentation.scaling import turned
from tests.pipelines.jobs import inkbeam, rows
from tests.segmentation.drawing import draw_page


def test_a_page_is_read_the_same_whichever_way_up_it_was_scanned(tmp_path):
    page, scans, output = draw_page(pitch=2.5), tmp_path / "scans", tmp_path / "tables"
    scans.mkdir()
    for degrees in (0, 90, 180, 270):
        cv2.imwrite(str(scans / f"{degrees}.png"), turned(page.gray, 360 - degrees))
    read = ("digitize", "--input", scans, "--output", output, "--overlays", tmp_path / "drawn")
    assert inkbeam(*read).code == 0
    pages = {row["document_uri"].rsplit("/", 1)[1]: row for row in rows(output, "pages")}
    assert {name: row["rotation_degrees"] for name, row in pages.items()} == {f"{d}.png": d for d in (0, 90, 180, 270)}
    shown = [(row["width"], row["height"], row["text"], row["lines"]) for row in pages.values()]
    assert all(s == shown[0] for s in shown)
    assert shown[0][:2] == page.gray.shape[::-1] and len(shown[0][3]) == len(page.lines)
    drawn = [cv2.imread(str(path)).astype(int) for path in sorted((tmp_path / "drawn").iterdir())]
    assert len(drawn) == 4 and all(np.array_equal(d, drawn[0]) for d in drawn)
