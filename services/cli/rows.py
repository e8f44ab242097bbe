"""Posts out of files: CSV and TSV with or without a header, JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ITEM_ID = re.compile(r"[!-~]{1,200}")
DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


class UnreadableFile(Exception):
    """The file is none that we read, or lacks a column; the text says what to do."""


@dataclass(frozen=True)
class Row:
    """A post: its id in the platform, and its text."""

    item_id: str
    text: str


@dataclass(frozen=True)
class Layout:
    """Where a post is in a file. Without `id_column` the id is the file's stem, the number of the row and a hash of the
    text: the same file played again gives the same items, another file of the same name gives others. `columns` names
    the columns of a file without a header.
    """

    text_column: str
    id_column: str | None = None
    columns: Sequence[str] | None = None


def rows(path: Path, layout: Layout) -> Generator[Row, None, None]:
    """Every post of the file. Raises UnreadableFile, with the number of the row or line."""
    stem = re.sub(r"[^!-~]|[/@]", "-", path.stem)[:150]
    for number, record in enumerate(_records(path, layout), 1):
        text = _column(record, layout.text_column, path, number)
        if layout.id_column is None:
            digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            item_id = f"{stem}-{number}-{digest[:8]}"
        else:
            item_id = _column(record, layout.id_column, path, number)
            if not ITEM_ID.fullmatch(item_id):
                raise UnreadableFile(
                    f"{path}, row {number}: {item_id!r} is no id: 1 to 200 visible ASCII characters, no spaces."
                    " Leave --id-column out to have rows numbered."
                )
        yield Row(item_id, text)


def _records(path: Path, layout: Layout) -> Iterator[dict[str, Any]]:
    ending = path.suffix.lower()
    if ending in (".jsonl", ".ndjson", ".json"):
        return _json_lines(path)
    if ending in DELIMITERS:
        return _table(path, DELIMITERS[ending], layout.columns)
    raise UnreadableFile(f"{path} ends in {ending!r}: give a .csv, .tsv or .jsonl file")


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path, "utf-8"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise UnreadableFile(f"{path}, line {number} is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise UnreadableFile(f"{path}, line {number} is no JSON object")
        yield record


def _table(path: Path, delimiter: str, columns: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    lines = _lines(path, "utf-8-sig", newline="")
    table = (
        csv.DictReader(lines, columns, delimiter="\t", quoting=csv.QUOTE_NONE)  # a quote is like any other
        if delimiter == "\t"
        else csv.DictReader(lines, columns, delimiter=delimiter)
    )
    try:
        yield from table
    except csv.Error as error:
        raise UnreadableFile(f"{path}, after line {table.line_num}: no row of a table: {error}") from error


def _lines(path: Path, encoding: str, newline: str | None = None) -> Iterator[str]:
    """Lines of text. Raises UnreadableFile where they are not UTF-8."""
    try:
        with path.open(encoding=encoding, newline=newline) as file:
            yield from file
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{path}, line {_unreadable(path)} is not UTF-8: save the file as UTF-8"
        ) from error


def _unreadable(path: Path) -> int:
    """The number of the first line that is not UTF-8. A file is decoded in blocks, which know of no lines."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    raise UnreadableFile(f"{path} changed while it was read: play it again once it is whole")


def _column(record: dict[str, Any], column: str, path: Path, number: int) -> str:
    value = record.get(column)
    if value is None:
        known = ", ".join(str(name) for name in record)
        raise UnreadableFile(f"{path}, row {number} has no {column!r}; it has {known}")
    return str(value)
