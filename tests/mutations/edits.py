"""Random single mutations: what is spoilt, where, and how it is applied to a copy of the layout.

A kind looks at one cell (lengths in database units) and returns an `Edit` or None where it finds nothing to
spoil. The scope says where the edit goes: into the ``cell`` and so into all its places, into ``one`` place
of it (cells on the way to it are copied), or into the ``flat`` drawing, where a shape that several cells draw
is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import klayout.db as kdb

from picoram_layout.pdk import Pdk
from tests.mutations.subject import Subject

SCOPES = ("cell", "one", "flat")
WIRES = ("poly", "li1", "met1", "met2", "met3", "met4", "met5")
CUTS = ("licon", "mcon", "via", "via2", "via3", "via4")
# Shapes of these are mostly capacitor plates; each new plate costs a field solution of some seconds.
_SELDOM = {"met3": 0.4, "met4": 0.3, "via3": 0.4, "met5": 0.4, "via4": 0.4}


@dataclass(frozen=True)
class Edit:
    """What is done to a cell: layer and place (database units of that cell), words, and the deed."""

    layer: str
    box: kdb.Box
    text: str
    apply: Callable[[kdb.Cell], None]


@dataclass(frozen=True)
class Site:
    """A cell that is looked at: its layout and the process."""

    layout: kdb.Layout
    cell: kdb.Cell
    pdk: Pdk

    def index(self, layer: str) -> int:
        """Layer index of a drawn layer."""
        return self.layout.layer(*self.pdk.drawn[layer])

    def own(self, layer: str) -> kdb.Region:
        """Merged shapes that the cell itself draws."""
        return kdb.Region(self.cell.shapes(self.index(layer))).merged()

    def below(self, layer: str) -> kdb.Region:
        """Merged shapes of the cell and everything in it."""
        return kdb.Region(self.cell.begin_shapes_rec(self.index(layer))).merged()

    def dbu(self, length: float) -> int:
        """Database units of a length in um."""
        return round(length / self.layout.dbu)

    def add(self, layer: str, box: kdb.Box) -> Callable[[kdb.Cell], None]:
        """Deed: draw a box."""

        def deed(cell: kdb.Cell) -> None:
            cell.shapes(self.index(layer)).insert(box)

        return deed

    def remove(self, *gone: tuple[str, kdb.Region]) -> Callable[[kdb.Cell], None]:
        """Deed: take areas out of what the cell draws."""

        def deed(cell: kdb.Cell) -> None:
            for layer, area in gone:
                shapes = cell.shapes(self.index(layer))
                left = kdb.Region(shapes) - area
                shapes.clear()
                shapes.insert(left)

        return deed


@dataclass(frozen=True)
class Mutation:
    """A mutated copy of a subject's layout. ``where`` is the cell, ``box`` (um) the place in it."""

    size: str
    kind: str
    scope: str
    where: str
    layer: str
    box: kdb.DBox
    text: str
    layout: kdb.Layout


Kind = Callable[[Random, Site], Edit | None]


def mutate(subject: Subject, kind: str, scope: str, rng: Random) -> Mutation:
    """One random mutation of this kind and scope; tries cells until one has something to spoil."""
    for _ in range(1000):
        base = subject.flat if scope == "flat" else subject.layout
        top = subject.top(base)
        cells = [c for c in base.each_cell_top_down() if c == top.cell_index() or c in top.called_cells()]
        cell = base.cell(rng.choice(sorted(cells, key=lambda index: base.cell(index).name)))
        edit = KINDS[kind](rng, Site(base, cell, subject.pdk))
        if edit is None:
            continue
        layout = kdb.Layout()
        layout.assign(base)
        target = layout.cell(cell.name)
        where, text = cell.name, edit.text
        if scope == "one":
            target, path = only_one(layout, layout.cell(top.name), target, rng)
            text += f", only in {path}" if path else ""
        edit.apply(target)
        box = edit.box.to_dtype(layout.dbu)
        return Mutation(subject.name, kind, scope, where, edit.layer, box, text, layout)
    raise ValueError(f"{subject.name}: nothing to mutate by {kind} in scope {scope}")


# -- one placement -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """One place of a cell: the cell that holds it, the instance or array, column and row in the array."""

    parent: kdb.Cell
    placed: kdb.CellInstArray
    column: int
    row: int


def only_one(layout: kdb.Layout, top: kdb.Cell, cell: kdb.Cell, rng: Random) -> tuple[kdb.Cell, str]:
    """Copy a cell, and cells above it, so that one random place of it is its own; the copy, the way to it."""
    way: list[Place] = []
    while cell.cell_index() != top.cell_index():
        way.insert(0, rng.choice(_placements(layout, top, cell)))
        cell = way[0].parent
    parent, names = top, []
    for place in way:
        original = layout.cell(place.placed.cell_index)
        at = f"[{place.column},{place.row}]" if place.placed.is_regular_array() else ""
        names.append(f"{original.name}{at} at {place.placed.trans.disp}")
        copy = layout.create_cell(original.name)
        copy.copy_shapes(original)
        copy.copy_instances(original)
        turn_one(parent, place, copy.cell_index(), kdb.Trans())
        parent = copy
    return parent, " / ".join(names)


def _placements(layout: kdb.Layout, top: kdb.Cell, cell: kdb.Cell) -> list[Place]:
    """All places of a cell in cells below the top, in a fixed order."""
    parents = sorted(
        (layout.cell(index) for index in (top.cell_index(), *top.called_cells())),
        key=lambda parent: parent.name,
    )
    return [
        place
        for parent in parents
        for place in _places(parent)
        if place.placed.cell_index == cell.cell_index()
    ]


def _places(parent: kdb.Cell) -> list[Place]:
    """All places of cells in one cell, in a fixed order."""
    placed = sorted(
        (instance.cell_inst.dup() for instance in parent.each_inst()),
        key=lambda array: (array.cell_index, str(array)),
    )
    return [
        Place(parent, array, i, j)
        for array in placed
        for i in range(max(1, array.na))
        for j in range(max(1, array.nb))
    ]


def turn_one(parent: kdb.Cell, place: Place, child: int, turn: kdb.Trans) -> None:
    """Put another cell, or the same turned (``turn`` acts in the child), in one place of an array."""
    array = place.placed
    next(instance for instance in parent.each_inst() if instance.cell_inst == array).delete()
    for i in range(max(1, array.na)):
        for j in range(max(1, array.nb)):
            here = kdb.Trans(array.a * i + array.b * j) * array.trans
            mine = (i, j) == (place.column, place.row)
            index = child if mine else array.cell_index
            parent.insert(kdb.CellInstArray(index, here * turn if mine else here))


# -- kinds -------------------------------------------------------------------------------------------------


def _layer(rng: Random, layers: tuple[str, ...]) -> str:
    return rng.choices(layers, [_SELDOM.get(layer, 1.0) for layer in layers])[0]


def _polygon(rng: Random, region: kdb.Region) -> kdb.Polygon | None:
    """A random polygon of a merged region."""
    found = sorted(
        region.each(), key=lambda p: (p.bbox().left, p.bbox().bottom, p.bbox().top, p.bbox().right)
    )
    return rng.choice(found) if found else None


def _piece(rng: Random, region: kdb.Region) -> kdb.Box | None:
    """A random box of a rectilinear region's decomposition along x or y."""
    boxes = _boxes(region, rng.choice((kdb.Polygon.TD_htrapezoids, kdb.Polygon.TD_vtrapezoids)))
    return rng.choice(boxes) if boxes else None


def _boxes(region: kdb.Region, mode: int = kdb.Polygon.TD_htrapezoids) -> list[kdb.Box]:
    """A rectilinear region as boxes from the left to the right."""
    parts = region.decompose_trapezoids_to_region(mode).each()
    return sorted((part.bbox() for part in parts), key=lambda box: (box.left, box.bottom, box.right, box.top))


def contact_removed(rng: Random, site: Site) -> Edit | None:
    """A contact or via is not there."""
    layer = _layer(rng, CUTS)
    cut = _polygon(rng, site.own(layer))
    if cut is None:
        return None
    return Edit(layer, cut.bbox(), f"{layer} removed", site.remove((layer, kdb.Region(cut))))


def wire_cut(rng: Random, site: Site) -> Edit | None:
    """A gap of the layer's least space, or two grid steps, across a wire."""
    layer = _layer(rng, WIRES)
    wire = _piece(rng, site.own(layer))
    if wire is None:
        return None
    wide = site.pdk.find("space", layer) or site.pdk.find("space", f"field_{layer}")
    gap = rng.choice((site.dbu(wide or 2 * site.pdk.grid), site.dbu(2 * site.pdk.grid)))
    box, step, far = wire.dup(), site.dbu(site.pdk.grid), site.cell.bbox()
    if wire.width() > wire.height():
        box.left = wire.left + step * rng.randint(0, max(0, (wire.width() - gap) // step))
        box.right = min(wire.right, box.left + gap)
        across = kdb.Box(box.left, far.bottom, box.right, far.top)
    else:
        box.bottom = wire.bottom + step * rng.randint(0, max(0, (wire.height() - gap) // step))
        box.top = min(wire.top, box.bottom + gap)
        across = kdb.Box(far.left, box.bottom, far.right, box.top)
    cut = (site.own(layer) & kdb.Region(across)).merged().interacting(kdb.Region(box))
    return Edit(layer, cut.bbox(), f"{layer} cut, gap {gap} dbu", site.remove((layer, cut)))


def nets_bridged(rng: Random, site: Site) -> Edit | None:
    """Two wires that are near each other joined, or two that cross by a cut between them."""
    if rng.random() < 0.25:
        return _bridged_by_cut(rng, site)
    layer = _layer(rng, WIRES)
    metal, width = site.below(layer), site.dbu(site.pdk.width(layer))
    near = metal.isolated_check(3 * width, metrics=kdb.Metrics.Projection)
    pairs = sorted((pair for pair in near.each() if pair.polygon(0).bbox().area()), key=str)
    if not pairs:
        return None
    pair, step = rng.choice(pairs), site.dbu(site.pdk.grid)
    box, edge = pair.polygon(0).bbox(), pair.first
    low, high = (box.bottom, box.top) if edge.dx() == 0 else (box.left, box.right)
    start = low + step * rng.randint(0, max(0, (high - low - width) // step))
    end = min(high, start + width)
    if edge.dx() == 0:
        bridge = kdb.Box(box.left - step, start, box.right + step, end)
    else:
        bridge = kdb.Box(start, box.bottom - step, end, box.top + step)
    return Edit(layer, bridge, f"{layer} bridge", site.add(layer, bridge))


def _bridged_by_cut(rng: Random, site: Site) -> Edit | None:
    """A cut where two neighbouring layers cross without one."""
    cut = _layer(rng, CUTS)
    stack = ("poly", "licon", *site.pdk.stack)
    number = stack.index(cut)
    below, above, size = stack[number - 1], stack[number + 1], site.dbu(site.pdk.size(cut))
    room = (site.below(below) & site.below(above)).merged() - site.below(cut).sized(size)
    place = _piece(rng, room.sized(-size // 2).sized(size // 2))
    if place is None or min(place.width(), place.height()) < size:
        return None
    x, y = place.center().x, place.center().y
    box = kdb.Box(x - size // 2, y - size // 2, x - size // 2 + size, y - size // 2 + size)
    return Edit(cut, box, f"{cut} added between {below} and {above}", site.add(cut, box))


def _gate_sides(site: Site, gate: kdb.Box, layer: str) -> list[str]:
    """Sides of a gate that are edges of this layer (`diff`: channel ends, `poly`: source and drain)."""
    beside = {
        "left": kdb.Box(gate.left - 1, gate.bottom, gate.left, gate.top),
        "right": kdb.Box(gate.right, gate.bottom, gate.right + 1, gate.top),
        "bottom": kdb.Box(gate.left, gate.bottom - 1, gate.right, gate.bottom),
        "top": kdb.Box(gate.left, gate.top, gate.right, gate.top + 1),
    }
    shapes = site.own(layer)
    return [side for side, box in beside.items() if (shapes & kdb.Region(box)).is_empty()]


def _gate_edit(rng: Random, site: Site, layer: str, word: str) -> Edit | None:
    """Move one side of a gate by some grid steps outwards or inwards."""
    gate = _polygon(rng, site.own("poly") & site.own("diff"))
    sides = _gate_sides(site, gate.bbox(), layer) if gate else []
    if gate is None or not sides:
        return None
    box, side = gate.bbox(), rng.choice(sides)
    by = site.dbu(site.pdk.grid) * rng.choice((1, 2, 5, 10)) * rng.choice((-1, 1))
    over = site.dbu(site.pdk.rule("extension", "poly", "diff")) if layer == "poly" else box.width() // 2
    strip = _strip(box, side, by, over)
    text = f"gate {word} changed by {by} dbu at its {side}"
    deed = site.add(layer, strip) if by > 0 else site.remove((layer, kdb.Region(strip)))
    return Edit(layer, strip, text, deed)


def _strip(gate: kdb.Box, side: str, by: int, over: int) -> kdb.Box:
    """The strip between a gate's side and where it is moved to, ``over`` longer at both ends."""
    if side in ("left", "right"):
        x = gate.left if side == "left" else gate.right
        to = x - by if side == "left" else x + by
        return kdb.Box(min(x, to), gate.bottom - over, max(x, to), gate.top + over)
    y = gate.bottom if side == "bottom" else gate.top
    to = y - by if side == "bottom" else y + by
    return kdb.Box(gate.left - over, min(y, to), gate.right + over, max(y, to))


def gate_width(rng: Random, site: Site) -> Edit | None:
    """Diffusion under a gate wider or narrower."""
    return _gate_edit(rng, site, "diff", "width")


def gate_length(rng: Random, site: Site) -> Edit | None:
    """Poly over diffusion wider or narrower."""
    return _gate_edit(rng, site, "poly", "length")


def implant_removed(rng: Random, site: Site) -> Edit | None:
    """An implant or well shape gone, whole or over one active area only."""
    layer = rng.choice(("nsdm", "psdm", "nwell"))
    shapes = site.own(layer)
    if rng.random() < 0.5:
        shapes = shapes & (site.own("diff") + site.own("tap")).merged()
    gone = _polygon(rng, shapes)
    if gone is None:
        return None
    return Edit(layer, gone.bbox(), f"{layer} removed", site.remove((layer, kdb.Region(gone))))


def implant_added(rng: Random, site: Site) -> Edit | None:
    """Another implant over a gate: of a threshold, or of the other type."""
    layer = rng.choice(("hvtp", "lvtn", "nsdm", "psdm"))
    gate = _polygon(rng, site.own("poly") & site.own("diff"))
    if gate is None or not (kdb.Region(gate) - site.below(layer)).area():
        return None
    around = site.dbu(site.pdk.width("poly"))
    box = gate.bbox().enlarged(around, around)
    return Edit(layer, box, f"{layer} over a gate", site.add(layer, box))


def nitride_removed(rng: Random, site: Site) -> Edit | None:
    """No nitride cut around a poly contact."""
    contact = _polygon(rng, site.below("licon") & site.below("poly"))
    if contact is None or site.own("npc").is_empty():
        return None
    box = contact.bbox().enlarged(site.dbu(0.1), site.dbu(0.1))
    if (site.own("npc") & kdb.Region(box)).is_empty():
        return None
    return Edit("npc", box, "npc removed at a poly contact", site.remove(("npc", kdb.Region(box))))


def tap_removed(rng: Random, site: Site) -> Edit | None:
    """A tap gone, with or without its contact, or its contact alone."""
    tap = _polygon(rng, site.own("tap"))
    if tap is None:
        return None
    contacts = site.own("licon") & kdb.Region(tap)
    what = rng.choice(("tap", "tap and contact", "tap contact"))
    gone = [("tap", kdb.Region(tap)), ("licon", contacts)]
    gone = {"tap": gone[:1], "tap contact": gone[1:]}.get(what, gone)
    return Edit("tap", tap.bbox(), f"{what} removed", site.remove(*gone))


def pins_swapped(rng: Random, site: Site) -> Edit | None:
    """Two names on wires of one layer in each other's place."""
    name, number = rng.choice(sorted(site.pdk.labels.items()))
    index = site.layout.layer(*number)
    texts = [shape.text for shape in site.cell.shapes(index).each(kdb.Shapes.STexts)]
    strings = sorted({text.string for text in texts})
    if len(strings) < 2:
        return None
    a, b = rng.sample(strings, 2)
    swap = {a: b, b: a}

    def deed(cell: kdb.Cell) -> None:
        for shape in list(cell.shapes(index).each(kdb.Shapes.STexts)):
            if shape.text.string in swap:
                shape.text = kdb.Text(swap[shape.text.string], shape.text.trans)

    at = next(text.trans.disp for text in texts if text.string == a)
    return Edit(f"{name}.label", kdb.Box(at.x, at.y, at.x, at.y), f"{a} and {b} swapped", deed)


def pin_cut_off(rng: Random, site: Site) -> Edit | None:
    """The wire under a name cut beside it, so that the name is left on a piece that leads nowhere."""
    name, number = rng.choice(sorted((k, v) for k, v in site.pdk.labels.items() if k in WIRES))
    texts = sorted(site.cell.shapes(site.layout.layer(*number)).each(kdb.Shapes.STexts), key=str)
    if not texts:
        return None
    text = rng.choice(texts).text
    at, width = kdb.Box(text.x, text.y, text.x, text.y).enlarged(1, 1), site.dbu(site.pdk.width(name))
    wire = next((b for b in _boxes(site.own(name)) if b.touches(at)), None)
    if wire is None:
        return None
    gap, far = site.dbu(site.pdk.space(name)), rng.randint(1, 8) * width
    upright = wire.height() > wire.width()
    start = (text.y if upright else text.x) + far
    box = kdb.Box(wire.left, start, wire.right, start + gap)
    box = box if upright else kdb.Box(start, wire.bottom, start + gap, wire.top)
    cut = kdb.Region(box) & site.own(name)
    if cut.is_empty():
        return None
    return Edit(name, box, f"{name} of {text.string} cut {far} dbu from its name", site.remove((name, cut)))


def cell_turned(rng: Random, site: Site) -> Edit | None:
    """A placed cell mirrored or turned round in its abutment box."""
    places = _places(site.cell)
    if not places:
        return None
    place = rng.choice(places)
    child = site.layout.cell(place.placed.cell_index)
    box = kdb.Region(child.shapes(site.layout.layer(*site.pdk.marks["boundary"]))).bbox()
    x, y = box.left + box.right, box.bottom + box.top
    how, turn = rng.choice(
        (
            ("mirrored left to right", kdb.Trans(2, True, x, 0)),
            ("mirrored upside down", kdb.Trans(0, True, 0, y)),
            ("turned by 180 degrees", kdb.Trans(2, False, x, y)),
        )
    )

    at = place.placed.a * place.column + place.placed.b * place.row
    where = box.transformed(kdb.Trans(at) * place.placed.trans)

    def deed(cell: kdb.Cell) -> None:
        turn_one(cell, place, child.cell_index(), turn)

    return Edit("", where, f"{child.name} {how}", deed)


def plate_shortened(rng: Random, site: Site) -> Edit | None:
    """The end of a capacitor's finger gone."""
    layer = rng.choice(("met3", "met4"))
    mark = kdb.Region(site.cell.shapes(site.layout.layer(*site.pdk.marks["cap_id"]))).merged()
    finger = _piece(rng, site.own(layer) & mark)
    if finger is None or finger.height() < 4 * finger.width():
        return None
    step, box = site.dbu(site.pdk.grid), finger.dup()
    length = int(finger.height() * rng.uniform(0.1, 0.5)) // step * step
    if rng.random() < 0.5:
        box.top = box.bottom + length
    else:
        box.bottom = box.top - length
    return Edit(layer, box, f"{layer} finger {length} dbu shorter", site.remove((layer, kdb.Region(box))))


KINDS: dict[str, Kind] = {
    "contact or via removed": contact_removed,
    "wire cut": wire_cut,
    "nets bridged": nets_bridged,
    "gate width changed": gate_width,
    "gate length changed": gate_length,
    "implant removed": implant_removed,
    "implant added": implant_added,
    "nitride cut removed": nitride_removed,
    "tap removed": tap_removed,
    "pins swapped": pins_swapped,
    "pin cut off": pin_cut_off,
    "cell turned": cell_turned,
    "capacitor plate cut": plate_shortened,
}
SCOPES_OF = {
    "cell turned": ("cell", "one"),
    "pins swapped": ("flat", "cell", "flat"),
    "pin cut off": ("flat", "one"),
}


def scopes(kind: str) -> tuple[str, ...]:
    """Scopes that a kind can be applied in."""
    return SCOPES_OF.get(kind, SCOPES)
