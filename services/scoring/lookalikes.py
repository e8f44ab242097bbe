"""Characters that stand in for Latin letters or hide between them: the tables of normalisation.

A small choice from Unicode's confusables (UTS #39): what is used to evade, not everything that looks alike.
"""

# Seen by nobody: soft hyphens, zero-width characters, joiners, direction marks, fillers, variation selectors, tags, and
# control characters that are no white space.
_INVISIBLE = (
    (0x01, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
    (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip

# Latin already, in a dress that NFKC leaves on: small capitals, script a and g; and typographers' quotes and dashes.
_ALWAYS = (
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡƦⱭꞬꞮ", "abcdefghijklmnoprstuvwyzagragi"),
    ("‘’‚‛´ʼ“”„‟‐‑‒–—―−", "''''''\"\"\"\"-------"),
    ("İ\0\u2800", "i  "),
)
_ENCLOSED = (0x1F150, 0x1F170)  # white on black: circles, squares; A to Z each

# Of other scripts: only in words that also hold Latin letters. Capitals look like other letters than small ones do.
_MIXED = (
    ("авегкмнопрстухѕіјԁԛԝһѵь", "aberkmhonpctyxsijdqwhvb"),
    ("АВЕГКМНОПРСТУХЅІЈԀԚԜҺѴЬ", "ABERKMHONPCTYXSIJDQWHVB"),
    ("αβεζηικμνορτυχωγ", "abeznikuvoptuxwy"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧΩΓ", "ABEZHIKMNOPTYXWY"),
    ("օսո", "oun"),
    ("ՕՍՈ", "OUN"),
)

# Code points to what they become wherever they stand; gone is the empty string.
ANYWHERE: dict[int, str] = {code: "" for first, last in _INVISIBLE for code in range(first, last + 1)}
ANYWHERE |= {ord(odd): plain for odds, plains in _ALWAYS for odd, plain in zip(odds, plains, strict=True)}
ANYWHERE |= {first + i: chr(ord("a") + i) for first in _ENCLOSED for i in range(26)}

# What stands in for a Latin letter in a word of Latin letters.
IN_LATIN_WORDS: dict[str, str] = {
    odd: plain for odds, plains in _MIXED for odd, plain in zip(odds, plains, strict=True)
}

# Digits and signs that stand in for letters inside words.
LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "@": "a", "!": "i"}
