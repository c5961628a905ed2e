"""The spec as one model: a `Spec` that exists is legal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator

from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.spec.numbers import number_problems
from picoram_layout.spec.sections import SECTIONS, ArraySpec, BitcellSpec, CapacitorSpec, Section


def _known_pdk(name: str) -> str:
    if name not in pdk_names():
        raise ValueError("unknown PDK")
    return name


PdkName = Annotated[
    str,
    AfterValidator(_known_pdk),
    Field(json_schema_extra=lambda schema: schema.update(enum=pdk_names())),
]


class Spec(Section):
    """One compute-in-memory array."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$",
        description="Top cell and output files: a letter, then at most 63 letters, digits or _.",
    )
    pdk: PdkName = Field(description="Process design kit.")
    array: ArraySpec
    bitcell: BitcellSpec = Field(default_factory=BitcellSpec)
    capacitor: CapacitorSpec = Field(default_factory=CapacitorSpec)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        """Put the PDK's default where nothing or null is given; an empty section is one without keys."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        defaults = _pdk_defaults(data.get("pdk"))
        for section in SECTIONS:
            given = data.get(section, {} if section in defaults else data)
            given = {} if given is None else given.model_dump() if isinstance(given, BaseModel) else given
            if given is data or not isinstance(given, Mapping):
                continue
            keys = defaults.get(section, {})
            given = {key: value for key, value in given.items() if value is not None or key not in keys}
            data[section] = {key: value for key, value in keys.items() if value is not None} | given
        return data

    @model_validator(mode="after")
    def _check(self) -> Spec:
        problems = number_problems(flat(self.model_dump()), load_pdk(self.pdk))
        if problems:
            raise ValueError("\n".join(problem.text() for problem in problems))
        return self


def _pdk_defaults(name: Any) -> dict[str, dict[str, float | None]]:
    """Keys whose default is the PDK's, with their values (None while the PDK is not known)."""
    pdk = load_pdk(name) if isinstance(name, str) and name in pdk_names() else None
    width = pdk.channel_width if pdk else None
    return {
        "bitcell": dict.fromkeys(BitcellSpec.model_fields, width),
        "capacitor": {"target_fF": pdk.info["capacitor_fF"] if pdk else None},
    }


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a spec's mapping by dotted key."""
    result = {}
    for key, value in data.items():
        if key in SECTIONS and isinstance(value, Mapping):
            result.update({f"{key}.{name}": item for name, item in value.items()})
        elif "." not in key:  # a key with a dot in the file is unknown, whatever it looks like
            result[key] = value
    return result


def json_schema() -> dict[str, Any]:
    """JSON Schema of a spec file, made from the same models."""
    schema = Spec.model_json_schema()
    for section, keys in _pdk_defaults(None).items():
        properties = schema["$defs"][SECTIONS[section].__name__]["properties"]
        for key in keys:  # null asks for the PDK's default
            texts = {k: properties[key].pop(k) for k in ("title", "description", "default")}
            properties[key] = {**texts, "anyOf": [properties[key], {"type": "null"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
