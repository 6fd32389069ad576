import cv2
import numpy as np
import pytest

from htr_model.scoring.plots import png
from htr_model.training.tensorboard import EventWriter, _masked_crc


def events(folder):
    """What TensorFlow's own reader, which checks lengths and checksums, finds in the folder's only file."""
    import tensorflow as tf

    (file,) = folder.iterdir()
    records = tf.data.TFRecordDataset(str(file))
    return [tf.compat.v1.Event.FromString(r.numpy()) for r in records]


@pytest.mark.parametrize(("data", "crc"), [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA)])
def test_checksum_is_that_of_the_specification(data, crc):
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    assert _masked_crc(data) == (rotated + 0xA282EAD8) & 0xFFFFFFFF


def test_tensorflow_reads_scalars_and_pictures_back(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 200, 3)).astype(np.uint8)
    writer = EventWriter(tmp_path / "events")
    writer.scalars(300, {"cer": 0.25, "loss": 1.5})
    writer.picture(300, "grid", png(pixels), 200, 30)
    head, cer, loss, grid = events(tmp_path / "events")
    assert head.file_version == "brain.Event:2"
    for event, tag, value in ((cer, "cer", 0.25), (loss, "loss", 1.5)):
        assert (event.step, event.summary.value[0].tag) == (300, tag)
        assert event.summary.value[0].simple_value == value
    image = grid.summary.value[0].image
    assert (image.height, image.width, image.colorspace) == (30, 200, 3)
    shown = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB), pixels)
