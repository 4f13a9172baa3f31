"""kill -9 at every named step of the server: nothing acknowledged is lost, nothing half is believed.

In each round one worker dies at one step while the others go on, and then the whole server at another, in the middle
of several deeds at once. Then it is started again, everybody does again what was not acknowledged, and looks.
"""

from __future__ import annotations

import random  # the order of the soak; nothing secret is drawn from it
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main
from server.steps import STEPS
from tests.fakes.orders import Victim
from tests.fakes.served import LOST, served_vault
from tests.fakes.story import Deed, Story
from tests.fakes.swift import store_environment

DEEDS: dict[str, Callable[[Story], Deed]] = {
    "account.rows": Story.sign_up,
    "account.closed": Story.erase_account,
    "account.erased": Story.erase_account,
    "credentials.rows": Story.change_credentials,
    "recovery.begun": Story.recover,
    "recovery.rows": Story.recover,
    "guess.counted": Story.try_pin,
    "guess.compared": Story.try_pin,
    "journal.lines": Story.change_credentials,
    "journal.kept": Story.erase_item,
    "ledger.nodes": Story.put_items,
    "ledger.sign": Story.edit_item,
    "ledger.commit.before": Story.keep_blob,
    "ledger.commit.after": Story.edit_item,
    "item.rows": Story.edit_item,
    "item.erase": Story.erase_item,
    "box.deposited": Story.put_deposit,
    "box.accepted": Story.accept_deposit,
    "box.erased": Story.refuse_deposit,
    "deposit.rows": Story.put_items,
    "deposit.entries": Story.upload,
    "unit.written": Story.upload,
    "unit.synced": Story.upload,
    "unit.recorded": Story.upload,
    "complete.hashed": Story.upload,
    "complete.renamed": Story.upload,
}
"""Step → the deed that reaches it."""
SHORT = [
    ("guess.counted", "ledger.nodes"),
    ("unit.written", "ledger.sign"),
    ("unit.synced", "ledger.commit.before"),
    ("complete.hashed", "ledger.commit.after"),
    ("account.rows", "item.rows"),
    ("deposit.rows", "item.erase"),
    ("guess.compared", "deposit.entries"),
    ("unit.recorded", "complete.renamed"),
    ("credentials.rows", "recovery.begun"),
    ("item.erase", "recovery.rows"),
    ("box.deposited", "box.accepted"),
    ("box.erased", "account.closed"),
    ("account.erased", "box.erased"),
    ("journal.kept", "journal.lines"),
    ("journal.lines", "journal.kept"),
]
"""(step at which a worker dies, step at which the server dies), round by round."""
BLOBS = ("unit.", "complete.", "item.erase", "box.erased", "account.erased")
"""Steps between which a blob store is asked for something."""
SHORT_S3 = [both for both in SHORT if any(step.startswith(BLOBS) for step in both)]
SOAK = pytest.mark.soak


def soak_rounds(count: int) -> list[tuple[str, str]]:
    chance = random.Random(count)
    workers, servers = list(DEEDS), list(DEEDS)
    rounds: list[tuple[str, str]] = []
    while len(rounds) < count:
        chance.shuffle(workers)
        chance.shuffle(servers)
        rounds += zip(workers, servers, strict=True)
    return rounds[:count]


class Crowd:
    """Does deeds at once, and remembers those that were not acknowledged."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.doubtful: list[Deed] = []

    def provoke(self, victim: Victim, step: str, times: int) -> None:
        """Until `step` has killed the victim."""
        self.story.vault.die(victim, step, lambda: self.at_once(step), times)

    def at_once(self, step: str) -> None:
        """The deed that reaches the step, and others beside it."""
        story = self.story
        makers = [DEEDS[step], Story.keep_blob, Story.put_items, Story.edit_item]
        with suppress(*LOST):  # some deeds have to ask the vault for something to begin with
            self.run([make(story) for make in makers])

    def run(self, deeds: list[Deed]) -> None:
        lock = threading.Lock()

        def one(deed: Deed) -> None:
            try:
                deed()
            except LOST:
                with lock:
                    self.doubtful.append(deed)

        with ThreadPoolExecutor(len(deeds) or 1) as pool:
            list(pool.map(one, deeds))

    def settle(self) -> None:
        """Everything that was not acknowledged, done again; this time nothing dies, so it has to be answered."""
        again, self.doubtful = self.doubtful, []
        self.run(again)
        assert not self.doubtful


def test_the_deeds_reach_the_table_of_steps() -> None:
    by_commands = {step for step in STEPS if step.startswith("rotation.") or step == "journal.restored"}
    by_requests = set(STEPS) - by_commands
    assert set(DEEDS) == {step for both in SHORT for step in both} == by_requests


@pytest.mark.parametrize(
    ("place", "rounds"),
    [
        pytest.param("folder", SHORT[:5], id="folder: 5 rounds"),
        pytest.param("folder", SHORT[5:], id="folder: the other rounds"),
        pytest.param("s3", SHORT_S3, id="s3: what touches the store"),
        *(pytest.param(place, soak_rounds(200), marks=SOAK, id=f"{place}: 200 rounds") for place in ("folder", "s3")),
    ],
)
def test_nothing_acknowledged_is_lost(
    tmp_path: Path, place: str, rounds: list[tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    with served_vault(tmp_path, environment=store_environment(place, request)) as vault:
        crowd = Crowd(Story(vault, len(rounds)))
        for _ in range(3):
            crowd.story.put_items()()
        for number, (worker_step, server_step) in enumerate(rounds):
            crowd.provoke("worker", worker_step, 1 + number % 2)
            crowd.settle()
            crowd.provoke("server", server_step, 1 + number % 3)
            vault.real.start()
            crowd.story.look()
            crowd.settle()
            crowd.story.look()
            checked = CliRunner().invoke(main, ["check", "--data", str(vault.real.data)], env=vault.real.environment)
            assert checked.exit_code == 0, checked.output
        assert vault.orders.died() == [step for both in rounds for step in both]
