"""Sounds of the world: nothing leaks, lengths tell nothing, and what is not asked for stays as it was."""

import hashlib
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.modalities import MODALITIES
from modaloom.world import FACTORS, STREAMS
from modaloom.world.espeak import speaker
from modaloom.world.information import exact_mutual_information
from modaloom.world.music import music
from modaloom.world.record import TEMPOS
from modaloom.world.rule import render_all
from modaloom.world.speech import OTHER, SECONDS, SHORT, other, reference, speech
from modaloom.world.splits import SPLITS, VOICES, scene
from modaloom.world.write import write_world

RATE = 16_000
ONE = scene(3, "train", 1)
SOUNDS = [name for name, rule in STREAMS.items() if rule.modality == "audio"]
EARLIER = "709c186089e2faefd8ae78a9e802608cc1f8de69651b56514dce6a426776646a"
"""Of scenes, pictures and texts, before there was sound."""


def hashed(values):
    return hashlib.sha256(b"".join(values)).hexdigest()


def shown(one):
    """Bytes of a scene and its silent streams; voices were fewer."""
    facts = {name: value for name, value in one.facts.items() if name != "voice"}
    yield repr((sorted(facts.items()), one.nuisance, one.novel_words)).encode()
    yield STREAMS["image"].render(one).tobytes()
    for name in ("caption", "question", "answer", "record", "caption.zh", "caption.noisy"):
        yield repr(STREAMS[name].render(one)).encode()


def samples(sound):
    return sound.samples[0].astype(float)


def test_scenes_pictures_and_texts_are_as_before():
    scenes = [
        scene(0, split, index, fixed)
        for split in SPLITS
        for index in range(1, 9)
        for fixed in ({}, {"motion": "still"})
    ]
    assert hashed(part for one in scenes for part in shown(one)) == EARLIER


def test_sixteen_voices_are_trained_and_four_held_out():
    assert (len(FACTORS["voice"]), len(VOICES)) == (20, 4)
    drawn = Counter(scene(0, "train", i).voice for i in range(1600))
    assert set(drawn) == set(FACTORS["voice"]) - VOICES
    assert min(drawn.values()) > 60


def test_every_voice_is_another_and_says_the_same_again():
    """Variants that espeak-ng does not have are ignored; noise of Klatt's has a state of its own."""
    said = [[], []]
    for again in said:
        for voice in FACTORS["voice"]:
            with speaker(voice) as say:
                again.append(say("a large star", 200).tobytes())
    assert said[0] == said[1]
    assert len(set(said[0])) == 20


def test_what_is_said_depends_on_nothing_said_before():
    def said(*texts):
        with speaker("en-us") as say:
            return [say(text, 180).tobytes() for text in texts]

    first = said("a small circle")
    said("something else", "and more")
    speech(ONE)
    assert said("a small circle") == first
    assert speech(ONE) == speech(ONE)


def test_espeak_is_loaded_only_to_speak():
    code = "import sys, modaloom.world, modaloom.world.parsers; sys.exit('espeakng_loader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_missing_extra_and_an_unknown_voice_are_named(monkeypatch, tmp_path):
    with pytest.raises(BadValue, match="no voice 'klingon'"), speaker("klingon"):
        pass
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(BadValue, match=r"pip install 'modaloom\[speech\]'"):
        [*write_world(tmp_path / "w", 1, streams=["speech"])]
    assert not list(tmp_path.iterdir())
    assert [*write_world(tmp_path / "quiet", 1, streams=["caption", "music"], held_out=1)]


@pytest.mark.parametrize("factor", ["voice", "colour", "size", "position"])
def test_another_value_makes_no_sound_longer(factor):
    """Exactly: with the same nuisance, every value takes the same number of samples."""
    for render in (speech, other, reference):
        lengths = {render(replace(ONE, **{factor: value})).samples.shape for value in FACTORS[factor][:6]}
        assert len(lengths) == 1


def test_lengths_vary_within_their_limits():
    seconds = [speech(replace(ONE, nuisance=i)).seconds for i in range(20)]
    assert SECONDS[0] <= min(seconds) < max(seconds) <= SECONDS[1] <= 2.5
    assert np.std(seconds) > 0.1
    assert {music(replace(ONE, nuisance=i)).samples.shape for i in range(9)} == {(1, 2 * RATE)}


@pytest.mark.parametrize("stream", SOUNDS)
def test_a_sound_tells_nothing_else(stream):
    """The same samples, whatever the factors that it does not determine."""
    rule = STREAMS[stream]
    others = {name: values[-1] for name, values in FACTORS.items() if name not in rule.determines}
    assert rule.render(replace(ONE, **others)) == rule.render(ONE)
    for name in set(rule.determines):
        assert rule.render(replace(ONE, **{name: another(name, ONE)})) != rule.render(ONE)


def another(name, one):
    return next(value for value in FACTORS[name] if value != getattr(one, name))


def test_no_sentence_of_a_held_out_combination_is_spoken_in_training():
    texts = {
        split: {
            " ".join(sorted(SHORT.render(scene(0, split, i)).replace(",", "").split())) for i in range(1500)
        }
        for split in ("train", "val", "test-level1", "test-level2")
    }
    for one, two in combinations(texts, 2):
        assert not texts[one] & texts[two]


def test_sentences_of_the_reference_are_held_out_and_have_no_word_of_a_caption():
    assert len(OTHER.seen) + len(OTHER.novel) == 216
    assert not set(OTHER.seen) & set(OTHER.novel)
    captions = {
        word for i in range(500) for word in SHORT.render(scene(0, "train", i)).replace(",", "").split()
    }
    assert not captions & {word for text in (*OTHER.seen, *OTHER.novel) for word in text.split()}
    assert {word for text in OTHER.novel for word in text.split()} == {
        word for text in OTHER.seen for word in text.split()
    }


@pytest.mark.parametrize("novel", [False, True])
def test_held_out_words_are_spoken_where_they_are_due(novel, monkeypatch):
    said = []
    monkeypatch.setattr(sys.modules[speech.__module__], "_spoken", lambda text, voice, rng: said.append(text))
    for i in range(20):
        reference(replace(ONE, novel_words=novel, nuisance=i))
    assert set(said) <= set(OTHER.novel if novel else OTHER.seen)


@pytest.mark.parametrize("stream", ["speech", "speech.reference", "music"])
def test_one_scene_never_sounds_twice_the_same(stream):
    sounds = [STREAMS[stream].render(replace(ONE, nuisance=i)) for i in range(12)]
    peaks = [np.abs(sound.samples).max() for sound in sounds]
    assert len({sound.samples.tobytes() for sound in sounds}) == len(set(peaks)) == 12
    assert 10 ** (-12 / 20) - 1e-6 <= min(peaks) < max(peaks) <= 10 ** (-3 / 20) + 1e-6


@pytest.mark.parametrize("split", ["train", "test-level2"])
def test_the_other_voice_says_the_same_as_long_and_is_of_the_same_split(split, monkeypatch):
    said, module = [], sys.modules[speech.__module__]
    monkeypatch.setattr(module, "_spoken", lambda *how: said.append((*how[:2], how[2].random())))
    for i in range(200):
        one = scene(0, split, i)
        speech(one)
        other(one)
    own, others = said[::2], said[1::2]
    assert [(text, drawn) for text, _, drawn in own] == [(text, drawn) for text, _, drawn in others]
    voices = {voice for _, voice, _ in others}
    assert voices == (VOICES if split == "test-level2" else {*FACTORS["voice"]} - VOICES)
    same = np.mean([one[1] == two[1] for one, two in zip(own, others)])
    assert same == pytest.approx(1 / len(voices), abs=0.09)


def test_derived_speech_is_a_function_of_the_speech_alone():
    made = render_all(STREAMS, ["speech", "speech.robot", "speech.narrow"], ONE)
    for name in ("speech.robot", "speech.narrow"):
        assert made[name] == STREAMS[name].make(made["speech"])
        assert made[name].samples.shape == made["speech"].samples.shape


def test_a_narrow_band_keeps_what_is_below():
    whole = speech(ONE)
    before, after = (np.fft.rfft(samples(one)) for one in (whole, STREAMS["speech.narrow"].make(whole)))
    hertz = np.fft.rfftfreq(whole.samples.shape[1], 1 / RATE)
    low, high = hertz < 3690, hertz > 4000
    assert np.abs(after - before)[low].max() < 1e-4 * np.abs(before).max()
    assert np.abs(after[high]).max() < 1e-4 * np.abs(before).max() < np.abs(before[high]).max() * 1e3


def test_a_robot_has_a_pitch_of_100_hertz_and_the_same_loudness_over_time():
    whole = speech(ONE)
    robot = samples(STREAMS["speech.robot"].make(whole))
    loud = np.abs(robot) > 0.05 * np.abs(robot).max()
    first, last = np.flatnonzero(loud)[[0, -1]]
    middle = robot[first:last]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), RATE)) ** 2  # a bin is 1 Hz
    harmonic = sum(spectrum[100 * k - 3 : 100 * k + 4].sum() for k in range(1, 30))
    assert harmonic > 0.6 * spectrum[50:2950].sum()
    blocks = len(robot) // 800
    levels = [
        np.sqrt((one[: blocks * 800].reshape(blocks, 800) ** 2).mean(1)) for one in (samples(whole), robot)
    ]
    assert np.corrcoef(*levels)[0, 1] > 0.9


@pytest.mark.parametrize("tempo", FACTORS["tempo"])
def test_notes_begin_on_the_beat(tempo):
    """The level falls to nothing between notes: the oracle is the gap, not an onset detector."""
    for i in range(5):
        sound = samples(music(replace(ONE, tempo=tempo, instrument="square", nuisance=i)))
        quiet = np.abs(sound).reshape(-1, 16).max(1) < 0.1 * np.abs(sound).max()
        starts = np.flatnonzero(quiet[:-1] & ~quiet[1:]) / 1000
        beats = np.diff(starts) * TEMPOS[tempo]
        assert beats == pytest.approx(np.round(beats), abs=0.03)
        assert min(beats) > 0.9


def test_sounds_are_written_where_they_are_asked_for(tmp_path):
    [*write_world(tmp_path / "w", 2, streams=["image", "caption", "speech", "music"], held_out=1)]
    names = {path.name for path in (tmp_path / "w" / "train").iterdir()}
    assert {"000001.speech.wav", "000001.music.wav", "000001.image.png"} < names
    for split in SPLITS:
        one = scene(0, split, 1)
        for name in ("speech", "music"):
            made, read = (
                STREAMS[name].render(one),
                MODALITIES["audio"].read(tmp_path / "w" / split / f"000001.{name}.wav"),
            )
            assert (read.rate, read.channels, read.samples.shape) == (RATE, 1, made.samples.shape)
            assert np.abs(read.samples - made.samples).max() <= 0.5 / 2**15 + 1e-7
    [*write_world(tmp_path / "usual", 1, held_out=1)]
    assert not [path for path in (tmp_path / "usual").rglob("*") if path.suffix == ".wav"]


def test_speech_tells_the_voice_and_what_it_says():
    still = {"motion": "still"}
    assert exact_mutual_information("speech", "speech.reference") == pytest.approx(4)
    assert exact_mutual_information("speech", "speech.reference", split="test-level2") == pytest.approx(2)
    assert exact_mutual_information("speech.other", "speech.reference") == 0
    assert exact_mutual_information("caption", "speech.reference", fixed=still) == 0
    both = exact_mutual_information("image", "speech", fixed=still)
    assert both == exact_mutual_information("image", "caption", fixed=still)
    assert exact_mutual_information("music", "record", fixed=still) == pytest.approx(np.log2(3))
    assert exact_mutual_information("speech", "speech.robot") is None
