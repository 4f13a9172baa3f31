"""State machines as tables: what may follow what. Nothing here reads, writes, sends or waits."""
