"""Who may import whom in the web client, what of the browser each room may touch, what each file's first lines say.

Reading the imports shows what a file names; following them shows what a re-export drags in. Each rule has a test that
breaks it on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.architecture.typescript import Import, imports, modules, without_comments

PUBLIC_SIDE = {
    "crypto_core/errors",
    "crypto_core/encoding",
    "crypto_core/labels",
    "crypto_core/derivation",
    "crypto_core/signed_requests",
    "crypto_core/sodium",
}
ALLOWED: dict[str, set[str]] = {  # place below src -> places it may import; the longest matching key rules
    "crypto_core": {"crypto_core"},
    "crypto_core/sodium": set(),
    "crypto_core/errors": set(),
    "crypto_core/json_reader": {"crypto_core/errors"},
    "crypto_core/encoding": {"crypto_core/errors", "crypto_core/json_reader"},
    "crypto_core/labels": {"crypto_core/encoding"},
    "crypto_core/receipts": {"crypto_core/receipts", *PUBLIC_SIDE},
    "schemas": {"schemas", "crypto_core/encoding", "crypto_core/errors"},
    "sdk": {"sdk", "schemas", "crypto_core"},
    "sdk/packs/page": {"sdk", "crypto_core", "client_sdk/packs/words.json"},
    "sdk/protocol": {"sdk/protocol", "sdk/errors", "sdk/items", "schemas", "crypto_core"},
    "worker": {"worker", "sdk", "crypto_core"},
    "worker/packing": {"worker", "sdk", "crypto_core", "client_sdk/verifier"},
    "worker/api": {"sdk/items", "worker/boxes", "worker/sharing"},
    "worker/boxes": {"sdk/items", "worker/api"},
    "worker/sharing": {"sdk/extract", "sdk/items"},
    "app": {
        "app", "worker/api", "worker/boxes", "worker/sharing", "worker/problems", "sdk/items", "sdk/happened",
        "sdk/extract", "crypto_core/encoding", "server/help/data",
    },
    "app/worker": {"app", "worker/api", "worker/problems", "worker/vault.worker"},
    "app/trusted": {"worker/vault.worker", "worker/player.worker"},
    "app/views/documents/playing": {"app", "worker/api", "worker/player.worker"},
    "worker/player.worker": {"worker/ranges"},
    "verifier": {  # a page of its own, without a vault
        "verifier", "sdk", "crypto_core", "app/i18n", "app/parts", "client_sdk/web/locales", "app/app.css",
        "server/help/static/site.css",
    },
}
LIBRARIES: dict[str, tuple[str, ...]] = {  # library -> the only places that may import it; any other is unknown
    "libsodium-wrappers-sumo": ("crypto_core/sodium",),
    "@scure/bip39": ("crypto_core/sealing/recovery",),
    "valibot": ("schemas", "sdk"),
    "idb": ("sdk/home",),
    "@zip.js/zip.js": ("sdk/archive",),
    "comlink": ("worker", "app/worker"),
    "preact": ("app", "verifier"),
    "@preact/signals": ("app",),
    "diff": ("app/text/compare",),
    "pdfjs-dist": ("app/views/documents/pdf", "app/trusted"),
    "@zxcvbn-ts": ("app/views/account",),
}
BROWSER: dict[str, tuple[str, ...]] = {  # what of the browser does something -> the only places that may name it
    r"(?<![.\w#])fetch\(": ("sdk/transport", "app/views/documents/pdf"),  # the latter: decoders of its own, by address
    r"\b(XMLHttpRequest|WebSocket|EventSource|sendBeacon|RTCPeerConnection)\b": (),
    r"\bBroadcastChannel\b": ("worker/answering",),  # tells other tabs that something was written, and nothing else
    r"\bindexedDB\b": ("sdk/home",),
    r"\bnavigator\.locks\b": ("sdk/home",),
    r"\b(localStorage|sessionStorage|cookieStore)\b|\bdocument\.cookie\b|(?<![.\w])caches\.": (),
    r"\bserviceWorker\b": ("app/views/documents/playing",),  # that of the player, which has no key and keeps nothing
    r"\bconsole\.": (),
    r"\beval\(|\bnew Function\(|\b(inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write": (),
    r"\bMath\.random\b|\bcrypto\.subtle\b|\brandomUUID\b": (),
    r"\bgetRandomValues\b": ("app/views/account",),  # which words of the sheet are asked back; keys are libsodium's
    r"\bnew Worker\(": ("app/worker", "worker/vault.worker", "app/views/documents/pdf"),
    r"\bSharedWorker\b": (),  # the page's exit could not end it
    r"\bshowSaveFilePicker\b": ("app/views/reading",),  # an evidence pack, as a stream
    r"\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(": ("sdk", "worker", "app", "verifier"),
}
KEYS = ("crypto_core/sodium", "crypto_core/sealing", "sdk/client", "sdk/session")
"""What no page may load, however many imports away: it lives in the worker."""
GENERATED = {"schemas/wire.d": "by openapi-typescript, which writes its own first lines"}


def within(name: str, places: tuple[str, ...] | set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


def rule_for(module: str) -> set[str]:
    return ALLOWED[max((place for place in ALLOWED if within(module, (place,))), key=len)]


def broken_rules(source: str, module: str) -> list[str]:
    """One line for each import, and each thing of the browser, that the tables do not allow to `module`."""
    found = []
    for place, _ in imports(source, module):
        if place.endswith(".json") and place.rpartition("/")[0] == module.rpartition("/")[0]:
            continue  # a table that lies beside the module
        library = next((name for name in LIBRARIES if within(place, (name,))), None)
        allowed = within(module, LIBRARIES[library]) if library else within(place, rule_for(module))
        if not allowed:
            found.append(f"{module} imports {place}")
    code = without_comments(source)
    for pattern, places in BROWSER.items():
        named = re.search(pattern, code)
        if named and not within(module, places):
            found.append(f"{module} names {named[0]}")
    return found


def sources() -> dict[str, str]:
    return {module: path.read_text("utf-8") for module, path in modules()}


def test_every_import_and_every_use_of_the_browser_is_allowed() -> None:
    read = sources()
    assert len(read) > 60
    assert [rule for module, source in read.items() for rule in broken_rules(source, module)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("crypto_core/receipts/note", 'import { seal } from "../sealing/envelope.js";\n'),
        ("crypto_core/receipts/note", 'export { seal } from "../sealing/envelope.js";\n'),
        ("crypto_core/receipts/note", 'const later = () => import("../sealing/envelope.js");\n'),
        ("crypto_core/errors", 'import { formatHex } from "./encoding.js";\n'),
        ("crypto_core/sealing/keys", 'import {\n  type Id,\n} from "../../sdk/items.js";\n'),
        ("crypto_core/sealing/keys", 'import sodium from "libsodium-wrappers-sumo";\n'),
        ("schemas/items", 'import { hashLeaf } from "../crypto_core/receipts/merkle.js";\n'),
        ("sdk/reader", 'import type { VaultApi } from "../worker/api.js";\n'),
        ("sdk/protocol/sync", 'import { Store } from "../home.js";\n'),
        ("sdk/reader", 'import { render } from "preact";\n'),
        ("sdk/reader", 'import leftPad from "left-pad";\n'),
        ("worker/vault.worker", 'import { show } from "../app/state.js";\n'),
        ("app/views/journal/Entry", 'import { openSealed } from "../../../crypto_core/sealing/envelope.js";\n'),
        ("app/views/journal/Entry", 'import { VaultClient } from "../../../sdk/client.js";\n'),
        ("app/views/journal/Entry", 'import "../../../../../../server/config.py";\n'),
        ("app/state", 'import WORKER from "../worker/vault.worker.ts?worker&url";\n'),
        ("app/state", 'const there = new URL("../worker/vault.worker.ts", import.meta.url);\n'),
        ("app/state", 'localStorage.setItem("a", "b");\n'),
        ("app/state", "await navigator.serviceWorker.register(address);\n"),
        ("worker/player.worker", 'import { openSealed } from "../crypto_core/sealing/envelope.js";\n'),
        ("worker/player.worker", 'const kept = await caches.open("kept");\n'),
        ("worker/player.worker", "const answer = await fetch(request);\n"),
        ("app/state", "void fetch(address);\n"),
        ("sdk/writer", "console.log(text);\n"),
        ("sdk/writer", "const id = Math.random();\n"),
        ("app/parts/frame", "element.innerHTML = text;\n"),
        ("crypto_core/sealing/records", "const now = Date.now();\n"),
    ],
)
def test_a_broken_rule_is_caught(module: str, source: str) -> None:
    assert broken_rules(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sdk/reader", '// import { render } from "preact";\n/* console.log(1); */\n'),
        ("sdk/transport", "const answer = await fetch(address);\n"),
        ("sdk/reader", "const tile = this.fetch(address);\n"),
        ("app/views/journal/Entry", 'import type { Id } from "../../../worker/api.js";\nimport { h } from "preact";\n'),
        ("crypto_core/sealing/passphrase", 'import casefold from "./casefold.json";\n'),
    ],
)
def test_what_is_allowed_is_let_through(module: str, source: str) -> None:
    assert broken_rules(source, module) == []


def reached(start: str, read: Mapping[str, str]) -> set[str]:
    """Every module that runs when `start` does: types are gone by then, and a worker is another world."""
    found, waiting = set[str](), [start]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_run_by(imports(read[module], module), read) if module in read else [])
    return found


def _run_by(imported: list[Import], read: Mapping[str, str]) -> list[str]:
    return [place for place, is_type in imported if not is_type and place in read and not place.endswith(".worker")]


def test_no_page_loads_what_holds_keys() -> None:
    read = sources()
    pages = set[str]().union(*(reached(module, read) for module in read if within(module, ("app",))))
    assert {"app/main", "worker/problems", "sdk/errors"} <= pages
    assert [module for module in sorted(pages) if within(module, KEYS)] == []


def test_receipts_alone_load_no_secret_side() -> None:
    read = sources()
    found = set[str]().union(*(reached(module, read) for module in read if within(module, ("crypto_core/receipts",))))
    assert "crypto_core/sodium" in found
    assert [module for module in sorted(found) if within(module, ("crypto_core/sealing", "schemas", "sdk"))] == []


def test_following_sees_a_re_export() -> None:
    read = {
        "app/main": 'import { door } from "./door.js";\n',
        "app/door": 'import type { A } from "./types.js";\nexport { door } from "../sdk/happened.js";\n',
        "app/types": "",
        "sdk/happened": 'import { sodium } from "../crypto_core/sodium.js";\n',
        "crypto_core/sodium": "",
    }
    assert reached("app/main", read) == read.keys() - {"app/types"}


# First lines


def silent(source: str) -> str | None:
    """What the first lines of a file leave unsaid."""
    first = re.match(r"(?://[^\n]*\n)+", source)
    if first is None:
        return "begins with no comment"
    has_code = re.search(r"\bfunction\b|\bclass\b|=>", without_comments(source))
    if has_code and not re.search(r"Knows:.*Refuses", first[0], re.DOTALL):
        return "does not say what it knows and what it refuses to know"
    return None


def test_every_file_says_what_it_is_for() -> None:
    said = {module: silent(source) for module, source in sources().items() if module not in GENERATED}
    assert {module: what for module, what in said.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        'import a from "./a.js";\n// Knows: much. Refuses to know: little.\n',
        "// Adds numbers.\nexport function add() {}\n",
        "// Knows: numbers.\nexport const add = (a, b) => a + b;\n",
        "// Adds numbers.\n\n// Knows: numbers. Refuses to know: letters.\nexport class Adder {}\n",
    ],
)
def test_a_file_that_does_not_say_it_is_seen(source: str) -> None:
    assert silent(source)


def test_a_table_needs_no_refusal() -> None:
    assert silent("// The words of one page.\nexport const WORDS = [1, 2];\n") is None
    assert silent("// Adds.\n// Knows: numbers. Refuses to\n// know: letters.\nexport function add() {}\n") is None
