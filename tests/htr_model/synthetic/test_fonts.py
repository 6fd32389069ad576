import shutil

import pytest
from fontTools.ttLib import TTFont

from htr_model.charset import LATIN
from htr_model.data.samples import DatasetError
from htr_model.synthetic.fonts import find
from tests.htr_model.synthetic.conftest import typeface


def altered(path, characters: dict[str, str | None]):
    """A copy of a font in which characters show the glyphs of others, or none."""
    font = TTFont(typeface("DejaVuSans"))
    for table in font["cmap"].tables:
        glyphs = dict(table.cmap)
        for character, other in characters.items():
            if ord(character) in glyphs:
                table.cmap[ord(character)] = ".notdef" if other is None else glyphs[ord(other)]
    font.save(path)


def test_fonts_are_found_below_a_folder_with_the_look_that_its_names_say(font_folder):
    fonts, skipped = find(font_folder, LATIN)
    assert [(f.name, f.look) for f in fonts] == [
        ("DejaVuSans-Oblique", "hand"),
        ("printed/old/DejaVuSerif", "printed"),
        ("typed/DejaVuSansMono", "typed"),
    ]
    assert not skipped
    assert all(f.characters == set(LATIN) for f in fonts)
    assert all(0.6 < f.ascent < 0.9 and 0.1 < f.descent < 0.4 for f in fonts)


def test_woff_is_read(tmp_path):
    font = TTFont(typeface("DejaVuSans"))
    font.flavor = "woff"
    font.save(tmp_path / "sans.woff")
    (font,), _ = find(tmp_path, LATIN)
    assert font.characters == set(LATIN)


def test_characters_that_a_font_lacks_are_told_also_where_its_table_promises_them(tmp_path):
    altered(tmp_path / "a.ttf", {"€": None, "ß": " ", "½": None})
    (font,), _ = find(tmp_path, LATIN)
    assert set(LATIN) - font.characters == {"€", "ß", "½"}


def test_small_letters_that_look_like_capitals_are_left_out(tmp_path):
    altered(tmp_path / "a.ttf", {"a": "A", "é": "É"})
    (font,), _ = find(tmp_path, LATIN)
    assert set(LATIN) - font.characters == {"a", "é"}


def test_capitals_that_run_into_one_another_are_not_set_side_by_side(tmp_path):
    font = TTFont(typeface("DejaVuSans"))
    for name, (advance, bearing) in font["hmtx"].metrics.items():
        font["hmtx"].metrics[name] = (round(0.6 * advance), bearing)
    font.save(tmp_path / "tight.ttf")
    shutil.copy(typeface("DejaVuSans"), tmp_path / "wide.ttf")
    (tight, wide), _ = find(tmp_path, LATIN)
    assert [f.can_write("Mr. É. Brown, 12") for f in (tight, wide)] == [True, True]
    assert [f.can_write("the ÉB") for f in (tight, wide)] == [False, True]
    assert not wide.can_write("ש")


def test_files_that_are_no_fonts_for_text_are_named_with_the_reason(tmp_path, font_folder):
    shutil.copy(typeface("DejaVuSans"), tmp_path)
    shutil.copy(typeface("STIXSizOneSymReg"), tmp_path / "symbols.ttf")
    (tmp_path / "broken.ttf").write_bytes(typeface("DejaVuSans").read_bytes()[:3000])
    (tmp_path / "text.otf").write_text("no font")
    (tmp_path / "empty.woff").write_bytes(b"")
    fonts, skipped = find(tmp_path, LATIN)
    assert [f.name for f in fonts] == ["DejaVuSans"]
    assert [s.id for s in skipped] == ["broken", "empty", "symbols", "text"]
    assert skipped[2].reason.startswith("lacks ABC")
    assert all("not a font" in s.reason for s in skipped if s.id != "symbols")


def test_folder_without_fonts_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        find(tmp_path / "nowhere", LATIN)
    (tmp_path / "text.ttf").write_text("no font")
    with pytest.raises(DatasetError, match="holds no usable font .*; text: not a font"):
        find(tmp_path, LATIN)
