import pytest

from htr_model import networks
from htr_model.bundle import DEFAULT, load
from htr_model.recognizer import named_weights
from htr_model.variables import misfit


def shapes(name, classes, height=48):
    return {path: array.shape for path, array in named_weights(networks.build(name, height, classes)).items()}


@pytest.fixture(scope="module", params=sorted(networks.NETWORKS))
def built(request):
    return request.param, shapes(request.param, 30)


def test_every_variable_of_every_network_is_known(built):
    """Taken away or of another shape, each of them is missed; so none is told that the network does not have."""
    name, found = built
    assert misfit(name, 48, 30, found) is None
    for path, shape in found.items():
        assert path in misfit(name, 48, 30, {p: s for p, s in found.items() if p != path})
        assert path in misfit(name, 48, 30, {**found, path: (*shape, 1)})


def test_height_of_the_input_is_heeded(built):
    name, _ = built
    assert misfit(name, 64, 30, shapes(name, 30, height=64)) is None


def test_another_charset_or_network_does_not_fit(built):
    name, found = built
    assert "logits/" in misfit(name, 48, 31, found)
    assert all(misfit(other, 48, 30, found) for other in set(networks.NETWORKS) - {name})
    assert "unknown network 'rnn'" in misfit("rnn", 48, 30, found)


def test_default_bundle_fits():
    bundle = load(DEFAULT)
    found = {p: a.shape for p, a in bundle.weights.items()}
    assert misfit(bundle.network, bundle.normalization.height, bundle.charset.classes, found) is None
