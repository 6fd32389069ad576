import numpy as np
import pytest

from htr_model.charset import Charset
from htr_model.decoding.best_path import collapse
from htr_model.decoding.decoder import decode
from htr_model.decoding.language_model import parse
from htr_model.decoding.settings import GREEDY, DecoderSettings
from htr_model.decoding.steps import Steps

CHARSET = Charset(" abcdefghijklmnopqrstuvwxyz")
BEAM = DecoderSettings("beam", 16, 5)


def steps_of(*choices: dict[str, float]) -> Steps:
    """Time steps with a blank between them; each says which characters are how probable there, the best first."""
    rows = []
    for choice in choices:
        ranked = sorted(choice.items(), key=lambda item: -item[1])
        rows += [[(0, 1.0)], [(CHARSET.encode(c)[0] if c != "_" else 0, p) for c, p in ranked]]
    width = max(map(len, rows))
    classes, log_p = np.zeros((len(rows), width), np.int32), np.full((len(rows), width), -1e9, np.float32)
    for t, row in enumerate(rows):
        unused = [c for c in range(len(CHARSET)) if c not in dict(row)]
        padded = row + [(c, 1e-300) for c in unused[: width - len(row)]]
        classes[t] = [c for c, _ in padded]
        log_p[t] = np.maximum(np.log([p for _, p in padded]), -1e9)
    return Steps(classes, log_p)


LINE = steps_of({"t": 1.0}, {"o": 0.7, "a": 0.3}, {" ": 1.0}, {"b": 1.0}, {"e": 0.6, "a": 0.39, "_": 0.01}, {"d": 1.0})


def pairs(alternatives):
    return [(a.text, pytest.approx(a.confidence, abs=1e-4)) for a in alternatives]


@pytest.mark.parametrize("method", ["greedy", "beam"])
def test_alternatives_of_a_word_are_what_its_own_steps_may_say(method):
    decoded = decode(LINE, CHARSET, DecoderSettings(method, 16, 5))
    assert CHARSET.decode(decoded.best.classes) == "to bed"
    assert pairs(decoded.word_alternatives[0]) == [("ta", 0.3)]
    assert pairs(decoded.word_alternatives[1]) == [("bad", 0.39), ("bd", 0.01)]
    assert pairs(decoded.alternatives[:2]) == [("to bad", 0.7 * 0.39), ("ta bed", 0.3 * 0.6)]


def test_no_more_alternatives_than_asked_for():
    decoded = decode(LINE, CHARSET, DecoderSettings("beam", 16, 1))
    assert [[a.text for a in word] for word in decoded.word_alternatives] == [["ta"], ["bad"]]
    assert len(decoded.alternatives) == 1
    none = decode(LINE, CHARSET, DecoderSettings("beam", 16, 0))
    assert (none.alternatives, none.word_alternatives) == ((), ())


def test_alternative_may_divide_a_word():
    decoded = decode(steps_of({"i": 1.0}, {"n": 1.0}, {"_": 0.6, " ": 0.4}, {"t": 1.0}, {"o": 1.0}), CHARSET, BEAM)
    assert CHARSET.decode(decoded.best.classes) == "into"
    assert pairs(decoded.word_alternatives[0]) == [("in to", 0.4)]


def test_texts_that_differ_only_in_spaces_at_their_ends_are_one():
    decoded = decode(steps_of({" ": 0.5, "_": 0.5}, {"a": 0.6, "o": 0.4}, {" ": 0.3, "_": 0.7}), CHARSET, BEAM)
    assert pairs(decoded.alternatives) == [("o", 0.4)]


def test_symbols_of_the_beams_text_lie_where_they_were_seen():
    model = parse(b"tea\nsea\n", CHARSET, 1.0)
    steps = steps_of({"t": 1.0}, {"c": 0.6, "e": 0.4}, {"a": 1.0})
    greedy, beam = decode(steps, CHARSET, DecoderSettings(alternatives=1)), decode(steps, CHARSET, BEAM, model)
    assert CHARSET.decode(greedy.best.classes) == "tca"
    assert CHARSET.decode(beam.best.classes) == "tea"
    assert beam.best.spans == greedy.best.spans == [(1, 1), (3, 3), (5, 5)]
    assert beam.best.probabilities == pytest.approx([1.0, 0.4, 1.0])


def test_language_model_knows_what_stands_before_a_word():
    steps = steps_of({"a": 1.0}, {" ": 1.0}, {"b": 0.5, "c": 0.5})
    model = parse(b"a b a b a b a b a b a b x c x c x c x c", CHARSET, 1.0)
    decoded = decode(steps, CHARSET, BEAM, model)
    assert CHARSET.decode(decoded.best.classes) == "a b"
    assert [a.text for a in decoded.word_alternatives[1]] == ["c"]
    assert decoded.word_alternatives[1][0].confidence < 0.3


def test_nothing_is_read_in_blanks():
    decoded = decode(steps_of({"_": 1.0}, {"_": 1.0}), CHARSET, BEAM)
    assert (decoded.best, decoded.alternatives, decoded.word_alternatives) == (
        collapse(np.zeros(4), np.ones(4)),
        (),
        (),
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("best",), "greedy, beam"),
        (("beam", 0), "beam width"),
        (("beam", 4, 5), "alternatives"),
        (("beam", 4, -1), "-1"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        DecoderSettings(*values)


def test_only_greedy_without_alternatives_looks_at_one_class():
    assert GREEDY.classes_per_step == 1
    assert DecoderSettings(alternatives=1).classes_per_step == DecoderSettings("beam").classes_per_step > 1


def test_greedy_text_is_the_best_path_whose_probabilities_its_symbols_carry():
    probabilities = np.array([0.9, 0.4, 0.6, 0.7, 0.5], np.float32)
    steps = Steps(np.array([[0], [3], [3], [0], [3]], np.int32), np.log(probabilities)[:, None])
    decoded = decode(steps, CHARSET, GREEDY)
    assert (CHARSET.decode(decoded.best.classes), decoded.best.spans) == ("bb", [(1, 2), (4, 4)])
    assert decoded.best.probabilities == pytest.approx([0.6, 0.5])
    assert (decoded.alternatives, decoded.word_alternatives, decoded.word_shares) == ((), (), ())


def test_words_share_tells_how_doubtful_it_is_with_the_language_model_and_without_one_is_not_asked():
    model = parse(b"tea sea tea sea tea sea tea\n" * 20, CHARSET, 0.2)
    steps = steps_of({"t": 1.0}, {"c": 0.6, "e": 0.4}, {"a": 1.0}, {" ": 1.0}, {"s": 1.0}, {"e": 1.0}, {"a": 1.0})
    for alternatives in (0, 5):
        decoded = decode(steps, CHARSET, DecoderSettings("beam", 16, alternatives), model)
        assert CHARSET.decode(decoded.best.classes) == "tea sea"
        assert 0.6 < decoded.word_shares[0] < decoded.word_shares[1] == pytest.approx(1.0)
    ((other,), ()) = decoded.word_alternatives
    assert other.confidence == pytest.approx(1 - decoded.word_shares[0], abs=1e-4)
    assert decode(steps, CHARSET, BEAM).word_shares == decode(steps, CHARSET, GREEDY, model).word_shares == ()
