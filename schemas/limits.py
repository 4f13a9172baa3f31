"""Every size, count and length that the wire allows, in one place.

Knows: numbers. Refuses to know: who enforces them. Rates and quotas are an operator's choice: see server.config.
"""

ID = 16
HASH = 32
KEY = 32
NONCE = 32
SIGNATURE = 64
TOKEN = 32

SEALED_KEY = 104
"""A sealed 32-byte key or seed: 24 salt, 32 commitment, 32 message, 16 tag."""
SEALED_PAIR = 136
"""A sealed 64-byte key pair."""
WRAP = 153
"""A wrapped record key, of either tier."""
LINK = 626
SEALED_OVERHEAD = 72
"""What sealing adds to a message shorter than one chunk."""

CHUNK = 16_400
"""One sealed chunk, 16,384 bytes and a tag."""
HEADER = 56
UNIT = 16 * CHUNK
"""262,400 bytes; the first unit of a blob carries the header too and has 56 more."""
FIRST_UNIT = UNIT + HEADER
UNITS_PER_PUT = 32
PUT = UNITS_PER_PUT * UNIT + HEADER
"""The largest request that brings units, in bytes."""

RECORD = 1024 * 1024
"""The largest sealed record, in bytes."""
ACCOUNT_RECORD = 256 * 1024
RECOVERY_WAIT = 30 * 86_400
"""The longest for which whoever shows a recovery code can be made to wait, in seconds."""
REVISIONS_PER_BATCH = 100
BATCH = 8 * 1024 * 1024
"""Sealed record bytes in one batch or one page."""
PAGE = 500
"""Revisions in one page of a sync."""
BLOBS_PER_REVISION = 1000
BLOB = 64 * 1024 ** 3
"""The largest blob; a quota is usually reached long before."""

JSON_BODY = 12 * 1024 * 1024
"""The largest JSON request: a full batch in base64url, and its frame."""
SMALL_JSON_BODY = 512 * 1024
JSON_DEPTH = 32

TITLE = 500
TEXT = 900_000
"""Characters of one entry; the sealed record has to stay below RECORD bytes as well."""
PLACE = 500
TAGS = 50
TAG = 100
PEOPLE = 50
PERSON = 200
WORDS = 200
MOOD = 100
NAME = 255
MIME = 127
CATEGORY = 100
ANSWERS = 200
"""Answers of one self-assessment."""
QUESTION = 64

U32 = 2**32 - 1
SAFE_INTEGER = 2**53 - 1
CURSOR = 200
CHECKPOINT_NOTE = 65_536
RECEIPT = 65_536
TIMESTAMP = 65_536
"""A token of a time-stamping authority, and, apart from it, its certificates in PEM."""
VKEY = 1024

LISTED = 200
"""Characters of a professional's name, organisation or town in the directory."""
BOX_WRAP = 128
"""A bundle's key boxed for a professional: key, bundle, hash of the reader's key, and 48 bytes of crypto_box_seal."""
MANIFEST = 1024 * 1024
"""The largest sealed manifest, in bytes."""
NOTE = 64 * 1024
"""The largest sealed note of what was shared."""
MESSAGE = 4000
BUNDLE_RECORDS = 500
LOST = 10_000
"""Record hashes in one `loss` record."""
BUNDLE_BLOBS = 5000
OPENINGS = 1000
SHARED_FOR = 366 * 86_400
"""Seconds from now to the latest end of a bundle."""
OPENING = 3600
"""Seconds for which one opening is good."""
CODE_TRIES = 5
"""Wrong codes after which a link opens nothing any more."""

BOX_DEPOSITS = 100
"""The most that one box takes, whatever becomes of them."""
BOX_BYTES_LEAST = FIRST_UNIT
"""The least that a box is given, in sealed bytes: room for somebody's words."""
DEPOSIT_BLOBS = 100
"""Files of one deposit."""
DEPOSIT = FIRST_UNIT
"""The largest sealed words of a deposit, in bytes: they go in one request."""
VISIT = 3600
"""Seconds for which a depositor's token is good."""


def unit_count(size: int) -> int:
    """How many units the sealed bytes of a blob of `size` bytes are cut into."""
    return 1 if size <= FIRST_UNIT else 1 + -(-(size - FIRST_UNIT) // UNIT)


def unit_range(unit: int, size: int) -> tuple[int, int]:
    """The half-open byte range of a unit in a blob of `size` bytes."""
    start = 0 if unit == 0 else FIRST_UNIT + (unit - 1) * UNIT
    return start, min(size, FIRST_UNIT + unit * UNIT)
