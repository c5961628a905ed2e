"""For every row of the rule table a drawing that just meets it and one that is one grid short.

A rule's kind chooses the drawing, its layers and value the shapes: no number of a rule is repeated here.
Lengths are micrometres.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import klayout.db as kdb

from picoram_layout.pdk import Pdk, Rule

Box = tuple[float, float, float, float]


class Sketch:
    """A cell in a layout of its own, drawn by layer names; derived layers are drawn with what they need."""

    def __init__(self, pdk: Pdk):
        self.pdk = pdk
        self.layout = kdb.Layout()
        self.layout.dbu = pdk.dbu
        self.cell = self.layout.create_cell("FIXTURE")

    def layer(self, name: str) -> int:
        """Layer index of a drawn layer, mark or pin layer."""
        pdk = self.pdk
        numbers = pdk.pins[name[:-4]] if name.endswith(".pin") else {**pdk.drawn, **pdk.marks}[name]
        return self.layout.layer(*numbers)

    def draw(self, name: str, *boxes: Box) -> None:
        """Draw plain boxes."""
        for box in boxes:
            self.cell.shapes(self.layer(name)).insert(kdb.DBox(*box).to_itype(self.layout.dbu))

    def polygon(self, name: str, *points: tuple[float, float]) -> None:
        """Draw a polygon."""
        polygon = kdb.DPolygon([kdb.DPoint(x, y) for x, y in points]).to_itype(self.layout.dbu)
        self.cell.shapes(self.layer(name)).insert(polygon)

    def put(self, name: str, box: Box, without: str = "") -> None:
        """Draw a layer so that, drawn or derived, it has exactly this box; ``without`` leaves a layer out."""
        pdk, (x1, y1, x2, y2) = self.pdk, box
        shapes: dict[str, Box] = {}
        if "gate" in name:
            side, endcap = pdk.rule("extension", "diff", "poly"), pdk.rule("extension", "poly", "diff")
            shapes["poly"] = (x1, y1 - endcap, x2, y2 + endcap)
            shapes["diff"] = (x1 - side, y1, x2 + side, y2)
            if name.endswith("pgate"):
                shapes["psdm"] = grow(shapes["diff"], pdk.enclosure("psdm", "pdiff"))
        elif name in ("ndiff", "pdiff", "ntap", "ptap", "ndiff_sd", "pdiff_sd"):
            implant, drawn = f"{name[0]}sdm", name[1:].removesuffix("_sd")
            shapes[drawn] = box
            shapes[implant] = grow(box, pdk.enclosure(implant, name[0] + drawn))
        elif name.startswith("licon_"):
            holder = {"active": "diff"}.get(name[6:], name[6:])
            shapes["licon"] = box
            shapes[holder] = grow(box, pdk.enclosure_adjacent(holder, name.replace("active", "diff")))
        elif name == "bottom_plate":
            shapes["met3"] = box
            shapes["capm"] = grow(box, -pdk.enclosure("met3", "capm"))
        else:
            shapes[{"field_poly": "poly", "active": "diff"}.get(name, name)] = box
        for layer, shape in shapes.items():
            if layer != without:
                self.draw(layer, shape)

    def room(self) -> Sketch:
        """Draw a boundary so large that nothing in it counts as dense."""
        self.draw("boundary", (-100.0, -100.0, 100.0, 100.0))
        return self


def grow(box: Box, d: float) -> Box:
    """A box larger by d on every side."""
    return box[0] - d, box[1] - d, box[2] + d, box[3] + d


def side(pdk: Pdk, name: str) -> float:
    """A legal size for a shape of a layer: a cut's own, else wide enough for width and area."""
    if name.startswith("licon"):
        return pdk.size("licon")
    cut = pdk.get("size", name)
    if cut is not None and cut.value is not None:
        return cut.value
    return pdk.up(max(1.0, pdk.find("width", name), math.sqrt(pdk.find("area", name))))


@dataclass(frozen=True)
class Case:
    """A row of the table with its drawing; ``also`` are rules that its violation cannot but break as well."""

    rule: Rule
    label: str
    build: Callable[[bool], Sketch]
    also: frozenset[str] = field(default_factory=frozenset)


Maker = Callable[[Pdk, Rule, bool], Sketch]
MAKERS: dict[str, Maker] = {}
# A shape that breaks the rule on the left cannot help breaking those on the right.
ALSO = {
    "nwell.4": {"licon.16"},  # the well's only tap has no contact
    "own.1": {"difftap.5", "difftap.6", "difftap.7"},
    "difftap.6": {"difftap.7"},
    "poly.10": {"poly.11"},
    "psd.8": {"nsd.7", "psd.7"},
    "nsd.9": {"nsd.5a"},
    "ntap.area": {"nsd.10a"},  # the least implant is the least tap with its enclosure
    "licon.4": {"li.5", "licon.8"},
    "licon.6": {"licon.4"},
    "licon.16": {"licon.6"},
    "licon.17": {"licon.5a", "licon.5c"},
}
KINDS_OF_MANY_LAYERS = ("grid", "angle")


def maker(kind: str) -> Callable[[Maker], Maker]:
    """Register the drawing of a kind of rule."""

    def register(function: Maker) -> Maker:
        MAKERS[kind] = function
        return function

    return register


def cases(pdk: Pdk) -> Iterator[Case]:
    """All rows of the table, those for many layers once a layer."""
    for number, rule in enumerate(pdk.rules):
        make = MAKERS[rule.kind]
        also = frozenset(ALSO.get(rule.id, ()))
        for layer in rule.layers if rule.kind in KINDS_OF_MANY_LAYERS else [None]:
            row = rule if layer is None else Rule(rule.id, rule.kind, (layer,), rule.value, "", rule.extra)

            def build(short: bool, make: Maker = make, row: Rule = row) -> Sketch:
                return make(pdk, row, short)

            yield Case(rule, f"{rule.id}-{number}" + (f"-{layer}" if layer else ""), build, also)


def value(rule: Rule) -> float:
    """The rule's value."""
    assert rule.value is not None, rule.id
    return rule.value


@maker("width")
def _width(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer, w = Sketch(pdk), rule.layers[0], value(rule) - short * pdk.grid
    length = pdk.up(max(2.0, 2 * w, 2 * pdk.find("area", layer) / w))
    s.put(layer, (0, 0, w, length))
    return s.room()


@maker("space")
def _space(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, d = Sketch(pdk), value(rule) - short * pdk.grid
    a, b = rule.layers[0], rule.layers[-1]
    if rule.layers == ("gate", "tap"):  # the tap abuts the gate's own diffusion
        s.draw("poly", (-0.5, -0.5, 0, 1.5))
        s.draw("diff", (-1.5, 0, d, 1))
        s.draw("tap", (d, 0, d + 1, 1))
    elif rule.layers == ("licon_tap", "diff"):  # likewise
        size = side(pdk, "licon")
        s.draw("licon", (-size, 0.5, 0, 0.5 + size))
        s.draw("tap", (-1, 0, d, 1))
        s.draw("diff", (d, 0, d + 1, 1))
    elif rule.layers == ("licon_diff", "gate"):  # one diffusion for both
        s.draw("licon", (-side(pdk, a), 0.4, 0, 0.4 + side(pdk, a)))
        s.put(b, (d, 0, d + 1, 1))
        s.draw("diff", (-1, 0, d, 1))
    else:
        s.put(a, (-side(pdk, a), 0, 0, side(pdk, a)))
        s.put(b, (d, 0, d + side(pdk, b), side(pdk, b)))
    return s.room()


@maker("wide_space")
def _wide_space(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, d, layer = Sketch(pdk), value(rule) - short * pdk.grid, rule.layers[0]
    wide = pdk.up(rule.extra["wide"]) + pdk.grid * 2
    s.draw(layer, (-wide, 0, 0, wide), (d, 0, d + 1, wide))
    return s.room()


@maker("enclosure")
def _enclosure(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (outer, inner), d = Sketch(pdk), rule.layers, value(rule)
    size = side(pdk, inner)
    s.put(inner, (0, 0, size, size), without=outer)
    s.put(outer, (-d if d else -2, -d - 2, size + d - short * pdk.grid, size + d + 2))
    return s.room()


@maker("enclosure_adjacent")
def _enclosure_adjacent(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (outer, inner), d = Sketch(pdk), rule.layers, value(rule)
    size, plain = side(pdk, inner), pdk.enclosure(outer, inner)
    s.put(inner, (0, 0, size, size), without=outer)
    s.put(outer, (-d - 2, -plain, size + d - short * pdk.grid, size + plain))
    return s.room()


@maker("covered")
def _covered(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (inner, outer, *_) = Sketch(pdk), rule.layers
    if inner == "tapped_licon":
        inner = "licon"
        s.draw(inner, (-1, -1, -1 + pdk.size("licon"), -1 + pdk.size("licon")))
    size = side(pdk, inner)
    s.put(inner, (0, 0, size, size))
    if inner == "licon":
        for other in {"li1", "poly"} - {outer} if outer != "tap" else ():
            s.draw(other, (-2, -2, 2, 2))
    s.put(outer, (-2, -2, size - short * pdk.grid, size + 2))
    return s.room()


@maker("disjoint")
def _disjoint(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (*together, last) = Sketch(pdk), rule.layers
    size = side(pdk, together[0])
    for name in together:
        s.put(name, (-size, 0, 0, size))
    if rule.layers == ("active", "nsdm", "psdm"):  # the diffusion goes on below the second implant
        s.put("diff", (0, 0, size, size))
    s.put(last, (-short * pdk.grid, 0, 1, size))
    return s.room()


@maker("not_both")
def _not_both(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (shape, first, second) = Sketch(pdk), rule.layers
    size = side(pdk, shape)
    s.draw(shape, (0, 0, size, size))
    s.put(first, (-1, -1, size - short * pdk.grid, 1))
    s.put(second, (size - short * pdk.grid, -1, 2, 1))
    return s.room()


@maker("extension")
def _extension(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (outer, crossed) = Sketch(pdk), rule.layers
    s.put(crossed, (0, -1, 1, 2))
    s.put(outer, (-1, 0, 1 + value(rule) - short * pdk.grid, 1))
    return s.room()


@maker("size")
def _size(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, edge = Sketch(pdk), value(rule)
    s.draw(rule.layers[0], (0, 0, edge - short * pdk.grid, edge))
    return s.room()


@maker("channel_width")
def _channel_width(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s = Sketch(pdk)
    s.put("gate", (0, 0, pdk.width("poly"), value(rule) - short * pdk.grid))
    return s.room()


@maker("straight")
def _straight(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, jog = Sketch(pdk), short * pdk.grid
    s.draw("diff", (-1, 0, 2, 1))
    s.draw("poly", (0, -1, 1, 0.5), (jog, 0.5, 1 + jog, 2))
    return s.room()


@maker("inner_corner")
def _inner_corner(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (cover, layer) = Sketch(pdk), rule.layers
    s.draw(layer, (0, 0, 3, 1), (0, 0, 1, 3))
    s.draw(cover, (1 - short * pdk.grid, -1, 2, 4))
    return s.room()


@maker("area")
def _area(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer = Sketch(pdk), rule.layers[0]
    w = pdk.up(max(math.sqrt(value(rule)), pdk.find("width", layer)))
    box = (0, 0, w, pdk.up(value(rule) / w) - short * pdk.grid)
    s.put(layer, box)
    if layer in pdk.derived:  # an implant large enough for an area rule of its own
        s.draw(pdk.derived[layer][-1], grow(box, 1.0))
    return s.room()


@maker("hole")
def _hole(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer = Sketch(pdk), rule.layers[0]
    w = pdk.up(math.sqrt(value(rule)))
    h = pdk.up(value(rule) / w) - short * pdk.grid
    t = pdk.up(2 * pdk.width(layer))
    s.draw(layer, (-t, -t, 0, h + t), (w, -t, w + t, h + t), (-t, -t, w + t, 0), (-t, h, w + t, h + t))
    return s.room()


@maker("grid")
def _grid(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer = Sketch(pdk), rule.layers[0]
    size, off = side(pdk, layer), short * pdk.dbu
    s.draw(layer, (off, 0, size + off, size))
    return s.room()


@maker("angle")
def _angle(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer = Sketch(pdk), rule.layers[0]
    size, cut = 3 * side(pdk, layer), side(pdk, layer)
    corner = {
        (90, False): [(size, size)],
        (90, True): [(size, size - cut), (size - cut, size)],
        (45, False): [(size, size - cut), (size - cut, size)],
        (45, True): [(size, size - cut), (size - cut - pdk.grid, size)],
    }[int(value(rule)), short]
    s.polygon(layer, (0, 0), (size, 0), *corner, (0, size))
    return s.room()


@maker("contacted")
def _contacted(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (layer, contact) = Sketch(pdk), rule.layers
    size, d = side(pdk, contact), 0.0 if not short else pdk.grid
    drawn = "diff" if layer == "source_diff" else layer
    s.draw(drawn, (0, 0, 1, 1))
    if drawn == "diff":
        s.draw("tap", (-1, 0, 0, 1))
        s.draw("licon", (-0.5, 0.4, -0.5 + size, 0.4 + size))
    s.draw(contact, (1 - size + d, 0.4, 1 + d, 0.4 + size))
    return s.room()


@maker("butt_depth")
def _butt_depth(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s = Sketch(pdk)
    s.draw("tap", (-value(rule) + short * pdk.grid, 0, 0, 1))
    s.draw("diff", (0, 0, 1, 1))
    return s.room()


@maker("butt_between")
def _butt_between(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, d = Sketch(pdk), value(rule) - short * pdk.grid
    s.draw("tap", (0, 0, d, 1))
    s.draw("diff", (-1, 0, 0, 1), (d, 0, d + 1, 1))
    return s.room()


@maker("butt_ends")
def _butt_ends(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s = Sketch(pdk)
    s.draw("tap", (-1, 0, 0, 1 + short * pdk.grid))
    s.draw("diff", (0, 0, 1, 1))
    return s.room()


@maker("butt_side")
def _butt_side(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s = Sketch(pdk)
    s.draw("tap", (-1, 0, 0, 1))
    s.draw("diff", (0, 0, 1, 1), (value(rule) - short * pdk.grid, 0, 1, 2))
    return s.room()


@maker("tapped")
def _tapped(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, size = Sketch(pdk), pdk.size("licon")
    s.draw("nwell", (-2, -2, 2, 2), (1, 1, 4, 2))
    s.put("ntap", (-1, -1, 1, 1))
    s.draw("licon", (1 - size * (1 - short), 0, 1 + size * short, size))
    return s.room()


@maker("latchup")
def _latchup(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, (diffusion, tap, well), d = Sketch(pdk), rule.layers, value(rule) + short * pdk.grid
    s.put(tap, (-1, 0, 0, 1))
    s.put(diffusion, (d - 1, 0, d, 1))
    if rule.extra["inside"]:
        s.draw(well, (-3, -3, d + 3, 3))
    return s.room()


@maker("density")
def _density(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    s, layer = Sketch(pdk), {"active": "diff"}.get(rule.layers[0], rule.layers[0])
    s.draw("boundary", (0, 0, 10, 10))
    s.draw(layer, (0, 0, 10, pdk.down(10 * value(rule)) + short * pdk.grid))
    return s


@maker("antenna")
def _antenna(pdk: Pdk, rule: Rule, short: bool) -> Sketch:
    """A transistor's gate, all layers up to the one that is asked, on which the etched area is set."""
    s, layer = Sketch(pdk), rule.layers[0]
    stack = ["poly", "licon", *pdk.stack]
    level, thickness = stack.index(layer), rule.extra.get("thickness")
    gate_w, gate_l, count = pdk.channel_width, 1.0, 1
    if thickness is None:  # so many cuts that the gate, sized for them, is not too short
        count = math.ceil(1.1 * gate_w * pdk.width("poly") * value(rule) / pdk.size(layer) ** 2)
        gate_l = pdk.up(count * pdk.size(layer) ** 2 / value(rule) / gate_w) - short * pdk.grid
    s.put("gate", (0, 0, gate_l, gate_w))
    s.draw("poly", (0, gate_w, gate_l, 2))
    for k in range(1, level + 1, 2):
        cut, size = stack[k], pdk.size(stack[k])
        n = count if k == level else 1
        pitch = size + pdk.space(cut)
        pads = stack[k - 1 : k + 2] if k < level else [stack[k - 1]]
        for name in pads[::2]:
            margin = pdk.enclosure_adjacent(name, cut)
            s.draw(name, (-margin, 2 - margin, (n - 1) * pitch + size + margin, 2 + size + margin))
        s.draw(cut, *((i * pitch, 2, i * pitch + size, 2 + size) for i in range(n)))
    if thickness is not None:
        shapes = kdb.Region(s.cell.shapes(s.layer(layer))).merged()
        pad = shapes.bbox().to_dtype(pdk.dbu)
        missing = value(rule) * gate_l * gate_w / thickness - shapes.perimeter() * pdk.dbu
        w = min(pdk.width(layer), pad.height())
        length = pdk.down(missing / 2) + short * pdk.grid
        s.draw(layer, (pad.right - pdk.grid, pad.top - w, pad.right + length, pad.top))
    return s.room()
