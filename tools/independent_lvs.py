"""A second opinion: extract cells with Magic, compare them with the circuit files by netgen.

Run ``python tools/independent_lvs.py TECH``. TECH is a Magic technology file of SKY130 as others published
it (``sky130A.tech``), one that the installed Magic is new enough for; it is not part of this project.
Compared are a field of bitcells, two columns of clusters one above the other with their ends, and the arrays
of ``--array``. Magic reads the GDS file, flattens it and recognises the transistors; the other side is the
SPICE file that this project writes, flattened. Then errors are planted into each of them, which netgen has to
report. DIR of ``--output`` gets the verdict and all files.

Left out on both sides: the MOM capacitors (Magic knows no such device; their nets are compared) and the taps,
which Magic does not tell from wires: a well or the substrate is one net with the supply that its taps join.
Status: 0 all match and every planted error is reported, 1 they do not, 2 a program did not run to its end,
3 a program or the technology is missing.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import klayout.db as kdb

from picoram_layout.array.array import array
from picoram_layout.cells.bitcell import bitcell
from picoram_layout.cells.cluster import cluster
from picoram_layout.cells.ends import dummy_column
from picoram_layout.errors import InputError
from picoram_layout.layout import Canvas, Library
from picoram_layout.netlist.devices import SUBSTRATE, DeviceTable
from picoram_layout.netlist.spice import read_spice, write_spice
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import load_spec
from picoram_layout.stream import write_layout

SPECS = Path(__file__).resolve().parent.parent / "specs"
# What Magic's technology calls the classes of the device table.
MODELS = {"nfet_01v8": "sky130_fd_pr__nfet_01v8", "pfet_01v8": "sky130_fd_pr__pfet_01v8"}
MARK = "name_"  # devices that stand for names

# Magic's lambda is 10 nm, the grid 5 nm. Wires make nets, labels of the same text do not (extract unique).
EXTRACT = """drc off
set SUB {substrate}
scalegrid 1 2
gds read {gds}
load {top}
flatten layout
load layout
select top cell
port makeall
extract style ngspice()
extract no capacitance
extract no coupling
extract no resistance
extract no adjust
extract unique
extract all
ext2spice lvs
ext2spice -o layout.spice layout
quit -noprompt
"""
TELL = """puts "technology [tech name] version [lindex [tech version] 0]"
quit -noprompt
"""
SETUP = """permute default
property default
property parallel none
foreach device {{{devices}}} {{
  foreach side {{1 2}} {{
    permute "-circuit$side $device" 1 3
    property "-circuit$side $device" tolerance {{w 0.001}} {{l 0.001}}
    property "-circuit$side $device" delete as ad ps pd
  }}
}}
"""


class Stop(Exception):
    """No verdict; ``status`` is the exit status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Case:
    """A cell with its circuit: what it is, its library, plan and name.

    ``inner``: labels of inner nets that are to be told by name, by their names in the flattened circuit.
    """

    text: str
    lib: Library
    plan: Plan
    top: str
    inner: dict[str, str] = field(default_factory=dict)


@dataclass
class Side:
    """Numbers of one side: devices by model, nets, pins of the cell."""

    devices: dict[str, int]
    nets: int
    pins: int


@dataclass
class Verdict:
    """One comparison; ``reasons`` are empty if the circuits match."""

    cell: str
    text: str
    layout: Side
    reference: Side
    reasons: list[str]
    seconds: float
    left_out: dict[str, int] = field(default_factory=dict)
    planted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def match(self) -> bool:
        """Whether netgen found the circuits equal."""
        return not self.reasons

    @property
    def unseen(self) -> list[str]:
        """Planted errors that were not reported."""
        return [error for error, reasons in self.planted.items() if not reasons]


class Tools:
    """Magic and netgen, with a technology that Magic can load."""

    def __init__(self, tech: Path, limit: float, folder: Path):
        self.tech, self.limit = tech.resolve(), limit
        self.magic = _program("magic", "--version", r"^\d+\.\d+\.\d+$")
        self.netgen = _program("netgen-lvs", ("-batch", "quit"), r"^Netgen \d+\.\d+\.\d+", "netgen")
        if not tech.is_file():
            raise Stop(
                3, f"{tech}: no such file (a Magic technology file of SKY130, for instance sky130A.tech)"
            )
        said = self.run_magic(folder, TELL)
        found = re.search(r"^technology (sky130\w*) version (\S+)", said, re.MULTILINE)
        errors = [" ".join(x.split()) for x in re.findall(r"(?:line \d+: section|Error).*(?:\n\t.*)?", said)]
        if found is None or errors:
            why = "; ".join(errors[:2]) or "no technology of SKY130"
            raise Stop(3, f"{tech}: Magic {self.magic_version} cannot load it: {why}")
        self.technology = f"{found[1]} {found[2]}"

    @property
    def magic_version(self) -> str:
        """Version of Magic."""
        return self.magic[1]

    @property
    def versions(self) -> dict[str, str]:
        """What the verdict was made with."""
        netgen = self.netgen[1].removeprefix("Netgen ")
        return {"magic": self.magic_version, "technology": self.technology, "netgen": netgen}

    def run_magic(self, folder: Path, script: str) -> str:
        """Run a script in a folder; what Magic said."""
        (folder / "magic.tcl").write_text(script)
        options = ["-dnull", "-noconsole", "-rcfile", "/dev/null", "-T", str(self.tech), "magic.tcl"]
        return self._run(folder, "magic.log", [self.magic[0], *options])

    def run_netgen(self, folder: Path, layout: str, reference: str, report: str) -> list[Any]:
        """Compare two files' circuits ``layout`` and ``reference``; netgen's report as data."""
        found = folder / f"{report}.json"
        found.unlink(missing_ok=True)
        circuits = (f"{layout} layout", f"{reference} reference")
        command = [self.netgen[0], "-batch", "lvs", *circuits, "setup.tcl", f"{report}.out", "-json"]
        said = self._run(folder, f"{report}.log", command)
        if not found.exists() or "LVS Done" not in said:
            raise Stop(2, f"netgen: no report, see {folder / report}.log")
        return list(json.loads(found.read_text()))

    def _run(self, folder: Path, log: str, command: list[str]) -> str:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self.limit,
            )
        except subprocess.TimeoutExpired:
            raise Stop(2, f"{command[0]}: not done after {self.limit:g} s") from None
        said = done.stdout + done.stderr
        (folder / log).write_text(said)
        return said


def _program(name: str, ask: str | tuple[str, ...], expected: str, other: str = "") -> tuple[str, str]:
    """Path and version of a program."""
    for candidate in filter(None, (name, other)):
        path = shutil.which(candidate)
        if path is None:
            continue
        question = (ask,) if isinstance(ask, str) else ask
        done = subprocess.run(
            [path, *question], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        found = re.search(expected, done.stdout, re.MULTILINE)
        if found:
            return path, found[0]
    raise Stop(3, f"{name}: program not found (Debian: apt install magic netgen-lvs)")


# --- what is compared ---


def bitcells(plan: Plan, columns: int = 4, rows: int = 18) -> Case:
    """A field of bitcells alone, mirrored as in the array; each column has supplies and a well of its own."""
    lib, t = Library(plan.pdk), plan.t
    c = Canvas(lib, "bitcells")
    cell = bitcell(lib, t)
    own = ("LBL", "GBLB", "VL", "NW", "GND_L", "GND_R", "VDD_L", "VDD_R")

    for i, j in product(range(columns), range(rows)):
        nets = {n: f"{n}[{i}]" for n in own} | {n: f"{n}[{j}]" for n in ("WLL", "WLR")}
        turned = {"mirror_x": i % 2 == 1, "mirror_y": j % 2 == 1}
        c.place(cell, i * t.width, j * t.height, **turned, nets=nets)
    c.export()
    block = c.done(columns * t.width, rows * t.height)
    return Case(f"{columns} columns of {rows} bitcells", lib, plan, block.name)


def clusters(plan: Plan) -> Case:
    """Two columns, mirrored: an end, a cluster with a VDD row, one with a GND row, an end."""
    lib, t, end = Library(plan.pdk), plan.t, plan.end
    c = Canvas(lib, "clusters")
    column = dummy_column(lib, end)
    cells = plan.spec.array.cells_per_cluster
    units = [cluster(lib, plan.plain, supply) for supply in ("VDD", "GND")]
    height = 2 * end.height + 2 * plan.plain.height
    supply = {"GND_L": "GND", "GND_R": "GND", "VDD_L": "VDD", "VDD_R": "VDD"}
    for i in range(2):
        own = {n: f"{n}[{i}]" for n in ("VL", "GBLB")} | {"NW": f"NW[{i}]"} | supply
        low, high = ({n: f"{n}_{side}" for n in ("WLL", "WLR")} for side in ("LOW", "HIGH"))
        c.place(column, i * t.width, 0, mirror_x=i == 1, nets=own | low)
        for r, unit in enumerate(units):
            row = {n: f"{n}[{r}]" for n in ("ACC", "SOUT", "XL", "PCHB")}
            words = {f"{n}[{k}]": f"{n}[{k + r * cells}]" for n in ("WLL", "WLR") for k in range(cells)}
            data = {f"DATA[{k}]": f"D{k}[{r}]" for k in range(len(plan.plain.data))}
            y = end.height + r * unit.height
            c.place(unit, i * t.width, y, mirror_x=i == 1, nets=own | row | words | data)
        c.place(column, i * t.width, height - end.height, mirror_x=i == 1, mirror_y=True, nets=own | high)
    # names on the plates of each capacitor: its nets up to met4 are compared, too
    inner = {}
    plates = next(block.ports for block in lib.blocks.values() if block.name == "capacitor")
    for i, r in product(range(2), range(2)):
        inner[f"${2 + r + 4 * i}.T"] = f"T[{r}][{i}]"
        for net, name in (("T", f"T[{r}][{i}]"), ("GND", "PLATE")):
            x1, y1, x2, y2 = plates[net][0].box
            x = (x1 + x2) / 2
            y = end.height + r * plan.plain.height + plan.plain.lift + (y1 + y2) / 2
            c.label(name, "met4", 2 * t.width - x if i else x, y)
    c.export(hide={"NW[0]", "NW[1]"})  # the taps make them VDD
    block = c.done(2 * t.width, height)
    text = f"2 columns: cluster_vdd, cluster_gnd above it ({cells} bitcells each), dummy cells at both ends"
    return Case(text, lib, plan, block.name, inner)


def whole(plan: Plan) -> Case:
    """The array of a spec."""
    lib = Library(plan.pdk)
    block = array(lib, plan)
    a = plan.spec.array
    text = f"whole array, {plan.rows} rows of {plan.columns} clusters with {a.cells_per_cluster} bitcells"
    return Case(text, lib, plan, block.name)


# --- both sides ---


def names_at_the_top_only(layout: kdb.Layout, top: str) -> kdb.Layout:
    """A copy without the labels of inner cells, which would name nets of the flattened layout."""
    work = layout.dup()
    for number in work.cell(top).called_cells():
        for layer in work.layer_indexes():
            shapes = work.cell(number).shapes(layer)
            for text in list(shapes.each(kdb.Shapes.STexts)):
                shapes.erase(text)
    return work


def write_reference(spice: Path, case: Case, path: Path) -> dict[str, int]:
    """The circuit of a SPICE file, flat and without capacitors and taps; how many these were."""
    table = case.lib.devices
    netlist = read_spice(spice, table)
    circuit = next(c for c in netlist.each_circuit() if c.name.upper() == case.top.upper())
    while inner := list(circuit.each_subcircuit()):
        for subcircuit in inner:
            circuit.flatten_subcircuit(subcircuit)
    left = _leave_out(circuit, table)
    ports: list[str] = []
    of_net: dict[int, str] = {}
    for pin in circuit.each_pin():
        net = circuit.net_for_pin(pin.id())
        names = [name for name in pin.name().split(",") if name != SUBSTRATE]
        if names and net.cluster_id not in of_net:
            ports.append(names[0])
            of_net[net.cluster_id] = names[0]
    for net in circuit.each_net():
        if net.name in case.inner:
            ports.append(case.inner[net.name])
            of_net[net.cluster_id] = case.inner[net.name]
    lines = ["* " + case.text, ".subckt reference " + " ".join(ports)]
    for number, device in enumerate(circuit.each_device()):
        ends = [_net(device.net_for_terminal(t), of_net) for t in "DGSB"]
        sizes = f"w={device.parameter('W'):g} l={device.parameter('L'):g}"
        lines.append(f"X{number} {' '.join(ends)} {MODELS[device.device_class().name]} {sizes}")
    path.write_text(mark_names("\n".join([*lines, ".ends", ""])))
    return left


def mark_names(spice: str) -> str:
    """A flat circuit with a one-pin device on every named net, of a class that stands for the name.

    Without it netgen 1.5.133 finds circuits equal where a named wire has lost its devices to a nameless one.
    """
    spice = spice.replace("\n+", " ")
    found = re.search(r"^\.subckt\s+\S+(.*)$", spice, re.MULTILINE)
    names = found[1].split() if found else []
    marks = [f"X{MARK}{k} {name} {MARK}{_letters(name)}" for k, name in enumerate(names)]
    return spice.replace(".ends", "\n".join([*marks, ".ends"]), 1)


def _letters(name: str) -> str:
    """A name as letters, digits and _ only."""
    return re.sub(r"\W", lambda sign: f"_{ord(sign[0]):x}_", name)


def _leave_out(circuit: kdb.Circuit, table: DeviceTable) -> dict[str, int]:
    """Remove capacitors, close taps; number the nets. How many devices of each class went."""
    taps = {tap.name for tap in table.taps.values()}
    left: Counter[str] = Counter()
    for device in list(circuit.each_device()):
        name = device.device_class().name
        if name != table.capacitor.name and name not in taps:
            continue
        left[name] += 1
        a, b = device.net_for_terminal("A"), device.net_for_terminal("B")
        circuit.remove_device(device)
        if name in taps and a.expanded_name() != b.expanded_name():
            circuit.join_nets(a, b)
    for number, net in enumerate(circuit.each_net()):
        net.cluster_id = number + 1
    return dict(left)


def _net(net: kdb.Net, names: dict[int, str]) -> str:
    return names.setdefault(net.cluster_id, f"n{net.cluster_id}")


def extract(tools: Tools, folder: Path, gds: Path, top: str, spice: str) -> list[str]:
    """Magic's netlist of a layout as ``spice``; what Magic was not sure of."""
    for made in (*folder.glob("*.ext"), folder / "layout.spice"):
        made.unlink(missing_ok=True)
    said = tools.run_magic(folder, EXTRACT.format(substrate=SUBSTRATE, gds=gds.name, top=top))
    made = folder / "layout.spice"
    if not made.exists():
        raise Stop(2, f"magic: no netlist of {gds}, see {folder / 'magic.log'}")
    circuit = mark_names(made.read_text())
    (folder / spice).write_text(circuit)
    # one warning for each transistor with the same net on both ends: it has one end, Magic says, used as both
    cards = [line.split() for line in circuit.splitlines() if line.startswith("X")]
    expected = sum(len(card) > 5 and card[1] == card[3] for card in cards)
    warnings = sum(int(count) for count in re.findall(r"^Total of (\d+) warning", said, re.MULTILINE))
    doubts = re.findall(r"^.*(?:\d+ (?:fatal )?errors?\b|Unknown layer|Error while).*$", said, re.MULTILINE)
    if warnings != expected:
        doubts.append(f"{warnings} warnings, {expected} expected")
    return [f"magic: {doubt.strip()}" for doubt in doubts]


def judge(report: list[Any], log: str) -> tuple[Side, Side, list[str]]:
    """Numbers of both sides, and why they differ."""
    top = report[-1]
    sides = []
    for k in range(2):
        devices = {name: count for name, count in top["devices"][k] if count and name in MODELS.values()}
        sides.append(Side(dict(sorted(devices.items())), top["nets"][k], len(top.get("pins", [[], []])[k])))
    reasons = []
    if sides[0].devices != sides[1].devices:
        reasons.append(
            f"devices: {_plain(sides[0].devices)} in the layout, {_plain(sides[1].devices)} wanted"
        )
    if sides[0].nets != sides[1].nets:
        reasons.append(f"nets: {sides[0].nets} in the layout, {sides[1].nets} wanted")
    for key, what in (("badnets", "nets"), ("badelements", "devices"), ("properties", "sizes")):
        if top.get(key):
            reasons.append(f"{what} without a partner: {len(top[key])} groups")
    wrong = [f"{a} is {b}" for a, b in zip(*top.get("pins", [[], []]), strict=False) if a != b]
    if wrong:
        reasons.append(f"pins: {len(wrong)}, first: {wrong[0]}")
    if "Circuits match uniquely." not in log or re.search(r"fail|do not match|errors", log, re.IGNORECASE):
        said = re.findall(r"^.*(?:fail|do not match|errors|Result:).*$", log, re.MULTILINE | re.IGNORECASE)
        reasons.append("netgen: " + (said[-1].strip() if said else "no result"))
    return sides[0], sides[1], reasons


def _plain(devices: dict[str, int]) -> str:
    return ", ".join(f"{count} {name.removeprefix('sky130_fd_pr__')}" for name, count in devices.items())


# --- planted errors ---


def plant(layout: kdb.Layout, case: Case) -> Iterator[tuple[str, kdb.Layout]]:
    """Copies of a layout, each with one error."""
    pdk = case.plan.pdk
    wires = _wires(layout, case, "met2", r"WL[LR]\[")
    first = sorted(wires)[len(wires) // 2]
    yield f"one via of {first} removed", _without_via(layout, case, "via", wires[first])

    bridged = layout.dup()
    reach = 3 * round(pdk.width("met2") / layout.dbu)
    gaps = []
    for name, wire in wires.items():
        if name != first:
            gaps += [
                (pair.distance(), name, pair) for pair in wires[first].separation_check(wire, reach).each()
            ]
    _, other, pair = min(gaps, key=lambda gap: gap[:2])
    bridge = pair.polygon(0).bbox().enlarged(5, 5)
    bridged.cell(case.top).shapes(layout.layer(*pdk.drawn["met2"])).insert(bridge)
    yield f"{first} and {other} bridged", bridged

    renamed, swap = layout.dup(), {first: other, other: first}
    for shape in renamed.cell(case.top).shapes(layout.layer(*pdk.labels["met2"])).each(kdb.Shapes.STexts):
        if shape.text.string in swap:
            shape.text = kdb.Text(swap[shape.text.string], shape.text.trans)
    yield f"names of {first} and {other} exchanged", renamed

    for name, wire in list(_wires(layout, case, "met4", r"T\[").items())[:1]:
        yield f"via3 of {name} removed", _without_via(layout, case, "via3", wire)


def _wires(layout: kdb.Layout, case: Case, layer: str, names: str) -> dict[str, kdb.Region]:
    """Wires below the labels of a layer that match ``names``."""
    top, pdk = layout.cell(case.top), case.plan.pdk
    metal = kdb.Region(top.begin_shapes_rec(layout.layer(*pdk.drawn[layer]))).merged()
    wires = {}
    for shape in top.shapes(layout.layer(*pdk.labels[layer])).each(kdb.Shapes.STexts):
        if re.match(names, shape.text.string):
            wires[shape.text.string] = metal.interacting(kdb.Region(shape.text.bbox().enlarged(1, 1)))
    return wires


def _without_via(layout: kdb.Layout, case: Case, cut: str, wire: kdb.Region) -> kdb.Layout:
    """A flattened copy of a layout without one of the vias on a wire."""
    flat = layout.dup()
    cell, layer = flat.cell(case.top), layout.layer(*case.plan.pdk.drawn[cut])
    cell.flatten(-1, True)
    vias = kdb.Region(cell.shapes(layer)).merged()
    on_wire = sorted(vias.interacting(wire).each(), key=lambda via: via.bbox().left)
    cell.shapes(layer).clear()
    cell.shapes(layer).insert(vias - kdb.Region(on_wire[len(on_wire) // 2]))
    return flat


def wider(reference: str) -> str:
    """A circuit with one transistor of another width (1 % more)."""
    return re.sub(r"w=(\S+)", lambda found: f"w={1.01 * float(found[1]):g}", reference, count=1)


# --- the verdict ---


def compare(tools: Tools, case: Case, folder: Path, planted: bool) -> Verdict:
    """Compare one case, then the same with each planted error."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    work = names_at_the_top_only(case.lib.layout, case.top)
    write_layout(work, case.top, folder / f"{case.top}.gds")
    spice = folder / f"{case.top}.spice"
    write_spice(case.lib.netlist, spice, case.lib.devices, case.plan.pdk, case.text)
    left = write_reference(spice, case, folder / "reference.spice")
    (folder / "setup.tcl").write_text(SETUP.format(devices=" ".join(MODELS.values())))

    def ask(gds: str, reference: str, report: str) -> tuple[Side, Side, list[str]]:
        netlist = f"{report if gds else 'verdict'}.layout.spice"
        doubts = extract(tools, folder, folder / gds, case.top, netlist) if gds else []
        data = tools.run_netgen(folder, netlist, reference, report)
        drawn, wanted, reasons = judge(data, (folder / f"{report}.log").read_text())
        return drawn, wanted, reasons + doubts

    drawn, wanted, reasons = ask(f"{case.top}.gds", "reference.spice", "verdict")
    took = round(time.perf_counter() - start, 1)
    verdict = Verdict(case.top, case.text, drawn, wanted, reasons, took, left)
    if planted:
        for number, (error, layout) in enumerate(plant(work, case), 1):
            write_layout(layout, case.top, folder / f"planted_{number}.gds")
            *_, found = ask(f"planted_{number}.gds", "reference.spice", f"planted_{number}")
            verdict.planted[error] = found
        circuit = (folder / "reference.spice").read_text()
        (folder / "wider.spice").write_text(wider(circuit))
        *_, found = ask("", "wider.spice", "planted_width")
        verdict.planted["one transistor 1 % wider"] = found
    return verdict


def tell(versions: dict[str, str], verdicts: list[Verdict]) -> str:
    """The verdict in words."""
    lines = [f"Magic {versions['magic']}, technology {versions['technology']}, netgen {versions['netgen']}"]
    for v in verdicts:
        numbers = f"{_plain(v.layout.devices)}, {v.layout.nets} nets, {v.layout.pins} pins"
        lines.append(f"{v.cell}: {'match' if v.match else 'NO MATCH'} ({v.text}): {numbers}; {v.seconds:g} s")
        lines += [f"  {reason}" for reason in v.reasons]
        if v.left_out:
            gone = ", ".join(f"{count} {name}" for name, count in sorted(v.left_out.items()))
            lines.append(f"  not compared: {gone} (taps are wires here)")
        for error, reasons in v.planted.items():
            lines.append(f"  planted: {error}: {'reported: ' + reasons[0] if reasons else 'NOT REPORTED'}")
    return "\n".join(lines)


def main() -> int:
    """Draw, extract, compare; print the verdict and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("tech", type=Path, help="Magic technology file of SKY130")
    parser.add_argument(
        "--spec", type=Path, default=SPECS / "picoram_40kb.yaml", help="cells are this spec's"
    )
    parser.add_argument(
        "--array",
        type=Path,
        action="append",
        metavar="SPEC",
        help="array to compare whole (may be given again; default: picoram_tiny)",
    )
    parser.add_argument("--output", type=Path, default=Path("out/independent_lvs"), metavar="DIR")
    parser.add_argument("--no-planted", action="store_true", help="plant no errors")
    parser.add_argument("--limit", type=float, default=1200, help="give up after this many seconds")
    options = parser.parse_args()
    arrays = options.array or [SPECS / "picoram_tiny.yaml"]
    out: Path = options.output
    try:
        out.mkdir(parents=True, exist_ok=True)
        tools = Tools(options.tech, options.limit, out)
        plan, *plans = (make_plan(load_spec(spec)) for spec in (options.spec, *arrays))
        if any(p.pdk.name != "sky130" for p in (plan, *plans)):
            raise Stop(2, "only specs in sky130 can be compared: Magic's technology knows no other")
        cases = [bitcells(plan), clusters(plan), *map(whole, plans)]
        verdicts = [compare(tools, case, out / case.top, not options.no_planted) for case in cases]
    except (Stop, InputError, OSError) as problem:
        print(problem, file=sys.stderr)
        return problem.status if isinstance(problem, Stop) else 2
    text = tell(tools.versions, verdicts)
    print(text)
    good = all(v.match and not v.unseen for v in verdicts)
    data = {
        "status": "match" if good else "mismatch",
        "versions": tools.versions,
        "technology_file": options.tech.name,
        "verdicts": [asdict(v) | {"match": v.match} for v in verdicts],
    }
    (out / "verdict.json").write_text(json.dumps(data, indent=1) + "\n")
    (out / "verdict.txt").write_text(text + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
