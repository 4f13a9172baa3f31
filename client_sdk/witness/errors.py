"""What the keeper of a witness may meet, as leaves of the one error tree.

Knows: a stable code and a sentence for each. Refuses to know: what a ledger is told (client_sdk.witness.service).
"""

from __future__ import annotations

from crypto_core.errors import TemoinError


class WitnessError(TemoinError):
    """The witness's folder or its command is not as it has to be. `detail` names the part, never its place."""


class WitnessExists(WitnessError):
    code = "witness_exists"
    sentence = "There is a witness here already, or the beginning of one. Nothing was changed; choose an empty folder."


class WitnessMissing(WitnessError):
    code = "witness_missing"
    sentence = (
        "There is no whole witness in this folder. Make one with `temoin witness init`, or name the right folder. "
        "Never make only its state anew: a witness that forgot could sign a second history."
    )


class WitnessKeyExposed(WitnessError):
    code = "witness_key_exposed"
    sentence = "The witness's key can be read by other users of this machine. Give it mode 600, then start again."


class WitnessKeyWrong(WitnessError):
    code = "witness_key_wrong"
    sentence = "The witness's key is damaged, or is no key of a witness. Put the right one back, then start again."


class WitnessName(WitnessError):
    code = "witness_name"
    sentence = (
        "A witness's name has no space and no plus. Choose an address of yours without https://, "
        "such as witness.example/1."
    )


class WitnessAddress(WitnessError):
    code = "witness_address"
    sentence = (
        "The witness can't listen there: another program does, or this machine has no such address. Choose another "
        "with --port or --host."
    )


class LedgersUnknown(WitnessError):
    code = "witness_ledgers"
    sentence = (
        "These are not the keys of ledgers. Give each ledger's verifier key with --log, or a policy file "
        "with `log` lines; the ledger's operator publishes it."
    )
