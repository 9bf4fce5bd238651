"""Networks, degradations and tasks of restoration, broken."""

from mutant import Mutant

UNET, LOCAL, HASHED = "networks/test_unet.py", "networks/test_local.py", "oracles/test_hashed.py"
PEER = "oracles/test_unet_peer.py"
DEGRADATIONS, TASKS = "degradations/test_degradations.py", "tasks/test_tasks.py"
HINTS = "tasks/test_hints.py"
RESTORER, RIDGE = "models/test_restorer.py", "evaluation/test_ridge.py"
PIECES, SCORES = "training/test_pieces.py", "evaluation/test_restored_scores.py"
FILES, MODALITIES = "cli/test_cli_restore.py", "contracts/test_modality_contract.py"
PICTURES, STYLE = "modalities/test_image_modality.py", "tasks/test_style_learned.py"
TILES = "models/test_restorer_tiles.py"

RESTORING = (
    Mutant(
        "a block without its time",
        "networks/told.py",
        "self.a(F.silu(self.norm_a(x))) + heard.reshape",
        "self.a(F.silu(self.norm_a(x))) + 0 * heard.reshape",
        f"{UNET} {PEER}",
    ),
    Mutant(
        "the context's sum instead of its mean",
        "networks/told.py",
        "self.member(context_BPV).mean(1)",
        "self.member(context_BPV).sum(1)",
        UNET,
    ),
    Mutant(
        "odd sizes padded with zeros",
        "networks/told.py",
        'mode="replicate"',
        'mode="constant"',
        UNET,
    ),
    Mutant(
        "a halo one convolution short",
        "networks/local.py",
        "len(self.blocks) + 2)",
        "len(self.blocks) + 1)",
        LOCAL,
    ),
    Mutant(
        "even parts left in the first filters",
        "networks/local.py",
        "each.sub_(each.mean(tuple(range(2, each.ndim)), keepdim=True)).mul_(GAIN)",
        "each.mul_(GAIN)",
        LOCAL,
    ),
    Mutant(
        "tiles put where their halo was",
        "networks/tiled.py",
        "slice(s.start - a.start, s.stop - a.start)",
        "slice(0, s.stop - s.start)",
        LOCAL,
    ),
    Mutant(
        "noise that depends on the cut",
        "core/hashed.py",
        "torch.arange(first, first + side)",
        "torch.arange(side)",
        HASHED,
    ),
    Mutant(
        "signed shifts in the hash",
        "core/hashed.py",
        "(x >> bits) & ((1 << (64 - bits)) - 1)",
        "x >> bits",
        HASHED,
    ),
    Mutant(
        "the radius from the angle's hash",
        "core/hashed.py",
        "_hash(2 * seed + 1, rows)",
        "_hash(2 * seed, rows)",
        HASHED,
    ),
    Mutant(
        "axes stirred alike", "core/hashed.py", "_stir(state[..., None] + ", "(state[..., None] + ", HASHED
    ),
    Mutant("another cubic", "degradations/larger.py", "antialias=True", "antialias=False", DEGRADATIONS),
    Mutant(
        "another luma",
        "degradations/luma.py",
        "(19595 / 65536, 38470 / 65536",
        "(20000 / 65536, 38065 / 65536",
        DEGRADATIONS,
    ),
    Mutant(
        "green rounded by itself",
        "degradations/luma.py",
        "((255 * y.squeeze(-3) - weight[0] * red - weight[2] * blue) / weight[1]).round()",
        "(255 * (y + most * away))[..., 1, :, :].round()",
        DEGRADATIONS,
    ),
    Mutant(
        "edges twice as steep",
        "degradations/edges.py",
        "torch.cat([down, right], -3) / 2",
        "torch.cat([down, right], -3)",
        DEGRADATIONS,
    ),
    Mutant(
        "noise of variance sigma",
        "degradations/noise.py",
        "sigma * drawn",
        "sigma**0.5 * drawn",
        DEGRADATIONS,
    ),
    Mutant(
        "holes that never touch the end",
        "degradations/holes.py",
        "side - width + 1",
        "side - width",
        DEGRADATIONS,
    ),
    Mutant(
        "back-projection that moves away", "tasks/superres.py", "image + larger(", "image - larger(", TASKS
    ),
    Mutant(
        "the hole's own values in the mean",
        "tasks/known.py",
        "(known, signal * known)",
        "(known, signal)",
        "tasks/test_known.py",
    ),
    Mutant(
        "what is known repainted",
        "tasks/inpaint.py",
        "torch.where(known > 0, signal, ",
        "torch.where(known > 2, signal, ",
        TASKS,
    ),
    Mutant(
        "luma of the answer",
        "tasks/colorize.py",
        "luma(_hinted(given(signals))[:3])",
        "luma(restored)",
        TASKS,
    ),
    Mutant(
        "the truth shown instead of its grey",
        "tasks/colorize.py",
        "recoloured(grey[:1], image), grey)",
        "image, image)",
        TASKS,
    ),
    Mutant(
        "hints spread to whatever is near",
        "tasks/hints.py",
        ".square() / 2) + LEAST",
        ".square() / 2) + 1",
        HINTS,
    ),
    Mutant("hints spread to all alike", "tasks/hints.py", " / (1 << len(size))", "", HINTS),
    Mutant(
        "hints moved by their own guess", "tasks/hints.py", ", colour, known)", ", colour, 0 * known)", HINTS
    ),
    Mutant("nearness not shown", "tasks/colorize.py", ".clamp(0, 1), near]", ".clamp(0, 1), known]", HINTS),
    Mutant(
        "the candidate with least detail",
        "training/pieces.py",
        "max(places, key=",
        "min(places, key=",
        "training/test_pieces.py",
    ),
    Mutant(
        "the first candidate",
        "training/restoring.py",
        "candidates=config.candidates",
        "candidates=1",
        "training/test_restoring.py",
    ),
    Mutant("other colours without a hint", "tasks/colorize.py", "not known.any() or ", "", HINTS),
    Mutant(
        "hints of the colours before repainting",
        "tasks/colorize.py",
        "hinting(other, known)",
        "hinting(want, known)",
        HINTS,
    ),
    Mutant(
        "octaves of one turn", "networks/told.py", "2**n * math.pi", "2 * math.pi", "networks/test_told.py"
    ),
    Mutant(
        "kernels in the wrong order",
        "training/engine.py",
        "kernel.detach().movedim(1, -1)",
        "kernel.detach().movedim(1, -1).flip(0)",
        "training/test_engine.py",
    ),
    Mutant(
        "a trunk in bfloat16",
        "networks/conv.py",
        "return torch.autocast(x.device.type, enabled=False)",
        "return torch.autocast(x.device.type, enabled=torch.is_autocast_enabled(x.device.type))",
        "networks/test_local.py",
    ),
    Mutant(
        "a mode that was never learned",
        "models/restorer.py",
        '["mean"][: self.means > 0]',
        '["mean"]',
        "evaluation/test_restored_scores.py",
    ),
    Mutant(
        "a target without the guess",
        "tasks/base.py",
        "wanted(held) - self.guess(asked)",
        "wanted(held)",
        TASKS,
    ),
    Mutant(
        "the wrong fault told",
        "tasks/restore.py",
        "torch.eye(len(PARTS))[kind]",
        "torch.eye(len(PARTS))[kind - 1]",
        TASKS,
    ),
    Mutant("one scale for all kinds", "models/restorer.py", "sums[pair.kind] += ", "sums[:] += ", RESTORER),
    Mutant(
        "noise shown to the question of the mean",
        "models/restorer.py",
        " * over(~asked, data)",
        "",
        RESTORER,
    ),
    Mutant(
        "a scale forgotten on the way back",
        "models/restorer.py",
        "+ over(self.scale_K[pair.kind], data) * data",
        "+ data",
        RESTORER,
    ),
    Mutant(
        "a penalty for a patch, not each pixel",
        "evaluation/ridge.py",
        "penalty * len(x_NF)",
        "penalty",
        RIDGE,
    ),
    Mutant(
        "rows and columns of a phase exchanged",
        "evaluation/ridge.py",
        "row, column = divmod",
        "column, row = divmod",
        RIDGE,
    ),
    Mutant(
        "pieces of one scale alone",
        "training/pieces.py",
        "cls(starts, level,",
        "cls(starts, 0,",
        PIECES,
    ),
    Mutant("pieces never mirrored", "training/pieces.py", "bool(mirrored)", "False", PIECES),
    Mutant(
        "signals in [-1, 1] for restoration",
        "modalities/unit.py",
        "signal.add_(1).div_(2)",
        "signal",
        MODALITIES,
    ),
    Mutant("detail of lower frequencies", "metrics/fine.py", "> 0.25", "> 0.2", SCORES),
    Mutant(
        "an answer degraded in another way",
        "evaluation/restored.py",
        "degrade(Signals(found), ",
        "degrade(Signals(1 - found), ",
        SCORES,
    ),
    Mutant(
        "the linear filter of the truth",
        "evaluation/restored.py",
        "self.ridge(guess)",
        "self.ridge(_want(case))",
        SCORES,
    ),
    Mutant(
        "variations from pure noise alone",
        "tasks/asking.py",
        "return start * torch.cat",
        "return torch.cat",
        FILES,
    ),
    Mutant(
        "what is known filled in",
        "tasks/inpaint.py",
        "with_known(signal, ~mask)",
        "with_known(signal, mask)",
        FILES,
    ),
    Mutant(
        "options that training fixed otherwise, answered",
        "runs/restorers.py",
        "not REACHES[reach](trained, asked)",
        "not REACHES[reach](trained, trained)",
        FILES,
    ),
    Mutant(
        "pictures at their own size where whole ones were learned",
        "api/restored.py",
        "found if form is None else fitted(self.modality, found, form)",
        "found",
        FILES,
    ),
    Mutant(
        "whole pictures judged on their middle",
        "api/restored_judge.py",
        "taken if trained.restoration.plan.form else map(_middle, taken)",
        "map(_middle, taken)",
        FILES,
    ),
    Mutant(
        "grey photographs taken for a lesson in colour",
        "training/columns.py",
        "if all((signal == signal[:1]).all()",
        "if not all((signal == signal).all()",
        FILES,
    ),
    Mutant(
        "pictures in memory taken otherwise than their files",
        "modalities/image.py",
        "np.asarray(_rgb(image))",
        'np.asarray(image.convert("RGB"))',
        PICTURES,
    ),
    Mutant(
        "a reference that is not looked at",
        "tasks/style.py",
        "context=patches(reference, options.patch)",
        "context=0 * patches(reference, options.patch)",
        STYLE,
    ),
    Mutant(
        "a halo that is too narrow, in a walk",
        "networks/local.py",
        "len(self.blocks) + 2)",
        "len(self.blocks))",
        TILES,
    ),
    Mutant("noise that depends on the folder", "api/restored.py", "name=stem)", "name=str(out))", FILES),
)
