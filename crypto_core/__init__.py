"""What seals, opens and proves: bytes in, bytes out.

Knows: the formats of docs/spec. Refuses to know: files, sockets, clocks, Flask.
Loading this package loads nothing: ask for the room you need (`crypto_core.receipts.receipt`).
"""
