"""Codes and latents of a tokenizer as features, beside principal components of equal number.

python benchmarks/features.py DIGITS [--steps 1500] [--labels 0.1,1] [--dims 8,16,32] [--seeds 0,1,2]

DIGITS is what examples/digits.py wrote. The tokenizer learns the training pictures without their words.
Latents are what its encoder returns, code vectors what is left of them in codes; both are reduced to the
first principal components, as the pixels are. Probes: the five nearest neighbours, and logistic regression
on standardised features, of all training digits or a share of them; accuracy on the test digits.
"""

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from figures import Figures, Target, arguments, integers, numbers, over_seeds, publish
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modaloom import api
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.tokenizers.vqvae import VQVAETokenizer

PROBES = {
    "kNN": lambda: KNeighborsClassifier(5),
    "linear probe": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
}
PIXELS, LATENTS, CODES = "pixels", "latents", "code vectors"
Array = NDArray[np.float64]


@torch.no_grad()
def features_of(tokenizer: VQVAETokenizer, pictures: Sequence[object]) -> dict[str, Array]:
    """Name → (n, D), each position beside the other."""
    packed = torch.from_numpy(np.stack([tokenizer.prepare(picture) for picture in pictures]))
    codes = tokenizer.encode_batch(packed)
    found = {
        PIXELS: tokenizer.codec.normalize(packed),
        LATENTS: tokenizer._encode(tokenizer.codec.normalize(packed)),
        CODES: tokenizer.quantizer.decode(codes),
    }
    return {name: one.flatten(1).double().numpy() for name, one in found.items()}


def reduced(train: Array, test: Array, dims: int) -> tuple[Array, Array]:
    """The first principal components of the training features."""
    components = PCA(min(dims, *train.shape), random_state=0).fit(train)
    return components.transform(train), components.transform(test)


def figures_of(
    train: Mapping[str, Array],
    test: Mapping[str, Array],
    labels: tuple[Array, Array],
    *,
    dims: Sequence[int],
    shares: Sequence[float],
) -> Figures:
    """Accuracy of every probe on every feature, by share of the labels and dimensions."""
    found = {}
    for size in dims:
        for name in train:
            x, x_test = reduced(train[name], test[name], size)
            for share in shares:
                few = slice(0, max(20, round(share * len(x))))
                for probe, make in PROBES.items():
                    right = make().fit(x[few], labels[0][few]).predict(x_test) == labels[1]
                    found[f"{probe}, {size} dimensions, {share:.0%} of the labels: {name}"] = float(
                        right.mean()
                    )
    return found


def measured(folder: Path, *, steps: int, labels: Sequence[float], dims: Sequence[int], seed: int) -> Figures:
    with tempfile.TemporaryDirectory() as place:
        run = api.train(
            folder,
            out=Path(place) / "run",
            preset="tiny",
            streams=["image"],
            steps={"image": steps, "loom": 1},
            seed=seed,
            samples=1,
        )
    tokenizer = run.model.streams["image"].tokenizer
    assert isinstance(tokenizer, VQVAETokenizer)
    index = open_folder(folder)
    reader, split_of = Reader(index), index.splits or {}
    order = np.random.default_rng(seed).permutation(len(index.samples))
    samples = [reader.read(index.samples[i]) for i in order]
    parts = {name: [one for one in samples if split_of[one.key] == name] for name in ("train", "test")}
    features = [features_of(tokenizer, [one.streams["image"] for one in part]) for part in parts.values()]
    words = tuple(np.array([one.streams["text"] for one in part]) for part in parts.values())
    found = figures_of(*features, words, dims=dims, shares=labels)
    return {**gains(found), **found}


def gains(found: Figures) -> Figures:
    """Latents and code vectors above the components of pixels, the mean over dimensions and labels."""
    gained = defaultdict[str, list[float]](list)
    for place in {name.rpartition(": ")[0] for name in found}:
        for name in (LATENTS, CODES):
            above = found[f"{place}: {name}"] - found[f"{place}: {PIXELS}"]
            gained[f"{place.split(',')[0]}: {name} above principal components, mean"].append(above)
    return {name: float(np.mean(gained[name])) for name in sorted(gained)}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="DIGITS")
    parser.add_argument("--steps", type=int, default=1500, help="of the tokenizer")
    parser.add_argument("--labels", type=numbers, default=[0.1, 1.0], help="shares of the labels")
    parser.add_argument("--dims", type=integers, default=[8, 16, 32])
    options = parser.parse_args()
    columns = over_seeds(measured, options)
    targets = [Target(name, 0 if name.endswith(", mean") else None, ">") for name in columns["median"]]
    publish(targets, columns, options.json)


if __name__ == "__main__":
    main()
