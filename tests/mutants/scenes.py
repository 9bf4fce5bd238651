"""The built-in world, broken."""

from mutant import Mutant

SCENE, WORDS, WRITE = "world/test_scene.py", "world/test_world_words.py", "world/test_world_write.py"
TEXTS, PARSERS = "oracles/test_text_parsers.py", "oracles/test_parsers.py"
JUDGE = "evaluation/test_parsed_judge.py"

WORLD = (
    Mutant(
        "a held-out direction moves in training",
        "world/splits.py",
        '(direction == DIRECTIONS[turn]) == (name == "level2")',
        'direction == DIRECTIONS[turn] or name != "level2"',
        SCENE,
    ),
    Mutant(
        "still as one motion of nine",
        "world/splits.py",
        "(STILL,) * len(moves) + moves",
        "(STILL, *moves)",
        SCENE,
    ),
    Mutant(
        "held-out voices speak in training",
        "world/splits.py",
        '(voice in VOICES) == (name == "level2")',
        'voice in VOICES or name != "level2"',
        SCENE,
    ),
    Mutant(
        "a fixed motion breaks into held-out triples",
        "world/splits.py",
        "value in hidden.get(f, ()) or value == shown.get(f)",
        "f in hidden or value == shown.get(f)",
        SCENE,
    ),
    Mutant(
        "known clauses of motion in level 2",
        "world/phrasebook.py",
        "self.motions.pick(rng, novel=novel)",
        "self.motions.pick(rng, novel=False)",
        WORDS,
    ),
    Mutant(
        "an error's letter never swapped",
        "world/typos.py",
        "word[at : at + 2][::-1]",
        "word[at : at + 2]",
        TEXTS,
    ),
    Mutant(
        "swapped letters are two errors",
        "world/parsers/typos.py",
        " or (len(one) == 2 and one == other[::-1])",
        "",
        TEXTS,
    ),
    Mutant(
        "the nearest word, though there are several",
        "world/parsers/typos.py",
        "len(known) >= MIN_LENGTH and one_error_apart(word, known)",
        "one_error_apart(word, known)",
        TEXTS,
    ),
    Mutant(
        "a slot said twice counts",
        "world/parsers/lexicon.py",
        "values[0] if len(values) == 1 else INVALID",
        "values[0] if values else INVALID",
        f"{TEXTS} {PARSERS}",
    ),
    Mutant(
        "unknown words are passed over",
        "world/parsers/lexicon.py",
        "fits = not rest and ",
        "fits = ",
        f"{TEXTS} {PARSERS}",
    ),
    Mutant(
        "silence of any text is rest",
        "world/parsers/lexicon.py",
        "still = bool(phrases) and not",
        "still = not",
        f"{TEXTS} {PARSERS}",
    ),
    Mutant(
        "a picture's caption is blamed for the motion",
        "evaluation/parsed.py",
        "fixed = self._fixed(direction.given) & self._named",
        "fixed = self._named",
        JUDGE,
    ),
    Mutant(
        "a caption's motion leaves the speed open",
        "evaluation/parsed.py",
        "        fixed |= {part for part, whole in self.world.part_of.items() if whole in fixed}\n",
        "",
        JUDGE,
    ),
    Mutant(
        "a motion of known speed counts as free",
        "evaluation/parsed.py",
        "self._varying - told",
        "self._varying - fixed",
        JUDGE,
    ),
)
