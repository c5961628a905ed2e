"""The sections of a spec: keys, types, units and absolute ranges.

What depends on another key or on the PDK is in `picoram_layout.spec.numbers`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Style = Literal["shielded", "comb"]

# The default is the PDK's and filled in by Spec, so that a legal spec holds numbers only.
_OF_PDK: Any = None


class Section(BaseModel):
    """Base of all sections: immutable, no unknown keys, no conversion between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ArraySpec(Section):
    """Size of the compute array; counts have no unit."""

    inputs: int = Field(
        ge=2,
        le=4096,
        description="Rows of clusters, one input each. At least 2^weight_bits and a multiple of "
        "2^(weight_bits - 1), because the shift-and-add keeps 1, 1/2, 1/4, ... of a column's rows.",
    )
    outputs: int = Field(
        ge=1,
        le=1024,
        description="Weighted sums; each takes weight_bits columns. The columns (outputs x weight_bits) are "
        "a multiple of 2^input_bits, because the DAC splits a row into groups of 1/2, 1/4, ... of it.",
    )
    weight_bits: int = Field(
        ge=1,
        le=6,
        description="Bits of a weight. A macro needs 3 or more: blocks below are as wide as its columns.",
    )
    input_bits: int = Field(ge=1, le=5, description="Bits of an input (resolution of the row DAC).")
    cells_per_cluster: int = Field(
        ge=3,
        description="Bitcells that share one MAC unit and capacitor; odd. The PDK's latch-up distance sets "
        "the largest count, because the taps are in the MAC row.",
    )

    @property
    def columns(self) -> int:
        """Columns of clusters."""
        return self.outputs * self.weight_bits

    @property
    def bits(self) -> int:
        """Stored bits."""
        return self.inputs * self.columns * self.cells_per_cluster


class BitcellSpec(Section):
    """Channel widths of the 6T cell in um, on the PDK's grid; null is the PDK's smallest."""

    pass_gate_w: float = Field(default=_OF_PDK, gt=0, description="Channel width of the two pass gates, um.")
    pull_down_w: float = Field(
        default=_OF_PDK, gt=0, description="Channel width of the two pull-down devices, um."
    )
    pull_up_w: float = Field(
        default=_OF_PDK, gt=0, description="Channel width of the two pull-up devices, um."
    )


class CapacitorSpec(Section):
    """The MOM capacitor over each cluster."""

    style: Style = Field(
        default="shielded",
        description="shielded: met4 comb above a met3 ground plate that screens the row wires; "
        "comb: met3 and met4 combs, more capacitance but coupled to the row wires.",
    )
    target_fF: float = Field(
        default=_OF_PDK,
        ge=0.1,
        le=50,
        description="Capacitance to reach at least, fF; null is the PDK's default.",
    )


SECTIONS: dict[str, type[Section]] = {"array": ArraySpec, "bitcell": BitcellSpec, "capacitor": CapacitorSpec}
