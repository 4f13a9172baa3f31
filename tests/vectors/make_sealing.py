"""Writes tests/vectors/sealing: one small JSON file per fact about the secret side, for every language to run.

Knows: where the facts are told (facts_of_*.py). Refuses to know: crypto_core; nothing here or there imports it.

Each file: {op, expect: "success" or an error code, why, inputs, outputs}. Bytes are hexadecimal, or {"shake": label,
"size": n} (that many bytes of SHAKE-256 of the label), or {"zeros": n}, or a list of these, joined. Long outputs are
given as {"sha256", "size"}. In `pieces` of a sealed message, [start, stop] is a part of it and hexadecimal is other
bytes. Text and numbers stand as they are. Running it again changes no byte.
"""

from __future__ import annotations

import json
from pathlib import Path

from facts_of_backup import backups
from facts_of_boxes import addresses, deposits, kept_boxes
from facts_of_encoding import encoding, labels
from facts_of_envelope import envelope
from facts_of_keys import keys, record_keys, recovery
from facts_of_records import confusions, links, padding, records
from facts_of_secrets import chain, requests, secrets
from facts_of_sharing import bundles, directory, link_codes
from spelled_again import facts

FOLDER = Path(__file__).parent / "sealing"
TOPICS = (
    encoding,
    labels,
    envelope,
    secrets,
    chain,
    requests,
    keys,
    record_keys,
    recovery,
    padding,
    records,
    links,
    confusions,
    directory,
    bundles,
    link_codes,
    addresses,
    kept_boxes,
    deposits,
    backups,
)


def main() -> None:
    """Writes every fact, and removes the files of facts that are no more."""
    facts.clear()
    for topic in TOPICS:
        topic()
    FOLDER.mkdir(exist_ok=True)
    for stale in {path.stem for path in FOLDER.glob("*.json")} - set(facts):
        (FOLDER / f"{stale}.json").unlink()
    for name, fact in facts.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(fact, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
