"""Text as it is shown on a terminal."""

import re

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tabs and line ends, and those that turn the direction of what follows."""


def visible(text: object) -> str:
    """The text, with escapes for characters by which a name or a caption could command the terminal."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))
