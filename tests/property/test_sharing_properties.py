"""The directory, bundles, links and codes, for any text and any key."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto_core.encoding import format_b64url, format_json, format_time
from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError
from crypto_core.receipts.directory import (
    Listed, Listing, Revoked, derive_fingerprint, format_entry, parse_entry, read_directory,
)
from crypto_core.sealing import sharing
from crypto_core.sealing.keys import derive_box
from crypto_core.sealing.passphrase import derive_public

KEYS = st.binary(min_size=32, max_size=32)
IDS = st.binary(min_size=16, max_size=16)
SHOWN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), max_size=60).map(
    lambda text: text.strip(" ")
)
TIMES = st.integers(0, 4_000_000_000)


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
