import numpy as np

from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.order.columns import divide_at_gutters

SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=60.0)


def lines_with_ink(*stretches_of_lines):
    """Curves 60 rows apart, each from its first to its last ink, and a mask with ink along the given stretches."""
    ink = np.zeros((60 * len(stretches_of_lines) + 60, 1000), bool)
    curves = []
    for i, stretches in enumerate(stretches_of_lines):
        row = 60 * (i + 1)
        for left, right in stretches:
            ink[row - 8 : row + 8, left:right] = True
        first, last = stretches[0][0], stretches[-1][1] - 1
        curves.append(Curve(first, np.full(last - first + 1, row, np.float32)))
    return curves, ink


def spans(curves):
    return sorted((round(float(c.ys[0])), c.first, c.last) for c in curves)


def test_lines_joined_across_a_gutter_are_divided():
    curves, ink = lines_with_ink(*[[(50, 450 - 5 * i), (550, 950)] for i in range(6)])
    found = spans(divide_at_gutters(curves, ink, SCALE))
    assert found == sorted(s for i in range(6) for s in ((60 * (i + 1), 50, 449 - 5 * i), (60 * (i + 1), 550, 949)))


def test_word_gaps_that_happen_to_line_up_divide_nothing():
    curves, ink = lines_with_ink(*[[(50, 120), (180, 260), (330, 600 + 9 * i), (700, 950)] for i in range(6)])
    assert spans(divide_at_gutters(curves, ink, SCALE)) == spans(curves)


def test_a_heading_across_a_gutter_stays_whole():
    curves, ink = lines_with_ink([(200, 800)], *[[(50, 450), (550, 950)] for _ in range(6)])
    found = divide_at_gutters(curves, ink, SCALE)
    assert len(found) == 13 and (60, 200, 799) in spans(found)


def test_two_lines_left_joined_are_divided_where_their_neighbours_are_already():
    curves, ink = lines_with_ink(*[[(50, 450), (550, 950)] for _ in range(6)])
    apart = [Curve(f, np.full(400, 60 * (i + 1), np.float32)) for i in range(4) for f in (50, 550)]
    found = divide_at_gutters(apart + curves[4:], ink, SCALE)
    assert spans(found) == spans(divide_at_gutters(curves, ink, SCALE))
    alone = [curves[0], Curve(50, np.full(400, 120, np.float32)), Curve(550, np.full(400, 150, np.float32))]
    assert spans(divide_at_gutters(alone, ink, SCALE)) == spans(alone)


def test_wide_gaps_at_different_places_divide_nothing():
    curves, ink = lines_with_ink(*[[(50, 150 + 100 * i), (215 + 100 * i, 950)] for i in range(6)])
    assert spans(divide_at_gutters(curves, ink, SCALE)) == spans(curves)


def test_amounts_at_the_right_stay_in_their_rows():
    curves, ink = lines_with_ink(*[[(50, 600), (850, 930)] for _ in range(6)])
    assert spans(divide_at_gutters(curves, ink, SCALE)) == spans(curves)


def letterhead(joined, heading=True):
    """A narrow list of small print beside a letter; in some rows one line runs through both."""
    across = [[(100, 240), (262, 900)]] if heading else []
    rows = [[(50, 230), (262, 900 - 3 * i)] for i in range(20)]
    curves, ink = lines_with_ink(*across, *rows)
    first = len(across)
    pieces = [
        Curve(f, c.ys[f - c.first : last - c.first]) for c in curves[first:] for f, last in ((50, 230), (262, 800))
    ]
    kept = [p for i, p in enumerate(pieces) if i // 2 not in joined]
    return curves[:first] + kept + [curves[first + i] for i in joined], pieces, ink


def test_a_list_beside_a_letter_is_divided_from_it_where_a_line_runs_through_both():
    curves, pieces, ink = letterhead(joined=[7, 12])
    found = spans(divide_at_gutters(curves, ink, SCALE))
    assert [s[:2] for s in found] == [s[:2] for s in sorted([(60, 100, 899), *spans(pieces)])]
    assert all(last < 240 for _, first, last in found[1:] if first == 50)


def test_where_most_lines_run_through_there_is_no_list_beside_a_letter():
    curves, _, ink = letterhead(joined=list(range(2, 18)), heading=False)
    assert spans(divide_at_gutters(curves, ink, SCALE)) == spans(curves)


def test_a_page_without_lines_has_none_afterwards():
    assert divide_at_gutters([], np.zeros((100, 100), bool), SCALE) == []
