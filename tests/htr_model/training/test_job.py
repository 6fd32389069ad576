import csv
import json
import math
import time

import keras
import numpy as np
import pytest

from htr_model import networks
from htr_model.bundle import Bundle, BundleError, load
from htr_model.charset import Charset
from htr_model.data.samples import Sample, Skipped
from htr_model.networks import named_weights
from htr_model.normalization import Normalization
from htr_model.readers.datasets import Dataset
from htr_model.reading import Reading
from htr_model.recognizer import Recognizer
from htr_model.scoring.calibration import JudgedWord
from htr_model.scoring.evaluation import Evaluation, outcomes_of
from htr_model.scoring.metrics import error_rates
from htr_model.training import batches
from htr_model.training.job import Progressed, TrainingRun, _with_shortcut
from htr_model.training.settings import RECIPES, TrainingError, TrainingSettings, learning_rate
from htr_model.training.steps import keras_step, packed_ctc_loss
from tests.htr_model.drawing import word

TEXTS = ("cat", "dog", "bird", "mouse")
SMALL = Normalization(height=16, max_width=256)


def settings(**changes) -> TrainingSettings:
    values = {
        "network": "resnet-ctc",
        "epochs": 2,
        "warmup_steps": 5,
        "normalization": SMALL,
        "charset": "abcdeghimnorstux ",
        "batching": BATCHING,
    }
    return TrainingSettings(**{**values, **changes})


def words(copies: int) -> Dataset:
    """Four words ``copies`` times for training and once for validation, and three samples that cannot be used."""
    train = [Sample(f"{t}{i}", t, word(t, 30), "drawn", split="train") for i in range(copies) for t in TEXTS]
    validation = [Sample(f"{t}-v", t, word(t, 30), "drawn", split="validation") for t in TEXTS]
    strange = [
        Sample("strange", "ça", word("ca", 30), "drawn", split="train"),
        Sample("narrow", "more text than it can be " * 3, word("i", 30), "drawn", split="train"),
    ]
    return Dataset(train + validation + strange, [Skipped("gone", "no such picture")])


BATCHING = batches.Batching(columns=512)


def replace_steps(monkeypatch, run, function):
    """Let ``function(step)`` stand for a training step; what it returns is the loss."""
    seen = []

    def step(inputs, packed):
        seen.append((inputs, packed))
        return function(len(seen))

    monkeypatch.setattr(run, "step", step)
    return seen


def interrupt(*_):
    raise KeyboardInterrupt


# --- one real run -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two epochs of 20 steps, 8 words each: (output folder, run, progress)."""
    output = tmp_path_factory.mktemp("training") / "bundle"
    run = TrainingRun(words(40), settings(), output)
    return output, run, run.run()


def read_csv(path) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_run_ends_after_its_epochs(finished):
    _, _, progress = finished
    assert progress.epoch == 2
    assert progress.batch == 0
    assert progress.step >= 40
    assert len(progress.history) == 2


def test_loss_falls(finished):
    _, _, progress = finished
    first, second = (row["loss"] for row in progress.history)
    assert second < 0.8 * first


def test_bundle_can_be_loaded_and_reads(finished):
    output, run, _ = finished
    bundle = load(output)
    assert bundle.network == "resnet-ctc"
    assert bundle.charset == Charset(settings().charset)
    assert bundle.normalization == SMALL
    assert len(Recognizer(bundle).read_gray([word(t, 30) for t in TEXTS])) == 4


def test_history_has_a_row_an_epoch(finished):
    output, _, progress = finished
    rows = read_csv(output / "training" / "history.csv")
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for row, kept in zip(rows, progress.history, strict=True):
        assert float(row["loss"]) == pytest.approx(kept["loss"])
        assert float(row["cer"]) == float(row["cer_drawn"]) == pytest.approx(kept["cer"])
        assert float(row["wer"]) == pytest.approx(kept["wer"])


def test_best_epoch_is_the_one_with_the_lowest_cer(finished):
    _, _, progress = finished
    cers = [row["cer"] for row in progress.history]
    assert progress.best_cer == min(cers)
    assert progress.best_epoch == cers.index(min(cers))


def test_history_tells_validation_loss_and_edit_distance(finished):
    output, _, progress = finished
    rows = read_csv(output / "training" / "history.csv")
    losses = [float(row["validation_loss"]) for row in rows]
    assert losses[1] < losses[0]
    assert 0 <= float(rows[1]["mean_edit_distance"]) <= 5
    assert float(rows[1]["learning_rate"]) < float(rows[0]["learning_rate"])


def test_report_on_the_validation_samples_is_drawn(finished):
    import cv2

    output, _, progress = finished
    report = output / "training" / "report"
    assert f"epoch {progress.best_epoch + 1}\n" in (report / "report.md").read_text(encoding="utf-8")
    assert cv2.imread(str(report / "grid.png")).std() > 0


def test_tensorboard_has_a_value_an_epoch_and_a_picture_of_the_best(finished):
    from tests.htr_model.training.test_tensorboard import events

    output, _, progress = finished
    _, *found = events(output / "training" / "tensorboard")
    values = [(e.step, e.summary.value[0]) for e in found]
    assert [(s, v.simple_value) for s, v in values if v.tag == "cer"] == [
        (row["epoch"], pytest.approx(row["cer"])) for row in progress.history
    ]
    pictures = [s for s, v in values if v.HasField("image")]
    assert pictures[-1] == progress.best_epoch + 1


def test_curves_are_a_picture(finished):
    import cv2

    output, _, _ = finished
    assert cv2.imread(str(output / "training" / "curves.png")).std() > 0


def test_skipped_samples_are_listed_with_their_reasons(finished):
    output, _, _ = finished
    rows = {row["id"]: row["reason"] for row in read_csv(output / "training" / "skipped.csv")}
    assert rows.keys() == {"gone", "strange", "narrow"}
    assert rows["gone"] == "no such picture"
    assert rows["strange"] == "characters outside the charset: 'ç'"
    assert rows["narrow"].startswith("picture too narrow")


def test_settings_are_kept(finished):
    output, _, _ = finished
    kept = json.loads((output / "training" / "settings.json").read_text(encoding="utf-8"))
    assert kept["network"] == "resnet-ctc"
    assert kept["training_samples"] == 160
    assert kept["normalization"]["height"] == 16
    assert kept["backend"] == keras.backend.backend()


def test_card_tells_data_and_figures(finished):
    output, run, progress = finished
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "`resnet-ctc`" in card
    assert f"{run.model.count_params():,} parameters" in card
    assert f"| drawn | 160 | 4 | not named | {100 * progress.best_cer:.2f} |" in card


def test_finished_run_has_nothing_to_resume(finished, monkeypatch):
    output, _, progress = finished
    again = TrainingRun(words(40), settings(), output)
    steps = replace_steps(monkeypatch, again, interrupt)
    assert again.run(resume=True) == progress
    assert steps == []


def test_resume_with_more_epochs_begins_where_the_run_ended(finished, monkeypatch):
    output, run, progress = finished
    longer = TrainingRun(words(40), settings(epochs=3), output)
    before = load(output).id
    steps = replace_steps(monkeypatch, longer, interrupt)
    resumed = longer.run(resume=True)
    assert (resumed.epoch, resumed.batch, resumed.step) == (2, 0, progress.step)
    assert resumed.history == progress.history
    for name, array in named_weights(run.model).items():
        np.testing.assert_array_equal(named_weights(longer.model)[name], array, err_msg=name)
    for ours, theirs in zip(longer.trainer.optimizer.variables, run.trainer.optimizer.variables, strict=True):
        if "learning_rate" not in ours.path:
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=ours.path)
    (pixels, _), packed = next(batches.epoch(longer.train, SMALL, 0, 2, 0, BATCHING))
    np.testing.assert_array_equal(steps[0][0][0], pixels)
    np.testing.assert_array_equal(steps[0][1], packed)
    assert load(output).id == before


# --- interruption and the end of a run --------------------------------------------------------------------------------


def test_ctrl_c_leaves_a_bundle_and_a_checkpoint_to_resume_from(tmp_path, monkeypatch):
    run = TrainingRun(words(4), settings(), tmp_path / "out")
    replace_steps(monkeypatch, run, lambda step: interrupt() if step == 2 else 1.0)
    progress = run.run()
    assert (progress.epoch, progress.batch, progress.step) == (0, 1, 1)
    bundle = load(tmp_path / "out")
    assert len(Recognizer(bundle).read_gray([word("cat", 30)])) == 1
    assert "| drawn | 16 | 4 | not named | – | – |" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")

    resumed = TrainingRun(words(4), settings(seed=0), tmp_path / "out")
    for variable in resumed.model.trainable_variables:  # so that only the checkpoint can have brought the weights
        variable.assign(np.zeros(variable.shape, np.float32))
    steps = replace_steps(monkeypatch, resumed, interrupt)
    assert resumed.run(resume=True) == progress
    for name, array in named_weights(run.model).items():
        np.testing.assert_array_equal(named_weights(resumed.model)[name], array, err_msg=name)
    (pixels, widths), packed = list(batches.epoch(run.train, SMALL, 0, 0, 0, BATCHING))[1]
    for got, expected in zip((*steps[0][0], steps[0][1]), (pixels, widths, packed), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_ctrl_c_after_the_best_epoch_keeps_its_bundle(tmp_path, monkeypatch):
    run = TrainingRun(words(2), settings(epochs=5), tmp_path)
    per_epoch = batches.batches_per_epoch(run.train, SMALL, 0, BATCHING)
    kept = []

    def step(number):
        if number <= per_epoch:
            return 1.0
        kept.append(load(tmp_path).id)
        for variable in run.model.trainable_variables:
            variable.assign(variable + 1.0)
        return interrupt()

    replace_steps(monkeypatch, run, step)
    progress = run.run()
    assert (progress.epoch, progress.best_epoch) == (1, 0)
    assert kept == [load(tmp_path).id]


def test_training_stops_when_the_error_no_longer_falls(tmp_path, monkeypatch):
    run = TrainingRun(words(1), settings(epochs=50, patience=1), tmp_path)
    replace_steps(monkeypatch, run, lambda _: 1.0)
    progress = run.run()
    assert progress.best_epoch == 0
    assert progress.epoch == 2


def test_training_stops_when_its_minutes_are_used_up(tmp_path, monkeypatch):
    import time

    run = TrainingRun(words(20), settings(epochs=50, max_minutes=0.001), tmp_path)
    replace_steps(monkeypatch, run, lambda _: time.sleep(0.1) or 1.0)
    progress = run.run()
    assert progress.epoch == 1
    assert progress.step == 1
    assert load(tmp_path).network == "resnet-ctc"


def epochs_measured(folder) -> list[int]:
    return [int(row["epoch"]) for row in read_csv(folder / "training" / "history.csv")]


def test_validation_may_be_rare_and_patience_waits_for_it(tmp_path, monkeypatch):
    """What is learned between two validations is not given up before it was measured."""
    run = TrainingRun(words(1), settings(epochs=50, patience=1, validate_every=3), tmp_path)
    replace_steps(monkeypatch, run, lambda _: 1.0)
    progress = run.run()
    assert epochs_measured(tmp_path) == [3, 6]
    assert (progress.epoch, progress.best_epoch) == (6, 2)
    assert "epoch 3\n" in (tmp_path / "training" / "report" / "report.md").read_text(encoding="utf-8")


def test_the_last_epoch_is_measured_also_after_a_break_between_two_validations(tmp_path, monkeypatch):
    run = TrainingRun(words(1), settings(epochs=3, validate_every=2), tmp_path)
    per_epoch = batches.batches_per_epoch(run.train, SMALL, 0, BATCHING)
    replace_steps(monkeypatch, run, lambda step: interrupt() if step > per_epoch else 1.0)
    progress = run.run()
    assert (progress.epoch, progress.best_epoch, progress.history) == (1, -1, [])
    assert not (tmp_path / "training" / "history.csv").exists()
    assert load(tmp_path).network == "resnet-ctc"  # what there was, unmeasured

    resumed = TrainingRun(words(1), settings(epochs=3, validate_every=2), tmp_path)
    replace_steps(monkeypatch, resumed, lambda _: 1.0)
    progress = resumed.run(resume=True)
    assert epochs_measured(tmp_path) == [2, 3]
    assert (progress.epoch, progress.best_epoch) == (3, 1)


def test_a_run_whose_minutes_end_between_two_validations_is_measured(tmp_path, monkeypatch):
    import time

    run = TrainingRun(words(1), settings(epochs=50, validate_every=20, max_minutes=0.001), tmp_path)
    replace_steps(monkeypatch, run, lambda _: time.sleep(0.04) or 1.0)
    progress = run.run()
    assert 1 <= progress.epoch < 20
    assert epochs_measured(tmp_path) == [progress.epoch]
    assert progress.best_epoch == progress.epoch - 1


def test_resume_on_pictures_of_another_height_is_refused(finished):
    output, run, _ = finished
    before = load(output).id
    other = TrainingRun(words(40), settings(normalization=Normalization.of_height(32)), output)
    with pytest.raises(TrainingError, match="begun with --height 16, not 32; resume it as it was begun"):
        other.run(resume=True)
    assert load(output).id == before
    assert json.loads((run.folder / "settings.json").read_text())["normalization"]["height"] == 16


def test_resume_without_the_bundle_that_it_began_with_is_refused(tmp_path):
    """The bundle's language model and its terms would be lost."""
    start = TrainingRun(words(4), settings(epochs=1), tmp_path / "start")
    start.run()
    bundle = load(tmp_path / "start")
    TrainingRun(words(4), settings(epochs=1), tmp_path / "tuned", start_from=bundle).run()
    with pytest.raises(TrainingError, match=f"begun with --from {bundle.id}, not no bundle"):
        TrainingRun(words(4), settings(epochs=2), tmp_path / "tuned").run(resume=True)
    with pytest.raises(TrainingError, match="begun with --from no bundle"):
        TrainingRun(words(4), settings(epochs=2), tmp_path / "start", start_from=bundle).run(resume=True)


def test_resume_with_the_same_symbols_in_another_order_is_refused(finished):
    output, run, _ = finished
    symbols = run.charset.symbols
    other = TrainingRun(words(40), settings(charset=symbols[1:] + symbols[0]), output)
    with pytest.raises(TrainingError, match="begun with --charset"):
        other.run(resume=True)


def test_a_resumed_run_is_the_run(tmp_path):
    """Dropout too goes on where it was."""

    def run(name, epochs, resume=False):
        made = TrainingRun(words(8), settings(network="cnn-bilstm", normalization=None), tmp_path / name)
        made._finished = lambda: made.progress.epoch >= epochs  # of the two that the learning rate knows of
        made.run(resume=resume)
        return named_weights(made.model)

    whole = run("whole", 2)
    run("parts", 1)
    for name, array in run("parts", 2, resume=True).items():
        np.testing.assert_allclose(array, whole[name], atol=1e-6, err_msg=name)


def test_validation_counts_towards_the_minutes(tmp_path, monkeypatch):
    run = TrainingRun(words(1), settings(epochs=50, max_minutes=0.01), tmp_path)
    replace_steps(monkeypatch, run, lambda _: 1.0)
    monkeypatch.setattr(run, "_validate", lambda validate=run._validate: time.sleep(0.4) or validate())
    assert run.run().epoch <= 2


def test_resume_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint to resume from"):
        TrainingRun(words(1), settings(), tmp_path / "out").run(resume=True)


def test_run_may_start_from_a_bundle(tiny_bundle, tmp_path):
    given = load(tiny_bundle)
    run = TrainingRun(words(1), settings(network="crnn", normalization=None), tmp_path, start_from=given)
    assert (run.network, run.charset, run.normalization) == (given.network, given.charset, given.normalization)
    for name, array in named_weights(run.model).items():
        np.testing.assert_array_equal(array, given.weights[name], err_msg=name)


def test_a_bundle_may_go_on_with_pictures_of_another_height(tiny_bundle, tmp_path):
    given = load(tiny_bundle)
    run = TrainingRun(words(1), settings(), tmp_path, start_from=given)
    assert run.normalization == SMALL != given.normalization
    assert run.model.input_shape[0][1] == SMALL.height
    for name, array in named_weights(run.model).items():
        np.testing.assert_array_equal(array, given.weights[name], err_msg=name)


def test_weights_made_for_another_height_are_refused_and_named(tmp_path):
    """A dense layer sees all rows of a column; the other networks keep the strongest response of them."""
    weights = named_weights(networks.build("cnn-bilstm", 32, 4))
    given = Bundle("cnn-bilstm", Charset("cat"), Normalization.of_height(32), weights, id="0123abcd")
    with pytest.raises(BundleError, match="bundle 0123abcd: weight dense/kernel is of shape"):
        TrainingRun(words(1), settings(charset=None), tmp_path, start_from=given)


def test_same_seed_begins_with_the_same_weights(tmp_path):
    first, second = (named_weights(TrainingRun(words(1), settings(seed=5), tmp_path).model) for _ in range(2))
    other = named_weights(TrainingRun(words(1), settings(seed=6), tmp_path).model)
    assert all(np.array_equal(first[n], second[n]) for n in first)
    assert not all(np.array_equal(first[n], other[n]) for n in first)


def test_each_network_gets_the_height_that_it_was_made_for(tmp_path):
    for network in networks.NETWORKS:
        run = TrainingRun(words(1), settings(network=network, normalization=None), tmp_path)
        assert run.network == network
        assert run.normalization == Normalization.of_height(networks.usual_height(network))


def test_run_from_a_bundle_adds_the_symbols_that_are_asked_for(tiny_bundle, tmp_path):
    given = load(tiny_bundle)
    run = TrainingRun(words(1), settings(charset="çab"), tmp_path, start_from=given)
    assert run.charset.symbols == given.charset.symbols + "ç"
    assert "strange" in {p.sample.id for p in run.train}
    unchanged = TrainingRun(words(1), settings(charset=None), tmp_path, start_from=given)
    assert unchanged.charset == given.charset
    assert "strange" in {s.id for s in unchanged.skipped}


def test_best_bundle_is_calibrated_where_there_are_words_enough(tmp_path):
    run = TrainingRun(words(1), settings(), tmp_path)
    read = [Reading("cat", 0.5, 0.5, (), (0.9, 0.9, 0.9), (0.729,))] * 4
    result = Evaluation(
        error_rates(["cat"], ["cat"]), {}, 1.0, read, outcomes_of(run.validation, ["cat"] * 4),
        [JudgedWord(i % 100 / 100, i % 100 / 100, i % 100 > 50, f"w{i % 4}") for i in range(2000)],
    )  # fmt: skip
    run.save_best(result)
    calibration = load(tmp_path).calibration
    assert calibration(0.3) < 0.1 and calibration(0.8) > 0.9
    assert "Confidence is calibrated" in (tmp_path / "README.md").read_text(encoding="utf-8")


# --- the shortcut -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "columns"), [("crnn", True), ("resnet-ctc", True), ("cnn-bilstm", False)])
def test_networks_with_columns_of_convolutions_have_a_shortcut_for_training(name, columns):
    model = networks.build(name, 16, 7)
    before = named_weights(model)
    trainer, weights = _with_shortcut(model, 0.3)
    assert weights == ([1.0, 0.3] if columns else [1.0])
    assert [tuple(output.shape) for output in trainer.outputs] == [(None, None, 7)] * len(weights)
    added = named_weights(trainer).keys() - before.keys()
    assert added == ({"shortcut/kernel", "shortcut/bias"} if columns else set())
    assert named_weights(model).keys() == before.keys()


def test_without_a_weight_there_is_no_shortcut():
    trainer, weights = _with_shortcut(networks.build("resnet-ctc", 16, 7), 0.0)
    assert (weights, len(trainer.outputs)) == ([1.0], 1)


def test_the_shortcut_learns_and_is_not_part_of_the_bundle(finished):
    output, run, _ = finished
    kernel = named_weights(run.trainer)["shortcut/kernel"]
    fresh = named_weights(TrainingRun(words(1), settings(), output).trainer)["shortcut/kernel"]
    assert np.abs(kernel - fresh).max() > 1e-3
    assert load(output).weights.keys() == named_weights(networks.build("resnet-ctc", 16, run.charset.classes)).keys()


def test_the_loss_that_is_told_is_the_networks_own(tmp_path):
    """The trainer lowers the sum of both; what history holds can be compared with runs that have no shortcut."""
    run = TrainingRun(words(1), settings(), tmp_path)
    kernel, bias = run.trainer.get_layer("shortcut").get_weights()
    bias[0] = 30  # blanks throughout, so that the two losses differ
    run.trainer.get_layer("shortcut").set_weights([kernel, bias])
    inputs, packed = next(batches.epoch(run.train, SMALL, 0, 0, 0, BATCHING))
    logits, by_columns = run.trainer.predict_on_batch(list(inputs))
    own, other = (float(np.mean(packed_ctc_loss(packed, given))) for given in (logits, by_columns))
    assert own != pytest.approx(other, rel=0.05)
    step = keras_step(run.trainer.test_on_batch, len(run.loss_weights))
    assert step(inputs, packed) == pytest.approx(own, rel=1e-3)
    total, *_ = run.trainer.test_on_batch(list(inputs), [packed, packed])
    assert total == pytest.approx(own + settings().shortcut * other, rel=1e-3)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_data_without_validation_or_training_samples_is_refused(tmp_path):
    samples = words(1).samples
    for kept in ("train", "validation"):
        only = Dataset([s for s in samples if s.split == kept], [])
        with pytest.raises(TrainingError, match="both must be there"):
            TrainingRun(only, settings(), tmp_path)
    with pytest.raises(TrainingError, match="0 training and 0 validation samples") as raised:
        TrainingRun(Dataset([], []), settings(), tmp_path)
    assert str(raised.value).endswith("names its splits.")
    with pytest.raises(TrainingError, match="1 were left out, most often: split 'a' is none of"):
        TrainingRun(Dataset([], [Skipped("x", "split 'a' is none of train")]), settings(), tmp_path)


def test_data_of_which_no_training_sample_is_usable_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no training sample is usable"):
        TrainingRun(words(1), settings(charset="xyz"), tmp_path)


def test_resume_from_a_damaged_checkpoint_is_refused_by_name(tmp_path):
    run = TrainingRun(words(1), settings(), tmp_path)
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "checkpoint.safetensors").write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors"):
        run.run(resume=True)


def test_reasons_are_told_when_no_sample_is_usable(tmp_path):
    with pytest.raises(TrainingError, match="characters outside the charset"):
        TrainingRun(words(1), settings(charset="xyz"), tmp_path)


@pytest.mark.parametrize("values", [{"network": "x"}, {"epochs": 0}, {"patience": 0}, {"learning_rate": 0.0}])
def test_settings_that_cannot_work_are_refused(values):
    with pytest.raises(TrainingError):
        settings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"validate_every": 0},
        {"shortcut": -0.1},
        {"batching": batches.Batching(columns=0)},
        {"batching": batches.Batching(workers=-1)},
    ],
)
def test_rare_validation_shortcut_and_batching_that_cannot_work_are_refused(values):
    with pytest.raises(TrainingError, match="must (not )?be"):
        settings(**values)


@pytest.mark.parametrize("values", [{"schedule": "steps"}, {"batching": batches.Batching(size=0)}])
def test_schedules_and_batch_sizes_that_cannot_be_are_refused(values):
    with pytest.raises(TrainingError):
        settings(**values)


@pytest.mark.parametrize("values", [{"warmup_steps": -1}, {"max_minutes": 0.0}, {"max_minutes": -5.0}])
def test_warm_up_and_minutes_that_cannot_work_are_refused(values):
    with pytest.raises(TrainingError):
        settings(**values)


# --- the schedule and the loss ----------------------------------------------------------------------------------------


def test_learning_rate_rises_linearly_then_falls_by_a_half_cosine():
    s = settings(learning_rate=1e-3, warmup_steps=10)
    assert learning_rate(s, 0, 0.0) == pytest.approx(1e-4)
    assert learning_rate(s, 4, 0.0) == pytest.approx(5e-4)
    assert learning_rate(s, 9, 0.0) == pytest.approx(1e-3)
    assert learning_rate(s, 1000, 0.5) == pytest.approx(1e-3 * (0.01 + 0.99 * 0.5))
    assert learning_rate(s, 1000, 1.0) == pytest.approx(1e-5)
    assert learning_rate(s, 1000, 7.0) == pytest.approx(1e-5)
    rates = [learning_rate(s, 1000, p) for p in np.linspace(0, 1, 20)]
    assert rates == sorted(rates, reverse=True)


def test_learning_rate_without_warm_up_is_the_peak_at_once():
    assert learning_rate(settings(learning_rate=1e-3, warmup_steps=0), 0, 0.0) == pytest.approx(1e-3)


def test_constant_schedule_stays_at_its_rate():
    constant = settings(schedule="constant", warmup_steps=0, learning_rate=1e-3)
    assert [learning_rate(constant, step, step / 10) for step in (0, 5, 10)] == [1e-3] * 3
    assert learning_rate(settings(), 100, 0.9) < 0.1 * settings().learning_rate


def test_classic_recipe_is_the_one_of_the_tutorials():
    classic = RECIPES["classic"]
    assert (classic.network, classic.epochs, classic.schedule) == ("cnn-bilstm", 10, "constant")
    assert (classic.learning_rate, classic.weight_decay, classic.warmup_steps) == (1e-3, 0.0, 0)
    assert classic.batching == batches.Batching(size=64, augmentation=False)
    assert classic.patience >= classic.epochs


def test_progress_survives_json():
    before = Progressed(epoch=1, history=[{"epoch": 1, "loss": 2.5}])
    from dataclasses import asdict

    assert Progressed(**json.loads(json.dumps(asdict(before)))) == before
    assert math.isinf(before.best_cer)
