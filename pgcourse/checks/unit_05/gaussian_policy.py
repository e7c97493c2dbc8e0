"""gaussian_policy(obs_dim, action_dim): a network whose output is a Gaussian over actions."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.functional import softplus

from pgcourse.checks.authoring import Arrays, Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.gaussian import FAR, GaussianFactory
from pgcourse.checks.observe.network_facts import APART, keeps_more, slopes_agree, unseen
from pgcourse.checks.observe.remote_networks import NORMALS, too_large
from pgcourse.checks.wording import number, shape, with_article

LOW_STD, HIGH_STD = 0.3, 2.0  # as the contract says
ROUNDING = 1e-5  # exp(log 0.3) is a little less than 0.3 in float32
# Last layers scaled to 0.1 or less stay below it; torch's default weights gave largest means of 0.1 to 0.9.
MEAN_MARGIN = 0.1
# A policy that is linear and small goes past the margin on one hidden input in a hundred (0.126 at most in 800 draws): the
# check is a little more patient than the contract, so that a right answer loses no points by the draw of the seed.
PATIENCE = 1.5
# The targets are 3 and -3. After 45 steps of Adam at 0.05 every network from linear to two hidden layers is within 0.5;
# a mean squeezed by 2 tanh ends at 2, one that sees nothing of the observation at 0.
TARGET, REACHED, LEARNED = 3.0, 2.5, 0.5


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The second log_std reaches as far as any that must not be clamped, -5 to 2."""
    source = generator(seed)
    for obs_dim, log_std, batch in ((3, [0.4], 16), (5 + int(integers(source, 2)), [2.0, -0.25, -5.0], 24)):
        # A rule that even a linear policy can learn: the side of a plane gives the sign of the first mean, and the
        # dimensions alternate.
        sign, away = 2.0 * (torch.arange(batch) % 2) - 1, nn.functional.normalize(normal(source, obs_dim), dim=0)
        training_obs = normal(source, batch, obs_dim)
        training_obs += (2 * sign - training_obs @ away)[:, None] * away
        yield {
            "obs_dim": obs_dim,
            "action_dim": len(log_std),
            "obs": normal(source, batch, obs_dim),
            "log_std": torch.tensor(log_std),
            "training_obs": training_obs,
            "targets": TARGET * sign[:, None] * (-1.0) ** torch.arange(len(log_std)),
            "judge_seed": int(integers(source, 2**31)),
        }


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge what `observe.gaussian.GaussianFactory` recorded, by the first property that is violated."""
    for look in (_kind, _log_std, _start, _training):
        for id, sentence, where in look(case, arrays):
            return Verdict(False, id, sentence, where)
    return CORRECT


# Each of these looks gives (id, sentence, got against expected). Nothing behind the first violation is ever run.
Violations = Iterator[tuple[str, str, str]]


def _kind(case: Case, arrays: Arrays) -> Violations:
    batch, dim = len(case["obs"]), int(case["action_dim"])
    if not arrays["is module"]:
        kind = str(arrays["result.kind"])
        text = f"Your function returned {with_article(kind)}, expected a torch.nn.Module"
        if kind == "type":
            text = "Your function returned a class; make a network of it, with brackets"
        yield "not-a-module", f"{text}{': is a return missing?' if kind == 'NoneType' else '.'}", ""
    if said := too_large(arrays):
        yield "too-large", *said
    kind = str(arrays["distribution"])
    if kind != NORMALS:
        end = ": is a return missing in forward?" if kind == "NoneType" else "."
        text = f"Calling your network gives {'an' if kind[0] in 'AEIOU' else 'a'} {kind}"
        where = ""
        if "batch shape" in arrays:
            where = f"Its log_prob has shape {arrays['batch shape'].tolist()}, expected [{batch}]."
        yield f"gives-a-{kind}", f"{text}, expected an Independent(Normal(...), 1){end}", where
    if "mean" not in arrays:
        given = [*arrays["batch shape"].tolist(), *arrays["event shape"].tolist()]
        text = f"For observations {list(case['obs'].shape)} the mean has shape {given}, expected [{batch}, {dim}]."
        yield "wrong-shape", text, ""
    if not arrays["built anew"]:
        yield "not-built-anew", "Two calls give policies that share parameters; each call must build a new policy.", ""


def _log_std(case: Case, arrays: Arrays) -> Violations:
    std = arrays["std"]
    if np.ptp(std, axis=0).max() > 1e-6:
        text = "The standard deviation differs from observation to observation; it must be the parameter's alone."
        where = f"Dimension 0: got {number(std[0, 0])} for observation 0, {number(std[-1, 0])} for the last."
        yield "std-from-the-observation", text, where
    kind = str(arrays["log_std kind"])
    if kind == "nothing":
        id = "log-std-misnamed" if arrays["std differentiable"] else "std-constant"
        yield id, "Your policy has no parameter called log_std.", ""
    if kind != "parameter":
        text = f"log_std is {with_article(kind)}, expected an nn.Parameter that an optimizer can train."
        yield "log-std-not-a-parameter", text, ""
    shapes = arrays["log_std shape"].tolist(), list(case["log_std"].shape)
    if shapes[0] != shapes[1]:
        text = f"log_std has shape {shapes[0]}, expected {shapes[1]}: one for each action dimension."
        yield "log-std-shape", text, ""
    given, got = case["log_std"].numpy(), arrays["std of given log_std"][0]
    wrong = ~np.isclose(got, np.exp(given), rtol=1e-3)
    if wrong.any():
        # Of a negative standard deviation torch gives the absolute value.
        id = "std-is-log-std" if np.allclose(got[given > 0], given[given > 0], rtol=1e-3) else "std-not-exp-log-std"
        text = "The standard deviation must be exp(log_std); yours follows from log_std in another way."
        one, its = given[wrong][0], got[wrong][0]
        yield id, text, f"With log_std = {number(one)} got {number(its)}, expected {number(np.exp(one))}."
    if arrays.get("std moved by others", False):
        text = "Other parameters than log_std change the standard deviation; it must be exp(log_std), and nothing else."
        yield "std-from-the-observation", text, ""
    if arrays.get("log_std unreached", False):
        yield "log-std-unreached", "No gradient of log_prob reaches log_std, so it would never be trained.", ""


def _start(case: Case, arrays: Arrays) -> Violations:
    std, mean = arrays["starting std"], arrays["starting mean"]
    low, high = LOW_STD * (1 - ROUNDING), HIGH_STD * (1 + ROUNDING)
    if not (std.min() >= low and std.max() <= high):
        off = std[(std < low) | (std > high) | ~np.isfinite(std)][0]
        where = f"Got a standard deviation of {number(off)}, expected {number(LOW_STD)} to {number(HIGH_STD)}."
        id = "too-narrow" if off < LOW_STD else "too-wide"
        yield id, "A new policy must explore at the scale of its actions.", where
    if not np.abs(mean).max() <= PATIENCE * MEAN_MARGIN:
        at = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(mean), nan=np.inf))), mean.shape)
        where = f"Observation {at[1]}, dimension {at[2]}: got a mean of {number(mean[at])}, expected -0.1 to 0.1."
        yield "mean-not-near-zero", "A new policy must have means near 0, wherever it is.", where
    if mean.min() == 0 < mean.max():
        yield "one-sided-mean", "No mean of a new policy is below 0, and some are exactly 0.", ""
    if not np.allclose(arrays["mean"], arrays["mean again"], atol=1e-5):
        yield "mean-random", "Called twice with the same observations, your network gives two different means.", ""
    if what := str(arrays["misfit"]):
        text = f"The {what} of your distribution is not that of its own mean and spread."
        yield "other-log-prob" if what == "log_prob" else f"other-{what}", text, ""
    if arrays["mutated"].size:
        text = "Calling your network changes the observations that it is given, in place."
        yield "changes-the-observations", text, ""
    if "row error" in arrays:
        text = f"A batch with a single observation, [1, obs_dim], raises {arrays['row error']}."
        yield "single-observation-refused", text, ""


def _training(case: Case, arrays: Arrays) -> Violations:
    if not arrays["differentiable"]:
        yield "not-trainable", "No gradient flows from the distribution's mean to the network's parameters.", ""
    if int(arrays["parameters"]) == 1:
        text = "log_std is the only parameter of your network: an optimizer finds no layers to train."
        yield "no-layers", text, "Got 1 parameter from policy.parameters()."
    for when in ("", "trained "):
        alone, inside = arrays[f"{when}single row"], arrays[f"{when}batch row"]
        if alone.shape != inside.shape:
            text = f"For a single observation, [1, obs_dim], the mean has shape {shape(alone)}"
            yield "wrong-shape-alone", f"{text}, expected {shape(inside)}.", ""
        if not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
            text = "The first observation gets another mean alone than inside its batch; only itself may count."
            where = f"Dimension 0: got {number(alone[0, 0])} alone, {number(inside[0, 0])} in the batch."
            yield "rows-mixed", text, where
    alone, inside = arrays["trained single row"], arrays["large batch row"]
    if alone.shape != inside.shape or not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
        text = "The first observation gets another mean alone than inside a batch of 201; only itself may count."
        yield "rows-mixed", text, ""
    if unreached := int(arrays["unreached"]):
        where = f"Got {unreached} parameters without a gradient, expected 0."
        yield "unused-parameters", "Some parameters play no part in the forward pass: no gradient reaches them.", where
    if idle := int(arrays["inert"]):
        text = "Some parameters play no part: whatever their values are, your network gives the same means."
        yield "unused-parameters", text, f"Got {idle} such parameters, expected 0."
    if still := int(arrays["frozen"]):
        text = "Some weights of your network cannot be trained: their requires_grad is False."
        yield "frozen-weights", text, f"Got {still} such parameters, expected 0."
    targets, trained = case["targets"].numpy(), arrays["trained mean"]
    reached = np.stack([(trained * np.sign(targets))[targets[:, 0] * sign > 0].mean(axis=0) for sign in (1, -1)])
    low, high = trained.min(), trained.max()
    where = f"Got means from {number(low)} to {number(high)}, expected {number(-TARGET)} to {number(TARGET)}."
    if not np.isfinite(trained).all() or reached.max() < LEARNED:
        text = "Trained on an easy rule (the mean depends on the observation), your network does not learn it."
        yield "does-not-learn", text, where
    if said := unseen(case, arrays):
        yield "sees-a-part", *said
    if arrays["apart"] < APART:
        text = "The means of your action dimensions follow from one another; each dimension needs its own."
        yield "means-tied", text, ""
    if reached.min() < REACHED and min(abs(low), abs(high)) < LEARNED:
        yield "one-sided-mean", "Trained to means of both signs, your network reaches only one of them.", where
    if float(arrays["pushed mean"]) < FAR:
        if reached.min() < REACHED:
            yield "bounded-mean", "Trained to reach them, your means stop short of -3 and 3.", where
        where = f"Got at most {number(arrays['pushed mean'])} to both sides."
        yield (
            "bounded-mean",
            "Driven apart by large steps, your means do not get far: the mean is not unbounded.",
            where,
        )
    if not slopes_agree(arrays["slopes"]):
        yield "other-gradients", "The gradients of your network are not those of what it computes.", ""
    if "foreign" in arrays and (more := keeps_more(arrays)):
        yield more


def gaussian_policy(obs_dim: int, action_dim: int) -> nn.Module:
    """A new policy: observations [B, obs_dim] -> independent normals with means [B, action_dim]."""

    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh())
            self.mean = nn.Linear(64, action_dim)
            nn.init.orthogonal_(self.mean.weight, gain=0.01)  # small, so that all means start near 0
            nn.init.zeros_(self.mean.bias)
            self.log_std = nn.Parameter(torch.zeros(action_dim))  # a standard deviation of 1

        def forward(self, obs: Tensor) -> Independent:
            mean, std = self.mean(self.hidden(obs)), self.log_std.exp()
            return Independent(Normal(mean, std), 1)

    return Policy()


mistake = edits_of(gaussian_policy, softplus=softplus)

EXERCISE = Exercise.listed(
    "gaussian_policy",
    cases=cases,
    observe=GaussianFactory(),
    judge=judge,
    show_case=lambda case: (
        f"gaussian_policy({case['obs_dim']}, {case['action_dim']}), called with unit-normal observations"
    ),
    reference=gaussian_policy,
    hints=(
        "Compare with your policy network of unit 01: the last layer now gives a mean for each action dimension. What "
        "must an nn.Module hold so that an optimizer finds it, although no layer computes it?",
        "self.log_std = nn.Parameter(torch.zeros(action_dim)) is a standard deviation of 1. Give its exp to Normal "
        "beside the mean [B, action_dim], without an activation on the mean, and wrap it: Independent(..., 1) makes "
        "the last axis one action. Scale the mean's last layer by 0.01, its bias 0.",
        "In forward: return Independent(Normal(self.layers(obs), self.log_std.exp()), 1). In __init__, after the layers: under "
        "torch.no_grad(), self.layers[-1].weight.mul_(0.01) and self.layers[-1].bias.zero_(), then the parameter log_std.",
    ),
    misconceptions=(
        mistake(
            "no-distribution",
            "Your network returns numbers, not a distribution. Then every caller has to know what they are and how to sample. "
            "A distribution brings sample, log_prob and entropy along.",
            {"Independent(Normal(mean, std), 1)": "mean, std"},
            {"Independent(Normal(mean, std), 1)": "mean"},
        ),
        mistake(
            "dimensions-kept-apart",
            "You returned a Normal with one log-probability for each dimension, [B, A]. An action is one event, and its "
            "log-density the sum. Independent does this: it says how many of the last axes belong to one event.",
            {"Independent(Normal(mean, std), 1)": "Normal(mean, std)"},
            {"std), 1": "std), 0"},
        ),
        mistake(
            "log-std-not-a-parameter",
            "log_std is a plain tensor, a buffer, or a number that is never changed. The optimizer only gets what "
            "policy.parameters() lists, so the policy would explore with its first standard deviation for ever.",
            {"nn.Parameter(torch.zeros(action_dim))": "torch.zeros(action_dim)"},
            {"self.log_std = nn": "nn", "self.log_std.exp()": "torch.ones(action_dim)"},
        ),
        mistake(
            "log-std-of-another-name-or-shape",
            "Your spread is learned under another name, or log_std does not have one entry for each action dimension. The "
            "course and its saved weights look for log_std, [action_dim]; and one joint may need more precision than another.",
            {"self.log_std =": "self.logstd =", "self.log_std.exp": "self.logstd.exp"},
            {"zeros(action_dim)": "zeros(1)"},
            {"zeros(action_dim)": "zeros(())"},
        ),
        mistake(
            "spread-from-the-network",
            "Your network computes the standard deviation from the observation. The lesson measures that, too; this exercise "
            "asks for one log_std that is a parameter and the same everywhere.",
            {"self.log_std.exp()": "(self.log_std + 0.1 * self.hidden(obs)[:, :1]).exp()"},
        ),
        mistake(
            "std-not-exp-log-std",
            "Your standard deviation is not exp(log_std), but log_std itself, its softplus, square or root, or clamped to a "
            "range narrower than -5 to 2. It must be positive, and gradient steps know no such bound: hence the logarithm.",
            {"torch.zeros": "torch.ones", ".exp()": "", "std), 1": "std, validate_args=False), 1"},
            {"torch.zeros": "torch.ones", ".exp()": ""},
            {".exp()": ""},
            {"self.log_std.exp()": "softplus(self.log_std)"},
            {"log_std.exp()": "log_std.clamp(-1, 0.5).exp()"},
        ),
        mistake(
            "explores-at-another-scale",
            "A new policy of yours explores too narrowly or too widely. Actions that all look alike, or that are all clipped "
            "to the limits, do not show which are better. A log_std of 0, a standard deviation of 1, is a good start.",
            {"zeros(action_dim)": "zeros(action_dim) - 2"},
            {"zeros(action_dim)": "zeros(action_dim) + 1"},
        ),
        mistake(
            "opinionated-start",
            "Your means start away from 0, with opinions that nobody taught them. torch's default weights in the last layer "
            "do that; scale it down and set its bias to 0. Hidden layers may stay as they are.",
            {"gain=0.01": "gain=3"},
        ),
        mistake(
            "bounded-mean",
            "Your mean cannot reach every number: a tanh, a clamp or a ReLU stands behind the last layer. The contract asks "
            "for an unbounded mean; where such a function is flat the mean hardly learns.",
            {"hidden(obs))": "hidden(obs)).tanh()"},
            {"hidden(obs))": "hidden(obs)).relu()"},
        ),
        mistake(
            "not-trained",
            "No training reaches your layers or log_std. Layers in a plain list are missing from policy.parameters(): use "
            "attributes, or nn.Sequential. Or a detach, no_grad or numpy cuts the path, which is only the caller's to cut.",
            {
                "self.log_std =": "self.kept, self._modules = self._modules, {}\n            self.log_std =",
                "self.mean(self.hidden(obs))": "self.kept['mean'](self.kept['hidden'](obs))",
            },
            {"hidden(obs))": "hidden(obs)).detach()"},
            {"log_std.exp()": "log_std.exp().detach()"},
        ),
        mistake(
            "axis-squeezed-away",
            "With one action dimension your mean has shape [B] instead of [B, 1]: a squeeze took the axis away. Independent "
            "then takes the batch for the action's dimensions.",
            {"hidden(obs))": "hidden(obs)).squeeze(-1)"},
            {"hidden(obs))": "hidden(obs)).squeeze()"},
        ),
        mistake(
            "normalised-by-the-batch",
            "What your network makes of an observation depends on the others of its batch, as in batch normalisation. An "
            "agent acts on single observations; the running statistics of exercise 5 normalise those too.",
            {"nn.Linear(obs_dim": "nn.BatchNorm1d(obs_dim), nn.Linear(obs_dim"},
            {"hidden(obs)": "hidden(obs - obs.mean(0))"},
        ),
    ),
)
