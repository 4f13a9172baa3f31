"""Every parser of crypto_core and every schema of schemas, under bytes that somebody chose.

Inputs are the small corpus beside this file (one good spelling of each, and what once mattered), bent a little or a
lot, and inputs made of nothing. Whatever comes: a value, or one of our errors. `make soak` tries a million.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import random  # which byte is bent; nothing secret is drawn from it
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

import crypto_core
import schemas
from crypto_core.encoding import parse_json
from crypto_core.errors import MalformedError, TemoinError
from schemas.fields import Strict

CORPUS = Path(__file__).with_name("corpus")
SOAK = 1_000_000
NUMBERS = (1, 2, 16, 32, 255, 256)
"""Sizes and widths that a caller may ask for."""
MEAN = (b"\n", b"\n\n", b" ", b"=", b"0", b"-", b"\0", b"\xff", b"\xef\xbb\xbf", b"\\ud800", b"9" * 400, b"[" * 300)


def modules(package: Any) -> Iterator[Any]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


PARSERS: dict[str, Callable[..., Any]] = {
    f"{module.__name__}.{name}": function
    for module in modules(crypto_core)
    for name, function in vars(module).items()
    if name.startswith("parse_") and inspect.isfunction(function) and function.__module__ == module.__name__
}
SCHEMAS: dict[str, type[Schema]] = {
    f"{module.__name__}.{name}": found
    for module in modules(schemas)
    for name, found in vars(module).items()
    if inspect.isclass(found) and issubclass(found, Strict) and found.__module__ == module.__name__
}


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def call(parser: Callable[..., Any], data: bytes, numbers: Iterator[int]) -> object:
    """The parser with `data` as what it parses, as bytes or text, and numbers for the rest."""
    arguments: list[Any] = []
    for name, kind in get_type_hints(parser).items():
        if name == "return":
            continue
        if not arguments:
            arguments.append(data if kind is bytes else data.decode("utf-8", "replace"))
        else:
            arguments.append(next(numbers))
    return parser(*arguments)


def try_parser(name: str, data: bytes, numbers: Iterator[int]) -> None:
    try:
        call(PARSERS[name], data, numbers)
    except TemoinError as error:
        assert error.code and error.sentence


def try_schema(name: str, value: Any) -> None:
    schema = SCHEMAS[name]()
    try:
        loaded = schema.load(value)
    except ValidationError as error:
        json.dumps(error.messages_dict)  # goes into an answer
        return
    if not schema.unknown == "include":
        assert schema.load(json.loads(json.dumps(schema.dump(loaded)))) == loaded


def bend(data: bytes, chance: random.Random) -> bytes:
    """One to four edits."""
    bent = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(bent) + 1)
        match chance.randrange(6):
            case 0 if bent:
                bent[at % len(bent)] ^= 1 << chance.randrange(8)
            case 1:
                bent[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                del bent[at : at + chance.randrange(1, 20)]
            case 3:
                del bent[at:]
            case 4:
                start = chance.randrange(len(bent) + 1)
                bent[at:at] = bent[start : start + chance.randrange(40)]
            case _:
                bent[at:at] = chance.choice(MEAN)
    return bytes(bent)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_has_something_good_to_begin_with(name: str) -> None:
    good = 0
    for data in corpus(name):
        for number in NUMBERS:
            try:
                call(PARSERS[name], data, iter([number] * 4))
                good += 1
            except TemoinError:
                pass
    assert good


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_raises_only_our_errors(name: str) -> None:
    seeds = corpus(name)

    @settings(max_examples=60, deadline=None, database=None)
    @given(
        data=st.binary(max_size=300)
        | st.text(max_size=100).map(str.encode)
        | st.builds(lambda seed, chance: bend(seed, chance), st.sampled_from(seeds), st.randoms(use_true_random=False)),
        numbers=st.lists(st.sampled_from(NUMBERS), min_size=4, max_size=4),
    )
    def one(data: bytes, numbers: list[int]) -> None:
        try_parser(name, data, iter(numbers))

    one()


SPELLED = r"[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{43}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
TEXTS = st.text(max_size=30) | st.from_regex(SPELLED, fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_raises_only_validation_errors(name: str) -> None:
    names = [field.data_key or key for key, field in SCHEMAS[name]().fields.items()]
    objects = st.fixed_dictionaries({}, optional={key: VALUES for key in names}) | st.fixed_dictionaries(
        {key: VALUES for key in names}
    )

    @settings(max_examples=25, deadline=None, database=None)
    @given(value=objects | VALUES)
    def one(value: Any) -> None:
        try_schema(name, value)

    one()


def test_strict_json_raises_only_malformed() -> None:
    seeds = corpus("crypto_core.encoding.parse_json")

    @settings(max_examples=200, deadline=None, database=None)
    @given(seed=st.sampled_from(seeds), chance=st.randoms(use_true_random=False))
    def one(seed: bytes, chance: random.Random) -> None:
        data = bend(seed, chance)
        try:
            value = parse_json(data)
        except MalformedError:
            return
        assert json.loads(data.decode("utf-8")) == value  # it only ever refuses more than the standard library

    one()


@pytest.mark.soak
def test_a_million_inputs() -> None:
    chance = random.Random(SOAK)
    seeds = {name: corpus(name) for name in PARSERS}
    names, models = list(PARSERS), list(SCHEMAS)
    for number in range(SOAK):
        name = names[number % len(names)]
        data = bend(chance.choice(seeds[name]), chance) if number % 8 else chance.randbytes(chance.randrange(200))
        try_parser(name, data, iter([chance.choice(NUMBERS) for _ in range(4)]))
        if name.endswith("parse_json"):
            try:
                try_schema(chance.choice(models), parse_json(data))
            except MalformedError:
                pass
