import cv2
import numpy as np
import pytest

from htr_model.normalization import Normalization, ink_of, normalize, stack, trim, with_less_grain
from tests.htr_model.drawing import likeness, word

SETTINGS = Normalization()
HEIGHT = SETTINGS.height


def ink_box(pixels: np.ndarray, level: int = 96) -> tuple[int, int, int, int]:
    """Rows and columns (top, bottom, left, right; exclusive ends) of pixels above ``level``."""
    rows, columns = np.flatnonzero((pixels > level).any(1)), np.flatnonzero((pixels > level).any(0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def box_picture(height: int, width: int, margin: int = 30, thickness: int = 6) -> np.ndarray:
    """A hollow black rectangle of the given outer size on white."""
    gray = np.full((height + 2 * margin, width + 2 * margin), 255, np.uint8)
    gray[margin : margin + height, margin : margin + width] = 0
    inner = margin + thickness
    gray[inner : margin + height - thickness, inner : margin + width - thickness] = 255
    return gray


@pytest.mark.parametrize(("height", "width"), [(60, 200), (90, 300), (60, 40), (300, 900), (25, 300)])
def test_proportions_of_the_ink_are_kept(height, width):
    top, bottom, left, right = ink_box(normalize(box_picture(height, width), SETTINGS).pixels)
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.06)


@pytest.mark.parametrize("height", [16, 48, 64])
@pytest.mark.parametrize("size", [(1, 1), (20, 7), (100, 400), (500, 90), (3, 3000), (3000, 3)])
def test_height_and_type_are_fixed_and_width_is_bounded(height, size):
    settings = Normalization(height=height)
    gray = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    pixels = normalize(gray, settings).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] == height
    assert 1 <= pixels.shape[1] <= settings.max_width


def test_word_fills_the_height():
    top, bottom, _, _ = ink_box(normalize(word("Hg", 120), SETTINGS).pixels)
    assert bottom - top >= HEIGHT - 8


def test_margins_do_not_change_the_result():
    gray = word("margin")
    roomy = cv2.copyMakeBorder(gray, 20, 35, 50, 80, cv2.BORDER_CONSTANT, value=245)
    tight, loose = normalize(gray, SETTINGS).pixels.astype(int), normalize(roomy, SETTINGS).pixels.astype(int)
    assert tight.shape == loose.shape
    assert np.abs(tight - loose).mean() < 4


def test_ink_is_bright_and_paper_is_zero():
    pixels = normalize(word("ink"), SETTINGS).pixels
    assert pixels.max() > 200
    assert np.percentile(pixels, 30) == 0


def test_small_mark_is_not_blown_up_beyond_the_limit():
    gray = np.full((60, 60), 255, np.uint8)
    gray[40:46, 30:34] = 0
    for limit in (1.0, 2.0, SETTINGS.max_upscale):
        normalized = normalize(gray, Normalization(max_upscale=limit))
        top, bottom, left, right = ink_box(normalized.pixels)
        assert normalized.scale <= limit
        assert bottom - top <= 6 * limit + 1
        assert right - left <= 4 * limit + 1


@pytest.mark.parametrize("rows", [250, 600, 1500, 4000])
def test_small_writing_on_a_large_sheet_is_as_large_as_cut_out(rows):
    alone = word("quantity", 60)
    sheet = np.full((rows, alone.shape[1] + 700), alone.max(), np.uint8)
    top, left = rows // 2 - 40, 500
    sheet[top : top + alone.shape[0], left : left + alone.shape[1]] = alone
    expected, got = normalize(alone, SETTINGS), normalize(sheet, SETTINGS)
    np.testing.assert_allclose(got.pixels.astype(int), expected.pixels, atol=1)
    assert got.left == pytest.approx(expected.left + left, abs=2)
    assert got.scale == pytest.approx(expected.scale, rel=0.03)


def test_wide_picture_is_scaled_down_whole():
    settings = Normalization(max_width=256)
    gray = np.full((60, 3000), 255, np.uint8)
    for x in range(100, 2900, 100):  # 28 strokes, all of which must still be there
        gray[10:50, x : x + 30] = 0
    normalized = normalize(gray, settings)
    assert normalized.pixels.shape[1] <= 256
    middle = normalized.pixels[HEIGHT // 2] > 96
    assert np.count_nonzero(np.diff(middle.astype(int)) == 1) == 28
    top, bottom, left, right = ink_box(normalized.pixels)
    assert (right - left) / (bottom - top) == pytest.approx(2730 / 40, rel=0.2)


def test_remains_of_neighbours_do_not_make_a_line_small():
    gray = np.full((130, 900), 240, np.uint8)
    cv2.putText(gray, "a long line of writing", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 3, cv2.LINE_AA)
    for x in range(60, 850, 200):
        gray[0:9, x : x + 8] = 20
        gray[123:130, x + 50 : x + 58] = 20
    kept, whole = normalize(gray, Normalization()), normalize(gray, Normalization(line_reach=0))
    assert kept.scale > 1.5 * whole.scale


def test_a_line_keeps_its_tall_letters_and_tails():
    gray = np.full((120, 1000), 255, np.uint8)
    cv2.putText(gray, "fly high, jolly fisher, gallop", (10, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 0, 3, cv2.LINE_AA)
    for a, b in zip(
        normalize(gray, Normalization()).pixels.shape,
        normalize(gray, Normalization(line_reach=0)).pixels.shape,
        strict=True,
    ):
        assert a == pytest.approx(b, rel=0.02)


def test_a_word_keeps_all_its_rows():
    gray = np.full((130, 300), 240, np.uint8)
    cv2.putText(gray, "word", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 3, cv2.LINE_AA)
    gray[0:9, 60:68] = 20
    np.testing.assert_array_equal(
        normalize(gray, Normalization()).pixels, normalize(gray, Normalization(line_reach=0)).pixels
    )


@pytest.mark.parametrize(("patch", "paper"), [(230, 255), (215, 255), (200, 255), (190, 240)])
def test_grey_patch_around_the_ink_leaves_no_trace(patch, paper):
    plain = np.full((120, 400), paper, np.uint8)
    patched = plain.copy()
    patched[20:100, 60:340] = patch
    for gray in (plain, patched):
        cv2.putText(gray, "Hand", (130, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 4, cv2.LINE_AA)
    away = np.ones(plain.shape, bool)
    away[25:95, 115:310] = False
    assert ink_of(patched)[away].max() < 32
    a, b = normalize(plain, SETTINGS).pixels.astype(int), normalize(patched, SETTINGS).pixels.astype(int)
    assert a.shape == b.shape
    assert np.abs(a - b).mean() < 8


def test_uneven_light_leaves_no_trace():
    gray = word("shade", 80, paper=255).astype(float) * np.linspace(0.55, 1.0, word("shade", 80).shape[1])
    ink = ink_of(gray.astype(np.uint8))
    assert np.percentile(ink[:8], 99) < 32
    assert ink.max() > 200


def test_a_picture_with_little_grain_is_left_as_it_is():
    gray = word("clean")
    assert with_less_grain(gray) is gray
    slightly = np.clip(gray + np.random.default_rng(1).normal(0, 3, gray.shape), 0, 255).astype(np.uint8)
    assert with_less_grain(slightly) is slightly


@pytest.mark.parametrize("height", [32, 64, 120])
def test_strong_grain_hardly_reaches_the_network(height):
    gray = word("grain", height)
    grainy = np.clip(gray + np.random.default_rng(2).normal(0, 30, gray.shape), 0, 255).astype(np.uint8)

    def off_by(picture):
        return float(np.abs(ink_of(picture).astype(int) - ink_of(gray)).mean())

    assert off_by(with_less_grain(grainy)) < 0.6 * off_by(grainy)
    clean, read = normalize(gray, SETTINGS), normalize(grainy, SETTINGS)
    assert read.pixels.shape[1] == pytest.approx(clean.pixels.shape[1], rel=0.15)


def test_pale_ink_becomes_as_dark_as_black_ink():
    black, pale = (normalize(word("pale", ink=i), SETTINGS).pixels for i in (20, 170))
    assert pale.max() > 200
    assert pale.shape == black.shape


def test_negative_picture_reads_like_the_positive():
    gray = word("negative")
    np.testing.assert_array_equal(normalize(255 - gray, SETTINGS).pixels, normalize(gray, SETTINGS).pixels)


@pytest.mark.parametrize("level", [0, 60, 128, 200, 255])
@pytest.mark.parametrize("size", [(1, 1), (50, 200), (1, 300), (2000, 3)])
def test_paper_without_ink_stays_empty(size, level):
    normalized = normalize(np.full(size, level, np.uint8), SETTINGS)
    assert normalized.pixels.max() == 0
    assert normalized.pixels.shape[0] == SETTINGS.height


def test_grain_of_empty_paper_is_not_amplified():
    rng = np.random.default_rng(0)
    gray = np.clip(rng.normal(220, 3, (60, 300)), 0, 255).astype(np.uint8)
    assert normalize(gray, SETTINGS).pixels.max() < 96


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((5, 5), np.float32),
        np.zeros((5, 5), np.uint16),
        np.zeros((5, 5, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 0), np.uint8),
    ],
)
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ValueError, match=r"uint8 pixels of shape \(h, w\)"):
        normalize(wrong, SETTINGS)


@pytest.mark.parametrize("height", [30, 60, 400])
def test_left_and_scale_lead_back_to_the_source(height):
    gray = np.full((height, 600), 255, np.uint8)
    strokes = (50, 180, 400, 520)
    for x in strokes:
        gray[height // 5 : height - height // 5, x : x + 8] = 0
    normalized = normalize(gray, SETTINGS)
    solid = np.concatenate([[0], normalized.pixels[HEIGHT // 2] > 96, [0]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(solid) == 1), np.flatnonzero(np.diff(solid) == -1)
    found = normalized.left + (starts + ends) / 2 / normalized.scale
    np.testing.assert_allclose(found, np.array(strokes) + 4, atol=max(1.5, 1.5 / normalized.scale))


def test_the_input_picture_is_left_alone():
    gray = 255 - word("same")
    before = gray.copy()
    normalize(gray, SETTINGS)
    np.testing.assert_array_equal(gray, before)


@pytest.mark.parametrize(("width", "padded"), [(1, 64), (64, 64), (65, 128), (128, 128), (SETTINGS.max_width,) * 2])
def test_padded_width_is_the_next_multiple(width, padded):
    assert SETTINGS.padded_width(width) == padded


@pytest.mark.parametrize(
    "values",
    [
        {"height": 40},
        {"height": 0},
        {"width_step": 24},
        {"width_step": 48},
        {"max_width": 1000},
        {"max_upscale": 0},
        {"line_reach": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        Normalization(**values)


def test_max_width_of_nothing_is_refused():
    with pytest.raises(ValueError, match="max_width"):
        Normalization(max_width=0)


# --- other heights ----------------------------------------------------------------------------------------------------


def test_the_default_is_the_usual_one_of_its_height():
    assert Normalization.of_height(HEIGHT) == SETTINGS


@pytest.mark.parametrize("height", range(16, 257, 16))
def test_every_multiple_of_16_rows_has_a_usual_one(height):
    settings, share = Normalization.of_height(height), height / HEIGHT
    assert settings.height == height
    assert settings.max_width == pytest.approx(share * SETTINGS.max_width, abs=settings.width_step / 2)
    assert settings.max_upscale == pytest.approx(share * SETTINGS.max_upscale, abs=0.01)
    assert (settings.width_step, settings.line_reach) == (SETTINGS.width_step, SETTINGS.line_reach)


@pytest.mark.parametrize("height", [-64, 0, 8, 20, HEIGHT + 1])
def test_other_heights_have_no_usual_one(height):
    with pytest.raises(ValueError, match=f"height must be a multiple of 16, got {height}"):
        Normalization.of_height(height)


def test_stack_pads_on_the_right_with_paper_and_keeps_the_widths():
    pictures = [np.full((HEIGHT, w), 200, np.uint8) for w in (30, 100)]
    batch, widths = stack(pictures, SETTINGS)
    assert batch.shape == (2, HEIGHT, 128, 1)
    assert batch.dtype == np.uint8
    assert widths.dtype == np.int32
    assert widths.tolist() == [30, 100]
    assert (batch[0, :, :30] == 200).all()
    assert batch[0, :, 30:].max() == batch[1, :, 100:].max() == 0


def test_stack_of_a_given_width():
    pictures = [np.full((HEIGHT, w), 200, np.uint8) for w in (30, 100)]
    batch, widths = stack(pictures, SETTINGS, 320)
    assert batch.shape == (2, HEIGHT, 320, 1)
    assert widths.tolist() == [30, 100]
    assert (batch[1, :, :100] == 200).all()
    assert batch[0, :, 30:].max() == batch[1, :, 100:].max() == 0


# --- trimming ---------------------------------------------------------------------------------------------------------

LINE = "Come before Easter, if the roads allow"


def on_a_sheet(gray: np.ndarray, margin: int) -> np.ndarray:
    return cv2.copyMakeBorder(gray, margin, 2 * margin, 3 * margin, margin, cv2.BORDER_CONSTANT, value=245)


def with_neighbours(gray: np.ndarray) -> np.ndarray:
    """The picture with remains of the lines above and below at its edges."""
    gray = on_a_sheet(gray, 25)
    for x in range(60, gray.shape[1] - 60, 200):
        gray[:7, x : x + 8] = 30
        gray[-7:, x + 50 : x + 58] = 30
    return gray


SOURCES = {
    "word": word("trimmed", 60),
    "large word": word("trimmed", 300, thickness=8),
    "small word": word("by", 24, thickness=1),
    "word on a sheet": on_a_sheet(word("jug"), 90),
    "huge sheet": on_a_sheet(word("vast", 500, thickness=14), 250),
    "line": word(LINE, 60),
    "large line": word(LINE, 180, thickness=6),
    "line on a sheet": on_a_sheet(word(LINE), 80),
    "line beside others": with_neighbours(word(LINE)),
    "line wider than the network takes": word(LINE * 3, 90, thickness=3),
    "negative": 255 - on_a_sheet(word("film"), 60),
    "pale": word("pale", ink=190),
    "comma": on_a_sheet(word(","), 40),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_network_sees_the_same_of_a_trimmed_picture(name):
    gray = SOURCES[name]
    trimmed = trim(gray, SETTINGS)
    assert trimmed.dtype == np.uint8
    before, after = (normalize(g, SETTINGS).pixels for g in (gray, trimmed))
    assert after.shape[1] == pytest.approx(before.shape[1], abs=3 + 0.02 * before.shape[1])
    # A row more or less of ink moves the writing by half a row, and where that is enlarged by about one of the input.
    assert likeness(gray, trimmed, rows=int(normalize(trimmed, SETTINGS).scale > 1)) > 0.92


@pytest.mark.parametrize("height", [32, 48, 128])
@pytest.mark.parametrize("name", ["word", "large word", "small word", "pale", "line", "large line",
                                  "line beside others", "line wider than the network takes"])  # fmt: skip
def test_in_another_height_a_picture_is_as_large_in_proportion(name, height):
    """Whether its ink fills the height, is enlarged as far as it may, or reaches the greatest width."""
    usual, other = (normalize(SOURCES[name], Normalization.of_height(h)).pixels for h in (HEIGHT, height))
    (top, bottom, left, right), (y0, y1, x0, x1) = ink_box(usual), ink_box(other)
    share = (height - 4) / (HEIGHT - 4)  # four rows are always left empty
    assert y1 - y0 == pytest.approx(share * (bottom - top), rel=0.08, abs=2)
    assert x1 - x0 == pytest.approx(share * (right - left), rel=0.08, abs=2)


@pytest.mark.parametrize("name", SOURCES)
def test_a_trimmed_picture_is_hardly_finer_than_the_networks_input(name):
    gray = SOURCES[name]
    trimmed = trim(gray, SETTINGS)
    assert trimmed.shape[0] <= 1.1 * 1.6 * HEIGHT + 3
    assert trimmed.size <= gray.size


def test_margins_and_surplus_pixels_are_gone():
    gray = SOURCES["huge sheet"]
    assert trim(gray, SETTINGS).size < gray.size / 60


def test_little_is_gained_by_trimming_twice():
    once = trim(SOURCES["line on a sheet"], SETTINGS)
    twice = trim(once, SETTINGS)
    assert all(0 <= a - b <= 3 for a, b in zip(once.shape, twice.shape, strict=True))


def test_paper_is_left_around_the_ink_where_there_is_some():
    top, bottom, left, right = ink_box(255 - trim(on_a_sheet(word("quay"), 90), SETTINGS), 128)
    rows, columns = trim(on_a_sheet(word("quay"), 90), SETTINGS).shape
    spare = 0.3 * (bottom - top)
    for margin in (top, left, rows - bottom, columns - right):
        assert margin == pytest.approx(spare, abs=3)


@pytest.mark.parametrize("size", [(1, 1), (50, 200), (1, 300), (2000, 3)])
def test_nothing_is_trimmed_from_empty_paper(size):
    gray = np.full(size, 240, np.uint8)
    np.testing.assert_array_equal(trim(gray, SETTINGS), gray)


def test_a_trimmed_picture_is_its_own():
    """It neither changes with its source nor keeps the source's pixels alive."""
    for name in ("word", "huge sheet"):
        gray = SOURCES[name].copy()
        trimmed = trim(gray, SETTINGS)
        np.testing.assert_array_equal(gray, SOURCES[name])
        assert not np.shares_memory(trimmed, gray)
        assert trimmed.base is None


@pytest.mark.parametrize("size", [(1, 1), (20, 7), (500, 90), (3, 3000), (3000, 3)])
def test_noise_can_be_trimmed(size):
    gray = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    trimmed = trim(gray, SETTINGS)
    assert min(trimmed.shape) >= 1
    assert normalize(trimmed, SETTINGS).pixels.shape[0] == SETTINGS.height


@pytest.mark.parametrize(
    "wrong", [np.zeros((5, 5), np.float32), np.zeros((5, 5, 3), np.uint8), np.zeros((0, 5), np.uint8)]
)
def test_other_arrays_are_not_trimmed(wrong):
    with pytest.raises(ValueError, match=r"uint8 pixels of shape \(h, w\)"):
        trim(wrong, SETTINGS)


@pytest.mark.parametrize(
    "sizes",
    [
        {"height": 512, "max_width": 2048},
        {"height": 256, "max_width": 2**15},
        {"height": 16, "width_step": 2048, "max_width": 2048},
    ],
)
def test_a_strangers_bundle_cannot_ask_for_pictures_that_exhaust_memory(sizes):
    with pytest.raises(ValueError, match="must be a whole number of at most"):
        Normalization(**sizes)
