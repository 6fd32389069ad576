from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest

from htr_model.line_finder import network
from htr_model.line_finder.augmentation import random_crop, whole
from htr_model.line_finder.onnx_file import to_onnx
from htr_model.line_finder.pages import BAND, STORED, UNIT, LinePage
from htr_model.line_finder.training import LineTrainingRun, LineTrainingSettings, band_loss
from htr_model.training.settings import TrainingError
from tests.htr_model.drawing import randomise

ROWS = (60, 100, 140, 180, 220)


def drawn_page(split="train", collection="drawn", rows=ROWS, solid=False):
    """A page of zigzag lines, an x-height of `STORED` pixels high, or of solid bars as high as the bands."""
    picture = np.zeros((280, 400), np.uint8)
    for row in rows:
        if solid:
            cv2.line(picture, (40, row), (360, row), 230, round(BAND * STORED))
            continue
        xs = np.arange(40, 360, 5)
        ys = row + np.where(np.arange(len(xs)) % 2, 5, -5)
        cv2.polylines(picture, [np.column_stack([xs, ys]).astype(np.int32)], False, 230, 1)
    lines = tuple(np.array([[40, row], [360, row]], np.float32) for row in rows)
    return LinePage(collection, split, picture, lines, np.zeros(picture.shape, bool))


def settings(**changed):
    return LineTrainingSettings(**{"steps": 4, "batch_size": 2, "side": 64, "seed": 3, **changed})


# ------------------------------------------------------------------------------------------------ what is learned


def test_a_whole_page_is_shown_at_the_networks_scale_with_its_bands():
    page = drawn_page()
    crop = whole(page, network.MULTIPLE)
    factor = UNIT / STORED
    assert all(n % network.MULTIPLE == 0 for n in crop.picture.shape)
    assert crop.picture.shape[0] >= 280 * factor and crop.picture.shape[1] >= 400 * factor
    assert crop.target.shape == crop.weight.shape == tuple(n // 2 for n in crop.picture.shape)
    column = crop.target[:, round(200 * factor / 2)]
    peaks = [round(row * factor / 2) for row in ROWS]
    assert all(column[peak] == 1 for peak in peaks)
    assert column.sum() == pytest.approx(len(ROWS) * BAND * UNIT / 2, rel=0.25)
    assert crop.weight.min() == 1


def test_what_is_unknown_has_no_weight():
    page = drawn_page()
    page.unknown[:90] = True
    crop = whole(page, network.MULTIPLE)
    edge = round(90 * UNIT / STORED / 2)
    on_page = crop.weight[:, : round(400 * UNIT / STORED / 2) - 1]
    assert on_page[: edge - 1].max() == 0 and on_page[edge + 1 :].min() == 1


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 6, 7])  # not under rulings
def test_a_changed_piece_has_its_bands_where_its_ink_is(seed):
    page, blank = drawn_page(solid=True), drawn_page(rows=())
    crop = random_crop(page, blank, 192, np.random.default_rng(seed))
    assert crop.picture.shape == (192, 192) and crop.target.shape == crop.weight.shape == (96, 96)
    assert crop.picture.dtype == crop.target.dtype == np.float32
    assert crop.picture.min() >= 0 and crop.picture.max() <= 1
    ink = cv2.resize(crop.picture, (96, 96), interpolation=cv2.INTER_AREA)
    assert crop.target.sum() > 50
    assert ink[crop.target == 1].mean() > 2 * ink[crop.target == 0].mean()
    # The bands are no wider, higher or farther to a side than the bars.
    assert np.corrcoef(ink.ravel(), crop.target.ravel())[0, 1] > 0.8


def test_now_and_then_words_are_squeezed_in_between_two_lines_and_have_bands_of_their_own():
    rows, along = (60, 105, 150, 195, 240), np.arange(40, 361, STORED)
    lines = tuple(np.column_stack([along, np.full(len(along), row)]).astype(np.float32) for row in rows)
    page, blank = replace(drawn_page(rows=rows, solid=True), lines=lines), drawn_page(rows=())
    found = 0
    for seed in range(160):
        crop = random_crop(page, blank, 192, np.random.default_rng(seed))
        bands = (crop.target > 0.5).astype(np.uint8)
        ink = cv2.resize(crop.picture, (96, 96), interpolation=cv2.INTER_AREA)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(bands)
        for label, (left, _, width, _, _) in enumerate(stats):
            inside = left > 0 and left + width < 96
            if label and inside and width < 12 * UNIT / 2:  # the page's lines are 32 x-heights long
                found += 1
                assert ink[labels == label].mean() > 2 * ink[bands == 0].mean()
    assert found >= 8


def test_pieces_are_the_same_for_the_same_seed_and_others_for_another():
    page = drawn_page()
    first, again, other = (random_crop(page, page, 64, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first.picture, again.picture) and np.array_equal(first.target, again.target)
    assert not np.array_equal(first.picture, other.picture)


def test_collections_are_seen_by_the_root_of_their_size(tmp_path):
    """A page to sixteen is one piece to four."""
    small, large = drawn_page(collection="small"), drawn_page(collection="large")
    small.unknown[:] = True  # by which its pieces can be told from the others
    run = LineTrainingRun([small, *[large] * 16], settings(batch_size=600, side=network.MULTIPLE), tmp_path)
    _, packed = run.batch(0)
    assert (packed[..., 1].min(axis=(1, 2)) == 0).mean() == pytest.approx(1 / 5, abs=0.05)


def test_the_loss_is_small_for_right_answers_and_blind_to_what_is_unknown():
    target = np.zeros((1, 8, 8, 1), np.float32)
    target[:, 2:4] = 1
    packed = np.concatenate([target, np.ones_like(target)], axis=-1)
    right, wrong = (
        np.where(target > 0, 9.0, -9.0).astype(np.float32),
        np.where(target > 0, -9.0, 9.0).astype(np.float32),
    )
    assert float(band_loss(packed, right)) < 0.05 < 5 < float(band_loss(packed, wrong))
    unknown = packed.copy()
    unknown[:, 6:, :, 1] = 0
    changed = right.copy()
    changed[:, 6:] = 9
    assert float(band_loss(unknown, changed)) == pytest.approx(float(band_loss(unknown, right)))
    assert float(band_loss(packed, changed)) > float(band_loss(packed, right)) + 0.5


# ------------------------------------------------------------------------------------------------ the run


def test_a_few_steps_lower_the_loss_and_write_the_network_its_card_and_its_history(tmp_path):
    run = LineTrainingRun([drawn_page(), drawn_page("validation")], settings(steps=12), tmp_path)
    pictures, packed = run.batch(0)
    before = float(band_loss(packed, run.model(pictures, training=True)))
    done = run.run()
    assert done.step == 12
    assert float(band_loss(packed, run.model(pictures, training=True))) < before - 0.1
    assert {p.name for p in tmp_path.iterdir()} == {"network.onnx", "lines.json", "README.md", "training"}
    assert "| drawn | 1 | 1 |" in (tmp_path / "README.md").read_text()
    history = (tmp_path / "training" / "history.csv").read_text().splitlines()
    assert history[0] == "step,minutes,loss" and history[-1].startswith("12,")

    resumed = LineTrainingRun([drawn_page()], settings(steps=13), tmp_path)
    assert resumed.run(resume=True).step == 13
    with pytest.raises(TrainingError, match="no checkpoint"):
        LineTrainingRun([drawn_page()], settings(), tmp_path / "new").run(resume=True)
    assert not (tmp_path / "new").exists()


def test_a_run_is_resumed_as_it_was_begun_or_refused_and_left_as_it_is(tmp_path):
    LineTrainingRun([drawn_page()], settings(steps=1), tmp_path).run()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for changed, told in (
        ({"seed": 4}, "begun with --seed 3, not 4"),
        ({"side": 96}, "begun with side 64, not 96"),
        ({"batch_size": 1}, "begun with batch size 2, not 1"),
    ):
        with pytest.raises(TrainingError, match=f"{told}; resume it as it was begun"):
            LineTrainingRun([drawn_page()], settings(steps=2, **changed), tmp_path).run(resume=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("answer", [-9.0, 9.0])
def test_validation_tells_the_dice_coefficient_of_the_bands(tmp_path, answer):
    """Of a network that finds nothing, and of one that takes everything for a line: 2 × band / (page + band)."""
    run = LineTrainingRun([drawn_page(), drawn_page("validation")], settings(), tmp_path)
    kernel, bias = run.model.layers[-1].get_weights()
    run.model.layers[-1].set_weights([np.zeros_like(kernel), np.full_like(bias, answer)])
    crop = whole(drawn_page(), network.MULTIPLE)
    share = float((crop.target * crop.weight).sum() / crop.weight.sum())
    expected = 2 * share / (1 + share) if answer > 0 else 0.0
    assert run.validate() == {"drawn": pytest.approx(expected, abs=1e-6)}


def test_validation_pages_are_measured_once_and_the_card_tells_what_the_run_keeps(tmp_path, monkeypatch):
    run = LineTrainingRun([drawn_page(), drawn_page("validation")], settings(steps=1), tmp_path)
    assert run.dice == {}
    measured = []
    monkeypatch.setattr(run, "validate", lambda: measured.append(1) or {"drawn": 0.625})
    run.run()
    assert (len(measured), run.dice) == (1, {"drawn": 0.625})
    assert "| drawn | 1 | 1 | 0.625 |" in (tmp_path / "README.md").read_text()


def test_the_onnx_file_answers_as_the_network_does():
    model = network.build()
    randomise(model, seed=1)
    picture = np.random.default_rng(0).random((1, 96, 64, 1)).astype(np.float32)
    logits = np.asarray(model.predict_on_batch(picture))[0, :, :, 0]
    data = to_onnx(model)
    onnx.checker.check_model(onnx.load_from_string(data))
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8), cv2.dnn.ENGINE_NEW)
    net.setInput(picture[None, ..., 0])
    answer = net.forward()[0, 0]
    assert answer.shape == (48, 32) and logits.std() > 0.01
    assert np.abs(answer - 1 / (1 + np.exp(-logits))).max() < 1e-4


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"side": 100},
        {"max_minutes": 0},
        {"learning_rate": -1},
        {"learning_rate": np.inf},
        {"learning_rate": np.nan},
        {"weight_decay": np.nan},
        {"weight_decay": np.inf},
        {"weight_decay": -0.1},
        {"seed": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(TrainingError):
        settings(**wrong)


def test_without_training_pages_nothing_begins(tmp_path):
    with pytest.raises(TrainingError, match="no page to train on"):
        LineTrainingRun([drawn_page("validation")], settings(), tmp_path)
