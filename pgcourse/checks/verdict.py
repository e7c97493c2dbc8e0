"""What a judge says about one case."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """The outcome of one case.

    Fields:
      ok: the contract is met.
      kind: what differs, `"shape"`, `"value"`, ... or the ids of violated properties; equal kinds mean equal faults.
      statement: one sentence about shape, dtype, sign or property, for the learner.
      where: got against expected at one index, for the learner.
      name: the recorded array that differs.
    """

    ok: bool
    kind: str = ""
    statement: str = ""
    where: str = ""
    name: str = ""


CORRECT = Verdict(True)
