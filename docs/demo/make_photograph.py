"""Makes docs/demo/photograph.jpg: a kitchen window at dusk, painted by arithmetic, with the EXIF a telephone writes.

Knows: Pillow (which nothing else here needs: `pip install pillow`). Refuses to know: anybody's real photograph.
The demo and the tests use the file as it lies beside this script; run it only to paint another.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 960
HERE = Path(__file__).parent

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def main() -> None:
    chance = random.Random("a kitchen window at dusk")
    picture = grain(room(chance), chance)
    picture.save(HERE / "photograph.jpg", quality=84, exif=exif(), dpi=(72, 72))


def room(chance: random.Random) -> Image.Image:
    """A wall, a window with an evening sky behind wet glass, a table, a broken cup."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    for y in range(HEIGHT):
        shade = 1 - 0.55 * y / HEIGHT
        draw.line([(0, y), (WIDTH, y)], fill=(int(126 * shade), int(112 * shade), int(98 * shade)))
    sky = evening(chance, 620, 470)
    picture.paste(sky, (330, 90))
    frame = (58, 46, 38)
    draw.rectangle([316, 76, 964, 574], outline=frame, width=16)
    draw.rectangle([632, 90, 646, 560], fill=frame)
    draw.polygon([(0, 730), (WIDTH, 668), (WIDTH, HEIGHT), (0, HEIGHT)], fill=(74, 52, 37))
    for _ in range(160):  # the grain of the wood
        y, x = chance.randrange(745, HEIGHT), chance.randrange(WIDTH)
        draw.line([(x, y), (x + chance.randrange(60, 320), y - 12)], fill=(66, 46, 33), width=2)
    picture = picture.filter(ImageFilter.GaussianBlur(3.2))
    draw = ImageDraw.Draw(picture)
    draw.ellipse([500, 792, 800, 842], fill=(45, 31, 23))
    draw.polygon([(560, 700), (742, 692), (716, 826), (588, 830)], fill=(214, 208, 196))
    draw.polygon([(560, 700), (612, 742), (640, 698)], fill=(74, 52, 37))
    draw.arc([712, 714, 790, 790], 270, 100, fill=(206, 199, 187), width=14)
    for x, y, size in ((860, 840, 34), (912, 806, 22), (458, 858, 28), (818, 884, 18)):
        turn = chance.random() * math.tau
        corners = [(x + size * math.cos(turn + step), y + size * 0.6 * math.sin(turn + step)) for step in (0, 1.9, 4.2)]
        draw.polygon(corners, fill=(221, 216, 205))
    return picture.filter(ImageFilter.GaussianBlur(1.1))


def evening(chance: random.Random, width: int, height: int) -> Image.Image:
    """Orange below, blue above, roofs against it, drops on the glass."""
    sky = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(sky)
    for y in range(height):
        low = y / height
        draw.line([(0, y), (width, y)], fill=(int(40 + 205 * low**2), int(62 + 82 * low), int(120 - 58 * low)))
    for left in range(0, width, 62):
        top = height - chance.randrange(60, 150)
        roof = [(left, height), (left, top), (left + 31, top - 34), (left + 62, top), (left + 62, height)]
        draw.polygon(roof, fill=(22, 22, 30))
        if chance.random() < 0.6:
            draw.rectangle([left + 22, top + 18, left + 38, top + 40], fill=(240, 196, 110))
    sky = sky.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(sky)
    for _ in range(420):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.choice((1, 1, 2, 3))
        light = chance.randrange(120, 200)
        draw.ellipse([x, y, x + size, y + size * 2], fill=(light, light, light + 20))
    return sky


def grain(picture: Image.Image, chance: random.Random) -> Image.Image:
    """What a small sensor adds in the dark, and what a small lens takes away at the border."""
    noise = Image.frombytes("L", picture.size, chance.randbytes(WIDTH * HEIGHT)).filter(ImageFilter.GaussianBlur(0.9))
    speckled = Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), 0.10)
    border = Image.radial_gradient("L").resize(picture.size).point(lambda far: min(255, far * far // 330))
    return Image.composite(Image.new("RGB", picture.size, (10, 9, 9)), speckled, border)


def exif() -> Image.Exif:
    """Camera, date and place: the fields that a person rarely knows are there."""
    data = Image.Exif()
    data[0x010F], data[0x0110], data[0x0131] = "Exemple", "Modele 3", "Camera 1.4"
    data[0x0112] = 1
    data[0x0132] = "2024:03:01 21:34:12"
    details = data.get_ifd(EXIF_IFD)
    details[0x9003] = details[0x9004] = "2024:03:01 21:34:12"
    details[0x9011] = "+01:00"
    details[0x829A], details[0x829D], details[0x8827], details[0x920A] = (1 / 20), 1.8, 1600, 4.2
    place = data.get_ifd(GPS_IFD)
    place[1], place[2], place[3], place[4] = "N", (48.0, 51.0, 24.12), "E", (2.0, 21.0, 7.56)
    place[29] = "2024:03:01"
    return data


if __name__ == "__main__":
    main()
