"""Wrong answers to gae about flags, next values and the ends of episodes."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.unit_03.gae_parts import Inputs, Part, bootstrapped, decayed, mistake, right_deltas
from pgcourse.checks.unit_03.rollouts import shifted_back, shifted_on


def _next_row(fill: str) -> Part:
    def values_of_the_next_row(i: Inputs) -> Tensor:
        last = {"next": i.next_values[-1:], "zero": 0 * i.values[:1], "same": i.values[-1:]}[fill]
        return torch.cat([i.values[1:], last])

    return bootstrapped(next_values=values_of_the_next_row)


def _last_kept(flags: Tensor) -> Tensor:
    return torch.cat([flags[1:], flags[-1:]])


def _always(i: Inputs) -> Tensor:
    return torch.ones_like(i.ends)


NEVER = decayed(lambda i: torch.ones_like(i.ends))

BOUNDARIES = (
    mistake(
        "bootstraps-through-terminated",
        "Your one-step error adds the next value also where the episode terminated. Nothing can follow there, so the "
        "future is worth 0, whatever number the critic gives to that last observation.",
        deltas=bootstrapped(alive=lambda i: torch.ones_like(i.ends)),
    ),
    mistake(
        "bootstrap-cut-at-truncated",
        "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
        "state has a future, and next_values holds the critic's guess of it. Only the trace is cut there.",
        deltas=bootstrapped(alive=lambda i: ~i.ends),
    ),
    mistake(
        "both-flags-as-truncated",
        "Where both flags are set you bootstrapped. Both means that the time limit fell on a step that terminated: "
        "nothing follows. For the next value, terminated alone decides.",
        deltas=bootstrapped(alive=lambda i: ~(i.terminated & ~i.truncated)),
    ),
    mistake(
        "masks-exchanged",
        "Your two masks have changed places. Whether a future is there to bootstrap from, terminated alone decides; the "
        "trace is cut at both kinds of end, because the next row belongs to another episode after either.",
        deltas=bootstrapped(alive=lambda i: ~i.ends),
        decay=decayed(lambda i: ~i.terminated),
    ),
    mistake(
        "bootstrap-masked-by-truncated",
        "Your next value is masked by truncated alone: you dropped the future where a time limit stopped the watching, and "
        "kept it where the episode was really over. It is the other way round: ~terminated.",
        {"deltas": bootstrapped(alive=lambda i: ~i.truncated), "decay": NEVER},
        {"deltas": bootstrapped(alive=lambda i: ~i.truncated), "decay": decayed(lambda i: ~i.terminated)},
        {"deltas": bootstrapped(alive=lambda i: ~i.truncated), "decay": decayed(lambda i: ~i.truncated)},
        deltas=bootstrapped(alive=lambda i: ~i.truncated),
    ),
    mistake(
        "whole-advantage-masked",
        "At an end you set the whole advantage to 0, the step's own error included: your mask stands outside of the "
        "bracket. The last step of an episode has a reward and an error like any other; only what flows back is cut.",
        {"deltas": lambda i: right_deltas(i) * ~i.terminated, "decay": decayed(lambda i: ~i.terminated)},
        {"deltas": lambda i: bootstrapped(alive=_always)(i) * ~i.ends},
        {"deltas": lambda i: bootstrapped(alive=_always)(i) * ~i.terminated, "decay": decayed(lambda i: ~i.terminated)},
        deltas=lambda i: right_deltas(i) * ~i.ends,
    ),
    mistake(
        "trace-runs-through-truncated",
        "Your trace is cut at terminated only. After a truncation the next row belongs to another episode too, so its "
        "advantage must not flow back: the trace is cut where either flag is set.",
        decay=decayed(lambda i: ~i.terminated),
    ),
    mistake(
        "trace-never-cut",
        "The advantage of the next row flows back over the ends of episodes. The row after an end belongs to a new episode, "
        "which this action did not bring about. The recursion needs a factor that is 0 at every end.",
        {"decay": decayed(lambda i: ~i.truncated)},
        {"decay": NEVER, "deltas": bootstrapped(alive=lambda i: torch.ones_like(i.ends))},
        {"decay": NEVER, "deltas": bootstrapped(alive=lambda i: ~i.ends)},
        decay=NEVER,
    ),
    mistake(
        "trace-reset-one-step-off",
        "You reset the running advantage one row too early or too late. At row t, the flag of row t itself decides "
        "whether the advantage of row t + 1 counts: cut before you add, not after.",
        {"decay": decayed(lambda i: ~shifted_on(i.ends))},
        decay=decayed(lambda i: ~shifted_back(i.ends)),
    ),
    mistake(
        "flags-of-another-step",
        "Your flags are of another row, as in code that stores done beside the observation that follows it. Here "
        "terminated[t] says that step t ended the episode: it decides over the next value of step t itself.",
        {"deltas": bootstrapped(alive=lambda i: ~shifted_back(i.terminated))},
        {"change": lambda i: i._replace(terminated=shifted_on(i.terminated), truncated=shifted_on(i.truncated))},
        {"deltas": bootstrapped(alive=lambda i: ~shifted_on(i.terminated))},
        {"change": lambda i: i._replace(terminated=_last_kept(i.terminated), truncated=_last_kept(i.truncated))},
        {
            "change": lambda i: i._replace(terminated=_last_kept(i.ends), truncated=_last_kept(i.ends)),
            "deltas": _next_row("next"),
        },
        {
            "change": lambda i: i._replace(terminated=shifted_back(i.ends), truncated=shifted_back(i.ends)),
            "deltas": _next_row("next"),
        },
        change=lambda i: i._replace(terminated=shifted_back(i.terminated), truncated=shifted_back(i.truncated)),
    ),
    mistake(
        "value-of-the-same-step-as-the-next",
        "You used V(s_t) where the value of the next state belongs. The error would then compare a state with itself. "
        "values holds V(s_t), next_values holds V(s_t+1).",
        deltas=bootstrapped(next_values=lambda i: i.values),
    ),
    mistake(
        "next-value-from-the-next-row",
        "You took values[t + 1] for the next value. Inside an episode it is the same number; after a truncation it is the "
        "start of another episode, and after the last row there is none. next_values[t] is of the true next observation.",
        {"deltas": _next_row("zero")},
        {"deltas": _next_row("same")},
        deltas=_next_row("next"),
    ),
    mistake(
        "no-bootstrap-at-the-rollouts-end",
        "The last row got no next value. Collecting stopped there, the episode did not: next_values of the last row says "
        "what the critic expects beyond it.",
        deltas=bootstrapped(next_values=lambda i: torch.cat([i.next_values[:-1], 0 * i.values[-1:]])),
    ),
)
