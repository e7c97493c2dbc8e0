"""policy_network(obs_dim, num_actions): a network whose output is a distribution over actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.networks import PolicyFactory
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.wording import number, shape
from pgcourse.networks import CategoricalPolicy

UNIFORM_MARGIN = 0.1  # from 1/A, as the contract says
# After 80 steps of Adam at 0.03, networks from linear to two hidden layers give the right action more than 0.95. Logits
# squeezed by a softmax or sigmoid cannot pass 0.74 with two actions and 0.58 with three, by tanh 0.89; a blind policy
# 0.5.
CONFIDENT, LEARNED = 0.93, 0.54


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    source = generator(seed)
    for obs_dim, num_actions, batch in ((2, 2, 16), (4, 3, 24)):
        # A rule that even a linear policy can learn: the sign of the first coordinate picks action 0 or the last one.
        training_obs, right = normal(source, batch, obs_dim), torch.arange(batch) % 2
        training_obs[:, 0] = 4.0 * right - 2
        yield {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "obs": normal(source, batch, obs_dim),
            "training_obs": training_obs,
            "targets": right * (num_actions - 1),
        }


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge what `PolicyFactory` recorded. The kind joins the ids of all violated properties."""
    violations = list(_violations(case, arrays))
    if not violations:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in violations), violations[0][1], violations[0][2])


def _violations(case: Case, arrays: Arrays) -> Iterator[tuple[str, str, str]]:
    """(id, sentence, got against expected) of each violated property, the most basic first."""
    batch, actions = int(case["obs"].shape[0]), int(case["num_actions"])
    if not arrays["is module"]:
        kind = str(arrays["result.kind"])
        missing = ": is a return missing?" if kind == "NoneType" else "."
        text = f"Your function returned a {kind}, expected a torch.nn.Module{missing}"
        if kind == "type":
            text = "Your function returned a class; make a network of it, with brackets."
        yield "not-a-module", text, ""
        return
    if (kind := str(arrays["distribution"])) != "Categorical":
        id = "gives-another-distribution" if "batch shape" in arrays else f"gives-a-{kind}"
        yield id, f"Calling your network gives a {kind}, expected a torch.distributions.Categorical.", ""
        return
    probs = arrays["probs"]
    if probs.shape != (batch, actions):
        given, expected = shape(case["obs"]), f"[{batch}, {actions}]"
        text = f"For observations {given} the probabilities have shape {shape(probs)}, expected {expected}."
        yield "wrong-shape", text, ""
        return
    if shared := int(arrays.get("shared", 0)):
        text = "Your function must make a new network at every call; the second one shares parameters with the first."
        yield "not-new", text, f"Got {shared} parameters that both have, expected 0."
        return
    if "row error" in arrays:
        text = "Your network takes a batch [B, D], but a single observation [D] raises an error; it must take both."
        yield "no-single-observation", text, f"Got {arrays['row error']} for obs[0]."
    elif arrays["single row"].shape != (actions,):
        text = (
            f"For one observation [D] the probabilities have shape {shape(arrays['single row'])}, expected [{actions}]."
        )
        yield "no-single-observation", text, ""
    else:
        yield from _mixed_rows(arrays)
    if "batch of one error" in arrays or arrays["batch of one"].shape != (1, actions):
        text = "A batch of one observation [1, D] must give probabilities [1, A], as any other batch."
        got = arrays.get("batch of one error")
        yield "no-batch-of-one", text, f"Got {shape(arrays['batch of one']) if got is None else got} for obs[:1]."
    off = np.abs(probs - 1 / actions)
    if not off.max() <= UNIFORM_MARGIN:
        at = np.unravel_index(int(np.argmax(np.nan_to_num(off, nan=2.0))), off.shape)
        low, high = max(0, 1 / actions - UNIFORM_MARGIN), 1 / actions + UNIFORM_MARGIN
        where = f"Observation {at[0]}, action {at[1]}: got probability {number(probs[at])}"
        where += f", expected {number(low)} to {number(high)}."
        if np.all(probs.max(-1) > 0.999):
            yield "always-one-action", "Your new policy gives all probability to one action.", where
            return
        yield "not-near-uniform", "A new policy must be near uniform, so that it tries every action.", where
    if not int(arrays["parameters"]):
        text = "Your network has no parameters, so an optimizer finds nothing to train."
        yield "no-parameters", text, "Got 0 parameters from policy.parameters()."
        return
    if not arrays["differentiable"]:
        yield "not-trainable", "No gradient flows from log_prob back to the network's parameters.", ""
        return
    if unreached := int(arrays["unreached"]):
        text = "Some parameters play no part in the forward pass: no gradient reaches them."
        yield "unused-parameters", text, f"Got {unreached} parameters without a gradient, expected 0."
    trained = float(arrays["trained"])
    where = f"Got a mean probability of {number(trained)} for the right action, expected at least {CONFIDENT}."
    if not trained >= LEARNED:
        text = "Trained on an easy rule (the action depends on the observation), your network does not learn it."
        yield "does-not-learn", text, where
    elif trained < CONFIDENT:
        text = "Trained on an easy rule, your network never becomes sure of it, as if its logits could not grow."
        yield "never-confident", text, where


def _mixed_rows(arrays: Arrays) -> Iterator[tuple[str, str, str]]:
    for when in ("", "trained "):
        alone, inside = arrays.get(f"{when}single row"), arrays.get(f"{when}batch row")
        if alone is not None and inside is not None and not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
            text = "The first observation gets other probabilities alone than inside its batch; only itself may count."
            yield "rows-mixed", text, f"Action 0: got {number(alone[0])} alone, {number(inside[0])} in the batch."
            return


class Policy(nn.Module):
    """Layers, and a function from their output to whatever the forward pass gives."""

    def __init__(self, layers: nn.Module, read: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layers, self.read = layers, read

    def forward(self, obs: Tensor) -> Any:
        return self.read(self.layers(obs))


class OverTheBatch(nn.Module):
    """Standardises observations over the batch."""

    def forward(self, obs: Tensor) -> Tensor:
        return (obs - obs.mean(0)) / obs.std(0)


def layers(obs_dim: int, outputs: int, *, gain: float = 0.01, hidden: int = 64) -> nn.Sequential:
    """One hidden layer; the last layer's default weights times `gain`, its bias zero."""
    last = nn.Linear(hidden, outputs)
    with torch.no_grad():
        last.weight.mul_(gain)
        last.bias.zero_()
    return nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(), last)


def _logits(x: Tensor) -> Categorical:
    return Categorical(logits=x, validate_args=False)


def mistake(id: str, explanation: str, *reads: Callable[[Tensor], Any], **settings: Any) -> Misconception:
    """A misconception about what is made of the last layer's output."""
    wrong, *variants = (lambda d, a, read=read: Policy(layers(d, a, **settings), read) for read in reads)
    return Misconception(id, explanation, wrong, tuple(variants))


EXERCISE = Exercise.listed(
    "policy_network",
    cases=cases,
    observe=PolicyFactory(),
    judge=judge,
    show_case=lambda case: (
        f"policy_network({case['obs_dim']}, {case['num_actions']}), called with unit-normal observations"
    ),
    reference=CategoricalPolicy,
    hints=(
        "An nn.Module may return any object, also a torch.distributions.Categorical. Which argument of it takes unnormalised "
        "numbers? And how large may these numbers be for all probabilities to start near 1 / A?",
        "Stack nn.Linear and nn.Tanh, the last layer with num_actions outputs and no activation. Return Categorical(logits=...). "
        "Make the last layer's weights small (times 0.01) and its bias zero, so that all logits start near 0.",
        "class Policy(nn.Module): in __init__, self.layers = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, "
        "num_actions)), then under torch.no_grad(): self.layers[-1].weight.mul_(0.01) and self.layers[-1].bias.zero_(). In "
        "forward, return Categorical(logits=self.layers(obs)). Last, return Policy().",
    ),
    misconceptions=(
        Misconception(
            "not-a-module",
            "What you return is no nn.Module: a function around the network, a class without brackets, or nothing at all. An "
            "optimizer finds weights through parameters(), which a module has.",
            lambda d, a: Policy(layers(d, a), _logits).forward,
        ),
        Misconception(
            "no-distribution",
            "Your network returns a tensor. Then every caller has to know whether it holds logits or probabilities, and this is "
            "where bugs are born. A distribution says it by itself and brings sample, log_prob and entropy along.",
            lambda d, a: layers(d, a),
        ),
        mistake(
            "another-distribution",
            "Your network gives another distribution. A Bernoulli knows two outcomes, and its log_prob has one entry for each "
            "output; OneHotCategorical's actions are rows. Categorical's are whole numbers below num_actions.",
            lambda x: Bernoulli(logits=x),
        ),
        mistake(
            "logits-taken-for-probabilities",
            "You gave logits to Categorical as its first argument, which is probs: negative ones raise an error, and positive "
            "ones are silently divided by their sum. Write logits=.",
            lambda x: Categorical(x),
            lambda x: Categorical(x, validate_args=False),
        ),
        mistake(
            "confident-start",
            "Your network starts with opinions: with torch's default weights the logits differ by several tenths, so some "
            "actions are hardly tried in some states. Look at the size of the last layer's weights; hidden layers may stay as "
            "they are.",
            _logits,
            gain=8.0,
        ),
        mistake(
            "squeezed-logits",
            "Something squeezes your logits into a narrow range: a softmax, sigmoid or other activation before Categorical, "
            "which then applies a softmax of its own. Such a policy can never become sure of an action. Logits are the last "
            "layer's output as it is.",
            lambda x: _logits(x.softmax(-1)),
        ),
        mistake(
            "most-probable-action",
            "Your policy puts all probability on its largest logit. Then no other action is ever tried, and no gradient says "
            "that it would have been better. Return the distribution; the caller samples from it.",
            lambda x: Categorical(nn.functional.one_hot(x.argmax(-1), x.shape[-1]).float()),
        ),
        mistake(
            "batches-only",
            "Your network needs a batch axis, for instance through dim=1 in a softmax. When an agent acts, there is often a "
            "single observation [D]. Count axes from the end: dim=-1 is right for both.",
            lambda x: Categorical(probs=x.softmax(1)),
        ),
        mistake(
            "batch-of-one-squeezed",
            "You removed axes of size 1, so a batch of one observation comes back without its batch axis. Remove no axis here: "
            "what goes in as [B, D] comes out as [B, A], for B = 1 too.",
            lambda x: _logits(x.squeeze()),
        ),
        mistake(
            "softmax-over-the-batch",
            "Your softmax runs over the batch. What the policy does in one state then depends on which other states happen to be "
            "in the batch, and a single observation gets a different policy. The actions are the last axis.",
            lambda x: Categorical(probs=x.softmax(0), validate_args=False),
        ),
        Misconception(
            "standardised-over-the-batch",
            "You standardise observations over the batch. What the policy does in one state then depends on the others beside "
            "it, and a single one has no spread. A network normalises with numbers that it has stored.",
            lambda d, a: Policy(nn.Sequential(OverTheBatch(), layers(d, a)), lambda x: Categorical(logits=x)),
        ),
        Misconception(
            "layers-not-registered",
            "Your layers are kept where nn.Module does not find them, for instance in a plain list. policy.parameters() is then "
            "empty and an optimizer trains nothing. Assign layers as attributes, or use nn.Sequential.",
            lambda d, a: Policy(nn.Identity(), partial(lambda hidden, x: _logits(hidden(x)), layers(d, a))),
        ),
        mistake(
            "no-gradient",
            "Between the parameters and the distribution the path is cut: by detach, no_grad, numpy or requires_grad=False. "
            "Collecting experience may do without gradients; that is the caller's decision, not the network's.",
            lambda x: _logits(x.detach()),
        ),
        mistake(
            "blind-to-the-observation",
            "Your policy stays blind: at most a bias learns, the same for every observation. Either the observation plays no "
            "part in the forward pass, or all weights start at zero, where no gradient can tell one hidden unit from another. "
            "Only the last layer may be zero.",
            lambda x: _logits(0 * x),
        ),
        Misconception(
            "sizes-of-another-problem",
            "Your layers do not have the sizes of this problem; 4 and 2 are those of CartPole. Follow them from layer to layer: "
            "obs_dim goes in, num_actions comes out.",
            lambda d, a: Policy(layers(d, 1), _logits),
            (
                lambda d, a: Policy(layers(d, 2), _logits),
                *(
                    lambda d, a, hidden=hidden: Policy(layers(4, 2, hidden=hidden), _logits)
                    for hidden in (16, 32, 64, 128)
                ),
            ),
        ),
        Misconception(
            "the-same-network-again",
            "You make the network once and hand it out again at every call. Whoever asks for a new policy gets one that somebody "
            "has trained. Make the layers inside the function.",
            cache(lambda d, a: Policy(layers(d, a), _logits)),
        ),
    ),
)
