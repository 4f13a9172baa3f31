// Facts published by others: Ed25519 (RFC 8032, Wycheproof, CCTV), Merkle proofs (transparency-dev), a note (Go). The
// examples of C2SP are files in tests/vectors/c2sp (receipts_vectors.test.ts).
// Knows: what each publication demands. Refuses to know: how it is met.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";

import { ConsistencyMismatch, InclusionMismatch, SignatureInvalid } from "../src/crypto_core/errors.js";
import { EMPTY_ROOT, hashLeaf, verifyConsistency, verifyInclusion } from "../src/crypto_core/receipts/merkle.js";
import { SignerKey, formatVkey, openNote, parseVkey, signNote } from "../src/crypto_core/receipts/note.js";
import { derivePublic, signEd25519, verifyEd25519 } from "../src/crypto_core/receipts/signatures.js";
import { ready } from "../src/crypto_core/sodium.js";
import {
  REASON, bytesIn, findPublished, readAllPublished, readCases, readPublished, testPublished,
} from "./published.js";
import { fromHex, sha256Hex, toHex } from "./vectors.js";

interface Pinned {
  readonly of: number;
  readonly accepted: readonly number[];
}

interface Proven {
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const UTF8 = new TextEncoder();

beforeAll(ready);

describe("where the vectors are not", () => {
  test("a test is skipped, and in CI it fails", () => {
    const nowhere = `${import.meta.filename}/nowhere`;
    expect(findPublished({ TEMOIN_VECTORS: nowhere })).toBeNull();
    expect(() => findPublished({ TEMOIN_VECTORS: nowhere, CI: "true" })).toThrow(REASON);
    expect(findPublished({ TEMOIN_VECTORS: import.meta.dirname, CI: "true" })).toBe(import.meta.dirname);
  });
});

describe("Ed25519", () => {
  testPublished("Wycheproof's 151 cases", (folder) => {
    const cases = readCases(folder, "ed25519_test", 151);
    const wrong = cases.filter((one) => {
      const publicKey = bytesIn(one["publicKey"] as Record<string, unknown>, "pk");
      return isAccepted(publicKey, bytesIn(one, "msg"), bytesIn(one, "sig")) !== (one.result === "valid");
    });
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
    expect(cases.filter(({ result }) => result === "valid")).toHaveLength(88);
  });

  testPublished("the 914 edge cases are decided as Python decides them", (folder) => {
    const pinned = JSON.parse(
      readFileSync(new URL("../../../tests/vectors/cctv_accepted.json", import.meta.url), "utf8"),
    ) as Pinned;
    const cases = readPublished<{ number: number; key: string; sig: string; msg: string }[]>(
      folder, "cctv/ed25519vectors.json",
    );
    const accepted = cases
      .filter(({ key, sig, msg }) => isAccepted(fromHex(key), UTF8.encode(msg), fromHex(sig)))
      .map(({ number }) => number);
    expect([cases.length, accepted.length]).toEqual([pinned.of, 43]);
    expect(accepted).toEqual(pinned.accepted);
  });

  test("RFC 8032, test 2", () => {
    const seed = fromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    const publicKey = fromHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const message = Uint8Array.of(0x72);
    const signature = signEd25519(seed, message);
    expect(toHex(signature)).toBe(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    expect(derivePublic(seed)).toEqual(publicKey);
    expect(verifyEd25519(publicKey, message, signature)).toEqual(message);
  });
});

describe("Merkle trees", () => {
  testPublished("inclusion proofs, right and wrong", (folder) => {
    type Inclusion = Proven & Readonly<{ leafIdx: number; treeSize: number; leafHash: string; root: string }>;
    const files = readAllPublished<Inclusion>(folder, "merkle/inclusion");
    expect(misjudged(files, InclusionMismatch, (one, proof) => {
      verifyInclusion(one.leafIdx, one.treeSize, fromBase64(one.leafHash), proof, fromBase64(one.root));
    })).toEqual([]);
    expect(files.map(([, { wantErr }]) => wantErr).sort()).toEqual([...Array(4).fill(false), ...Array(49).fill(true)]);
  });

  testPublished("consistency proofs, right and wrong", (folder) => {
    type Consistency = Proven & Readonly<{ size1: number; size2: number; root1: string; root2: string }>;
    const files = readAllPublished<Consistency>(folder, "merkle/consistency");
    expect(misjudged(files, ConsistencyMismatch, (one, proof) => {
      verifyConsistency(one.size1, one.size2, proof, fromBase64(one.root1), fromBase64(one.root2));
    })).toEqual([]);
    expect(files.map(([, { wantErr }]) => wantErr).sort()).toEqual([...Array(3).fill(false), ...Array(40).fill(true)]);
  });

  test("RFC 6962: the hashes of nothing", () => {
    expect(toHex(EMPTY_ROOT)).toBe(sha256Hex(new Uint8Array()));
    expect(toHex(hashLeaf(new Uint8Array()))).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  });
});

describe("signed notes", () => {
  test("the one that Go documents", () => {
    const seed = fromBase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").slice(1);
    const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const line = "\u2014 PeterNeumann "
      + "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const signer = new SignerKey("PeterNeumann", seed);
    expect(formatVkey(signer.verifier)).toBe(vkey);
    expect(signNote(text, signer)).toBe(`${text}\n${line}`);
    expect(openNote(UTF8.encode(`${text}\n${line}`), [parseVkey(vkey)]).text).toBe(text);
  });
});

function isAccepted(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return isDone(SignatureInvalid, () => verifyEd25519(publicKey, message, signature));
}

/** Whether it came to its end; any other error than a refusal is none of a verifier's. */
function isDone(refusal: new () => Error, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof refusal) return false;
    throw error;
  }
}

function misjudged<T extends Proven>(
  files: readonly (readonly [string, T])[], refusal: new () => Error, verify: (one: T, proof: Uint8Array[]) => void,
): string[] {
  const wrong = files.filter(([, one]) => {
    const proof = (one.proof ?? []).map(fromBase64);
    return isDone(refusal, () => verify(one, proof)) === one.wantErr;
  });
  return wrong.map(([name]) => name);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}
