"""The journal: what must not come back with an old copy of the database, and what puts such a copy right."""
