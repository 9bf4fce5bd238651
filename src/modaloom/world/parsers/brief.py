"""Abbreviated caption → factors. Shares no code with the renderer."""

from modaloom.world.parsers.lexicon import Lexicon, moves

BRIEF = Lexicon(
    {
        "shape": {"cir": "circle", "sqr": "square", "tri": "triangle", "str": "star"},
        "colour": {
            "red": "red",
            "grn": "green",
            "blu": "blue",
            "yel": "yellow",
            "pur": "purple",
            "org": "orange",
        },
        "size": {"sm": "small", "ti": "small", "lg": "large", "hu": "large"},
        "position": {
            "tl": "top left",
            "tc": "top centre",
            "tr": "top right",
            "ml": "middle left",
            "mc": "middle centre",
            "mr": "middle right",
            "bl": "bottom left",
            "bc": "bottom centre",
            "br": "bottom right",
        },
        "motion": moves(
            ("mv {way} {pace}", "{pace} mv {way}", "go {way} {pace}", "{pace} go {way}"),
            {"lt": "left", "rt": "right", "up": "up", "dn": "down"},
            {"slw": "slow", "fst": "fast"},
        ),
    },
    glue=(),
    skip=r"[\s,:@]",
)
