import math
from collections import Counter

import numpy as np
import pytest

from htr_model.charset import LATIN, Charset
from htr_model.decoding import language_model, ngrams
from htr_model.decoding.beam_search import search
from htr_model.decoding.counting import count_ngrams
from htr_model.decoding.errors import LanguageModelError
from htr_model.decoding.language_model import parse
from htr_model.decoding.lexicon import UNKNOWN_WORD_NATS, Lexicon
from htr_model.decoding.ngrams import CharacterNgrams
from htr_model.decoding.steps import Steps
from tests.htr_model.decoding.probabilities import log_probability

CHARSET = Charset(" ,.'-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHTéà")
TEXT = "the cat sat on the mat. the dog, the hen and that cat ate the oats. that hat is the cat's hat. " * 3

ARPA = r"""
\data\
ngram 1=5
ngram 2=3

\1-grams:
-1.0	<s>	-0.3
-0.5	a	-0.2
-0.7	b	-0.4
-0.9	<space>	-0.1
-1.5	</s>

\2-grams:
-0.1	a b
-0.6	<space> a
-0.8	<s> a

\end\
"""


def symbols(text: str) -> list[int]:
    return CHARSET.encode(text)


def state_behind(model, text: str) -> int:
    state = model.start
    for symbol in symbols(text):
        state = model.extend(state, symbol)[1]
    return state


def cost(model, text: str) -> float:
    """Log of the factor of a whole text."""
    state, total = model.start, 0.0
    for symbol in symbols(text):
        factor, state = model.extend(state, symbol)
        total += math.log(factor)
    return total + math.log(model.finish(state))


def steps_of(*choices: dict[str, float]) -> Steps:
    """Time steps with a blank between them; each says which characters are how probable there."""
    rows = []
    for choice in choices:
        rows += [{0: 0.999}, {symbols(c)[0]: p for c, p in choice.items()}]
    width = max(len(row) for row in rows)
    classes = np.zeros((len(rows), width), int)
    log_p = np.full((len(rows), width), -1e9)
    for t, row in enumerate(rows):
        classes[t, : len(row)] = list(row)
        log_p[t, : len(row)] = np.log(list(row.values()))
    return Steps(classes, log_p)


def read(steps: Steps, model=None) -> str:
    return CHARSET.decode(list(search(steps, 16, model)[0].classes))


# ------------------------------------------------------------------------------------------------ counted in text


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_probabilities_behind_any_text_sum_to_one(order):
    model = CharacterNgrams(CHARSET, count_ngrams(TEXT, CHARSET.symbols, order), 1.0)
    for text in ("", "t", "the c", "cat ", "zzzz", "th", "q", "the cat sat o", "éa"):
        state = state_behind(model, text)
        total = sum(math.exp(log_probability(model, state, s)) for s in range(1, CHARSET.classes))
        assert total == pytest.approx(1.0, abs=1e-4)


def test_two_orders_are_witten_bells_formula():
    model = CharacterNgrams(CHARSET, count_ngrams("abab a", CHARSET.symbols, 2), 1.0)
    text = " abab a "
    ones, twos = Counter(text), Counter(zip(text, text[1:], strict=False))
    types = len(ones)

    def one(c):
        return (ones[c] + types / len(CHARSET)) / (len(text) + types)

    def two(h, c):
        followers = {d: n for (g, d), n in twos.items() if g == h}
        return (followers.get(c, 0) + len(followers) * one(c)) / (sum(followers.values()) + len(followers))

    for before, character in [("a", "b"), ("a", "a"), ("b", " "), (" ", "a"), ("b", "z")]:
        state = symbols(before)[0]
        assert math.exp(log_probability(model, state, symbols(character)[0])) == pytest.approx(two(before, character))


def test_text_like_the_one_that_was_counted_is_likelier_than_other_text():
    model = parse(TEXT.encode(), CHARSET, 1.0)
    assert isinstance(model, CharacterNgrams)
    assert cost(model, "the cat") > cost(model, "tha cet") > cost(model, "zxqvj k")
    assert np.isfinite(cost(model, "Aé9-'"))


def test_characters_outside_the_charset_and_line_breaks_are_no_obstacle():
    plain = parse(TEXT.encode(), CHARSET, 1.0)
    wrapped = parse(TEXT.replace("the ", "the\n").replace("cat", "c\u4e16at").encode(), CHARSET, 1.0)
    assert cost(wrapped, "the cat") == pytest.approx(cost(plain, "the cat"), abs=1e-5)


def test_weight_is_an_exponent_and_zero_has_no_effect():
    one, half, none = (parse(TEXT.encode(), CHARSET, w) for w in (1.0, 0.5, 0.0))
    assert cost(half, "that hen") == pytest.approx(cost(one, "that hen") / 2)
    assert cost(none, "that hen") == 0.0


def test_asking_twice_or_for_more_than_is_remembered_changes_nothing(monkeypatch):
    monkeypatch.setattr(ngrams, "_REMEMBERED", 3)
    small = parse(TEXT.encode(), CHARSET, 1.0)
    first = cost(small, "the hat is on the cat")
    monkeypatch.undo()
    large = parse(TEXT.encode(), CHARSET, 1.0)
    assert first == cost(small, "the hat is on the cat") == cost(large, "the hat is on the cat")


def test_language_decides_where_the_picture_does_not():
    doubtful = steps_of({"t": 0.9}, {"h": 0.51, "b": 0.49}, {"e": 0.48, "c": 0.52})
    assert read(doubtful) == "thc"
    assert read(doubtful, parse(TEXT.encode(), CHARSET, 0.7)) == "the"


def test_clear_writing_of_an_unseen_word_stays():
    clear = steps_of(*({c: 0.97, "a": 0.02} for c in "zymurgy"))
    assert read(clear, parse(TEXT.encode(), CHARSET, 0.5)) == "zymurgy"
    assert read(clear, parse(b"cat\nmat\n", CHARSET, 0.5)) == "zymurgy"


def test_charset_of_many_symbols_takes_shorter_ngrams():
    many = Charset("".join(map(chr, range(0x4E00, 0x4E00 + 3000))) + " ")
    model = CharacterNgrams(many, count_ngrams("世丗 一丁七 " * 20, many.symbols), 1.0)
    one, two, three = many.encode("一丁七")
    state = model.extend(model.extend(model.start, one)[1], two)[1]
    assert log_probability(model, state, three) > log_probability(model, state, one)


# ------------------------------------------------------------------------------------------------ ARPA


def test_arpa_gives_its_own_numbers_and_backs_off():
    model = parse(ARPA.encode(), CHARSET, 1.0)
    a, b, space = (symbols(c)[0] for c in "ab ")
    ln10 = math.log(10)
    assert model.start == space
    assert log_probability(model, a, b) == pytest.approx(-0.1 * ln10)
    assert log_probability(model, model.start, a) == pytest.approx(-0.6 * ln10)
    assert log_probability(model, a, a) == pytest.approx((-0.2 - 0.5) * ln10)
    assert log_probability(model, b, space) == pytest.approx((-0.4 - 0.9) * ln10)
    assert log_probability(model, 0, symbols("q")[0]) < -0.9 * ln10


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (ARPA.replace("\\end\\", ""), "cut short"),
        (ARPA.replace("-0.5\ta", "half\ta"), "line 8 is no 1-gram"),
        (ARPA.replace("-0.1\ta b", "-0.1\ta"), "is no 2-gram"),
        (ARPA.replace("-0.1\ta b", "nan\ta b"), "is no 2-gram"),
        (ARPA.replace("-0.1\ta b", "0.5\ta b"), "is no 2-gram"),
        (ARPA.replace("\ta", "\tthe").replace("\tb", "\tcat").replace("<space> a", "the cat"), "single characters"),
        ("\\data\\\n\\end\\\n", "single characters"),
        (ARPA.replace("\\2-grams:", "\\9-grams:").replace("a b", "a b a b a b a b a b a b"), "9"),
    ],
)
def test_damaged_arpa_is_refused_with_the_reason(damaged, message):
    with pytest.raises(LanguageModelError, match=message):
        parse(damaged.encode(), Charset(LATIN), 1.0)


@pytest.mark.parametrize("weight", [0.35, 4.0, 10.0])
@pytest.mark.parametrize("entry", ["-1000\ta\t0", "-99\ta\t0", "-0.5\ta\t1000", "-0.5\ta\t-1000"])
def test_numbers_beyond_belief_in_an_arpa_file_are_no_obstacle(entry, weight):
    """What is impossible by the model is read where it stands clearly."""
    model = parse(ARPA.replace("-0.5\ta\t-0.2", entry).encode(), CHARSET, weight)
    (best,) = search(steps_of(*({c: 0.99} for c in "b ab aa ca")), 1, model)
    assert best.classes == tuple(symbols("b ab aa ca")) and math.isfinite(best.log_probability)
    several = search(steps_of({"a": 0.5, "b": 0.49}, {"a": 0.5, "c": 0.49}, {" ": 0.9, "a": 0.09}), 8, model)
    assert sum(c.share for c in several) == pytest.approx(1)


# ------------------------------------------------------------------------------------------------ word lists

WORDS = "cat\nCats\nmat\naujourd'hui\nhomme\nwell-known\nàcedah\n"


@pytest.fixture
def lexicon():
    model = parse(WORDS.encode(), CHARSET, 1.0)
    assert isinstance(model, Lexicon)
    return model


@pytest.mark.parametrize(
    "text",
    ["cat", "CAT", "Cat, mat.", "cats cat", "aujourd'hui", "a", "l'homme", "well-known", "cat-mat", "4", "B2", ""],
)
def test_known_words_cost_nothing(lexicon, text):
    assert cost(lexicon, text) == 0.0


@pytest.mark.parametrize(
    ("text", "unknown"),
    [("ca", 1), ("catz", 1), ("zzzzz", 1), ("zz cat zz", 2), ("catmat", 1), ("cat-zz", 1), ("xx.", 1)],
)
def test_every_other_word_costs_the_same_once(lexicon, text, unknown):
    assert cost(lexicon, text) == pytest.approx(-unknown * UNKNOWN_WORD_NATS)


def test_a_symbol_that_is_two_characters_in_small_letters_moves_no_other():
    charset = Charset(" İabz")
    model = Lexicon(charset, ["İab"], 1.0)

    def cost_of(text: str) -> float:
        state, total = model.start, 0.0
        for symbol in charset.encode(text):
            factor, state = model.extend(state, symbol)
            total += math.log(factor)
        return total + math.log(model.finish(state))

    assert [cost_of(text) for text in ("İab", "İ a", "b")] == [0.0, 0.0, 0.0]
    assert cost_of("İaz") == cost_of("zz") == pytest.approx(-UNKNOWN_WORD_NATS)


def test_word_list_decides_where_the_picture_does_not(lexicon):
    doubtful = steps_of({"c": 0.9}, {"a": 0.45, "o": 0.5}, {"t": 0.9})
    assert read(doubtful) == "cot"
    assert read(doubtful, lexicon) == "cat"


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty"), (b" \n\n", "empty"), (b"\xff\xfe\x00t", "UTF-8"), (b"\x89PNG\r\n\x1a\n\x00", "UTF-8")],
)
def test_file_without_language_is_refused(data, message):
    with pytest.raises(LanguageModelError, match=message):
        parse(data, CHARSET, 0.5)


def test_too_large_a_file_is_refused(monkeypatch):
    monkeypatch.setattr(language_model, "MAX_BYTES", 10)
    with pytest.raises(LanguageModelError, match="at most 10"):
        parse(b"a" * 11, CHARSET, 0.5)


def test_text_without_a_character_of_the_charset_still_makes_a_model():
    model = parse("世 丗 世\n丗 丁".encode(), CHARSET, 0.5)
    assert np.isfinite(cost(model, "cat"))
