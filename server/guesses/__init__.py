"""Guesses: every try at a PIN is counted before it is compared."""
