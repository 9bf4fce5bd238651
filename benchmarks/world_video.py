"""Clips of the synthetic world through a Loom: motion, pulse and sound that are read from them, beside
ceilings.

python benchmarks/world_video.py motion|beat|composite [--minutes 40] [--samples 8000] [--n 100] [--out OUT]
    [--seed 0] [--set KEY=VALUE …] [--sampling KEY=NUMBER …] [--json FILE]

Needs `pip install 'modaloom[media]'`, and `composite` also `modaloom[speech]`. Writes OUT/PART-world and
trains OUT/PART, which are reused where they are there.

`motion` has image and caption → clip of combinations that are absent from training (level 1), clip → caption,
and clips of which the first second, or the first and the last half second, are kept: the other frames are
measured. `beat` has music and an image → clip, and clip → music: pulses against onsets within ± 1 frame.
`composite` draws speech and clip from nothing and puts both into one file. Columns: `retrieval` is the
training sample with the nearest inputs, `static` and `blend` are pictures that stand still or fade into each
other, `constant` is one clip or piece of the median rate for all, `ceiling` the truth through its tokenizer.
"""

from figures import Target
from video_measures import agreement, blend, constant, follows, moves, static
from world_parts import DRAWN_LIKE_THE_DEMO, Asked, Part, run_part, slots, tokenizer_settings

from modaloom.evaluation.on_beat import F1
from modaloom.recipes.demo import SOUND_SETTINGS, VIDEO_SETTINGS

SETTINGS = (
    *tokenizer_settings("audio", SOUND_SETTINGS),
    *tokenizer_settings("video", VIDEO_SETTINGS),
    *DRAWN_LIKE_THE_DEMO,
    *("loom.mixture.target_power=0.25", "training.tokenizer.batch_size=16"),
)
"""Clips and sounds are more often the target, since they take longest to learn; tokenizers of clips want many
steps more than many clips a step."""
IMAGES = ["tokenizers.image.global_codes=1"]
MOVING = (
    *("tokenizers.video.global_codes=1", 'loom.mixture.wanted=["video","caption"]'),
    *("loom.sampling.guidance=2", "loom.sampling.steps=96"),
)
"""Colours of clips in a code of their own, as those of pictures; pictures are never the target."""
BEATING = (
    'loom.mixture.wanted=["video","music"]',
    *("loom.sampling.guidance=1.5", "loom.sampling.steps=96"),
)

CLIP, CAPTION = "image+caption->video, level1: ", "video->caption, level1: "
FIRST, ENDS = [(0.0, 8.0)], [(0.0, 4.0), (12.0, 16.0)]
"""Frames that are kept."""
CONTINUED = Asked("->video", "level1", (moves,), {"static": static}, kept=FIRST)
BETWEEN = Asked("->video", "level1", (moves,), {"blend": blend}, kept=ENDS)
MUSIC, BOTH, BACK = "music->video, seen: ", "music+image->video, level1: ", "video->music, seen: "
PARTS = {
    "motion": Part(
        ("image", "caption", "video"),
        [
            Asked("image+caption->video", "level1", (moves,), {"static": static}),
            Asked("image+caption->video", "level2", (moves,), {"static": static}),
            Asked("video->caption", "level1", (slots,)),
            CONTINUED,
            BETWEEN,
        ],
        [
            Target(f"{CLIP}direction"),
            Target(f"{CLIP}direction / ceiling", 0.95),
            Target(f"{CLIP}speed"),
            Target(f"{CLIP}speed / ceiling", 0.9),
            Target(f"{CLIP}kept"),
            Target(f"{CLIP}kept / ceiling", 0.95),
            *(Target(f"{CLIP}{slot}") for slot in ("shape", "colour", "size", "position", "background")),
            Target("image+caption->video, level2: direction"),
            Target("image+caption->video, level2: kept"),
            Target(f"{CAPTION}slot.mean"),
            Target(f"{CAPTION}slot.motion"),
            *(
                Target(one.name(figure))
                for one in (CONTINUED, BETWEEN)
                for figure in ("direction", "speed", "kept", "tempo")
            ),
        ],
        [*IMAGES, *MOVING],
    ),
    "beat": Part(
        ("music", "image", "video"),
        [
            Asked("music->video", "seen", (follows, moves), {"constant": constant}),
            Asked("music+image->video", "level1", (follows, moves), {"constant": constant}),
            Asked("video->music", "seen", (follows, slots), {"constant": constant}),
        ],
        [
            Target(f"{MUSIC}{F1}", 0.9),
            Target(f"{MUSIC}tempo"),
            Target(f"{BOTH}{F1}", 0.9),
            Target(f"{BOTH}kept"),
            Target(f"{BACK}{F1}"),
            Target(f"{BACK}slot.tempo"),
        ],
        [*IMAGES, *BEATING],
    ),
    "composite": Part(
        ("speech", "video"),
        [Asked("->speech+video", "seen", (agreement,))],
        [
            Target("->speech+video, seen: agreement", 0.8),
            Target("->speech+video, seen: agreement, independent"),
        ],
    ),
}


if __name__ == "__main__":
    run_part(__doc__, PARTS, out="runs/world-video", settings=SETTINGS)
