"""The vault: keeps sealed bytes, counts guesses, signs receipts.

Knows: ids, sizes, times, counters. Refuses to know: names, passwords, PINs, and what anything says.
"""
