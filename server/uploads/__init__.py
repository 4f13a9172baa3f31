"""Blobs: sealed contents of any size, sent whole or in units, and kept once."""
