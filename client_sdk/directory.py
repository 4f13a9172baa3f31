"""The professionals' directory as this device believes it: read whole, so that nobody learns whom somebody looks for.

Knows: that the pinned key has signed it, that it only grew, that the witnesses it asks for have signed too, and whose
digits were compared here. Refuses to know: who approved whom, and which of two people of one name is the right one.

What is remembered lies sealed on this device: the newest signed note, whose cosignatures are demanded, the keys that
were compared, and the names that are this account's own. Two histories are a warning about the vault.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from client_sdk.errors import DeviceNewer, DirectoryForked, ItemUnknown, PolicyOtherLog, Refused, TrustError
from client_sdk.home import read_file, write_file
from client_sdk.protocol.sync import Finding
from client_sdk.session import Session
from crypto_core.encoding import format_b64url, format_json, is_number, parse_b64url, parse_json
from crypto_core.errors import CryptoCoreError, MalformedError
from crypto_core.receipts.checkpoint import Checkpoint, parse_checkpoint
from crypto_core.receipts.directory import Directory, Listed as ListedEntry, Listing, read_directory
from crypto_core.receipts.merkle import hash_leaf
from crypto_core.receipts.note import format_vkey, open_note, parse_vkey
from crypto_core.receipts.policy import Policy, format_policy, parse_policy
from crypto_core.receipts.tiles import WIDTH, entries_path, parse_entries
from crypto_core.receipts.tree import new_nodes, root
from crypto_core.receipts.witnessed import open_checkpoint
from crypto_core.sealing.records import open_device_state, seal_device_state
from schemas.limits import CHECKPOINT_NOTE

CHECKPOINT = "/directory/checkpoint"
TILE = "/directory/tile/<path:tile>"

_STATE = "directory"
_MOST_ENTRIES = 100_000
"""A directory of more entries than there could be professionals is refused before it is read."""
_BUNDLE_SIZE = WIDTH * (2 + 0xFFFF)
_TRIES = 2


class DirectoryInvalid(TrustError):
    """The directory is not what its signed state says, or not signed by the pinned key."""

    code = "directory_invalid"
    sentence = (
        "The vault's directory of professionals does not verify, so nothing is shared with anybody in it. Try again; "
        "if it stays so, ask who runs the vault."
    )


class DirectoryUnwitnessed(TrustError):
    """Too few of the witnesses that are demanded have cosigned the newest state of the directory."""

    code = "directory_unwitnessed"
    sentence = (
        "The witnesses have not confirmed that everybody is shown the same directory of professionals, so nothing is "
        "shared with anybody in it. Try again in a minute; if it stays so, ask who runs the vault."
    )


class ProKeyChanged(TrustError):
    """Somebody of this name was compared, and had other keys."""

    code = "pro_key_changed"
    sentence = (
        "This professional is listed with other keys than those that you compared. Nothing was shared. Call them, by a "
        "number that you have from elsewhere, and compare the new digits."
    )


@dataclass(frozen=True)
class Professional:
    """Somebody who is listed now. `changed`: others of this name were compared here, this one's keys were not."""

    entry: int
    listing: Listing
    since: int
    """Unix seconds."""
    compared: Literal["no", "yes", "changed"]


@dataclass(frozen=True)
class Listed:
    """All who are listed, in the order of entries. `unread`: entries of a newer version, which are passed over."""

    professionals: tuple[Professional, ...]
    unread: int
    ever: tuple[Listing, ...]
    """Whoever was ever listed, those too whose entry has ended."""
    own: tuple[str, ...]
    """The names under which this account asked to be listed, or was, as this device remembers."""


@dataclass(frozen=True)
class _Kept:
    """What this device remembers."""

    note: str | None = None
    compared: tuple[Listing, ...] = ()
    """As they were listed when their digits were compared."""
    policy: Policy | None = None
    """Whose cosignatures are demanded; None as long as no directory that was believed has named any."""
    own: tuple[str, ...] = ()


class Professionals:
    """The directory of one session's vault."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[int, Listing] = {}
        """By entry, as it was shown: digits that somebody compared are never those of another reading."""

    def read(self) -> Listed:
        """Reads all of it and believes it, if it continues what was seen before and enough witnesses have signed.

        Raises DirectoryInvalid, DirectoryUnwitnessed, DirectoryForked (both notes are kept as evidence; and again while
        that warning stands), NetworkError.
        """
        with self._session.home.lock():
            kept = self._kept()
            if Finding.DIRECTORY_FORKED in self._session.warnings.findings:
                raise DirectoryForked()
            note, checkpoint, entries = self._fetch()
            leaves = list(map(hash_leaf, entries))
            if _root_of(leaves) != checkpoint.root:
                raise DirectoryInvalid("other entries than were signed")
            if kept.note is not None:
                self._require_grown(kept.note, note, checkpoint, leaves)
            directory = _understood(entries)
            for demanded in (kept.policy, directory.policy):
                _require_met(note, demanded)
            if (kept.note, kept.policy) != (note, directory.policy or kept.policy):
                self._keep(replace(kept, note=note, policy=directory.policy or kept.policy))
        professionals = tuple(
            Professional(entry, one.listing, one.since, _standing(one.listing, kept.compared))
            for entry, one in directory.current.items()
        )
        self._read = {one.entry: one.listing for one in professionals}
        ever = tuple(one.listing for one in directory.all.values() if isinstance(one, ListedEntry))
        return Listed(professionals, directory.unread, ever, kept.own)

    def note_compared(self, entry: int) -> None:
        """The digits of an entry, as it was read last, were compared: whoever is listed under that name with other keys
        is refused from now on. Raises ItemUnknown for an entry that was not read, or is not current."""
        if entry not in self._read:
            raise ItemUnknown()
        with self._session.home.lock():
            kept, listing = self._kept(), self._read[entry]
            compared = (*(one for one in kept.compared if one != listing), listing)
            self._keep(replace(kept, compared=compared))

    def note_own(self, *names: str) -> None:
        """This account is, or asked to be, listed under these names: the vault is not asked for them again."""
        with self._session.home.lock():
            kept = self._kept()
            if not set(names) <= set(kept.own):
                self._keep(replace(kept, own=tuple(dict.fromkeys((*kept.own, *names)))))

    def demand(self, policy: Policy) -> None:
        """From now on no state of the directory is believed without the cosignatures that `policy` asks for.

        Raises PolicyOtherLog for one that isn't about this vault's directory.
        """
        pin, given = self._session.pin, {format_vkey(log.key) for log in policy.logs}
        if pin.directory_vkey not in given:
            is_ledger = any(map(pin.knows, given))
            raise PolicyOtherLog(
                "this vault's ledger" if is_ledger else "neither of this vault's logs",
                f"its directory, {pin.directory_vkey}",
            )
        with self._session.home.lock():
            self._keep(replace(self._kept(), policy=policy))

    def start_anew(self) -> None:
        """Lets go of the note held and of whose cosignatures are demanded; compared keys and own names stay."""
        with self._session.home.lock():
            self._keep(replace(self._kept(), note=None, policy=None))

    def _fetch(self) -> tuple[str, Checkpoint, list[bytes]]:
        """The newest state, with every entry of it. A bundle may have grown since its note was asked for: then both
        anew."""
        for tries in range(1, _TRIES + 1):
            note = self._collect(CHECKPOINT, CHECKPOINT_NOTE).decode("utf-8", "replace")
            checkpoint = self._open(note)
            if checkpoint is None:
                raise DirectoryInvalid("not signed by the directory that is known")
            if checkpoint.size > _MOST_ENTRIES:
                raise DirectoryInvalid("more entries than can be")
            try:
                return note, checkpoint, self._entries(checkpoint.size)
            except Refused as refusal:
                if refusal.code != "not_found" or tries == _TRIES:
                    raise
        raise AssertionError("the last try returns or raises")

    def _open(self, note: str) -> Checkpoint | None:
        """What the pinned key has signed under its own name; None for anything else."""
        try:
            key = parse_vkey(self._session.pin.directory_vkey)
            checkpoint = parse_checkpoint(open_note(note.encode("utf-8"), [key]).text)
        except CryptoCoreError:
            return None
        return checkpoint if checkpoint.origin == key.name else None

    def _entries(self, size: int) -> list[bytes]:
        entries = list[bytes]()
        for index in range(-(-size // WIDTH)):
            width = min(WIDTH, size - index * WIDTH)
            data = self._collect(TILE, _BUNDLE_SIZE, tile=entries_path(index, width).removeprefix("tile/"))
            try:
                entries.extend(parse_entries(data, width))
            except MalformedError as error:
                raise DirectoryInvalid(error.detail) from None
        return entries

    def _collect(self, path: str, most: int, **places: str) -> bytes:
        data = bytearray()
        for block in self._session.transport.read(path, 0, None, token=None, **places):
            data += block
            if len(data) > most:
                raise DirectoryInvalid("an answer that does not end")
        return bytes(data)

    def _require_grown(self, held: str, note: str, checkpoint: Checkpoint, leaves: list[bytes]) -> None:
        """A held note under another key was let go of with that key."""
        known = self._open(held)
        if known is None or (known.size <= checkpoint.size and _root_of(leaves[: known.size]) == known.root):
            return
        for one in (held, note):
            self._session.home.keep_evidence("directory", one.encode("utf-8"))
        if known.size > checkpoint.size:
            raise DirectoryInvalid("fewer entries than before")
        self._session.warnings.add(Finding.DIRECTORY_FORKED)
        raise DirectoryForked()

    @property
    def _path(self) -> Path:
        return self._session.home.folder / _STATE

    def _kept(self) -> _Kept:
        sealed = read_file(self._path)
        if sealed is None:
            return _Kept()
        session = self._session
        kept = parse_json(open_device_state(session.keyring.mk_n, _STATE, session.account, sealed))
        match kept:
            case {
                "v": version, "note": str() | None as note, "compared": [*compared], "policy": str() | None as policy,
                "own": [*own],
            } if is_number(version, 2) and all(isinstance(name, str) for name in own):
                demanded = None if policy is None else parse_policy(policy.encode("utf-8"))
                return _Kept(note, tuple(map(_parse_compared, compared)), demanded, tuple(own))
            case {
                "v": version, "note": str() | None as note, "compared": [*compared],
            } if is_number(version, 1):  # before there were witnesses
                return _Kept(note, tuple(map(_parse_compared, compared)))
            case {"v": int(version)} if version > 2:
                raise DeviceNewer()
        raise MalformedError("not what this device keeps of the directory")

    def _keep(self, kept: _Kept) -> None:
        session = self._session
        data = format_json({
            "v": 2, "note": kept.note, "compared": list(map(_format_compared, kept.compared)),
            "policy": None if kept.policy is None else format_policy(kept.policy).decode("utf-8"),
            "own": list(kept.own),
        })
        write_file(self._path, seal_device_state(session.keyring.mk_n, _STATE, session.account, data))


def require_same(professional: Professional) -> None:
    """Raises ProKeyChanged for somebody of a compared name whose keys were not compared."""
    if professional.compared == "changed":
        raise ProKeyChanged()


def find_professionals(
    everybody: Iterable[Professional], words: str = "", kind: str | None = None
) -> list[Professional]:
    """Those of one kind, if one is named, in whose name, organisation and town every word stands; case and accents
    don't matter."""
    wanted = fold_name(words).split()
    return [
        one for one in everybody
        if kind in (None, one.listing.kind) and all(word in _shown(one.listing) for word in wanted)
    ]


def fold_name(text: str) -> str:
    """A text by which names are compared for likeness: without case and accents, one space between words."""
    bare = "".join(point for point in unicodedata.normalize("NFKD", text) if not unicodedata.combining(point))
    return " ".join(bare.casefold().split())


def _shown(listing: Listing) -> str:
    return fold_name(f"{listing.name} {listing.org} {listing.town}")


def _standing(listing: Listing, compared: Sequence[Listing]) -> Literal["no", "yes", "changed"]:
    of_that_name = [one for one in compared if fold_name(one.name) == fold_name(listing.name)]
    if not of_that_name:
        return "no"
    is_known = any((one.pk_box, one.pk_sign) == (listing.pk_box, listing.pk_sign) for one in of_that_name)
    return "yes" if is_known else "changed"


def _require_met(note: str, demanded: Policy | None) -> None:
    try:
        if demanded is not None and not open_checkpoint(note.encode("utf-8"), demanded).is_met:
            raise DirectoryUnwitnessed()
    except CryptoCoreError as error:
        raise DirectoryInvalid(error.code) from None


def _understood(entries: list[bytes]) -> Directory:
    try:
        return read_directory(entries)
    except MalformedError as error:
        raise DirectoryInvalid(error.detail) from None


def _root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree of these leaf hashes."""
    kept = dict[tuple[int, int], bytes]()

    def read(level: int, index: int) -> bytes:
        return kept[level, index]

    kept.update({(level, index): value for level, index, value in new_nodes(0, leaves, read)})
    return root(len(leaves), read)


def _format_compared(one: Listing) -> dict[str, str]:
    return {
        "name": one.name, "org": one.org, "town": one.town, "kind": one.kind, "pk_box": format_b64url(one.pk_box),
        "pk_sign": format_b64url(one.pk_sign),
    }


def _parse_compared(facts: object) -> Listing:
    match facts:
        case {
            "name": str(name), "org": str(org), "town": str(town), "kind": str(kind), "pk_box": str(box),
            "pk_sign": str(sign),
        }:
            return Listing(name, org, town, kind, parse_b64url(box), parse_b64url(sign))
    raise MalformedError("not what this device keeps of the directory")
