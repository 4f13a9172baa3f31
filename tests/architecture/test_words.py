"""What every module promises in its first lines, and that one label, one code and one endpoint each stand once."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

from client_sdk.cli import temoin
from crypto_core import errors as crypto_errors
from crypto_core.labels import Kind
from schemas.endpoints import ENDPOINTS
from schemas.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]


def sources() -> list[Path]:
    return [
        path
        for place in ("crypto_core", "schemas", "server", "client_sdk")
        for path in sorted((ROOT / place).rglob("*.py"))
        if "versions" not in path.parts and "node_modules" not in path.parts
    ]


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path.relative_to(ROOT)) for path in sources() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_every_module_with_code_says_what_it_refuses_to_know() -> None:
    silent = []
    for path in sources():
        tree = ast.parse(path.read_text())
        has_code = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
        if has_code and not re.search(r"Knows:.*Refuses", ast.get_docstring(tree) or "", re.DOTALL):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_each_label_stands_once() -> None:
    assert len({kind.value for kind in Kind.__members__.values()}) == len(Kind.__members__)


def test_each_label_is_used() -> None:
    text = "".join(path.read_text() for path in sources() if path.name != "labels.py")
    assert [kind.name for kind in Kind if f"Kind.{kind.name}" not in text] == []


def all_errors(root: type[crypto_errors.TemoinError]) -> list[type[crypto_errors.TemoinError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in all_errors(child))]


def test_each_error_code_stands_once_and_has_a_sentence() -> None:
    dict(temoin.commands)  # the tree below is whole only once all is loaded

    owners: dict[str, list[str]] = {}
    for error in all_errors(crypto_errors.TemoinError):
        if "code" in vars(error):
            owners.setdefault(error.code, []).append(error.__name__)
            assert error.sentence.endswith("."), error.__name__
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}


def test_each_problem_is_a_sentence_a_person_can_read() -> None:
    for code, kind in PROBLEMS.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert 400 <= kind.status < 600
        assert kind.sentence.endswith("."), code


def test_each_endpoint_stands_once_and_refuses_with_known_codes() -> None:
    keys = [(row.method, row.path) for row in ENDPOINTS]
    assert len(keys) == len(set(keys))
    assert [code for row in ENDPOINTS for code in row.refuses if code not in PROBLEMS] == []


def test_openapi_is_as_generated() -> None:
    run = subprocess.run(
        [sys.executable, "docs/api/generate.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    document = json.loads((ROOT / "docs" / "api" / "openapi.json").read_text())
    assert document["openapi"].startswith("3.1")


def test_the_docs_list_every_spec_and_every_decision() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for folder in ("spec", "adr", "guides"):
        for path in sorted((ROOT / "docs" / folder).glob("*.md")):
            assert f"{folder}/{path.name}" in index, path.name


def test_the_data_walk_names_functions_that_exist() -> None:
    walk = (ROOT / "docs" / "data-walk.md").read_text()
    named = re.findall(r"`((?:crypto_core|schemas|server|client_sdk)(?:\.\w+)+)`", walk)
    assert len(named) >= 10
    for name in named:
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:cut]))
            except ModuleNotFoundError:
                continue
            for part in parts[cut:]:
                found = getattr(found, part)
            break
        else:
            raise AssertionError(name)


def marks_alone_elsewhere(source: str) -> bool:
    """Whether the mark is taken otherwise than right above a test: under another name, or from another file."""
    nodes = list(ast.walk(ast.parse(source)))
    taken = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr == "alone"]
    above = [ast.unparse(one) for node in nodes if isinstance(node, ast.FunctionDef) for one in node.decorator_list]
    return len(taken) != above.count("pytest.mark.alone")


def test_a_test_is_marked_as_alone_where_it_stands() -> None:
    """Whoever asks for those that are alone reads no file without these words (tests/conftest.py)."""
    found = [path for path in sorted((ROOT / "tests").rglob("*.py")) if marks_alone_elsewhere(path.read_text("utf-8"))]
    assert found == []
    assert not marks_alone_elsewhere("@pytest.mark.alone\ndef test() -> None: ...")
    for hidden in ("ALONE = pytest.mark.alone", "pytestmark = [pytest.mark.alone]", "@mark.alone\ndef test(): ..."):
        assert marks_alone_elsewhere(hidden)
