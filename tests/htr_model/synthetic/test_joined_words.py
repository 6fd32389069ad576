import random
from itertools import pairwise

import cv2
import numpy as np
import pytest

from htr_model.data.samples import Sample, Skipped
from htr_model.readers.iam import read_iam
from htr_model.synthetic.joined_words import joined_lines
from tests.segmentation.drawing import SCRIPT, around, dark

X_HEIGHT = 18
"""Of the small letters that `word` draws, pixels."""
SEEDS = range(20)


def word(number: int, text: str, line: str = "a01-000u-03", **attributes) -> tuple[Sample, int]:
    """A word cut close around its ink, as IAM's are, and the row of its picture on which it stands."""
    gray, baseline = np.full((240, 900), 255, np.uint8), 120
    cv2.putText(gray, text, (60, baseline), SCRIPT, 2, 40, 3, cv2.LINE_AA)
    box = around(dark(gray))
    cut = gray[box.top : box.bottom, box.left : box.right]
    return Sample(f"{line}-{number:02}", text, cut, **attributes), baseline - box.top


def words(*texts: str, **attributes) -> list[Sample]:
    return [word(i, text, **attributes)[0] for i, text in enumerate(texts)]


def joined(samples, seed=0) -> Sample:
    (line,) = joined_lines(samples, seed)
    return line


def places(line: Sample, samples: list[Sample]) -> list[tuple[int, int]]:
    """Where the pictures of words are in a line, one behind another: (left, top)."""
    found, left = [], 0
    for sample in samples:
        rest = line.gray[:, left:]
        same = cv2.matchTemplate(rest, sample.gray, cv2.TM_SQDIFF) < 5000  # rounding; one pixel of ink is 46,225
        assert same.any(), f"{sample.text!r} is not there"
        column = int(np.argmax(same.any(axis=0)))
        row = int(np.argmax(same[:, column]))
        found.append((left + column, row))
        left += column + sample.gray.shape[1]
    return found


def heights(texts: tuple[str, ...], seed: int) -> np.ndarray:
    """Rows of words' true baselines in their line, over that of the first, in x-heights; positive is up."""
    drawn = [word(i, text) for i, text in enumerate(texts)]
    line = joined([sample for sample, _ in drawn], seed)
    rows = [y + foot for (_, y), (_, foot) in zip(places(line, [s for s, _ in drawn]), drawn, strict=True)]
    return (rows[0] - np.array(rows)) / X_HEIGHT


def gaps(line: Sample, samples: list[Sample]) -> list[float]:
    """Paper between neighbours, in x-heights."""
    sides = [(x, x + s.gray.shape[1]) for (x, _), s in zip(places(line, samples), samples, strict=True)]
    return [(right - left) / X_HEIGHT for (_, left), (right, _) in pairwise(sides)]


def test_words_stand_one_behind_another_whole():
    samples = words("no", "pg", "had", "Hill", "jug")
    line = joined(samples)
    assert line.text == "no pg had Hill jug"
    lefts = [x for x, _ in places(line, samples)]
    assert lefts[0] == 0 and lefts == sorted(lefts)
    assert line.gray.shape[1] == lefts[-1] + samples[-1].gray.shape[1]
    assert dark(line.gray).sum() == sum(dark(s.gray).sum() for s in samples)
    assert line.gray.dtype == np.uint8
    assert dark(line.gray).any(axis=1)[[0, -1]].all()


@pytest.mark.parametrize(
    "texts", [("no", "pg"), ("no", "."), ("no", ","), ("no", "had"), ("no", "Hill"), ("no", "-"), ("no", "jug", "'s")]
)
def test_words_share_a_baseline(texts):
    found = np.array([heights(texts, seed) for seed in SEEDS])
    assert np.abs(found.mean(axis=0)).max() < 0.4
    assert np.abs(found).max() < 1


def test_words_that_hang_below_the_line_do_so():
    """The test above can fail: pictures set on their lower edges do not share a baseline."""
    below = [sample.gray.shape[0] - foot for sample, foot in (word(0, "no"), word(1, "pg"))]
    assert below[1] - below[0] > 0.6 * X_HEIGHT
    samples = words("no", "pg", ".")
    for seed in SEEDS:
        (_, n), (_, p), (_, full_stop) = places(joined(samples, seed), samples)
        bottoms = [y + s.gray.shape[0] for y, s in zip((n, p, full_stop), samples, strict=True)]
        assert bottoms[1] > bottoms[0] + 0.4 * X_HEIGHT
        assert full_stop > n


def test_heights_differ_a_little_from_seed_to_seed():
    found = [heights(("no", "on", "us"), seed)[1] for seed in SEEDS]
    assert 0.05 < np.std(found) < 0.35


def test_punctuation_stands_close_and_words_apart():
    samples = words("Hill", ",", "(", "no", ")", "It", "'s", "us", ".")
    for seed in SEEDS:
        line = joined(samples, seed)
        assert line.text == "Hill, (no) It's us."
        found = gaps(line, samples)
        spaces = [found[i] for i in (1, 4, 6)]
        close = [gap for i, gap in enumerate(found) if i not in (1, 4, 6)]
        assert min(close) > 0 and max(close) < 0.65 < min(spaces) and max(spaces) < 2.3


def test_a_line_of_marks_alone_is_joined():
    samples = words(".", ",", "-", "'")
    assert places(joined(samples), samples)


def test_same_seed_same_lines_and_other_seeds_other_gaps():
    samples = [w for n in range(3) for w in words("no", "pg", "had", line=f"a01-000u-{n:02}")]
    one, two, other = (list(joined_lines(samples, seed)) for seed in (1, 1, 2))
    assert [line.text for line in one] == [line.text for line in other] == ["no pg had"] * 3
    assert all(np.array_equal(a.gray, b.gray) for a, b in zip(one, two, strict=True))
    pictures = {(line.gray.shape, line.gray.tobytes()) for line in one + other}
    assert len(pictures) == 6  # no line repeats the gaps of another


def test_lines_are_those_that_the_ids_name_in_their_order():
    samples = [
        *words(
            "one", "two", "six", line="a01-000u-00", writer="anna", group="a01-000u", split="train", collection="iam"
        ),
        *words("ten", "sun", line="a01-000u-01", writer="anna", group="a01-000u", split="train", collection="iam"),
        *words("red", "sky", line="b02-003-00", writer="bert", group="b02-003", split="test", collection="iam"),
    ]
    random.Random(0).shuffle(samples)
    lines = list(joined_lines(samples, 0))
    assert [(s.id, s.text, s.writer, s.group, s.split, s.collection) for s in lines] == [
        ("a01-000u-00", "one two six", "anna", "a01-000u", "train", "iam"),
        ("a01-000u-01", "ten sun", "anna", "a01-000u", "train", "iam"),
        ("b02-003-00", "red sky", "bert", "b02-003", "test", "iam"),
    ]


def test_what_was_skipped_stays_so():
    samples = words("no", "pg", "had")
    wrong = Skipped(samples[1].id, "marked as wrongly segmented")
    first, line = joined_lines([samples[0], wrong, samples[2]], 0)
    assert first == wrong
    assert line.text == "no had"
    assert list(joined_lines([wrong], 0)) == [wrong]
    assert not list(joined_lines([], 0))


def test_a_word_alone_is_skipped_and_a_long_line_becomes_several():
    assert list(joined_lines(words("alone"), 0)) == [Skipped(words("alone")[0].id, "no other word of its line")]
    lines = list(joined_lines(words(*["on"] * 30), 0))
    assert [len(line.text.split()) for line in lines] == [12, 12, 6]
    assert len({line.id for line in lines}) == 3


def test_words_whose_ids_name_no_line_are_skipped():
    samples = [Sample(name, name, np.full((9, 9), 40, np.uint8)) for name in ("one", "two")]
    assert list(joined_lines(samples, 0)) == [Skipped(name, "no line in its id") for name in ("one", "two")]


def test_size_of_the_writing_sets_the_gaps():
    samples = words("no", "had", "us")
    small = [
        Sample(s.id, s.text, cv2.resize(s.gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)) for s in samples
    ]
    large, half = (gaps(joined(given, 4), given) for given in (samples, small))
    assert half == pytest.approx([gap / 2 for gap in large], abs=2 / X_HEIGHT)


def test_real_words_become_the_lines_of_their_form(real_data):
    items = list(read_iam(real_data / "iam_layout"))
    usable = [i for i in items if isinstance(i, Sample)]
    lines = {line.id: line for line in joined_lines(items, 0) if isinstance(line, Sample)}
    assert len(lines) >= 20
    for name, line in lines.items():
        members = [w for w in usable if w.id.rpartition("-")[0] == name][:12]
        assert "".join(line.text.split()) == "".join("".join(w.text.split()) for w in members)
        assert line.gray.shape[1] > sum(w.gray.shape[1] for w in members)
        tallest = max(w.gray.shape[0] for w in members)
        assert tallest <= line.gray.shape[0] < 2.2 * tallest
