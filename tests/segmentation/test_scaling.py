import numpy as np
import pytest

from segmentation.scaling import scaled, turned


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


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, (0, 0)), (90, (0, 1)), (180, (2, 1)), (270, (2, 0)), (360, (0, 0))]
)
def test_a_picture_is_turned_clockwise(degrees, corner):
    picture = np.zeros((2, 3) if degrees % 180 else (3, 2), np.uint8)
    picture[0, 0] = 9
    made = turned(picture, degrees)
    assert made.shape == (3, 2) and made.flags.c_contiguous
    assert np.argwhere(made).tolist() == [list(corner)]
