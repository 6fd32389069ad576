import numpy as np
import pytest

from segmentation.scaling import scaled


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (90, 60), (90, 60, 3)])
@pytest.mark.parametrize("factor", [0.001, 0.5, 1, 2.5])
def test_a_picture_has_the_scaled_size_and_a_pixel_at_least(shape, factor):
    picture = np.full(shape, 200, np.uint8)
    made = scaled(picture, factor)
    assert made.shape[:2] == tuple(max(1, round(side * factor)) for side in shape[:2])
    assert made.shape[2:] == shape[2:] and (made == 200).all()


def test_areas_are_averaged_where_a_picture_is_made_smaller():
    picture = np.zeros((4, 4), np.uint8)
    picture[::2] = 100
    assert (scaled(picture, 0.5) == 50).all()
