"""The examples that follow the source article run, and print what they promise."""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


@pytest.mark.parametrize("name", ["article", "worked_case", "literal_loss"])
def test_it_prints_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = load(name)
    example["main"]()
    printed = capsys.readouterr().out
    assert all(word in printed for word in example.get("KNOWN", example.get("LOSSES", ["the mean picture"])))
    assert "nan" not in printed


def test_the_article_s_code_stands_in_the_example() -> None:
    """Its statements, in its order and with its own names."""
    source = (EXAMPLES / "article.py").read_text(encoding="utf-8")
    statements = [
        "vqvae = VQVAE(latent_dim=10, codebook_size=10)",
        "diffusion_model = DiffusionModel(latent_dim=10)",
        "x = np.random.normal(size=(100, 10))",
        'vqvae.compile(optimizer="adam", loss="mse")',
        "vqvae.fit(x, x, epochs=10)",
        'diffusion_model.compile(optimizer="adam", loss="mse")',
        "diffusion_model.fit(x, x, epochs=10)",
        "x_prime_vqvae = vqvae.predict(x)",
        "x_prime_diffusion = diffusion_model.predict(x)",
    ]
    places = [source.index(f"\n    {statement}\n") for statement in statements]
    assert places == sorted(places)


def test_the_article_s_figures() -> None:
    figures = load("article")["figures"](7)
    assert figures["the mean, fresh rows"] == pytest.approx(1, abs=0.05)
    assert figures["any ten codes, fresh rows"] == pytest.approx(0.631, abs=0.0005)
    assert figures["any ten codes, fresh rows"] < figures["VQVAE, fresh rows"]
    assert figures["VQVAE, fresh rows"] < 1.1 * figures["k-means, fresh rows"]
    assert figures["DiffusionModel.predict, fresh rows"] == pytest.approx(2 - math.sqrt(2), rel=0.1)


def test_the_worked_case_lies_between_its_limits() -> None:
    """No M codes beat k-means; and from it to the mean picture it goes less than half of the way."""
    mean, ours, means, principal, perplexity = load("worked_case")["figures"]().values()
    assert principal < means < ours < (means + mean) / 2
    assert 16 < perplexity <= 32


@pytest.mark.parametrize("seed", [0, 1])
def test_the_literal_loss_collapses_and_the_right_one_does_not(seed: int) -> None:
    """All codes at the mean of z, which then say nothing: distortion and error are those of the mean."""
    example = load("literal_loss")
    written, right = (example["train"](loss, seed) for loss in example["LOSSES"].values())
    assert written.spread < 0.001
    assert written.distortion > 0.97
    assert written.error > 0.97
    assert right.spread > 0.1
    assert max(right.distortion, right.error) < 0.8
