"""A conversation with the bundled run, whose answers are those of the world."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from calling import Call
from PIL import Image
from typer.testing import CliRunner

import modaloom
from modaloom.cli import app
from modaloom.world.image import image
from modaloom.world.parsers import PARSERS
from modaloom.world.splits import scene

SCENE = scene(0, "test-seen", 1, {"motion": "still"})


@pytest.fixture(scope="module")
def run() -> modaloom.TrainedRun:
    found = modaloom.load("demo")
    assert isinstance(found, modaloom.TrainedRun)
    return found


@pytest.fixture
def talk(run: modaloom.TrainedRun) -> modaloom.Chat:
    return modaloom.chat(run)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "shape.png"
    image(SCENE).save(path)
    return path


def test_questions_about_a_picture_that_is_remembered_and_then_forgotten(
    tmp_path: Path, picture: Path
) -> None:
    lines = [
        f"what colour is it? @{picture}",
        "Where is it?",
        "/new",
        "where is it?",
        "/help",
        "/quit",
        "never",
    ]
    result = CliRunner().invoke(app, ["chat", "demo", "--out", str(tmp_path / "out")], input="\n".join(lines))
    assert result.exit_code == 0, result.output
    said = result.stdout.splitlines()
    assert said[0].startswith("This run knows image, caption, question, answer, and nothing else;")
    assert said[2:5] == [f"answer: {SCENE.colour}", f"answer: {SCENE.position}", "forgotten"]
    assert said[5].startswith("I do not know what to answer to question: it needs image")
    assert len(said) == 8
    assert (tmp_path / "out" / "0001.answer.txt").read_text() == f"{SCENE.position}\n"
    first = json.loads((tmp_path / "out" / "_provenance.jsonl").read_text().splitlines()[0])
    assert f"image=@{picture}" in first["command"]


def test_words_are_drawn_and_the_drawing_is_asked_about(
    talk: modaloom.Chat, run: modaloom.TrainedRun
) -> None:
    drawn = talk.say("a small purple star at the top left")
    facts = PARSERS["image"](drawn.values["image"])
    assert (facts["colour"], facts["shape"], facts["position"]) == ("purple", "star", "top left")
    assert talk.picture is drawn.values["image"]
    assert talk.ask("which shape is it?").values == {"answer": "star"}
    told = talk.say("-> caption")
    assert {*told.given} == {"image"}
    assert "purple" in told.values["caption"]


def test_the_streams_may_be_named(talk: modaloom.Chat, picture: Path) -> None:
    reply = talk.say(f'image=@"{picture}" question=what is the background? -> answer')
    assert {*reply.given} == {"image", "question"}
    assert str(reply) == f"answer: {SCENE.background}"
    reply = talk.ask(given={"caption": "a large red square at the bottom right"}, want=["image"])
    assert str(reply) == "image: Image"
    assert isinstance(reply.values["image"], Image.Image)


def test_equal_turns_are_answered_anew_and_equal_talks_alike(run: modaloom.TrainedRun) -> None:
    def drawn() -> list[bytes]:
        talk = modaloom.chat(run, seed=3)
        return [talk.say("a huge blue circle at the top right").values["image"].tobytes() for _ in range(2)]

    first, second = drawn()
    assert first != second
    assert [first, second] == drawn()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("is there a dog? -> answer", "'there'|'dog'"),
        ("-> speech", "speech"),
        ("-> imge", "did you mean 'image'"),
        ("@song.wav", "is of no stream"),
        ("@missing.png", "missing.png"),
        ("what colour is it? @a\0b.png", "cannot be read .*null byte"),
        ("zero one two three four five six seven? -> answer", "'four' and 3 more$"),
        ("caption=a star caption=a circle", "caption is given twice"),
        ("what colour is it?", "it needs image"),
        ("-> question", "stream to want"),
    ],
)
def test_what_the_run_cannot_do_is_said(talk: modaloom.Chat, line: str, names: str) -> None:
    with pytest.raises(modaloom.ModaloomError, match=names):
        talk.say(line)
    assert talk.turns == 0


def test_words_never_seen_are_named_and_others_are_not(talk: modaloom.Chat, picture: Path) -> None:
    with pytest.raises(modaloom.BadValue) as refused:
        talk.say(f"what colour is the elephant? @{picture}")
    assert "'elephant'" in str(refused.value)
    assert "'colour'" not in str(refused.value)
    assert talk.ask("what colour is it?").values == {"answer": SCENE.colour}  # the picture stays


def test_a_guess_is_called_one(run: modaloom.TrainedRun) -> None:
    said: list[str] = []
    talk = modaloom.chat(run, notify=said.append)
    talk.say("what colour is it? -> answer")
    assert said == ["this run was never scored on question -> answer; what follows may be a guess"]


def test_a_folder_that_is_not_empty_is_refused(refused: Call, picture: Path) -> None:
    refused("chat", "demo", "--out", picture.parent, names="is not empty")


@pytest.mark.parametrize("end", [KeyboardInterrupt, EOFError])
def test_it_ends_cleanly_and_leaves_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    def stop(prompt: str) -> str:
        raise end

    monkeypatch.setattr("builtins.input", stop)
    result = CliRunner().invoke(app, ["chat", "demo", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert not (tmp_path / "out").exists()


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["chat", "demo", "--out", str(tmp_path / "out")], input=b"\xff\xfe\n")
    assert result.exit_code == 2, result.output
    assert "UTF-8" in result.stderr


def test_what_is_no_text_is_refused(talk: modaloom.Chat) -> None:
    with pytest.raises(modaloom.BadValue, match="text is int 5; give a str"):
        talk.ask(5)  # type: ignore[arg-type]


def test_without_an_input_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `modaloom chat demo <&-` begins."""
    monkeypatch.setattr("sys.stdin", None)
    assert import_module("modaloom.cli.chat")._line() is None


def test_no_name_commands_the_terminal(tmp_path: Path) -> None:
    line = "what colour is it? @\x1b[31mnone.png"
    result = CliRunner().invoke(app, ["chat", "demo", "--out", str(tmp_path / "out")], input=line)
    assert result.exit_code == 0, result.output
    assert r"\u001b[31mnone.png: cannot be read" in result.stdout
    assert "\x1b" not in result.output
