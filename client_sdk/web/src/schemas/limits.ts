// Every size, count and length that the wire allows, in one place; the numbers are those of schemas/limits.py.
// Knows: numbers. Refuses to know: who enforces them. Rates and quotas are an operator's choice.

export const ID = 16;
export const HASH = 32;
export const KEY = 32;
export const NONCE = 32;
export const SIGNATURE = 64;
export const TOKEN = 32;

/** A sealed 32-byte key or seed: 24 salt, 32 commitment, 32 message, 16 tag. */
export const SEALED_KEY = 104;
/** A sealed 64-byte key pair. */
export const SEALED_PAIR = 136;
/** A wrapped record key, of either tier. */
export const WRAP = 153;
export const LINK = 626;
/** What sealing adds to a message shorter than one chunk. */
export const SEALED_OVERHEAD = 72;

/** One sealed chunk, 16,384 bytes and a tag. */
export const CHUNK = 16_400;
export const HEADER = 56;
/** 262,400 bytes; the first unit of a blob carries the header too and has 56 more. */
export const UNIT = 16 * CHUNK;
export const FIRST_UNIT = UNIT + HEADER;
export const UNITS_PER_PUT = 32;
/** The largest request that brings units, in bytes. */
export const PUT = UNITS_PER_PUT * UNIT + HEADER;

/** The largest sealed record, in bytes. */
export const RECORD = 1024 * 1024;
export const ACCOUNT_RECORD = 256 * 1024;
/** The longest for which whoever shows a recovery code can be made to wait, in seconds. */
export const RECOVERY_WAIT = 30 * 86_400;
export const REVISIONS_PER_BATCH = 100;
/** Sealed record bytes in one batch or one page. */
export const BATCH = 8 * 1024 * 1024;
/** Revisions in one page of a sync. */
export const PAGE = 500;
export const BLOBS_PER_REVISION = 1000;
/** Record hashes in one `loss` record. */
export const LOST = 10_000;
/** The largest blob; a quota is usually reached long before. */
export const BLOB = 64 * 1024 ** 3;

/** The largest JSON request: a full batch in base64url, and its frame. */
export const JSON_BODY = 12 * 1024 * 1024;
export const SMALL_JSON_BODY = 512 * 1024;
export const JSON_DEPTH = 32;

export const TITLE = 500;
/** Characters of one entry; the sealed record has to stay below RECORD bytes as well. */
export const TEXT = 900_000;
export const PLACE = 500;
export const TAGS = 50;
export const TAG = 100;
export const PEOPLE = 50;
export const PERSON = 200;
export const WORDS = 200;
export const MOOD = 100;
export const NAME = 255;
export const MIME = 127;
export const CATEGORY = 100;
/** Answers of one self-assessment. */
export const ANSWERS = 200;
export const QUESTION = 64;

export const U32 = 2**32 - 1;
export const SAFE_INTEGER = 2**53 - 1;
export const CURSOR = 200;
export const CHECKPOINT_NOTE = 65_536;
export const RECEIPT = 65_536;
/** A token of a time-stamping authority, and, apart from it, its certificates in PEM. */
export const TIMESTAMP = 65_536;
export const VKEY = 1024;

/** Characters of a professional's name, organisation or town in the directory. */
export const LISTED = 200;
/** A bundle's key boxed for a professional: key, bundle, hash of the reader's key, and 48 bytes of crypto_box_seal. */
export const BOX_WRAP = 128;
/** The largest sealed manifest, in bytes. */
export const MANIFEST = 1024 * 1024;
/** The largest sealed note of what was shared. */
export const NOTE = 64 * 1024;
export const MESSAGE = 4000;
export const BUNDLE_RECORDS = 500;
export const BUNDLE_BLOBS = 5000;
export const OPENINGS = 1000;
/** Seconds from now to the latest end of a bundle. */
export const SHARED_FOR = 366 * 86_400;
/** Seconds for which one opening is good. */
export const OPENING = 3600;
/** Wrong codes after which a link opens nothing any more. */
export const CODE_TRIES = 5;

/** The most that one box takes, whatever becomes of them. */
export const BOX_DEPOSITS = 100;
/** The least that a box is given, in sealed bytes: room for somebody's words. */
export const BOX_BYTES_LEAST = FIRST_UNIT;
/** Files of one deposit. */
export const DEPOSIT_BLOBS = 100;
/** The largest sealed words of a deposit, in bytes: they go in one request. */
export const DEPOSIT = FIRST_UNIT;
/** Seconds for which a depositor's token is good. */
export const VISIT = 3600;

/** How many units the sealed bytes of a blob of `size` bytes are cut into. */
export function unitCount(size: number): number {
  return size <= FIRST_UNIT ? 1 : 1 + Math.ceil((size - FIRST_UNIT) / UNIT);
}

/** The half-open byte range of a unit in a blob of `size` bytes. */
export function unitRange(unit: number, size: number): [number, number] {
  const start = unit === 0 ? 0 : FIRST_UNIT + (unit - 1) * UNIT;
  return [start, Math.min(size, FIRST_UNIT + unit * UNIT)];
}
