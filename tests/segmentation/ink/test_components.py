import numpy as np

from segmentation.ink.components import components


def test_components_are_those_of_the_eight_neighbourhood():
    ink = np.zeros((10, 20), bool)
    ink[1, 1] = ink[2, 2] = True  # touch by a corner
    ink[5:8, 10:15] = True
    parts = components(ink)
    assert parts.count == 3
    assert set(parts.area[1:].tolist()) == {2, 15}
    block = int(parts.labels[6, 12])
    assert [int(a[block]) for a in (parts.left, parts.top, parts.width, parts.height)] == [10, 5, 5, 3]
    assert np.array_equal(parts.labels > 0, ink)
