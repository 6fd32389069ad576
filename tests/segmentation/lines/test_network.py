import threading

import numpy as np
import pytest

from segmentation.geometry import Box
from segmentation.ink.scale import Scale
from segmentation.lines.curves import curves_in_zones
from segmentation.lines.network import DEFAULT, LineModelError, load, model_id
from segmentation.page import CLASSICAL, SegmentationSettings, segment
from tests.segmentation.boxes import intersection_over_union
from tests.segmentation.drawing import SCRIPT, TEXT, draw_page
from tests.segmentation.line_networks import smearing_network, write_network


@pytest.fixture
def network(tmp_path):
    """Folder of a network that smears ink."""
    return write_network(tmp_path / "lines", smearing_network())


def found(gray, folder):
    return segment(gray, SegmentationSettings(lines=str(folder))).layout.lines


# ------------------------------------------------------------------------------------------------ finding


@pytest.mark.parametrize("size", [30, 70])
def test_the_lines_of_a_drawn_page_are_found_through_a_network(network, size):
    page = draw_page(TEXT[:5], size=size, pitch=2.5)
    lines = found(page.gray, network)
    assert len(lines) == len(page.lines)
    for line, true in zip(lines, page.lines, strict=True):
        assert intersection_over_union(line.box, true) > 0.8


@pytest.mark.parametrize("pitch", [1.5, 2.5])
def test_the_network_of_the_package_finds_the_lines_of_a_drawn_page(pitch):
    page = draw_page(font=SCRIPT, pitch=pitch)
    lines = segment(page.gray).layout.lines
    assert len(lines) == len(page.lines)
    for line, true in zip(lines, page.lines, strict=True):
        assert intersection_over_union(line.box, true) > 0.8


def test_the_answer_covers_the_picture_whatever_its_size(network):
    finder = load(network)
    for shape, answer in (((500, 300), (125, 75)), ((33, 1), (8, 1)), ((1, 70), (1, 18)), ((64, 66), (16, 17))):
        zones, factor = finder.find(np.full(shape, 255, np.uint8), 14.0)
        assert factor == 0.25
        assert zones.shape == answer
        assert zones.dtype == np.float32 and zones.max() < 0.5


def test_ink_far_from_an_edge_is_marked_where_it_stands(network):
    flat = np.full((400, 600), 255, np.uint8)
    flat[196:210, 200:400] = 0  # an x-height of ink
    zones, factor = load(network).find(flat, 14.0)
    ys, xs = np.nonzero(zones > 0.5)
    assert ((ys.min() + ys.max() + 1) / 2 / factor, (xs.min() + xs.max() + 1) / 2 / factor) == pytest.approx(
        (203, 300), abs=4
    )


def test_threads_find_the_same_lines_at_once(network):
    grays = [draw_page(TEXT[i:], size=40).gray for i in range(4)]
    alone = [found(gray, network) for gray in grays]
    together = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: found(grays[i], network)})) for i in range(len(grays))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[i] for i in range(len(grays))] == alone


# ------------------------------------------------------------------------------------------------ zones


SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=60.0)


def zones_of(*boxes):
    """An answer at a quarter of a page of 400 × 800 pixels; boxes in the page's pixels."""
    zones = np.zeros((100, 200), np.float32)
    for b in boxes:
        zones[b.top // 4 : b.bottom // 4, b.left // 4 : b.right // 4] = 1
    return zones


def test_a_zone_gives_a_curve_through_its_middle():
    curves = curves_in_zones(zones_of(Box(80, 100, 600, 120), Box(200, 160, 700, 180)), 0.25, SCALE, 800)
    assert len(curves) == 2
    for curve, (left, right, middle) in zip(
        sorted(curves, key=lambda c: c.ys.mean()), [(80, 600, 109.5), (200, 700, 169.5)], strict=True
    ):
        assert (curve.first, curve.last) == pytest.approx((left, right), abs=25)
        assert np.abs(curve.ys - middle).max() < 3


def test_a_gap_between_two_pieces_of_a_line_is_bridged():
    (curve,) = curves_in_zones(zones_of(Box(80, 100, 300, 120), Box(400, 104, 700, 124)), 0.25, SCALE, 800)
    assert curve.first < 100 and curve.last > 680


def test_specks_and_pale_answers_give_no_curves():
    assert curves_in_zones(zones_of(Box(80, 100, 88, 108)), 0.25, SCALE, 800) == []
    assert curves_in_zones(0.3 * zones_of(Box(80, 100, 600, 120)), 0.25, SCALE, 800) == []
    assert curves_in_zones(zones_of(), 0.25, SCALE, 800) == []


# ------------------------------------------------------------------------------------------------ files


def test_the_id_changes_with_each_file(network):
    first = model_id(network)
    assert first == load(network).id and len(first) == 16
    settings = network / "lines.json"
    settings.write_text(settings.read_text().replace("7.0", "6.0"))
    second = model_id(network)
    (network / "network.onnx").write_bytes(smearing_network() + b"\0")
    assert len({first, second, model_id(network)}) == 3


def test_a_missing_network_is_told_of_with_what_to_do(tmp_path):
    with pytest.raises(
        LineModelError, match=r"no line network; expected lines\.json and network\.onnx.*--lines classical"
    ):
        load(tmp_path / "nowhere")
    with pytest.raises(LineModelError, match="no line network"):
        model_id(tmp_path)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"x_height": 0}, "x_height 0 is not between"),
        ({"stride": 3}, "stride 3"),
        ({"multiple": 33}, "multiple 33"),
        ({"stride": 4}, "its answer"),
        ({"colour": 1}, "colour"),
        ({"format_version": 2}, "format 2; this inkbeam reads format 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, settings, reason):
    with pytest.raises(LineModelError, match=reason):
        load(write_network(tmp_path, smearing_network(), **settings))


@pytest.mark.parametrize("damage", [b"", b"PK\3\4 no network", smearing_network, "[]", "{", "{}", "[" * 100_000])
def test_damaged_files_are_refused_with_the_folders_name(tmp_path, damage):
    if callable(damage):
        write_network(tmp_path, damage()[:200])
    elif isinstance(damage, bytes):
        write_network(tmp_path, damage)
    else:
        (write_network(tmp_path, smearing_network()) / "lines.json").write_text(damage)
    with pytest.raises(LineModelError, match=f"{tmp_path.name}.*damaged line network"):
        load(tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    write_network(tmp_path, smearing_network())
    with open(tmp_path / "network.onnx", "r+b") as file:
        file.truncate(2**31)
    with pytest.raises(LineModelError, match="too many"):
        load(tmp_path)


def test_settings_name_the_folder_of_the_network(network):
    settings = SegmentationSettings(lines=str(network))
    assert settings.line_model == network
    assert SegmentationSettings(lines=CLASSICAL).line_model is None
    assert SegmentationSettings().line_model == DEFAULT
