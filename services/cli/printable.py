"""Text of strangers on a terminal: what would steer it, or turn the direction of writing, is shown as an escape."""

import unicodedata
from collections.abc import Callable

KEPT = "\n\t"  # control characters that only lay text out


def printable(text: str, escape: Callable[[str], str] | None = None) -> str:
    """The text with control characters (ESC, C1) and invisible format characters (bidi overrides and the like) written
    as \\x1b or \\u202e, or as `escape` writes one. Joiners stay: emoji and several scripts need them, and they steer
    nothing.
    """
    write = escape or _escaped
    return "".join(write(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    if char.isascii():
        return not char.isprintable() and char not in KEPT
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\u200c\u200d"


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
