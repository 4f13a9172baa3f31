"""Somebody whose vault is open, and the packs that are written of what is kept there.

Knows: the SDK's calls for a pack. Refuses to know: what is kept, and what a test wants of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from client_sdk.client import VaultClient
from client_sdk.packs.pack import Packed, Written, write_pack
from client_sdk.packs.sink import open_sink
from tests.fakes.devices import Device
from tests.fakes.vault import FakeVault


@dataclass
class Keeping:
    """A vault, the person's device, their client, logged in, and a folder of the test's."""

    vault: FakeVault
    person: Device
    client: VaultClient
    folder: Path

    def write(self, made: Packed, name: str = "pack") -> tuple[Written, Path]:
        """A folder, or a ZIP file by its name: what it lacks, and where it is."""
        place = self.folder / name
        with open_sink(place) as sink:
            return write_pack(made, self.client.policy, sink), place
