"""``picoram rules``: the rule table as the generators and the DRC use it."""

from __future__ import annotations

from dataclasses import asdict

from picoram_layout.console import emit_json, table
from picoram_layout.pdk import Rule, load_pdk

_UNITS = {"area": "um2", "hole": "um2", "angle": "deg", "density": "", "antenna": ""}


def rules(name: str, json: bool) -> int:
    """Print every rule with its source, then what the process asks for and nobody here checks."""
    pdk = load_pdk(name)
    if json:
        emit_json(
            {
                "pdk": pdk.name,
                "title": pdk.title,
                "study": pdk.study,
                "note": pdk.note,
                "rules": [asdict(rule) for rule in pdk.rules],
                "rules_not_checked": pdk.not_checked,
            }
        )
        return 0
    print(f"{pdk.name}: {pdk.title}" + (f" ({pdk.note})" if pdk.note else ""))
    rows = [[rule.id, rule.kind, " ".join(rule.layers), _value(rule), rule.source] for rule in pdk.rules]
    table(["rule", "kind", "layers", "value", "source"], rows, f"{len(rows)} rules that are checked")
    missing = [[item["id"], item["why"]] for item in pdk.not_checked]
    table(["rule", "why"], missing, f"{len(missing)} rules of the process that are not checked")
    return 0


def _value(rule: Rule) -> str:
    return "" if rule.value is None else f"{rule.value:g} {_UNITS.get(rule.kind, 'um')}".strip()
