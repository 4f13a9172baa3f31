"""The secret side: everything that needs a person's key. The server never imports it."""
