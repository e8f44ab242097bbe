"""What cannot be handled: the bytes as they came, and where and why in headers."""

from services.runtime.records import Headers, Outgoing, Rejected

TOPIC = "dead.letter"
LIMIT = 2 * 1024 * 1024 - 64 * 1024  # of key and value, in bytes; the rest is for headers
KEY_LIMIT = 16 * 1024  # bytes; a record that was compressed on its way in may be larger than any limit


def dead_letter(rejected: Rejected, service: str, now: int) -> Outgoing:
    """The record for dead.letter. Headers of the original are kept under the prefix `original-`.

    A null value (a tombstone where none belongs) is marked, since dead.letter keeps it as empty bytes.
    """
    record = rejected.record
    why: Headers = (
        ("service", service.encode()),
        ("error", rejected.error.encode()),
        ("reason", rejected.reason.encode()[:16_384]),
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("timestamp", str(record.timestamp).encode()),
        ("failed_at", str(now).encode()),
        ("was_null", b"1" if record.value is None else b"0"),
    )
    kept = tuple((f"original-{name}", value) for name, value in record.headers)
    if sum(len(name) + len(value) for name, value in kept) > 32_768:
        kept = (("original-headers", b"left out: over 32 KiB"),)
    key = record.key[:KEY_LIMIT]
    return Outgoing(TOPIC, TOPIC, key, (record.value or b"")[: LIMIT - len(key)], why + kept)
