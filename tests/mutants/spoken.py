"""Speech and music of the world, broken."""

from mutant import Mutant

SOUND, PARSERS = "world/test_world_sound.py", "oracles/test_sound_parsers.py"
PLANTED = f"{PARSERS}::test_planted_words_are_found_in_order"
WHOLE = f"{PARSERS}::test_a_close_call_makes_the_sentence_whole_and_a_clear_word_stands"
WORDS = f"{PARSERS}::test_words_that_lack_or_come_twice_are_invalid"
NOTHING = f"{PARSERS}::test_what_is_nothing_is_invalid"

SPOKEN = (
    Mutant(
        "espeak-ng kept from speaker to speaker",
        "world/espeak.py",
        '            importlib.import_module("_ctypes").dlclose(library._handle)\n',
        "",
        f"{SOUND}::test_what_is_said_depends_on_nothing_said_before",
    ),
    Mutant(
        "a sound as long as its sentence",
        "world/speech.py",
        "_fitting(say, text, length - 2 * margin)",
        "_voiced(say(text, NORMAL_RATE))[: length - 2 * margin]; length = len(said) + 2 * margin",
        f"{SOUND}::test_another_value_makes_no_sound_longer",
    ),
    Mutant(
        "references of training in level 2",
        "world/speech.py",
        "OTHER.pick(rng, novel=scene.novel_words)",
        "OTHER.pick(rng, novel=False)",
        f"{SOUND}::test_held_out_words_are_spoken_where_they_are_due",
    ),
    Mutant(
        "every sound as loud",
        "world/sound.py",
        "rng.uniform(*PEAKS)",
        "PEAKS[1]",
        f"{SOUND}::test_one_scene_never_sounds_twice_the_same",
    ),
    Mutant(
        "sounds written unasked",
        "world/write.py",
        "for name, rule in shown.streams.items() if rule.always]",
        "for name, rule in shown.streams.items()]",
        f"{SOUND}::test_sounds_are_written_where_they_are_asked_for",
    ),
    Mutant(
        "a robot that keeps the phases",
        "world/derived_speech.py",
        "np.fft.irfft(np.abs(np.fft.rfft(frames * taper)))",
        "np.fft.irfft(np.fft.rfft(frames * taper))",
        f"{SOUND}::test_a_robot_has_a_pitch_of_100_hertz_and_the_same_loudness_over_time",
    ),
    Mutant(
        "a band limit an octave lower",
        "world/derived_speech.py",
        "(CUTOFF - np",
        "(CUTOFF / 2 - np",
        f"{SOUND}::test_a_narrow_band_keeps_what_is_below",
    ),
    Mutant(
        "beats of another tempo",
        "world/music.py",
        "1 / TEMPOS[scene.tempo]",
        "1.1 / TEMPOS[scene.tempo]",
        f"{SOUND}::test_notes_begin_on_the_beat",
    ),
    Mutant(
        "words that begin before the last has ended",
        "world/parsers/connected.py",
        "skip[self.first] = skip[self.second] = FAR",
        "skip[self.second] = FAR",
        f"{PARSERS}::test_a_word_that_is_cut_short_is_a_word",
    ),
    Mutant(
        "paths that forget where their word began",
        "world/parsers/connected.py",
        "node[2:] = np.where(best == stay, node[2:], np.where(best == step, came, node[:-2]))",
        "node[2:] = np.where(best == step, came, node[2:])",
        PLANTED,
    ),
    Mutant(
        "a kind named twice for nothing",
        "world/parsers/connected.py",
        "ended + search.costs.amiss * (",
        "ended + 0 * (",
        WHOLE,
    ),
    Mutant(
        "a kind named twice never heard",
        "world/parsers/spoken_words.py",
        "amiss=80",
        "amiss=8000",
        WORDS,
    ),
    Mutant(
        "what comes twice counts",
        "world/parsers/spoken_words.py",
        "values[0] if len(values) == 1 else INVALID",
        "values[0] if values else INVALID",
        WORDS,
    ),
    Mutant(
        "any word makes a sentence",
        "world/parsers/spoken_words.py",
        "len(found) < MIN_WORDS or np.mean([one.distance for one in found]) > MAX_DISTANCE",
        "not found",
        NOTHING,
    ),
    Mutant(
        "noise has a voice",
        "world/parsers/voice.py",
        " and frames.std(0).mean() >= MIN_MOVEMENT",
        "",
        NOTHING,
    ),
    Mutant(
        "everybody is a robot",
        "world/parsers/speech.py",
        ">= MIN_PERIODICITY)",
        ">= MIN_PERIODICITY - 2)",
        f"{PARSERS}::test_robots_and_narrow_bands_are_told_from_voices",
    ),
    Mutant(
        "uneven beats have a tempo",
        "world/parsers/music.py",
        "INVALID if uneven else _within",
        "_within",
        f"{PARSERS}::test_uneven_beats_have_no_tempo",
    ),
    Mutant(
        "onsets where a sound grows softer",
        "world/parsers/music.py",
        "axis=0).clip(0).sum(1)",
        "axis=0).clip(None, 0).sum(1).__neg__()",
        f"{PARSERS}::test_onsets_are_where_clicks_are",
    ),
)
