import pytest

from htr_model.data.line_matching import match_lines

PAGE = [
    "Washington, 4 March 1867",
    "My dear friend,",
    "your letter of the second came by the morning",
    "mail, and I hasten to answer it before the boat",
    "leaves. The children are well, and ask for you",
    "whenever the bell rings. Your sister was here on",
    "Sunday and stayed for the whole of the afternoon.",
]


def misread(text: str, every: int = 4) -> str:
    """With every so manyeth letter read as another."""
    return "".join("o" if i % every == 1 else c for i, c in enumerate(text))


def test_misread_lines_are_known_again():
    assert match_lines(PAGE, [misread(line) for line in PAGE]) == {i: i for i in range(len(PAGE))}


def test_lines_that_only_one_side_has_are_left_alone():
    read = ["No. 17", *map(misread, PAGE[:3]), "xz wwq mmn", *map(misread, PAGE[4:])]
    assert match_lines(PAGE, read) == {1: 0, 2: 1, 3: 2, 5: 4, 6: 5, 7: 6}


def test_a_line_that_stands_elsewhere_is_found_there():
    read = [PAGE[6], *PAGE[:6]]
    assert match_lines(PAGE, read) == {0: 6, **{i: i - 1 for i in range(1, 7)}}


def test_short_lines_are_not_looked_for_elsewhere():
    assert match_lines(["17", *PAGE], [*PAGE, "17"]) == {i: i + 1 for i in range(7)}


def test_a_badly_read_line_is_known_by_its_neighbours():
    hopeless = misread(PAGE[3], 2)
    assert match_lines(PAGE, [*PAGE[:3], hopeless, *PAGE[4:]])[3] == 3
    assert 1 not in match_lines(PAGE[2:5], ["some other letter altogether", hopeless, "and its end, another one"])


def test_a_word_more_or_less_at_an_end_is_another_stretch_of_the_page():
    for read in ("second came by the morning", "your letter of the second came", PAGE[2] + " train and"):
        assert match_lines(PAGE[2:3], [read]) == {}


def test_a_word_that_the_transcriber_made_whole_at_the_lines_end_is_left_alone():
    assert match_lines(["whenever the bell rings. Your sister"], ["whenever the bell rings. Your sis-"]) == {}
    assert match_lines(["whenever the bell rings. Your sis-"], ["whenever the bell rings. Your sis-"]) == {0: 0}


@pytest.mark.parametrize("text", ["your letter of the [illegible] came", "your <del>letter</del> came"])
def test_what_editors_add_is_not_taken_for_writing(text):
    assert match_lines([text], [text]) == {}


def test_capitals_do_not_matter():
    assert match_lines(["JOHN BROWN'S FARM"], ["John Brown's farm"]) == {0: 0}


@pytest.mark.parametrize(
    ("known", "read"), [([], []), (PAGE, []), ([], PAGE), (["a"], [""]), ([""], ["a"]), ([" "], [""]), ([""], [" "])]
)
def test_nothing_matches_nothing(known, read):
    assert match_lines(known, read) == {}


def test_each_known_line_is_given_once():
    found = match_lines([PAGE[2]], [PAGE[2], PAGE[2], misread(PAGE[2])])
    assert len(found) == 1 and set(found.values()) == {0}
