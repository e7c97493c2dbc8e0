"""Which properties of its contract does a Gaussian policy violate?"""

from __future__ import annotations

import numpy as np

from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.gaussian import WANTED
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.wording import number, shape

Violation = tuple[str, str, str]  # id, sentence, got against expected

LOW_STD, HIGH_STD = 0.3, 2.0  # as the contract says
# Last layers scaled to 0.1 or less stay below it; torch's default weights gave largest means of 0.1 to 0.9.
MEAN_MARGIN = 0.1
# A policy that is linear and small goes past the margin on one hidden input in a hundred (0.126 at most in 800 draws): the
# check is a little more patient than the contract, so that a right answer loses no points by the draw of the seed.
PATIENCE = 1.5
# The targets are 3 and -3. After 45 steps of Adam at 0.05 every network from linear to two hidden layers is within 0.5;
# a mean squeezed by 2 tanh ends at 2, one that sees nothing of the observation at 0.
TARGET, REACHED, LEARNED = 3.0, 2.5, 0.5


def gaussian_policy(case: Case, arrays: Arrays) -> Verdict:
    """Judge what `observe.gaussian.GaussianFactory` recorded. The kind joins the ids of all violated properties."""
    violations = _basic(case, arrays) or [
        *_log_std(case, arrays), *_start(arrays), *_rows(arrays), *_training(case, arrays)
    ]  # fmt: skip
    if not violations:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in violations), violations[0][1], violations[0][2])


def _basic(case: Case, arrays: Arrays) -> list[Violation]:
    if not arrays["is module"]:
        kind = str(arrays["result.kind"])
        if kind == "type":
            return [("not-a-module", "Your function returned a class; make a network of it, with brackets.", "")]
        missing = ": is a return missing?" if kind == "NoneType" else "."
        return [("not-a-module", f"Your function returned a {kind}, expected a torch.nn.Module{missing}", "")]
    batch, dim = len(case["obs"]), int(case["action_dim"])
    kind = str(arrays["distribution"])
    if kind != WANTED:
        end = ": is a return missing in forward?" if kind == "NoneType" else "."
        article = "an" if kind[0] in "AEIOU" else "a"
        text = f"Calling your network gives {article} {kind}, expected an Independent(Normal(...), 1){end}"
        shapes = ""
        if "batch shape" in arrays:
            shapes = f"Its log_prob has shape {arrays['batch shape'].tolist()}, expected [{batch}]."
        return [(f"gives-a-{kind}", text, shapes)]
    if "mean" not in arrays:
        given = [*arrays["batch shape"].tolist(), *arrays["event shape"].tolist()]
        text = f"For observations {list(case['obs'].shape)} the mean has shape {given}, expected [{batch}, {dim}]."
        return [("wrong-shape", text, "")]
    return []


def _log_std(case: Case, arrays: Arrays) -> list[Violation]:
    std = arrays["std"]
    if np.ptp(std, axis=0).max() > 1e-6:
        text = "The standard deviation differs from observation to observation; it must be the parameter's alone."
        where = f"Dimension 0: got {number(std[0, 0])} for observation 0, {number(std[-1, 0])} for the last."
        return [("std-from-the-observation", text, where)]
    kind = str(arrays["log_std kind"])
    if kind == "nothing":
        id = "log-std-misnamed" if arrays["std differentiable"] else "std-constant"
        return [(id, "Your policy has no parameter called log_std.", "")]
    if kind != "parameter":
        text = f"log_std is a {kind}, expected an nn.Parameter that an optimizer can train."
        return [("log-std-not-a-parameter", text, "")]
    given, wanted = arrays["log_std shape"].tolist(), list(case["log_std"].shape)
    if given != wanted:
        return [("log-std-shape", f"log_std has shape {given}, expected {wanted}: one for each action dimension.", "")]
    found = []
    # torch takes the root of the variance, which is positive even where a negative number was given to Normal.
    given, got = case["log_std"].numpy(), arrays["std of given log_std"][0]
    if not np.allclose(got, np.exp(given), rtol=1e-3):
        laws = {
            "std-is-log-std": np.abs(given),
            "std-is-variance": np.exp(2 * given),
            "std-is-its-root": np.exp(given / 2),
        }
        id = next((id for id, law in laws.items() if np.allclose(got, law, rtol=1e-3)), "std-not-exp-log-std")
        text = "The standard deviation must be exp(log_std); yours follows from log_std in another way."
        where = f"With log_std = {number(given[0])} got {number(got[0])}, expected {number(np.exp(given[0]))}."
        found.append((id, text, where))
    if bool(arrays.get("log_std unreached", False)):
        found.append(
            ("log-std-unreached", "No gradient of log_prob reaches log_std, so it would never be trained.", "")
        )
    return found


def _start(arrays: Arrays) -> list[Violation]:
    found = []
    starts = arrays["starting std"]
    if not (starts.min() >= LOW_STD and starts.max() <= HIGH_STD):
        off = starts[(starts < LOW_STD) | (starts > HIGH_STD) | ~np.isfinite(starts)][0]
        id = "too-narrow" if off < LOW_STD else "too-wide"
        text = "A new policy must explore at the scale of its actions."
        where = f"Got a standard deviation of {number(off)}, expected {number(LOW_STD)} to {number(HIGH_STD)}."
        found.append((id, text, where))
    mean = arrays["mean"]
    if not np.abs(mean).max() <= PATIENCE * MEAN_MARGIN:
        at = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(mean), nan=np.inf))), mean.shape)
        where = f"Observation {at[0]}, dimension {at[1]}: got a mean of {number(mean[at])}"
        where += f", expected {number(-MEAN_MARGIN)} to {number(MEAN_MARGIN)}."
        found.append(("mean-not-near-zero", "A new policy must have means near 0, wherever it is.", where))
    return found


def _rows(arrays: Arrays) -> list[Violation]:
    if not np.allclose(arrays["mean"], arrays["mean again"], atol=1e-5):
        return [("mean-random", "Called twice with the same observations, your network gives two different means.", "")]
    if "row error" in arrays:
        text = f"A batch with a single observation, [1, obs_dim], raises {arrays['row error']}."
        return [("no-single-observation", text, "")]
    for when in ("", "trained "):
        alone, inside = arrays.get(f"{when}single row"), arrays.get(f"{when}batch row")
        if alone is None or inside is None:
            continue
        if alone.shape != inside.shape:
            text = f"For a single observation, [1, obs_dim], the mean has shape {shape(alone)}"
            return [("no-single-observation", f"{text}, expected {shape(inside)}.", "")]
        if not np.allclose(alone, inside, rtol=1e-3, atol=1e-3):
            text = "The first observation gets another mean alone than inside its batch; only itself may count."
            where = f"Dimension 0: got {number(alone[0, 0])} alone, {number(inside[0, 0])} in the batch."
            return [("rows-mixed", text, where)]
    return []


def _training(case: Case, arrays: Arrays) -> list[Violation]:
    if not int(arrays["parameters"]):
        return [("no-parameters", "Your network has no parameters, so an optimizer finds nothing to train.", "")]
    if not arrays["differentiable"]:
        return [("not-trainable", "No gradient flows from the distribution's mean to the network's parameters.", "")]
    if int(arrays["parameters"]) == 1:
        text = "log_std is the only parameter of your network: an optimizer finds no layers to train."
        return [("no-layers", text, "Got 1 parameter from policy.parameters().")]
    found = []
    if unreached := int(arrays["unreached"]):
        text = "Some parameters play no part in the forward pass: no gradient reaches them."
        found.append(("unused-parameters", text, f"Got {unreached} parameters without a gradient, expected 0."))
    targets, trained = case["targets"].numpy(), arrays["trained mean"]
    reached = np.stack([(trained * np.sign(targets))[targets[:, 0] * sign > 0].mean(axis=0) for sign in (1, -1)])
    if not reached.min() >= REACHED:
        low, high = number(trained.min()), number(trained.max())
        where = f"Got means from {low} to {high}, expected {number(-TARGET)} to {number(TARGET)}."
        if trained.shape[1] > 1 and np.ptp(trained, axis=1).max() < 1e-4:
            found.append(
                ("one-mean-for-all", "All action dimensions get the same mean, whatever is asked of them.", where)
            )
        elif reached.max() < LEARNED or not np.isfinite(trained).all():
            text = "Trained on an easy rule (the mean depends on the observation), your network does not learn it."
            found.append(("does-not-learn", text, where))
        elif min(abs(float(trained.min())), abs(float(trained.max()))) < LEARNED:
            text = "Trained to means of both signs, your network reaches only one of them."
            found.append(("one-sided-mean", text, where))
        else:
            found.append(("bounded-mean", "Trained to reach them, your means stop short of -3 and 3.", where))
    return found
