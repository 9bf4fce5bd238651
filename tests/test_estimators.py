"""Both estimators keep scikit-learn's contract and Keras's, and reach the figures of the article's sample."""

import importlib
import math
import pickle
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from modaloom.core.errors import BadValue
from modaloom.estimators import VQVAE, DiffusionModel

ESTIMATORS = {"VQVAE": VQVAE, "DiffusionModel": DiffusionModel}
NEEDS_A_SETTING = {"check_array_api_input"}
"""Skipped by scikit-learn itself unless SCIPY_ARRAY_API is set before it is imported."""
BOUND = 10 ** (-2 / 10)
"""The rate–distortion bound of N(0, I) in 10 columns for log 10 nats a row: no code of ten does better."""
STILL = partial(torch.optim.SGD, lr=0.0)
"""An optimizer that leaves the weights as they start."""

both = pytest.mark.parametrize("kind", ESTIMATORS.values(), ids=ESTIMATORS)


def normal(n: int, seed: int) -> Any:
    return np.random.RandomState(seed).normal(size=(n, 10))


def error(rows: Any, others: Any) -> float:
    return float(np.square(rows - others).mean())


@both
def test_scikit_learn_s_own_checks(kind: Any) -> None:
    assert not get_tags(kind()).non_deterministic
    found = check_estimator(kind(epochs=5), on_fail=None, on_skip=None)
    bad = [(one["check_name"], one["exception"]) for one in found if one["status"] != "passed"]
    assert [one for one in bad if one[0] not in NEEDS_A_SETTING] == []
    assert len(found) > 40


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_vqvae_of_the_article_s_sample(seed: int) -> None:
    """Within 10% of k-means on fresh rows; better than the mean, and not better than any code can be."""
    x, fresh = normal(100, seed), normal(10_000, seed + 100)
    vqvae = VQVAE(latent_dim=10, codebook_size=10, random_state=seed)
    vqvae.compile(optimizer="adam", loss="mse")
    vqvae.fit(x, x, epochs=10)
    means = KMeans(10, n_init=10, random_state=seed).fit(x)
    by_means = error(means.cluster_centers_[means.predict(fresh)], fresh)
    assert BOUND < error(vqvae.predict(fresh), fresh) < 1.1 * by_means < 1
    assert error(vqvae.predict(x), x) < error(vqvae.predict(fresh), fresh)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_diffusion_model_of_the_article_s_sample(seed: int) -> None:
    """Noised to ᾱ = ½ and walked back: ideally 2 − 2√½ = 0.586."""
    x, fresh = normal(100, seed), normal(10_000, seed + 100)
    model = DiffusionModel(latent_dim=10, random_state=seed)
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, x, epochs=10)
    assert error(model.predict(fresh), fresh) == pytest.approx(2 - math.sqrt(2), rel=0.1)


@both
def test_a_seed_repeats_and_leaves_torch_and_numpy_alone(kind: Any) -> None:
    x = normal(40, 0)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again, other = (kind(random_state=seed, epochs=2).fit(x) for seed in (3, 3, 4))
    drawn = first.sample(5, random_state=0)
    assert np.array_equal(first.predict(x), again.predict(x))
    assert np.array_equal(drawn, again.sample(5, random_state=0))
    assert not np.array_equal(first.predict(x), other.predict(x))
    assert not np.array_equal(drawn, first.sample(5, random_state=1))
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])


@both
def test_without_a_seed_numpy_s_own_decides(kind: Any) -> None:
    x, answers = normal(40, 0), []
    state = np.random.get_state()
    for _ in range(2):
        np.random.seed(5)
        answers.append(kind(epochs=1).fit(x).predict(x))
    np.random.set_state(state)
    assert np.array_equal(*answers)


@both
def test_copies_and_pickles_answer_alike(kind: Any) -> None:
    x = normal(40, 0)
    model = kind(epochs=1, random_state=0, optimizer=partial(torch.optim.Adam, lr=0.01)).fit(x)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))
    assert np.array_equal(clone(model).fit(x).predict(x), model.predict(x))


@both
def test_keras_s_verbs(kind: Any) -> None:
    """`fit`'s epochs are for that call; the target is the input, whatever y is."""
    x = normal(70, 0)
    model = kind(random_state=0)
    assert model.compile(optimizer="sgd", loss="mse") is model
    assert model.get_params()["optimizer"] == "sgd"
    assert model.fit(x, x, epochs=3) is model
    assert len(model.loss_curve_) == 3
    assert model.get_params()["epochs"] == kind().epochs
    assert model.score(x) == pytest.approx(-error(model.predict(x), x))
    answers = model.predict(x)
    assert np.array_equal(model.fit(x, -x, epochs=3).predict(x), answers)
    with pytest.raises(BadValue, match="allowed: mse"):
        model.compile(loss="mae")


@both
def test_a_column_s_unit_changes_nothing(kind: Any) -> None:
    """Learning sees standardised columns; answers come back in the units of X."""
    x = normal(60, 0)
    scale, shift = np.geomspace(0.5, 512, 11)[:10], np.arange(10.0)
    plain = kind(random_state=0, epochs=2, optimizer=STILL).fit(x)
    model = kind(random_state=0, epochs=2, optimizer=STILL).fit(x * scale + shift)
    latents = plain.transform(x)
    np.testing.assert_allclose(model.transform(x * scale + shift), latents, atol=1e-9)
    np.testing.assert_allclose(
        model.inverse_transform(latents),
        plain.inverse_transform(latents) * scale + shift,
        rtol=1e-6,
        atol=1e-6,
    )


@both
@pytest.mark.parametrize(
    ("parameter", "value"), [("epochs", 0), ("latent_dim", 0), ("optimizer", "adan"), ("random_state", "x")]
)
def test_a_bad_parameter_is_named_when_fitting(kind: Any, parameter: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"epochs is 0|(dim|latent_dim) is 0|did you mean 'adam'|'x' cannot"):
        kind(**{parameter: value}).fit(normal(20, 0))


@both
def test_no_sample_of_nothing(kind: Any) -> None:
    with pytest.raises(BadValue, match="n_samples is 0"):
        kind(epochs=1).fit(normal(20, 0)).sample(0)


def test_codes_are_codes() -> None:
    """depth codes a row, which decode to the reconstruction; samples are decoded codes of training rows."""
    x = normal(80, 0)
    model = VQVAE(codebook_size=7, num_quantizers=2, random_state=0, epochs=2).fit(x)
    codes = model.transform(x)
    assert codes.dtype == np.int64
    assert codes.shape == (80, 2)
    assert (codes.min(), codes.max()) == (0, 6)
    assert np.array_equal(model.inverse_transform(codes), model.predict(x))
    assert np.array_equal(model.codes_, codes)
    assert list(model.get_feature_names_out()) == ["vqvae0", "vqvae1"]
    known = {row.tobytes() for row in model.predict(x)}
    drawn = model.sample(200, random_state=0)
    assert {row.tobytes() for row in drawn} <= known
    assert len(np.unique(drawn, axis=0)) > 0.5 * len(known)


def test_codes_are_drawn_as_often_as_they_occur() -> None:
    """Two points, 1 : 4."""
    x = np.repeat([[0.0, 1.0], [1.0, 0.0]], [20, 80], axis=0)
    model = VQVAE(latent_dim=2, codebook_size=2, random_state=0, optimizer=STILL, epochs=1).fit(x)
    drawn = model.sample(4000, random_state=0)
    np.testing.assert_allclose(np.unique(drawn.round(4), axis=0), [[0, 1], [1, 0]], atol=1e-4)
    assert drawn[:, 0].mean() == pytest.approx(0.8, abs=0.03)


def test_both_weights_count() -> None:
    """The loss is R + λ(1 + β)d, for one batch and a model that stays as it starts."""
    x = normal(30, 0)

    def loss(weight: float, commitment: float) -> float:
        options = {"quantization_weight": weight, "commitment": commitment}
        return float(VQVAE(random_state=0, epochs=1, optimizer=STILL, **options).fit(x).loss_curve_[0])

    assert loss(2, 1) - loss(0, 1) == pytest.approx(4 / 1.25 * (loss(1, 0.25) - loss(0, 0.25)))
    assert loss(1, 0.25) > loss(0, 0.25)


@pytest.mark.parametrize("bad", [[[7, 0]], [[-1, 0]], [[0.5, 0]], [[np.nan, 0]], [[0]], [0, 1], [[0, 0, 0]]])
def test_what_is_no_code_is_refused(bad: Any) -> None:
    model = VQVAE(codebook_size=7, num_quantizers=2, epochs=1).fit(normal(20, 0))
    with pytest.raises(ValueError, match=r"integers in 0\.\.6|columns|NaN|2D array"):
        model.inverse_transform(bad)


def test_more_depths_lose_less() -> None:
    x = normal(300, 0)
    errors = [
        -VQVAE(codebook_size=8, num_quantizers=depth, epochs=5, random_state=0).fit(x).score(x)
        for depth in (1, 2, 4)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.6 * errors[0]


def test_noise_and_back() -> None:
    """The walk there and back is off by its step error, of first order: half as much in twice the steps."""
    x = normal(100, 0)
    model = DiffusionModel(random_state=0, epochs=20).fit(x)
    gaps = [error(model.set_params(steps=n).inverse_transform(model.transform(x)), x) for n in (50, 100, 200)]
    assert np.sqrt(np.divide(gaps[:-1], gaps[1:])) == pytest.approx([2, 2], rel=0.1)
    assert gaps[-1] < 0.001


def test_predict_noises_to_a_half_and_walks_back() -> None:
    """Closed form for a network that says v = 0, where each step shrinks by the cosine of its angle."""
    x, drawn = normal(2000, 0), []
    for seed in (0, 1):
        model = DiffusionModel(random_state=seed, epochs=1, optimizer=STILL, steps=4).fit(x)
        back = model.scaler_.transform(model.predict(x)) / math.cos(math.pi / 8) ** 2
        drawn.append(math.sqrt(2) * back - model.scaler_.transform(x))
    eps, others = drawn
    assert np.abs(np.corrcoef(eps.T) - np.eye(10)).max() < 0.1
    assert abs(eps.mean()) < 4 / math.sqrt(eps.size)
    assert eps.var() == pytest.approx(1, abs=4 * math.sqrt(2 / eps.size))
    for unrelated in (x, others):
        assert abs((eps * unrelated).mean()) < 4 / math.sqrt(eps.size)


def test_it_learns_how_columns_go_together() -> None:
    """Correlated columns: noise that is not, samples that are, neither so before learning."""
    rng = np.random.RandomState(0)
    x = rng.multivariate_normal([5, -3], [[4, 1.8], [1.8, 1]], size=1000)
    faster = partial(torch.optim.Adam, lr=0.01)
    model = DiffusionModel(16, random_state=0, epochs=40, optimizer=faster).fit(x)
    drawn = model.sample(2000, random_state=1)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(0.9, abs=0.05)
    assert drawn.mean(0) == pytest.approx([5, -3], abs=0.2)
    assert drawn.std(0) == pytest.approx([2, 1], rel=0.1)
    noise = model.transform(x)
    assert np.abs(np.cov(noise.T) - np.eye(2)).max() < 0.15
    still = DiffusionModel(16, random_state=0, epochs=1, optimizer=STILL).fit(x)
    assert abs(np.corrcoef(still.sample(2000, random_state=1).T)[0, 1]) < 0.1


def test_without_scikit_learn_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("modaloom.estimators")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"modaloom\[estimators\]"):
        importlib.import_module("modaloom.estimators")
