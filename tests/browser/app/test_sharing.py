"""A person shares in the browser; a professional, or whoever has link and code, opens it; the person sees and ends it.

The professional is an account of its own, listed by the operator's command; the readers here are the Python SDK's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from client_sdk.client import VaultClient
from client_sdk.errors import Refused
from crypto_core.sealing.sharing import parse_fragment
from tests.fakes.listed import become_listed
from tests.fakes.processes import RealVault
from tests.fakes.visitor import PASSWORD, Visitor

PHOTOGRAPH = Path(__file__).parents[3] / "docs" / "demo" / "photograph.jpg"
WRITTEN = "Il a crié, la porte a claqué."
OTHER = "Ceci ne regarde personne."
BEHIND = "Les mots exacts, derrière le code."
MESSAGE = "Pour l’audience de mardi."


@pytest.fixture
def name(tmp_path: Path) -> str:
    """Another professional for each test: the directory of this vault only grows."""
    return f"Maître {tmp_path.name.replace('_', ' ').strip()}"


@pytest.fixture
def professional(real_vault: RealVault, tmp_path: Path, name: str) -> Iterator[VaultClient]:
    """Somebody who is listed."""
    with VaultClient.connect(real_vault.url, tmp_path / "office") as client:
        become_listed(real_vault, client, f"cabinet de {name}", name=name, org="Barreau", town="Grenoble")
        yield client


def choose(visitor: Visitor, *texts: str) -> None:
    """From "what I share" to the question with whom."""
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.follow("share.new")
    visitor.heading("share.items.title")
    for text in texts:
        visitor.page.get_by_role("checkbox", name=re.compile(re.escape(text[:20]))).check()
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    visitor.press("account.sign_up.next")
    visitor.heading("share.who.title")


def look_for(visitor: Visitor, name: str) -> None:
    visitor.press("share.who.search")
    visitor.fill("share.find.words", f"GRENOBLE {name}")
    visitor.page.get_by_role("button").filter(has_text=name).first.click()
    visitor.heading("share.compare.title")


def finish(visitor: Visitor, password: str = PASSWORD) -> None:
    """From the terms to the last word."""
    visitor.heading("share.terms.title")
    visitor.fill("share.terms.message", MESSAGE)
    visitor.press("share.terms.next")
    visitor.heading("share.preview.title")
    visitor.fill("account.confirm.password", password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("share.preview.do")


def look_again(visitor: Visitor) -> Page:
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.heading("share.list.name")
    return visitor.page


def test_to_a_professional_whose_digits_are_compared_then_opened_seen_and_ended(
    visitor: Visitor, professional: VaultClient, name: str
) -> None:
    page, visitor.username = visitor.page, "partage un"
    visitor.move_in()
    visitor.write(WRITTEN, files=[PHOTOGRAPH])
    visitor.write(OTHER)
    choose(visitor, WRITTEN)
    look_for(visitor, name)
    digits = " ".join(page.locator(".digits span").all_inner_texts())
    assert digits == professional.office.standing().fingerprint
    visitor.press("share.compare.same")
    finish(visitor)
    visitor.heading("share.done.title")

    received, = professional.office.inbox()
    opened = professional.office.open(received["bundle"])
    assert opened.message == MESSAGE
    item, = (one.item for one in opened.items)
    assert item.text == WRITTEN and [one.name for one in item.contents] == [PHOTOGRAPH.name]
    assert all(one.proof is not None and one.refused is None for one in opened.items)

    look_again(visitor)
    expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text(visitor.say("share.list.count", count=1, of=10))).to_be_visible()
    page.get_by_role("button").filter(has_text=visitor.say("share.revoke.name")).click()
    visitor.press("share.revoke.do")
    page.get_by_text(visitor.say("share.revoke.done")).wait_for()
    expect(page.get_by_role("heading", name=visitor.say("share.list.over"))).to_be_visible()
    assert professional.office.inbox() == []
    with pytest.raises(Refused) as refused:
        list(opened.sealed(item.contents[0]))
    assert refused.value.code == "bundle_over"


def test_by_link_and_code_which_stand_on_the_page_once_and_nowhere_else(
    visitor: Visitor, real_vault: RealVault, tmp_path: Path
) -> None:
    page, visitor.username = visitor.page, "partage deux"
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    visitor.move_in()
    visitor.write(WRITTEN)
    visitor.write(BEHIND, sensitive=True)
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.follow("share.new")
    visitor.press("journal.locked.open")
    visitor.give_pin()
    for text in (WRITTEN, BEHIND):
        page.get_by_role("checkbox", name=re.compile(re.escape(text[:20]))).check()
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    visitor.press("account.sign_up.next")
    visitor.press("share.who.make_link")
    finish(visitor, "un autre mot de passe")
    page.get_by_role("alert").get_by_text(visitor.say("problem.login_refused")).wait_for()
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("share.preview.do")
    visitor.heading("share.done.title")
    link, code = page.locator(".shown-once").inner_text(), page.locator(".digits").inner_text()
    address, mark, rest = link.partition("#b")
    assert address == f"{real_vault.url}/app" and re.fullmatch(r"\d{4} \d{4}", code)
    assert not any(rest[:40] in one or code in one or code.replace(" ", "") in one for one in sent)

    with VaultClient.connect(real_vault.url, tmp_path / "reader") as reader:
        with pytest.raises(Refused) as refused:
            reader.open_link(mark + rest, "0000 0001" if code != "0000 0001" else "0000 0002")
        assert (refused.value.code, refused.value.extra["left"]) == ("code_wrong", 4)
        opened = reader.open_link(mark + rest, code)
    assert opened.bundle == parse_fragment(mark + rest)[0]
    assert {one.item.text for one in opened.items} == {WRITTEN, BEHIND}

    look_again(visitor)
    expect(page.get_by_text(visitor.say("share.list.by_link")).first).to_be_visible()
    assert code not in page.inner_text("main") and rest[:20] not in page.content()
    page.go_back()
    assert code not in page.inner_text("main") and rest[:20] not in page.content()


def test_extended_it_is_another_one_and_its_openings_stay_counted(
    visitor: Visitor, professional: VaultClient, name: str
) -> None:
    page, visitor.username = visitor.page, "partage trois"
    visitor.move_in()
    visitor.write(WRITTEN)
    choose(visitor, WRITTEN)
    look_for(visitor, name)
    visitor.press("share.compare.later")
    finish(visitor)
    visitor.heading("share.done.title")
    first, = professional.office.inbox()
    professional.office.open(first["bundle"])
    look_again(visitor)
    page.get_by_role("button").filter(has_text=visitor.say("share.list.extend")).click()
    page.get_by_text(visitor.say("share.extends.by_name", name=name, count=1)).wait_for()
    finish(visitor)
    visitor.heading("share.done.title")
    second, = professional.office.inbox()
    assert (second["opened"], second["openings"]) == (1, 11) and second["bundle"] != first["bundle"]
    look_again(visitor)
    expect(page.get_by_text(visitor.say("share.list.count", count=1, of=11))).to_be_visible()
    expect(page.get_by_text(re.compile(re.escape(visitor.say("share.why.replaced", moment="")[:-2])))).to_be_visible()


def test_with_somebody_whose_keys_changed_nothing_is_shared(
    visitor: Visitor, professional: VaultClient, name: str, real_vault: RealVault, tmp_path: Path
) -> None:
    page, visitor.username = visitor.page, "partage quatre"
    visitor.move_in()
    visitor.write(WRITTEN)
    choose(visitor, WRITTEN)
    look_for(visitor, name)
    visitor.press("share.compare.same")
    visitor.heading("share.terms.title")
    with VaultClient.connect(real_vault.url, tmp_path / "other") as other:
        become_listed(real_vault, other, "quelqu’un d’autre", name=name.upper(), org="Barreau", town="Grenoble")
        choose(visitor, WRITTEN)
        visitor.press("share.who.search")
        visitor.fill("share.find.words", name)
        page.get_by_role("button").filter(has_text=visitor.say("share.compared.changed")).first.click()
        page.get_by_text(visitor.say("share.compare.changed")).wait_for()
        expect(page.get_by_role("button", name=visitor.say("share.compare.later"), exact=True)).to_have_count(0)
        assert " ".join(page.locator(".digits span").all_inner_texts()) != professional.office.standing().fingerprint
        assert other.office.inbox() == []
