"""The page of an evidence pack: what was shared in the order in which it happened, in French and English, offline.

Knows: HTML and the words on this page. Refuses to know: files, and whether anything is true. It runs no script and asks
no network for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from client_sdk.items import Content, Item, KeptReceipt

Row = tuple[Item, KeptReceipt, Sequence[str]]
"""An item, its receipt, and where each of its files lies."""

_SHOWN = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_HEAD = """\
<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; \
media-src 'self'">
<title>Dossier</title>
<style>
body { font: 1rem/1.5 sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #888; padding: 1rem 0; break-inside: avoid; }
dt { font-weight: bold; } dd { margin: 0 0 .4rem; }
.text { white-space: pre-wrap; } code { word-break: break-all; } img, video { max-width: 100%; }
</style>
</head>
<body>
<h1>Ce qui a été transmis <span lang="en">· What was shared</span></h1>
"""
_MEANING = """\
<section>
<h2>Ce que prouvent les reçus</h2>
<p>Pour chaque élément, un registre public a signé un reçu : ces octets existaient au plus tard à la date de dépôt,
selon l’horloge du service. Le reçu ne dit pas qui les a faits, ni qu’ils disent vrai.</p>
<p>Le dossier <code>sealed</code> contient les fichiers exactement tels qu’ils ont été déposés, avec leurs reçus :
c’est la copie qui fait preuve. Le dossier <code>originals</code> contient les mêmes, lisibles : c’est la copie de
travail.</p>
<p>Pour vérifier sans réseau, dans ce dossier : <code>sha256sum -c SHA256SUMS</code> et, pour chaque reçu,
<code>temoin verify NOM.sealed NOM.tlog-proof --policy policy.txt</code>.</p>
</section>
<section lang="en">
<h2>What the receipts prove</h2>
<p>For each item, a public ledger has signed a receipt: these bytes existed no later than the time of deposit, by the
service’s clock. It doesn’t say who made them, nor that what they say is true.</p>
<p>The folder <code>sealed</code> holds the files exactly as they were deposited, with their receipts: this is the copy
to prove with. The folder <code>originals</code> holds the same, readable: this is the copy to work with.</p>
<p>To check without a network, in this folder: <code>sha256sum -c SHA256SUMS</code> and, for each receipt,
<code>temoin verify NAME.sealed NAME.tlog-proof --policy policy.txt</code>.</p>
</section>
"""


def format_page(message: str, created: int, sender: bytes, rows: Sequence[Row]) -> bytes:
    """The whole page, UTF-8. `created` in Unix seconds; `sender` is the key that signed, 32 bytes."""
    parts = [_HEAD, _facts([
        ("Transmis le", "Shared", _time(created)), ("Éléments", "Items", str(len(rows))),
        ("Clé de la personne", "The person’s key", f"<code>{sender.hex()}</code>"),
    ])]
    if message:
        parts.append(f'<p class="text">{escape(message)}</p>\n')
    parts.extend(_article(*row) for row in sorted(rows, key=lambda row: _order(row[0])))
    return "".join([*parts, _MEANING, "</body>\n</html>\n"]).encode("utf-8")


def _article(item: Item, proof: KeptReceipt, places: Sequence[str]) -> str:
    happened = item.happened.words if item.happened is not None else None
    pairs = [
        ("Faits", "Happened", happened and escape(happened)),
        ("Écrit le", "Written", item.written is not None and _time(item.written)),
        ("Déposé le", "Deposited", _time(proof.verified.commitment.time)),
        ("Lieu", "Place", item.place and escape(item.place)),
        ("Personnes", "People", escape(", ".join(item.people))),
        ("Danger ressenti", "Danger felt", item.danger is not None and f"{item.danger} / 10"),
        ("Reçu", "Receipt", f"{proof.verified.index} · {escape(proof.verified.checkpoint.origin)}"),
    ]
    files = "".join(map(_file, item.contents, places))
    text = f'<p class="text">{escape(item.text)}</p>\n' if item.text else ""
    return f"<article>\n<h2>{escape(item.title or '–')}</h2>\n{_facts(pairs)}{text}{files}</article>\n"


def _file(content: Content, place: str) -> str:
    address = escape("/".join(map(_quoted, place.split("/"))))
    shown = ""
    if content.mime in _SHOWN:
        shown = f'<p><img src="{address}" alt=""></p>\n'
    elif content.mime.startswith(("audio/", "video/")):
        tag = content.mime.partition("/")[0]
        shown = f'<p><{tag} src="{address}" controls preload="none"></{tag}></p>\n'
    told = f'<a href="{address}">{escape(content.name)}</a> · {content.size} o/bytes<br>'
    return f"{shown}<p>{told}\nSHA-256 <code>{content.sha256.hex()}</code></p>\n"


def _facts(pairs: Sequence[tuple[str, str, object]]) -> str:
    """`value` is HTML already; what says nothing is left out."""
    told = "".join(
        f'<dt>{french} <span lang="en">· {english}</span></dt><dd>{value}</dd>\n'
        for french, english, value in pairs if value
    )
    return f"<dl>\n{told}</dl>\n"


def _quoted(part: str) -> str:
    return "".join(f"%{byte:02X}" if chr(byte) in '%#?"' or byte > 126 else chr(byte) for byte in part.encode("utf-8"))


def _order(item: Item) -> tuple[int, int]:
    at = item.happened.from_ if item.happened is not None else None
    return (item.written or 0) if at is None else at, item.written or 0


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
