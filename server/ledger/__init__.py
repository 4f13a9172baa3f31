"""The ledger: an append-only Merkle tree over blinded deposits, and the checkpoints that sign it."""
