"""A language in which a scene is described: templates, the clause of its motion, the words of its factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modaloom.world.scene import STILL, Scene


@dataclass(frozen=True)
class Paraphrases:
    """Templates that say the same."""

    seen: tuple[str, ...]
    novel: tuple[str, ...]
    """Held out of training: known words in new orders."""

    def pick(self, rng: np.random.Generator, *, novel: bool) -> str:
        return pick(rng, self.novel if novel else self.seen)


@dataclass(frozen=True)
class Phrasebook:
    """Renders a scene as a caption.

    All words of a factor are of one length (in words, or in characters where the language has no spaces), so
    that only the paraphrase, and whether there is motion, sets the caption's.
    """

    stream: str
    """Names its random numbers."""
    sentences: Paraphrases
    """With {shape}, {colour}, {size} and {position}."""
    motions: Paraphrases
    """With {direction} and {speed}: what follows on a sentence where the object moves."""
    words: Mapping[str, Mapping[str, str]]
    """Factor → value → its words, synonyms between bars; a factor that is missing is said as it is."""

    def render(self, scene: Scene) -> str:
        """The caption."""
        rng, novel = scene.random(self.stream), scene.novel_words
        said = self.sentences.pick(rng, novel=novel).format_map(self._words(rng, scene.factors))
        if scene.motion == STILL:
            return said
        motion = {"direction": scene.direction, "speed": scene.speed}
        return said + self.motions.pick(rng, novel=novel).format_map(self._words(rng, motion))

    def _words(self, rng: np.random.Generator, values: Mapping[str, str]) -> dict[str, str]:
        known = {name: self.words[name][value] for name, value in values.items() if name in self.words}
        return {**values, **{name: pick(rng, words.split("|")) for name, words in known.items()}}


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options, uniformly."""
    return options[int(rng.integers(len(options)))]
