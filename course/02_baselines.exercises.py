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
# # 02 Exercises: write a baseline
#
# Five functions, about 85 minutes. The first says what the best constant baseline is; the next two are the parts of a
# learnt one; the fourth measures what it buys; the fifth is the whole update, and at the end it trains an agent on
# CartPole. The lesson is [02 Baselines](../notebooks/02_baselines.ipynb). {{# wording}}
#
# As before: write, run, check. `hint("value_loss")` gives the next hint, `solution("value_loss")` says how to see a
# solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks.
#
# From [unit 01](01_reinforce.ipynb) you need three functions again. The package's own are imported here; `normalize` is
# what you called `standardize`.

# %%
import torch

from pgcourse.checks import check, hint, solution
from pgcourse.losses import reinforce_loss
from pgcourse.returns import discounted_returns, normalize
from pgcourse.show import finale

# %% [markdown]
# ## Exercise 1: the constant with the least variance
#
# *2 points, about 15 minutes, difficulty 2 of 3.*
#
# Subtract any number $b$ from the return, and the expected gradient stays what it was: the lesson proves it. The variance
# does not. For one sample with score $\psi = \nabla \log \pi$ the estimate is $\psi\,(G - b)$. Its expected squared length,
#
# $$E\big[\lVert \psi \rVert^2 (G - b)^2\big],$$
#
# is a parabola in $b$, and where its slope is 0 lies the best constant: {{# mathematics}}
#
# $$b^* = \frac{E\big[\lVert \psi \rVert^2\, G\big]}{E\big[\lVert \psi \rVert^2\big]}.$$
#
# With pen and paper: differentiate the first line by $b$ and arrive at the second. Then write it.


# %% nbgrader={"grade": false, "grade_id": "optimal_constant_baseline", "locked": false, "schema_version": 3, "solution": true, "task": false}
def optimal_constant_baseline(scores, returns):
    """The constant that leaves the least variance in the gradient estimate: E[|psi|^2 G] / E[|psi|^2].

    scores: [M, P], one row psi a sample: the gradient of its log-probability with respect to the P parameters, of squared
    length |psi|^2. returns: [M]. Both are float32 or float64, and stay as they are. The expectations are means
    over the M samples. Returns a scalar (0-d tensor or Python float), in units of reward. Where all scores are 0 it is 0.

    Example: scores [[1], [2]] and returns [1, 6] give 5, from (1 * 1 + 4 * 6) / (1 + 4). The mean return is 3.5.
    """
    ### BEGIN SOLUTION
    weights = scores.square().sum(dim=1)  # [M], squared lengths
    total = weights.sum()
    if total == 0:
        return torch.zeros_like(total)
    return (weights * returns).sum() / total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-optimal_constant_baseline", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("optimal_constant_baseline", optimal_constant_baseline)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("optimal_constant_baseline", optimal_constant_baseline).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: advantages
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# One constant serves every state alike. A network $V(s)$ can do better: it says what to expect *here*, and what is left,
# $G_t - V(s_t)$, is how much better it went than expected: the **advantage**. Two things go wrong silently. The values
# come from a network, and the policy's loss must not train it. And a network's last layer gives `[B, 1]`, not `[B]`. {{# wording}}
#
# **First fill in the shapes.** Write yours down, then unfold. What is the shape of `returns - values` for
#
# | `returns` | `values` | `returns - values` |
# |---|---|---|
# | `[8]` | `[8]` | ? |
# | `[8]` | `[8, 1]` | ? |
# | `[8, 1]` | `[8]` | ? |
# | `[8]` | `[1]` | ? |
# | `[8]` | `[8, 1]`, after `.squeeze(-1)` | ? |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# `[8]`, `[8, 8]`, `[8, 8]`, `[8]`, `[8]`. Broadcasting lines shapes up at the last axis and stretches every axis of size 1.
# Rows two and three give 64 numbers: every return minus every value. Nothing complains, and the mean over the 64 is the
# right mean, so a loss looks normal. Row four is allowed and is one constant for all. That is why the functions below
# compare shapes first.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "advantages_with_baseline", "locked": false, "schema_version": 3, "solution": true, "task": false}
def advantages_with_baseline(returns, values):
    """How much better each step went than the critic had said: return minus value.

    returns: [B]. values: [B], what the critic says of the same states, still attached to it. Both in units of reward.
    Returns a new tensor [B] in their dtype, in the same units: not centred, not scaled; the inputs stay as they are. No
    gradient flows into values. Values of shape [B, 1] raise ValueError, because [B] - [B, 1] would be [B, B].

    Example: returns [10, 4, 7] and values [8, 5, 7] give [2, -1, 0].
    """
    ### BEGIN SOLUTION
    if returns.shape != values.shape:
        raise ValueError(f"returns have shape {list(returns.shape)}, values {list(values.shape)}; they must be equal")
    return returns - values.detach()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-advantages_with_baseline", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("advantages_with_baseline", advantages_with_baseline)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("advantages_with_baseline", advantages_with_baseline).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the critic's loss, and find the bugs
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# V(s) is the mean of the returns that follow s. Least squares finds means, so the critic minimises a squared error. Here is
# a version that somebody wrote in a hurry; the critic gives `[B, 1]`, the returns are `[B]`:
#
# ```python
# def value_loss(values, returns):
#     return ((values.detach() - returns) ** 2).mean()
# ```
#
# It runs, and it has three mistakes. Find them, then write your own.


# %% nbgrader={"grade": false, "grade_id": "value_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def value_loss(values, returns):
    """Half the mean squared error between the values and the returns that they should predict.

    values: [B], differentiable. returns: [B], the target. Returns a scalar tensor (0-d), in units of reward squared. Its
    gradient flows into values and not into returns; the inputs stay as they are. Unequal shapes, [B] against [B, 1] in
    either order, raise ValueError.

    Example: values [1, 2] and returns [3, 2] give 1, from (4 + 0) / 2 / 2.
    """
    ### BEGIN SOLUTION
    if values.shape != returns.shape:
        raise ValueError(f"values have shape {list(values.shape)}, returns {list(returns.shape)}; they must be equal")
    return 0.5 * (values - returns.detach()).square().mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-value_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("value_loss", value_loss)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("value_loss", value_loss).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>The three mistakes</summary>
#
# 1. The wrong tensor is detached: no gradient reaches the critic, and `backward` raises an error or the critic never
# moves. 2. `[B, 1]` against `[B]` compares every value with every return. The loss is smallest where all values equal the
# mean return, so the critic forgets the state; you would see an explained variance that stays at 0. 3. The half is
# missing: every gradient is twice as long. Adam hides that, plain SGD does not. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 4: measure the variance
#
# *2 points, about 10 minutes, difficulty 1 of 3.*
#
# "Less variance" is a claim about a number, so compute it. M estimates of the same gradient, each a vector of P entries,
# scatter around their mean. One number says how far: the sum of the P variances, which is the trace of the covariance
# matrix, and, but for the division by M - 1, the mean squared distance from the mean gradient. {{# wording}}


# %% nbgrader={"grade": false, "grade_id": "gradient_variance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_variance(gradients):
    """The variance of a gradient estimate: the trace of the covariance matrix of its entries.

    gradients: [M, P], one row an estimate of the same gradient, M at least 2; float32 or float64, and they stay as they are.
    Returns a scalar (0-d tensor or Python float): the variance of each column, unbiased (divided by M - 1), summed over
    the P columns.

    Example: [[1, 2], [3, 6], [2, 4]] gives 5: the columns have variances 1 and 4.
    """
    ### BEGIN SOLUTION
    return gradients.var(dim=0).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gradient_variance", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("gradient_variance", gradient_variance)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("gradient_variance", gradient_variance).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# **Try both together.** A policy with one parameter chooses between two actions with probability one half each. Its score is
# +0.5 or -0.5, and the return is 100 for the first action and 90 for the second. The cell draws 1,000 samples and prints the
# variance without a baseline and with yours.

# %%
try:
    action = torch.rand(1000, generator=torch.Generator().manual_seed(0)) < 0.5
    scores = torch.where(action, 0.5, -0.5)[:, None]  # [M, 1]
    returns = torch.where(action, 100.0, 90.0)  # [M]
    b = optimal_constant_baseline(scores, returns)
    for name, weight in (("no baseline", returns), ("your constant", returns - b)):
        estimates = scores * weight[:, None]
        print(f"{name:14s} mean {estimates.mean():6.2f}   variance {gradient_variance(estimates):10.2f}")
except NotImplementedError as stub:
    print("not attempted:", stub)

# %% [markdown]
# Both means estimate 2.5, half of half the difference of 10; without a baseline you see it only through noise of a standard
# deviation near 47. With two equally long scores the best constant is the mean return, and here it leaves next to no
# variance at all. In CartPole it leaves a share of {{baselines:ladder/150/best.value}} at the second stage of the lesson's
# ladder: what to expect depends on the state, and luck remains. {{# computed}}

# %% [markdown]
# ## Order the lines
#
# *No points, 8 minutes.* Here are the lines of the update, shuffled. Put them into an order that works. Then find the two
# lines that must not change places although nothing would raise an error.
#
# | line | |
# |---|---|
# | A | `policy_loss.backward(); policy_optimizer.step()` |
# | B | `advantages = normalize(advantages_with_baseline(returns, values))` |
# | C | repeat `critic_steps` times: clear, `value_loss(critic(obs), returns).backward()`, `critic_optimizer.step()` |
# | D | `returns = ` discounted returns of every episode, joined |
# | E | `values = critic(obs)` |
# | F | `policy_optimizer.zero_grad()` |
# | G | `policy_loss = reinforce_loss(policy(obs).log_prob(actions), advantages)` |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# D, E, B, G, F, A, C. E may come before D, F anywhere before A (after A works too, if nothing was left in
# `.grad` at the start), and C anywhere after D and E. The pair is E and C: the
# values must be asked for *before* the critic is fitted to these very returns. Asked afterwards, the critic has seen the
# answers. The part of the returns that it has memorised, luck included, is missing from the advantages. No error tells
# you, and the explained variance on this batch even looks better. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 5: the whole update
#
# *4 points, about 30 minutes, difficulty 3 of 3.*
#
# `reinforce_update` of unit 01, with two changes: the weight is the standardised advantage, and the critic gets its own
# optimiser and its own steps. Use your functions from above.


# %% nbgrader={"grade": false, "grade_id": "baseline_update", "locked": false, "schema_version": 3, "solution": true, "task": false}
def baseline_update(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """One update of REINFORCE with baseline, on complete episodes that this policy has played.

    policy: nn.Module, observations [B, D] -> Categorical. critic: nn.Module, observations [B, D] -> values [B].
    policy_optimizer, critic_optimizer: over the parameters of each. episodes: list of Episode, each with the fields
    obs [T, D], actions [T] and rewards [T]; T differs between episodes, in all there are two steps or more, and they stay as
    they are. gamma: discount of the returns, from 0 to 1. critic_steps: how many steps the critic takes, at least 1.

    The advantage of a step is its discounted return within its own episode minus what the critic says of its observation
    before the critic is fitted to this batch. Advantages are standardised over all steps of all episodes (biased or
    unbiased; all equal: 0). The policy takes one step: its loss is minus the mean of log-probability times standardised
    advantage. The critic takes critic_steps steps on half the mean squared error between its values and the returns, not
    standardised, with values computed anew for each. Every step follows the gradient of its own loss alone, not clipped,
    whatever gradients are left from before.

    Returns the tuple (policy loss, value loss), two numbers (Python floats or 0-d tensors); the value loss is the one that
    the critic's last step followed.

    Example: episodes with rewards [1] and [2, 4] and gamma = 0.5 have the returns 1, 4, 4. Where the critic says 1, 1, 2,
    the advantages are 0, 3, 2, standardised -1.336, 1.069, 0.267 (biased) or -1.091, 0.873, 0.218 (unbiased), and the
    first value loss is 13/6.
    """
    ### BEGIN SOLUTION
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])  # [B]

    advantages = normalize(advantages_with_baseline(returns, critic(obs)))  # before the critic is fitted
    policy_loss = reinforce_loss(policy(obs).log_prob(actions), advantages)
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()

    for _ in range(critic_steps):
        critic_loss = value_loss(critic(obs), returns)
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
    return policy_loss.item(), critic_loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-baseline_update", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("baseline_update", baseline_update)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("baseline_update", baseline_update).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 5 minutes.* Somebody proposes to save an optimiser: one Adam over the parameters of both networks, one loss
# `policy_loss + value_loss`, one gradient norm clipped at 0.5. Suppose that the returns are near 20 and the critic says about
# 0, as a new one does. Estimate the value loss, guess whose gradient makes up the norm that is clipped, and say in two
# sentences whether you would do it.
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# The value loss is half of 20 squared, 200, while the policy's loss of standardised advantages is of size 1 at most. What is
# clipped is the norm of a gradient, not a loss, but the gradients go the same way (lesson, section 4.5: norms of 40 to 200
# against 0.1). So nearly all of the common norm is the critic's, and clipping it at 0.5 shrinks the policy's part by the
# same factor. Two
# optimisers, each clipped by its own norm, keep the two apart and let each have its own learning rate. Adam rescales every
# parameter's step, which repairs much of the damage; unit 06 measures how much.
#
# </details>

# %% [markdown]
# ## Finale: your update, with a baseline
#
# Your update in the real training loop, on CartPole, with the package's policy and critic. Your curve appears on the band
# of the reference's runs, and below it your agent. If the function is not written yet, the cell says so; a wrong one gives
# a curve all the same, and it is worth looking at. The cell runs for half a minute, on a busy machine for up to two.

# %%
finale.baseline(baseline_update=baseline_update)

# %% [markdown]
# **Next**: [unit 03](../notebooks/03_a2c_gae.ipynb), where the critic also says what comes after the last step you saw, and an
# update need not wait for the end of an episode.
