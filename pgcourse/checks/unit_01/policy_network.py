"""policy_network(obs_dim, num_actions): a network whose output is a distribution over actions."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from pgcourse.checks.authoring import Arrays, Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.network_facts import APART, keeps_more, slopes_agree, unseen
from pgcourse.checks.observe.policy_network import FAR, PolicyFactory
from pgcourse.checks.observe.remote_networks import too_large
from pgcourse.checks.wording import number, shape, with_article
from pgcourse.networks import CategoricalPolicy

UNIFORM_MARGIN = 0.1  # from 1/A, as the contract says
# After 80 steps of Adam at 0.03, and as many at 0.3, 1 and 3 where that was too little, networks from linear to two
# hidden layers give the right action more than 0.95. Logits squeezed by a softmax or sigmoid
# cannot pass 0.74 with two actions and 0.58 with three, by tanh 0.89; blind ones 0.5.
CONFIDENT, LEARNED = 0.95, 0.54


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    source = generator(seed)
    for obs_dim, num_actions, batch in ((2, 2, 16), (5 + int(integers(source, 2)), 3, 24)):
        # A rule that even a linear policy can learn: each action has its corner of a line or triangle. Every other row
        # is one of action 0.
        rows = torch.arange(batch)
        targets = torch.where(rows % 2 == 0, 0, 1 + rows // 2 % (num_actions - 1))
        angles = torch.arange(num_actions) * 2 * torch.pi / num_actions
        corners = torch.stack([angles.cos(), angles.sin()], dim=1)[:, : num_actions - 1]
        frame = torch.linalg.qr(normal(source, obs_dim, num_actions - 1)).Q
        noise = normal(source, batch, obs_dim)
        training_obs = noise - noise @ frame @ frame.T + 2 * corners[targets] @ frame.T
        yield {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "obs": normal(source, batch, obs_dim),
            "training_obs": training_obs,
            "targets": targets,
            "judge_seed": int(integers(source, 2**31)),
        }


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge what `PolicyFactory` recorded. The kind joins the ids of all violated properties."""
    violations = list(_violations(case, arrays))
    if not violations and "foreign" in arrays and (said := keeps_more(arrays)):
        violations = [said]
    if not violations:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in violations), violations[0][1], violations[0][2])


def _violations(case: Case, arrays: Arrays) -> Iterator[tuple[str, str, str]]:
    """(id, sentence, got against expected) of each violated property, the most basic first."""
    batch, actions = int(case["obs"].shape[0]), int(case["num_actions"])
    if not arrays["is module"]:
        kind = str(arrays["result.kind"])
        missing = ": is a return missing?" if kind == "NoneType" else "."
        text = f"Your function returned {with_article(kind)}, expected a torch.nn.Module{missing}"
        if kind == "type":
            text = "Your function returned a class; make a network of it, with brackets."
        yield "not-a-module", text, ""
        return
    if said := too_large(arrays):
        yield "too-large", *said
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
    if what := str(arrays["misfit"]):
        text = f"The {what} of your distribution is not that of its own logits."
        yield "other-log-prob" if what == "log_prob" else f"other-{what}", text, ""
    if "batch of one error" in arrays or arrays["batch of one"].shape != (1, actions):
        text = "A batch of one observation [1, D] must give probabilities [1, A], as any other batch."
        got = arrays.get("batch of one error")
        yield "no-batch-of-one", text, f"Got {shape(arrays['batch of one']) if got is None else got} for obs[:1]."
    if arrays.get("mutated", np.empty(0)).size:
        yield (
            "changes-the-observations",
            "Calling your network changes the observations that it is given, in place.",
            "",
        )
    if "later probs" in arrays:  # of a network that was built after the first one had been trained
        probs = np.concatenate([probs, arrays["later probs"]])
    off = np.abs(probs - 1 / actions)
    if not off.max() <= UNIFORM_MARGIN:
        at = np.unravel_index(int(np.argmax(np.nan_to_num(off, nan=2.0))), off.shape)
        low, high = max(0, 1 / actions - UNIFORM_MARGIN), 1 / actions + UNIFORM_MARGIN
        where = f"Observation {at[0] % batch}, action {at[1]}: got probability {number(probs[at])}"
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
    elif idle := int(arrays["inert"]):
        text = "Some parameters play no part: whatever their values are, your network gives the same probabilities."
        yield "unused-parameters", text, f"Got {idle} such parameters, expected 0."
    if still := int(arrays["frozen"]):
        text = "Some weights of your network cannot be trained: their requires_grad is False."
        yield "frozen-weights", text, f"Got {still} such parameters, expected 0."
    trained = float(arrays["trained"])
    where = f"Got a mean probability of {number(trained)} for the right action, expected at least {CONFIDENT}."
    if not trained >= LEARNED:
        text = "Trained on an easy rule (the action depends on the observation), your network does not learn it."
        yield "does-not-learn", text, where
    elif trained < CONFIDENT or float(arrays["pushed"]) < FAR:
        text = "Trained on an easy rule, your network never becomes sure of it, as if its logits could not grow."
        if trained >= CONFIDENT:
            text = "Driven apart by large steps, your logits do not get far: something bounds them."
            where = f"Got log-odds of at most {number(arrays['pushed'])} to both sides."
        yield "never-confident", text, where
    if said := unseen(case, arrays):
        yield "sees-a-part", *said
    elif arrays["apart"] < APART:
        yield "actions-tied", "Your logits follow from one another; each action needs its own.", ""
    if not slopes_agree(arrays["slopes"]):
        yield "other-gradients", "The gradients of your network are not those of what it computes.", ""


def _mixed_rows(arrays: Arrays) -> Iterator[tuple[str, str, str]]:
    for when in ("", "trained "):
        alone, inside = arrays.get(f"{when}single row"), arrays.get(f"{when}batch row")
        if alone is not None and inside is not None and not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
            text = "The first observation gets other probabilities alone than inside its batch; only itself may count."
            yield "rows-mixed", text, f"Action 0: got {number(alone[0])} alone, {number(inside[0])} in the batch."
            return
    alone = arrays.get("trained single row")
    for name, where in (("trained batch of one", "in a batch of one"), ("large batch row", "in a batch of 201")):
        row = arrays.get(name)
        if alone is None or row is None or row.reshape(-1).shape != alone.shape:
            continue
        if not np.allclose(alone, row.reshape(-1), rtol=1e-3, atol=1e-3):
            text = f"The first observation gets other probabilities {where} than alone; only itself may count."
            yield "rows-mixed", text, f"Action 0: got {number(alone[0])} alone, {number(row.reshape(-1)[0])} {where}."
            return


def written_out(obs_dim, num_actions):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    hidden, last = nn.Linear(obs_dim, 64), nn.Linear(64, num_actions)
    with torch.no_grad():
        last.weight.mul_(0.01)
        last.bias.zero_()

    class Policy(nn.Module):
        def __init__(self):  # type: ignore[no-untyped-def]
            super().__init__()
            self.layers = nn.Sequential(hidden, nn.Tanh(), last)

        def forward(self, obs):  # type: ignore[no-untyped-def]
            logits = self.layers(obs)
            return Categorical(logits=logits)

    return Policy()


mistake = edits_of(written_out)

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
        "Stack nn.Linear and nn.Tanh, the last layer with num_actions outputs and no activation. Return "
        "Categorical(logits=...). Make the last layer's weights small (times 0.01) and its bias zero, so that all logits start "
        "near 0.",
        "class Policy(nn.Module): in __init__, self.layers = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, "
        "num_actions)), then under torch.no_grad(): self.layers[-1].weight.mul_(0.01) and self.layers[-1].bias.zero_(). In "
        "forward, return Categorical(logits=self.layers(obs)). Last, return Policy().",
    ),
    misconceptions=(
        mistake(
            "not-a-module",
            "What you return is no nn.Module: a function around the network, a class without brackets, or nothing at all. An "
            "optimizer finds weights through parameters(), which a module has.",
            {"return Policy()": "return Policy().forward"},
        ),
        mistake(
            "not-a-categorical",
            "Your network returns a tensor, of which a caller must know whether it holds logits or probabilities, or another "
            "distribution, whose actions are rows or 0 and 1. Categorical's are whole numbers below num_actions.",
            {"Categorical(logits=logits)": "logits"},
            {"Categorical(": "torch.distributions.Bernoulli("},
        ),
        mistake(
            "logits-taken-for-probabilities",
            "You gave logits to Categorical as its first argument, which is probs: negative ones raise an error, and positive "
            "ones are silently divided by their sum. Write logits=.",
            {"logits=logits": "logits"},
        ),
        mistake(
            "confident-start",
            "Your network starts with opinions: with torch's default weights the logits differ by several tenths, so some "
            "actions are hardly tried in some states. Make the last layer's weights small; hidden layers may stay as they are.",
            {"0.01": "8.0"},
            {"0.01": "8.0 if obs_dim == 2 else 0.01"},  # by luck, one of the two networks is near uniform
            {"0.01": "8.0 if obs_dim > 2 else 0.01"},
        ),
        mistake(
            "most-probable-action",
            "Your policy puts all probability on its largest logit. Then no other action is ever tried, and no gradient says "
            "that it would have been better. Return the distribution; the caller samples from it.",
            {"logits=logits": "nn.functional.one_hot(logits.argmax(-1), num_actions).float()"},
        ),
        mistake(
            "axis-of-the-batch",
            "A single observation [D] needs no batch axis, and a batch of one [1, D] keeps its own: [A] and [1, A] come out. "
            "Count axes from the end, so dim=-1 in place of dim=1 in a softmax, and remove none by squeeze or view.",
            {"logits=logits": "logits.softmax(1)"},
            {"logits=logits": "logits=logits.squeeze()"},
        ),
        mistake(
            "rows-of-the-batch-mixed",
            "What your policy does in one state depends on the others in the batch: through a softmax over the batch, or its "
            "mean and spread, which a single observation does not have. The actions are the last axis.",
            {"logits=logits": "logits.softmax(0), validate_args=False"},
            {"layers(obs)": "layers((obs - obs.mean(0)) / obs.std(0))"},
        ),
        mistake(
            "nothing-to-train",
            "An optimizer changes nothing: your layers are in a plain list, where parameters() does not find them, or the path "
            "to the distribution is cut by detach or no_grad. Assign layers as attributes, or use nn.Sequential.",
            {"(hidden, nn.Tanh(), last)": "()", "self.layers(obs)": "last(hidden(obs).tanh())"},
            {"logits=logits": "logits=logits.detach()"},
        ),
        mistake(
            "blind-to-the-observation",
            "At most a bias learns, the same for every observation. Either the observation plays no part in the forward pass, "
            "or all weights start at zero, where hidden units stay alike. Only the last layer may be zero.",
            {"logits=logits": "logits=0 * logits"},
        ),
        mistake(
            "squeezed-logits",
            "Your logits cannot grow: a softmax, tanh, sigmoid or clamp stands before the distribution, which takes a softmax "
            "itself. Between -1 and 1, the best of two actions never gets more than 0.88. The last layer has no activation.",
            {"logits=logits": "logits=logits.softmax(-1)"},
            {"logits=logits": "logits=logits.tanh()"},
        ),
        mistake(
            "sizes-of-another-problem",
            "Your layers do not have the sizes of this problem; 4 and 2 are those of CartPole. Follow them from layer to "
            "layer: obs_dim goes in, num_actions comes out.",
            {"64, num_actions": "64, 1"},
            {"64, num_actions": "64, 2"},
            *({"(obs_dim, 64)": f"(4, {n})", "(64, num_actions)": f"({n}, 2)"} for n in (16, 32, 64, 128)),
        ),
        mistake(
            "the-same-network-again",
            "You make the network once and hand it out again at every call. Whoever asks for a new policy gets one that "
            "somebody has trained. Make the layers inside the function.",
            cache(written_out),
        ),
    ),
)
