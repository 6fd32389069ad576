import pytest

from htr_model.normalization import Normalization, normalize
from pipelines.steps.layouts import text_images
from segmentation.decoding import PageRef
from segmentation.page import segment
from tests.pipelines.drawing import LETTER, page


@pytest.mark.parametrize("unit", ["line", "word"])
def test_pictures_are_made_by_the_one_normalisation_and_keyed_by_their_place(unit):
    segmented, settings, ref = segment(page(LETTER)), Normalization(), PageRef("/s/letter.png", 3)
    images = list(text_images(ref, segmented, unit, settings))
    lines = segmented.layout.lines
    if unit == "line":
        expected = [(line.index, None, segmented.line_picture(line.index)) for line in lines]
    else:
        expected = [
            (line.index, i, segmented.word_picture(line.index, i)) for line in lines for i in range(len(line.words))
        ]
    assert [(i.key.page, i.key.line_index, i.key.word_index) for i in images] == [(ref, a, b) for a, b, _ in expected]
    for image, (_, _, picture) in zip(images, expected, strict=True):
        normal = normalize(picture, settings)
        assert image.pixels.tobytes() == normal.pixels.tobytes()
        assert (image.left, image.scale) == (normal.left, normal.scale)
