from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from htr_model.charset import LATIN, Charset
from htr_model.data.samples import Sample, Skipped
from htr_model.normalization import Normalization, normalize
from htr_model.time_steps import time_steps
from htr_model.training import batches
from tests.htr_model.drawing import word

CHARSET, SETTINGS = Charset(LATIN), Normalization(height=32, max_width=512)
WORDS = ("a", "it", "the", "ocean", "writing", "a whole line of it") * 4


@pytest.fixture(scope="module")
def prepared():
    samples = [Sample(f"{i}", text, word(text, 40)) for i, text in enumerate(WORDS)]
    usable, skipped = batches.prepare(samples, CHARSET, SETTINGS)
    assert not skipped
    return usable


SMALL = batches.Batching(columns=512)
"""So that there are several batches."""


def texts_of(packed) -> list[str]:
    return [CHARSET.decode(row[2 : 2 + row[0]].tolist()) for row in packed]


def epoch(prepared, number=0, start=0, seed=3, batching=SMALL):
    return list(batches.epoch(prepared, SETTINGS, seed, number, start, batching))


def same(a, b) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(x, y)
        for (xs, p), (ys, q) in zip(a, b, strict=True)
        for x, y in zip((*xs, p), (*ys, q), strict=True)
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_sample_occurs_once_an_epoch(prepared, number):
    plan = batches.plan(prepared, SETTINGS, np.random.default_rng(number), number > 0, SMALL)
    assert sorted(i for batch in plan for i in batch) == list(range(len(WORDS)))
    made = epoch(prepared, number)
    assert len(made) > 3
    assert Counter(t for _, packed in made for t in texts_of(packed)) == Counter(WORDS)


def test_same_seed_and_epoch_give_the_same_batches(prepared):
    assert same(epoch(prepared, 1), epoch(prepared, 1))


@pytest.mark.parametrize("few_shapes", [False, True])
def test_processes_make_the_same_batches_as_threads(prepared, few_shapes):
    batching = replace(SMALL, few_shapes=few_shapes)
    by_threads, by_processes = (epoch(prepared, 1, batching=replace(batching, workers=n)) for n in (0, 2))
    assert len(by_threads) > 8  # so that processes put several into the same memory
    assert same(by_threads, by_processes)


@pytest.mark.parametrize("few_shapes", [False, True])
def test_processes_hand_over_batches_larger_than_the_memory_that_all_share(prepared, few_shapes):
    batching = batches.Batching(columns=192, few_shapes=few_shapes)
    by_threads, by_processes = (epoch(prepared, 1, batching=replace(batching, workers=n)) for n in (0, 2))
    sizes = [pixels.nbytes for (pixels, _), _ in by_threads]
    assert min(sizes) <= 192 * SETTINGS.height < max(sizes)
    assert same(by_threads, by_processes)


@pytest.mark.parametrize("start", [0, 5])
def test_processes_go_on_from_any_batch(prepared, start):
    assert same(epoch(prepared, 1, start), epoch(prepared, 1, start, batching=replace(SMALL, workers=2)))


def test_processes_prepare_the_same_as_threads(prepared):
    samples = [p.sample for p in prepared]
    there, here = (batches.prepare(samples, CHARSET, SETTINGS, workers)[0] for workers in (2, 0))
    assert [(p.classes, p.width) for p in there] == [(p.classes, p.width) for p in here]
    assert all(np.array_equal(p.sample.gray, q.sample.gray) for p, q in zip(there, here, strict=True))


def test_other_epochs_and_seeds_give_other_pictures(prepared):
    assert not same(epoch(prepared, 1), epoch(prepared, 2))
    assert not same(epoch(prepared, 1), epoch(prepared, 1, seed=4))


@pytest.mark.parametrize("number", [0, 2])
def test_resumed_epoch_is_the_full_ones_tail(prepared, number):
    full = epoch(prepared, number)
    for start in (1, 3, len(full)):
        assert same(epoch(prepared, number, start), full[start:])


def test_batches_stay_within_the_columns(prepared):
    for (pixels, _), _ in epoch(prepared, 1):
        # Augmentation may widen a picture by a quarter, so the budget is a plan and not a wall.
        assert len(pixels) == 1 or len(pixels) * pixels.shape[2] <= 2 * SMALL.columns


def test_inputs_and_packed_labels_fit_each_other(prepared):
    for (pixels, widths), packed in epoch(prepared):
        assert pixels.dtype == np.uint8
        assert packed.dtype == np.int32
        assert pixels.shape == (len(packed), 32, SETTINGS.padded_width(widths.max()), 1)
        assert packed[:, 1].tolist() == time_steps(widths).tolist()
        for row, text in zip(packed, texts_of(packed), strict=True):
            assert row[2 : 2 + row[0]].tolist() == CHARSET.encode(text)
            assert not row[2 + row[0] :].any()  # padded with the blank, which is no character
        for picture, width in zip(pixels, widths, strict=True):
            assert picture[:, :width].max() > 96
            assert picture[:, width:].sum() == 0


def test_picture_and_label_belong_together():
    """Pictures as wide as their number of letters: after augmentation the longest text still has the widest one."""
    samples = [Sample("short", "i", word("i", 40)), Sample("long", "mmmmmm", word("mmmmmm", 40))]
    usable, _ = batches.prepare(samples, CHARSET, SETTINGS)
    for seed in range(10):
        (_, widths), packed = batches.make(usable, SETTINGS, np.random.default_rng(seed))
        assert texts_of(packed) == ["i", "mmmmmm"]
        assert widths[0] < widths[1]


def test_label_always_fits_its_picture():
    tight = "iiiillll" * 3
    usable, skipped = batches.prepare([Sample("t", tight, word("illimitable il", 40))], CHARSET, SETTINGS)
    assert not skipped
    for seed in range(30):
        _, packed = batches.make(usable, SETTINGS, np.random.default_rng(seed))
        assert packed[0, 1] >= batches.steps_needed(usable[0].classes)


def test_picture_too_narrow_for_its_text_is_skipped():
    samples = [Sample("narrow", "far too long a text for it", word("i", 40)), Sample("fits", "i", word("i", 40))]
    usable, skipped = batches.prepare(samples, CHARSET, SETTINGS)
    assert [p.sample.id for p in usable] == ["fits"]
    assert skipped == [Skipped("narrow", "picture too narrow for its text 'far too long a text for it'")]


def test_repeated_letters_need_room_for_the_blank_between_them():
    gray = word("ll", 40)
    steps = time_steps(batches.prepare([Sample("x", "a", gray)], CHARSET, SETTINGS)[0][0].width)
    once, twice = Sample("once", "ab" * steps, gray), Sample("twice", "a" * (steps // 2 + 2), gray)
    assert batches.prepare([Sample("fits", ("ab" * steps)[:steps], gray)], CHARSET, SETTINGS)[1] == []
    assert [s.id for s in batches.prepare([once, twice], CHARSET, SETTINGS)[1]] == ["once", "twice"]


def test_number_of_batches_is_foretold(prepared):
    assert batches.batches_per_epoch(prepared, SETTINGS, 3, SMALL) == len(epoch(prepared, 0))


def test_abandoned_epoch_leaves_no_threads_behind(prepared):
    import threading

    before = threading.active_count()
    produced = batches.epoch(prepared, SETTINGS, 3, 0, 0, SMALL)
    next(produced)
    produced.close()
    assert threading.active_count() == before


def test_abandoned_epoch_leaves_no_processes_behind(prepared):
    import multiprocessing

    produced = batches.epoch(prepared, SETTINGS, 3, 0, 0, replace(SMALL, workers=2))
    next(produced)
    assert multiprocessing.active_children()
    produced.close()
    assert not multiprocessing.active_children()


def test_batches_of_a_size_hold_so_many_pictures(prepared):
    batching = batches.Batching(size=7)
    made = list(batches.epoch(prepared, SETTINGS, 0, 0, 0, batching))
    assert sorted(len(packed) for _, packed in made) == [3, 7, 7, 7]
    assert batches.batches_per_epoch(prepared, SETTINGS, 0, batching) == 4
    assert Counter(t for _, packed in made for t in texts_of(packed)) == Counter(WORDS)


def test_without_augmentation_pictures_are_as_they_are_read(prepared):
    plain = {p.sample.text: normalize(p.sample.gray, SETTINGS).pixels for p in prepared}
    for (pixels, widths), packed in batches.epoch(prepared, SETTINGS, 0, 1, 0, batches.Batching(augmentation=False)):
        for picture, width, text in zip(pixels, widths, texts_of(packed), strict=True):
            np.testing.assert_array_equal(picture[:, :width, 0], plain[text])


@pytest.mark.parametrize("size", [None, 3])
def test_few_shapes_hold_every_sample_and_fill_up_with_others(prepared, size):
    batching = batches.Batching(size=size, columns=1024, few_shapes=True)
    made = epoch(prepared, 1, batching=batching)
    shapes = {pixels.shape for (pixels, _), _ in made}
    assert len({shape[2] for shape in shapes}) == len(shapes)  # a width has one number of pictures
    assert all(count == (size or max(1, 1024 // width)) for count, _, width, _ in shapes)
    seen = Counter(t for _, packed in made for t in texts_of(packed))
    assert all(seen[text] >= count for text, count in Counter(WORDS).items())
    assert batches.batches_per_epoch(prepared, SETTINGS, 3, batching) == len(made)


def test_few_shapes_hold_at_most_256_samples_unless_a_size_is_asked_for(prepared):
    many = prepared[:1] * 300
    batching = batches.Batching(columns=100_000, few_shapes=True)
    planned = batches.plan(many, SETTINGS, np.random.default_rng(0), False, batching)
    assert [len(batch) for batch in planned] == [256, 256]
    assert {i for batch in planned for i in batch} == set(range(300))
    larger = batches.plan(many, SETTINGS, np.random.default_rng(0), False, replace(batching, size=300))
    assert [len(batch) for batch in larger] == [300]


def test_few_shapes_leave_pictures_as_they_are_where_nothing_is_augmented(prepared):
    plain = {p.sample.text: normalize(p.sample.gray, SETTINGS).pixels for p in prepared}
    batching = batches.Batching(columns=1024, few_shapes=True, augmentation=False)
    for (pixels, widths), packed in epoch(prepared, 1, batching=batching):
        for picture, width, text in zip(pixels, widths, texts_of(packed), strict=True):
            np.testing.assert_array_equal(picture[:, :width, 0], plain[text])


def test_there_are_few_widths_and_each_has_some_room():
    settings = Normalization()
    widths = {batches.roomy_width(w, settings) for w in range(1, settings.max_width + 1)}
    assert len(widths) <= 13
    assert max(widths) == settings.max_width
    assert all(w % settings.width_step == 0 for w in widths)
    for w in range(1, settings.max_width + 1):
        assert min(1.1 * w, settings.max_width) <= batches.roomy_width(w, settings) <= 1.45 * w + 128


def test_lines_whose_gaps_are_known_are_met_in_other_orders_and_in_parts():
    left, right = word("it", 40), word("writing", 40)
    gap = left.shape[1] / (left.shape[1] + right.shape[1])
    sample = Sample("line", "it writing", np.hstack([left, right]), gaps=(gap,))
    (item,), _ = batches.prepare([sample], CHARSET, SETTINGS)
    widths: dict[str, list[int]] = {}
    for seed in range(60):
        (_, (width,)), packed = batches.make([item], SETTINGS, np.random.default_rng(seed))
        widths.setdefault(texts_of(packed)[0], []).append(int(width))
    assert set(widths) == {"it writing", "writing it", "it", "writing"}
    assert len(widths["it writing"]) > 20
    assert max(widths["it"]) < min(widths["writing it"])
    plain = batches.Batching(augmentation=False)
    (_, _), packed = batches.make([item], SETTINGS, np.random.default_rng(0), plain)
    assert texts_of(packed) == ["it writing"]
