"""A small witness: cosigns the checkpoints of ledgers that only grow, for whoever stands apart from their operators."""
