import keras
import numpy as np
import pytest

from htr_model.networks import NETWORKS, BothWays, UnitRange, build, named_weights, usual_height
from htr_model.normalization import Normalization, normalize, stack
from htr_model.time_steps import TIME_STRIDE, time_steps
from tests.htr_model.drawing import randomise, word

SETTINGS = Normalization()
HEIGHT, CLASSES = SETTINGS.height, 30


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def network(request) -> keras.Model:
    model = build(request.param, HEIGHT, CLASSES)
    randomise(model, seed=1)
    return model


def logits_of(model, pixels, widths) -> np.ndarray:
    return np.asarray(model.predict_on_batch([pixels, widths]))


def pictures_of(widths, seed=0) -> list[np.ndarray]:
    """Noise with ink up to the last column, where padding begins."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (HEIGHT, w)).astype(np.uint8) for w in widths]


def test_one_row_of_logits_per_time_step(network):
    logits = logits_of(network, *stack(pictures_of([100, 250]), SETTINGS))
    assert logits.shape == (2, 256 // TIME_STRIDE, CLASSES)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(("width", "steps"), [(1, 1), (4, 1), (5, 2), (64, 16), (65, 17)])
def test_time_steps_round_up(width, steps):
    assert time_steps(width) == steps
    assert time_steps(np.array([width])).tolist() == [steps]


@pytest.mark.parametrize("width", [8, 61, 62, 63, 64, 97])
def test_padding_changes_no_logit(network, width):
    picture, wide = pictures_of([width, 500], seed=width)
    alone = logits_of(network, *stack([picture], SETTINGS))[0]
    beside = logits_of(network, *stack([picture, wide], SETTINGS))[0]
    steps = time_steps(width)
    assert beside.shape[0] > alone.shape[0]
    np.testing.assert_allclose(beside[:steps], alone[:steps], atol=1e-4)


def test_padding_taken_for_picture_does_change_logits(network):
    """The test above can fail: without the true width the same comparison does not hold."""
    picture, wide = pictures_of([61, 500])
    pixels, widths = stack([picture, wide], SETTINGS)
    right, wrong = logits_of(network, pixels, widths)[0], logits_of(network, pixels, np.full_like(widths, 500))[0]
    assert np.abs(right - wrong)[: time_steps(61)].max() > 1e-2


def test_neighbours_in_the_batch_change_nothing(network):
    picture, one, other = pictures_of([120, 128, 128])
    first = logits_of(network, *stack([picture, one], SETTINGS))[0]
    second = logits_of(network, *stack([other, picture, one, other], SETTINGS))[1]
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_different_pictures_have_different_logits(network):
    logits = logits_of(network, *stack([normalize(word(text), SETTINGS).pixels for text in ("cat", "dog")], SETTINGS))
    assert np.abs(logits[0] - logits[1]).max() > 1e-1


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("height", [16, 32, 48, 64])
def test_any_multiple_of_16_rows_and_fewer_than_6_million_parameters(name, height):
    model = build(name, height, 120)
    assert model.count_params() < 6_000_000
    pixels, widths = np.zeros((1, height, 64, 1), np.uint8), np.array([20], np.int32)
    assert model([pixels, widths], training=False).shape == (1, 16, 120)


def test_weights_have_the_same_names_every_time():
    for name in NETWORKS:
        first, second = ([w.path for w in build(name, 16, 5).weights if "seed" not in w.path] for _ in range(2))
        assert first == second
        assert len(set(first)) == len(first)


def test_mixed_precision_leaves_the_global_policy_alone():
    before = keras.config.dtype_policy().name
    build("crnn", 16, 5, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_logits_are_float32_in_mixed_precision(name):
    assert build(name, 16, 5, precision="mixed_bfloat16").output.dtype == "float32"


def test_unknown_network_is_refused_and_the_known_named():
    with pytest.raises(ValueError, match="crnn, resnet-ctc"):
        build("transformer", HEIGHT, 10)


def test_the_small_classic_has_the_parameters_that_are_published_for_it():
    """424,081 with the 80 symbols of IAM's words and the blank; its usual pictures are 32 rows high."""
    assert build("cnn-bilstm", usual_height("cnn-bilstm"), 81).count_params() == 424_081


def test_the_default_height_is_the_one_that_our_own_networks_were_made_for():
    assert usual_height("cnn-bilstm") == 32
    assert [usual_height(name) for name in ("crnn", "resnet-ctc")] == [HEIGHT, HEIGHT]


def test_pixels_become_shares_of_full_ink():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    shares = np.asarray(UnitRange()(pixels))
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares, np.asarray(keras.layers.Rescaling(1 / 255.0)(pixels)), rtol=1e-6)
    assert (shares.min(), shares.max()) == (0, 1)


# --- LSTMs from both ends ---------------------------------------------------------------------------------------------

LENGTHS = (9, 1, 4, 8)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1, shape).astype(np.float32)


def validity(lengths=LENGTHS, steps: int = 9) -> np.ndarray:
    return (np.arange(steps) < np.array(lengths)[:, None]).astype(np.float32)[:, :, None]


@pytest.fixture(scope="module")
def both_ways() -> BothWays:
    layer = BothWays(5, name="bilstm1")
    layer(noise(1, 9, 6), validity([9]))
    layer.set_weights([noise(*w.shape) for w in layer.get_weights()])
    return layer


def test_both_ways_are_keras_bidirectional_with_a_mask(both_ways):
    x, valid = noise(4, 9, 6), validity()
    lstm = keras.layers.LSTM(5, return_sequences=True, zero_output_for_mask=True)
    masked = keras.layers.Bidirectional(lstm)
    masked.build(x.shape)
    masked.set_weights(both_ways.get_weights())
    expected = np.asarray(masked(x, mask=valid[:, :, 0] > 0.5))
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(np.asarray(both_ways(x, valid)), expected, atol=1e-5)


def test_both_ways_end_and_begin_where_the_picture_does(both_ways):
    """The test above can fail: reading the padding as well gives other values."""
    x = noise(4, 9, 6)
    right, wrong = (np.asarray(both_ways(x, v)) for v in (validity(), np.ones((4, 9, 1), np.float32)))
    assert np.abs(right - wrong)[2, :4].max() > 1e-2


def test_both_ways_leave_the_padding_at_zero_and_do_not_read_it(both_ways):
    x, valid = noise(4, 9, 6), validity()
    y = np.asarray(both_ways(x, valid))
    assert np.abs(y * (1 - valid)).max() == 0
    assert (np.abs(y).max(axis=2) > 0).sum() == sum(LENGTHS)
    np.testing.assert_allclose(np.asarray(both_ways(x + 100 * (1 - valid), valid)), y, atol=1e-5)


def test_both_ways_give_nothing_for_a_picture_of_no_width(both_ways):
    assert np.abs(np.asarray(both_ways(noise(2, 9, 6), validity([0, 9]))))[0].max() == 0


def test_both_ways_learn_what_keras_bidirectional_learns(both_ways):
    import tensorflow as tf

    x, valid, wanted = noise(4, 9, 6), validity(), noise(4, 9, 10)
    masked = keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True, zero_output_for_mask=True))
    masked.build(x.shape)
    masked.set_weights(both_ways.get_weights())

    def gradients(layer, **mask):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((layer(x, **mask) - wanted) ** 2 * valid)
        return tape.gradient(loss, [v.value for v in layer.trainable_variables])

    for ours, theirs in zip(
        gradients(both_ways, valid=valid), gradients(masked, mask=valid[:, :, 0] > 0.5), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_both_ways_name_their_weights_as_keras_bidirectional_did():
    x = keras.Input((None, 6))
    lstm = keras.layers.LSTM(5, return_sequences=True, name="lstm2")
    keras_own = keras.Model(x, keras.layers.Bidirectional(lstm, name="bilstm2")(x))
    valid = keras.Input((None, 1))
    ours = keras.Model([x, valid], BothWays(5, name="bilstm2")(x, valid))
    shapes = ({name: a.shape for name, a in named_weights(model).items()} for model in (keras_own, ours))
    assert next(shapes) == next(shapes)
