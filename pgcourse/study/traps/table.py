"""Tables of traps and alarms for a lesson: which alarms ring over seeds; the data are claims/traps.json."""

from collections import Counter
from typing import Any, NamedTuple

from ..alarms import ALARMS, FAMILIES
from ..claims import format_number, load_claims
from . import TRAPS, Trap


class TrapRow(NamedTuple):
    """One trap over the seeds that no threshold has seen."""

    trap: Trap
    seeds: int
    separated: int  # seeds on which an alarm rings
    named: int  # seeds on which the trap is the first suspect
    usual_alarms: tuple[str, ...]  # those that ring on at least half of the seeds
    held_out: float  # return on held-out start states, interquartile mean
    healthy_held_out: float  # the same of the healthy run


class FalseAlarms(NamedTuple):
    """Healthy runs that no threshold has seen."""

    runs: int
    alarmed: int

    @property
    def share(self) -> float:
        """Share of the healthy runs in which an alarm rings."""
        return self.alarmed / self.runs


def trap_rows() -> list[TrapRow]:
    """A row for each trap, in the course's order."""
    claims = load_claims("traps")
    return [_row(trap, claims) for trap in TRAPS]


def false_alarms() -> FalseAlarms:
    """How often an alarm rings in healthy runs."""
    claims = load_claims("traps")
    ill = {ill_name(trap) for trap in TRAPS}
    healthy = [alarms for name, of_seeds in claims["alarms"].items() if name not in ill for alarms in of_seeds]
    return FalseAlarms(len(healthy), sum(bool(alarms) for alarms in healthy))


def trap_table() -> str:
    """The rows as a Markdown table."""
    lines = [
        "| trap | told apart | named | alarms on most seeds | held-out return (healthy) |",
        "|---|---|---|---|---|",
    ]
    for row in trap_rows():
        alarms = ", ".join(row.usual_alarms) or "none"
        returns = f"{format_number(row.held_out)} ({format_number(row.healthy_held_out)})"
        told = f"{row.separated} of {row.seeds}"
        named = f"{row.named} of {row.seeds}" if row.trap.visible else f"not visible: look at {row.trap.shown_by}"
        lines.append(f"| {row.trap.title} | {told} | {named} | {alarms} | {returns} |")
    return "\n".join(lines)


def alarm_table() -> str:
    """The alarms with their thresholds as a Markdown table."""
    thresholds = load_claims("traps")["thresholds"]
    lines = [f"| alarm | metric | rule | {' | '.join(FAMILIES)} |", f"|---|---|---|{'---|' * len(FAMILIES)}"]
    for alarm in ALARMS:
        limits = [thresholds[family].get(alarm.id, alarm.threshold) for family in FAMILIES]
        cells = " | ".join("not used" if limit is None else format_number(limit) for limit in limits)
        lines.append(f"| {alarm.id} | {alarm.metric} | {alarm.statistic} {alarm.side} | {cells} |")
    return "\n".join(lines)


def _row(trap: Trap, claims: dict[str, Any]) -> TrapRow:
    name, healthy, figures = ill_name(trap), healthy_name(trap), claims["figures"]
    rung = claims["alarms"][name]
    counts = Counter(alarm for alarms in rung for alarm in alarms)
    usual = tuple(alarm.id for alarm in ALARMS if counts[alarm.id] >= len(rung) / 2)
    return TrapRow(
        trap=trap,
        seeds=len(rung),
        separated=figures[f"{name}/alarmed/count"]["value"],
        named=figures[f"{name}/named/count"]["value"],
        usual_alarms=usual,
        held_out=figures[f"{name}/held_out"]["value"],
        healthy_held_out=figures[f"{healthy}/held_out"]["value"],
    )


def ill_name(trap: Trap) -> str:
    """The name of a trap's own run in the claims."""
    return trap.id.replace("-", "_")


def healthy_name(trap: Trap) -> str:
    """The name of a trap's healthy run in the claims; traps with the same one share it."""
    same = next(t for t in TRAPS if (t.base, dict(t.base_seams)) == (trap.base, dict(trap.base_seams)))
    return f"healthy_{ill_name(same)}"
