"""A list of texts, as people keep it in a file: one text a line, in UTF-8, compared as models see texts (`normalise`).

A line that begins with `# `, or is `#` alone, is a comment; blank lines count for nothing. A text that begins so itself
is written after a space. A file that is wrong in any line is refused as a whole: half a list would let pass what the
other half should stop.
"""

from hashlib import blake2b, sha256
from pathlib import Path

import msgspec

from services.scoring.normalise import normalise

MOST_ENTRIES = 100_000
LONGEST_LINE = 10_000  # characters
MOST_BYTES = 64 * 1024 * 1024
SHOWN = 10  # problems of one file
COMMENTS = ("# ", "#\t")


class InvalidList(Exception):
    """A file is no list; says the file, and line by line what to do."""


class TextList(msgspec.Struct, frozen=True):
    """The hashes of its texts. `version`: first 8 hex digits of the SHA-256 of the file."""

    version: str
    texts: frozenset[bytes]


def key_of(text: str | None) -> bytes | None:
    """128-bit hash of a normalised text, by which lists find it; None where nothing is left of it."""
    normal = normalise(text) if text else ""
    return blake2b(normal.encode("utf-8", "surrogatepass"), digest_size=16).digest() if normal else None


def read(path: Path) -> TextList:
    """The list in a file. Raises InvalidList, also where it cannot be read."""
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise InvalidList(f"{path}: {size} bytes are too many, a list has at most {MOST_BYTES}: split it")
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidList(f"{path}: {error.strerror}: put the list there, one text a line") from error
    return parsed(raw, str(path))


def parsed(raw: bytes, name: str) -> TextList:
    """The list in the bytes of a file; `name` is how errors call it. Raises InvalidList with what is wrong with it."""
    if not raw:
        raise InvalidList(
            f"{name}: is empty, as a failed write leaves it: to list nothing, write a `# comment`"
        )
    texts, problems = set[bytes](), list[str]()
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            problems.append(
                f"{name}, line {number}: not UTF-8 at byte {error.start + 1}: save the file as UTF-8"
            )
            continue
        if not text.strip() or text.startswith(COMMENTS) or text.rstrip() == "#":
            continue
        if len(text) > LONGEST_LINE:
            problems.append(
                f"{name}, line {number}: {len(text)} characters are too many, a text has at most {LONGEST_LINE}"
            )
        elif (key := key_of(text)) is None:
            problems.append(
                f"{name}, line {number}: nothing is left of it once it is normalised: take it out, or write a text"
            )
        elif len(texts) == MOST_ENTRIES and key not in texts:
            problems.append(f"{name}, line {number}: a list has at most {MOST_ENTRIES} texts: split it")
            break
        else:
            texts.add(key)
    if problems:
        more = [f"{name}: and {len(problems) - SHOWN} lines more"] if len(problems) > SHOWN else []
        raise InvalidList("\n".join(problems[:SHOWN] + more))
    return TextList(sha256(raw).hexdigest()[:8], frozenset(texts))
