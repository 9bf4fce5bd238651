"""Clips of the world, broken."""

from mutant import Mutant

VIDEO, PARSERS = "world/test_world_video.py", "oracles/test_video_parsers.py"
ONSETS, DETECTED = "metrics/test_onsets.py", "spectral/test_onset_detection.py"
CUTS, FILM = "editing/test_cuts.py", "editing/test_film.py"

CLIPS = (
    Mutant(
        "up is down",
        "world/video.py",
        '"up": (0, -1)',
        '"up": (0, 1)',
        f"{VIDEO}::test_the_object_goes_straight_on_and_enters_on_the_other_side",
    ),
    Mutant(
        "what leaves the frame is gone",
        "world/video.py",
        "for x in xs for y in ys]",
        "for x in xs[:1] for y in ys[:1]]",
        f"{VIDEO}::test_motion_and_pulse_tell_nothing_of_each_other",
    ),
    Mutant(
        "clips that begin larger than the image",
        "world/video.py",
        "(now - before)",
        "now",
        f"{VIDEO}::test_a_clip_begins_with_the_image",
    ),
    Mutant(
        "smallest on the beat",
        "world/video.py",
        "math.exp(SWING / 2 * (now",
        "math.exp(-SWING / 2 * (now",
        f"{VIDEO}::test_the_area_is_largest_when_notes_begin",
    ),
    Mutant(
        "a phase of its own",
        "world/video.py",
        "beats(period, scene.random(BEAT))",
        'beats(period, scene.random("video"))',
        f"{VIDEO}::test_the_area_is_largest_when_notes_begin",
    ),
    Mutant(
        "tracks that end at the edge",
        "world/parsers/video.py",
        "np.unwrap(places, axis=0, period=SIDE)",
        "places % SIDE",
        f"{PARSERS}::test_motion_goes_on_beyond_the_edges",
    ),
    Mutant(
        "a motion that turns back is one",
        "world/parsers/video.py",
        "if leaves > MAX_LEAVE:",
        "if leaves < 0:",
        f"{PARSERS}::test_what_is_not_kept_is_invalid",
    ),
    Mutant(
        "slanted motions have a direction",
        "world/parsers/video.py",
        "way if across <= MAX_DRIFT * speed else INVALID",
        "way",
        f"{PARSERS}::test_speeds_between_the_known_ones_are_invalid",
    ),
    Mutant(
        "the first frame's colour is enough",
        "world/parsers/video.py",
        "len({*values}) == 1 and len(values)",
        "len(values)",
        f"{PARSERS}::test_what_is_not_kept_is_invalid",
    ),
    Mutant(
        "any change of size is a pulse",
        "world/parsers/video.py",
        " if shares[best] >= MIN_PERIODIC else INVALID",
        "",
        f"{PARSERS}::test_what_is_not_kept_is_invalid",
    ),
    Mutant(
        "pulses on whole frames",
        "world/parsers/video.py",
        "(peaks + 1 + shifts)",
        "(peaks + 1)",
        f"{PARSERS}::test_pulses_are_where_the_area_is_largest",
    ),
    Mutant(
        "an onset matches twice",
        "metrics/onsets.py",
        "left.pop(0), right.pop(0)",
        "left.pop(0)",
        ONSETS,
    ),
    Mutant(
        "ends count in full",
        "metrics/onsets.py",
        "return span[0] <= time <= span[1]",
        "return True",
        ONSETS,
    ),
    Mutant(
        "onsets where a sound ends",
        "spectral/onsets.py",
        "rises.clamp_min(0).sum(1)",
        "rises.abs().sum(1)",
        DETECTED,
    ),
    Mutant(
        "blocks without what is before them",
        "spectral/onsets.py",
        "max(0, first - halo)",
        "first",
        DETECTED,
    ),
    Mutant(
        "cuts that save no cost",
        "editing/cuts.py",
        "+ lengths.cost(place - p)",
        "",
        CUTS,
    ),
    Mutant(
        "weak onsets as good as strong ones",
        "editing/cuts.py",
        "WEAK * (1 - strength)",
        "WEAK",
        CUTS,
    ),
    Mutant(
        "the favoured clip all the time",
        "editing/choice.py",
        " if clip == last else 0.0)",
        " if clip == -1 else 0.0)",
        CUTS,
    ),
    Mutant(
        "every shot from the beginning of its clip",
        "editing/film.py",
        "islice(frames, shot.first, shot.first + shot.length)",
        "islice(frames, shot.length)",
        FILM,
    ),
)
