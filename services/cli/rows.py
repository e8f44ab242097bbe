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
    """Every post of the file. Raises UnreadableFile, with the number of the row."""
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
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
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
    with path.open(encoding="utf-8-sig", newline="") as file:
        if delimiter == "\t":  # here a quote is a character like any other
            yield from csv.DictReader(file, fieldnames=columns, delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(file, fieldnames=columns, delimiter=delimiter)


def _column(record: dict[str, Any], column: str, path: Path, number: int) -> str:
    value = record.get(column)
    if value is None:
        known = ", ".join(str(name) for name in record)
        raise UnreadableFile(f"{path}, row {number} has no {column!r}; it has {known}")
    return str(value)
