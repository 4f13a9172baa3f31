"""Deposit boxes: what somebody without an account may put in for a person, and what becomes of it."""
