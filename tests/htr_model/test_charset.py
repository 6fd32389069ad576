import time

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


@pytest.mark.parametrize("symbol", ["\n", "\t", "\0", "\x92", "\ud800", "\u2028"])
def test_what_no_line_can_hold_is_no_symbol(symbol):
    with pytest.raises(ValueError, match="which no line of text can hold") as raised:
        Charset(f"a {symbol}b")
    str(raised.value).encode()


def test_symbols_that_show_nothing_and_those_of_private_use_are_written():
    assert len(Charset("می\u200c \u0301\ue5dc")) == 6


def test_thousands_of_symbols_are_checked_at_once():
    many = "".join(map(chr, range(0x20000, 0x20000 + 40_000)))
    before = time.perf_counter()
    assert len(Charset(many)) == 40_000
    with pytest.raises(ValueError, match="more than once"):
        Charset(many * 2)
    assert time.perf_counter() - before < 0.5  # one by one they would take seconds


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
