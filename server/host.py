"""The name under which this vault is spoken to, which every login signature covers.

Knows: the operator's setting, and which names mean this very machine. Refuses to know: accounts.
A signature made for one vault must be worth nothing at another. A vault that was given no name serves this machine
alone, by whatever loopback name and port its client (or a tunnel, or a proxy on the way) uses.
"""

from __future__ import annotations

import ipaddress

from flask import request

from server.parts import parts
from server.problems import Refusal


def public_host() -> str:
    """The lower-case host, with the port unless it is the default. Raises Refusal `host_unknown`."""
    configured = parts().config.host
    if configured:
        return configured
    asked = request.host.lower()
    if not is_loopback(asked):
        raise Refusal("host_unknown")
    return asked


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine by name or address."""
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
