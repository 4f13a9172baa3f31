"""How values and labels are spelled (protocol §0)."""

from __future__ import annotations

import hmac
import json

from spelled_again import (
    ACCOUNT,
    ITEM,
    MALFORMED,
    TAMPERED,
    broken,
    ctx,
    derived,
    expand,
    holds,
    kek,
    lp,
    refuses,
    sealed,
    shake,
    u32,
    u64,
)


def encoding() -> None:
    for name, text, data in [
        ("empty", "", b""),
        ("one_byte", "_w", b"\xff"),
        ("url_alphabet", "-_-_", b"\xfb\xff\xbf"),
        ("id", "AAECAwQFBgcICQoLDA0ODw", bytes(range(16))),
    ]:
        holds(f"b64url_{name}", "parse_b64url", "canonical base64url without padding", {"text": text}, data=data)
    for name, text, why in [
        ("padded", "_w==", "padding"),
        ("spare_bits", "_x", "spare bits are set"),
        ("other_alphabet", "+/+/", "+ and /"),
        ("line_end", "_w\n", "a line end"),
        ("impossible", "A", "no bytes have one character"),
        ("not_ascii", "_w\u00e9A", "a letter beyond ASCII"),
        ("space", "_ w", "a space"),
        ("impossible_five", "AAECA", "no bytes have five characters"),
        ("spare_bits_two", "AAF", "spare bits after two bytes"),
        ("spare_bits_id", "AAECAwQFBgcICQoLDA0ODx", "spare bits after sixteen bytes"),
        ("padded_id", "AAECAwQFBgcICQoLDA0ODw==", "padding after sixteen bytes"),
        ("padding_alone", "====", "padding alone"),
        ("padding_inside", "_w==_w==", "padding inside"),
        ("mixed_alphabets", "-_+_", "both alphabets"),
        ("line_end_inside", "AAEC\r\nAwQF", "broken into lines"),
        ("nul", "AAEC\x00", "a NUL at the end"),
        ("percent", "_w%3D%3D", "spelled for a URL"),
        ("wide", "\uff21\uff21", "full-width letters"),
        ("surrogate", "AAE\ud800", "a lone surrogate"),
    ]:
        refuses(f"b64url_{name}", "parse_b64url", MALFORMED, why, {"text": text})
    for name, text, seconds in [
        ("first", "1970-01-01T00:00:00Z", 0),
        ("last", "9999-12-31T23:59:59Z", 253402300799),
        ("leap_day", "2024-02-29T12:00:00Z", 1709208000),
    ]:
        holds(f"time_{name}", "parse_time", "RFC 3339 UTC with whole seconds", {"text": text}, seconds=seconds)
    for name, text, why in [
        ("offset", "2026-03-01T21:30:00+00:00", "an offset"),
        ("fraction", "2026-03-01T21:30:00.0Z", "a fraction"),
        ("no_such_day", "2026-02-29T00:00:00Z", "not a leap year"),
        ("midnight_24", "2026-03-01T24:00:00Z", "hour 24"),
        ("leap_second", "2016-12-31T23:59:60Z", "a leap second"),
        ("before", "1969-12-31T23:59:59Z", "before 1970"),
        ("lower_case", "2026-03-01t21:30:00z", "lower case"),
        ("other_digits", "202\u0666-03-01T21:30:00Z", "not ASCII"),
        ("space", "2026-03-01 21:30:00Z", "a space in place of the T"),
        ("no_zone", "2026-03-01T21:30:00", "no Z"),
        ("no_seconds", "2026-03-01T21:30Z", "no seconds"),
        ("year_10000", "+010000-01-01T00:00:00Z", "beyond the year 9999"),
        ("month_13", "2026-13-01T00:00:00Z", "month 13"),
        ("day_0", "2026-03-00T00:00:00Z", "day 0"),
        ("minute_60", "2026-03-01T21:60:00Z", "minute 60"),
        ("line_end", "2026-03-01T21:30:00Z\n", "a line end"),
        ("basic", "20260301T213000Z", "without its hyphens and colons"),
    ]:
        refuses(f"time_{name}", "parse_time", MALFORMED, why, {"text": text})
    for name, raw in [
        ("object", b'{"v":1,"t":"\xc3\xa9"}'),
        ("largest", b"[9007199254740991,-9007199254740991]"),
        ("escape_pair", b'"\\ud83d\\ude00"'),
        ("spaces", b' {"a" :\t[1.5,null]\r\n} '),
        ("zero", b"[0,1,-1,true,false]"),
        ("fraction", b"[0.5,-0.25,1e-2,125E-1]"),
    ]:
        holds(f"json_{name}", "parse_json", "strict JSON", {"data": raw}, value=json.loads(raw))
    for name, raw, why in [
        ("bom", b"\xef\xbb\xbf1", "a byte order mark"),
        ("not_utf8", b'"\xff"', "invalid UTF-8"),
        ("surrogate", b'"\\ud800"', "a lone surrogate"),
        ("surrogate_name", b'{"\\udc00":1}', "one in a name"),
        ("raw_surrogate", b'"\xed\xa0\x80"', "a surrogate in UTF-8"),
        ("twice", b'{"a":1,"a":1}', "a name twice"),
        ("twice_escaped", b'{"a":1,"\\u0061":2}', "a name twice, once escaped"),
        ("nan", b"NaN", "NaN"),
        ("infinity", b"[-Infinity]", "Infinity"),
        ("too_large", b"9007199254740992", "2^53"),
        ("too_small", b"-9007199254740992", "-2^53"),
        ("overflow", b"1e400", "a float that overflows"),
        ("whole_fraction", b'{"v":1.0}', "a whole number with a fraction"),
        ("whole_exponent", b'{"v":1e0}', "a whole number with an exponent"),
        ("whole_capital_exponent", b"[1E2]", "a whole number with an exponent in capitals"),
        ("whole_shifted", b"[10e-1]", "a whole number, shifted"),
        ("whole_moved", b"[1.5e1]", "a whole number with both"),
        ("whole_zero", b"[0.0]", "zero with a fraction"),
        ("whole_zero_exponent", b"[0e0]", "zero with an exponent"),
        ("whole_underflow", b"[1e-400]", "nearer to zero than to any other binary64"),
        ("whole_rounded", b"[9007199254740991.4]", "a fraction that no binary64 has"),
        ("whole_too_large", b"[9007199254740992.0]", "2^53 with a fraction"),
        ("minus_zero", b"[-0]", "zero below zero"),
        ("minus_zero_fraction", b"[-0.0]", "zero below zero, with a fraction"),
        ("minus_zero_exponent", b"[-0e1]", "zero below zero, with an exponent"),
        ("trailing", b"1 1", "two values"),
        ("comma", b"[1,]", "a trailing comma"),
        ("empty", b"", "nothing"),
        ("leading_zero", b"01", "a leading zero"),
        ("control", b'"\x01"', "a control character in a string"),
        ("single_quotes", b"'a'", "single quotes"),
        ("vertical_tab", b"\x0b1", "a space that JSON doesn't know"),
    ]:
        refuses(f"json_{name}", "parse_json", MALFORMED, why, {"data": raw})


def labels() -> None:
    holds("label_no_fields", "context", "a label alone", {"kind": "items", "fields": []}, context=ctx("items"))
    holds(
        "label_empty_field",
        "context",
        "an empty field has its length, too",
        {"kind": "record", "fields": ["", "00"]},
        context=b"temoin/v1/record\x00\x00\x00\x00\x01\x00",
    )
    wrap = [b"record".hex(), ITEM.hex(), u32(7).hex()]
    holds(
        "label_wrap",
        "context",
        "text, id and number",
        {"kind": "wrap", "fields": wrap},
        context=ctx("wrap", b"record", ITEM, u32(7)),
    )
    key = shake("derive key", 32)
    holds(
        "derive_plain",
        "derive",
        "HKDF-Expand-SHA-512 under a label",
        {"key": key, "kind": "items", "fields": []},
        key=derived(key, "items"),
    )
    holds(
        "derive_fields",
        "derive",
        "with fields",
        {"key": key, "kind": "pin-login", "fields": [ACCOUNT.hex(), "31"]},
        key=derived(key, "pin-login", ACCOUNT, b"1"),
    )
    holds(
        "kek",
        "kek",
        "HKDF-Extract-SHA-512, 32 bytes",
        {"label": "temoin/v1/kek-n", "ikm": key},
        key=kek("temoin/v1/kek-n", key),
    )
    label_neighbours()


def label_neighbours() -> None:
    """A seal made under a label or a key spelled in any other way does not open."""
    key, salt, message = shake("derive key", 32), shake("salt labelled", 24), b"what happened"
    fields = [b"record", ITEM, u32(7)]
    right, items = ctx("wrap", *fields), derived(key, "items")
    good = {
        "key": key,
        "key_kind": "items",
        "key_fields": [],
        "kind": "wrap",
        "fields": [field.hex() for field in fields],
        "sealed": sealed(items, right, message, salt),
    }
    holds("labelled", "open_labelled", "a derived key, a context with fields", good, message=message)
    broken("labelled", "open_labelled", "sealed", good)
    start = b"temoin/v1/wrap\x00"
    for name, context, why in [
        ("no_lengths", start + b"".join(fields), "fields without their lengths"),
        ("long_lengths", start + b"".join(u32(len(one)) + one for one in fields), "lengths of four bytes"),
        ("reversed_lengths", start + b"".join(lp(one)[1::-1] + one for one in fields), "lengths in little endian"),
        ("no_zero", right.replace(b"wrap\x00", b"wrap", 1), "no zero after the kind"),
        ("version", right.replace(b"v1", b"v2", 1), "another version of the labels"),
        ("upper_case", right.replace(b"wrap", b"WRAP", 1), "the kind in capitals"),
        ("no_prefix", right.removeprefix(b"temoin/v1/"), "no prefix"),
        ("number_of_eight", ctx("wrap", b"record", ITEM, u64(7)), "the number in eight bytes"),
        ("number_in_digits", ctx("wrap", b"record", ITEM, b"7"), "the number in digits"),
        ("id_in_hex", ctx("wrap", b"record", ITEM.hex().encode(), u32(7)), "the id in hexadecimal"),
        ("other_order", ctx("wrap", ITEM, b"record", u32(7)), "fields in another order"),
        ("joined", ctx("wrap", b"record" + ITEM, u32(7)), "two fields joined"),
        ("field_missing", ctx("wrap", b"record", ITEM), "a field too few"),
        ("field_more", ctx("wrap", *fields, b""), "an empty field too many"),
        ("field_before", ctx("wrap", b"", *fields), "an empty field before the others"),
        ("no_fields", ctx("wrap"), "no fields"),
        ("nothing", b"", "no context"),
    ]:
        blob = sealed(items, context, message, salt)
        refuses(f"labelled_{name}", "open_labelled", TAMPERED, why, good, sealed=blob)
    info = ctx("items")
    for name, other, why in [
        ("itself", key, "the key itself, not derived"),
        ("other_kind", derived(key, "item"), "derived for another use"),
        ("fields", derived(key, "items", b""), "derived with an empty field"),
        ("no_context", expand(key, b"items", 32), "derived under the bare kind"),
        ("extracted", expand(hmac.digest(bytes(64), key, "sha512"), info, 32), "extracted before it was expanded"),
        ("sha256", hmac.digest(key, info + b"\x01", "sha256"), "with SHA-256"),
        ("counted_from_zero", hmac.digest(key, info + b"\x00", "sha512")[:32], "counted from 0"),
        ("second_half", expand(key, info, 64)[32:], "the second half of the first block"),
        ("as_kek", kek(info.decode("ascii"), key), "label and key in each other's place"),
    ]:
        blob = sealed(other, right, message, salt)
        refuses(f"labelled_key_{name}", "open_labelled", TAMPERED, why, good, sealed=blob)
    twice = good | {"key_kind": "pin-login", "key_fields": [ACCOUNT.hex(), b"1".hex()]}
    for name, other_fields, why in [
        ("fields_swapped", [b"1", ACCOUNT], "fields in another order"),
        ("fields_joined", [ACCOUNT + b"1"], "two fields joined"),
        ("field_missing", [ACCOUNT], "a field too few"),
        ("field_number", [ACCOUNT, b"\x01"], "a digit as a number"),
    ]:
        blob = sealed(derived(key, "pin-login", *other_fields), right, message, salt)
        refuses(f"labelled_key_{name}", "open_labelled", TAMPERED, why, twice, sealed=blob)
