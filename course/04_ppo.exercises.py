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
# # 04 Exercises: write PPO
#
# Nine functions, about two hours. The first four are the mathematics of one minibatch, the fifth deals the minibatches, the
# sixth is the whole update. Three belong to folded sections: actions that are not allowed (12.2), a memory (12.3), and, in lesson
# 07, networks that share layers. Twice your code trains an agent on CartPole: once the loss is there, and again at the end. {{# wording}}
# The lesson is [04 PPO](../notebooks/04_ppo.ipynb).
#
# As before: write, run, check. `hint("approx_kl")` gives the next hint, `solution("approx_kl")` says how to see a solution;
# the [exercises of unit 00](00_welcome.ipynb) explain the checks.

# %%
import torch
from torch import nn

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Exercise 1: the probability ratio
#
# *1 point, about 6 minutes, difficulty 1 of 3.*
#
# A2C throws its data away after one step, because after that step another policy acts. PPO takes many steps on the same
# data, and keeps account of how far each action's probability has moved since.


# %% nbgrader={"grade": false, "grade_id": "probability_ratio", "locked": false, "schema_version": 3, "solution": true, "task": false}
def probability_ratio(log_prob, old_log_prob):
    """How many times more likely each action is now than when it was taken: pi(a|s) / pi_old(a|s).

    log_prob: [B], of the policy as it is now, differentiable. old_log_prob: [B], of the policy that acted; data, so no
    gradient flows into it. Both float32 or both float64; they stay as they are.
    Returns [B] in the same dtype. Log-probabilities may be as low as -200, where the probabilities themselves are 0 in
    float32; the ratio is a finite number all the same, unless old_log_prob alone is so low. Nothing limits it here.

    Example: a probability that went from 1/4 to 1/2 has log_prob [-0.693], old_log_prob [-1.386] and the ratio [2].
    """
    ### BEGIN SOLUTION
    return (log_prob - old_log_prob.detach()).exp()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-probability_ratio", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("probability_ratio", probability_ratio)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("probability_ratio", probability_ratio).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Fill in the table
#
# *No points, 5 minutes.* An action has the advantage A, and its ratio is ρ; the clip is 0.2. Work out both objectives and
# the smaller of them, and say whether a gradient remains. The first row is done. {{# mathematics}}
#
# | A | ρ | ρ · A | clip(ρ) · A | the smaller | does it push on? |
# |---|---|---|---|---|---|
# | 2 | 1.5 | 3 | 2.4 | 2.4 | no: likely enough |
# | 2 | 0.5 | | | | |
# | -2 | 1.5 | | | | |
# | -2 | 0.5 | | | | |
#
# {{# mathematics}}
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# | A | ρ | ρ · A | clip(ρ) · A | the smaller | does it push on? |
# |---|---|---|---|---|---|
# | 2 | 1.5 | 3 | 2.4 | 2.4 | no: likely enough |
# | 2 | 0.5 | 1 | 1.6 | 1 | yes: a good action has become rare, bring it back |
# | -2 | 1.5 | -3 | -2.4 | -3 | yes: a bad action has become likely, bring it back |
# | -2 | 0.5 | -1 | -1.6 | -1.6 | no: rare enough |
#
# {{# mathematics}}
#
# The clipped objective is flat in ρ, so where it is the smaller one, the gradient is 0. That happens in two of the four
# corners: where the policy has gone far *in the direction that the advantage asks for*. On the way back nothing is clipped.
# {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 2: the clipped loss
#
# *3 points, about 15 minutes, difficulty 2 of 3.*
#
# The table above, for a whole batch, as a loss. It is the heart of PPO and four lines long.


# %% nbgrader={"grade": false, "grade_id": "ppo_clip_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppo_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef):
    """Minus the mean over the batch of min(rho A, clip(rho) A), where clip holds rho within 1 - clip_coef ... 1 + clip_coef.

    log_prob: [B], of the policy as it is now, differentiable. old_log_prob: [B], of the policy that acted. advantages: [B],
    used as they are given (whoever wants them normalised does it before). clip_coef: float between 0 and 1, half the width of
    the interval. All tensors have one dtype, float32 or float64, and stay as they are.
    Returns a scalar tensor (0-d) in that dtype. Its gradient flows into log_prob alone; old_log_prob and advantages are data.
    As in exercise 1, log-probabilities may be as low as -200.

    Example: one action with log_prob [-0.511], old_log_prob [-0.916] (from 0.4 to 0.6, so rho = 1.5) and clip_coef 0.2: the
    advantage [2] gives -2.4 and no gradient, the advantage [-2] gives 3 and a gradient.
    """
    ### BEGIN SOLUTION
    advantages = advantages.detach()
    ratio = probability_ratio(log_prob, old_log_prob)  # [B]
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)  # [B]
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-ppo_clip_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("ppo_clip_loss", ppo_clip_loss)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("ppo_clip_loss", ppo_clip_loss).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ### First flight
#
# Your loss in the real training loop, on CartPole; everything else is the package's. Your `gae` of unit 03 fits in as well:
# copy it into a cell above and add `gae=gae`. The cell takes about ten seconds, on a busy machine up to a minute.

# %%
finale.ppo(ppo_clip_loss=ppo_clip_loss)

# %% [markdown]
# ## Exercise 3: approximate KL divergence
#
# *2 points, about 10 minutes, difficulty 2 of 3.*
#
# The clip removes the reason to go far; it does not forbid it. So measure how far the policy went. The exact divergence
# needs all actions in all states; you have one sampled action a row. The lesson derives an estimate from these that is
# never negative.


# %% nbgrader={"grade": false, "grade_id": "approx_kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def approx_kl(log_prob, old_log_prob):
    """Estimate of KL(pi_old || pi) from actions that pi_old has taken: the mean of (rho - 1) - log rho (the estimator k3).

    log_prob, old_log_prob: [B] each, of the policy as it is now and of the one that acted; rho = pi(a|s) / pi_old(a|s). Both
    float32 or both float64; they stay as they are.
    Returns a scalar in nats, as a 0-d tensor or a Python float: 0 for equal policies, and never negative, but for rounding.
    It is a gauge, so no gradient flows through it. As before, log-probabilities may be as low as -200.

    Example: one action whose probability went from 1/4 to 1/2: rho = 2, and (2 - 1) - log 2 = 0.307.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        return (log_ratio.exp() - 1 - log_ratio).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-approx_kl", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("approx_kl", approx_kl)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("approx_kl", approx_kl).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: clip fraction
#
# *1 point, about 6 minutes, difficulty 1 of 3.*
#
# The second gauge: how much of the batch has left the interval? Near 0, the clip does nothing; near 1, most of the batch has
# moved further than PPO trusts it. {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "clip_fraction", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip_fraction(log_prob, old_log_prob, *, clip_coef):
    """Share of the batch whose ratio is further than clip_coef away from 1, on either side, whatever the advantage.

    log_prob, old_log_prob: [B] each, as in exercise 3. clip_coef: float, at least 0 and below 1. Returns a scalar from 0 to
    1, as a 0-d tensor or a Python float.

    Example: ratios 1, 1.1, 0.5, 1.5 and 3 with clip_coef 0.2 give 3 / 5 = 0.6.
    """
    ### BEGIN SOLUTION
    ratio = probability_ratio(log_prob, old_log_prob)
    return ((ratio - 1).abs() > clip_coef).to(ratio.dtype).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-clip_fraction", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("clip_fraction", clip_fraction)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("clip_fraction", clip_fraction).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: minibatches
#
# *2 points, about 10 minutes, difficulty 2 of 3.*
#
# One step on the whole batch, or many on parts of it? PPO takes parts, dealt anew in every epoch, like cards: neighbouring
# rows of a batch are neighbouring steps of the same episodes, and a minibatch of neighbours would be of one kind.


# %% nbgrader={"grade": false, "grade_id": "minibatches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def minibatches(batch_size, minibatch_size, *, generator):
    """The rows of a batch in random order, a few at a time: what one epoch loops over.

    batch_size, minibatch_size: int. generator: torch.Generator; the random order comes from it and from nothing else, so that
    a run can be repeated, and the next call gives another order because the generator has moved on.
    Returns something to loop over (a list, a tuple, or a function with yield): 1-D index tensors of dtype int64. Together
    they hold each of 0 ... batch_size - 1 exactly once. Each has minibatch_size rows; the last has the rest, also where it is
    the only one. What is random is which rows share a minibatch; their order inside of it means nothing.

    Example: minibatches(5, 2, generator=...) may give [3, 0], [4, 1], [2], and in the next epoch [1, 2], [0, 4], [3].
    """
    ### BEGIN SOLUTION
    return torch.randperm(batch_size, generator=generator).split(minibatch_size)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-minibatches", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("minibatches", minibatches)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("minibatches", minibatches).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Order the lines
#
# *No points, 5 minutes.* The update, with its lines in disorder and without indentation. Put them in order, and say which
# stand inside the loop over minibatches, which only inside the loop over epochs, and which in neither. One line must not be
# used at all.
#
# ```text
# a  stop here if the KL estimate over the whole batch exceeds target_kl
# b  for each epoch
# c  take the same rows of obs, actions, log_prob, advantages and returns
# d  clip the gradient of each network by its own norm
# e  for each minibatch of rows, dealt anew
# f  return the metrics
# g  compute log_prob of the actions with the policy as it is now
# h  set the batch's log_prob to that of the policy as it is now
# i  take a step with both optimizers
# j  normalise the advantages of these rows
# k  clear the gradients, and go backward from both losses
# ```
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# b, then inside it e, and inside that c, j, g, k, d, i (j and g may change places); then a, inside b only; last f, outside of
# both. Line h must not be used: the old log-probability belongs to the policy that collected the data. Renewed in each
# epoch, the ratio would start from 1 again, and the clip would limit every epoch by itself but not their sum.
#
# </details>

# %% [markdown]
# ## Exercise 6: the whole update
#
# *5 points, about 35 minutes, difficulty 3 of 3.*
#
# Everything comes together: epochs, minibatches, two losses, two optimizers, two clipped gradients, and the gauge that says
# when to stop. Use your own functions from above; the entropy of a minibatch is `policy(obs).entropy()`, [B].


# %% nbgrader={"grade": false, "grade_id": "ppo_update", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppo_update(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Several epochs of minibatch steps on one batch of experience.

    policy: observations [B, D] -> Categorical. critic: observations [B, D] -> values [B]. Each has its own optimizer.
    batch: Batch with the fields obs [B, D], actions [B], log_prob [B] (of the policy that acted), advantages [B], returns [B];
    it stays as it is. Each minibatch has two rows or more, and their advantages differ.

    Each epoch deals new minibatches with the generator and takes one step of each network on every one. A gradient that is
    there before the call counts for nothing. The policy's loss is the clipped loss, with the advantages normalised within the
    minibatch (mean 0, standard deviation 1, biased or not), minus ent_coef times the mean entropy; the critic's loss is half
    the mean squared error between values and returns. The gradient of each network is clipped to max_grad_norm by its own
    norm, after backward and before the step: torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm), and the same
    for the critic.

    After each epoch: where approx_kl over the whole batch, with the policy as it is then, exceeds target_kl, the update ends.
    target_kl None never ends it early.

    Returns a dict of numbers (of Python, or 0-d tensors): "losses/approx_kl" and "losses/clipfrac", the means over all
    minibatches of the update, each measured with the log_prob of its loss (measured on the whole batch after the epochs is
    right too, on the last minibatch alone is not), and "epochs", the number of epochs done. More entries are welcome.

    Example: a policy with probabilities 1/2 and 1/2, all its weights 0, and the rows obs [1] and [2], actions 0 and 1,
    advantages 1 and 3. One step of SGD with learning rate 1, without entropy or clipping, gives its bias [-0.5, 0.5] with the
    biased and [-0.354, 0.354] with the unbiased standard deviation.
    """
    ### BEGIN SOLUTION
    kls, fractions, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in minibatches(len(batch.obs), minibatch_size, generator=generator):
            obs, actions, old_log_prob, advantages, returns = (column[rows] for column in batch)
            advantages = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            policy_loss = ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)
            policy_loss = policy_loss - ent_coef * distribution.entropy().mean()
            value_loss = 0.5 * (critic(obs) - returns).square().mean()

            policy_optimizer.zero_grad()
            policy_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()

            critic_optimizer.zero_grad()
            value_loss.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()

            kls.append(float(approx_kl(log_prob, old_log_prob)))
            fractions.append(float(clip_fraction(log_prob.detach(), old_log_prob, clip_coef=clip_coef)))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                log_prob = policy(batch.obs).log_prob(batch.actions)
            if approx_kl(log_prob, batch.log_prob) > target_kl:
                break
    return {
        "losses/approx_kl": sum(kls) / len(kls),
        "losses/clipfrac": sum(fractions) / len(fractions),
        "epochs": epochs,
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-ppo_update", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("ppo_update", ppo_update)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("ppo_update", ppo_update).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: actions that are not allowed
#
# *2 points, about 10 minutes, difficulty 2 of 3.*
#
# In many tasks some actions are impossible in some states: a card that is not in the hand, a square that is taken. Section 12.2
# of the lesson gives them the probability 0, and shows what happens where acting and learning do not agree about it.


# %% nbgrader={"grade": false, "grade_id": "masked_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_log_prob(logits, mask, action):
    """Log-probability of the chosen action in each row, under the distribution over the actions that are allowed there.

    logits: [B, A], unnormalised, float32 or float64. mask: [B, A], bool, True where the action is allowed. action: [B], int64,
    each allowed in its row.
    Returns [B] in the dtype of logits, differentiable in them. The probabilities of the allowed actions of a row sum to 1; a
    logit that is not allowed has the gradient 0, however large it is. Finite for logits as large as 10,000 or as small as
    -10,000, allowed or not. The inputs stay as they are.

    Example: logits [[0, log 3, log 4]], mask [[True, True, False]] and action [0]: 1 / (1 + 3), so the answer is
    [log 1/4] = [-1.386].
    """
    ### BEGIN SOLUTION
    allowed = logits.masked_fill(~mask, -1e8)  # [B, A]
    log_prob = allowed.log_softmax(dim=-1)  # [B, A]
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-masked_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("masked_log_prob", masked_log_prob)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("masked_log_prob", masked_log_prob).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: one network, two heads
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# For images, policy and critic are usually two heads on one trunk of hidden layers. With an optimiser each they would both
# step the trunk. So there is one optimiser, one loss, and one norm for clipping: the *joint* loss, in which a coefficient says
# how much the value loss counts. [Lesson 07, section 5.5](../notebooks/07_trustworthy_experiments.ipynb) measures what that
# coefficient does to the trunk; `ppo.train` has both as `PPOConfig(shared_trunk=True, vf_coef=0.5)`.


# %% nbgrader={"grade": false, "grade_id": "shared_trunk_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shared_trunk_step(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """One gradient step of a network whose policy and critic share layers.

    network: nn.Module with a trunk and two heads. optimizer: over all of its parameters, in one group or several. policy_loss,
    value_loss, entropy: scalars (0-d) of one forward pass, the entropy a mean over the rows; every parameter is reached by at
    least one of them.

    The joint loss is the policy loss plus vf_coef times the value loss minus ent_coef times the entropy. The optimizer takes one
    step along its gradient alone, whatever gradients are left from before. Between backward and step the gradient is clipped to
    max_grad_norm by one norm, that of all parameters together; a shorter one stays as it is.

    Returns that norm as it was before clipping, a number (a Python float or a 0-d tensor).

    Example: trunk 1, policy's head [0, 0], value's head 1, one row with obs 1, action 0, advantage 1 and return 4. The value
    loss, half of the squared error, is 4.5. With vf_coef 0.5 the gradient is -1.5 for the trunk and for the value's head and
    [-0.5, 0.5] for the policy's head, its norm is the root of 5, and with max_grad_norm 0.5 and plain SGD of learning rate 1 the
    trunk moves to 1.335.
    """
    ### BEGIN SOLUTION
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-shared_trunk_step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("shared_trunk_step", shared_trunk_step)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("shared_trunk_step", shared_trunk_step).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 9: a memory through a rollout
#
# *3 points, about 15 minutes, difficulty 2 of 3.*
#
# Where one observation does not tell enough, policy and critic get a **recurrent cell**: a function that makes the next state
# of a memory from an observation and the state so far. A rollout goes on over the ends of episodes. The memory must not, and
# an update that computes the states anew has to empty them at the very steps at which they were empty when the agent acted.


# %% nbgrader={"grade": false, "grade_id": "unroll", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unroll(cell, inputs, state, ended):
    """The states of a recurrent cell through T steps of N environments, empty where an episode begins.

    cell: function of inputs [N, D] and states [N, H] that returns the next states [N, H]; each row is an environment of its
    own. inputs: [T, N, D]. state: [N, H], the states before the first step, which may be in the middle of an episode. inputs
    and state are both float32 or both float64. ended: [T, N], bool; True at t: the episode ended with step t, so step t + 1 is
    the first of another one, and begins with a state of zeros.

    Returns a tuple (outputs, last). outputs: [T, N, H], what the cell returns at each step. last: [N, H], the states with which
    the next rollout begins: zeros where the episode ended with the last step. Both are in the dtype of the inputs, and
    differentiable in inputs, state and all that is in the cell: through every step of an episode, back to the state before the
    first step. The arguments stay as they are.

    Example: one environment, the cell x + h / 2, inputs 1, 1, 1, 1, state 4, and an episode that ends with the second step. The
    outputs are 1 + 4/2 = 3, 1 + 3/2 = 2.5, then 1 + 0 = 1 and 1 + 1/2 = 1.5; the last state is 1.5.
    """
    ### BEGIN SOLUTION
    outputs = []
    for t in range(len(inputs)):
        state = cell(inputs[t], state)
        outputs.append(state)
        state = torch.where(ended[t].unsqueeze(-1), 0, state)
    return torch.stack(outputs), state
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-unroll", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("unroll", unroll)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("unroll", unroll).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Finale: your PPO
#
# Every gradient step of this agent is yours. Your curve appears on the band of the reference's runs, and below it your agent.
# A function that is not written yet is named; a wrong one gives a curve all the same, and it is worth looking at. The cell
# takes about ten seconds, on a busy machine up to a minute.

# %%
finale.ppo_update(ppo_update=ppo_update)

# %% [markdown]
# **Next**: unit 05, where actions are numbers instead of choices, and PPO swings a pendulum up.
