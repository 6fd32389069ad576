import pytest

from pipelines.wording import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages"), (12_500, "12,500 pages")])
def test_nouns_follow_their_number(number, text):
    assert counted(number, "page") == text
