"""Judges for what has no single right value: which properties of the contract does an observation violate?"""

from __future__ import annotations

import numpy as np

from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.wording import number, shape

UNIFORM_MARGIN = 0.1  # from 1/A, as the contract says
# After 80 steps of Adam at 0.03, networks from linear to two hidden layers give the right action more than 0.95. Logits
# squeezed by a softmax or sigmoid cannot pass 0.74 with two actions and 0.58 with three, by tanh 0.89; a blind policy
# 0.5.
CONFIDENT, LEARNED = 0.93, 0.54


def categorical_policy(case: Case, arrays: Arrays) -> Verdict:
    """Judge what `observe.networks.PolicyFactory` recorded. The kind joins the ids of all violated properties."""
    violations = _violations(case, arrays)
    if not violations:
        return CORRECT
    kind = "+".join(id for id, _, _ in violations)
    return Verdict(False, kind, violations[0][1], violations[0][2])


def _mixed_rows(arrays: Arrays) -> list[tuple[str, str, str]]:
    for when in ("", "trained "):
        alone, inside = arrays.get(f"{when}single row"), arrays.get(f"{when}batch row")
        if alone is not None and inside is not None and not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
            text = "The first observation gets other probabilities alone than inside its batch; only itself may count."
            return [("rows-mixed", text, f"Action 0: got {number(alone[0])} alone, {number(inside[0])} in the batch.")]
    return []


def _violations(case: Case, arrays: Arrays) -> list[tuple[str, str, str]]:
    """(id, sentence, got against expected) of each violated property, the most basic first."""
    if not arrays["is module"]:
        kind = str(arrays["result.kind"])
        if kind == "type":
            return [("not-a-module", "Your function returned a class; make a network of it, with brackets.", "")]
        missing = ": is a return missing?" if kind == "NoneType" else "."
        return [("not-a-module", f"Your function returned a {kind}, expected a torch.nn.Module{missing}", "")]
    batch, actions = int(case["obs"].shape[0]), int(case["num_actions"])
    kind = str(arrays["distribution"])
    if kind != "Categorical":
        text = f"Calling your network gives a {kind}, expected a torch.distributions.Categorical."
        return [(f"gives-a-{kind}", text, "")]
    probs = arrays["probs"]
    if probs.shape != (batch, actions):
        given, expected = shape(case["obs"]), f"[{batch}, {actions}]"
        text = f"For observations {given} the probabilities have shape {shape(probs)}, expected {expected}."
        return [("wrong-shape", text, "")]
    found = []
    if "row error" in arrays:
        text = "Your network takes a batch [B, D], but a single observation [D] raises an error; it must take both."
        found.append(("no-single-observation", text, f"Got {arrays['row error']} for obs[0]."))
    elif arrays["single row"].shape != (actions,):
        text = (
            f"For one observation [D] the probabilities have shape {shape(arrays['single row'])}, expected [{actions}]."
        )
        found.append(("no-single-observation", text, ""))
    else:
        found += _mixed_rows(arrays)
    off = np.abs(probs - 1 / actions)
    if not off.max() <= UNIFORM_MARGIN:
        at = np.unravel_index(int(np.argmax(np.nan_to_num(off, nan=2.0))), off.shape)
        low, high = max(0, 1 / actions - UNIFORM_MARGIN), 1 / actions + UNIFORM_MARGIN
        text = "A new policy must be near uniform, so that it tries every action."
        where = f"Observation {at[0]}, action {at[1]}: got probability {number(probs[at])}"
        where += f", expected {number(low)} to {number(high)}."
        found.append(("not-near-uniform", text, where))
    if not int(arrays["parameters"]):
        text = "Your network has no parameters, so an optimizer finds nothing to train."
        return [*found, ("no-parameters", text, "Got 0 parameters from policy.parameters().")]
    if not arrays["differentiable"]:
        return [*found, ("not-trainable", "No gradient flows from log_prob back to the network's parameters.", "")]
    if unreached := int(arrays["unreached"]):
        text = "Some parameters play no part in the forward pass: no gradient reaches them."
        found.append(("unused-parameters", text, f"Got {unreached} parameters without a gradient, expected 0."))
    trained = float(arrays["trained"])
    where = f"Got a mean probability of {number(trained)} for the right action, expected at least {CONFIDENT}."
    if not trained >= LEARNED:
        text = "Trained on an easy rule (the action depends on the observation), your network does not learn it."
        found.append(("does-not-learn", text, where))
    elif trained < CONFIDENT:
        text = "Trained on an easy rule, your network never becomes sure of it, as if its logits could not grow."
        found.append(("never-confident", text, where))
    return found
