"""What travels and what is sealed, as marshmallow schemas: requests, answers, documents, `--json` output.

Knows: shapes, sizes and spellings. Refuses to know: everything else, crypto_core included.
"""
