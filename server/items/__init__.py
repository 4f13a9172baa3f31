"""Items: append-only revisions of sealed records, their sync, and their erasure."""
