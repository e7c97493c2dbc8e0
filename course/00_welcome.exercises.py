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
# # 00 Exercises: a policy, how undecided it is, and one step of learning
#
# Three functions, about 45 minutes. They are the smallest parts that every policy-gradient method is made of, and you
# will call them, or their like, in every later unit. The lesson is [00 Welcome](../notebooks/00_welcome.ipynb).
# {{# wording}}
#
# **How it works.** Replace each `raise NotImplementedError(...)` by your own code, run the cell, then run the check below
# it. A check has three answers:
#
# - *not attempted*: the function still is as you found it;
# - *correct*, with its points;
# - *not yet*, with the smallest input that fails, what came out and what should have, and, where it recognises a common
#   mistake in your numbers, what happened. {{# design}}
#
# Stuck? `hint("categorical_entropy")` gives the next of three hints, from a nudge to nearly the code.
# `solution("categorical_entropy")` says how to see a solution. Nothing counts against you. Your progress is kept on your
# own disk; `pgcourse progress` in a terminal shows it.
#
# Write it in whatever style you like. A check compares values and gradients, not code. In exercises 1 and 2 the one-line call
# of `torch.distributions.Categorical` passes too; write the formula yourself.

# %%
import torch

from pgcourse.checks import check, hint, solution

# %% [markdown]
# ## Exercise 1: log-probability of an action
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# Learning from an action needs the logarithm of its probability, and the gradient of it. In the lesson you saw the
# formula, log softmax. Written down naively, it breaks as soon as a network is sure of itself. Yours will not.
# {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "categorical_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def categorical_log_prob(logits, action):
    """Log-probability of the chosen action in each row, log softmax(logits)[action].

    logits: [B, A], unnormalised, float32 or float64. action: [B], int64, each in 0 ... A-1.
    Returns [B] in the dtype of logits, differentiable in logits, and finite for logits as large as 10,000 or as small as
    -10,000. The inputs stay as they are.

    Example: logits [[0, log 3]] have probabilities 1/4 and 3/4; action [0] gives [log 1/4] = [-1.386].
    """
    ### BEGIN SOLUTION
    log_prob = logits.log_softmax(dim=-1)  # [B, A]
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-categorical_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("categorical_log_prob", categorical_log_prob)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("categorical_log_prob", categorical_log_prob).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: entropy
#
# *2 points, about 15 minutes, difficulty 2 of 3.*
#
# How undecided is a policy? Entropy says it in one number: 0 when it always does the same, log A when all A actions are
# equally likely. You will watch it fall in every training run, and it is the first thing to look at when one is stuck.
# Some environments forbid actions by a logit of minus infinity, so your function must live with those.


# %% nbgrader={"grade": false, "grade_id": "categorical_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def categorical_entropy(logits):
    """Entropy in nats of each row's softmax distribution: minus the sum over actions of p log p.

    logits: [B, A], unnormalised, float32 or float64. Returns [B] (no mean over the batch) in the dtype of logits,
    differentiable in logits; the logits stay as they are. A logit of -inf contributes 0: neither the value nor the
    gradient may become NaN. Logits of 10,000 and -10,000 are allowed as well.

    Example: logits [[0, 0]] give [log 2] = [0.693]; so do logits [[0, 0, -inf]].
    """
    ### BEGIN SOLUTION
    log_prob = logits.log_softmax(dim=-1)  # [B, A]
    # Where p = 0, 0 * -inf would be NaN; replacing the factor keeps the gradient clean too.
    finite = log_prob.masked_fill(log_prob == -torch.inf, 0)
    return -(log_prob.exp() * finite).sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-categorical_entropy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("categorical_entropy", categorical_entropy)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("categorical_entropy", categorical_entropy).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Fill in the shapes
#
# *No points, 3 minutes.* Before the next exercise, take a pencil. A batch of B = 32 observations of CartPole (D = 4
# numbers each, A = 2 actions) goes through a policy. Which shapes have
#
# 1. the observations, 2. the logits, 3. the sampled actions, 4. `categorical_log_prob(logits, action)`,
# 5. `categorical_entropy(logits)`, 6. weights, one for each action, with which 4 can be multiplied safely?
#
# <details><summary>Answer</summary>
#
# 1. `[32, 4]`, 2. `[32, 2]`, 3. `[32]`, 4. `[32]`, 5. `[32]`, 6. `[32]`. With weights of `[32, 1]` the product would be
# `[32, 32]`: every action with every weight, and no error message. It is among the most common bugs in this field.
#
# </details>

# %% [markdown]
# ## Exercise 3: learn from one pull
#
# *2 points, about 10 minutes, difficulty 1 of 3.*
#
# The three-armed bandit of the lesson learnt by one line, repeated. Write that line, with the gradient by hand: no
# autograd is needed, because the gradient of log softmax is short enough to remember.


# %% nbgrader={"grade": false, "grade_id": "bandit_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bandit_step(logits, action, reward, *, learning_rate):
    """One REINFORCE step: logits + learning_rate * reward * (onehot(action) - softmax(logits)).

    logits: [A], float32 or float64. action: the arm that was pulled, an int. reward: what it paid, a float.
    Returns the new logits, [A], in the same dtype; the given ones stay as they are.

    Example: logits [0, 0], action 1, reward 1 and learning_rate 0.5 give [-0.25, 0.25].
    """
    ### BEGIN SOLUTION
    score = -logits.softmax(dim=-1)  # [A]
    score[action] += 1
    return logits + learning_rate * reward * score
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-bandit_step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("bandit_step", bandit_step)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("bandit_step", bandit_step).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 5 minutes.* All three arms of a bandit pay between 1 and 3, so every reward is positive and every pull pushes
# the pulled arm up. A friend concludes: "Then it cannot learn; it reinforces whatever it happens to do." Is this so? Choose
# *never learns*, *learns, but noisily* or *learns as well as with rewards around 0*, and write two sentences why.
# {{# question}}
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# *Learns, but noisily.* On average over the policy's own pulls, the step of an arm is p(arm) times how much its reward
# exceeds the policy's mean reward: arms compete, since raising one lowers the others through the softmax, and the better
# arm is raised more. A single step, though, favours whichever arm was pulled, so early luck is reinforced too; subtracting
# a baseline (unit 02) removes much of this noise. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Your functions at work
#
# Your three functions play the bandit for 2,000 pulls: arms that pay 1, 2 and 3 on average. Does the policy find the best
# arm? Watch the entropy fall from log 3 = 1.10. {{# question}}


# %%
def play_bandit(pulls=2000, learning_rate=0.02, seed=0):
    """Let the learner's functions play; prints the probabilities and the entropy now and then."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.tensor([1.0, 2.0, 3.0])
    logits = torch.zeros(3)
    for pull in range(pulls + 1):
        probabilities = torch.stack(
            [categorical_log_prob(logits[None], torch.tensor([arm]))[0] for arm in range(3)]
        ).exp()
        if pull % 500 == 0:
            shown = "  ".join(f"{probability:.2f}" for probability in probabilities.tolist())
            print(f"pull {pull:5d}   probabilities {shown}   entropy {categorical_entropy(logits[None])[0].item():.2f}")
        arm = int(torch.multinomial(probabilities, 1, generator=generator))
        reward = means[arm].item() + torch.randn((), generator=generator).item()
        logits = bandit_step(logits, arm, reward, learning_rate=learning_rate)


try:
    play_bandit()
except NotImplementedError as stub:
    print("not attempted:", stub)

# %% [markdown]
# **Next**: [unit 01](../notebooks/01_reinforce.ipynb), where one pull becomes an episode.
