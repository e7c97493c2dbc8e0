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
# # 09 Exercises: train a language model
#
# Eight functions, about 100 minutes: what a model thinks of an answer, two ways to say how good the answer was, the loss, the
# distance from where training began, a reward learnt from comparisons, and an honest count of successes. At the end three of
# them train a small transformer, and you read its answers while they change. The lesson is
# [09 Language models](../notebooks/09_language_models.ipynb).
#
# As before: write, run, check. `hint("answer_log_prob")` gives the next hint, `solution("answer_log_prob")` says how to
# see a solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks.
#
# Everywhere: $B$ answers lie in rows of $T$ places, as many as an answer may have tokens. A row of `mask` `[B, T]` is True on the tokens of its answer, the one
# that ends it included, one or more, and False on what fills the row up. Logits, log-probabilities and rewards are finite numbers in
# float32 or float64, what fills the rows up included, and a result has the dtype of its inputs. Tokens lie between 0 and $V - 1$. {{# design}}

# %%
import math

import torch

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Fill in the table
#
# *No points, 5 minutes.* Write each word of the course in the words of a language model that answers a prompt and is marked right
# or wrong at the end.
#
# | in CartPole | in a language model |
# |---|---|
# | state | ? |
# | action | ? |
# | how the next state follows | ? |
# | episode | ? |
# | terminated | ? |
# | reward of each step | ? |
# | discount $\gamma$ | ? |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# The state is the prompt and all tokens so far; an action is the next token, one of the vocabulary. The next state follows without
# chance: the token is appended. An episode is one answer, and it terminates at the END token; an answer that is cut off at the
# longest allowed length ends as well, and is marked as it stands. The reward is 0 at every token but the last, where it is the
# mark. $\gamma$ is 1: a right answer is worth the same however long it is.
#
# </details>
#
# ## Exercise 1: what the model thinks of an answer
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# A transformer that reads a text gives logits at every place: those of the token that comes *next*. One pass over prompt and
# answer therefore holds the log-probability of each token of the answer. Before you write, say at which place of the text the
# logits of the answer's first token stand.


# %% nbgrader={"grade": false, "grade_id": "answer_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def answer_log_prob(logits, tokens, mask):
    """log pi(token | prompt, tokens before it) of each token of B answers.

    logits: [B, P + T, V], what the model gave after reading P tokens of a prompt and then the T tokens of the answer; those at a
    place are for the token that follows it. tokens: [B, T], int64, the answers. mask: [B, T], bool, True on the
    first tokens of each row, one or more.
    Returns [B, T], differentiable in logits: natural logarithms where the mask is True, and 0 where it is False. They stay
    finite for logits of 1e4 and -1e4. The inputs stay as they are.

    Example: with logits [[[0, 0], [0, 1.0986], [5, 5]]] (P = 1, T = 2, V = 2; e**1.0986 is 3), tokens [[1, 1]] and mask [[True,
    True]] the answer is [[-0.693, -0.288]]: log 1/2, then log 3/4. The last place says what would follow, and is not used.
    """
    ### BEGIN SOLUTION
    length = tokens.shape[1]
    before = logits[:, -length - 1 : -1]
    log_prob = before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return torch.where(mask, log_prob, 0.0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-answer_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("answer_log_prob", answer_log_prob)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("answer_log_prob", answer_log_prob).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: leave one out
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# Ask the same prompt $M$ times, and the other answers are a baseline for this one. With pen and paper: rewards 1, 1, 0, 0 to one
# prompt. What are the four advantages, and what is their sum?


# %% nbgrader={"grade": false, "grade_id": "leave_one_out", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leave_one_out(rewards):
    """The reward of each answer less the mean of the other answers to the same prompt.

    rewards: [P, M], float: M answers, 2 or more, to each of P prompts. They stay as they are.
    Returns [P, M]. Prompts have nothing to do with each other.

    Example: [[1, 0, 0, 0], [2, 4, 2, 4]] give [[1, -1/3, -1/3, -1/3], [-4/3, 4/3, -4/3, 4/3]].
    """
    ### BEGIN SOLUTION
    others = rewards.shape[1] - 1
    return rewards - (rewards.sum(1, keepdim=True) - rewards) / others
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-leave_one_out", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("leave_one_out", leave_one_out)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("leave_one_out", leave_one_out).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: advantages of a group, normalised
#
# *2 points, about 10 minutes, difficulty 1 of 3.*
#
# GRPO divides by the spread of the group. Think first of a group whose answers are all right: what is its spread, and what should
# its advantages be?


# %% nbgrader={"grade": false, "grade_id": "group_normalized", "locked": false, "schema_version": 3, "solution": true, "task": false}
def group_normalized(rewards, *, eps):
    """The reward of each answer less the mean of its group, over the group's standard deviation plus eps.

    rewards: [P, M], float: M answers, 2 or more, to each of P prompts; a group is a row. They stay as they are. eps: float, added
    to the deviation, above 0.
    The deviation divides by M or by M - 1, as you like. A group whose rewards are all equal gets zeros, up to rounding.
    Returns [P, M].

    Example: [[1, 0], [1, 1]] and eps 0.0001 give [[0.707, -0.707], [0, 0]] if you divide by M - 1, [[1, -1], [0, 0]] if by M.
    """
    ### BEGIN SOLUTION
    deviation = rewards.std(1, keepdim=True)
    return (rewards - rewards.mean(1, keepdim=True)) / (deviation + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-group_normalized", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("group_normalized", group_normalized)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("group_normalized", group_normalized).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the clipped loss, token by token
#
# *3 points, about 15 minutes, difficulty 2 of 3.*
#
# Each token has its own ratio, and all tokens of an answer share the answer's advantage. How the tokens are averaged is a choice;
# here every token counts the same, in whatever answer it stands. {{# design}}


# %% nbgrader={"grade": false, "grade_id": "clipped_token_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clipped_token_loss(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Minus the clipped objective of each token, summed over the tokens of the mask, divided by B T.

    log_prob: [B, T], differentiable, of each token under the policy that is being trained. old_log_prob: [B, T], under the policy
    that chose it. advantages: [B], one an answer. mask: [B, T], bool, True on the first tokens of each row, one
    or more; what stands where it is False lies between -50 and 0 and counts for nothing. clip_coef: float.

    A token's objective is min(rho A, clip(rho, 1 - clip_coef, 1 + clip_coef) A), with rho = exp(log_prob - old_log_prob) of that
    token and A of its answer. The divisor is B T, the number of all places, so that no answer's length changes what another counts.
    Returns a scalar tensor (0-d). Its gradient flows into log_prob alone; the inputs stay as they are. Log-probabilities may be as low
    as -200.

    Example: log_prob [[-1, -0.5945], [-1, -1]], old_log_prob all -1, advantages [1, -2], mask [[True, True], [True, False]] and
    clip_coef 0.2 give -0.05: the ratios 1 and 1.5 (cut to 1.2) of the first answer are worth 2.2, the one token of the second -2,
    and -(2.2 - 2) / 4 is -0.05.
    """
    ### BEGIN SOLUTION
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-clipped_token_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("clipped_token_loss", clipped_token_loss)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("clipped_token_loss", clipped_token_loss).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: three estimates of a distance
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# Tokens are drawn from $p$, the model; $q$ is the reference. The lesson shows that two of the three estimates are right on
# average and the other nearly, and that their gradients are of three different things. Write them so that both can be seen.


# %% nbgrader={"grade": false, "grade_id": "kl_estimates", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl_estimates(log_prob, reference_log_prob):
    """The estimates k1, k2 and k3 of KL(p, q) from tokens that were drawn from p, one each for every token.

    log_prob: log p of the tokens, any shape, differentiable. reference_log_prob: log q of the same tokens, the same shape.
    Returns a dict with three tensors of that shape: "k1" is log p - log q, "k2" is half of its square, and "k3" is
    q/p - 1 - log(q/p). Each is differentiable in log_prob; no gradient flows into reference_log_prob. The inputs stay as they are.
    Log-probabilities may be as low as -200, as long as q/p fits into the dtype.

    Example: log_prob [-1] and reference_log_prob [-2] give k1 [1], k2 [0.5] and k3 [0.368], because exp(-1) - 1 + 1 = 0.368.
    """
    ### BEGIN SOLUTION
    difference = log_prob - reference_log_prob.detach()
    return {"k1": difference, "k2": difference.square() / 2, "k3": (-difference).exp() - 1 + difference}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-kl_estimates", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("kl_estimates", kl_estimates)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("kl_estimates", kl_estimates).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the distance as a part of the reward
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# The answer's mark comes once, at its end. What a token costs in distance from the reference can be taken where it arises. {{# wording}}


# %% nbgrader={"grade": false, "grade_id": "rewards_with_kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """The reward of each token: minus kl_coef times (log p - log q) everywhere, and the answer's mark on its last token.

    rewards: [B], the marks. log_prob: [B, T], log p of the tokens under the model that chose them. reference_log_prob: [B, T], log q
    under the reference. mask: [B, T], bool, True on the first tokens of each row, one or more. kl_coef: float, 0 or more.
    Returns [B, T], 0 where the mask is False. Rewards are data: no gradient flows into any input, and the inputs stay as they are.

    Example: rewards [1], log_prob [[-1, -1, 0]], reference_log_prob [[-2, -0.5, 0]], mask [[True, True, False]] and kl_coef 0.1
    give [[-0.1, 1.05, 0]].
    """
    ### BEGIN SOLUTION
    distance = (log_prob - reference_log_prob).detach()
    of_tokens = torch.where(mask, -kl_coef * distance, 0.0)
    last = mask.sum(1) - 1
    of_tokens[torch.arange(len(rewards)), last] += rewards.detach()
    return of_tokens
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-rewards_with_kl", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("rewards_with_kl", rewards_with_kl)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("rewards_with_kl", rewards_with_kl).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: a reward from comparisons
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# Somebody said of two answers which is better. The model of Bradley and Terry says how likely that was, given a score of each.
# {{# design}}


# %% nbgrader={"grade": false, "grade_id": "bradley_terry_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bradley_terry_loss(chosen, rejected):
    """Minus the mean of log sigmoid(chosen - rejected): how surprising the preferences are, in nats a pair.

    chosen: [B], the scores of the answers that were preferred. rejected: [B], of those that were not, pair by pair.
    Returns a scalar tensor (0-d), differentiable in both. It stays finite for scores of 1e4 and -1e4, and the gradient with it.
    The inputs stay as they are.

    Example: chosen [2, 0] and rejected [0, 0] give 0.41, the mean of 0.127 and 0.693.
    """
    ### BEGIN SOLUTION
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-bradley_terry_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("bradley_terry_loss", bradley_terry_loss)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("bradley_terry_loss", bradley_terry_loss).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: right at least once
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# $n$ answers to a prompt were drawn, and $c$ of them are right. How likely is it that $k$ of them, chosen at random, hold a right
# one? Count first, with pen and paper: $n = 4$, $c = 2$ and $k = 2$. How many pairs are there, and how many hold no right answer?


# %% nbgrader={"grade": false, "grade_id": "pass_at_k", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pass_at_k(num_answers, num_right, k):
    """The share of the sets of k among n answers that hold a right one: 1 - C(n - c, k) / C(n, k).

    num_answers: n. num_right: c, from 0 to n. k: from 1 to n. All three are Python ints, n up to 1000.
    Returns a Python float between 0 and 1. Raises ValueError for a k greater than n or smaller than 1.

    Example: n = 3, c = 1 and k = 2 give 0.667: of the three pairs two hold the right answer.
    """
    ### BEGIN SOLUTION
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k} with {num_answers} answers; use 1 to {num_answers}")
    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-pass_at_k", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("pass_at_k", pass_at_k)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("pass_at_k", pass_at_k).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 8 minutes.* For each, say what you would change, and by which measurement you would know.
#
# 1. Success on the training prompts is at 99 %, and in 97 of 100 groups all answers are right.
# 2. The mean reward of a learnt reward model has doubled, and the answers have become worse to read.
# 3. pass@1 rises from 5 % to 60 %, while pass@64 falls from 80 % to 65 %. {{# question}}
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# 1. Groups that are all right have advantage 0 and teach nothing. Ask harder prompts, or more of those that are answered right now
#    and then; the share of groups with mixed rewards tells. 2. The policy is where nobody compared answers. Hold it closer to
#    the reference (a larger KL coefficient, or stop at a budget), compare answers of the *present* policy and fit the reward again;
#    a check that the policy is not trained on tells which of the two has helped. 3. Training made answers likelier that the base
#    model had already, and gave others up. If several tries are allowed, stop earlier, or hold it closer to the reference; pass@64 on
#    prompts that are not trained on tells. {{# advice}}
#
# </details>
#
# ## Finale: your functions train a language model
#
# A transformer of 30,000 parameters has imitated somebody who sorts six digits and puts two of them in the wrong places most of
# the time. `answer_log_prob`, `leave_one_out` and `clipped_token_loss` do the rest: 150 updates of 32 prompts with 8 answers each.
# Your curve appears on the band of the reference's runs, and below it the model's answers, update by update. A function that is not
# written yet is named; a wrong one gives a curve as far as it got.

# %%
finale.language(answer_log_prob=answer_log_prob, leave_one_out=leave_one_out, clipped_token_loss=clipped_token_loss)

# %% [markdown]
# **Next**: the closing project of [unit 07](../notebooks/07_trustworthy_experiments.ipynb) takes a task of your own; a verifier of
# three lines and `pgcourse.language` are enough for one.
