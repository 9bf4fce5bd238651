"""Explanation of what a run generates."""

import io
import os
import shlex
from collections.abc import Mapping

import numpy as np
from PIL import Image

from modaloom.core.defaults import DEVICE, EXPLAIN_ORDERS, SEED
from modaloom.core.errors import check_choice
from modaloom.data.atomic_io import new_folder, write_file, write_json
from modaloom.data.notices import Notify, silent
from modaloom.evaluation.scores import cautions, scores
from modaloom.loom import explanation
from modaloom.loom.command_line import command_word, plain
from modaloom.loom.explanation import Explanation
from modaloom.loom.run import TrainedRun, load
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.gif import write_gif
from modaloom.report.explanation import explanation_page
from modaloom.runs.store import RunFiles

PAGE, FIGURES, FILM = "explanation.html", "explanation.json", "denoising.gif"
FILM_SIDE, FILM_MILLISECONDS, FILM_END_MILLISECONDS = 256, 120, 1500
"""Pixels of the longer side of a film, and how long each step and the last one is shown."""


def explain(
    run: str | os.PathLike[str] | TrainedRun,
    *,
    given: Mapping[str, Value],
    want: str,
    out: str | os.PathLike[str] | None = None,
    seed: int = SEED,
    orders: int = EXPLAIN_ORDERS,
    film: bool = False,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Explanation:
    """Generates a value and tells which given stream, patch, word, second or column drove it, in bits.

    A part is hidden by masking its codes; by the run's own conditionals that changes how likely the value is
    (occlusion, Zeiler & Fergus 2014, arXiv 1311.2901). Each part gets its Owen value: those of a stream sum
    to its exact Shapley value, all of them to what all that is given tells of the value.

    Args:
        run: a run folder, the name of a bundled run, or a loaded run.
        given: stream → value, at least one.
        want: the target stream.
        out: a new folder for the page, the figures as JSON and, of what has a look, the film; None: nothing
            is written.
        seed: of the value, which is the first that `generate` draws, and of the masks.
        orders: in how many orders the parts of a stream are shown, 1 to 1000: more are more exact.
        film: whether what is known after each sampling step is kept, too.
        device: auto | cpu | cuda | mps; a loaded run stays on its device.
        notify: gets a warning for a direction that is no better than its baseline, and for values that a
            limit of the run shortens.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    if out is None:
        return _explained(trained, given, want, seed, orders, film, notify)
    with new_folder(out) as root:
        found = _explained(trained, given, want, seed, orders, film, notify)
        source = trained.path if isinstance(run, TrainedRun) else run
        own = plain(given, found.given)
        words = [
            "modaloom",
            "explain",
            str(source),
            "--want",
            want,
            "--seed",
            str(seed),
            "--orders",
            str(orders),
        ]
        words += [
            word for name, value in own.items() for word in ("--given", f"{name}={command_word(value)}")
        ]
        command = shlex.join([*words, *["--film"] * film, "--out", "explained"])
        facts = RunFiles(trained.path).data().get("streams", {})
        write_file(root / PAGE, explanation_page(found, facts, command).encode())
        write_json(root / FIGURES, {"command": command, "model": trained.hash, **found.to_dict()})
        look = MODALITIES[found.modality_of[want]].picture
        if found.previews and look is not None:
            frames = [look(preview, facts.get(want, {})) for preview in found.previews]
            write_file(root / FILM, _film(frames))
    return found


def _explained(
    trained: TrainedRun,
    given: Mapping[str, Value],
    want: str,
    seed: int,
    orders: int,
    film: bool,
    notify: Notify,
) -> Explanation:
    check_choice("stream to want", want, trained.model.wanted)
    values, lost = trained.values(given), trained.shortenings()
    for name, value in values.items():
        lost.add(name, trained.lost(name, value))
    for caution in cautions(scores(trained.path), values, [want]):
        notify(caution)
    found = explanation.explain(trained, values, want, seed=seed, orders=orders, film=film)
    lost.notify(notify)
    return found


def _film(pictures: list[Image.Image]) -> bytes:
    """Pictures of one size → an animated GIF that stays at the last one for a while."""
    width, height = pictures[-1].size
    zoom = max(1, FILM_SIDE // max(width, height))
    size = width * zoom, height * zoom
    frames = [np.asarray(one.resize(size, Image.Resampling.NEAREST)) for one in pictures]
    times = [FILM_MILLISECONDS] * (len(frames) - 1) + [FILM_END_MILLISECONDS]
    buffer = io.BytesIO()
    write_gif(zip(frames, times), size[1], size[0], buffer)
    return buffer.getvalue()
