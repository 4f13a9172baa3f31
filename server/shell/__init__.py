"""The one page that is an application: /app, and the files that it loads.

Knows: nothing. Refuses to know: everything; ask for the room you need.
"""
