"""Recovery: getting back in with the recovery code alone, after a time in which every open session is told."""
