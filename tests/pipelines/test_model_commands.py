"""The commands that train, measure and calibrate a recogniser."""

import argparse
import csv
import json
import shutil

import pytest

from htr_model import bundle, networks
from htr_model.bundle import load
from htr_model.charset import Charset
from htr_model.confidence import UNCALIBRATED
from htr_model.cores import usable_cores
from htr_model.data.packing import pack
from htr_model.data.samples import Sample
from htr_model.decoding.settings import LANGUAGE_WEIGHT
from htr_model.normalization import Normalization
from pipelines import exit_codes
from pipelines.commands import train
from tests.htr_model.drawing import png, word
from tests.pipelines.jobs import inkbeam, python

TEXTS = ("archive", "Hands", "quill", "pen", "by", "for", "ocean", "a", "letters", "ink", "paper", "zoo")


@pytest.fixture(scope="module")
def read_words(tmp_path_factory, tiny_bundle):
    """A folder of drawn words, each row labelled with what the tiny bundle reads there, every third one wrongly."""
    from htr_model.recognizer import Recognizer

    folder = tmp_path_factory.mktemp("words")
    recognizer = Recognizer(load(tiny_bundle))
    rows = []
    for height in (30, 44, 60):
        for text in TEXTS:
            name = f"{text}-{height}.png"
            (folder / name).write_bytes(png(word(text, height)))
            (read,) = recognizer.read_gray([word(text, height)])
            rows.append((name, read.text if len(rows) % 3 else "wrong"))
    write(folder, rows)
    return folder


@pytest.fixture
def labelled(read_words, tmp_path):
    """A test's own copy of the words that were read."""
    return shutil.copytree(read_words, tmp_path / "words")


def write(folder, rows):
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("filename", "label"), *rows])


def test_evaluate_writes_a_report_and_tells_confusions(labelled, tiny_bundle, tmp_path):
    done = inkbeam(
        *("evaluate", "--model", tiny_bundle, "--data", labelled),
        *("--report", tmp_path / "deep" / "report", "--json", tmp_path / "figures.json"),
    )
    assert done.code == 0, done.err
    assert "most often: " in done.out and "expected calibration error" in done.out
    assert max(map(len, done.out.splitlines())) <= 160
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["overall"]["accuracy"] == pytest.approx(2 / 3)
    assert 0.5 < figures["overall"]["precision"] < 1
    assert 0 <= figures["expected_calibration_error"] <= 1
    assert sum(c["count"] for c in figures["confusions"]) > 0
    assert (tmp_path / "deep" / "report" / "report.md").is_file()


def test_evaluate_reads_greedily_unless_asked_and_says_so(labelled, speaking_bundle):
    common = ("evaluate", "--model", speaking_bundle, "--data", labelled)
    beam = f"beam search (12 texts, language model bundle, weight {LANGUAGE_WEIGHT:g})"
    assert "greedy decoding" in inkbeam(*common).out
    assert beam in inkbeam(*common, "--decoder", "beam").out
    assert beam in inkbeam(*common, "--language-model", "bundle").out
    assert "no language model" in inkbeam(*common, "--decoder", "beam", "--language-model", "none").out


def test_evaluate_against_a_program_that_is_not_there_is_wrong_usage(labelled, tiny_bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = inkbeam("evaluate", "--model", tiny_bundle, "--data", labelled, "--against", "tesseract")
    assert done.code == 2
    assert "apt install tesseract-ocr" in done.err


def test_evaluate_does_not_write_a_report_into_a_file(labelled, tiny_bundle):
    done = inkbeam("evaluate", "--model", tiny_bundle, "--data", labelled, "--report", labelled / "labels.csv")
    assert done.code == 2
    assert "labels.csv: is a file" in done.err


def test_calibrate_writes_a_bundle_with_other_confidence_and_the_same_text(labelled, tiny_bundle, tmp_path):
    header, *rows = csv.reader((labelled / "labels.csv").read_text(encoding="utf-8").splitlines())
    write(labelled, rows * 20)
    output = tmp_path / "calibrated"
    done = inkbeam("calibrate", "--model", tiny_bundle, "--data", labelled, "--output", output)
    assert done.code == 0, done.err
    before, after = load(tiny_bundle), load(output)
    assert before.calibration == UNCALIBRATED != after.calibration
    assert after.id != before.id
    assert after.id in done.out and before.id in done.out
    card = (output / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# A bundle for tests\n")
    assert card.count("Confidence is calibrated: expected calibration error") == 1
    other = inkbeam("calibrate", "--model", tiny_bundle, "--data", labelled, "--output", output)
    assert other.code == 2 and "holds another model bundle" in other.err
    assert load(output).id == after.id
    again = inkbeam(
        *("calibrate", "--model", output, "--data", labelled, "--output", output, "--json", tmp_path / "again.json")
    )
    assert again.code == 0, again.err
    assert load(output).id == after.id
    # The map that is there was fitted on all of these words, the new ones on half of them each.
    stays = "the confidence of the model before is the better one and stays"
    assert stays not in done.err and stays in again.err
    card = (output / "README.md").read_text(encoding="utf-8")
    assert card.count("Confidence is calibrated") == 1
    (row,) = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))["by_collection"].values()
    assert f"{row['before']:.3f}" != f"{row['after']:.3f}"
    assert f"error of words {row['before']:.3f}, measured" in card and "with the map from before" in card


def test_calibrate_fits_a_map_for_each_of_a_bundles_decoders(labelled, speaking_bundle, tmp_path):
    header, *rows = csv.reader((labelled / "labels.csv").read_text(encoding="utf-8").splitlines())
    write(labelled, rows * 20)
    output = tmp_path / "calibrated"
    done = inkbeam("calibrate", "--model", speaking_bundle, "--data", labelled, "--output", output)
    assert done.code == 0, done.err
    assert "language model" in done.out
    before, after = load(speaking_bundle), load(output)
    assert after.language_model == before.language_model is not None
    assert UNCALIBRATED not in (after.calibration, after.language_calibration)
    assert after.id != before.id
    assert "(with the language model" in (output / "README.md").read_text(encoding="utf-8")


def test_calibrate_with_few_words_is_wrong_usage_and_writes_nothing(labelled, tiny_bundle, tmp_path):
    done = inkbeam("calibrate", "--model", tiny_bundle, "--data", labelled, "--output", tmp_path / "calibrated")
    assert done.code == 2
    assert "calibration needs 200" in done.err
    assert not (tmp_path / "calibrated").exists()


def parsed(*options):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(options)


def settings(*options):
    return train._settings(parsed("--data", "x", "--output", "y", *options))


def test_recipe_is_changed_only_by_what_is_given():
    from htr_model.training.batches import Batching
    from htr_model.training.settings import RECIPES, TrainingSettings

    assert settings() == TrainingSettings()
    assert settings("--recipe", "classic") == RECIPES["classic"]
    changed = settings("--recipe", "classic", "--epochs", "3", "--network", "crnn", "--batch-size", "16")
    assert (changed.epochs, changed.network, changed.learning_rate) == (3, "crnn", 1e-3)
    assert changed.batching == Batching(size=16, augmentation=False)


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu_that_is_not_there_is_told(monkeypatch, capsys, there):
    monkeypatch.setattr("htr_model.runtimes.gpu_is_there", lambda: there)
    settings("--gpu")
    assert ("training on the processor" in capsys.readouterr().err) == (not there)


def test_a_gpu_gets_large_batches_of_few_shapes_made_by_all_cores():
    batching = settings("--gpu").batching
    assert (batching.columns, batching.few_shapes, batching.workers) == (train.GPU_COLUMNS, True, usable_cores())
    assert (batching.size, batching.augmentation) == (None, True)
    assert not settings().batching.few_shapes and settings().batching.workers == 0


def test_batches_of_a_gpu_may_be_of_another_size_and_of_another_recipe():
    narrow = settings("--gpu", "--batch-columns", "20000").batching
    assert (narrow.columns, narrow.few_shapes) == (20_000, True)
    classic = settings("--gpu", "--recipe", "classic").batching
    assert (classic.size, classic.augmentation, classic.few_shapes) == (64, False, True)
    assert settings("--gpu", "--batch-size", "7").batching.size == 7


def test_columns_of_a_batch_and_passes_between_validations_are_set():
    changed = settings("--batch-columns", "4096", "--validate-every", "5")
    assert (changed.batching.columns, changed.batching.few_shapes, changed.validate_every) == (4096, False, 5)
    assert settings().validate_every == 1


def test_rows_of_the_input_are_set_and_its_other_lengths_follow():
    assert settings("--height", "32").normalization == Normalization.of_height(32)
    assert settings("--height", "48", "--recipe", "classic").normalization == Normalization.of_height(48)
    assert settings().normalization is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--batch-columns", "0"), "columns of a batch must be positive"),
        (("--validate-every", "0"), "passes between validations"),
        (("--gpu", "--batch-size", "-1"), "batch size must be at least 1"),
        (("--network", "transformer"), "known are cnn-bilstm, crnn, resnet-ctc"),
        (("--height", "20"), "--height: height must be a multiple of 16, got 20"),
        (("--height", "0"), "--height: height must be a multiple of 16, got 0"),
        (("--batch-size", "0"), "batch size must be at least 1"),
        (("--epochs", "0"), "must be positive"),
    ],
)
def test_settings_that_cannot_work_are_wrong_usage(labelled, tmp_path, options, message):
    done = inkbeam("train", "--data", labelled, "--output", tmp_path / "model", *options)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "model").exists()


WITHOUT_BEAM = """
import sys
sys.modules["apache_beam"] = None  # importing it raises
from pipelines import cli
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def drawn(tmp_path):
    """A table of drawn words, each of them to train on and to validate."""
    samples = [Sample(f"{t}-{s}", t, word(t, 40), split=s) for s in ("train", "validation") for t in TEXTS]
    pack(samples, tmp_path / "drawn" / "words.parquet", Normalization())
    return tmp_path / "drawn"


def test_training_needs_no_beam(drawn, tmp_path):
    command = ("train", "--data", drawn, "--output", tmp_path / "model")
    done = python(
        WITHOUT_BEAM,
        *command,
        "--recipe",
        "classic",
        "--epochs",
        "3",
        "--validate-every",
        "2",
        "--batch-columns",
        "900",
    )
    assert done.returncode == 0, done.stderr
    assert "best validation CER" in done.stdout
    assert load(tmp_path / "model").network == "cnn-bilstm"
    with open(tmp_path / "model" / "training" / "history.csv", newline="", encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["2", "3"]


def test_a_local_bundle_to_begin_with_needs_no_beam(drawn, tiny_bundle, tmp_path):
    command = ("train", "--data", drawn, "--output", tmp_path / "model", "--from", tiny_bundle)
    done = python(WITHOUT_BEAM, *command, "--epochs", "1")
    assert done.returncode == 0, done.stderr
    made, given = load(tmp_path / "model"), load(tiny_bundle)
    assert (made.network, made.normalization) == (given.network, given.normalization)


def test_a_bundle_to_begin_with_may_get_another_height(drawn, tiny_bundle, tmp_path):
    command = ("train", "--data", drawn, "--output", tmp_path / "model", "--from", tiny_bundle)
    done = inkbeam(*command, "--height", "16", "--epochs", "1")
    assert done.code == 0, done.err
    made, given = load(tmp_path / "model"), load(tiny_bundle)
    assert made.normalization == Normalization.of_height(16) != given.normalization
    assert (made.network, made.charset) == (given.network, given.charset)


def test_nothing_is_left_where_there_is_nothing_to_resume(drawn, tmp_path):
    done = inkbeam("train", "--data", drawn, "--output", tmp_path / "new", "--resume")
    assert done.code == 2 and "no checkpoint to resume from" in done.err
    assert not (tmp_path / "new").exists()


def test_a_run_goes_on_with_the_options_that_it_was_begun_with(drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begun = {"recipe": "classic", "charset": "data", "height": 48, "seed": 3, "epochs": 1}
    options = [word for name, value in begun.items() for word in (f"--{name}", value)]
    first = inkbeam("train", "--data", "drawn", "--output", "model", *options)
    assert first.code == 0, first.err
    monkeypatch.chdir(drawn)
    resume = ("train", "--resume", "--output", tmp_path / "model")
    done = inkbeam(*resume, "--patience", "5")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == first.out.splitlines()[0]
    kept = json.loads((tmp_path / "model" / "training" / "settings.json").read_text(encoding="utf-8"))
    assert (kept["network"], kept["seed"], kept["patience"], kept["batching"]["size"]) == ("cnn-bilstm", 3, 5, 64)
    assert kept["normalization"]["height"] == 48
    assert kept["options"] == {**begun, "data": [str(drawn)], "patience": 5}
    other = inkbeam(*resume, "--height", "64")
    assert other.code == 2 and "the run was begun with --height 48, not 64" in other.err


def test_a_run_that_does_not_tell_its_options_needs_them_again(tmp_path):
    folder = tmp_path / "training"
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_bytes(b"")
    told = folder / "settings.json"
    told.write_text(json.dumps({"network": "crnn", "epochs": 40}))
    done = inkbeam("train", "--resume", "--output", tmp_path)
    assert done.code == 2
    assert f"{told}: does not tell the options" in done.err and "type them again behind --resume" in done.err
    again = parsed("--resume", "--output", str(tmp_path), "--data", "/words")
    assert train._resumed(again, folder) == again


def test_writers_that_are_named_divide_a_resumed_run_that_was_divided_by_words(tmp_path):
    folder = tmp_path / "training"
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_bytes(b"")
    (folder / "settings.json").write_text(json.dumps({"options": {"data": ["/words"], "by_words": True}}))
    resume = ("--output", str(tmp_path), "--resume")
    assert train._resumed(parsed(*resume), folder).by_words
    divided = train._resumed(parsed(*resume, "--writers", "hands.txt"), folder)
    assert (divided.by_words, divided.data) == (False, ["/words"])


def test_training_without_data_is_wrong_usage(tmp_path):
    done = inkbeam("train", "--output", tmp_path / "model")
    assert done.code == 2 and "--data is missing" in done.err


def test_a_finished_bundle_is_not_trained_over(drawn, tiny_bundle, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(tiny_bundle, model)
    before = load(model).id
    done = inkbeam("train", "--data", drawn, "--output", model, "--epochs", "1")
    assert (done.code, load(model).id) == (2, before)
    assert "holds a model bundle already" in done.err


def test_training_does_not_write_among_other_files(drawn, tmp_path):
    (tmp_path / "scan.png").write_bytes(b"kept")
    done = inkbeam("train", "--data", drawn, "--output", tmp_path)
    assert done.code == 2 and "holds other files; name a new folder, or an empty one" in done.err
    assert not (tmp_path / "bundle.json").exists() and not (tmp_path / "training").exists()


@pytest.mark.parametrize(("bundle_is_there", "code"), [(True, exit_codes.DONE), (False, exit_codes.FAILED)])
def test_training_that_ends_before_it_validates_says_so(drawn, tmp_path, monkeypatch, bundle_is_there, code):
    from htr_model.training.job import Progressed, TrainingRun

    def ends(run, resume):
        run.folder.mkdir(parents=True, exist_ok=True)
        if bundle_is_there:
            run._save_bundle(None)
        return Progressed(step=7, seconds=120.0)

    monkeypatch.setattr(TrainingRun, "run", ends)
    done = inkbeam("train", "--data", drawn, "--output", tmp_path / "model", "--network", "resnet-ctc")
    assert done.code == code
    assert "7 steps in 2 minutes, nothing was validated yet; go on with --resume" in done.out
    assert "CER" not in done.out


def test_a_bundle_to_begin_with_keeps_its_network(drawn, tiny_bundle, tmp_path):
    command = ("train", "--data", drawn, "--output", tmp_path / "model", "--from", tiny_bundle)
    done = inkbeam(*command, "--network", "resnet-ctc" if load(tiny_bundle).network != "resnet-ctc" else "crnn")
    assert done.code == 2
    assert "leave it out" in done.err


def test_the_card_of_a_fine_tuned_bundle_tells_what_it_began_with(drawn, tiny_bundle, tmp_path):
    given = tmp_path / "given"
    shutil.copytree(tiny_bundle, given)
    (given / "README.md").write_text("# Model card\n\nLetters of the Lowe family, not to be sold.\n", encoding="utf-8")
    done = inkbeam("train", "--data", drawn, "--output", tmp_path / "model", "--from", given, "--epochs", "1")
    assert done.code == 0, done.err
    made = load(tmp_path / "model")
    assert f"Bundle `{load(given).id}`" in made.card
    assert "### Model card" in made.card and "not to be sold" in made.card
    assert made.calibration == load(given).calibration
    assert "Confidence is not calibrated: it is that of the bundle" in made.card


def test_a_bundle_whose_weights_are_for_its_own_height_is_named(drawn, tmp_path):
    weights = networks.named_weights(networks.build("cnn-bilstm", 32, 4))
    bundle.save(bundle.Bundle("cnn-bilstm", Charset("ink"), Normalization.of_height(32), weights), tmp_path / "low", "")
    command = ("train", "--data", drawn, "--output", tmp_path / "model", "--from", tmp_path / "low")
    done = inkbeam(*command, "--height", "48", "--charset", "data")
    assert done.code == 2
    assert f"--from {tmp_path / 'low'}" in done.err and "weight dense/kernel is of shape" in done.err
    assert not (tmp_path / "model").exists()


def test_a_bundle_at_a_uri_to_begin_with_is_read_through_beam(drawn, tmp_path):
    command = ("train", "--data", drawn, "--output", tmp_path / "model", "--from", "s3://bucket/model")
    done = python(WITHOUT_BEAM, *command, "--epochs", "1")
    assert done.returncode != 0
    assert "apache_beam" in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_missing_bundle_is_named_with_its_option(drawn, tmp_path):
    for option, *command in (
        ("--from", "train", "--data", drawn, "--output", tmp_path / "model", "--from"),
        ("BUNDLE", "export-model", "--to", "onnx", "--output", tmp_path / "x.onnx"),
    ):
        done = inkbeam(*command, tmp_path / "nowhere")
        assert done.code == 2
        assert f"{option} {tmp_path / 'nowhere'}: no model bundle" in done.err


def test_a_damaged_bundle_to_begin_with_is_named(drawn, tiny_bundle, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_bundle, broken)
    (broken / "weights.safetensors").write_bytes(b"not weights")
    done = inkbeam("train", "--data", drawn, "--output", tmp_path / "model", "--from", broken)
    assert done.code == 2
    assert f"--from {broken}" in done.err
    assert not (tmp_path / "model").exists()
