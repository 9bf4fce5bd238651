"""Speech and music of the synthetic world through a Loom: what is recognised, beside ceilings.

python benchmarks/world_sound.py words|voices|music [--minutes 40] [--samples 8000] [--n 100] [--out OUT]
    [--seed 0] [--set KEY=VALUE …] [--sampling KEY=NUMBER …] [--json FILE]

Needs `pip install 'modaloom[speech,estimators]'`; with `modaloom[recognition]`, pocketsphinx is a second
judge of words. Writes OUT/PART-world and trains OUT/PART, which are reused where they are there.

`words` is image, caption and speech, of combinations that are absent from training (level 1), and of voices
that are, too (level 2). `voices` turns speech into a robot's, and into the voice of a reference that says
something else. `music` draws music for a record, for nothing, and around seconds that it keeps. Columns:
`retrieval` is the training sample with the nearest inputs, `copy` the source as it is, `ceiling` the truth
through its tokenizer.
"""

from figures import Target
from sound_measures import copied, differs, distance, voice, words
from world_parts import DRAWN_LIKE_THE_DEMO, Asked, Part, novelty, parsed, run_part, slots, tokenizer_settings

from modaloom.recipes.demo import SOUND_SETTINGS

SETTINGS = (
    *tokenizer_settings("audio", SOUND_SETTINGS),
    *DRAWN_LIKE_THE_DEMO,
    *("loom.mixture.target_power=0.25", "loom.sampling.steps=128"),
)
"""Those of the demo, and sounds more often as the target, since they take longest to learn. Their codes are
drawn nearly one by one."""

GUIDED = "loom.sampling.guidance=1.5"
"""What is given outweighs what was said together in training, which no held-out combination was."""
EVEN = ("loom.sampling.temperature=0.7", "loom.sampling.choice_temperature=1")
"""Likely codes at places that are drawn nearly at random: notes that are a beat apart."""

IMAGE, CAPTION = "image->speech, level1: words", "caption->speech, level1: words"
ROBOT, OTHER = "speech->speech.robot, level1: ", "speech.other+speech.reference->speech, level1: "
CONTINUED, FILLED = [(0.0, 1.0)], [(0.0, 0.6), (1.4, 2.0)]
"""Seconds of music that are kept."""
DISTANCE = "mel-cepstral distance, dB"
PARTS = {
    "words": Part(
        ("image", "caption", "speech"),
        [
            Asked("image->speech", "level1", (words,)),
            Asked("caption->speech", "level1", (words,)),
            Asked("speech->caption", "level1", (slots,)),
            Asked("speech->caption", "level2", (slots,)),
        ],
        [
            Target(IMAGE),
            Target(f"{IMAGE} / ceiling", 0.85),
            Target(f"{IMAGE}, pocketsphinx"),
            Target(CAPTION),
            Target(f"{CAPTION} / ceiling", 0.9),
            Target(f"{CAPTION}, pocketsphinx"),
            Target("speech->caption, level1: slot.mean"),
            Target("speech->caption, level2: slot.mean", 0.95),
        ],
        ["tokenizers.image.global_codes=1", GUIDED],
    ),
    "voices": Part(
        ("speech", "speech.other", "speech.reference", "speech.robot"),
        [
            Asked(
                "speech->speech.robot",
                "level1",
                (words, distance),
                {"copy": copied("speech")},
                differs=differs("speech", "speech.robot"),
            ),
            Asked(
                "speech.other+speech.reference->speech",
                "level1",
                (words, voice, distance),
                {"copy": copied("speech.other")},
                differs=differs("speech.other", "speech"),
            ),
        ],
        [
            Target(f"{ROBOT}words"),
            Target(f"{ROBOT}words / ceiling", 0.9),
            Target(f"{ROBOT}{DISTANCE}"),
            Target(f"{OTHER}words"),
            Target(f"{OTHER}words / ceiling", 0.9),
            Target(f"{OTHER}words, pocketsphinx"),
            Target(f"{OTHER}voice", 0.9),
            Target(f"{OTHER}{DISTANCE}"),
            Target(f"{OTHER}{DISTANCE} / copy", 0.7, "≤"),
        ],
        ['loom.mixture.wanted=["speech","speech.robot"]'],
    ),
    "music": Part(
        ("music", "record"),
        [
            Asked("record->music", "seen", (slots, novelty)),
            Asked("music->record", "seen", (slots,)),
            Asked("->music", "seen", (slots, novelty)),
            *(Asked("->music", "seen", (parsed,), kept=kept) for kept in (CONTINUED, FILLED)),
        ],
        [
            Target("record->music, seen: slot.tempo", 0.95),
            Target("record->music, seen: novelty", 0.8),
            Target("music->record, seen: slot.tempo"),
            *(Target(f"->music, seen: entropy.{name}", 0.95) for name in ("tempo", "instrument", "register")),
            Target("->music, seen: novelty", 0.8),
            *(
                Target(Asked("->music", "seen", (), kept=kept).name(slot))
                for kept in (CONTINUED, FILLED)
                for slot in ("tempo", "instrument", "register")
            ),
        ],
        [GUIDED, *EVEN],
    ),
}


if __name__ == "__main__":
    run_part(__doc__, PARTS, out="runs/world-sound", settings=SETTINGS, fixed={"motion": "still"})
