"""Text that is drawn is found again, and where it was drawn."""

import io

from PIL import Image, ImageDraw, ImageFont

from shelf import data_uri, sample


def draw(lines):
    picture = Image.new("RGB", (480, 60 + 80 * len(lines)), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((30, 30 + 80 * number), line, "black", ImageFont.load_default(36))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return data_uri(file.getvalue(), "drawn.png")


def plain(text):
    """The network is not sure of spaces."""
    return "".join(text.split()).lower()


def test_drawn_text_is_read(shelf):
    output = shelf.output("ocr", image=draw(["Invoice 20418", "Harbour Street", "Total 712.30"]))
    assert plain(output["text"]) == plain("Invoice 20418 Harbour Street Total 712.30")
    assert (output["width"], output["height"]) == (480, 300)


def test_boxes_are_where_the_lines_are(shelf):
    lines = shelf.output("ocr", image=draw(["first", "second"]))["lines"]
    assert [line["text"] for line in lines] == ["first", "second"]
    for number, line in enumerate(lines):
        ys = [y for _, y in line["box"]]
        assert 20 + 80 * number <= min(ys) < max(ys) <= 90 + 80 * number
        assert 0.8 < line["confidence"] <= 1


def test_the_same_picture_gives_the_same(shelf):
    picture = sample("ocr", "samples/sign.jpg")
    first = shelf.output("ocr", image=picture)
    assert plain(first["text"]) == "harbour3kmferryterminal"
    assert shelf.output("ocr", image=picture) == first


def test_an_empty_picture_has_no_text(shelf):
    output = shelf.output("ocr", image=draw([]))
    assert (output["text"], output["lines"]) == ("", [])


def test_what_is_no_picture_is_refused(shelf):
    assert "image: not a picture" in shelf.error("ocr", image=data_uri(b"no picture", "a.png"))
