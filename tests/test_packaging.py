"""What holds the project's files together: one test command, one version, data in the wheel."""

from __future__ import annotations

import re
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


def test_every_import_is_a_declared_dependency() -> None:
    """Third-party packages that the sources import are in the dependencies (none comes by accident)."""
    declared = {
        re.split(r"[<>=\[ ]", line)[0].lower().replace("-", "_")
        for line in PROJECT["project"]["dependencies"]
    }
    modules = {"yaml": "pyyaml", "PIL": "pillow", "kfactory": "gdsfactory", "annotated_types": "pydantic"}
    import sys

    for path in (ROOT / "picoram_layout").rglob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE):
            if name in sys.stdlib_module_names or name == "picoram_layout":
                continue
            assert modules.get(name, name).lower() in declared, f"{path.name} imports {name}"


def test_every_option_is_explained() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
        assert command.epilog
