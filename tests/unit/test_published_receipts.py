"""Facts published by others: Ed25519 (RFC 8032, Wycheproof, CCTV), Merkle proofs (transparency-dev), a note (Go).

The examples of C2SP are files in tests/vectors/c2sp (test_receipts_vectors.py).
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from crypto_core.errors import ConsistencyMismatch, InclusionMismatch, SignatureInvalid
from crypto_core.receipts.merkle import EMPTY_ROOT, hash_leaf, verify_consistency, verify_inclusion
from crypto_core.receipts.note import SignerKey, format_vkey, open_note, parse_vkey, sign_note
from crypto_core.receipts.signatures import derive_public, sign_ed25519, verify_ed25519

ACCEPTED = Path(__file__).parents[1] / "vectors" / "cctv_accepted.json"


def is_accepted(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return verify_ed25519(public, message, signature) == message
    except SignatureInvalid:
        return False


def test_wycheproof_ed25519(published_vectors: Path) -> None:
    groups = json.loads((published_vectors / "wycheproof" / "ed25519_test.json").read_bytes())["testGroups"]
    wrong, counts = [], Counter[str]()
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            accepted = is_accepted(public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            counts[case["result"]] += 1
            if accepted != (case["result"] == "valid"):
                wrong.append(case["tcId"])
    assert wrong == []
    assert counts == {"valid": 88, "invalid": 63}


def test_the_edge_cases_of_ed25519_are_decided_as_pinned(published_vectors: Path) -> None:
    pinned = json.loads(ACCEPTED.read_bytes())
    cases = json.loads((published_vectors / "cctv" / "ed25519vectors.json").read_bytes())
    accepted = [
        case["number"]
        for case in cases
        if is_accepted(bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
    ]
    assert (len(cases), len(accepted)) == (pinned["of"], 43)
    assert accepted == pinned["accepted"]


def merkle_files(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    paths = sorted(folder.rglob("*.json"))
    return [(path.relative_to(folder).as_posix(), json.loads(path.read_bytes())) for path in paths]


def test_published_inclusion_proofs(published_vectors: Path) -> None:
    files = merkle_files(published_vectors / "merkle" / "inclusion")
    wrong = []
    for name, case in files:
        proof = [b64decode(value) for value in case["proof"] or []]
        leaf, root = b64decode(case["leafHash"]), b64decode(case["root"])
        try:
            verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)
            refused = False
        except InclusionMismatch:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(name)
    assert wrong == []
    assert Counter(case["wantErr"] for _, case in files) == {True: 49, False: 4}


def test_published_consistency_proofs(published_vectors: Path) -> None:
    files = merkle_files(published_vectors / "merkle" / "consistency")
    wrong = []
    for name, case in files:
        proof = [b64decode(value) for value in case["proof"] or []]
        root1, root2 = b64decode(case["root1"]), b64decode(case["root2"])
        try:
            verify_consistency(case["size1"], case["size2"], proof, root1, root2)
            refused = False
        except ConsistencyMismatch:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(name)
    assert wrong == []
    assert Counter(case["wantErr"] for _, case in files) == {True: 40, False: 3}


def test_rfc_8032_test_2() -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert derive_public(seed) == public
    assert sign_ed25519(seed, b"\x72") == signature
    assert verify_ed25519(public, b"\x72", signature) == b"\x72"


def test_rfc_6962_hashes_of_nothing() -> None:
    assert EMPTY_ROOT == sha256(b"").digest()
    assert hash_leaf(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_the_signed_note_that_go_documents() -> None:
    seed = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "\u2014 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    signer = SignerKey("PeterNeumann", seed)
    assert format_vkey(signer.verifier) == vkey
    assert sign_note(text, signer) == f"{text}\n{line}"
    assert open_note(f"{text}\n{line}".encode(), [parse_vkey(vkey)]).text == text
