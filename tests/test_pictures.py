"""Pictures show the shapes that are there, in their layers' colours, and the same ones every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb
import pytest
from PIL import Image, ImageChops

from picoram_layout.pdk import Pdk, load_pdk
from picoram_layout.report.pictures import render
from picoram_layout.report.scale import round_below
from picoram_layout.report.technology import styles

Colour = tuple[int, int, int]


@pytest.fixture
def pdk() -> Pdk:
    return load_pdk("sky130")


@pytest.fixture
def layout(pdk: Pdk) -> kdb.Layout:
    """A transistor in a cell of its own, placed twice, with a named wire on top."""
    layout = kdb.Layout()
    leaf, top = layout.create_cell("leaf"), layout.create_cell("top")
    leaf.shapes(layout.layer(*pdk.drawn["diff"])).insert(kdb.DBox(0, 0, 1, 2))
    leaf.shapes(layout.layer(*pdk.drawn["poly"])).insert(kdb.DBox(-0.5, 0.9, 1.5, 1.1))
    for x in (0.0, 3.0):
        top.insert(kdb.DCellInstArray(leaf.cell_index(), kdb.DTrans(x, 0.0)))
    top.shapes(layout.layer(*pdk.drawn["met1"])).insert(kdb.DBox(0, 2.5, 4, 3))
    top.shapes(layout.layer(*pdk.labels["met1"])).insert(kdb.DText("LBL", kdb.DTrans(1.0, 2.75)))
    return layout


@pytest.fixture
def draw(layout: kdb.Layout, pdk: Pdk, tmp_path: Path) -> Callable[..., Image.Image]:
    def run(cell: str = "top", **options: object) -> Image.Image:
        path = tmp_path / "picture.png"
        render(layout, cell, pdk, path, **options)  # type: ignore[arg-type]
        return Image.open(path).convert("RGB")

    return run


def rgb(text: str) -> Colour:
    r, g, b = bytes.fromhex(text[1:])
    return r, g, b


def colours(pdk: Pdk) -> dict[str, Colour]:
    return {style.name: rgb(style.fill) for style in styles(pdk)}


def share(image: Image.Image, colour: Colour) -> float:
    """Fraction of the pixels that have exactly this colour."""
    found = pixels_of(image)
    return found.count(colour) / len(found)


def pixels_of(image: Image.Image) -> list[Colour]:
    data = image.tobytes()
    return list(zip(data[::3], data[1::3], data[2::3], strict=True))


def tint_of(pixel: Colour, colour: Colour) -> bool:
    """Whether the pixel is the colour or lies between it and white, as on a smoothed thin line."""
    between = all(c <= p for p, c in zip(pixel, colour, strict=True)) and min(pixel) < 200
    order = sorted(range(3), key=lambda k: colour[k])
    return between and [pixel[k] for k in order] == sorted(pixel)


def test_diffusion_covers_what_it_covers(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    image = draw("leaf", layers=["diff"], width=600)
    edge = 2 + 2 * 0.03 * 2  # the cell is 2 x 2 um, 1 x 2 of it diffusion
    drawn = image.crop((0, 0, 600, 600))
    assert image.height > 600
    assert share(drawn, colours(pdk)["diff"]) == pytest.approx(2 / edge**2, rel=0.03)


def test_background_is_white_and_all_levels_are_shown(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    image = draw()
    assert image.getpixel((1, 1)) == (255, 255, 255)
    half = image.width // 2
    left, right = (image.crop((x, 0, x + half, 500)) for x in (0, half))
    assert share(left, colours(pdk)["diff"]) == pytest.approx(share(right, colours(pdk)["diff"]), rel=0.02)


def test_poly_is_red_over_visible_diffusion(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    """Semi-transparent: where both are, pixels of either colour remain or mix."""
    image = draw("leaf", layers=["diff", "poly"], width=1000)
    gate = pixels_of(image.crop((480, 470, 520, 530)))
    reds = [pixel for pixel in gate if pixel[0] > pixel[1] + 60]
    assert len(reds) > len(gate) / 3
    assert len(set(gate)) > 1


def test_every_layer_of_the_pdk_can_be_seen(pdk: Pdk, tmp_path: Path) -> None:
    """One box per layer, alone in its picture: the layer's frame colour is in it."""
    for style in styles(pdk):
        if style.kind:
            continue
        layout = kdb.Layout()
        cell = layout.create_cell("one")
        cell.shapes(layout.layer(*style.source)).insert(kdb.DBox(0, 0, 3, 2))
        render(layout, "one", pdk, tmp_path / "p.png", layers=[style.name], width=300)
        image = Image.open(tmp_path / "p.png").convert("RGB").crop((0, 0, 300, 150))
        assert any(tint_of(pixel, rgb(style.frame)) for pixel in pixels_of(image)), style.name


def test_same_layout_same_bytes(layout: kdb.Layout, pdk: Pdk, tmp_path: Path) -> None:
    for name in ("a", "b"):
        render(layout, "top", pdk, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_shape_another_picture(layout: kdb.Layout, pdk: Pdk, tmp_path: Path) -> None:
    render(layout, "top", pdk, tmp_path / "a")
    layout.cell("leaf").shapes(layout.layer(*pdk.drawn["licon"])).insert(kdb.DBox(0.4, 0.3, 0.57, 0.47))
    render(layout, "top", pdk, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_the_layout_survives(draw: Callable[..., Image.Image], layout: kdb.Layout) -> None:
    draw()
    assert layout.cell("top").dbbox() == kdb.DBox(-0.5, 0, 4.5, 3)
    assert sorted(cell.name for cell in layout.each_cell()) == ["leaf", "top"]


def test_layers_select(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    image = draw("leaf", layers=["poly"])
    assert share(image, colours(pdk)["diff"]) == 0


def test_box_shows_the_part(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    """Inside the diffusion nothing else is in sight."""
    image = draw(box=(0.2, 0.1, 0.8, 0.7))
    assert share(image.crop((0, 0, image.width, image.width // 2)), colours(pdk)["diff"]) == 1


def test_labels_are_written_where_they_are(draw: Callable[..., Image.Image], pdk: Pdk) -> None:
    """With the name, pixels differ around the label's place and nowhere else."""
    plain, named = draw(labels=False), draw(labels=True)
    box = ImageChops.difference(plain, named).getbbox()
    assert box is not None
    scale = plain.width / (5 + 2 * 0.03 * 5)
    x, y = (1.0 + 0.5 + 0.15) * scale, (3 - 2.75 + 0.15) * scale
    assert ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) == pytest.approx((x, y), abs=8)
    assert box[2] - box[0] < 80


def test_only_blocks_that_fill_much_of_the_picture_are_named(
    draw: Callable[..., Image.Image], layout: kdb.Layout, pdk: Pdk
) -> None:
    """A transistor is 2 um wide: named in a picture of 5 um, not in one of 50 um."""
    layout.cell("leaf").shapes(layout.layer(*pdk.labels["met1"])).insert(kdb.DText("G", kdb.DTrans(0.5, 1.0)))

    def names(box: tuple[float, float, float, float]) -> bool:
        plain, named = (draw(box=box, labels=labels) for labels in (False, True))
        return ImageChops.difference(plain, named).getbbox() is not None

    assert names((0, 0, 5, 2.3))
    assert not names((0, 0, 50, 2.3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "empty"}, "nothing to draw"),
        ({"cell": "top", "layers": ["met9"]}, "no layer met9"),
        ({"cell": "top", "box": (1.0, 1.0, 1.0, 2.0)}, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn(
    draw: Callable[..., Image.Image], layout: kdb.Layout, options: dict[str, object], message: str
) -> None:
    layout.create_cell("empty")
    with pytest.raises(ValueError, match=message):
        draw(**options)


def test_round_below() -> None:
    values = [0.13, 0.2, 0.99, 1, 4.99, 5, 199.9, 1e4]
    assert [round_below(v) for v in values] == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 100, 1e4])
