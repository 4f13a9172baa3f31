"""One set of names and one set of facts: what Python calls its functions and errors, the web client calls them too.

Both sides are read, neither is run. A name that only one language can have stands in a table here, with its reason;
a line of a table that nothing needs any more is an error as well.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_sdk.cli import temoin
from crypto_core.errors import TemoinError
from crypto_core.labels import Kind
from schemas.problems import PROBLEMS
from tests.architecture.typescript import ROOT, SOURCE, Class, classes, constants, exports, modules, text_of

MIRRORED = ("crypto_core", "schemas", "client_sdk")
"""Packages whose modules have a counterpart, of the same path but for `client_sdk`, which is `sdk` there."""

PYTHON_ONLY_MODULES = {
    "client_sdk/anchors": "the page verifies no token: browsers have no X.509",
    "client_sdk/cli": "the command line",
    "client_sdk/following": "a ledger is followed by a program that stays, not by a page",
    "client_sdk/gathering": "many files at once, from threads; the page sends those that were picked",
    "client_sdk/hashing": "a thread of its own; a worker hashes where it seals",
    "client_sdk/taken": "folders that are given again; a browser is given files",
    **dict.fromkeys(("crypto_core/receipts/anchor", "crypto_core/receipts/der"), "as client_sdk/anchors"),
    "client_sdk/strength": "the sign-up page asks its own zxcvbn (app/views/account), so that no other page loads it",
    "client_sdk/published": "the auditor's tools are those of the command line",
    "client_sdk/packs/sink": "a folder, or a ZIP file on a disk; a page writes one stream (sdk/archive)",
    "client_sdk/wire": "a browser has its connections already",
    "client_sdk/witness": "a partner's machine runs it, and no page",
    "client_sdk/upgrading": "so far the command line alone does it; a page exports what it was given",
    "schemas/help": "the public pages are written by the server",
    "schemas/outputs": "what the command line prints",
}
TYPESCRIPT_ONLY_MODULES = {
    "crypto_core/json_reader": "JSON.parse forgives what protocol §0 refuses; Python's own parser can be made strict",
    "crypto_core/receipts/spelling": "JavaScript doesn't compare values by what they hold",
    "crypto_core/sodium": "libsodium is wasm here, and has to be waited for",
    "schemas/wire.d": "the types of the wire, generated from docs/api/openapi.json",
    "sdk/archive": "a ZIP file as a stream, and read where it lies; Python's zipfile does both",
    "sdk/argon": "Argon2id runs in a worker of its own, ended after each use",
    "sdk/digest": "SHA-256 of a stream; Python's hashlib has it",
    "sdk/open_vault": "some parts are fetched when they are first asked for; Python's client.py makes all at once",
    "sdk/recorder": "what a page records; the command line has no camera",
    "sdk/segments": "as sdk/recorder: what of it lies on the device",
    "sdk/drafts": "drafts and previews are the pages'; the command line has an editor's file",
}

_ENDPOINT = "a row of the table of endpoints, which TypeScript names where it is used"
_ITS_OWN = "read by its module alone, and not exported"
_QUERY = "the server reads the query; a client only writes it"
_ONE_CALL = "a page hands over words and files in one call, which is made again after a cut"
PYTHON_ONLY_NAMES = {
    "client_sdk/attaching": {"Leave": "a file that can't be sent leaves a page's text where it was typed"},
    "client_sdk/box_visit": {
        **dict.fromkeys(("DEPOSITS", "ENTER"), _ENDPOINT),
        **dict.fromkeys(("Given", "MadeDeposit"), _ONE_CALL),
    },
    "client_sdk/contents": dict.fromkeys(
        ("open_content", "open_original"), "methods of Contents there, which reads a pack on a disk as well",
    ),
    "client_sdk/directory": {
        **dict.fromkeys(("CHECKPOINT", "TILE"), _ENDPOINT),
        "find_professionals": "a page looks in the list that it shows (app/views/shares)",
    },
    "client_sdk/happened": {
        "Precision": "a type that items.ts has", "on_the_wall": "a Date goes past the year 9999",
    },
    "client_sdk/home": {
        **dict.fromkeys(
            ("DAMAGED", "keep_evidence", "lock_folder", "make_folder", "read_file", "sync_folder", "write_blocks",
             "write_file"),
            "a browser has no folders",
        ),
    },
    "client_sdk/journal": {"PassingJournal": "box_visit.ts has one of its own"},
    "client_sdk/opening": {
        **dict.fromkeys(("BLOB", "BLOB_RECEIPT", "LINK", "OPEN", "RECORD", "RECORD_RECEIPT"), _ENDPOINT),
    },
    "client_sdk/professional": {
        **dict.fromkeys(("INBOX", "PROFESSIONAL"), _ENDPOINT),
    },
    "client_sdk/reader": {
        "sent_of": "there the kind of a record tells what is in it",
    },
    "client_sdk/receipts": dict.fromkeys(("ANCHORS", "BLOB_RECEIPT", "INCLUSION", "RECORD_RECEIPT"), _ENDPOINT),
    "client_sdk/transport": {
        "PIECE": "a browser gives on what arrives as it is cut",
        **dict.fromkeys(("HEADERS", "collect", "pause", "refusal"), "private here, asked for by client_sdk/published"),
    },
    "client_sdk/uploader": {
        **dict.fromkeys(("BLOBS", "COMPLETE", "UNITS", "UPLOAD", "UPLOADS"), _ENDPOINT),
        "FAILURES": _ITS_OWN,
        "find_source": "a page is given files, not the places where they lie",
        **dict.fromkeys(("JournalMaker", "Sender"), "functions are given a place and a journal (sendContent)"),
    },
    "client_sdk/writer": {
        "ITEMS": _ENDPOINT,
        **dict.fromkeys(("ERASURE_DELAY", "REBASES"), _ITS_OWN),
    },
    "crypto_core/encoding": {"is_number": "JavaScript's === tells true from 1"},
    "crypto_core/receipts/signatures": dict.fromkeys(
        ("expand_seed", "sign_expanded"), "a ledger signs again and again with one key; a page signs once",
    ),
    "crypto_core/receipts/submission": dict.fromkeys(
        ("MAX_SIZE_ANSWER", "SIZE_TYPE", "format_size", "parse_size"), "what a witness answers; a page asks none",
    ),
    "crypto_core/sealing/envelope": {
        **dict.fromkeys(("Mapping", "in_flight"), "threads: a worker seals one run after the other"),
    },
    "schemas/items": {"SyncQuery": _QUERY},
    "schemas/receipts": {"AnchorsQuery": _QUERY, "ConsistencyQuery": _QUERY, "InclusionQuery": _QUERY},
}
_DUMPS = "a marshmallow schema dumps as well, valibot only loads"
_PRIVATE = "private to the Python module, asked for by a second one here"
TYPESCRIPT_ONLY_NAMES = {
    "crypto_core/encoding": {
        **dict.fromkeys(("concat", "decodeText", "encodeText", "isSame"), "Python's bytes and str do this themselves"),
    },
    "crypto_core/receipts/tree": {"pairs": "Python slices with a step"},
    "crypto_core/sealing/passphrase": {
        **dict.fromkeys(("ArgonWrong", "selfTestArgon"), "some phones compute wasm wrongly, so it is tried first"),
    },
    "crypto_core/sealing/recovery": {"readyWords": "a login doesn't load the word lists"},
    "schemas/documents": {
        **dict.fromkeys(("dumpAccountRecord", "dumpDocument"), _DUMPS),
    },
    "schemas/fields": {
        "bytesBetween": "one marshmallow field takes either",
        "dump": _DUMPS,
    },
    "sdk/box_visit": {"Address": "the worker is told the secret of an address once, before anybody enters"},
    "sdk/contents": {
        "collect": "Python joins bytes", "hashed": "on their way; Python has client_sdk/hashing",
    },
    "sdk/door": {
        "fetched": "a login loads no more than it needs",
        **dict.fromkeys(("forgetKeys", "forgetLogin"), "Python can't overwrite what it holds"),
    },
    "sdk/home": {
        **dict.fromkeys(("BrowserLocks", "MemoryLocks", "openLocks"), "tabs share a device; Python locks a file"),
        **dict.fromkeys(("IndexedStore", "MemoryStore", "PLACES", "openStore"), "IndexedDB; Python has folders"),
        "DeviceFailed": "IndexedDB fails in a way of its own",
    },
    "sdk/items": {"EMPTY_DRAFT": "Python's dataclass has defaults"},
    "sdk/keychain": {"nextFacts": _PRIVATE},
    "sdk/manifest": {"loadSignSeed": "Python loads the whole identity (client_sdk/professional)"},
    "sdk/protocol/sync": {"NOTHING_ACCEPTED": "Python's dataclass has defaults"},
    "sdk/opening": {
        "Link": "the worker is told the secret of a link once, before the code is there",
        "Openings": "what a page opens may be cut at any place and is tried again",
        "differing": "asked for by packs/own as well; Python raises, and keeps the error",
    },
    "sdk/uploader": {
        "sealFile": "what was sent is sealed again to be packed with its receipts; Python has them in files",
        **dict.fromkeys(("sendContent", "sendWhole"), "methods of Sender in Python"),
    },
    "sdk/sent_words": {"formatDeposit": _DUMPS},
    "sdk/replica": {"blobName": "Python's bytes have hex()"},
}
SPELLED_OTHERWISE = {
    "schemas/fields": {  # marshmallow's fields are classes, valibot's are made by functions
        "Bytes": "bytes", "Hash": "hash", "Hex": "hex", "Id": "id", "Strict": "strict", "Text": "text", "Time": "time",
        "U32": "u32", "Whole": "whole", "YesNo": "yesNo",
    },
}
OTHER_VALUES = {
    ("crypto_core/receipts/merkle", "MAX_SIZE"): "a number holds whole values up to 2^53−1, Python's go to 2^63−1",
}


def public_names(source: str) -> list[str]:
    """What a Python module defines for others: functions, classes, constants and named types."""
    found = list[str]()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
        elif isinstance(node, ast.Assign) and not _is_type_variable(node.value):
            targets = (each for target in node.targets for each in getattr(target, "elts", [target]))
            found.extend(target.id for target in targets if isinstance(target, ast.Name))
    return [name for name in found if not name.startswith("_")]


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"


def spelling(name: str, module: str = "") -> str:
    """`seal_record` → `sealRecord`; classes and constants as they are."""
    if other := SPELLED_OTHERWISE.get(module, {}).get(name):
        return other
    first, *others = name.split("_")
    return name if name[:1].isupper() else first + "".join(word.capitalize() for word in others)


def counterpart(module: str) -> str:
    return re.sub(r"^client_sdk/", "sdk/", module)


def python_modules() -> Iterator[tuple[str, Path]]:
    for package in MIRRORED:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts and public_names(path.read_text("utf-8")):
                yield path.relative_to(ROOT).with_suffix("").as_posix(), path


def typescript_modules() -> dict[str, Path]:
    places = {counterpart(f"{package}/") for package in MIRRORED}
    return {name: path for name, path in modules() if name.startswith(tuple(places))}


def excused(module: str, table: dict[str, str]) -> str | None:
    """The line of the table that this module falls under."""
    return next((place for place in table if module == place or module.startswith(f"{place}/")), None)


def differences(module: str, python: str, typescript: str) -> list[str]:
    """One line for each name that one of two modules alone has and no table excuses, or that one excuses in vain."""
    theirs = counterpart(module)
    ours, found = public_names(python), exports(typescript)
    spelled = {spelling(name, module): name for name in ours}
    missing = {spelled[name] for name in spelled.keys() - {one.name for one in found}}
    added = {one.name for one in found if not one.is_type} - spelled.keys()
    lines = list[str]()
    for names, table, what in (
        (missing, PYTHON_ONLY_NAMES.get(module, {}), f"{module} alone has"),
        (added, TYPESCRIPT_ONLY_NAMES.get(theirs, {}), f"{theirs} alone has, in TypeScript,"),
    ):
        lines.extend(f"{what} {name}" for name in sorted(names - table.keys()))
        lines.extend(f"{what} no {name}: the table excuses it in vain" for name in sorted(table.keys() - names))
    return lines


def test_every_module_has_its_counterpart() -> None:
    ours = {module: path for module, path in python_modules() if not excused(module, PYTHON_ONLY_MODULES)}
    theirs = {module for module in typescript_modules() if not excused(module, TYPESCRIPT_ONLY_MODULES)}
    assert sorted(theirs ^ {counterpart(module) for module in ours}) == []


def test_every_name_has_its_counterpart() -> None:
    theirs, compared, found = typescript_modules(), 0, list[str]()
    for module, path in python_modules():
        other = theirs.get(counterpart(module))
        if other is not None and not excused(module, PYTHON_ONLY_MODULES):
            python, typescript = path.read_text("utf-8"), other.read_text("utf-8")
            found.extend(differences(module, python, typescript))
            compared += len(public_names(python))
    assert found == []
    assert compared > 300


def test_no_module_is_excused_in_vain() -> None:
    ours, theirs = {module for module, _ in python_modules()}, typescript_modules().keys()
    assert {excused(module, PYTHON_ONLY_MODULES) for module in ours} - {None} == PYTHON_ONLY_MODULES.keys()
    assert theirs >= TYPESCRIPT_ONLY_MODULES.keys()
    assert not theirs & {counterpart(module) for module in PYTHON_ONLY_MODULES}
    assert not {counterpart(module) for module in ours} & TYPESCRIPT_ONLY_MODULES.keys()
    assert ours >= PYTHON_ONLY_NAMES.keys() | SPELLED_OTHERWISE.keys()
    assert theirs >= TYPESCRIPT_ONLY_NAMES.keys()


@pytest.mark.parametrize(
    ("python", "typescript", "found"),
    [
        ("def seal_it(): ...\n", "export function seal_it() {}\n", 2),
        ("def seal_it(): ...\n", "function sealIt() {}\n", 1),
        ("class Sealer: ...\n", "/** export class Sealer {} */\n", 1),
        ("SIZE = 3\n", "export const size = 3;\n", 2),
        ("SIZE, _OWN, MORE = 3, 4, 5\n", "", 2),
        ("class Sealer: ...\n", "// what it was called:\n// export class Sealer {}\n", 1),
        ("", "export async function more() {}\n", 1),
        ("", "const more = 1;\nexport {\n  more as again,\n};\n", 1),
        ("Reader = int\n", "export type { Writer } from './x.js';\n", 1),
        (
            "def seal_it(): ...\nSIZE: int = 3\nReader = int\nT = TypeVar('T')\ndef _own(): ...\n",
            "export function sealIt() {}\nexport const SIZE = 3;\nexport type Reader = 1;\nexport interface M {}\n",
            0,
        ),
    ],
)
def test_a_name_of_one_language_alone_is_seen(python: str, typescript: str, found: int) -> None:
    assert len(differences("crypto_core/planted", python, typescript)) == found


def test_an_excuse_that_nobody_needs_is_seen() -> None:
    python = "def concat(): ...\ndef decode_text(): ...\ndef encode_text(): ...\ndef is_same(): ...\n"
    python += "def is_number(): ...\n"  # the other table's
    typescript = "".join(f"export function {name}() {{}}\n" for name in TYPESCRIPT_ONLY_NAMES["crypto_core/encoding"])
    assert len(differences("crypto_core/encoding", python, typescript)) == 4


@pytest.mark.parametrize("source", ["export default class {}\n", "export * from './x.js';\n", "export let a = 1;\n"])
def test_an_export_that_cant_be_read_is_no_export_that_is_missing(source: str) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        exports(source)


# Facts


def test_numbers_and_texts_are_the_same() -> None:
    compared = 0
    for module, path in typescript_modules().items():
        python = re.sub(r"^sdk/", "client_sdk/", module)
        if excused(module, TYPESCRIPT_ONLY_MODULES) or not (ROOT / f"{python}.py").exists():
            continue
        ours = vars(importlib.import_module(python.replace("/", ".")))
        for name, value in constants(path.read_text("utf-8")).items():
            if isinstance(ours.get(name), int | str) and (python, name) not in OTHER_VALUES:
                assert (module, name, value) == (module, name, ours[name])
                compared += 1
    assert compared > 80


def test_constants_are_read_with_their_arithmetic() -> None:
    source = """export const A = 16_400;
export const B: number = 2 ** 3 * A +
  1;
export const C = "a;b";
const D = 1;
export const E = made();
"""
    assert constants(source) == {"A": 16_400, "B": 131_201, "C": "a;b"}


def test_labels_are_the_same() -> None:
    source = (SOURCE / "crypto_core" / "labels.ts").read_text("utf-8")
    found = dict(re.findall(r'^  ([A-Z_]+): "([^"]+)",', source, re.MULTILINE))
    assert found == {kind.name: kind.value for kind in Kind}


def test_what_the_vault_refuses_with_is_the_same() -> None:
    source = (SOURCE / "schemas" / "problems.ts").read_text("utf-8")
    found = {
        code: (int(status), text_of(title), text_of(sentence))
        for code, status, title, sentence in re.findall(
            r'^  (\w+): \{\s*status: (\d+),\s*title: ("[^"]*"),\s*sentence:\s*((?:"(?:[^"\\]|\\.)*"|[\s+])+?),?\s*\},$',
            source, re.MULTILINE,
        )
    }
    assert found == {code: tuple(kind) for code, kind in PROBLEMS.items()}


# Errors

Told = tuple[str, str, str, str]
"""Parent, code, sentence, outcome."""


def python_errors() -> dict[str, Told]:
    """Every error that a person may meet, by name; those of modules that only Python has are left out."""
    dict(temoin.commands)  # the tree is whole only once all is loaded
    return {
        error.__name__: (error.__bases__[0].__name__, *_said(error))
        for error in _below(TemoinError)
        if error.__module__.startswith(("crypto_core.", "client_sdk."))
        and not excused(error.__module__.replace(".", "/"), PYTHON_ONLY_MODULES)
        and not error.__name__.startswith("_")  # says more of one that both have
    }


def _said(error: type[TemoinError]) -> tuple[str, str, str]:
    code, sentence, outcome = (str(getattr(error, text, "")) for text in ("code", "sentence", "outcome"))
    return code, sentence, outcome


def _below(root: type[TemoinError]) -> list[type[TemoinError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _below(child))]


def typescript_errors(sources: list[str]) -> dict[str, Told]:
    """Every class below TemoinError, with what it says or inherits."""
    known = {one.name: one for source in sources for one in classes(source)}
    return {name: _told(one, known) for name, one in known.items() if "TemoinError" in _line(one, known)}


def _line(one: Class, known: dict[str, Class]) -> list[str]:
    """A class and those it comes from, the nearest first."""
    return [one.name, *(_line(known[one.parent], known) if one.parent in known else [])]


def _told(one: Class, known: dict[str, Class]) -> Told:
    said: dict[str, str] = {}
    for name in reversed(_line(one, known)):
        said |= known[name].texts
    parent = "Exception" if one.parent == "Error" else one.parent
    return (parent, said.get("code", ""), said.get("sentence", ""), said.get("outcome", ""))


def all_sources() -> list[str]:
    return [path.read_text("utf-8") for name, path in modules() if not name.endswith(".d")]


def test_errors_are_the_same_tree_with_the_same_codes_and_sentences() -> None:
    ours, theirs = python_errors(), typescript_errors(all_sources())
    assert len(ours) > 40
    assert {name: theirs.get(name) for name in ours} == ours


def test_each_code_of_the_web_client_stands_once() -> None:
    owners: dict[str, set[str]] = {}
    for errors in (python_errors(), typescript_errors(all_sources())):
        for name, (parent, code, sentence, _) in errors.items():
            inherited = errors[parent][1] if parent in errors else ""
            if code and code != inherited:
                owners.setdefault(code, set()).add(name)
                assert sentence.endswith("."), name
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('code = "tampered"', 'code = "changed"'),
        ("or it was sealed for another key or place.", "or sealed for another key."),
        ("class NoteKeyUnknown extends VerificationError", "class NoteKeyUnknown extends CryptoCoreError"),
        ('outcome = "not_yet"', 'outcome = "invalid"'),
        ("class SecretRefused", "class SecretForbidden"),
    ],
)
def test_an_error_that_differs_is_seen(before: str, after: str) -> None:
    source = (SOURCE / "crypto_core" / "errors.ts").read_text("utf-8")
    assert before in source
    ours, right = python_errors(), typescript_errors([source])
    wrong = typescript_errors([source.replace(before, after, 1)])
    assert {name: ours[name] for name in right} == right
    assert {name: ours.get(name) for name in wrong} != wrong
