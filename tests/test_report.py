"""The report: complete, self-contained, and of one mind with the layout and itself."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import klayout.db as kdb
import numpy as np
import pytest
from jsonschema import validate  # type: ignore[import-untyped]

from picoram_layout.flow import build
from picoram_layout.macro import Area
from picoram_layout.pdk import load_pdk
from picoram_layout.progress import Quiet
from picoram_layout.report.areas import shares
from picoram_layout.report.density_map import colour
from picoram_layout.spec import Spec, load_spec

SPECS = Path(__file__).parent.parent / "specs"
VOID = {"meta", "img", "br", "hr", "link", "input"}
NUMBER = {"type": "number"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [
        *("name", "pdk", "bits", "area_um2", "density_kb_per_mm2", "density_kbit_per_mm2"),
        *("bitcell_area_um2", "cluster_area_um2", "um2_per_bit", "capacitor_fF", "blocks"),
        *("layer_density", "drc", "timings_s", "versions", "sha256", "study_deck", "spec"),
    ],
    "properties": {
        "name": {"type": "string"},
        "pdk": {"type": "string"},
        "bits": {"type": "integer", "minimum": 1},
        **{
            key: {"type": "number", "exclusiveMinimum": 0}
            for key in (
                "area_um2",
                "density_kb_per_mm2",
                "bitcell_area_um2",
                "cluster_area_um2",
                "um2_per_bit",
            )
        },
        "capacitor_fF": {
            "type": "object",
            "required": ["value", "method"],
            "properties": {"value": {"type": "number", "exclusiveMinimum": 0}, "method": {"type": "string"}},
        },
        "blocks": {
            "type": "array",
            "minItems": 2,
            "items": {
                "required": ["kind", "count", "area_um2", "share"],
                "properties": {"kind": {"type": "string"}, "area_um2": NUMBER, "share": SHARE},
            },
        },
        "layer_density": {
            "type": "object",
            "minProperties": 5,
            "additionalProperties": {
                "required": ["overall", "worst", "limit_max", "limit_min"],
                "properties": {"overall": SHARE, "worst": SHARE},
            },
        },
        "drc": {
            "required": ["status", "violations", "by_rule", "rules_checked", "rules_not_checked"],
            "properties": {
                "status": {"enum": ["clean", "violations", "not run"]},
                "rules_checked": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                "rules_not_checked": {"type": "array", "items": {"required": ["id", "why"]}},
            },
        },
        "timings_s": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        "versions": {"required": ["python", "picoram_layout", "klayout", "gdsfactory", "kfactory", "numpy"]},
        "sha256": {"additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    },
}


class Page(HTMLParser):
    """What a browser would see: text, images, other addresses, tags; tags that do not match are an error."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.images: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
                (self.images if tag == "img" else self.addresses).append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] != "style":
            self.words.append(data)


@dataclass(frozen=True)
class Case:
    """One finished build."""

    out: Path
    report: dict[str, Any]
    page: Page


@pytest.fixture(scope="module", params=["sky130", "scaled65 without DRC"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    spec = load_spec(SPECS / "picoram_tiny.yaml")
    pdk, _, without = request.param.partition(" ")
    array = spec.array.model_copy(update={"cells_per_cluster": 3 if pdk == "sky130" else 5})
    spec = Spec(name=spec.name, pdk=pdk, array=array, capacitor={"target_fF": 0.2})  # type: ignore[arg-type]
    result = build(spec, tmp_path_factory.mktemp("report") / "out", drc=not without, progress=Quiet())
    return Case(result.out, result.report, Page(result.out / "report.html"))


def test_report_json_has_every_key(case: Case) -> None:
    validate(json.loads((case.out / "report.json").read_text(encoding="utf-8")), SCHEMA)


def test_bits_and_densities_follow_from_the_layout(case: Case) -> None:
    """Area from the boundary in the GDS file, bits from the spec."""
    layout = kdb.Layout()
    layout.read(str(case.out / f"{case.report['name']}.gds"))
    pdk = load_pdk(case.report["pdk"])
    area = layout.top_cell().dbbox(layout.layer(*pdk.marks["boundary"])).area()
    array = case.report["spec"]["array"]
    bits = array["inputs"] * array["outputs"] * array["weight_bits"] * array["cells_per_cluster"]
    assert case.report["bits"] == bits
    assert case.report["area_um2"] == pytest.approx(area)
    assert case.report["density_kb_per_mm2"] == pytest.approx(bits / 1024 / (area / 1e6))
    assert case.report["density_kbit_per_mm2"] == pytest.approx(bits / 1000 / (area / 1e6))


def test_blocks_make_up_the_macro(case: Case) -> None:
    blocks = case.report["blocks"]
    assert sum(row["area_um2"] for row in blocks) == pytest.approx(case.report["area_um2"])
    assert sum(row["share"] for row in blocks) == pytest.approx(1)
    assert blocks == sorted(blocks, key=lambda row: -row["area_um2"])


def test_density_counts_the_area_that_is_drawn(case: Case) -> None:
    """Overall density of a layer against the merged area of the flat layout."""
    layout = kdb.Layout()
    layout.read(str(case.out / f"{case.report['name']}.oas"))
    pdk, top = load_pdk(case.report["pdk"]), layout.top_cell()
    for layer in ("met1", "met4"):
        flat = kdb.Region(top.begin_shapes_rec(layout.layer(*pdk.drawn[layer]))).merged()
        drawn = flat.area() * layout.dbu**2
        assert case.report["layer_density"][layer]["overall"] == pytest.approx(
            drawn / case.report["area_um2"], rel=1e-3
        )


def test_the_page_needs_nothing_else(case: Case) -> None:
    assert case.page.addresses == []
    assert "@import" not in case.page.source
    assert "url(" not in case.page.source
    assert not {"script", "link", "iframe", "object"} & set(case.page.tags)
    assert set(re.findall(r"https?://[^\s'\"]+", case.page.source)) <= {"http://www.w3.org/2000/svg"}


def test_every_picture_is_in_the_page(case: Case) -> None:
    photos = {p.read_bytes() for p in (case.out / "pictures").glob("*.png")}
    prefix = "data:image/png;base64,"
    assert all(address.startswith(prefix) for address in case.page.images)
    assert {base64.b64decode(address.removeprefix(prefix)) for address in case.page.images} == photos
    assert len(photos) >= 5
    for drawing in (case.out / "pictures").glob("*.svg"):
        assert drawing.read_text(encoding="utf-8").strip() in case.page.source
    assert case.page.tags.count("svg") == 2


def test_the_page_has_the_numbers_of_the_report(case: Case) -> None:
    r = case.report
    for value in (
        f"{r['bits']:,} bits",
        f"{r['density_kb_per_mm2']:,.1f} Kb/mm²",
        f"{r['um2_per_bit']:.3f} µm²/bit",
        f"{r['bitcell_area_um2']:,.4f} µm² bitcell",
        f"{r['cluster_area_um2']:,.2f} µm² cluster",
        f"{r['capacitor_fF']['value']:.2f} fF",
        *(f"{row['kind']} {row['count']} {row['area_um2']:,.1f}" for row in r["blocks"]),
        *(f"{layer} {100 * row['overall']:.1f}" for layer, row in r["layer_density"].items()),
        *(f"{tool} {version}" for tool, version in r["versions"].items()),
    ):
        assert value in case.page.text
    digests = {k: v for k, v in r["sha256"].items() if k != "report.html"}
    assert all(f"{file} {digest}" in case.page.text for file, digest in digests.items())


def test_the_page_says_what_was_checked(case: Case) -> None:
    drc = case.report["drc"]
    if drc["status"] == "not run":
        assert "DRC not run" in case.page.text
        assert case.page.source.count(">not checked</span>") == len(
            {r.id for r in load_pdk(case.report["pdk"]).rules}
        )
        assert ">clean</span>" not in case.page.source
    else:
        assert f"DRC clean, {len(drc['rules_checked'])} rules" in case.page.text
        assert case.page.source.count(">clean</span>") == len(drc["rules_checked"])
        for row in drc["rules_not_checked"]:
            assert f"{row['id']} {row['why']}" in case.page.text
        rules = load_pdk(case.report["pdk"]).rules
        antenna = {r.id for r in rules if r.kind == "antenna"} & set(drc["rules_checked"])
        assert re.search(rf"<td>antenna</td><td class=\"n\">{len(antenna)}</td>", case.page.source)


def test_a_study_deck_is_called_one(case: Case) -> None:
    study = case.report["pdk"] == "scaled65"
    assert case.report["study_deck"] is study
    assert ("Study deck." in case.page.text) is study


def test_the_floorplan_names_and_measures_its_blocks(case: Case) -> None:
    picture = ElementTree.parse(case.out / "pictures" / "floorplan.svg")
    texts = [e.text or "" for e in picture.iter("{http://www.w3.org/2000/svg}text")]
    tips = [e.text or "" for e in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert f"{case.report['width_um']:.2f} um" in texts
    assert f"{case.report['height_um']:.2f} um" in texts
    for row in case.report["blocks"]:
        assert any(text.startswith(row["kind"]) for text in texts)
        assert f"{100 * row['share']:.1f} %" in texts
    assert len(tips) == sum(row["count"] for row in case.report["blocks"] if row["kind"] != "other")
    for pins in case.report["pins"]:
        assert f"{pins['count']}" in texts


def test_shares_name_what_no_block_claims() -> None:
    rows = shares([Area("a", "array", 0, 0, 6, 10), Area("b", "array", 6, 0, 9, 5)], 10, 10)
    assert [(row.kind, row.count, row.area_um2) for row in rows] == [("array", 2, 75), ("other", 1, 25)]
    assert [row.share for row in rows] == [0.75, 0.25]


def test_density_colours() -> None:
    """White-ish to dark, and never lighter again."""
    light = [sum(bytes.fromhex(colour(v)[1:])) for v in np.linspace(0, 1, 101)]
    assert light == sorted(light, reverse=True)
    assert colour(-1) == colour(0) != colour(1) == colour(2)
