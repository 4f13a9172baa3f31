"""Accounts: who may ask, and the sealed rows that open a person's keys."""
