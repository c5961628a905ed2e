"""What holds the project's files together: one test command, one version, data in the wheel."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

from picoram_layout.cli import app
from picoram_layout.pdk import pdk_names, pdk_root
from picoram_layout.spec.shipped import shipped_specs, specs_root

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert command.endswith("tests/run")
    assert command in (ROOT / "README.md").read_text().splitlines()
    assert command in (ROOT / "CONTRIBUTING.md").read_text().splitlines()


def test_data_travels_in_the_wheel() -> None:
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"pdk": "picoram_layout/_data/pdk", "specs": "picoram_layout/_data/specs"}
    assert {"sky130", "scaled65"} <= set(pdk_names())
    assert (pdk_root().name, specs_root().name) == ("pdk", "specs")
    assert "picoram_40kb" in shipped_specs()


def test_dependencies_are_what_the_sources_import() -> None:
    imported = set()
    for path in (ROOT / "picoram_layout").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    imported -= {*sys.stdlib_module_names, "picoram_layout"}
    # Modules whose name is not their distribution's, or that belong to one that is declared.
    named = {
        "yaml": "pyyaml",
        "PIL": "pillow",
        "pya": "klayout",
        "kfactory": "gdsfactory",
        "annotated_types": "pydantic",
        "markupsafe": "jinja2",
    }
    used = {named.get(name, name) for name in imported}
    extras = PROJECT["project"]["optional-dependencies"]
    optional = distributions([*extras["sim"], *extras["cluster"]])
    assert used - optional == distributions(PROJECT["project"]["dependencies"])


def distributions(lines: list[str]) -> set[str]:
    """Names of the distributions that requirements ask for."""
    return {re.split(r"[<>=]", line)[0].lower() for line in lines}


def test_the_test_command_installs_what_simulation_needs() -> None:
    command = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert command.startswith("tools/system-packages && ")
    assert "ngspice" in (ROOT / "tools" / "system-packages").read_text()
    assert "picoram-layout[cluster,docs,sim]" in PROJECT["project"]["optional-dependencies"]["test"]


def test_every_option_is_explained() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
        assert command.epilog
