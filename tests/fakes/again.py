"""A browser that only took too long is asked once more, and the run says of which test (docs/adr/0047).

Knows: Playwright's own timeout, by the name that a report gives it. Refuses to know: any other failure; what was wrong
once, or is too late twice, stays a failure. tests/browser/conftest.py and tests/conftest.py take these hooks.
"""

from __future__ import annotations

import pytest
from _pytest.reports import TestReport
from _pytest.runner import runtestprotocol
from _pytest.terminal import TerminalReporter

TOO_LATE = "playwright._impl._errors.TimeoutError: "
TRIED = "tried again"


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """For tests with a browser: the second time in a new one, at a new vault, with nothing left of the first."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if was_only_late(reports):
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
        terminalreporter.section("took too long and were tried again")
    for one in tried:
        terminalreporter.line(f"{one.nodeid}: {_message(one).removeprefix(TOO_LATE).partition(chr(10))[0]}")
