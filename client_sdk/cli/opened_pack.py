"""What is said of something shared once it is written down; `pro open` and `open-link` have it in common.

Knows: the words, and the mark of a pack that isn't finished. Refuses to know: how it was opened.

An opening is counted when it is asked for, and a long pack may be cut off later. So its id, which opens nothing, lies
beside what is written until that is whole: whoever gives the same command again within the hour goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from client_sdk.cli.failures import FileExists, NotReached, failure_of
from client_sdk.cli.options import Shared, a_place
from client_sdk.cli.output import facts, note, print_json, screen, spell_time, visible
from client_sdk.cli.written_pack import named, named_file, tell_check, tell_file, tell_verifier
from client_sdk.errors import NetworkError, Refused, ServerFault
from client_sdk.home import read_file, write_file
from client_sdk.opening import OpenedBundle
from client_sdk.packs.pack import PAGE, write_pack
from client_sdk.packs.sink import open_sink
from crypto_core.encoding import ID_SIZE
from crypto_core.errors import TemoinError
from crypto_core.randomness import make_id
from crypto_core.receipts.policy import Policy
from schemas import outputs

_MARK = ".opening"
_LOST: tuple[type[BaseException], ...] = (NetworkError, ServerFault, OSError, KeyboardInterrupt)
"""After these the opening may have been counted, and the command may be given again."""

output_option = click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), required=True, metavar="DIR|NAME.zip",
    callback=a_place, help="A new or empty folder for all of it, or a new ZIP file; readable from then on.",
)


@contextmanager
def unfinished(target: Path, bundle: bytes) -> Iterator[bytes]:
    """The id of the opening (16 bytes): a new one, or that of an earlier try at the same bundle in the same place.

    Raises FileExists before anything is opened, so that no opening is spent in vain.
    """
    is_zip = target.suffix.lower() == ".zip"
    if not is_zip and target.exists() and not target.is_dir():
        raise FileExists()
    mark = target.with_name(f".{target.name}{_MARK}") if is_zip else target / _MARK
    known = read_file(mark)
    earlier = known is not None and len(known) == 2 * ID_SIZE and known[:ID_SIZE] == bundle
    if target.exists() and (is_zip or not earlier and any(target.iterdir())):
        raise FileExists()
    made = not target.exists()
    opening = known[ID_SIZE:] if earlier and known is not None else make_id()
    write_file(mark, bundle + opening)
    try:
        yield opening
    except BaseException as error:
        if not isinstance(error, _LOST) or isinstance(error, NotReached):
            mark.unlink(missing_ok=True)
            if made and not is_zip and not any(target.iterdir()):
                target.rmdir()
        raise
    mark.unlink(missing_ok=True)


def write_opened(common: Shared, opened: OpenedBundle, policy: Policy, target: Path) -> None:
    """Writes the pack and says what it holds."""
    with open_sink(target) as sink:
        written = write_pack(opened, policy, sink)
    missing, unsaid = ([named(one.item) for one in lacking] for lacking in (written.refused, written.unsaid))
    if common.as_json:
        print_json(outputs.OpenedPack(), {
            "bundle": opened.bundle, "directory": str(target), "message": opened.message,
            "items": len(opened.items) - len(missing), "missing": missing, "unsaid": unsaid,
            "files": [named_file(one) for one in written.lost if not one.is_there],
            "unproven": [named_file(one) for one in written.lost if one.is_there],
        })
    else:
        screen().print(facts({
            "Message": visible(opened.message) or None, "Until": spell_time(opened.expires),
            "Items": str(len(opened.items) - len(missing)), "Sender": opened.sender.hex(),
            "Written": str(target if target.is_file() else target / PAGE),
        }))
        note("These files are readable by whoever uses this device. What the receipts prove stands on the page.")
        tell_check(target)
        tell_verifier(written.verifier)
        if written.ledger is not None:
            note("The ledger gave no checkpoint that covers the receipts; they hold without it.")
        for name, one in zip(missing, written.refused, strict=True):
            assert one.lacking is not None
            note(f"{name}: {failure_of(one.lacking).sentence}")
        for file in written.lost:
            tell_file(file)
        for one in written.unsaid:
            assert one.words is not None and one.words.doubt is not None
            note(f"{one.item.id.hex()}, the words sent with it: {failure_of(one.words.doubt).sentence}")
    doubts = [None if one.words is None else one.words.doubt for one in written.unsaid]
    lost = [one.error for one in written.lost]
    _raise_first([*(one.lacking for one in written.refused), *lost, *doubts, written.ledger])


def _raise_first(errors: list[TemoinError | None]) -> None:
    """Raises the first that speaks against the vault; that the ledger gave nothing is no failure of a pack."""
    for error in errors:
        if error is not None and not isinstance(error, NetworkError | ServerFault | Refused):
            raise error
