"""The command `chat`."""

import sys
from typing import TYPE_CHECKING

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, SEED
from modaloom.core.errors import BadValue, ModaloomError

if TYPE_CHECKING:
    from modaloom.api import Chat

HELP = (
    "Write a question, an instruction or a description; @FILE or STREAM=@FILE gives a file, STREAM=WORDS "
    "words, -> STREAM at the end asks for one. The last picture stays until another one is given. "
    "/new forgets it, /help says this, /quit ends."
)


def chat(
    run: options.RunPath, out: options.OutPath, seed: options.Seed = SEED, device: options.Device = DEVICE
) -> None:
    """Talk with a run: ask about pictures, draw and edit; line by line, or from a pipe."""
    from modaloom import api

    talk = api.chat(run, out=out, seed=seed, device=device, notify=printing.notice)
    printing.echo(f"{talk.abilities}\n{HELP}")
    try:
        while (line := _line()) is not None and line != "/quit":
            if line:
                printing.echo(_answer(talk, line))
    except KeyboardInterrupt:
        printing.echo()


def _line() -> str | None:
    """The next line; None at the end, or where nothing can be read. Raises `BadValue`."""
    if not sys.stdin:
        return None
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
    except UnicodeDecodeError:
        raise BadValue("what is read is no text in UTF-8; write or pipe such text") from None


def _answer(talk: "Chat", line: str) -> str:
    if line == "/new":
        talk.forget()
        return "forgotten"
    if line.startswith("/"):
        return f"{talk.abilities}\n{HELP}"
    try:
        return str(talk.say(line))
    except ModaloomError as error:
        return str(error)
