"""Who may import whom: the table, held three ways, and a test that the tests can fail.

Reading the syntax trees sees an import inside a function; running sees what a re-export drags in.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_SIDE = {
    "crypto_core.errors",
    "crypto_core.encoding",
    "crypto_core.labels",
    "crypto_core.derivation",
    "crypto_core.signed_requests",
}
ALLOWED: dict[str, set[str]] = {  # place -> first-party places it may import; the longest matching key rules
    "crypto_core": {"crypto_core"},
    "crypto_core.errors": set(),
    "crypto_core.encoding": {"crypto_core.errors"},
    "crypto_core.labels": {"crypto_core.encoding"},
    "crypto_core.receipts": {"crypto_core.receipts", *PUBLIC_SIDE},
    "schemas": {"schemas"},
    "server": {"server", "schemas", "crypto_core.receipts", *PUBLIC_SIDE, "crypto_core.randomness"},
    "client_sdk.witness": {"client_sdk.witness", "crypto_core.receipts", *PUBLIC_SIDE, "crypto_core.randomness"},
    "client_sdk": {"client_sdk", "schemas", "crypto_core"},
    "client_sdk.protocol": {"client_sdk.protocol", "client_sdk.errors", "schemas", "crypto_core"},
}
FIRST_PARTY = ("crypto_core", "schemas", "server", "client_sdk", "tests", "bench")
ONLY_HERE: dict[str, tuple[str, ...]] = {  # what has a side effect -> the only places that may import it
    "urllib3": ("client_sdk.wire", "server.stores.bucket", "server.ledger.post", "server.anchors.authority"),
    "httpx": (),
    "socket": ("server.cli",),
    "requests": (),
    "flask": ("server", "client_sdk.witness.views", "client_sdk.witness.wsgi"),
    "granian": ("server.cli", "client_sdk.witness.serving"),
    "sqlalchemy": ("server",),
    "client_sdk.witness": ("client_sdk.witness", "client_sdk.cli.witness"),
    "click": ("client_sdk.cli", "server.cli"),
    "rich": ("client_sdk.cli",),
    "random": (),
    "secrets": (),
}
ENVIRONMENT = ("server.wsgi", "server.cli", "client_sdk.witness.wsgi", "client_sdk.cli")
"""The only places that read the environment."""


def modules() -> Iterator[tuple[str, Path]]:
    for place in ("crypto_core", "schemas", "server", "client_sdk"):
        for path in sorted((ROOT / place).rglob("*.py")):
            if "node_modules" not in path.parts:
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(source: str, module: str, *, package: bool) -> Iterator[str]:
    """Every dotted name that a module imports, wherever in it: `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")
                above = above[: len(above) - node.level + package]
                base = ".".join([*above, base]) if base else ".".join(above)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, places: tuple[str, ...] | set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def rule_for(module: str) -> set[str]:
    return ALLOWED[max((place for place in ALLOWED if within(module, (place,))), key=len)]


def broken_rules(source: str, module: str, *, package: bool = False) -> list[str]:
    """One line for each import of `source` that the tables do not allow to `module`."""
    found = []
    for name in imported(source, module, package=package):
        if within(name, FIRST_PARTY) and not within(name, rule_for(module) | {module}):
            found.append(f"{module} imports {name}")
        for library, places in ONLY_HERE.items():
            if within(name, (library,)) and not within(module, places):
                found.append(f"{module} imports {name}")
    if not within(module, ENVIRONMENT):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                found.append(f"{module} reads the environment")
    return found


def test_every_import_is_allowed() -> None:
    found = [
        rule
        for module, path in modules()
        for rule in broken_rules(path.read_text("utf-8"), module, package=path.name == "__init__.py")
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("server.items.service", "def f():\n    from crypto_core.sealing import envelope\n"),
        ("server.app", "import client_sdk.client\n"),
        ("schemas.items", "from crypto_core.encoding import lp\n"),
        ("crypto_core.receipts.note", "from ..sealing.keys import Keyring\n"),
        ("crypto_core.sealing.keys", "import schemas.items\n"),
        ("client_sdk.client", "import server.app\n"),
        ("client_sdk.auditor", "import client_sdk.witness.service\n"),
        ("client_sdk.cli.witness", "import flask\n"),
        ("client_sdk.witness.service", "import client_sdk.trust_store\n"),
        ("client_sdk.witness.service", "import server.ledger.service\n"),
        ("client_sdk.client", "import urllib3\n"),
        ("server.items.views", "import os\nquota = os.environ['QUOTA']\n"),
        ("crypto_core.sealing.keys", "import random\n"),
    ],
)
def test_a_broken_rule_is_caught(module: str, source: str) -> None:
    assert broken_rules(source, module)


def loaded(importing: str) -> set[str]:
    """The first-party modules and the libraries in `sys.modules` after a fresh process imported these packages."""
    code = (
        "import importlib, pkgutil, sys\n"
        f"for name in {importing.split()!r}:\n"
        "    package = importlib.import_module(name)\n"
        "    for found in pkgutil.walk_packages(getattr(package, '__path__', []), name + '.'):\n"
        "        if 'migrations' not in found.name:\n"
        "            importlib.import_module(found.name)\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_a_running_server_never_loads_the_secret_side() -> None:
    names = loaded("server")
    assert "server.app" in names
    assert [name for name in names if within(name, ("crypto_core.sealing", "client_sdk"))] == []


def test_receipts_alone_load_no_secret_side() -> None:
    names = loaded("crypto_core.receipts")
    assert "crypto_core.receipts.receipt" in names
    assert [name for name in names if within(name, ("crypto_core.sealing", "schemas", "server", "client_sdk"))] == []


def test_schemas_load_marshmallow_and_nothing_of_ours() -> None:
    names = loaded("schemas")
    assert "marshmallow" in names
    assert [name for name in names if within(name, ("crypto_core", "server", "client_sdk", "flask", "nacl"))] == []


def test_crypto_core_itself_loads_nothing() -> None:
    code = "import sys, crypto_core; print(*[n for n in sys.modules if n.startswith('crypto_core.')])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_running_check_sees_a_re_export(tmp_path: Path) -> None:
    """The rule broken on purpose: a package whose `__init__` re-exports the secret side is caught by running only."""
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "__init__.py").write_text("from planted import door\n")
    (tmp_path / "planted" / "door.py").write_text("import crypto_core.sealing\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import planted; print(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert any(within(name, ("crypto_core.sealing",)) for name in run.stdout.split())
