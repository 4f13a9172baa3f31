"""The directory, bundles and their manifests, links and codes, for any text and any key."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from client_sdk.opening import parse_manifest
from client_sdk.manifest import stated
from crypto_core.encoding import format_b64url, format_json, format_time, parse_json
from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion
from crypto_core.receipts.directory import (
    Listed, Listing, Revoked, derive_fingerprint, format_entry, parse_entry, read_directory,
)
from crypto_core.sealing import sharing
from crypto_core.sealing.keys import derive_box
from crypto_core.sealing.passphrase import derive_public
from schemas.bundles import VERSION, WITH_WORDS, Manifest
from schemas.limits import MESSAGE, SAFE_INTEGER, U32

KEYS = st.binary(min_size=32, max_size=32)
IDS = st.binary(min_size=16, max_size=16)
SHOWN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), max_size=60).map(
    lambda text: text.strip(" ")
)
TIMES = st.integers(0, 4_000_000_000)
WHOLE = st.integers(0, SAFE_INTEGER)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=200
)
"""Without what JSON has two spellings for, in hex digits of either case."""


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    name = draw(SHOWN)
    assume(name)
    kind = draw(st.sampled_from(["association", "lawyer", "doctor", "police", "other", "notary"]))
    try:
        return Listing(name, draw(SHOWN), draw(SHOWN), kind, draw(KEYS), draw(KEYS))
    except MalformedError:
        assume(False)
        raise


ENTRIES = st.builds(Listed, listings(), TIMES, st.none()) | st.builds(Revoked, st.integers(0, 2**53 - 1))


@settings(max_examples=200, deadline=None)
@given(ENTRIES)
def test_an_entry_is_read_as_it_was_written(entry: Listed | Revoked) -> None:
    assert parse_entry(format_entry(entry)) == entry


@settings(max_examples=200, deadline=None)
@given(ENTRIES, st.data())
def test_a_changed_entry_is_refused_or_another_one(entry: Listed | Revoked, data: st.DataObject) -> None:
    spelled = bytearray(format_entry(entry))
    place = data.draw(st.integers(0, len(spelled) - 1))
    spelled[place] ^= data.draw(st.integers(1, 255))
    try:
        other = parse_entry(bytes(spelled))
    except CryptoCoreError:
        return
    assert other != entry
    assert format_entry(other) == bytes(spelled)


@settings(max_examples=100, deadline=None)
@given(st.lists(listings(), max_size=8), st.data())
def test_each_entry_is_current_until_another_ends_it(people: list[Listing], data: st.DataObject) -> None:
    entries, current = list[bytes](), dict[int, Listing]()
    for person in people:
        ends = data.draw(st.none() | st.sampled_from(sorted(current))) if current else None
        if ends is not None and data.draw(st.booleans()):
            entries.append(format_entry(Revoked(ends)))
        else:
            entries.append(format_entry(Listed(person, 0, ends)))
            current[len(entries) - 1] = person
        if ends is not None:
            del current[ends]
    assert {index: one.listing for index, one in read_directory(entries).current.items()} == current


@settings(max_examples=100, deadline=None)
@given(KEYS, KEYS)
def test_a_fingerprint_is_eight_groups_of_five_digits_of_both_keys(box: bytes, sign: bytes) -> None:
    shown = derive_fingerprint(box, sign)
    assert [len(group) for group in shown.split(" ")] == [5] * 8
    assert shown.replace(" ", "").isdigit()
    assume(box != sign)
    assert derive_fingerprint(sign, box) != shown


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Of both versions; in one that shares what somebody put into a box, at least one item has their words."""
    items: list[dict[str, Any]] = draw(st.lists(
        st.fixed_dictionaries({
            "item": IDS, "revision": st.integers(1, U32), "key": KEYS, "record": KEYS, "size": WHOLE, "index": WHOLE,
        }), min_size=1, max_size=5,
    ))
    version = draw(st.sampled_from([VERSION, WITH_WORDS]))
    if version == WITH_WORDS:
        said = draw(st.integers(0, len(items) - 1))
        items = [
            {**one, "words": draw(WHOLE if at == said else st.none() | WHOLE)} for at, one in enumerate(items)
        ]
    return {
        "v": version, "bundle": draw(IDS), "created": draw(TIMES), "expires": draw(TIMES), "sender": draw(KEYS),
        "reader": draw(st.none() | KEYS), "message": draw(TEXTS), "items": items,
    }


@settings(max_examples=200, deadline=None)
@given(manifests())
def test_a_manifest_is_read_as_it_was_written(facts: dict[str, Any]) -> None:
    assert parse_manifest(stated(Manifest(), facts)) == facts


@settings(max_examples=200, deadline=None)
@given(manifests(), st.data())
def test_a_changed_manifest_is_refused_or_another_one(facts: dict[str, Any], data: st.DataObject) -> None:
    spelled = bytearray(stated(Manifest(), facts))
    place = data.draw(st.integers(0, len(spelled) - 1))
    spelled[place] ^= data.draw(st.integers(1, 255))
    try:
        other = parse_manifest(bytes(spelled))
    except (MalformedError, UnsupportedVersion):
        return
    assert other != facts
    assert parse_manifest(stated(Manifest(), other)) == other


@settings(max_examples=200, deadline=None)
@given(manifests(), st.data())
def test_a_manifest_has_the_words_of_its_version_and_nothing_else(facts: dict[str, Any], data: st.DataObject) -> None:
    """One that says what the other version does, that leaves a name out, or that has one more, is none."""
    spelled = parse_json(stated(Manifest(), facts))
    assert isinstance(spelled, dict)
    items = list(spelled["items"])
    at = data.draw(st.integers(0, len(items) - 1))
    inside, more = items[at], {data.draw(st.sampled_from(["word", "Words", "blob", "constructor"])): None}
    changed = [
        {**spelled, "v": VERSION + WITH_WORDS - spelled["v"]}, {**spelled, **more},
        {**spelled, "items": [*items[:at], {**inside, **more}, *items[at + 1 :]]}, {**spelled, "items": []},
        *({one: value for one, value in spelled.items() if one != name} for name in spelled),
        *({**spelled, "items": [*items[:at], {one: value for one, value in inside.items() if one != name},
                                *items[at + 1 :]]} for name in inside),
        {**spelled, "items": [{**one, "words": None} for one in items]},
        {**spelled, "message": "x" * (MESSAGE + 1)},
    ]
    for one in changed:
        with pytest.raises((MalformedError, UnsupportedVersion)):
            parse_manifest(format_json(one))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE_INTEGER, SAFE_INTEGER) | TEXTS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["v", "bundle", "items", "words", "message", "reader"]), inner, max_size=4),
).map(format_json))
def test_what_is_no_manifest_is_refused_as_such(data: bytes) -> None:
    with pytest.raises((MalformedError, UnsupportedVersion)):
        parse_manifest(data)


@settings(max_examples=50, deadline=None)
@given(KEYS, IDS, KEYS, KEYS, TIMES, st.text(max_size=300))
def test_a_bundle_opens_for_its_reader_alone(
    key: bytes, bundle: bytes, seed: bytes, other: bytes, end: int, message: str
) -> None:
    pk_box, sk_box = derive_box(seed)
    manifest = format_json({
        "bundle": format_b64url(bundle), "sender": format_b64url(derive_public(seed)), "expires": format_time(end),
        "reader": format_b64url(sha256(pk_box).digest()), "message": message.encode("utf-8", "replace").decode(),
    })
    sealed = sharing.seal_bundle(key, bundle, manifest, seed)
    wrap = sharing.wrap_for_professional(pk_box, key, bundle)
    assert sharing.unwrap_for_professional(pk_box, sk_box, bundle, wrap) == key
    if end == 0:
        return
    opened = sharing.open_bundle(key, bundle, sealed, reader=pk_box, now=end - 1)
    assert (opened.json, opened.sender, opened.expires) == (manifest, derive_public(seed), end)
    with pytest.raises(sharing.BundleExpired):
        sharing.open_bundle(key, bundle, sealed, reader=pk_box, now=end)
    assume(other not in (seed, key))
    with pytest.raises(sharing.BundleOtherReader):
        sharing.open_bundle(key, bundle, sealed, reader=derive_box(other)[0], now=0)
    with pytest.raises(TamperedError):
        sharing.open_bundle(other, bundle, sealed, reader=pk_box, now=0)
    with pytest.raises(TamperedError):
        sharing.unwrap_for_professional(pk_box, derive_box(other)[1], bundle, wrap)


@settings(max_examples=100, deadline=None)
@given(KEYS, KEYS, KEYS, IDS)
def test_link_and_share_give_the_key(secret: bytes, share: bytes, key: bytes, bundle: bytes) -> None:
    code = sharing.make_code()
    assert sharing.parse_code(sharing.format_code(code)) == code
    shown_bundle, shown_secret = sharing.parse_fragment(sharing.format_fragment(bundle, secret))
    link_key = sharing.derive_link(shown_secret, shown_bundle)
    wrap = sharing.wrap_for_link(link_key, share, bundle, key)
    assert sharing.unwrap_for_link(link_key, share, bundle, wrap) == key
    other = f"{(int(code) + 1) % 10**8:08}"
    assert sharing.derive_code(link_key, bundle, code) != sharing.derive_code(link_key, bundle, other)
    with pytest.raises(TamperedError):
        sharing.unwrap_for_link(link_key, bytes(byte ^ 1 for byte in share), bundle, wrap)


def test_codes_are_drawn_from_all_that_there_are() -> None:
    codes = {sharing.make_code() for _ in range(2000)}
    assert len(codes) > 1990
    for place in range(sharing.CODE_DIGITS):
        assert {code[place] for code in codes} == set("0123456789")
