import pytest

from pipelines.inputs import Document
from pipelines.steps.listing import UnusableName, pages_of
from segmentation.decoding import DecodingError, DecodingSettings, PageRef
from tests import broken_files
from tests.pipelines.steps.documents import document

SETTINGS = DecodingSettings()


def test_pages_of_a_document_are_those_not_done(tmp_path):
    frames = document(tmp_path / "a.tif", broken_files.tiff_of_levels([10, 120, 240]), done={1})
    tasks = pages_of(frames, SETTINGS)
    assert [t.ref for t in tasks] == [PageRef(frames.uri, 0), PageRef(frames.uri, 2)]
    assert {t.document_pages for t in tasks} == {3}


@pytest.mark.parametrize("name", ["empty.png", "login.jpg", "encrypted.pdf", "frameless.tif"])
def test_document_that_is_none_cannot_be_listed(tmp_path, name):
    with pytest.raises(DecodingError):
        pages_of(document(tmp_path / name, broken_files.BROKEN[name]()), SETTINGS)


def test_file_whose_name_is_no_text_cannot_be_listed():
    with pytest.raises(UnusableName, match=r"caf\\udce9.png: .*Rename it"):
        pages_of(Document("/s/caf\udce9.png", 1, 1.0), SETTINGS)
