"""A bar is judged by what was measured, and a tool that is missing is a failure that says what to install."""

from __future__ import annotations

import pytest

from bench import __main__ as bench, sealing, tools
from bench.measure import Row, print_rows


@pytest.mark.parametrize("row, verdict", [
    (Row("x", 1, "B", 1.0, "age", 0.7, ratio=0.7), "bar ≥ 0.7×: reached"),
    (Row("x", 1, "B", 1.0, "age", 0.69, ratio=0.7), "bar ≥ 0.7×: NOT REACHED"),
    (Row("x", 300, "entries", 1.0, rate=300), "bar ≥ 300/s: reached"),
    (Row("x", 2499, "entries", 1.0, rate=2500), "bar ≥ 2,500/s: NOT REACHED"),
    (Row("x", 1, "login", 0.25, "Argon2id alone", 0.2, more=0.06), "bar ≤ 60 ms more: reached (50.0 ms)"),
    (Row("x", 1, "login", 0.27, "Argon2id alone", 0.2, more=0.06), "bar ≤ 60 ms more: NOT REACHED (70.0 ms)"),
    (Row("x", 5000, "B", 1.0, most=5000), "bar ≤ 5,000: reached"),
    (Row("x", 5001, "B", 1.0, most=5000), "bar ≤ 5,000: NOT REACHED"),
    (Row("x", 1, "range", 0.11, within=0.1), "bar ≤ 100 ms: NOT REACHED (110.0 ms)"),
])  # fmt: skip
def test_a_row_says_whether_its_bar_is_reached(
    row: Row, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_rows("here", [row, Row("no bar", 1, "B", 1.0)])
    first, second = capsys.readouterr().out.strip().splitlines()[1:]
    assert first.endswith(verdict) and "bar" not in second.replace("no bar", "")


def test_a_missing_tool_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sealing, "SIZE", 2**20)
    assert bench.main(["sealing"]) == 1
    assert "apt-get install -y age" in capsys.readouterr().err
    assert bench.main(["nothing"]) == 2


def test_a_tool_that_fails_is_no_fast_tool() -> None:
    with pytest.raises(tools.ToolFailed, match="false ended with 1"):
        tools.run("false")
