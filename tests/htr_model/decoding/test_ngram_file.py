import numpy as np
import pytest
from safetensors.numpy import load, save

from htr_model.charset import LATIN, Charset
from htr_model.decoding import ngram_file
from htr_model.decoding.counting import count_ngrams, frequent_symbols
from htr_model.decoding.errors import LanguageModelError
from htr_model.decoding.language_model import parse
from htr_model.decoding.ngram_file import from_bytes, is_ngram_file, to_bytes
from htr_model.decoding.ngrams import CharacterNgrams, Ngrams
from tests.htr_model.decoding.probabilities import log_probability

CHARSET = Charset(LATIN)
TEXT = "The hen and the cat ate the oats; l'été, à côté: 14 cats & 3 hens! " * 3 + "That hat is the cat's hat. " * 4


@pytest.fixture(scope="module")
def ngrams() -> Ngrams:
    return count_ngrams(TEXT, frequent_symbols(TEXT, CHARSET, 127), 6)


def probability(model: CharacterNgrams, charset: Charset, text: str) -> float:
    """Log-probability of a text."""
    state, total = model.start, 0.0
    for symbol in charset.encode(text):
        total += log_probability(model, state, symbol)
        state = model.extend(state, symbol)[1]
    return total


@pytest.mark.parametrize("order", [1, 2, 6])
def test_ngrams_survive_their_file(order):
    original = count_ngrams(TEXT, frequent_symbols(TEXT, CHARSET, 127), order)
    read = from_bytes(to_bytes(original))
    assert (read.symbols, read.order) == (original.symbols, order)
    np.testing.assert_array_equal(read.keys, original.keys)
    for name in ("log_probabilities", "backoffs"):
        there, back = getattr(original, name), getattr(read, name)
        assert np.abs(there - back).max() <= (there.max() - there.min()) / 255 * 0.51 + 1e-6


def test_file_takes_few_bytes_an_ngram_and_is_told_from_texts(ngrams):
    data = to_bytes(ngrams)
    assert len(data) < 4 * len(ngrams.keys) + 2000
    assert is_ngram_file(data)
    assert not any(map(is_ngram_file, (b"", b"word\n", TEXT.encode(), b'\\data\\\n{"', b'12345678{"a": 1}')))


def test_file_fits_a_charset_by_symbols_and_not_by_numbers(ngrams):
    data = to_bytes(ngrams)
    other = Charset("~" + LATIN[::-1])
    one, two = parse(data, CHARSET, 1.0), parse(data, other, 1.0)
    for text in ("the cat", "l'été", "That hat"):
        assert probability(two, other, text) == pytest.approx(probability(one, CHARSET, text))
    assert probability(one, CHARSET, "the cat") > probability(one, CHARSET, "tbe cot")


def test_symbols_that_the_file_lacks_are_improbable_and_possible(ngrams):
    charset = Charset(LATIN + "Ωж")
    model = parse(to_bytes(ngrams), charset, 0.5)
    state = model.start
    known = log_probability(model, state, charset.encode("t")[0])
    assert -30 < log_probability(model, state, charset.encode("Ω")[0]) < known
    factor, behind = model.extend(state, charset.encode("ж")[0])
    assert 0 < factor < 1
    assert np.isfinite(log_probability(model, behind, charset.encode("t")[0]))


def test_charset_with_fewer_symbols_takes_what_fits(ngrams):
    few = Charset(" aceht")
    model = parse(to_bytes(ngrams), few, 1.0)
    assert probability(model, few, "the cat") > probability(model, few, "teh act")


def test_pruning_keeps_what_tells_most():
    text = TEXT * 20
    symbols = frequent_symbols(text, CHARSET, 127)
    sizes, found = [], []
    for least_gain in (0.0, 1e-4, 1e-2):
        pruned = count_ngrams(text, symbols, 6, least_gain)
        model = CharacterNgrams(CHARSET, pruned, 1.0)
        sizes.append(len(pruned.keys))
        found.append(probability(model, CHARSET, "the cat ate the oats; "))
        before = set((pruned.keys >> pruned.bits).tolist()) - {0}
        assert before <= set(pruned.keys.tolist())
        for context in ("", "the", "cat", "zz", "t"):
            state = model.start
            for symbol in CHARSET.encode(context):
                state = model.extend(state, symbol)[1]
            here = [log_probability(model, state, s) for s in CHARSET.encode(symbols)]
            assert np.exp(here).sum() == pytest.approx(1.0, abs=1e-4)
    assert sizes[0] > sizes[1] > sizes[2] >= len(symbols)
    assert found[0] >= found[1] - 0.5 and found[1] > found[2]


def test_most_frequent_symbols_are_those_of_the_charset():
    assert frequent_symbols("aaa bb c \u4e16\u4e16\u4e16\u4e16", CHARSET, 3) == " ab"


@pytest.mark.parametrize(
    ("text", "symbols"),
    [("“I’m”", "\"'Im"), ("a–b", "-ab"), ("e\u0301te\u0301", "té"), ("so…", ".os"), ("one\ntwo", " enotw")],
)
def test_symbols_are_counted_as_the_model_writes_them(text, symbols):
    assert frequent_symbols(text, CHARSET, 127) == symbols


def damaged(data: bytes, **changed) -> bytes:
    arrays = load(data)
    for name, change in changed.items():
        arrays[name] = change(arrays[name].copy())
    return save({name: array for name, array in arrays.items() if array is not None})


def at(position, value):
    def change(array):
        array[position] = value
        return array

    return change


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last": lambda a: None}, "'last' must be a list of uint8"),
        ({"last": lambda a: a.astype(np.int64)}, "'last' must be a list of uint8"),
        ({"last": lambda a: a[None]}, "'last' must be"),
        ({"last": at(5, 0)}, "a symbol that is none"),
        ({"last": at(5, 250)}, "a symbol that is none"),
        ({"last": at(1, 1)}, "stand in their order"),
        ({"last": lambda a: a[:-1]}, "differ in length"),
        ({"lengths": lambda a: a[:0]}, "no n-grams"),
        ({"lengths": at(0, -1)}, "no n-grams"),
        ({"lengths": at(1, 2**62)}, "no n-grams"),
        ({"lengths": lambda a: np.ones(40, np.int64)}, "too many symbols"),
        ({"symbols": at(0, 0xD800)}, "no character"),
        ({"symbols": at(0, 0x110000)}, "no character"),
        ({"symbols": at(0, ord("a"))}, "twice"),
        ({"symbols": lambda a: a[:0]}, "0 symbols"),
        ({"followers": at(0, 200)}, "lack their beginnings"),
        ({"followers": lambda a: a[:-1]}, "differ in length"),
        ({"backoffs": lambda a: a[:-1]}, "lack their beginnings"),
        ({"log_probabilities": lambda a: a[:-1]}, "differ in length"),
        ({"log_probability_range": at(1, 3.0)}, "log_probability_range is no range"),
        ({"log_probability_range": at(0, np.nan)}, "log_probability_range is no range"),
        ({"backoff_range": at(1, np.inf)}, "backoff_range is no range"),
        ({"backoff_range": lambda a: a[:1]}, "backoff_range is no range"),
    ],
)
def test_file_that_does_not_fit_together_is_refused(changes, message, ngrams):
    with pytest.raises(LanguageModelError, match=message):
        from_bytes(damaged(to_bytes(ngrams), **changes))


def test_cut_and_foreign_files_are_refused(ngrams, monkeypatch):
    data = to_bytes(ngrams)
    for broken in (data[:-1], data[:40], data[:9] + b"\xff" * 40, save({"weights": np.zeros(3, np.float32)})):
        with pytest.raises(LanguageModelError, match="file of n-grams"):
            from_bytes(broken)
    monkeypatch.setattr(ngram_file, "MAX_BYTES", 100)
    with pytest.raises(LanguageModelError, match="at most 100"):
        from_bytes(data)


def test_more_symbols_than_a_byte_numbers_are_refused():
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    with pytest.raises(ValueError, match="at most 255"):
        to_bytes(count_ngrams(many, many, 2))
