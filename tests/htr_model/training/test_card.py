from htr_model.training.card import with_confidence

CARD = """# Model card

Network `crnn`.

Confidence is calibrated: expected calibration error of words 0.006 (with the language model 0.007), measured on
validation writers (letters) with a map fitted on
other validation writers.

## Data

Letters.
"""


def test_what_a_card_says_of_confidence_is_replaced_as_a_whole():
    card = with_confidence(CARD, 0.0123, ["diaries"], 0.02)
    before, statement, *after = card.split("\n\n")[1:]
    assert (before, after) == ("Network `crnn`.", ["## Data", "Letters.\n"])
    assert "0.012 (with the language model 0.020)" in statement and "(diaries)" in statement
    assert "letters" not in statement and statement.count("measured on") == 1
    assert with_confidence(card, 0.0123, ["diaries"], 0.02) == card


def test_maps_that_were_not_replaced_are_told():
    new, before = "with a map fitted on other validation writers", "with the map from before"
    both = with_confidence(CARD, 0.0123, ["diaries"], 0.02, ["greedy", "language model"])
    assert f"(diaries) {before}" in both and new not in both
    one = with_confidence(CARD, 0.0123, ["diaries"], 0.02, ["greedy"])
    assert f"(diaries) {new} (greedy: {before}" in one
    assert before in with_confidence(CARD, 0.0123, ["diaries"], None, ["greedy"])
    assert with_confidence(one, 0.0123, ["diaries"], 0.02) == with_confidence(CARD, 0.0123, ["diaries"], 0.02)


def test_a_card_that_says_nothing_of_confidence_gets_it_at_its_end():
    card = with_confidence("# Model card\n\nLetters.\n", 0.01, ["diaries"])
    assert card.startswith("# Model card\n\nLetters.\n\nConfidence is calibrated: ")
