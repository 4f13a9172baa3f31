"""Reads the web client's TypeScript just as far as the tests of this folder need: exports, imports, literals.

Knows: how this project writes TypeScript (declarations begin a line). Refuses to know: types, and how to guess; what it
can't read is an error.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "client_sdk" / "web" / "src"

_COMMENT = re.compile(r"(?:^|(?<=[\s{]))(?:/\*.*?\*/|//[^\n]*)", re.DOTALL | re.MULTILINE)
_EXPORT = re.compile(r"^export\b[^\n]*", re.MULTILINE)
_DECLARED = re.compile(
    r"export (?:declare )?(?:abstract )?(?:async )?(function\*?|class|const|type|interface) (\w+)"
)
_LISTED = re.compile(r"^export (type )?\{([^}]*)\}", re.MULTILINE)
_IMPORT = re.compile(
    r"^(?:import|export)\s+(?P<type>type\s+)?(?:(?P<names>[^\"';]*?)\s+from\s+)?\"(?P<what>[^\"]+)\""
    r"|\bimport\(\s*\"(?P<later>[^\"]+)\"\s*\)|\bnew URL\(\s*\"(?P<beside>[^\"]+)\",\s*import\.meta\.url",
    re.MULTILINE,
)
_LITERAL = r'"(?:[^"\\\n]|\\.)*"'
_CONSTANT = re.compile(rf"^export const (\w+)(?:: [\w.]+)? =\s*((?:{_LITERAL}|[^;\"])+);", re.MULTILINE)
_CLASS = re.compile(r"^export (?:abstract )?class (\w+) extends (\w+) \{(.*?)(?:^|(?<=\{))\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(
    rf"^  static (?:override )?readonly (\w+)(?:: [^=]+)? =\s*((?:{_LITERAL}|[\s+])+);", re.MULTILINE
)


class Export(NamedTuple):
    """`is_type`: gone once compiled."""

    name: str
    is_type: bool


class Import(NamedTuple):
    """`place`: a path below `src` without its ending, the path of another file of the repository, or a library."""

    place: str
    is_type: bool


class Class(NamedTuple):
    """A class that extends another, with its static texts."""

    name: str
    parent: str
    texts: dict[str, str]


def modules() -> Iterator[tuple[str, Path]]:
    """(path below `src` without its ending, file) of every source file; of `x.d.ts`, `x.d`."""
    for path in sorted([*SOURCE.rglob("*.ts"), *SOURCE.rglob("*.tsx")]):
        yield path.relative_to(SOURCE).with_suffix("").as_posix(), path


def without_comments(source: str) -> str:
    return _COMMENT.sub("", source)


def exports(source: str) -> list[Export]:
    """What a module gives to others by name. Raises ValueError for a form that this project doesn't use."""
    code, found = without_comments(source), list[Export]()
    for line in _EXPORT.findall(code):
        declared = _DECLARED.match(line)
        if declared:
            found.append(Export(declared[2], declared[1] in ("type", "interface")))
        elif not re.match(r"export (type )?\{", line):
            raise ValueError(f"an export that can't be read: {line}")
    for only_types, names in _LISTED.findall(code):
        for item in filter(None, map(str.strip, names.split(","))):
            name = item.removeprefix("type ").split(" as ")[-1].strip()
            found.append(Export(name, bool(only_types) or item.startswith("type ")))
    return found


def imports(source: str, module: str) -> list[Import]:
    """Everything that a module (its path below `src`) takes from elsewhere, also later on or by its address."""
    found = []
    for match in _IMPORT.finditer(without_comments(source)):
        what = match["what"] or match["later"] or match["beside"]
        names = (match["names"] or "").strip()
        listed = [name.strip() for name in names.strip("{}").split(",") if name.strip()] if names[:1] == "{" else []
        is_type = bool(match["type"]) or bool(listed) and all(name.startswith("type ") for name in listed)
        found.append(Import(_place(what, module), is_type))
    return found


def _place(what: str, module: str) -> str:
    if not what.startswith("."):
        return what
    path = posixpath.normpath(posixpath.join(SOURCE.relative_to(ROOT).as_posix(), posixpath.dirname(module), what))
    below = path.removeprefix(f"{SOURCE.relative_to(ROOT).as_posix()}/")
    return path if below == path else re.sub(r"\.(js|ts|tsx)(\?.*)?$", "", below)


def constants(source: str) -> dict[str, object]:
    """Exported numbers and texts: literals, or arithmetic on those before them. What is anything else is left out."""
    found: dict[str, object] = {}
    for name, expression in _CONSTANT.findall(without_comments(source)):
        try:
            found[name] = _value(ast.parse(f"({expression.strip()})", mode="eval").body, found)
        except (SyntaxError, ValueError):
            continue
    return found


def _value(node: ast.expr, known: dict[str, object]) -> int | str:
    match node:
        case ast.Constant(value=int() | str() as value):
            return value
        case ast.Attribute(ast.Name(id="Number"), "MAX_SAFE_INTEGER"):
            return 2**53 - 1
        case ast.Name(id=name) if isinstance(before := known.get(name), int | str):
            return before
        case ast.BinOp(left, op, right):
            one, other = _value(left, known), _value(right, known)
            if isinstance(one, str) and isinstance(other, str) and isinstance(op, ast.Add):
                return one + other
            if isinstance(one, int) and isinstance(other, int):
                match op:
                    case ast.Add():
                        return one + other
                    case ast.Sub():
                        return one - other
                    case ast.Mult():
                        return one * other
                    case ast.Pow():
                        return int(one**other)
                    case ast.LShift():
                        return one << other
    raise ValueError("not a plain value")


def text_of(expression: str) -> str:
    """The text that string literals joined by plus signs make. Raises ValueError for anything else."""
    value = _value(ast.parse(f"({expression.strip()})", mode="eval").body, {})
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def classes(source: str) -> list[Class]:
    """The classes that extend another one."""
    return [
        Class(name, parent, {member: text_of(value) for member, value in _MEMBER.findall(body)})
        for name, parent, body in _CLASS.findall(without_comments(source))
    ]
