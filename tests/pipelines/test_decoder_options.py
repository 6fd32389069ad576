import json
from dataclasses import asdict

import pytest

from htr_model.charset import Charset
from htr_model.decoding.settings import DecoderSettings
from pipelines.model_handler import RecognizerHandler, load_language_model
from pipelines.options import Job, LanguageModelFile, UsageError
from tests.pipelines.jobs import inkbeam, rows

CHARSET = Charset(" abcdefghijklmnopqrstuvwxyz")


def job(**options) -> Job:
    return Job(("scans",), "tables", "night", **options)


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("archive\nletter\n")
    return path


def described(path, weight=0.5) -> LanguageModelFile:
    return LanguageModelFile(str(path), LanguageModelFile.id_of(path.read_bytes()), weight)


def test_greedy_jobs_keep_the_fingerprint_that_they_had():
    assert job().fingerprint == job(decoder=DecoderSettings()).fingerprint == "f4cb958c47d0fa6d"


def test_fingerprint_knows_everything_that_changes_texts_or_alternatives(words):
    beam = DecoderSettings("beam")
    model = described(words)
    different = [
        job(),
        job(decoder=beam),
        job(decoder=DecoderSettings("beam", 8)),
        job(decoder=DecoderSettings(alternatives=3)),
        job(decoder=beam, language_model=model),
        job(decoder=beam, language_model=described(words, 0.7)),
    ]
    words.write_text("other\nwords\n")
    different.append(job(decoder=beam, language_model=described(words)))
    assert len({j.fingerprint for j in different}) == len(different)
    moved = LanguageModelFile("gs://elsewhere/words.txt", model.id, model.weight)
    assert job(decoder=beam, language_model=moved).fingerprint == job(decoder=beam, language_model=model).fingerprint


def test_options_survive_the_commit_file(words):
    planned = job(decoder=DecoderSettings("beam", 8, 2), language_model=described(words))
    options = json.loads(json.dumps(asdict(planned)))
    again = job(
        decoder=DecoderSettings(**options["decoder"]), language_model=LanguageModelFile(**options["language_model"])
    )
    assert again == planned


def test_language_model_that_changed_since_the_job_was_planned_is_refused(words):
    planned = described(words)
    assert load_language_model(planned, CHARSET) is not None
    words.write_text("archive\nletters\n")
    with pytest.raises(UsageError, match="was changed"):
        load_language_model(planned, CHARSET)


def test_workers_get_the_place_of_the_language_model_and_not_its_content(words):
    import pickle

    words.write_text("archive\n" * 100_000)
    handler = RecognizerHandler("default", 4, 0, DecoderSettings("beam"), described(words))
    assert len(pickle.dumps(handler)) < 10_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--decoder", "viterbi"), "greedy, beam"),
        (("--decoder", "beam", "--beam-width", "0"), "beam width"),
        (("--alternatives", "40"), "alternatives"),
        (("--language-model", "words.txt"), "--decoder beam"),
        (("--language-weight", "0.4"), "--language-model, which is missing"),
        (("--decoder", "beam", "--language-model", "nowhere.txt"), "nowhere.txt: cannot be read"),
        (("--decoder", "beam", "--language-model", "words.txt", "--language-weight", "-1"), "--language-weight"),
        (("--decoder", "beam", "--language-model", "empty.txt"), "empty.txt: is empty"),
    ],
)
def test_wrong_usage_gives_exit_code_2_and_a_reason(
    options, message, words, letter, tiny_bundle, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    done = inkbeam("digitize", "--input", letter, "--output", tmp_path / "out", "--model", tiny_bundle, *options)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("unit", ["line", "word"])
def test_digitize_writes_alternatives_and_knows_its_pages_again(unit, words, letter, tiny_bundle, tmp_path):
    job_ = ("digitize", "--input", letter, "--output", tmp_path / "out", "--model", tiny_bundle, "--unit", unit)
    beam = ("--decoder", "beam", "--alternatives", "3", "--language-model", words)
    assert inkbeam(*job_).code == 0
    assert all(row["alternatives"] == [] for row in rows(tmp_path / "out", "words"))
    assert inkbeam(*job_, *beam, "--run-id", "beam").code == 0
    found = rows(tmp_path / "out", "words", "beam")
    assert any(row["alternatives"] for row in found)
    for row in found:
        confidences = [a["confidence"] for a in row["alternatives"]]
        assert len(confidences) <= 3
        assert confidences == sorted(confidences, reverse=True)
        assert row["text"] not in [a["text"] for a in row["alternatives"]]
    again = inkbeam(*job_, *beam, "--run-id", "again")
    assert again.code == 0
    assert not rows(tmp_path / "out", "words", "again")
