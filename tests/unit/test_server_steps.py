"""The table of steps names exactly the steps that the server's code reaches."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from server.steps import STEPS, NoSteps

SERVER = Path(__file__).resolve().parents[2] / "server"


def reached() -> set[str]:
    """The argument of every `….steps.reach(…)` in the server's code; it has to be a literal."""
    found = set()
    for path in SERVER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reach":
                (argument,) = node.args
                assert isinstance(argument, ast.Constant), path.name
                found.add(str(argument.value))
    return found


def test_the_table_is_what_is_reached() -> None:
    assert reached() == set(STEPS)
    assert len(STEPS) == len(set(STEPS))


def test_a_step_outside_of_the_table_is_a_mistake() -> None:
    NoSteps().reach(STEPS[0])
    with pytest.raises(ValueError, match="table"):
        NoSteps().reach("unheard.of")
