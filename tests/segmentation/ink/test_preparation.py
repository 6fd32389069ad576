from dataclasses import replace

import numpy as np

from segmentation.ink.preparation import prepare
from tests.segmentation.drawing import draw_page


def test_ink_is_that_of_the_components_also_of_a_page_without_some():
    page = prepare(draw_page().gray, 1300)
    assert page.ink.any() and np.array_equal(page.ink, page.parts.labels > 0)
    fewer = replace(page, parts=page.parts.only(np.arange(page.parts.count) < 5))
    assert 0 < np.count_nonzero(fewer.ink) == np.count_nonzero(fewer.parts.labels) < np.count_nonzero(page.ink)
