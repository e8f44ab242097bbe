"""A campaign that began after the starter model was trained: coins that double, parcels that wait for a fee.

To the starter most of it is unclear, a part of it is clean, and little of it is sure spam; to people all of it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FILLINGS: Mapping[str, Sequence[str]] = {
    "coin": ("BTC", "ETH", "doge coins", "bitcoin", "SOL", "crypto", "XRP"),
    "famous": ("Elon", "the founder", "the Tesla boss", "Vitalik", "a billionaire", "the exchange"),
    "wallet": ("wallet {code}", "the wallet in my bio", "address {code}", "coin{n}.example", "drop-{code}.example"),
    "much": ("{n} {coin}", "up to {n} {coin}", "0.{n} {coin}", "£{n}00 in {coin}"),
    "parcel": ("parcel", "package", "delivery", "courier item", "shipment"),
    "fee": ("£1.{n}", "£2.{n}", "a small fee of £1.{n}", "the customs fee £3.{n}"),
    "desk": ("parcel-{code}.example", "post-fee{n}.example", "depot-{code}.example/pay", "track-{n}{n}.example"),
    "hurry": ("today only", "ends in {n} min", "before midnight", "last {n} hours", "hurry"),
    "code": ("k7x", "b2q9", "zz41", "w3n", "p0t5", "hq8", "m4v2", "j6f"),
}  # fmt: skip

WORDINGS: Sequence[str] = (
    "{famous} doubles every coin: send {much} to {wallet} and get twice as much back, {hurry}",
    "official {coin} giveaway by {famous}! send {much}, receive double. {wallet} {hurry}",
    "claim {much} free from {famous}, connect at {wallet}, {hurry}",
    "I sent {much} to {wallet} and {famous} sent back double, {hurry}",
    "your {parcel} is held at the depot, pay {fee} at {desk} to release it, {hurry}",
    "we tried to deliver your {parcel}. Pay {fee} now at {desk} to claim it",
    "final notice: {parcel} {code}{n} awaits payment of {fee}. Visit {desk} {hurry}",
    "{parcel} waiting, unpaid {fee}, settle at {desk} or it goes back, {hurry}",
)
