"""Anchors: tokens by which an authority that isn't ours says when the ledger had come how far."""
