"""A test with a browser that failed is run once more, if it may be, and the run says which (docs/adr/0047).

Knows: Playwright's own timeout, by the name that a report gives it; which tests guard a secret or a text, by their
marker; how many were tried again. Refuses to know: what they test. What fails twice is a failure.
tests/browser/conftest.py and tests/conftest.py take these hooks.
"""

from __future__ import annotations

import pytest
from _pytest.reports import TestReport
from _pytest.runner import runtestprotocol
from _pytest.terminal import TerminalReporter

TOO_LATE = "playwright._impl._errors.TimeoutError: "
TRIED = "tried again"
MOST = 2
"""So many of a process may be tried again for another reason than lateness."""
_CHANCES = pytest.StashKey[int]()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """For tests with a browser: the second time in a new one, at a new vault, with nothing left of the first."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if was_only_late(reports) or may_have_been_chance(item, reports):
        ending = pytest.CallInfo.from_call(lambda: item.session._setupstate.teardown_exact(None), "teardown")
        ended: TestReport = hook.pytest_runtest_makereport(item=item, call=ending)
        if ended.failed:
            reports.append(ended)
        else:
            for one in reports:
                if one.failed:
                    one.outcome = TRIED  # type: ignore[assignment]  # neither passed nor failed yet
                    hook.pytest_runtest_logreport(report=one)
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for one in reports:
        hook.pytest_runtest_logreport(report=one)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def may_have_been_chance(item: pytest.Item, reports: list[TestReport]) -> bool:
    """Whether something failed that guards nothing, ended well, and is among the first."""
    failed = {one.when for one in reports if one.failed}
    if not failed or "teardown" in failed or item.get_closest_marker("guard") is not None:
        return False
    item.config.stash[_CHANCES] = chances = item.config.stash.get(_CHANCES, 0) + 1
    return chances <= MOST


def was_only_late(reports: list[TestReport]) -> bool:
    """Whether something failed, and nothing by anything else than a timeout of Playwright's."""
    failed = [_message(one) for one in reports if one.failed]
    return bool(failed) and all(message.startswith(TOO_LATE) for message in failed)


def _message(report: TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return "" if crash is None else str(crash.message)


def pytest_report_teststatus(report: TestReport) -> tuple[str, str, str] | None:
    """The letter and the word of a test that is run once more."""
    return (TRIED, "R", "TRIED AGAIN") if report.outcome == TRIED else None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Which tests were run once more, whatever came of it, and what was too late."""
    tried = terminalreporter.stats.get(TRIED, [])
    if tried:
        terminalreporter.section("failed once and were tried again")
    for one in tried:
        terminalreporter.line(f"{one.nodeid}: {_message(one).removeprefix(TOO_LATE).partition(chr(10))[0]}")
