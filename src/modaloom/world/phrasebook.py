"""A language for captions: sentence templates, motion clauses and the words of the factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modaloom.world.scene import STILL, Scene


@dataclass(frozen=True)
class Paraphrases:
    """Templates of the same meaning."""

    seen: tuple[str, ...]
    novel: tuple[str, ...]
    """Held out of training: known words in new orders."""

    def pick(self, rng: np.random.Generator, *, novel: bool) -> str:
        return pick(rng, self.novel if novel else self.seen)


@dataclass(frozen=True)
class Phrasebook:
    """Renders a scene as a caption.

    All values of a factor have the same length (in words, or in characters for languages without spaces), so
    that the caption's length depends only on the paraphrase and on whether there is motion.
    """

    stream: str
    """Stream name: the purpose of its random numbers."""
    sentences: Paraphrases
    """Templates with {shape}, {colour}, {size} and {position}."""
    motions: Paraphrases
    """Templates with {direction} and {speed}, appended if the object moves."""
    words: Mapping[str, Mapping[str, str]]
    """Factor → value → words, synonyms separated by bars; other factors use the value itself."""

    def render(self, scene: Scene) -> str:
        """The caption."""
        rng, novel = scene.random(self.stream), scene.novel_words
        sentence = self.sentences.pick(rng, novel=novel).format_map(self._words(rng, scene.factors))
        if scene.motion == STILL:
            return sentence
        motion = {"direction": scene.direction, "speed": scene.speed}
        return sentence + self.motions.pick(rng, novel=novel).format_map(self._words(rng, motion))

    def _words(self, rng: np.random.Generator, values: Mapping[str, str]) -> dict[str, str]:
        known = {name: self.words[name][value] for name, value in values.items() if name in self.words}
        return {**values, **{name: pick(rng, words.split("|")) for name, words in known.items()}}


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """A uniformly random option."""
    return options[int(rng.integers(len(options)))]
