"""What `documents add` tells while files go in: kept, deposited before, left out and why.

Knows: the order, and when to look again. Refuses to know: how a file travels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from client_sdk.cli.failures import SERVER, FileLeft, FilesLeft, exit_code, failure_of
from client_sdk.cli.folders import SENTENCES, LeftOut
from client_sdk.cli.items import tell_kept
from client_sdk.cli.options import Shared
from client_sdk.cli.output import note, one_line, print_failure, print_json, screen
from client_sdk.cli.watching import LOOK_EVERY, STAY_EVERY, TRY_AGAIN, Watch
from client_sdk.errors import FileUnreadable
from client_sdk.gathering import Chosen, Outcome
from client_sdk.items import Kept
from crypto_core.errors import TemoinError
from schemas import outputs

AddSome = Callable[[Sequence[Chosen]], Iterator[Outcome]]


class Adding:
    """One command's files. `found` looks for them anew each time; `clock` and `sleep` count seconds."""

    def __init__(
        self, common: Shared, found: Callable[[], Iterator[Chosen | LeftOut]], title: str | None, *,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._common, self._found, self._title = common, found, title
        self._clock, self._sleep = clock, sleep
        self._told: set[Path] = set()
        self._kept: list[tuple[Path, Kept]] = []
        self._failures: dict[Path, TemoinError] = {}
        self._before = 0
        self._ended: set[Path] = set()

    def once(self, add: AddSome) -> None:
        """Everything that is there now. Raises FilesLeft, or the one failure of an only file."""
        files = self._files()
        if not files and not self._failures:
            self._say("No file was found there, so nothing was deposited.")
        try:
            self._add(add, files)
        finally:  # also when a later file failed: these are kept
            places = {one.path: number for number, one in enumerate(files)}
            self._kept.sort(key=lambda one: places[one[0]])  # in the order given
            self._sum_up()
        if self._failures:
            is_only = len(files) == 1 and list(self._failures) == [files[0].path]
            raise self._failures[files[0].path] if is_only else FilesLeft(self._left())

    def watch(self, add: AddSome, stay: Callable[[], None]) -> None:
        """What is there, and what comes, until Ctrl-C. Raises whatever ends the session."""
        watch, asked = Watch(self._clock), self._clock()
        try:
            self._say("Watching. Ctrl-C ends it; what was said to be kept is kept.")
            while True:
                files = watch.look(self._files())
                try:
                    if files:
                        self._add(add, files)
                        asked = self._clock()
                    elif self._clock() - asked >= STAY_EVERY:
                        stay()
                        asked = self._clock()
                except TemoinError as failure:
                    if exit_code(failure) != SERVER:
                        raise
                    watch.put_back(one for one in files if one.path not in self._ended)
                    self._say(f"{failure.sentence} The next try is in {TRY_AGAIN:.0f} seconds.")
                    self._sleep(TRY_AGAIN)
                self._sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            self._say("No longer watching.")
            if self._common.as_json and self._failures:
                print_failure(failure_of(FilesLeft(self._left())), as_json=True)
        finally:
            self._sum_up()

    def _add(self, add: AddSome, files: Sequence[Chosen]) -> None:
        self._ended.clear()
        for outcome in add(files):
            self._ended.add(outcome.chosen.path)
            name = one_line(outcome.chosen.title)
            self._failures.pop(outcome.chosen.path, None)
            if outcome.kept is not None:
                self._kept.append((outcome.chosen.path, outcome.kept))
                if not self._common.as_json:
                    screen().print(name)
                    tell_kept(self._common, outcome.kept)
            elif outcome.failure is not None:
                self._failures[outcome.chosen.path] = outcome.failure
                self._say(f"Not deposited: {name}. {outcome.failure.sentence}")
            else:
                self._before += 1

    def _files(self) -> list[Chosen]:
        """What is to be taken; what is left out is said, once for as long as it is."""
        files, left = list[Chosen](), set[Path]()
        for one in self._found():
            if isinstance(one, Chosen):
                files.append(one if self._title is None else Chosen(one.path, self._title))
                continue
            left.add(one.path)
            if one.path not in self._told:
                self._say(f"Left out: {one_line(str(one.path))} ({SENTENCES[one.why]})")
                if one.why == "unreadable":
                    self._failures[one.path] = FileUnreadable()
        for path in self._told - left:
            self._failures.pop(path, None)
        self._told = left
        return files

    def _left(self) -> list[FileLeft]:
        return [FileLeft(str(path), one.code, one.sentence, one.detail) for path, one in self._failures.items()]

    def _sum_up(self) -> None:
        if self._before:
            files = "One file was" if self._before == 1 else f"{self._before} files were"
            self._say(f"{files} deposited before from the same place, and not again. --again would.")
        if self._common.as_json:
            print_json(outputs.Kept(many=True), [kept for _, kept in self._kept])

    def _say(self, text: str) -> None:
        if not self._common.as_json:
            note(text)
