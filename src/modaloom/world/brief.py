"""Stream `caption.brief`: the caption in abbreviations, `sm red cir @tl, mv lt slw`."""

from modaloom.world.phrasebook import Paraphrases, Phrasebook
from modaloom.world.scene import DIRECTIONS, FACTORS

BRIEF = Phrasebook(
    "caption.brief",
    Paraphrases(
        seen=(
            "{size} {colour} {shape} @{position}",
            "{position}: {size} {colour} {shape}",
            "{colour} {shape} {size} @{position}",
            "{shape} {colour} {size} @{position}",
            "{position}: {shape}, {colour} {size}",
            "{size} {shape} @{position}, {colour}",
        ),
        novel=(
            "{position}: {colour} {shape}, {size}",
            "{shape} @{position}, {size} {colour}",
            "{colour} {size} {shape} @{position}",
        ),
    ),
    Paraphrases(
        seen=(
            ", mv {direction} {speed}",
            ", {speed} mv {direction}",
            ", go {direction} {speed}",
            ": {speed} go {direction}",
            ": mv {direction} {speed}",
        ),
        novel=(", {speed} go {direction}", ": go {direction} {speed}"),
    ),
    {
        "shape": dict(zip(FACTORS["shape"], ("cir", "sqr", "tri", "str"), strict=True)),
        "colour": dict(zip(FACTORS["colour"], ("red", "grn", "blu", "yel", "pur", "org"), strict=True)),
        "size": {"small": "sm|ti", "large": "lg|hu"},
        "position": {place: "".join(word[0] for word in place.split()) for place in FACTORS["position"]},
        "direction": dict(zip(DIRECTIONS, ("lt", "rt", "up", "dn"), strict=True)),
        "speed": {"slow": "slw", "fast": "fst"},
    },
)
