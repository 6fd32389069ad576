"""Bundles at any address: usable, or an error that names the option and the place."""

import pytest

from pipelines.errors import UsageError
from pipelines.models import load_bundle


def test_missing_bundle_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"--model .*nowhere: no model bundle"):
        load_bundle(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["bundle.json", "weights.safetensors"])
@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: None])
def test_damaged_bundle_is_a_usage_error(tiny_bundle, tmp_path, name, damage):
    for path in tiny_bundle.iterdir():
        data = damage(path.read_bytes()) if path.name == name else path.read_bytes()
        if data is not None:
            (tmp_path / path.name).write_bytes(data)
    with pytest.raises(UsageError, match=f"--model {tmp_path}"):
        load_bundle(str(tmp_path))


def test_errors_name_the_option_by_which_the_bundle_was_given(tmp_path):
    with pytest.raises(UsageError, match=r"--from .*nowhere: no model bundle"):
        load_bundle(str(tmp_path / "nowhere"), "--from")
