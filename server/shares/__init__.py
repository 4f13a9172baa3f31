"""Shares: sealed bundles for one reader, how often and until when they open, and who ended them."""
