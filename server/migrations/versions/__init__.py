"""One file for each version of the database, oldest first; a file never changes once a vault has run it."""
