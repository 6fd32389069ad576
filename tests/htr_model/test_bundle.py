import contextlib
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from htr_model import bundle
from htr_model.bundle import SETTINGS_FILE, WEIGHTS_FILE, Bundle, BundleError, load, parse, save
from htr_model.charset import Charset
from htr_model.confidence import Calibration
from htr_model.normalization import Normalization


def small() -> Bundle:
    """A bundle of two arrays: enough for everything but reading."""
    rng = np.random.default_rng(0)
    weights = {"a/kernel": rng.normal(0, 1, (3, 4)).astype(np.float32), "a/bias": np.zeros(4, np.float32)}
    return Bundle("resnet-ctc", Charset("abcé "), Normalization(height=32, max_width=256), weights)


@pytest.fixture
def folder(tmp_path):
    save(small(), tmp_path / "b", "# card\n")
    return tmp_path / "b"


def edit(folder, **values):
    settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    (folder / SETTINGS_FILE).write_text(json.dumps({**settings, **values}), encoding="utf-8")


def test_bundle_survives_saving_and_loading(folder):
    original, loaded = small(), load(folder)
    assert loaded.network == original.network
    assert loaded.charset == original.charset
    assert loaded.normalization == original.normalization
    assert loaded.weights.keys() == original.weights.keys()
    for name, array in original.weights.items():
        assert loaded.weights[name].dtype == np.float32
        np.testing.assert_allclose(loaded.weights[name], array, rtol=1e-3, atol=1e-4)
    assert (folder / "README.md").read_text() == "# card\n"


def test_saving_what_was_loaded_changes_nothing(folder, tmp_path):
    again = save(load(folder), tmp_path / "again", "another card")
    assert again == load(folder).id == load(str(tmp_path / "again")).id


def test_save_returns_the_id_that_load_finds(tmp_path):
    assert save(small(), tmp_path / "x", "") == load(tmp_path / "x").id
    assert len(load(tmp_path / "x").id) == 16


@pytest.mark.parametrize(
    "changed",
    [
        lambda b: replace(b, charset=Charset("acbé ")),
        lambda b: replace(b, network="crnn"),
        lambda b: replace(b, normalization=replace(b.normalization, max_upscale=1.5)),
        lambda b: replace(b, weights={**b.weights, "a/bias": np.full(4, 0.01, np.float32)}),
        lambda b: replace(b, weights={**b.weights, "b/bias": np.zeros(1, np.float32)}),
    ],
)
def test_id_changes_with_anything_that_can_change_a_text(tmp_path, changed):
    assert save(small(), tmp_path / "a", "") != save(changed(small()), tmp_path / "b", "")


def test_language_model_survives_and_is_part_of_the_id(folder, tmp_path):
    speaking = replace(small(), language_model=b"n-grams", language_calibration=Calibration((0.2, 0.7), (0.1, 0.9)))
    identity = save(speaking, tmp_path / "s", "")
    loaded = load(tmp_path / "s")
    assert loaded.language_model == b"n-grams" and load(folder).language_model is None
    assert loaded.language_calibration == speaking.language_calibration
    ids = {identity, load(folder).id, save(replace(speaking, language_model=b"others"), tmp_path / "t", "")}
    assert len(ids) == 3 and loaded.id == identity
    assert save(loaded, tmp_path / "u", "") == identity


def test_bundle_without_language_model_leaves_none_behind_in_its_folder(tmp_path):
    save(replace(small(), language_model=b"n-grams"), tmp_path, "")
    assert save(small(), tmp_path, "") == load(tmp_path).id
    assert load(tmp_path).language_model is None


def test_id_does_not_change_with_the_card_or_the_folder(tmp_path):
    assert save(small(), tmp_path / "a", "one card") == save(small(), tmp_path / "b", "another card")


def test_calibration_survives_and_without_it_nothing_is_written(folder, tmp_path):
    assert "calibration" not in json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    calibrated = replace(small(), calibration=Calibration((0.1, 0.9), (0.05, 0.8)))
    assert save(calibrated, tmp_path / "c", "") != load(folder).id
    assert load(tmp_path / "c").calibration == calibrated.calibration


def test_bundle_inside_the_package_keeps_its_id(tmp_path):
    shipped = load(bundle.DEFAULT)
    assert save(shipped, tmp_path / "again", "") == shipped.id


def test_a_bundle_in_the_folder_of_another_takes_its_place(folder):
    new = save(replace(small(), charset=Charset("xyz ")), folder, "new card")
    assert load(folder).id == new
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", SETTINGS_FILE, WEIGHTS_FILE]


def trained_on(steps: int) -> Bundle:
    """Bundles of which nothing fits another's; those of odd steps have a language model."""
    weights = {name: array + steps for name, array in small().weights.items()}
    language_model = b"n-grams" if steps % 2 else None
    return replace(small(), weights=weights, charset=Charset("xyz "[: 2 + steps % 3]), language_model=language_model)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 2)])
def test_a_bundle_that_was_replaced_in_part_is_refused(tmp_path, old, new):
    save(trained_on(old), tmp_path, "")
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").mkdir()  # so that the writing breaks off
    with pytest.raises(OSError):
        save(trained_on(new), tmp_path, "")
    with pytest.raises(BundleError, match=rf"{tmp_path.name}: .*{WEIGHTS_FILE} is not the one .* try again"):
        load(tmp_path)
    (tmp_path / "README.md").rmdir()
    assert save(trained_on(new), tmp_path, "") == load(tmp_path).id


def test_a_bundle_that_is_loaded_while_it_is_replaced_is_one_of_them_or_refused(tmp_path):
    first = save(trained_on(0), tmp_path, "")
    found = set()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [save(trained_on(steps), tmp_path, "") for steps in range(1, 30)])
        while not writing.done():
            with contextlib.suppress(BundleError):
                found.add(load(tmp_path).id)
    assert found <= {first, *writing.result()}
    assert load(tmp_path).id == writing.result()[-1]


def test_another_language_model_may_be_put_into_a_bundle(folder):
    (folder / bundle.LANGUAGE_MODEL_FILE).write_bytes(b"n-grams")
    assert load(folder).language_model == b"n-grams"
    assert save(load(folder), folder, "") == load(folder).id


def test_a_bundle_that_tells_nothing_of_its_weights_is_the_same(folder):
    known = load(folder).id
    settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    del settings["weights_sha256"]
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=1, ensure_ascii=False), encoding="utf-8")
    assert load(folder).id == known


def test_parse_needs_no_folder(folder):
    settings, weights = (folder / SETTINGS_FILE).read_bytes(), (folder / WEIGHTS_FILE).read_bytes()
    assert parse(settings, weights, "gs://bucket/model").id == load(folder).id
    with pytest.raises(BundleError, match=r"^gs://bucket/model: "):
        parse(b"{", weights, "gs://bucket/model")


@pytest.mark.parametrize("missing", [SETTINGS_FILE, WEIGHTS_FILE])
def test_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(BundleError, match=rf"{folder.name}: no model bundle; expected bundle\.json"):
        load(folder)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(BundleError, match="nowhere: no model bundle"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"format_version": 1}'])
def test_damaged_settings_are_refused(folder, content):
    (folder / SETTINGS_FILE).write_bytes(content)
    with pytest.raises(BundleError, match=f"{folder.name}: damaged model bundle"):
        load(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"normalization": {"height": 50}},
        {"normalization": {"unknown": 1}},
        {"normalization": None},
        {"charset": "aa"},
        {"charset": ""},
        {"calibration": None},
        {"calibration": {"scores": [0, 1]}},
        {"calibration": {"scores": [0, 1], "confidences": [0.9, 0.1]}},
        {"calibration": {"scores": [0, 1], "confidences": [0, 2]}},
        {"calibration": {"scores": [0, 10**400], "confidences": [0, 1]}},
        {"normalization": {"line_reach": 10**400}},
        {"format_version": 10**400},
    ],
)
def test_settings_that_make_no_sense_are_refused(folder, values):
    edit(folder, **values)
    with pytest.raises(BundleError, match=f"{folder.name}: damaged model bundle"):
        load(folder)


@pytest.mark.parametrize("kept", [0, 4, 20, 0.5, -1])
def test_truncated_weights_are_refused(folder, kept):
    data = (folder / WEIGHTS_FILE).read_bytes()
    end = int(kept * len(data)) if isinstance(kept, float) else kept
    (folder / WEIGHTS_FILE).write_bytes(data[:end])
    with pytest.raises(BundleError, match=f"{folder.name}: damaged model bundle"):
        load(folder)


def test_later_version_says_what_to_do(folder):
    edit(folder, format_version=bundle.FORMAT_VERSION + 1)
    with pytest.raises(BundleError, match=f"{folder.name}: bundle format 2.*Upgrade inkbeam"):
        load(folder)


class Bomb:
    """Pickled, it would create the file ``burst`` when it is loaded."""

    def __init__(self, burst):
        self.burst = burst

    def __reduce__(self):
        return open, (str(self.burst), "w")


def test_pickles_are_refused_and_never_run(folder, tmp_path):
    burst = tmp_path / "burst"
    data = pickle.dumps(Bomb(burst))
    for name in (WEIGHTS_FILE, SETTINGS_FILE):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(data)
        with pytest.raises(BundleError, match=folder.name):
            load(folder)
        (folder / name).write_bytes(whole)
    np.save(folder / "array.npy", np.array([Bomb(burst)], dtype=object), allow_pickle=True)
    (folder / WEIGHTS_FILE).write_bytes((folder / "array.npy").read_bytes())
    with pytest.raises(BundleError, match=folder.name):
        load(folder)
    assert not burst.exists()


def test_weights_beyond_float16_stay_as_they_are(tmp_path):
    large = replace(small(), weights={"a/moving_variance": np.full(4, 1e5, np.float32)})
    save(large, tmp_path / "large", "")
    assert (load(tmp_path / "large").weights["a/moving_variance"] == 1e5).all()


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    save(replace(small(), weights={"a/bias": np.full(4, np.nan, np.float32)}), tmp_path, "")
    with pytest.raises(BundleError, match="weight a/bias holds values that are no numbers"):
        load(tmp_path)
