"""Text for a terminal."""

import json

from modaloom.core.visible import visible


def test_what_commands_a_terminal_is_escaped_and_all_else_stays() -> None:
    assert visible("\x1b[31mred\r\x9b1m\x00") == r"\u001b[31mred\u000d\u009b1m\u0000"
    assert visible("a\u202egnp.exe\u2066") == r"a\u202egnp.exe\u2066"
    for kept in ("two\nlines\tand a tab", "שלום, naïve — 红色 👩‍👧", r"C:\\x1b"):
        assert visible(kept) == kept
    assert json.loads(visible(json.dumps("\x7f\u202e", ensure_ascii=False))) == "\x7f\u202e"
