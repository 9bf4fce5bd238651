"""What a conversation gives again, by a run that answers at once: edits, and which stream words are of."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom import chat
from modaloom.loom.chat import Chat
from modaloom.loom.turn import parse_turn

MODALITY_OF = {
    "image": "image",
    "instruction": "text",
    "image.edited": "image",
    "speech": "audio",
    "speech.other": "audio",
}
DIRECTIONS = ("image+instruction->image.edited", "image->speech", "speech->image")


class Editor:
    """Answers with pictures of a number that counts up, and remembers what it was asked."""

    path, hash = Path("run"), "0"
    modality_of = MODALITY_OF

    def __init__(self) -> None:
        tokenizer = SimpleNamespace(shortened=lambda value: ())
        streams = {name: SimpleNamespace(modality=m, tokenizer=tokenizer) for name, m in MODALITY_OF.items()}
        loom = SimpleNamespace(config=SimpleNamespace(sampling=None))
        self.model = SimpleNamespace(streams=streams, wanted=(*MODALITY_OF,), loom=loom)
        self.asked: list[tuple[dict[str, Any], tuple[str, ...]]] = []

    def values(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(given or {})

    def unknown(self, name: str, value: Any) -> tuple[str, ...]:
        return ()

    def shortenings(self) -> Any:
        return SimpleNamespace(add=lambda name, found: None, notify=lambda notify: None)

    def generate(self, given: Mapping[str, Any], want: Any, *, n: int, seed: int) -> list[dict[str, Any]]:
        self.asked.append((dict(given), tuple(want)))
        return [{name: Image.new("RGB", (1, 1), (len(self.asked), 0, 0)) for name in want}]


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    rows = [
        ScoreRow(name, "test", "exact", 1.0, None, None, None, None, None, None, 1) for name in DIRECTIONS
    ]
    monkeypatch.setattr(chat, "scores", lambda path: rows)
    monkeypatch.setattr(chat, "generate_command", lambda *words: "")
    return Editor()


def test_an_edit_is_of_the_last_picture_and_the_next_edit_of_that(editor: Editor) -> None:
    talk, first = Chat(editor), Image.new("RGB", (1, 1))
    edited = talk.ask("make it blue", given={"image": first})
    again = talk.ask("make it large")
    assert editor.asked == [
        ({"image": first, "instruction": "make it blue"}, ("image.edited",)),
        ({"image": edited.values["image.edited"], "instruction": "make it large"}, ("image.edited",)),
    ]
    assert talk.picture is again.values["image.edited"]
    talk.forget()
    with pytest.raises(BadValue, match="instruction: it needs image"):
        talk.ask("make it blue")


def test_a_picture_is_given_again_only_where_the_answer_needs_one(editor: Editor) -> None:
    talk = Chat(editor)
    made = talk.ask(given={"speech": "a sound"})
    talk.say("-> speech")
    talk.ask(given={"speech": "another sound"})
    assert [(asked, want) for asked, want in editor.asked] == [
        ({"speech": "a sound"}, ("image",)),
        ({"image": made.values["image"]}, ("speech",)),
        ({"speech": "another sound"}, ("image",)),
    ]


def test_a_run_that_was_not_scored_does_what_it_is_told(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "scores", lambda path: [])
    said: list[str] = []
    talk, first = Chat(editor, notify=said.append), Image.new("RGB", (1, 1))
    edited = talk.ask("make it blue", given={"image": first}, want="image.edited")
    talk.ask("make it large", want="image.edited")
    assert editor.asked[1] == (
        {"instruction": "make it large", "image": edited.values["image.edited"]},
        ("image.edited",),
    )
    assert said == []
    with pytest.raises(BadValue, match="end with -> STREAM"):
        talk.ask("make it blue")


def test_words_of_a_stream_that_is_always_the_same_are_measured_by_a_bit(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is certain takes no bits."""
    talk = Chat(editor)
    talk._typical["instruction"] = 0.0
    for nats, is_typical in ((0.0, True), (0.1, True), (10.0, False)):
        monkeypatch.setattr(Chat, "_nats", lambda self, name, texts, nats=nats: nats)
        assert (talk._surprise("instruction", "make it blue") < chat.MAX_SURPRISE) == is_typical


@pytest.mark.parametrize(
    ("line", "given", "text", "want"),
    [
        ("make it blue", {}, "make it blue", ()),
        ("make it blue -> image.edited", {}, "make it blue", ("image.edited",)),
        ("@a.png make it blue", {"image": Path("a.png")}, "make it blue", ()),
        ("make it blue @'a b.png' now", {"image": Path("a b.png")}, "make it blue now", ()),
        ("@0001.image.edited.png", {"image.edited": Path("0001.image.edited.png")}, "", ()),
        ("image.edited=@a.png", {"image.edited": Path("a.png")}, "", ()),
        ("speech.other=@a.flac -> speech", {"speech.other": Path("a.flac")}, "", ("speech",)),
        ("@a.wav", {"speech": Path("a.wav")}, "", ()),
        (
            "instruction=turn it red image=@a.png",
            {"instruction": "turn it red", "image": Path("a.png")},
            "",
            (),
        ),
        ("instruction='tis blue", {"instruction": "'tis blue"}, "", ()),
        ("instruction='tis a 'blue' one", {"instruction": "'tis a 'blue' one"}, "", ()),
        ('instruction="turn it" red', {"instruction": "turn it"}, "red", ()),
        ('instruction="a -> b, @ c image=@d" red', {"instruction": "a -> b, @ c image=@d"}, "red", ()),
        ("instruction='a -> b'-> speech", {"instruction": "a -> b"}, "", ("speech",)),
        ('@"a -> b.png" now -> speech', {"image": Path("a -> b.png")}, "now", ("speech",)),
        ("mail me@example.org what's that = it", {}, "mail me@example.org what's that = it", ()),
        ("-> image,speech", {}, "", ("image", "speech")),
        ("", {}, "", ()),
    ],
)
def test_a_line_is_read(editor: Editor, line: str, given: Any, text: str, want: Any) -> None:
    turn = parse_turn(line, editor)
    assert (dict(turn.given), turn.text, turn.want) == (given, text, want)


def test_words_that_are_no_text_are_refused(editor: Editor) -> None:
    with pytest.raises(BadValue, match=r"is not valid UTF-8 \(character 8\)"):
        Chat(editor).ask("make it \udcff", given={"image": Image.new("RGB", (1, 1))})
