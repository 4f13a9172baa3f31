"""The Python SDK: what a person's device does, from password to verified receipt.

Loading this package loads nothing: ask for the module you need (`client_sdk.client`).
"""

__version__ = "0.1.0"
