import json
import shutil
from dataclasses import asdict

import pytest

from htr_model import bundle
from htr_model.bundle import Bundle
from htr_model.charset import Charset
from htr_model.decoding.settings import LANGUAGE_WEIGHT, DecoderSettings
from htr_model.normalization import Normalization
from pipelines.errors import UsageError
from pipelines.job import Job, LanguageModelFile
from pipelines.models import load_language_model
from pipelines.steps.recognising import RecognizerHandler
from segmentation.page import CLASSICAL, SegmentationSettings
from tests.pipelines.jobs import inkbeam, rows

CHARSET = Charset(" abcdefghijklmnopqrstuvwxyz")
BUNDLE = Bundle("resnet-ctc", CHARSET, Normalization(height=32, max_width=256), {}, id="0123456789abcdef")
TEXT = "the letters of the archive lie in the boxes of the archive and no other letters lie there "


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
    classical = SegmentationSettings(working_side=2200, lines=CLASSICAL)
    assert job(segmentation=classical).fingerprint == "f4cb958c47d0fa6d"
    assert job().fingerprint == job(decoder=DecoderSettings()).fingerprint


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
        job(decoder=beam, language_model=LanguageModelFile("bundle", "", 0.7)),
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
    assert load_language_model(planned, BUNDLE) is not None
    words.write_text("archive\nletters\n")
    with pytest.raises(UsageError, match="was changed"):
        load_language_model(planned, BUNDLE)


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
        (("--decoder", "greedy", "--language-model", "words.txt"), "--decoder beam"),
        (("--decoder", "greedy", "--language-model", "bundle"), "--decoder beam"),
        (("--language-weight", "0.4"), "none is used"),
        (("--language-model", "bundle"), "holds none"),
        (("--decoder", "beam", "--language-model", "nowhere.txt"), "nowhere.txt: cannot be read"),
        (("--decoder", "beam", "--language-model", "words.txt", "--language-weight", "-1"), "--language-weight"),
        (("--decoder", "beam", "--language-model", "words.txt", "--language-weight", "20"), "--language-weight"),
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


def options_of(output) -> dict:
    (path,) = (output / "runs").glob("*.json")
    return json.loads(path.read_text())["options"]


@pytest.mark.parametrize(
    ("options", "method", "language"),
    [
        ((), "beam", {"uri": "bundle", "id": "", "weight": LANGUAGE_WEIGHT}),
        (("--language-weight", "0.2"), "beam", {"uri": "bundle", "id": "", "weight": 0.2}),
        (("--decoder", "greedy"), "greedy", None),
        (("--language-model", "none"), "greedy", None),
        (("--decoder", "beam", "--language-model", "none"), "beam", None),
    ],
)
def test_bundles_language_model_is_asked_unless_something_else_is_said(
    options, method, language, speaking_bundle, letter, tmp_path
):
    output = tmp_path / "out"
    done = inkbeam("digitize", "--input", letter, "--output", output, "--model", speaking_bundle, *options)
    assert done.code == 0
    used = options_of(output)
    assert (used["decoder"]["method"], used["language_model"]) == (method, language)
    found = rows(output, "words")
    assert found
    assert any(row["alternatives"] for row in found) == (method == "beam")


def test_greedy_reads_the_same_with_and_without_a_language_model_in_the_bundle(
    speaking_bundle, tiny_bundle, letter, tmp_path
):
    texts = []
    for name, model in (("with", speaking_bundle), ("without", tiny_bundle)):
        job_ = ("digitize", "--input", letter, "--output", tmp_path / name, "--model", model, "--decoder", "greedy")
        assert inkbeam(*job_).code == 0
        kept = ("text", "confidence", "min_char_confidence", "alternatives", "left", "right")
        texts.append([[row[k] for k in kept] for row in rows(tmp_path / name, "words")])
    assert texts[0] == texts[1]


def test_file_of_ngrams_is_taken_as_language_model_too(speaking_bundle, tiny_bundle, letter, tmp_path):
    file = speaking_bundle / bundle.LANGUAGE_MODEL_FILE
    texts = []
    for name, options in (
        ("a", ("--model", speaking_bundle)),
        ("b", ("--model", tiny_bundle, "--language-model", file)),
    ):
        assert inkbeam("digitize", "--input", letter, "--output", tmp_path / name, *options).code == 0
        texts.append([row["text"] for row in rows(tmp_path / name, "words")])
    assert texts[0] == texts[1]


def test_damaged_language_model_in_the_bundle_is_told_before_the_job_begins(speaking_bundle, letter, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(speaking_bundle, damaged)
    file = damaged / bundle.LANGUAGE_MODEL_FILE
    file.write_bytes(file.read_bytes()[:-40])
    job_ = ("digitize", "--input", letter, "--output", tmp_path / "out", "--model", damaged)
    done = inkbeam(*job_)
    assert done.code == 2
    assert "--language-model bundle: is a damaged file of n-grams" in done.err
    assert inkbeam(*job_, "--decoder", "greedy").code == 0


def test_command_counts_texts_into_a_file_that_digitize_takes(tiny_bundle, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT * 30, encoding="utf-8")
    (tmp_path / "b.txt").write_text("\ufeffother words\nstand here " * 30, encoding="utf-8")
    output = tmp_path / "archive.safetensors"
    done = inkbeam("language-model", tmp_path / "a.txt", tmp_path / "b.txt", "--output", output, "--model", tiny_bundle)
    assert done.code == 0
    assert f"{output}: {output.stat().st_size:,} bytes" in done.out
    assert load_language_model(described(output), bundle.load(tiny_bundle)) is not None


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, (), "cannot be read"),
        (b"\xff\xfe\x00", (), "UTF-8"),
        ("\u4e16\u4e17".encode(), (), "no character"),
        (b"some text", ("--order", "9"), "--order"),
        (b"some text", ("--least-gain", "-1"), "--least-gain"),
    ],
)
def test_texts_that_cannot_be_counted_are_wrong_usage(content, options, message, tiny_bundle, tmp_path):
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    output = tmp_path / "lm.safetensors"
    done = inkbeam("language-model", tmp_path / "a.txt", "--output", output, "--model", tiny_bundle, *options)
    assert done.code == 2
    assert message in done.err
    assert not output.exists()
