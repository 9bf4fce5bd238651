"""Probabilities of the values that a stream can have."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from modaloom.core.defaults import DEVICE, SEED
from modaloom.core.errors import BadValue, check_names
from modaloom.data.notices import Notify, once, silent
from modaloom.evaluation.scores import cautions, scores
from modaloom.loom.jobs import MISSING, batched, jobs_of_folder, jobs_of_rows, reader_of_given
from modaloom.loom.probabilities import ORDERS, Distribution, distributions
from modaloom.loom.run import TrainedRun, load
from modaloom.modalities.base import Value


def probabilities(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str] | None = None,
    *,
    given: Mapping[str, Value] | None = None,
    want: str | Sequence[str],
    among: Mapping[str, Sequence[Value]] | None = None,
    orders: int = ORDERS,
    seed: int = SEED,
    device: str = DEVICE,
    notify: Notify = silent,
) -> dict[str, dict[str, Distribution]]:
    """P(value | given) of every value of records and short texts, by the model's own conditionals.

    Without `folder`: of one sample, `0000`. With it: of every sample, from the streams that it has; `want`
    may then be ("missing",): the records that each sample lacks. Streams may be missing.

    Args:
        run: a run folder, the name of a bundled run, or a loaded run.
        folder: paired files.
        given: stream → value, the same for every sample. Of a record that is wanted as well, the columns that
            it has are given.
        want: streams.
        among: wanted stream of texts → those to compare; default: its training values, at most 256.
        orders: in how many orders the codes of a text are unmasked; the mean is taken.
        seed: of orders, and of noise.
        device: auto | cpu | cuda | mps; a loaded run stays on its device.
        notify: gets a warning for every direction that is no better than its baseline, for values that a
            limit of the run shortens, and for files that cannot be read.

    Returns:
        Key → name → distribution, named by the stream, or STREAM.COLUMN of a record of several columns.

    Raises:
        BadValue, BadFile, BadFolder, BadRun.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    fixed, wanted = trained.values(given), check_names("want", want)
    if not wanted:
        raise BadValue("nothing is wanted; name at least one stream")
    missing, lost, warn = wanted == (MISSING,), trained.shortenings(), once(notify)
    for name, value in fixed.items():
        lost.add(name, trained.lost(name, value))
    reader = None if folder is None else reader_of_given(trained, Path(folder), fixed, wanted, lost)
    _, jobs = (
        jobs_of_rows(trained, [fixed], wanted, 1)
        if reader is None
        else jobs_of_folder(trained, reader, fixed, wanted, 1)
    )
    values = trained.listed(() if missing else wanted, among or {})
    rows, found = scores(trained.path), dict[str, dict[str, Distribution]]()
    for batch in batched(jobs):
        names = [n for n in batch[0].want if not missing or trained.model.streams[n].tokenizer.columns]
        if not names:
            continue
        for caution in cautions(rows, batch[0].given, names):
            warn(caution)
        told = distributions(
            trained.model, [job.given for job in batch], names, among=values, orders=orders, seed=seed
        )
        found |= zip((job.key for job in batch), told)
    for failure in () if reader is None else reader.failures():
        notify(f"left out: {failure}")
    lost.notify(notify)
    return found
