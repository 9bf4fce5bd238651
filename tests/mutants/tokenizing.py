"""Formulas of the VQ-VAE: parts that equal the whole, crops, losses, and the turns of a stage."""

from mutant import Mutant

AUTOENCODER, ADVERSARY = "networks/test_conv_autoencoder.py", "tokenizers/test_adversary.py"
CROPS, TURNS = "tokenizers/test_crops.py", "training/test_turns.py"
CODEC = "tokenizers/test_codec.py"

TOKENIZING = (
    Mutant(
        "the smallest components instead of the principal ones",
        "networks/linear_path.py",
        "vectors.flip(1)[:, ",
        "vectors[:, ",
        "networks/test_linear_path.py",
    ),
    Mutant(
        "components of patches that are not centred",
        "networks/linear_path.py",
        "zeros[rows] = -(mean @ basis / scale)",
        "zeros[rows] = 0",
        "networks/test_linear_path.py",
    ),
    Mutant(
        "a pyramid without what is left",
        "tokenizers/losses.py",
        "for level in (*levels, error)",
        "for level in (*levels, error)[:1]",
        "tokenizers/test_losses.py",
    ),
    Mutant(
        "a decoder's halo without its first layer",
        "networks/autoencoder.py",
        "[blocks * 2] * len(factors) + [1], [*strides, strides[-1]]",
        "[blocks * 2] * len(factors), strides",
        AUTOENCODER,
    ),
    Mutant(
        "a halo at the wrong scale",
        "networks/autoencoder.py",
        "sum(r * n for r, n in",
        "sum(r for r, n in",
        AUTOENCODER,
    ),
    Mutant(
        "parts in training mode",
        "networks/tiled.py",
        "if self.training or len(x)",
        "if len(x)",
        AUTOENCODER,
    ),
    Mutant(
        "factors of the axes swapped",
        "networks/conv.py",
        "x.reshape(len(x), x.shape[1] // math.prod(cell), *cell,",
        "x.reshape(len(x), x.shape[1] // math.prod(cell), *cell[::-1],",
        "networks/test_conv.py",
    ),
    Mutant(
        "crops that start anywhere",
        "tokenizers/crops.py",
        "start = stride * int(",
        "start = int(",
        CROPS,
    ),
    Mutant(
        "the end of a signal never in a crop",
        "tokenizers/crops.py",
        "-(-(side - length) // stride) + 1",
        "(side - length) // stride + 1",
        CROPS,
    ),
    Mutant(
        "a hinge without margin",
        "tokenizers/adversary.py",
        "(1 + fake).relu()",
        "fake.relu()",
        ADVERSARY,
    ),
    Mutant(
        "the adaptive weight upside down",
        "tokenizers/adversary.py",
        "norms[0] / (norms[1] + 1e-6)",
        "norms[1] / (norms[0] + 1e-6)",
        ADVERSARY,
    ),
    Mutant(
        "a tokenizer that lowers its scores",
        "tokenizers/adversary.py",
        "hinge = -distributed.mean(",
        "hinge = distributed.mean(",
        ADVERSARY,
    ),
    Mutant(
        "a rival that is not saved",
        "training/loop.py",
        "                optimizers.load(checkpoint.tensors",
        "                dict(checkpoint.tensors",
        TURNS,
    ),
    Mutant(
        "a rival that begins at once",
        "training/loop.py",
        "if self.schedule.progress(self.step) >= turn.start:",
        "if True:",
        TURNS,
    ),
    Mutant(
        "progress that a later end changes",
        "runs/schedule.py",
        "done / (begun[-1][1] - 1) if self",
        "done / self.total if self",
        "runs/test_schedule.py",
    ),
    Mutant(
        "a run that is adapted begins with what its tokenizers began with",
        "loom/config.py",
        "{stream: {KIND: kind} for stream, kind in kinds.items() if kind}",
        "self.streams",
        "tokenizers/test_codec_runs.py",
    ),
    Mutant(
        "codebooks that all see the first latents",
        "tokenizers/codec_layouts.py",
        "        z = z - z_q\n",
        "",
        CODEC,
    ),
    Mutant(
        "sounds of a codec are lengthened before it sees them",
        "tokenizers/codec.py",
        "    return signal\n",
        "    return F.pad(signal, (0, -signal.shape[-1] % strides[0]), mode='replicate')\n",
        CODEC,
    ),
)
