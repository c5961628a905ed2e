"""The compute array: ends, nested blocks of rows, and a label and pin for every net at its edge."""

from __future__ import annotations

from picoram_layout.array.nets import by_row, supplies
from picoram_layout.array.rows import NEST, RowKind, end_row, row, row_block
from picoram_layout.cells.dac_strip import Strip
from picoram_layout.cells.ends import dummy_column
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.circuit import moved
from picoram_layout.plan import Plan


@block
def array(lib: Library, plan: Plan) -> Block:
    """The whole array."""
    c = Canvas(lib, "array")
    top_vl = _rows(lib, plan, c)
    end = end_row(lib, plan)
    ground = supplies(end.circuit.pins) | {"WL": "GND"}
    c.place(end, 0, 0, nets=ground)
    c.place(end, 0, plan.y[-1], mirror_y=True, nets=ground | top_vl)
    for (_, x), group in zip(plan.x, plan.groups, strict=True):  # GND's bar up to the lifted capacitors
        if plan.plain.lift:
            c.box("met4", x, plan.y[0], x + group * plan.t.width, plan.y[0] + plan.plain.lift)
    _row_pins(plan, c)
    _column_pins(lib, plan, c)
    for net in ("VDD", "GND"):
        x1, y1, x2, y2 = end.port(net).box
        c.pin(net, "met5", x1, y1, x2, y2)
        c.pin(net, "met5", x1, plan.height - y2, x2, plan.height - y1)
    return c.done(plan.width, plan.height, {"spec": plan.spec.name})


def _rows(lib: Library, plan: Plan, c: Canvas) -> dict[str, str]:
    """Stack the rows, as many as possible in the largest blocks; the nets of VL at the top by column."""
    vl = {f"VL[{n}]": f"VL[{n}]" for n in range(plan.columns)}
    bits = plan.spec.array.weight_bits

    def place(part: Block, r: int, rows: int = 0, count: int = 1) -> None:
        pins = part.circuit.pins
        fixed = vl | {pin: pin for pin in pins if pin.startswith("VL_UP")} | supplies(pins)
        c.place(part, 0, plan.y[r], ny=count, nets=lambda _, j: fixed | by_row(plan, pins, r + j * rows))

    r = 0
    while r < plan.rows:
        upto = min((k for k in plan.cuts if k >= r), default=plan.rows)
        pairs = (upto - r) // 2
        if r % 2 or not pairs:
            place(row(lib, plan, RowKind(1, r % 2, plan.cuts.get(r, 0))), r)
            if r in plan.cuts:
                vl |= {f"VL[{n}]": f"VL_UP[{n}]" for n in range(plan.cuts[r], plan.columns, bits)}
            r += 1
            continue
        level = 0
        while NEST ** (level + 1) <= pairs:
            level += 1
        count, rows = pairs // NEST**level, 2 * NEST**level
        place(row_block(lib, plan, level), r, rows, count)
        r += count * rows
    return vl


def _row_pins(plan: Plan, c: Canvas) -> None:
    """Names of the row wires on the left edge."""
    length, half = plan.t.m2.pad, plan.t.m2.w / 2
    for r in range(plan.rows):
        y0 = plan.y[r]
        for net, y in left_wires(plan, r):
            c.label(net, "met2", length / 2, y0 + y)
            c.port(net, "met2", 0, y0 + y - half, length, y0 + y + half)
            c.box("met2.pin", 0, y0 + y - half, length, y0 + y + half)


def left_wires(plan: Plan, r: int) -> list[tuple[str, float]]:
    """Nets on the left edge of row ``r`` and their centres (um from the row's lower boundary)."""
    solved, cells, bits = plan.row(r), plan.spec.array.cells_per_cluster, plan.spec.array.input_bits
    wires = []
    words = moved(solved.wires(), {"WLL": r * cells, "WLR": r * cells})
    for name, (_, y) in solved.wires().items():
        net = plan.supply(r) if name == "SUPPLY" else words.get(name, f"{name}[{r}]")
        wires.append((net, y))
    wires.append((f"D{bits - 1}[{r}]", solved.y_xl()))
    for j, y in enumerate(solved.data):
        wires.append((f"D{bits - 2 - j}[{r}]" if bits > 1 else "GND", y))
    return wires


def _column_pins(lib: Library, plan: Plan, c: Canvas) -> None:
    """VL, GBLB, SMP and SHR on the lower edge."""
    ports = dummy_column(lib, plan.end).ports
    w = plan.t.width
    number = 0
    for (_, x0), size in zip(plan.x, plan.groups, strict=True):
        for k in range(size):
            for net in ("VL", "GBLB"):
                x1, y1, x2, y2 = ports[net][0].box
                if number % 2:
                    x1, x2 = w - x2, w - x1
                x = x0 + k * w
                c.pin(f"{net}[{number}]", "met1", x + x1, y1, x + x2, y2)
            number += 1
    for strip, (x0, _) in zip(plan.strips, plan.x, strict=True):
        for name in ("SMP", "SHR"):
            if strip.has(name):
                _strip_pin(plan, c, strip, name, x0)


def _strip_pin(plan: Plan, c: Canvas, strip: Strip, name: str, x0: float) -> None:
    lane = strip.lane(name)
    c.pin(f"{name}[{strip.index}]", "met1", x0 + lane.x1, 0, x0 + lane.x2, plan.t.m1.w)
