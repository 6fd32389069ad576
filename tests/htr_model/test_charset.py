import pytest

from htr_model.charset import BLANK, LATIN, Charset, canonical_text


def test_text_survives_encoding_and_decoding():
    charset = Charset(LATIN)
    for text in ("Hello, world!", "à côté", "£3 ½d", LATIN):
        assert charset.decode(charset.encode(text)) == text


def test_blank_is_class_0_and_no_symbol_has_it():
    charset = Charset("abc ")
    assert BLANK == 0
    assert charset.encode("abc ") == [1, 2, 3, 4]
    assert charset.classes == len(charset) + 1 == 5


def test_repeated_symbol_is_refused_and_named():
    with pytest.raises(ValueError, match="'b'"):
        Charset("abcb")


def test_empty_charset_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Charset("")


def test_symbols_that_are_not_single_characters_are_refused():
    with pytest.raises((ValueError, TypeError)):
        Charset(["ab", "c"])


def test_unknown_characters_are_named_once_and_in_order():
    assert Charset("abc").unknown("xaybx") == "xy"
    assert Charset("abc").unknown("cab") == ""


def test_encoding_an_unknown_character_is_refused_and_named():
    with pytest.raises(ValueError, match="'z'"):
        Charset("abc").encode("abz")


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("  two   words \n", "two words"),
        ("e\u0301te\u0301", "été"),
        ("don’t ‘x’ `y´", "don't 'x' 'y'"),
        ("“quoted” „unten“", '"quoted" "unten"'),
        ("1890–91 — a‐b a‑b", "1890-91 - a-b a-b"),
        ("and so on…", "and so on..."),
        ("no\u00a0break\u202fspace", "no break space"),
        (" \t ", ""),
        ("", ""),
    ],
)
def test_canonical_text(raw, canonical):
    assert canonical_text(raw) == canonical
    assert canonical_text(canonical) == canonical


def test_latin_holds_only_canonical_characters():
    assert all(canonical_text(symbol) == symbol for symbol in LATIN if symbol != " ")
