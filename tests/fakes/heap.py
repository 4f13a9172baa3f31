"""What a page still holds in memory: V8's heap, after its garbage was collected, searched for words.

Knows: the format of a heap snapshot (nodes, edges, strings; Chrome DevTools Protocol, HeapProfiler). Refuses to know:
which words matter. V8 cuts strings off after 1,024 characters, so what is looked for has to stand in short ones.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

COLLECTIONS = 3
"""One frees what only weak handles held after the one before."""


@dataclass(frozen=True)
class Heap:
    """One snapshot."""

    raw: dict[str, Any]

    @property
    def strings(self) -> list[str]:
        found: list[str] = self.raw["strings"]
        return found

    def find(self, words: Iterable[str]) -> dict[str, list[str]]:
        """Each word that stands in some string → who holds the first such string, from the string to the root."""
        found: dict[str, list[str]] = {}
        for word in words:
            places = [place for place, string in enumerate(self.strings) if word in string]
            if places:
                found[word] = self._holders(set(places))
        return found

    def count(self, tag: str) -> int:
        """How many elements there are of a kind, also of those that stand in no document any more."""
        fields = self.raw["snapshot"]["meta"]["node_fields"]
        names = self.raw["nodes"][fields.index("name") :: len(fields)]
        elements = self._elements(tag)
        return sum(place in elements for place in names)

    def holders(self, tag: str) -> list[str]:
        """Who holds the first element of a kind, from it to the root."""
        return self._holders(self._elements(tag))

    def _elements(self, tag: str) -> set[int]:
        called = re.compile(rf"(Detached )?<{tag}[ >]")
        return {place for place, string in enumerate(self.strings) if called.match(string)}

    def _holders(self, named: set[int]) -> list[str]:
        """The shortest way from an object with one of these names to the root, without weak edges."""
        meta = self.raw["snapshot"]["meta"]
        node_fields, edge_fields = meta["node_fields"], meta["edge_fields"]
        nodes, edges = self.raw["nodes"], self.raw["edges"]
        size, step = len(node_fields), len(edge_fields)
        name, count = node_fields.index("name"), node_fields.index("edge_count")
        kinds = meta["edge_types"][0]
        first, at = [], 0
        for node in range(0, len(nodes), size):
            first.append(at)
            at += nodes[node + count] * step
        came: dict[int, tuple[int, str]] = {0: (-1, "")}
        waiting = deque([0])
        while waiting:
            node = waiting.popleft()
            start = first[node // size]
            for edge in range(start, start + nodes[node + count] * step, step):
                kind, label, to = kinds[edges[edge]], edges[edge + 1], edges[edge + 2]
                if kind == "weak" or to in came:
                    continue
                said = str(label) if kind in ("element", "hidden") else self.strings[label]
                came[to] = (node, said)
                if nodes[to + name] in named or (kind not in ("element", "hidden") and label in named):
                    return self._way(to, came, nodes, name)
                waiting.append(to)
        return ["held by nothing but weak references"]

    def _way(self, node: int, came: dict[int, tuple[int, str]], nodes: list[int], name: int) -> list[str]:
        way = []
        while node >= 0:
            node, said, here = came[node][0], came[node][1], self.strings[nodes[node + name]]
            way.append(f".{said[:60]} = {here[:80]!r}")
        return way


def take_heap(page: Page) -> Heap:
    """The heap of a page, also of one that waits for the next page to come."""
    session = page.context.new_cdp_session(page)
    pieces: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda piece: pieces.append(piece["chunk"]))
    session.send("HeapProfiler.enable")
    for _ in range(COLLECTIONS):
        session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    return Heap(json.loads("".join(pieces)))
