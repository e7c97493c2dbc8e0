# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 Exercises: alarms, and the bug clinic
#
# First you write the function that turns the metrics of a run into alarms, about 25 minutes, and one that shapes rewards,
# about 10. Then the clinic opens: twelve patients, each a training run with one silent bug, about 15 minutes each. Four of
# them are your round: skip the others, or do them for credit. The lesson is [06 Debugging traps](../notebooks/06_debugging_traps.ipynb).
#
# As before: write, run, check. `hint("diagnose")` gives the next hint, `solution("diagnose")` says how to see a solution; the
# [exercises of unit 00](00_welcome.ipynb) explain the checks.

# %%
import math

import numpy as np
import torch

from pgcourse.checks import check, hint, solution
from pgcourse.show import clinic

# %% [markdown]
# ## Exercise 1: from metrics to alarms
#
# *3 points, about 25 minutes, difficulty 2 of 3.*
#
# Nobody looks at twenty curves of every run. A function does, and calls you when a number leaves the range of healthy runs.
# The limits below are round numbers near those that the lesson measures on PPO in CartPole.


# %% nbgrader={"grade": false, "grade_id": "diagnose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnose(metrics):
    """The alarms that ring for a run: a set of ids.

    metrics: dict of metric -> array with one number an update, as in `result.metrics`. A metric may be missing, or the run
    may be short, of one update at least; a row of the table whose numbers are not there rings nothing. Only the explained
    variance may be NaN. Leave the dict and its arrays as they are.

        id                      rings where
        kl-high                 the highest losses/approx_kl is above 0.05
        kl-zero                 the highest losses/approx_kl is below 1e-6
        clip-fraction-high      the highest losses/clipfrac is above 0.5
        entropy-collapsed       the lowest losses/entropy of the first 50 updates is below 0.25
        entropy-never-falls     the lowest losses/entropy is above 0.55, in a run of at least 25 updates
        explained-variance-low  the highest losses/explained_variance is below 0.9, in a run of at least 25 updates; NaN updates
                                count towards the 25, but NaN is neither high nor low, and where all are NaN nothing rings
        value-offset            |V - G| / |G|, with V charts/value_mean and G charts/return_mean of the same update, has a mean
                                above 0.1 over the last quarter of the updates (n // 4 of n), in a run of at least 25 updates
        part-not-updated        for some metric whose name begins with "updates/", the highest number is below 1e-6

    Example: {"losses/approx_kl": [0.01, 0.06, 0.01]} gives {"kl-high"}, and {} gives set().
    """
    ### BEGIN SOLUTION
    ringing = set()
    kl, clipped = metrics.get("losses/approx_kl", ()), metrics.get("losses/clipfrac", ())
    entropy, explained = metrics.get("losses/entropy", ()), metrics.get("losses/explained_variance", ())
    value, returns = metrics.get("charts/value_mean", ()), metrics.get("charts/return_mean", ())
    if len(kl) and np.max(kl) > 0.05:
        ringing.add("kl-high")
    if len(kl) and np.max(kl) < 1e-6:
        ringing.add("kl-zero")
    if len(clipped) and np.max(clipped) > 0.5:
        ringing.add("clip-fraction-high")
    if len(entropy) and np.min(entropy[:50]) < 0.25:
        ringing.add("entropy-collapsed")
    if len(entropy) >= 25 and np.min(entropy) > 0.55:
        ringing.add("entropy-never-falls")
    if len(explained) >= 25 and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        ringing.add("explained-variance-low")
    if len(value) >= 25 and len(returns) == len(value):
        offset = np.abs(value - returns) / np.abs(returns)
        if offset[-(len(value) // 4) :].mean() > 0.1:
            ringing.add("value-offset")
    if any(name.startswith("updates/") and np.max(numbers) < 1e-6 for name, numbers in metrics.items()):
        ringing.add("part-not-updated")
    return ringing
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-diagnose", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("diagnose", diagnose)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("diagnose", diagnose).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Fill in the table
#
# *No points, 8 minutes.* One alarm has several causes, and one bug rings several alarms. Write two suspects of the lesson into
# each row, and the one look that tells them apart. The first row is done.
#
# | what you see | two suspects | the look that tells them apart |
# |---|---|---|
# | KL exactly 0 | the policy's parameters are not in the optimiser; the old log-probability is recomputed | the policy's update norm |
# | explained variance near 0 | | |
# | entropy falls to 0 early | | |
# | KL far above the healthy band | | |
# | training return high, held-out return too low | | |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# | what you see | two suspects | the look that tells them apart |
# |---|---|---|
# | KL exactly 0 | the policy's parameters are not in the optimiser; the old log-probability is recomputed | the policy's update norm |
# | explained variance near 0 | a slow critic; (N, 1) against (N,) in its loss | the mean of V: behind that of G, or level with it |
# | entropy falls to 0 early | the bonus has the wrong sign; the advantages have | the return: does it rise at all? |
# | KL far above the healthy band | no clip at work; log-probabilities not summed | does the loss change with the clip coefficient? |
# | training return high, held-out return too low | one start state for all episodes; a reward that is gamed | a look at the agent from its training start: does it do what you meant? |
#
# Other suspects are as good where you can name the look. A look that comes out the same for both suspects tells nothing.
#
# </details>

# %% [markdown]
# ## Exercise 2: rewards with potential-based shaping
#
# *2 points, about 10 minutes, difficulty 1 of 3.*
#
# A reward that is hardly ever found may be shaped, if it is done so that the best policy stays the best (lesson 06,
# sections 9 and 9.2). Each step is paid for what it gains of a potential $\Phi$, say minus the steps still to go:
# $F = \gamma\,\Phi(s') - \Phi(s)$. The end of an episode wants the same care as the bootstrap of unit 03: where it
# terminated nothing follows, and $\Phi(s')$ counts 0; where a time limit cut it, the future goes on. {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "shaped_rewards", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shaped_rewards(rewards, potentials, next_potentials, terminated, *, gamma):
    """Rewards with potential-based shaping: reward + gamma * potential after the step - potential before it.

    rewards, potentials, next_potentials: [T, N], finite numbers, all float32 or all float64; potentials are of the state
    that the step comes from, next_potentials of the true state that it leads to, also where an episode ends.
    terminated: [T, N], bool: True where the step ended the episode for good. The potential after such a step counts 0,
    whatever next_potentials says. After a step that a time limit cut, terminated is False, and the potential counts, in
    the last row too. gamma: float from 0 to 1.

    Returns a new tensor [T, N] in the dtype of the rewards; the inputs stay as they are.

    Example: reward 1, a potential of -4 before and -2 after, and gamma 0.5 give 1 + 0.5 * -2 - -4 = 4; with terminated
    they give 1 - -4 = 5.
    """
    ### BEGIN SOLUTION
    return rewards + gamma * next_potentials * ~terminated - potentials
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-shaped_rewards", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("shaped_rewards", shaped_rewards)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("shaped_rewards", shaped_rewards).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## The clinic
#
# A patient is a program that trains without an error message, and has one bug in one function. Each visit has four steps:
#
# 1. **Examine.** You get the panels of ten runs beside those of ten healthy ones.
# 2. **Commit.** Name the bug, and say how sure you are, from 0 to 1. The code stays closed until you have named it, or have
#    been wrong twice.
# 3. **Open.** Now you see the function. Copy it over the cell below.
# 4. **Mend, and check.** The check calls your function on hidden inputs, which have to stay as they are.
#    `clinic.train("patient_01", patient_01)` trains an agent with it in a few seconds, for certainty and not for points.
# {{# design}}
#
# Hints are about the code, so take them after you have opened it. A guess at 50 % is honest; a guess at 95 % costs you in the
# score at the end. {{# design}}
#
# Everybody has an order of their own. Write your name to get the same one on every computer.

# %%
clinic.order("")

# %%
clinic.bugs()

# %% [markdown]
# ## Patient 1
#
# *2 points, about 10 minutes for the patch, difficulty 2 of 3.*

# %%
clinic.examine("patient_01")

# %% nbgrader={"grade": false, "grade_id": "patient_01-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "old-log-prob-recomputed", 0.9
### END SOLUTION
clinic.commit("patient_01", diagnosis, how_sure)

# %%
clinic.open("patient_01")


# %% nbgrader={"grade": false, "grade_id": "patient_01", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_01(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
        log_ratio = policy(obs).log_prob(actions) - old_log_prob  # against the policy that acted
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
        loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
        return loss, log_ratio.detach()

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_01", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_01", patient_01)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_01", patient_01).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ### Does it learn now?
#
# The same run, with your function in its place, and the healthy band behind it. A patch that is right brings every panel back.

# %%
clinic.train("patient_01", patient_01)

# %% [markdown]
# ## Patient 2
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_02")

# %% nbgrader={"grade": false, "grade_id": "patient_02-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "broadcasting", 0.9
### END SOLUTION
clinic.commit("patient_02", diagnosis, how_sure)

# %%
clinic.open("patient_02")


# %% nbgrader={"grade": false, "grade_id": "patient_02", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_02(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(values, returns):
        error = values.squeeze(-1) - returns.detach()  # [B]
        return 0.5 * error.square().mean()

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_02", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_02", patient_02)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_02", patient_02).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 3
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_03")

# %% nbgrader={"grade": false, "grade_id": "patient_03-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "unused-setting", 0.9
### END SOLUTION
clinic.commit("patient_03", diagnosis, how_sure)

# %%
clinic.open("patient_03")


# %% nbgrader={"grade": false, "grade_id": "patient_03", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_03(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(log_prob, old_log_prob, advantages, *, clip_coef):
        advantages = advantages.detach()
        ratio = (log_prob - old_log_prob.detach()).exp()
        clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
        return -torch.minimum(ratio * advantages, clipped * advantages).mean()

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_03", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_03", patient_03)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_03", patient_03).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 4
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_04")

# %% nbgrader={"grade": false, "grade_id": "patient_04-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "entropy-sign", 0.9
### END SOLUTION
clinic.commit("patient_04", diagnosis, how_sure)

# %%
clinic.open("patient_04")


# %% nbgrader={"grade": false, "grade_id": "patient_04", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_04(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
        advantages = advantages.detach()
        ratio = (log_prob - old_log_prob.detach()).exp()
        clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
        policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
        return policy_loss - ent_coef * entropy.mean()  # a bonus makes the loss smaller

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_04", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_04", patient_04)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_04", patient_04).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 5
#
# *2 points, about 10 minutes for the patch, difficulty 2 of 3.*

# %%
clinic.examine("patient_05")

# %% nbgrader={"grade": false, "grade_id": "patient_05-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "truncation-as-termination", 0.9
### END SOLUTION
clinic.commit("patient_05", diagnosis, how_sure)

# %%
clinic.open("patient_05")


# %% nbgrader={"grade": false, "grade_id": "patient_05", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_05(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
        running = (~(terminated | truncated)).to(rewards.dtype)  # does the next row belong to the same episode?
        deltas = (rewards + gamma * next_values * ~terminated - values).detach()  # is there a future?
        advantages = torch.zeros_like(deltas)
        following = torch.zeros_like(deltas[0])
        for t in reversed(range(len(deltas))):
            following = deltas[t] + gamma * gae_lambda * running[t] * following
            advantages[t] = following
        return advantages

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_05", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_05", patient_05)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_05", patient_05).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 6
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_06")

# %% nbgrader={"grade": false, "grade_id": "patient_06-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "softmax-twice", 0.9
### END SOLUTION
clinic.commit("patient_06", diagnosis, how_sure)

# %%
clinic.open("patient_06")


# %% nbgrader={"grade": false, "grade_id": "patient_06", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_06(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(scores):
        return scores - scores.logsumexp(dim=-1, keepdim=True)

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_06", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_06", patient_06)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_06", patient_06).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 5 minutes.* A run of yours stays at a return of 20, and you have one hour. Which of these do you do first, and
# what would each outcome tell you?
#
# 1. Try learning rates of 1e-2, 1e-3 and 1e-4, one seed each.
# 2. Train the same code on an environment of one step, in which one of two actions pays.
# 3. Look at approximate KL, entropy and explained variance of the run that you have.
# 4. Rewrite the advantages.
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# Third, then second. The run that you have costs nothing to look at: a KL of 0 says that the policy does not move, an explained
# variance near 0 that the critic is no help, an early collapse of the entropy that something rewards certainty. Each halves the
# list of suspects. The one-step environment comes next: it needs no bootstrap and no critic, so whether it is learned splits
# the rest into two. Three learning rates with one seed each confuse luck with cause, and say nothing about a bug that holds for
# all of them. Rewriting a part that nobody suspects adds new bugs. {{# advice}}
#
# </details>

# %% [markdown]
# ## Patient 7
#
# *2 points, about 10 minutes for the patch, difficulty 2 of 3.*

# %%
clinic.examine("patient_07")

# %% nbgrader={"grade": false, "grade_id": "patient_07-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "missing-parameters", 0.9
### END SOLUTION
clinic.commit("patient_07", diagnosis, how_sure)

# %%
clinic.open("patient_07")


# %% nbgrader={"grade": false, "grade_id": "patient_07", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_07(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(parameters, learning_rate):
        parameters = list(parameters)  # a generator can be gone through only once
        matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
        vectors = [parameter for parameter in parameters if parameter.ndim < 2]
        return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_07", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_07", patient_07)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_07", patient_07).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 8
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_08")

# %% nbgrader={"grade": false, "grade_id": "patient_08-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "advantage-sign", 0.9
### END SOLUTION
clinic.commit("patient_08", diagnosis, how_sure)

# %%
clinic.open("patient_08")


# %% nbgrader={"grade": false, "grade_id": "patient_08", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_08(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(log_prob, old_log_prob, advantages, *, clip_coef):
        advantages = advantages.detach()
        ratio = (log_prob - old_log_prob.detach()).exp()
        plain_loss = -advantages * ratio
        clipped_loss = -advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
        return torch.max(plain_loss, clipped_loss).mean()

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_08", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_08", patient_08)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_08", patient_08).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 9
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_09")

# %% nbgrader={"grade": false, "grade_id": "patient_09-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "log-prob-not-summed", 0.9
### END SOLUTION
clinic.commit("patient_09", diagnosis, how_sure)

# %%
clinic.open("patient_09")


# %% nbgrader={"grade": false, "grade_id": "patient_09", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_09(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(mean, log_std, action):
        z = (action - mean) / log_std.exp()  # [B, D]
        terms = -0.5 * z.square() - log_std - 0.5 * np.log(2 * np.pi)
        return terms.sum(dim=-1)

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_09", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_09", patient_09)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_09", patient_09).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 10
#
# *2 points, about 8 minutes for the patch, difficulty 1 of 3.*

# %%
clinic.examine("patient_10")

# %% nbgrader={"grade": false, "grade_id": "patient_10-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "slow-critic", 0.9
### END SOLUTION
clinic.commit("patient_10", diagnosis, how_sure)

# %%
clinic.open("patient_10")


# %% nbgrader={"grade": false, "grade_id": "patient_10", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_10(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(policy, critic, *, policy_lr, critic_lr):
        policy_optimizer = torch.optim.Adam(policy.parameters(), lr=policy_lr, eps=1e-5)
        critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr, eps=1e-5)
        return policy_optimizer, critic_optimizer

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_10", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_10", patient_10)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_10", patient_10).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 11
#
# *2 points, about 10 minutes for the patch, difficulty 2 of 3.*

# %%
clinic.examine("patient_11")

# %% nbgrader={"grade": false, "grade_id": "patient_11-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "clipped-action-log-prob", 0.9
### END SOLUTION
clinic.commit("patient_11", diagnosis, how_sure)

# %%
clinic.open("patient_11")


# %% nbgrader={"grade": false, "grade_id": "patient_11", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_11(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(mean, log_std, noise, *, bound):
        std = log_std.exp()
        action = mean + std * noise  # as drawn: the environment clips for itself
        log_prob = torch.distributions.Normal(mean, std).log_prob(action).sum(-1)
        return action, log_prob

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_11", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_11", patient_11)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_11", patient_11).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Patient 12
#
# *2 points, about 10 minutes for the patch, difficulty 2 of 3.*

# %%
clinic.examine("patient_12")

# %% nbgrader={"grade": false, "grade_id": "patient_12-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
diagnosis, how_sure = "", 0.5  # an id of the list, and a number from 0 to 1
### BEGIN SOLUTION
diagnosis, how_sure = "gaussian-entropy", 0.9
### END SOLUTION
clinic.commit("patient_12", diagnosis, how_sure)

# %%
clinic.open("patient_12")


# %% nbgrader={"grade": false, "grade_id": "patient_12", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patient_12(*inputs, **settings):
    """Copy the patient's function over this cell, and mend it. Its docstring says what it has to do."""

    ### BEGIN SOLUTION
    def mended(logits):
        log_prob = logits.log_softmax(dim=-1)
        return -(log_prob.exp() * log_prob).sum(dim=-1)

    return mended(*inputs, **settings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-patient_12", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("patient_12", patient_12)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("patient_12", patient_12).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Finale: your record
#
# What you said of each patient, and how sure you were. The Brier score is the mean of (how sure - right)², with right 1 or 0:
# it is small for who is sure where they are right, and unsure where they are not.

# %%
clinic.report()

# %% [markdown]
# **Next**: unit 07, which asks when a curve can be trusted.
