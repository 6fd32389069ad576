import numpy as np

from segmentation.placement import Placement
from segmentation.segmented import Part


def test_ink_beside_that_of_another_line_stays_its_own():
    owners = np.zeros((3, 8), np.int32)
    owners[1] = [0, 1, 1, 2, 2, 0, 0, 0]
    numbers = Part(owners, Placement(np.eye(2, 3), 1.0, *owners.shape), first=4).line_numbers()
    assert numbers[1].tolist() == [5, 5, 5, 6, 6, 6, 0, 0]
    assert numbers[0].tolist() == numbers[2].tolist() == [5, 5, 6, 6, 6, 6, 0, 0]
