"""Writes what a person hands over: sealed files, their receipts, and how anybody checks them.

Knows: the names of the files and the words of the README. Refuses to know: keys; nothing in the folder opens anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from client_sdk.client import VaultClient
from client_sdk.errors import BlobSwapped
from client_sdk.home import write_blocks, write_file
from client_sdk.items import Item, SealedBlob
from crypto_core.receipts.policy import format_policy
from crypto_core.receipts.receipt import proven_sentence

SEALED, PROOF, POLICY, README = ".sealed", ".tlog-proof", "policy.txt", "README.txt"
TOKEN, CHAIN, BEFORE_NOTE, BEFORE_TOKEN = ".tsr", ".chain.pem", ".before.note", ".before.tsr"

_README = """\
What this folder holds

{files}

A file ending in .sealed is exactly what was deposited: it is encrypted, and nobody can read it without its key.
The file of the same name ending in .tlog-proof is its receipt. policy.txt names the key of the ledger that signed it.

If the vault has its ledger stamped by a time-stamping authority, the file ending in .tsr is the authority's token
(RFC 3161) over the state of the ledger that the receipt is under, and .chain.pem has the authority's certificates, but
for its root. Those ending in .before.note and .before.tsr are the last such state without this file, and its token.

What the receipts prove

{proven}

How to check them

1. Offline, with this program (no account is needed):

       temoin verify NAME.sealed NAME.tlog-proof --policy policy.txt

   It prints each step, and ends with code 0 (valid), 1 (invalid) or 4 (not yet verifiable).
   With a token, and the root certificate that the authority itself publishes, it also proves the authority's time:

       temoin verify NAME.sealed NAME.tlog-proof --policy policy.txt --tsa-roots ROOT.pem

   It takes the token, and what belongs to it, from beside the receipt.

2. With any other tool that reads c2sp.org/tlog-proof: the receipt is one. Its `extra` line is the base64 of a nonce
   (32 bytes), the time of deposit (8 bytes, seconds since 1970), the length of the sealed file (8 bytes) and its
   SHA-256 (32 bytes). The ledger's entry is the time rounded up to the minute (8 bytes) and
   SHA-256("temoin/v1/receipt", one zero byte, extra); its leaf hash is SHA-256(one zero byte, entry).

3. The token, with OpenSSL. It is over the lines of the receipt between its two empty lines:

       sed '1,/^$/d;/^$/,$d' NAME.tlog-proof > NAME.checkpoint
       openssl ts -verify -in NAME.tsr -data NAME.checkpoint -CAfile ROOT.pem -untrusted NAME.chain.pem

Compare the key in policy.txt with the one that the people who run the vault publish: whoever could change this folder
could have changed the key as well.
"""


def export_receipts(client: VaultClient, item: Item, directory: Path) -> list[Path]:
    """Writes an item's sealed record and contents, beside each its receipt and what anchors it, policy.txt, README.txt.

    Gives the paths written. Raises NeedsPin for a locked item, BlobSwapped if the vault returns other bytes than were
    kept (nothing of that file is then left), OSError as the disk does.
    """
    written: list[Path] = []
    proven: list[str] = []
    for blob in client.sealed_blobs(item):
        sealed = directory / f"{blob.name}{SEALED}"
        write_blocks(sealed, _proven(blob))
        written.append(sealed)
        for suffix, data in _proofs(blob).items():
            written.append(directory / f"{blob.name}{suffix}")
            write_file(written[-1], data)
        proven.append(f"    {sealed.name}\n        {proven_sentence(blob.verified)}")
    policy, readme = directory / POLICY, directory / README
    names = "\n".join(f"    {path.name}" for path in (*written, policy))
    write_file(readme, _README.format(files=names, proven="\n".join(proven)).encode("utf-8"))
    write_file(policy, format_policy(client.policy))  # last: by the other one a later export knows both as ours
    return [*written, policy, readme]


def _proofs(blob: SealedBlob) -> dict[str, bytes]:
    """What lies beside a sealed file, by the end of its name."""
    found = {PROOF: blob.receipt.encode("utf-8")}
    if blob.anchor is not None:
        chain = blob.anchor.chain
        found[TOKEN] = blob.anchor.token
        if blob.before is not None:
            chain += "" if blob.before.chain in chain else blob.before.chain
            found |= {BEFORE_NOTE: blob.before.checkpoint.encode("utf-8"), BEFORE_TOKEN: blob.before.token}
        found[CHAIN] = chain.encode("utf-8")
    return found


def _proven(blob: SealedBlob) -> Iterator[bytes]:
    """Its bytes; raises BlobSwapped in the place of an end."""
    digest = sha256()
    for chunk in blob.chunks:
        digest.update(chunk)
        yield chunk
    if digest.digest() != blob.sha256:
        raise BlobSwapped("another hash than the record names")
