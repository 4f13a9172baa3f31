"""Stands between the SDK's transport and a test's own idea of a network, in httpx's terms.

Knows: how urllib3 is asked and answers. Refuses to know: what a test makes of a request.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import httpx
import urllib3
from urllib3.exceptions import ProtocolError


class FakeWire:
    """A client_sdk.wire.Wire to `base`, whose requests `transport` answers."""

    def __init__(self, base: str, transport: httpx.BaseTransport) -> None:
        self._base, self._transport = base, transport

    def urlopen(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **_options: Any
    ) -> urllib3.BaseHTTPResponse:
        request = httpx.Request(method, self._base + url, headers=headers, content=body)
        try:
            answer = self._transport.handle_request(request)
        except httpx.TransportError as error:
            raise ProtocolError(type(error).__name__) from None
        packed = "Content-Encoding" in answer.headers  # and then it is urllib3's to open
        data = io.BufferedReader(io.BytesIO(b"".join(answer.iter_raw()) if packed else answer.read()))
        return urllib3.HTTPResponse(data, answer.headers, answer.status_code, preload_content=False)

    def close(self) -> None:
        pass
