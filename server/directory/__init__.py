"""The directory: who the professionals are, in an append-only tree in clear that everybody reads whole."""
