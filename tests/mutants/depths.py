"""Sampling by depth, streams that are given in part, and voices, broken."""

from mutant import Mutant

ORDER = "diffusion/test_coarse_to_fine.py"
KEPT = "loom/test_kept_parts.py"
OTHER = "world/test_world_sound.py::test_the_other_voice_says_the_same_as_long_and_is_of_the_same_split"

DEPTHS = (
    Mutant(
        "finer codes before coarser ones",
        "diffusion/frontier.py",
        "self.open & (self.masked == self.masked.amax(1, keepdim=True))",
        "self.open",
        f"{ORDER}::test_depth_by_depth_and_within_it_the_surest_first",
    ),
    Mutant(
        "as many codes in every step",
        "diffusion/samplers/coarse_to_fine.py",
        'SCHEDULES["cosine"]',
        'SCHEDULES["linear"]',
        f"{ORDER}::test_counts_are_those_of_the_cosine_of_each_samples_own_codes",
    ),
    Mutant(
        "kept codes are marked as given",
        "core/types.py",
        "self.known.flatten(1).all(1)",
        "self.known.flatten(1).any(1)",
        f"{KEPT}::test_the_network_sees_kept_codes_as_in_training",
    ),
    Mutant(
        "guidance forgets the length of what is kept",
        "loom/loom.py",
        "done | own, asked",
        "done, asked",
        f"{KEPT}::test_the_network_sees_kept_codes_as_in_training",
    ),
    Mutant(
        "all of a stream that is kept in part stays",
        "loom/fields.py",
        "known = (kept & f.valid)",
        "known = f.valid",
        f"{KEPT}::test_a_gap_is_filled_and_nothing_else_is_touched",
    ),
    Mutant(
        "a gap changes the length",
        "loom/canvas.py",
        "bool((places | ~filled[n]).all())",
        "True",
        f"{KEPT}::test_a_gap_leaves_the_length_of_each_sample_as_it_is",
    ),
    Mutant(
        "what goes on may end earlier",
        "loom/loom.py",
        "shortest(asked[name], self.shapes[name])",
        "0",
        f"{KEPT}::test_what_is_kept_to_its_end_goes_on",
    ),
    Mutant(
        "codes that are only partly within a span",
        "tokenizers/spans.py",
        "(starts >= start) & (ends <= end)",
        "(ends > start) & (ends <= end)",
        "loom/test_signals_of_any_length.py::test_positions_in_spans_are_whole_codes",
    ),
    Mutant(
        "another voice has another rhythm",
        "world/speech.py",
        'voice, scene.random("speech.delivery"))\n\n\ndef reference',
        'voice, scene.random("speech.rhythm"))\n\n\ndef reference',
        OTHER,
    ),
    Mutant(
        "another voice of training in level 2",
        "world/speech.py",
        "(voice in VOICES) == scene.novel_words",
        "voice not in VOICES",
        OTHER,
    ),
    Mutant(
        "a stream that nothing tells of is left out",
        "evaluation/directions.py",
        "if name not in asked and judge.alone(name)",
        "if False",
        "evaluation/test_directions.py::test_a_stream_that_no_other_tells_of_is_wanted_from_nothing",
    ),
)
