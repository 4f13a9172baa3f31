"""A part of an entry, made in the page and read by somebody else: what was left out is nowhere in what the reader gets.

The photograph carries a place, a device and a small preview of itself, and lies on its side, as telephones write it.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from client_sdk.client import VaultClient
from client_sdk.contents import open_content
from client_sdk.opening import OpenedBundle
from client_sdk.sharing import Sharing
from tests.fakes.axe import SCHEMES, run_axe
from tests.fakes.canary import find_canaries
from tests.fakes.processes import RealVault
from tests.fakes.visitor import PASSWORD, PIN, Visitor

PHOTOGRAPH = Path(__file__).parents[3] / "docs" / "demo" / "photograph.jpg"
SECRET, LETTER = "Nadège-Ωmega", "lettre-de-Nadège.txt"
TEXT = f"Il attendait dans la voiture. {SECRET} a tout vu. Puis il est parti, et {SECRET} aussi."
INSIDE = "THUMBNAIL-AND-PLACE-OF-THE-PHOTOGRAPH"
"""What a telephone writes into a photograph beside its pixels."""
PIXELS = """
async ([encoded, x, y, width, height]) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/jpeg"}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const ink = canvas.getContext("2d");
  ink.drawImage(image, 0, 0);
  const at = [x * image.width, y * image.height, width * image.width, height * image.height].map(Math.round);
  const data = ink.getImageData(...at).data;
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add(data.slice(i, i + 3).join());
  return {width: image.width, height: image.height, colours: [...colours].slice(0, 9)};
}
"""
"""The size of a picture, and the colours in a part of it, given by shares of its sides."""


def on_its_side(jpeg: bytes) -> bytes:
    """The same picture as a telephone held upright writes it: turned by an entry of its Exif, with more in that."""
    described = INSIDE.encode() + b"\x00"
    entries = struct.pack("<HHII", 0x010E, 2, len(described), 38) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 2) + entries + struct.pack("<I", 0) + described
    exif = b"Exif\x00\x00" + tiff
    assert jpeg[:2] == b"\xff\xd8"
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    photograph, letter = tmp_path / f"IMG-{SECRET}.jpg", tmp_path / LETTER
    photograph.write_bytes(on_its_side(PHOTOGRAPH.read_bytes()))
    letter.write_bytes(f"Je suis {SECRET}, et j’ai tout vu.".encode())
    return [photograph, letter]


@pytest.fixture
def sent(visitor: Visitor) -> Iterator[list[bytes]]:
    """Every request of the page, address, headers and body."""
    requests: list[bytes] = []

    def note(request: Request) -> None:
        requests.append(f"{request.url} {request.headers}".encode() + (request.post_data_buffer or b""))

    visitor.page.context.on("request", note)
    yield requests


def choose_a_part(visitor: Visitor) -> None:
    """From the journal to what is left out of the newest entry."""
    visitor.go_to("shell.journal")
    visitor.follow("share.list.name")
    visitor.follow("share.new")
    visitor.heading("share.items.title")
    visitor.page.get_by_role("checkbox").first.check()
    visitor.press("account.sign_up.next")
    visitor.heading("share.parts.title")
    visitor.page.get_by_role("button").filter(has_text=visitor.say("share.parts.make")).click()
    visitor.heading("share.part.title")


def cut_by_keys(visitor: Visitor) -> None:
    """The name where it stands first, and then where it was pointed out to stand as well."""
    page = visitor.page
    visitor.press("share.part.words")
    expect(page.get_by_role("option")).to_have_count(len(TEXT.split()))
    page.get_by_role("option").first.focus()
    for _ in range(TEXT.split().index(SECRET)):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("option", selected=True)).to_have_text(re.compile(SECRET))
    expect(page.get_by_text(visitor.say("share.part.again", count=1))).to_be_visible()
    visitor.press("share.part.cut_again")
    expect(page.get_by_role("option", selected=True)).to_have_count(2)
    expect(page.get_by_text(visitor.say("share.part.again", count=1))).to_have_count(0)


def cover_the_middle(visitor: Visitor) -> None:
    """A box drawn over the middle third, and one set in a corner by keys."""
    page = visitor.page
    page.get_by_role("button").filter(has_text=visitor.say("share.part.cover")).click()
    visitor.heading("share.cover.title")
    picture = page.locator(".cover img")
    page.locator(".cover svg").wait_for()  # once the picture has its size
    picture.scroll_into_view_if_needed()
    where = picture.bounding_box()
    assert where is not None
    page.mouse.move(where["x"] + where["width"] / 3, where["y"] + where["height"] / 3)
    page.mouse.down()
    page.mouse.move(where["x"] + where["width"] * 2 / 3, where["y"] + where["height"] * 2 / 3, steps=4)
    page.mouse.up()
    expect(page.locator(".cover rect")).to_have_count(1)
    page.get_by_role("button", name=visitor.say("share.cover.add"), exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=visitor.say("share.cover.box", number=2), exact=True).focus()
    for key in ["ArrowLeft", "ArrowUp"] * 40:
        page.keyboard.press(key)
    expect(page.locator(".cover rect.chosen")).to_have_attribute("x", "0")
    expect(page.locator(".cover rect.chosen")).to_have_attribute("y", "0")


@pytest.fixture
def reader(real_vault: RealVault, tmp_path: Path) -> Iterator[VaultClient]:
    """Somebody without an account."""
    with VaultClient.connect(real_vault.url, tmp_path / "reader") as client:
        yield client


def opened_by_link(visitor: Visitor, reader: VaultClient) -> OpenedBundle:
    """From whom to what the reader gets."""
    page = visitor.page
    visitor.press("account.sign_up.next")
    visitor.press("share.who.make_link")
    visitor.press("share.terms.next")
    visitor.heading("share.preview.title")
    expect(page.get_by_text(visitor.say("reading.extract"))).to_be_visible()
    expect(page.get_by_text(SECRET)).to_have_count(0)
    visitor.fill("account.confirm.password", visitor.password)
    visitor.fill("account.confirm.pin", visitor.pin)
    visitor.press("share.preview.do")
    visitor.heading("share.done.title")
    link, code = page.locator(".shown-once").inner_text(), page.locator(".digits").inner_text()
    return reader.open_link("#" + link.partition("#")[2], code)


def test_what_was_left_out_is_nowhere_in_what_the_reader_gets(
    visitor: Visitor, reader: VaultClient, files: list[Path], sent: list[bytes]
) -> None:
    page, visitor.username = visitor.page, "extrait un"
    visitor.move_in()
    visitor.write(TEXT, files=files)
    choose_a_part(visitor)
    ticks = page.get_by_role("checkbox")
    expect(ticks).to_have_count(len(files))
    for number in range(len(files)):
        ticks.nth(number).check()
    visitor.press("share.part.do")
    page.get_by_role("alert").get_by_text(visitor.say("share.part.whole")).wait_for()
    for number in range(len(files)):
        ticks.nth(number).uncheck()
    cut_by_keys(visitor)
    cover_the_middle(visitor)
    visitor.press("share.cover.do")
    visitor.heading("share.part.title")
    visitor.press("share.part.do")
    visitor.heading("share.parts.title")
    opened = opened_by_link(visitor, reader)

    [one] = opened.items
    assert one.record is not None and one.proof is not None and one.refused is None
    item = one.item
    assert item.text == "Il attendait dans la voiture. […] a tout vu. Puis il est parti, et […] aussi."
    assert item.kind == "extract" and item.of is not None and item.title == "" and item.people == ()
    [copy] = item.contents
    assert item.masked == (copy.blob,) and copy.mime == "image/jpeg"
    assert opened.receipt(copy).verified.commitment.sha256 == copy.sealed
    picture = b"".join(open_content(copy, opened.sealed(copy)))
    given = [opened.manifest.json, repr(vars(item)).encode(), repr(vars(copy)).encode(), picture]
    assert [find_canaries(data, [SECRET, LETTER, INSIDE, "Exif"]) for data in given] == [[], [], [], []]
    assert len(sent) > 20 and find_canaries(b"\n".join(sent), [SECRET, LETTER, INSIDE]) == []

    raw = base64.b64encode(PHOTOGRAPH.read_bytes()).decode()
    lying = page.evaluate(PIXELS, [raw, 0, 0, 1, 1])
    encoded = base64.b64encode(picture).decode()
    middle = page.evaluate(PIXELS, [encoded, 0.36, 0.36, 0.28, 0.28])
    assert middle["colours"] == ["0,0,0"]
    assert (middle["width"] > middle["height"]) == (lying["height"] > lying["width"])  # it stands upright
    assert page.evaluate(PIXELS, [encoded, 0, 0, 0.15, 0.15])["colours"] == ["0,0,0"]
    assert len(page.evaluate(PIXELS, [encoded, 0.75, 0.75, 0.2, 0.2])["colours"]) > 1


def test_it_stands_beneath_its_whole_and_nowhere_in_the_journal(visitor: Visitor, files: list[Path]) -> None:
    page, visitor.username = visitor.page, "extrait deux"
    visitor.move_in()
    visitor.write(TEXT)
    choose_a_part(visitor)
    cut_by_keys(visitor)
    visitor.press("share.part.do")
    visitor.heading("share.parts.title")
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)
    visitor.go_to("shell.journal")
    expect(page.locator(".row").filter(has_text="voiture")).to_have_count(1)
    visitor.open_row("Il attendait")
    page.get_by_role("heading", name=visitor.say("journal.made.title")).wait_for()
    page.locator(".row").filter(has_text="voiture").click()
    page.get_by_text(visitor.say("journal.made.own")).wait_for()
    expect(page.get_by_role("link", name=visitor.say("journal.entry.edit"), exact=True)).to_have_count(0)
    expect(page.get_by_text(SECRET)).to_have_count(0)
    visitor.follow("journal.made.whole")
    expect(page.get_by_text(SECRET)).not_to_have_count(0)


def test_every_step_is_fit_for_everybody(visitor: Visitor, files: list[Path]) -> None:
    page, visitor.username = visitor.page, "extrait pour tout le monde"
    visitor.move_in()
    visitor.write(TEXT, files=files)
    choose_a_part(visitor)
    fits(page)
    cut_by_keys(visitor)
    visitor.press("share.part.sentences")
    page.get_by_role("checkbox").first.check()
    expect(page.get_by_text(re.compile(re.escape(visitor.say("share.part.stands", where="")[:30])))).to_be_visible()
    fits(page)
    cover_the_middle(visitor)
    fits(page)
    visitor.press("share.cover.do")
    visitor.heading("share.part.title")
    fits(page)
    visitor.press("share.part.do")
    visitor.heading("share.parts.title")
    fits(page)


def fits(page: Page) -> None:
    """In both schemes, on a telephone and last on a computer; there it stays."""
    for width, scheme in zip((360, 1280), SCHEMES.values(), strict=True):
        page.set_viewport_size({"width": width, "height": 740})
        page.emulate_media(color_scheme=scheme)
        assert run_axe(page) == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, scheme)
        small = page.evaluate("""[...document.querySelectorAll("main button, main [role=option]")].filter((one) => {
            const {width, height} = one.getBoundingClientRect();
            return Math.min(width, height) > 0 && Math.min(width, height) < 24;
        }).map((one) => one.textContent)""")
        assert small == [], (width, scheme)


def test_the_command_line_shares_what_the_page_made(
    visitor: Visitor, real_vault: RealVault, reader: VaultClient, tmp_path: Path
) -> None:
    visitor.username = "extrait trois"
    visitor.move_in()
    visitor.write(TEXT)
    choose_a_part(visitor)
    cut_by_keys(visitor)
    visitor.press("share.part.do")
    visitor.heading("share.parts.title")
    with VaultClient.connect(real_vault.url, tmp_path / "laptop") as client:
        client.log_in(visitor.username, PASSWORD, PIN)
        [whole] = client.items("journal")
        [part] = client.extracts(whole.id)
        assert part.of == (whole.id, 1) and SECRET not in (part.text or "")
        made = client.shares.make(Sharing([(part.id, 1)], None, part.deposited + 86_400, 1))
        client.shares.send(made, client.account.confirm(PASSWORD, PIN))
        assert made.link is not None
    opened = reader.open_link(made.link.fragment, made.link.code)
    assert [one.item.text for one in opened.items] == [part.text]
