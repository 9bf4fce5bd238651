"""Connected words in sound, by one-stage dynamic time warping (Ney 1984, doi 10.1109/TASSP.1984.1164320).

Every frame of the sound is matched with a frame of a template. The frames of a template are passed in order,
each for any number of frames, at most one left out at a time; after its last may follow any template, or
silence. A word of a kind that was named before costs extra, and so does a kind that is not named: close calls
make a sentence whole, and what is heard clearly stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modaloom.world.parsers.hearing import Array

FAR = 1e9


@dataclass(frozen=True)
class Template:
    """How a phrase sounds."""

    phrase: str
    kind: int
    """Index of the group of phrases of which a sentence has one."""
    frames: Array
    """(n, D)."""


@dataclass(frozen=True)
class Word:
    """A phrase in a sound."""

    phrase: str
    kind: int
    distance: float
    """Of its frames from the template's, mean."""


@dataclass(frozen=True)
class Costs:
    """Beside the distances of frames."""

    word: float
    silence: float
    amiss: float
    """Of a kind that is named again or never."""


class ConnectedWords:
    """Templates that are searched for together.

    Letters: S states (frames of templates, and silence), W templates and silence, K kinds.
    """

    def __init__(self, templates: Sequence[Template], costs: Costs) -> None:
        self.templates, self.costs = templates, costs
        self.states = np.concatenate([one.frames for one in templates]).astype(np.float32)
        ends = np.cumsum([len(one.frames) for one in templates])
        self.first, self.last = np.append(0, ends), np.append(ends - 1, ends[-1])
        self.second = np.minimum(self.first + 1, self.last)
        num_kinds = 1 + max(one.kind for one in templates)
        self.kind = np.array([*(one.kind for one in templates), num_kinds])
        self.bits = np.append(1 << np.arange(num_kinds), 0)
        self.begin = np.where(self.kind < num_kinds, costs.word, costs.silence)

    def find(self, frames: Array, silence: Array) -> list[Word]:
        """Frames (T, D), and that of silence (D,) → the words of the cheapest path, in order."""
        lattice = _Lattice.empty(len(frames), self)
        cost, node = np.full(len(self.states) + 3, FAR, np.float32), np.zeros(len(self.states) + 3, np.int32)
        for time, distances in enumerate(_distances(frames, np.vstack([self.states, silence]))):
            stay, step, skip = cost[2:], cost[1:-1].copy(), cost[:-2].copy()
            came = node[1:-1].copy()
            step[self.first] = lattice.passed[time, self.kind] + self.begin
            came[self.first] = lattice.number(time)[self.kind]
            skip[self.first] = skip[self.second] = FAR
            best = np.minimum(np.minimum(stay, step), skip)
            node[2:] = np.where(best == stay, node[2:], np.where(best == step, came, node[:-2]))
            cost[2:] = best + distances
            lattice.extend(time + 1, cost[2:][self.last], node[2:][self.last])
        return [*lattice.path()][::-1]


@dataclass(frozen=True)
class _Lattice:
    """Ends of words: after every frame, for each kind and silence, the one after which it best begins.

    Arrays are (T + 1, K + 1), nodes are numbered through them.
    """

    search: ConnectedWords
    word: Array
    before: Array
    named: Array
    """Bits of the kinds that the path has named."""
    ended: Array
    """Cost of the path."""
    passed: Array
    """The same, with what a word of the kind costs extra."""

    @classmethod
    def empty(cls, num_frames: int, search: ConnectedWords) -> "_Lattice":
        shape = num_frames + 1, len(search.bits)
        passed = np.full(shape, FAR)
        passed[0] = 0
        word, before, named = np.zeros((3, *shape), np.int32)
        return cls(search, word, before, named, np.zeros(shape), passed)

    def number(self, time: int) -> Array:
        width = self.word.shape[1]
        return np.arange(time * width, (time + 1) * width)

    def extend(self, time: int, ended: Array, node: Array) -> None:
        """Costs (W,) of paths that end with each template's last frame, and the nodes (W,) before it."""
        search = self.search
        named = self.named.flat[node] | search.bits[search.kind]
        passed = ended + search.costs.amiss * ((named & search.bits[:, None]) > 0)
        word = passed.argmin(1)
        self.word[time], self.before[time], self.named[time] = word, node[word], named[word]
        self.ended[time], self.passed[time] = ended[word], passed[np.arange(len(word)), word]

    def path(self) -> Iterator[Word]:
        """The words of the cheapest path that ends with the sound, from the last."""
        search, width = self.search, self.word.shape[1]
        missing = ((self.named[-1][:, None] & search.bits[:-1]) == 0).sum(1)
        node = self.word.size - width + int((self.ended[-1] + search.costs.amiss * missing).argmin())
        while node >= width:
            word, before = int(self.word.flat[node]), int(self.before.flat[node])
            if word < len(search.templates):
                template = search.templates[word]
                cost = self.ended.flat[node] - self.passed.flat[before] - search.costs.word
                yield Word(template.phrase, template.kind, cost / (node // width - before // width))
            node = before


def _distances(frames: Array, states: Array) -> Array:
    """Euclidean distances (T, S) of frames (T, D) and states (S, D), float32."""
    a, b = frames.astype(np.float32), states.astype(np.float32)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    found: Array = np.sqrt(np.maximum(squares, 0))
    return found
