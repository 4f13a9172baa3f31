"""The public side: what proves, without any secret of a person's, that bytes existed at a time."""
