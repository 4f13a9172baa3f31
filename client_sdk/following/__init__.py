"""The auditor's side of a ledger that is published: followed, mirrored, told about. No account, and no secret."""
