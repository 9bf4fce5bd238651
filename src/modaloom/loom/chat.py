"""A conversation with a run: questions, pictures and edits in, what was asked for out.

There is no language model: words go to a stream of the run, and what can be asked are the directions that
the run has learned. What it cannot do is said.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from modaloom.core.defaults import SEED
from modaloom.core.errors import BadValue, bounded, check_choice, check_names, short, shown
from modaloom.core.rng import derive, generator
from modaloom.core.types import Sample
from modaloom.data.atomic_io import check_new
from modaloom.data.notices import Notify, silent
from modaloom.data.writer import Writer, file_names
from modaloom.evaluation.scores import cautions, scores, sides
from modaloom.loom.command_line import generate_command, told
from modaloom.loom.run import TrainedRun
from modaloom.loom.turn import parse_turn, text_streams
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.text import coerce

INSTRUCTION = "instruction"
"""The stream of words that say how to change a picture."""
NUM_LEVELS, NUM_TYPICAL, MAX_SURPRISE = 16, 16, 2.0
"""Noise levels of the likelihoods that tell which stream a sentence is of, drawn values that they are
compared with, and how many times as many bits a sentence may take."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    values: Mapping[str, Value]
    """Generated stream → value."""
    given: Mapping[str, Value]
    """Stream → value, what it was generated from, the remembered picture among them."""
    files: Mapping[str, Path]
    """Stream → the file that was written; empty if there is no folder."""

    def __str__(self) -> str:
        """A line for each value: texts and records as they are, others as their file."""
        files = {n: f for n, f in self.files.items() if not isinstance(self.values[n], str | Mapping)}
        return "\n".join(f"{name}: {files.get(name, told(value))}" for name, value in self.values.items())


@dataclass(frozen=True)
class _Memory:
    """The last picture."""

    value: Value
    source: Value
    """Its file, or the value again."""
    streams: tuple[str, ...]
    """The streams that it may be given as."""


@dataclass
class Chat:
    """A conversation. A turn gives any streams of the run; the last picture, given or generated, is given
    again where the answer needs one and there is no other.

    Args:
        trained: the run.
        out: a new folder for what is generated; None: nothing is written.
        seed: of all answers; equal turns after each other get answers of their own.
        notify: gets a warning for answers that are guesses, and for values that a limit of the run shortens.
    """

    trained: TrainedRun
    out: Path | None = None
    seed: int = SEED
    notify: Notify = silent
    turns: int = field(default=0, init=False)
    """How many were answered."""
    _memory: _Memory | None = field(default=None, init=False)
    _typical: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.out is not None:
            check_new(self.out)

    @cached_property
    def directions(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(Given streams, generated streams) that the run was scored on."""
        return [*dict.fromkeys(sides(row) for row in scores(self.trained.path))]

    @property
    def abilities(self) -> str:
        """What the run can be asked, in words."""
        streams, wanted = ", ".join(self.trained.model.streams), ", ".join(self.trained.model.wanted)
        known = "; ".join(f"{' + '.join(given)} -> {' + '.join(want)}" for given, want in self._asked)
        tried = f"It was trained for and scored on {known}." if known else "It was not scored."
        return f"This run knows {streams}, and nothing else; it generates {wanted}. {tried}"

    @property
    def picture(self) -> Value | None:
        """The last picture, given or generated; None after `forget`."""
        return None if self._memory is None else self._memory.value

    def forget(self) -> None:
        """Forget the last picture."""
        self._memory = None

    def say(self, line: str) -> Reply:
        """Answer a line: `STREAM=VALUE`, `@FILE`, words, and at its end `-> STREAM` for what to answer with.

        Raises `BadValue` and `BadFile`, as `ask`.
        """
        turn = parse_turn(line, self.trained)
        return self.ask(turn.text, given=turn.given, want=turn.want)

    def ask(
        self,
        text: str = "",
        *,
        given: Mapping[str, Value] | None = None,
        want: str | Sequence[str] = (),
    ) -> Reply:
        """Answer a turn.

        Args:
            text: a question, an instruction or a description; which, is told by the streams that the run has:
                a question ends with a question mark, an instruction needs a picture, and other words go to
                the stream in which the run finds them likeliest.
            given: stream → value, as in `TrainedRun.generate`.
            want: streams to answer with; default: what the run was scored on from these.

        Returns:
            What was generated; it is remembered if it is a picture.

        Raises:
            BadValue: what the run cannot answer, and why; a stream or value that it does not know.
            BadFile: an unreadable path.
        """
        if not isinstance(text, str):
            raise BadValue(f"text is {shown(text)}; give a str, and other values as given={{STREAM: VALUE}}")
        own, sources = self.trained.values(given), dict(given or {})
        self._remember(own, sources, ())
        if text := " ".join(coerce(text).split()):
            name = self._stream_of_words(text, own)
            own[name] = sources[name] = text
        for name in text_streams(self.trained):
            if name in own:
                own[name] = sources[name] = self._known_words(name, own[name])
        needed, wanted = self._direction(own, check_names("want", want))
        if self._memory is not None:
            remembered = [name for name in needed if name not in own]
            own |= dict.fromkeys(remembered, self._memory.value)
            sources |= dict.fromkeys(remembered, self._memory.source)
        return self._answered(own, sources, wanted)

    @property
    def _asked(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [pair for pair in self.directions if pair[0]]

    def _stream_of_words(self, text: str, given: Mapping[str, Value]) -> str:
        """The stream that words without a stream are of. Raises `BadValue`."""
        names = [name for name in text_streams(self.trained) if name not in given]
        told = [name for name in names if name in self.trained.model.wanted and name != INSTRUCTION]
        asked = [name for name in names if name not in told and name != INSTRUCTION]
        if not names:
            raise BadValue(f"{short(text)} is of no stream. {self.abilities}")
        if text.endswith("?") and asked:
            return asked[0]
        if INSTRUCTION in names and (self._memory is not None or self._pictures(given)):
            return INSTRUCTION
        surprise = {name: self._surprise(name, text) for name in told}
        likeliest = min(told, key=lambda name: surprise[name], default=names[0])
        return asked[0] if asked and surprise.get(likeliest, 0.0) > MAX_SURPRISE else likeliest

    def _surprise(self, name: str, text: str) -> float:
        """What it takes to tell a text as a value of a stream; 1: as much as a typical value, or a bit."""
        tokenizer = self.trained.model.streams[name].tokenizer
        if tokenizer.shortened(text):
            return math.inf
        if name not in self._typical:
            drawn = [made[name] for made in self.trained.generate({}, name, n=NUM_TYPICAL, seed=self.seed)]
            self._typical[name] = self._nats(name, drawn)
        return self._nats(name, [self._spelt(name, text)[0]]) / max(self._typical[name], math.log(2))

    def _nats(self, name: str, texts: Sequence[str]) -> float:
        """The mean bound of −log p(text)."""
        codes, loom = self.trained.model.codes({name: texts}), self.trained.model.loom
        noise = generator(self.seed, "words", name)
        return float(loom.nelbo(codes, [name], (), generator=noise, points=NUM_LEVELS)[name].mean())

    def _known_words(self, name: str, text: str) -> str:
        """The text as the run spells it. Raises `BadValue` for words that it has never seen."""
        spelt, unknown = self._spelt(name, text)
        if unknown:
            words = bounded(map(short, unknown))
            raise BadValue(f"I cannot answer that: no text that this run has learned from has {words}")
        return spelt

    def _spelt(self, name: str, text: str) -> tuple[str, Sequence[str]]:
        """The text, in small letters if these alone are known, and its words that are not."""
        unknown = self.trained.unknown(name, text)
        small = unknown and not self.trained.unknown(name, text.lower())
        return (text.lower(), ()) if small else (text, unknown)

    def _direction(
        self, own: Mapping[str, Value], want: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What to generate from what: the scored direction that needs least of the memory; else what is asked
        for, from all that is given, with the memory where the run was not scored. Raises `BadValue` if
        nothing is known to answer with."""
        for name in want:
            check_choice("stream to want", name, self.trained.model.wanted)
        memory = () if self._memory is None else self._memory.streams
        fitting = [
            (given, found)
            for given, found in self._asked
            if {*own} <= {*given} and {*given} - {*own} <= {*memory} and {*want} in ({*found}, set())
        ]
        if fitting and (own or want):
            return min(fitting, key=lambda pair: len(pair[0]))
        if want:
            again = () if self.directions else [one for one in memory[-1:] if one not in {*own, *want}]
            return (*own, *again), tuple(want)
        said = " and ".join(own) or "nothing"
        missing = [
            [name for name in given if name not in own] for given, _ in self._asked if {*own} < {*given}
        ]
        least = min(missing, key=len, default=[]) if own else []
        needs = f"it needs {' and '.join(least)}, too" if least else "end with -> STREAM"
        raise BadValue(f"I do not know what to answer to {said}: {needs}. {self.abilities}")

    def _answered(self, own: Mapping[str, Value], sources: Mapping[str, Value], want: Sequence[str]) -> Reply:
        trained, lost = self.trained, self.trained.shortenings()
        if self.directions and ({*own}, {*want}) not in [({*g}, {*w}) for g, w in self.directions]:
            pair = f"{' + '.join(own) or 'nothing'} -> {' + '.join(want)}"
            self.notify(f"this run was never scored on {pair}; what follows may be a guess")
        for caution in cautions(scores(trained.path), own, want):
            self.notify(caution)
        for name, value in own.items():
            lost.add(name, trained.model.streams[name].tokenizer.shortened(value))
        seed = derive(self.seed, "turn", self.turns)
        (made,) = trained.generate(own, want, n=1, seed=seed)
        lost.notify(self.notify)
        sample = Sample(f"{self.turns:04d}", made)
        command = generate_command(
            trained.path, None, sources, want, 1, seed, trained.model.loom.config.sampling, {}
        )
        files = self._written(sample, {"seed": seed, "model": trained.hash, "command": command})
        self.turns += 1
        self._remember(made, files, own)
        return Reply(made, own, files)

    def _written(self, sample: Sample, facts: Mapping[str, object]) -> dict[str, Path]:
        if self.out is None:
            return {}
        self.out.mkdir(parents=True, exist_ok=True)
        Writer(self.out, self.trained.modality_of).write(sample, facts)
        names = file_names(sample, self.trained.modality_of)
        return {stream: self.out / name for stream, name in names.items()}

    def _pictures(self, values: Mapping[str, Value]) -> list[str]:
        """The streams that are pictures: they have a look and no length."""
        modality_of = {name: MODALITIES[self.trained.modality_of[name]] for name in values}
        return [name for name, one in modality_of.items() if one.picture is not None and one.length is None]

    def _remember(
        self, values: Mapping[str, Value], sources: Mapping[str, Value], before: Collection[str]
    ) -> None:
        """The last picture of some values. What words have changed may be given as what it was `before`."""
        kind, changed = self.trained.modality_of, {*before} & {*text_streams(self.trained)}
        for name in self._pictures(values):
            same = [other for other in before if changed and kind[other] == kind[name] and other != name]
            self._memory = _Memory(values[name], sources.get(name, values[name]), (name, *same))
