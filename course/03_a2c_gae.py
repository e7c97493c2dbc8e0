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
# # 03 Actor-critic: A2C and GAE
#
# REINFORCE waits for the end of an episode before it learns anything. But you have a critic that predicts how the
# episode will end. If you trust it, you can learn after one step. How far should you trust it? This unit turns
# that question into a number, λ, and builds A2C, on which PPO (unit 04) is built in turn.
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises. Symbols: [one table for the whole course](../docs/symbols.md). {{# design}}

# %% jupyter={"source_hidden": true}
from dataclasses import replace

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from pgcourse import a2c, make_envs, returns
from pgcourse.optim import seeded
from pgcourse.rollout import Rollout, collect_rollout
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.advantages import advantages_of
from pgcourse.show.live.explainers.fork_error import fork_error
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("a2c")

# %% [markdown]
# ## Where this ends
#
# A2C on CartPole beside the REINFORCE with baseline of units 01 and 02.

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="A2C", colour="a2c")
plots.claimed_band(
    ax, load_claims("reinforce")["curves"]["baseline"], label="REINFORCE with baseline", colour="reinforce"
)
ax.axhline(475, color=plots.COLOURS["threshold"], linestyle=":", label="threshold 475")
ax.set(xlabel="episode", ylabel="return, moving average of 50 episodes", ylim=(0, 510))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="Two learning curves with bands over 1,000 episodes of CartPole: A2C, and REINFORCE with baseline.",
    caption="Lines are interquartile means of ten seeds, bands their 95 % intervals. A mean of 475 is reached at episode "
    "{{a2c:cartpole/episodes_to_475}} by A2C and {{reinforce:baseline/episodes_to_475}} by REINFORCE.",
)

# %% [markdown]
# On CartPole REINFORCE needs {{fewer | reinforce:baseline/episodes_to_475 < a2c:cartpole/episodes_to_475}} episodes. A2C ends
# {{higher | a2c:cartpole/last_100 > reinforce:baseline/last_100}}, but its learning rates fall to 0 and REINFORCE's do not, so
# this may be the schedule. Why learn A2C then? It needs no end of an episode, so it works where episodes are long or never end,
# and each of its parts comes back in PPO.

# %% [markdown]
# ## Before you begin
#
# **After this lesson you will be able to**
#
# 1. derive the TD error, say when it is a right estimate of the advantage and how wrong it is otherwise;
# 2. derive GAE as a weighted sum of n-step advantages, and choose λ knowing what it trades;
# 3. treat the three kinds of boundary correctly: terminated, truncated, end of the rollout;
# 4. write A2C in five blocks and give the shape of every tensor in it;
# 5. read explained variance, and know what it does not see.
#
# **You need** [lesson 02](02_baselines.ipynb) (baselines, the value network, two optimisers). All cells together run in less
# than a minute on two cores. {{# design}}
#
# The numbers in the text come from `claims/a2c.json` and `claims/a2c_mistakes.json`: ten training runs of each version. *289
# [274, 301]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted underline are
# comparisons decided by the data; hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)).
#
# ### Three questions

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-recall-1",
    "You subtract a baseline from the return. On what may it depend, if the expected policy gradient is to stay the same?",
    [
        "On the state, not on the action taken",
        "On the action taken, not on the state",
        "On the return of this very episode",
        "On nothing: it has to be a constant",
    ],
    answer=0,
    reasons=[
        "Right: given the state, the score has mean 0, and a factor known before the action is drawn keeps it 0.",
        "It is known only after the action is drawn.",
        "The return depends on the action.",
        "A function of the state is allowed too.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "03-recall-2",
    "You subtract 20 from everything that a critic says. What happens to its explained variance?",
    [
        "It stays exactly as it was",
        "It falls to 0, as of a constant",
        "It falls below 0, by the error",
        "It falls by a fifth of itself",
    ],
    answer=0,
    reasons=[
        "Right: variances do not see a constant.",
        "This critic still tells the states apart.",
        "The variance of the errors is the same as before.",
        "The variance of the errors is the same as before.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-recall-3",
    "In a state with V = 5 an action pays 1 and always leads to a state with V = 6. Nothing is discounted. What is its advantage?",
    ["1", "2", "6", "7"],
    answer=1,
    reasons=[
        "That is the reward alone.",
        "Right: Q = 1 + 6 = 7, and A = Q - V = 7 - 5.",
        "That is the value of the next state.",
        "That is Q. The advantage subtracts V.",
    ],
)

# %% [markdown]
# ## 1. The idea in plain words
#
# You are on a long drive and want to know whether the detour at noon was a mistake. You can wait until you arrive
# and compare: that is **Monte Carlo**, right on average, but everything that happened after noon is in the
# result. Or you compare the predicted arrival before the detour and after it: **temporal difference** learning (TD). It does
# not wait for the arrival and has little noise, and its error is the error of the predictions.
#
# The policy is called the **actor**, the value network the **critic**. Methods in which the critic's prediction
# *replaces* a part of the return are **actor-critic** methods. Using a prediction in the place of what has not been seen
# is called **bootstrapping**.
#
# ## 2. The TD error
#
# ### 2.1 Symbols and shapes
#
# From here on, experience comes in **rollouts**: $T$ steps of $N$ environments side by side, whether or not episodes
# end in between. Every tensor has time as its first axis and the environment as its second. New in this unit:
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\delta_t$ | TD error: $r_t + \gamma V(s_{t+1}) - V(s_t)$ | `deltas` | `[T, N]` |
# | $\lambda$ | weight of the longer estimates in GAE, 0 to 1 | `gae_lambda` | a number |
# | $\beta$ | weight of the entropy bonus | `ent_coef` | a number | {{# wording}}
#
# ### 2.2 One step is enough, if the critic is right
#
# $Q^\pi(s, a)$ is the expected return from $s$ when the first action is $a$ (unit 00). A return is one reward and $\gamma$
# times the return from the next state: $G_t = r_t + \gamma G_{t+1}$. Given $s_{t+1}$, the mean of $G_{t+1}$ is
# $V^\pi(s_{t+1})$. This gives **Bellman's equation**:
#
# $$ Q^\pi(s, a) = \mathbb{E}\big[ r_t + \gamma V^\pi(s_{t+1}) \,\big|\, s_t = s, a_t = a \big]. $$
#
# Subtract $V^\pi(s)$ on both sides. On the left stands the advantage. On the right it may go inside, since it is known given
# $s_t$:
#
# $$
# A^\pi(s, a) = \mathbb{E}\big[ \delta_t \,\big|\, s_t = s, a_t = a \big],
# \qquad
# \delta_t = r_t + \gamma V^\pi(s_{t+1}) - V^\pi(s_t).
# \tag{1}
# $$
#
# $\delta_t$ is the **TD error**. After a termination no reward follows, so there $V^\pi(s_{t+1})$ counts as 0. With the true
# values in it, a single TD error is an unbiased sample of the advantage after *one* step.
#
# ### 2.3 And if the critic is wrong?
#
# You never have $V^\pi$. You have a network $V$, with the error $V(s) - V^\pi(s)$ in state $s$. From here on $\delta_t$ is made
# with this $V$. Put $V^\pi$ plus the error into it and take the expectation:
#
# $$
# \mathbb{E}\big[\delta_t \mid s_t, a_t\big]
# = A^\pi(s_t, a_t)
# + \underbrace{\gamma\, \mathbb{E}\big[V(s_{t+1}) - V^\pi(s_{t+1}) \mid s_t, a_t\big]}_{\text{depends on the action: bias}}
# - \underbrace{\big(V(s_t) - V^\pi(s_t)\big)}_{\text{does not}} .
# \tag{2}
# $$
#
# The last term depends on the state alone, so it is a baseline: unit 02 proved that it changes no expected gradient. The middle
# term is different. The action decides where you land, so an error of the critic *there* is taken for a merit or a fault of the
# action. More episodes average out noise, and not this term: it is in every one of them. {{# mathematics}}
#
# ### 2.4 Training the critic: a target that holds still
#
# The critic is fitted with the same idea, towards the target $r_t + \gamma V(s_{t+1})$. Its loss is half the squared difference
# to $V(s_t)$. The network stands on both sides, so two gradients are possible:
#
# $$
# \underbrace{-\,\delta_t\, \nabla V(s_t)}_{\text{target held fixed: semi-gradient}}
# \qquad\text{or}\qquad
# \underbrace{-\,\delta_t\, \big(\nabla V(s_t) - \gamma \nabla V(s_{t+1})\big)}_{\text{target differentiated too: full gradient}} .
# $$
#
# Take the first: `value_loss` detaches its target. The full gradient also moves the value of the *later* state, so that it agrees
# with the earlier one, though nothing that came after gave a reason to. {{# mathematics}}

# %% [markdown]
# ### 2.5 Both gradients on one transition · further

# %% tags=["nbval-check-output"]
value = nn.Linear(2, 1, bias=False)  # V(s) = w . s, with one-hot states: one weight each
nn.init.zeros_(value.weight)
here, there, reward, gamma = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 1.0, 0.9

for name in ("semi-gradient", "full gradient"):
    target = reward + gamma * value(there)
    if name == "semi-gradient":
        target = target.detach()
    loss = 0.5 * (value(here) - target).square().sum()
    (gradient,) = torch.autograd.grad(loss, value.weight)
    print(
        f"{name}: a step downhill changes V(here) by {-gradient[0, 0]:+.1f} and V(there) by {0 - gradient[0, 1]:+.1f}"
    )

# %% [markdown]
# With random transitions the full gradient even settles on wrong values, because the square of
# one sampled error counts the randomness of the environment as an error of the critic (Sutton and Barto 2018, section 11.5).
#
# The semi-gradient is not the gradient of any function, so nothing guarantees that it goes downhill. With
# data of the current policy and a linear critic it converges (Tsitsiklis and Van Roy 1997). For a network there is no such
# theorem. You watch explained variance instead (section 8).

# %% [markdown]
# ## 3. Bias against variance: the long corridor
#
# To see bias you need a place where the truth is known. At a **fork** the agent takes corridor 0 or corridor 1. Then it walks
# through 20 squares, whatever it does. In each square a fair coin pays +1 or -1, in both corridors. At the end of corridor 1
# there is a prize of 1. So one action matters, its effect is 1, and it comes 20 steps later under the noise of 20 coins.
# {{# design}}

# %% jupyter={"source_hidden": true}
from matplotlib.patches import Rectangle

from pgcourse.envs import LongCorridorVectorEnv
from pgcourse.envs.long_corridor import EPISODE_STEPS, NUM_PLACES

figure, ax = plots.new_figure(width=9.5, height=2.0)
for corridor, colour in ((1, "#cfe8dc"), (0, "#eeeeee")):
    y = 0.75 if corridor else -0.75
    ax.plot([0.5, 1.4], [0, y], color="black")
    for square in range(1, 21):
        last = square == 20 and corridor
        ax.add_patch(
            Rectangle(
                (0.9 + 0.5 * square, y - 0.25), 0.5, 0.5, facecolor="pg:orange" if last else colour, edgecolor="black"
            )
        )
        ax.text(1.15 + 0.5 * square, y, "+1" if last else "±", ha="center", va="center", fontsize=9)
    ax.text(11.6, y, f"corridor {corridor}", va="center")
ax.plot(0.5, 0, "o", color="black", markersize=10)
ax.text(0.5, -0.55, "fork", ha="center")
ax.set(xlim=(0, 13), ylim=(-1.2, 1.2))
ax.axis("off")
page.figure(
    figure,
    alt="A fork from which two corridors of 20 squares lead away, each square with a coin; the last square of corridor 1 has a prize.",
    caption="The long corridor. Every square pays +1 or -1 by a coin. Only the orange square holds a prize.",
)

# %% [markdown]
# Without discount ($\gamma = 1$) the true values are 0 everywhere in corridor 0 and 1 everywhere in corridor 1. At the fork
# the advantages of the two actions differ by exactly **1**. Observations are one-hot and the networks have no hidden
# layer: policy and critic are tables with one entry for each place.
#
# Train with λ = 0.95 (section 4) for 30 updates of 8 episodes, so that the critic is half-finished, freeze everything, and
# play 16,000 episodes.

# %% jupyter={"source_hidden": true}
CORRIDOR = a2c.A2CConfig(
    env_id="LongCorridor-v0",
    num_envs=8,
    num_steps=EPISODE_STEPS,  # 21: one whole episode of each environment in a rollout
    gamma=1.0,
    ent_coef=0.0,
    normalize_advantages=True,
    policy_lr=2e-2,
    critic_lr=5e-2,
    hidden_sizes=(),
)


def frozen_rollout(updates, seed=1, num_envs=16_000):
    """Experience [21, 16000] of a policy and critic after so many updates."""
    trained = a2c.train(replace(CORRIDOR, seed=seed, num_episodes=8 * updates))
    envs = LongCorridorVectorEnv(num_envs)
    obs, _ = envs.reset(seed=0)
    with seeded(0):
        return collect_rollout(trained.policy, trained.critic, envs, obs, EPISODE_STEPS)[0], trained


rollout, trained = frozen_rollout(updates=30)
with torch.no_grad():
    fork, zero, one = trained.critic(torch.eye(NUM_PLACES)).split([1, 20, 20])
print(
    f"the critic after 30 updates: fork {fork.item():+.2f}, start of corridor 0 {zero[0]:+.2f}, of corridor 1 {one[0]:+.2f}"
)
print(
    f"the truth:                   fork {rollout.actions[0].float().mean():+.2f}, start of corridor 0 +0.00, of corridor 1 +1.00"
)

# %% [markdown]
# The true value of the fork is the policy's probability of corridor 1, since the prize is 1.
#
# ### 3.1 n steps
#
# Take $n$ rewards as they came, then trust the critic:
#
# $$
# \hat A^{(n)}_t = \underbrace{r_t + \gamma r_{t+1} + \dots + \gamma^{n-1} r_{t+n-1}}_{\text{seen}}
# + \underbrace{\gamma^n V(s_{t+n})}_{\text{believed}} - V(s_t) .
# \tag{3}
# $$
#
# $n = 1$ is the TD error. With $n$ to the end of the episode it is the Monte Carlo return minus $V(s_t)$, and nothing is
# believed. As in (2), the bias that matters is $\gamma^n$ times the critic's mean error at $s_{t+n}$.
#
# At the fork, an estimate's **bias** is its mean difference between the two actions minus 1, and its **noise** is the standard
# deviation of a single estimate.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "03-n-step-noise",
    "At the fork, with the half-trained critic: which n gives the estimate with the least noise, and which the one with the least bias?",
    [
        "n = 1 has the least of both: fewer steps, fewer errors",
        "n = 1 has the least noise, n = 21 the least bias",
        "n = 21 has the least of both: it uses all the data",
        "n = 1 has the least bias, n = 21 the least noise",
    ],
    answer=1,
    explanation="The step at the fork pays nothing, so the TD error has no noise there: all of its error is the critic's. The whole "
    "return believes nothing and carries all 20 coins.",
)

# %% jupyter={"source_hidden": true}
from pgcourse.show.figures.returns import n_step_advantages


def bias_and_noise(advantages, first_action):
    """Of estimates [N] at the fork: error of the mean difference between the actions, and spread of a single one."""
    one, zero = advantages[first_action == 1], advantages[first_action == 0]
    bias = one.mean() - zero.mean() - 1.0
    noise = torch.cat([one - one.mean(), zero - zero.mean()]).std()
    return float(bias), float(noise)


at_fork = {n: n_step_advantages(rollout, gamma=1.0, n=n)[0] for n in range(1, EPISODE_STEPS + 1)}  # n -> [N]

# %%
print("  n    bias   noise of one episode")
for n in (1, 2, 5, 10, 20, 21):
    bias, noise = bias_and_noise(at_fork[n], rollout.actions[0])
    print(f"{n:3d} {bias:+7.2f} {noise:10.2f}")

# %% [markdown]
# The bias shrinks as $n$ grows (the last two are 0 to within their standard error of 0.07). The noise grows with the number of
# coins: after $n - 1$ fair coins of size 1 it is $\sqrt{n - 1}$. A prize of 1 under a noise of $\sqrt{20} \approx 4.5$ takes many
# episodes to see. An estimate without noise and with a wrong mean never shows its size: with $n = 1$ the two actions differ by
# 1 plus the bias, 0.11 in the place of 1, however many episodes you take. {{# computed}}
#
# ## 4. GAE: all n at once
#
# Which $n$? **Generalised advantage estimation** (Schulman et al. 2016) takes a weighted average of all of them, and needs one
# pass over the data for it.
#
# ### 4.1 Step 1: an n-step advantage is a sum of TD errors
#
# Write down the discounted sum of $n$ TD errors and sort it:
#
# $$
# \sum_{k=0}^{n-1} \gamma^k \delta_{t+k}
# = \sum_{k=0}^{n-1} \gamma^k r_{t+k}
# + \sum_{k=0}^{n-1} \Big( \gamma^{k+1} V(s_{t+k+1}) - \gamma^{k} V(s_{t+k}) \Big) .
# $$
#
# In the second sum every value appears with plus and with minus, except the last and the first:
# it is $\gamma^n V(s_{t+n}) - V(s_t)$. Compare with (3):
#
# $$ \hat A^{(n)}_t = \sum_{k=0}^{n-1} \gamma^k \delta_{t+k} . \tag{4} $$
#
# ### 4.2 Step 2: average with weights that fall by λ
#
# Give $\hat A^{(1)}$ the weight $1$, $\hat A^{(2)}$ the weight $\lambda$, $\hat A^{(3)}$ the weight $\lambda^2$, and so on,
# with $0 \le \lambda < 1$. These sum to $1/(1-\lambda)$, so multiply by $1 - \lambda$ to make an average. Take an episode that
# never ends:
#
# $$
# \hat A_t = (1-\lambda) \sum_{n=1}^{\infty} \lambda^{n-1} \hat A^{(n)}_t
# = (1-\lambda) \sum_{n=1}^{\infty} \lambda^{n-1} \sum_{k=0}^{n-1} \gamma^k \delta_{t+k} .
# $$
#
# Swap the two sums, and ask of each $\delta_{t+k}$ in which averages it occurs: in all with $n \ge k+1$.
#
# $$
# \hat A_t
# = (1-\lambda) \sum_{k=0}^{\infty} \gamma^k \delta_{t+k} \sum_{n=k+1}^{\infty} \lambda^{n-1}
# = (1-\lambda) \sum_{k=0}^{\infty} \gamma^k \delta_{t+k}\, \frac{\lambda^k}{1-\lambda}
# = \sum_{k=0}^{\infty} (\gamma\lambda)^k\, \delta_{t+k} .
# \tag{5}
# $$
#
# Where an episode or the rollout ends, the same formula holds with the sum cut at the end (section 4.3).

# %% [markdown]
# ### 4.3 Step 3: when it does end · further
#
# Let $K$ be the number of rewards from $t$ to the end of the episode, or of the rollout. Beyond it there are no more rewards to
# take, so every $\hat A^{(n)}$ with $n \ge K$ is the longest one, $\hat A^{(K)}$. Their weights add up to
# $(1-\lambda)(\lambda^{K-1} + \lambda^{K} + \dots) = \lambda^{K-1}$. {{# mathematics}} The weight of $\delta_{t+k}$, $k < K$,
# is then
#
# $$
# \gamma^k \Big( (1-\lambda) \big(\lambda^{k} + \dots + \lambda^{K-2}\big) + \lambda^{K-1} \Big)
# = \gamma^k \Big( \lambda^{k} - \lambda^{K-1} + \lambda^{K-1} \Big) = (\gamma\lambda)^k ,
# $$
#
#
# the same as before. So (5) holds as it is, with the sum cut at the end. Nothing was approximated here; the values in it are.
# Here is the derivation checked on the corridor's rollout: the average of all 21 n-step advantages with these weights, written
# out, against the recursion of section 4.4.

# %%
# {{# computed}}
gae_lambda, K = 0.9, EPISODE_STEPS
weights = [(1 - gae_lambda) * gae_lambda ** (n - 1) for n in range(1, K)] + [gae_lambda ** (K - 1)]
average = sum(weight * at_fork[n] for n, weight in enumerate(weights, start=1))
fields = rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated
recursion = returns.gae(*fields, gamma=1.0, gae_lambda=gae_lambda)[0]
print(f"the weights sum to {sum(weights):.6f}")
print(f"largest difference over {len(average):,} episodes: {float((average - recursion).abs().max()):.6f}")

# %% [markdown]
# ### 4.4 Step 4: from the back
#
# One line is left, and it is yours. Split off the first term of (5), look at what remains, and write the advantage of a row in
# terms of the next row's:

# %%
questions.check_line(
    "03-gae-recursion",
    lambda delta, next_advantage, gamma, gae_lambda: ...,  # your line in place of the dots
)

# %% [markdown]
# <details><summary>The line</summary>
#
# $$ \hat A_t = \delta_t + \gamma\lambda\,(\delta_{t+1} + \gamma\lambda\, \delta_{t+2} + \dots) = \delta_t + \gamma\lambda\, \hat A_{t+1} . \tag{6} $$
#
# </details>
#
# One pass from the last step to the first. The two ends of the range:
#
# - $\lambda = 0$: $\hat A_t = \delta_t$, one-step TD;
# - $\lambda = 1$, to which (6) extends (5): if the episode ends inside the rollout, the whole return minus $V(s_t)$ by (4), which
#   is Monte Carlo with a baseline; else the rewards to the rollout's end, then the critic, minus $V(s_t)$.
#
# <details><summary>An example by hand, for exercise 4</summary>
#
# Three steps, rewards 1, all values 0.5, $\gamma = \lambda = 0.5$, and the episode terminates at the last one, so that no value
# follows it. Then $\delta_2 = 1 + 0 - 0.5 = 0.5$ and $\delta_1 = \delta_0 = 1 + 0.5 \cdot 0.5 - 0.5 = 0.75$. From the back:
# $\hat A_2 = 0.5$, $\hat A_1 = 0.75 + 0.25 \cdot 0.5 = 0.875$, $\hat A_0 = 0.75 + 0.25 \cdot 0.875 = 0.96875$. The package's
# function says the same below.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
one, half, no = torch.ones(3, 1), torch.full((3, 1), 0.5), torch.zeros(3, 1, dtype=torch.bool)
end = torch.tensor([[False], [False], [True]])
print(returns.gae(one, half, half, end, no, gamma=0.5, gae_lambda=0.5)[:, 0])

# %%
page.source(
    returns.gae, folded="the recursion in the package; open it after you have written your own (exercises 2 and 4)"
)

# %% [markdown]
# ### 4.5 Move γ and λ
#
# A rollout of CartPole after about 200 of 1,000 episodes. On top the TD errors, and inside them what each counts in the advantage
# of *one* step; in the middle the weights by which it counts; at the bottom the advantages of all steps. First push λ to 0 and
# to 1: which step gets the blame for a fall?


# %% jupyter={"source_hidden": true}
def lasts_60_steps(progress):
    return progress.episodes["episodic_return"][-20:].mean() >= 60


# The preset scales rewards by 0.2 (section 8.1). Here they stay as they are, so that values are in their unit.
partly = a2c.train(replace(a2c.CARTPOLE, reward_scale=1.0, policy_lr=1e-3, seed=2), on_iteration=lasts_60_steps)
envs = make_envs("CartPole-v1", 8, seed=5)
with seeded(3):
    obs, _ = envs.reset()
    data, _ = collect_rollout(partly.policy, partly.critic, envs, obs, 100)  # [100, 8]
ENV = 2  # the environment to look at
shown = Rollout(*(field[:, ENV : ENV + 1] for field in data))  # [100, 1]
fell = shown.terminated[:, 0].nonzero()[:, 0].tolist()
print(f"environment {ENV} terminated at steps {fell}")

# %% jupyter={"source_hidden": true}
advantages_of(shown).show()

# %% [markdown]
# The TD errors are nearly the same at every step, and one bar at each fall is large and negative: this critic says nearly the
# same of every state. With λ = 0, only the last step is blamed for a fall, when it was too late. The weights of λ = 0.95 carry
# the blame back to the steps that led there.
#
# The weights sum to about $1/(1-\gamma\lambda)$: with 0.99 and 0.95 an advantage looks some 17 steps ahead and leaves the rest
# to the critic. $\gamma$ changes *what is estimated* (rewards far away count less), λ changes only *how*. With the true values,
# every λ gives the same mean. {{# mathematics}}
#
# The critic's targets follow: $V(s_t) + \hat A_t$ is a weighted average of all n-step *returns*, the **λ-return**.
#
# ### 4.6 Which λ? It depends on what you have
#
# Back to the corridor. The error of one update is not all that counts. Each update tosses new coins, so noise averages out over
# updates; bias does not. And the policy decides which data the critic gets next. What does that do to training? Four values of
# λ, ten seeds, the same settings otherwise, 250 updates of 8 episodes.

# %% jupyter={"source_hidden": true}
questions.predict(
    "03-corridor-lambda",
    "With which λ do most seeds end up preferring the corridor without the prize?",
    ["λ = 0", "λ = 0.5", "λ = 1", "none of them"],
    answer=0,
    explanation="With λ = 0 {{more | a2c:corridor_0/wrong_corridor/count > a2c:corridor_1/wrong_corridor/count}} seeds do than with "
    "λ = 1. With λ = 0 the advantage at the fork is nothing but a difference of the critic's values.",
)

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
looks = {
    "corridor_0": ("λ = 0: TD", "pg:blue", "-."),
    "corridor_05": ("λ = 0.5", "pg:orange", ":"),
    "corridor_09": ("λ = 0.9", plots.COLOURS["a2c"], "-"),
    "corridor_1": ("λ = 1: Monte Carlo", "pg:vermillion", "--"),
}
for name, (label, colour, style) in looks.items():
    curve = measured["curves"][f"{name}/charts/prize_probability"]
    plots.claimed_band(ax, curve, label=label, colour=colour, style=style)
ax.set(xlabel="update, of 8 episodes each", ylabel="probability of the prize corridor", ylim=(0, 1))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="Probability of taking the corridor with the prize against updates, for four values of lambda, with bands.",
    caption="Lines are interquartile means of ten seeds, bands their 95 % intervals.",
)

# %% [markdown]
# | | $P(\text{prize})$ at the end | seeds that reach 0.9 | updates until then | seeds that end in the wrong corridor |
# |---|---|---|---|---|
# | λ = 0 | {{a2c:corridor_0/prize_probability}} | {{a2c:corridor_0/updates_to_90/count}} of {{a2c:corridor_0/updates_to_90/count.n}} | {{a2c:corridor_0/updates_to_90}} | {{a2c:corridor_0/wrong_corridor/count}} |
# | λ = 0.5 | {{a2c:corridor_05/prize_probability}} | {{a2c:corridor_05/updates_to_90/count}} of {{a2c:corridor_05/updates_to_90/count.n}} | {{a2c:corridor_05/updates_to_90}} | {{a2c:corridor_05/wrong_corridor/count}} |
# | λ = 0.9 | {{a2c:corridor_09/prize_probability}} | {{a2c:corridor_09/updates_to_90/count}} of {{a2c:corridor_09/updates_to_90/count.n}} | {{a2c:corridor_09/updates_to_90}} | {{a2c:corridor_09/wrong_corridor/count}} |
# | λ = 1 | {{a2c:corridor_1/prize_probability}} | {{a2c:corridor_1/updates_to_90/count}} of {{a2c:corridor_1/updates_to_90/count.n}} | {{a2c:corridor_1/updates_to_90}} | {{a2c:corridor_1/wrong_corridor/count}} |
#
# With λ = 0, {{a2c:corridor_0/wrong_corridor/count}} of {{a2c:corridor_0/updates_to_90/count.n}} seeds end up *preferring the
# corridor without the prize*. A likely reason, not tested: errors of the critic, from random first values and from coins, favour
# one corridor. The policy follows them and hardly visits the other one, and what is not visited is not corrected.
#
# With λ of 0.5 or more {{no seed | a2c:corridor_05/wrong_corridor/count < a2c:corridor_0/wrong_corridor/count,
# a2c:corridor_09/wrong_corridor/count < a2c:corridor_0/wrong_corridor/count, a2c:corridor_1/wrong_corridor/count <
# a2c:corridor_0/wrong_corridor/count}} goes wrong. λ = 0.9 ends
# {{higher than λ = 1 | a2c:corridor_09/prize_probability > a2c:corridor_1/prize_probability}} and reaches 0.9 in
# {{fewer updates | a2c:corridor_09/updates_to_90 < a2c:corridor_1/updates_to_90}}.

# %% [markdown]
# ### 4.7 Four targets of one episode · further

# %% jupyter={"source_hidden": true}
from pgcourse.show.figures import returns as returns_explained

episode = Rollout(*(field[: fell[0] + 1] for field in shown))
page.figure(
    returns_explained.targets(episode, gamma=0.99, n=5, gae_lambda=0.95),
    alt="Five curves over the steps of one episode: the critic's values, the one-step target close to them, the 5-step return, "
    "the λ-return, and the Monte Carlo return.",
    caption="The one-step target stays close to the critic's own values. The Monte Carlo return does not use them. The λ-return lies between "
    "and meets the others at the end, where the truth is known.",
)

# %% [markdown]
# ### 4.8 Bias and noise for each λ · further
#
# Back to the corridor and the truth. For each λ, bias and noise at the fork, for the same critic. An update averages over
# several episodes, which divides the variance and leaves the bias. With $M$ episodes, half of them in each corridor, the
# difference between the two actions has the variance $\text{noise}^2 \cdot (2/M + 2/M)$, so the typical error is
#
# $$ \text{error} = \sqrt{\text{bias}^2 + \tfrac{4}{M}\,\text{noise}^2} . $$

# %% jupyter={"source_hidden": true}
LAMBDAS = np.linspace(0, 1, 21)
known = {}  # words for the critic -> bias [L] and noise [L]
for updates in (10, 30, 100):
    data, _ = frozen_rollout(updates)
    fields = data.rewards, data.values, data.next_values, data.terminated, data.truncated
    pairs = [
        bias_and_noise(returns.gae(*fields, gamma=1.0, gae_lambda=gae_lambda)[0], data.actions[0])
        for gae_lambda in LAMBDAS
    ]
    known[f"{updates} updates"] = np.array(pairs).T
fork_error(LAMBDAS, known, shown="30 updates").show()

# %% [markdown]
# The λ of the least error is that of *this critic, this much data and one update*. It is not the best λ for training: with 8
# episodes the error is least at small λ, and at λ = 0 hardly larger, and with λ = 0
# {{a2c:corridor_0/wrong_corridor/count}} of {{a2c:corridor_0/updates_to_90/count.n}} seeds went wrong (section 4.6). Over many
# updates noise averages out and bias does not. {{# computed}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "03-noise-or-bias",
    "Your advantage estimates are off because the critic is wrong. You collect ten times as many episodes for each update. Now they are",
    [
        "about three times more accurate",
        "about ten times more accurate",
        "as far off on average, with less noise",
        "free of bias, and as noisy as before",
    ],
    answer=2,
    reasons=[
        "That is how noise falls, as the square root of ten. Bias does not fall.",
        "Neither bias nor noise does that.",
        "Right: averaging removes what differs between episodes. The critic's error is the same in all of them.",
        "Only an exact critic, or λ = 1 over whole episodes, takes the bias away.",
    ],
)

# %% [markdown]
# ## 5. Where episodes end
#
# A column of a rollout goes on over the ends of episodes. At each row two questions have to be answered:
#
# 1. **Is there a future?** If yes, bootstrap: add $\gamma V(s_{t+1})$. If no, add nothing.
# 2. **Is the next row its continuation?** If yes, the trace goes on: add $\gamma\lambda \hat A_{t+1}$. If no, cut it.
#
# | what happened | flag | a future? | so $\delta_t$ has | the next row | so the trace |
# |---|---|---|---|---|---|
# | the pole fell | `terminated` | none: its value is 0, exactly | no bootstrap | belongs to another episode | is cut |
# | the time limit came | `truncated` | yes, and nobody will see it | $\gamma V$ of the true last observation | belongs to another episode | is cut |
# | both in the same step | both | none: the pole fell | no bootstrap | another episode | is cut |
# | the rollout is full, the episode goes on | neither | yes, in the next rollout | $\gamma V$ of the next observation | is not here | has nothing to add |
#
# So `gae` needs two masks: `~terminated` for the first question and `~(terminated | truncated)` for the second. A single `done`
# cannot do both. In unit 01 the limit of 500 steps was treated as an end, which made the last steps of a perfect episode look
# bad.
#
# ### 5.1 Which observation is the next one?
#
# $V(s_{t+1})$ needs the observation that *followed*. At an end, what `step` returns may be the first observation of a new
# episode:

# %%
envs = make_envs("CartPole-v1", 2, seed=0)
obs, _ = envs.reset()
terminated = torch.zeros(2, dtype=torch.bool)
while not terminated[0]:
    obs, rewards, terminated, truncated, info = envs.step(torch.tensor([1, 1]))  # push right until the pole falls
print(f"pole angle that step() returned:    {obs[0, 2]:+.3f} rad: the new episode, upright")
print(f"pole angle in info['final_obs']:    {info['final_obs'][0, 2]:+.3f} rad: the pole that fell (limit 0.209)")

# %% [markdown]
# With the first as $s_{t+1}$, a fall looks like a leap to a fresh, upright pole. Under a termination the
# bootstrap is dropped anyway. Under a truncation it is the wrong number.
#
# This is Gymnasium's mode SAME_STEP, in which the package runs: the true last observation is in `info["final_obs"]`. Section 5.3
# shows the other two modes. In the default, NEXT_STEP, the call after an end ignores your action: drop that row.

# %% [markdown]
# ### 5.2 The truncation bug, measured · further
#
# You will meet code that masks the bootstrap with `done`: a time limit counts as a fall. On CartPole this has an effect only
# when episodes reach 500 steps, that is, when the agent is good. Measured, ten seeds each: {{# design}}
#
# | at a time limit | seeds that reach 475 | episodes until then | last 100 episodes | held-out return |
# |---|---|---|---|---|
# | bootstrap (right) | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} | {{a2c:cartpole/held_out}} |
# | treated as a fall (bug) | {{a2c:truncation_ends/episodes_to_475/count}} of {{a2c:truncation_ends/episodes_to_475/count.n}} | {{a2c:truncation_ends/episodes_to_475}} | {{a2c:truncation_ends/last_100}} | {{a2c:truncation_ends/held_out}} |
#
# In the episodes until 475 and in the return at the end {{no difference is seen | a2c:truncation_ends/episodes_to_475 ~
# a2c:cartpole/episodes_to_475, a2c:truncation_ends/last_100 ~ a2c:cartpole/last_100}}. The entropy
# of the solved policy is {{higher | a2c:truncation_ends/last_entropy > a2c:cartpole/last_entropy}},
# {{a2c:truncation_ends/last_entropy}} nats against {{a2c:cartpole/last_entropy}}, and the critic says {{less |
# a2c:truncation_ends/last_value < a2c:cartpole/last_value}} on average, {{a2c:truncation_ends/last_value.value}} against
# {{a2c:cartpole/last_value.value}}: near the limit, whatever the agent does looks bad.
#
# Only one row in 500 is wrong here, and CartPole does not show the agent its clock. Pendulum never terminates and is cut every
# 200 steps: unit 05 measures the bug there.

# %% [markdown]
# ### 5.3 The three reset modes · further
#
# - **SAME_STEP**: the step that ends an episode returns the new one's first observation; the true last one is in
#   `info["final_obs"]`. This package runs in this mode throughout.
# - **NEXT_STEP**, Gymnasium's default: the step that ends an episode returns the true last observation. The *next* call ignores
#   your action, returns the first observation of the new episode with reward 0: a **reset row**. It is no experience. Drop
#   it, also when it is the first row of the next rollout.
# - **DISABLED**: the true last observation, and you reset the finished ones yourself, with a mask.
#
# Wrappers have to know the mode too. Gymnasium's wrappers around *one* environment, such as `TimeLimit` or
# `RecordEpisodeStatistics`, see its true last step; but `NormalizeObservation` around each of $N$ keeps $N$ running means, so
# equal states look different to the policy. Its form for vectors, in `gymnasium.wrappers.vector`, keeps one, and takes
# NEXT_STEP alone. And in DISABLED, `RecordEpisodeStatistics` in its form for vectors reports episodes that are too short:
# around a `SyncVectorEnv` the reset of one environment sets the counters of all back (Gymnasium 1.4; a test holds it). This
# package counts for itself. {{# description}}
#
# A vector environment says its own mode in `metadata["autoreset_mode"]`. Collect the same episodes in all three, two rollouts
# of 13 steps. The time limit is set to 9 so that both kinds of end come up.


# %% jupyter={"source_hidden": true}
from pgcourse.envs import as_tensor_envs
from pgcourse.show.figures.returns import timeline
from pgcourse.study import autoreset


class PushWithTheCart(nn.Module):
    """Always the same action in the same state, so that every mode plays the same episodes."""

    def forward(self, obs):
        right = 1e4 * (obs[:, 1] + obs[:, 2]).sign()
        return torch.distributions.Categorical(logits=torch.stack([-right, right], dim=-1))


def short_cartpole():
    return gymnasium.make("CartPole-v1", max_episode_steps=9)


def make_mode(mode):
    return SyncVectorEnv([short_cartpole] * 3, autoreset_mode=mode)


# %%
actor, critic, collected = PushWithTheCart(), partly.critic, {}
envs = as_tensor_envs(make_mode(AutoresetMode.SAME_STEP))
obs, _ = envs.reset(seed=[11, 12, 13])
collected["SAME_STEP"] = []
for _ in range(2):
    data, obs = collect_rollout(actor, critic, envs, obs, 13)
    collected["SAME_STEP"].append((data, None))

for mode, collect in (("NEXT_STEP", autoreset.collect_next_step), ("DISABLED", autoreset.collect_disabled)):
    envs = make_mode(AutoresetMode[mode])
    carry, collected[mode] = autoreset.begin(envs, seed=[11, 12, 13]), []
    for _ in range(2):
        data, valid, carry = collect(actor, critic, envs, carry, 13)
        collected[mode].append((data, valid))

# %% jupyter={"source_hidden": true}
# {{# design}}
page.figure(
    timeline(collected, columns=(0, 1, 2)),
    alt="Three panels, one for each reset mode, with three environments over 26 steps. Terminated and truncated steps are "
    "marked; in NEXT_STEP mode each is followed by a reset row; a dashed line marks the end of each rollout.",
    caption="Real data. In NEXT_STEP mode each end costs a call that is no experience, and everything after it comes one call later.",
)

# %% [markdown]
# The first episode of each environment is the same in all three. So its advantages must be the same too:

# %%
print("advantages of the first five steps of environment 0")
for mode, rollouts in collected.items():
    data, valid = rollouts[0]
    fields = data.rewards, data.values, data.next_values, data.terminated, data.truncated
    kept = slice(None) if valid is None else valid[:, 0]
    print(f"{mode:>10}", returns.gae(*fields, gamma=0.99, gae_lambda=0.95)[kept, 0][:5].numpy().round(4))

# %% [markdown]
# The tests of this package hold all three against a loop that plays each environment alone, episode by episode.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "03-reset-row",
    "Gymnasium's default vector environment is in NEXT_STEP mode. What is the row after an episode's end?",
    [
        "The first step of the new episode, with its reward",
        "A reset row: action ignored, reward 0, to be dropped",
        "A copy of the last step, with the same reward again",
        "The step in which the agent fell, with its flag set",
    ],
    answer=1,
    reasons=[
        "The first step comes one call later. This one only brings the first observation.",
        "Right: train on it, and you teach the policy about an action that had no effect.",
        "Its observation is the last one, but its reward is 0 and it leads to a new episode.",
        "That was the row before, with the flag set.",
    ],
)

# %% [markdown]
# ## 6. A2C
#
# ### 6.1 Many environments side by side
#
# Sixteen steps of one environment are sixteen nearly equal situations: the pole leans a little further in each. Sixteen steps of
# eight environments, each somewhere else in its episode, cover more of what the policy meets, and one call of the
# network serves all eight. That is why every tensor here is `[T, N]`. {{# design}}
#
# **A2C** is *advantage actor-critic*: the synchronous form of A3C (Mnih et al. 2016). Five blocks, over and over:
#
# 1. **Collect** $T$ steps of $N$ environments from where the last rollout stopped: `[T, N]` each.
# 2. **Value** what was seen: $V(s_t)$ and $V(s_{t+1})$ of the *true* next observation: `[T, N]` each.
# 3. **Advantages** by GAE: `[T, N]`, from the back. Then flatten to `[T·N]`: from here on the order in time is not needed.
# 4. **One gradient step** for the policy, along $\hat A \nabla \log\pi$ plus the entropy bonus; one for the critic, towards
#    $V + \hat A$.
# 5. **Throw the rollout away**, since its actions are those of the policy before the step, and go on from the last
#    observations. Nothing is reset.
#
# Find the five in the code. Blocks 1 and 2 are `collect_fn`, 3 is `advantage_fn` and `flatten`, 4 is `update_fn`, folded below,
# 5 is the next turn of the `while`.

# %%
page.source(a2c.train)
page.source(a2c.update, folded="block 4: `update_fn`")

# %% [markdown]
# The shapes, from a real rollout:

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
from pgcourse.rollout import flatten

envs = make_envs("CartPole-v1", a2c.CARTPOLE.num_envs, seed=1)
obs, _ = envs.reset()
data, obs = collect_rollout(partly.policy, partly.critic, envs, obs, a2c.CARTPOLE.num_steps)
advantages = returns.gae(
    data.rewards, data.values, data.next_values, data.terminated, data.truncated, gamma=0.99, gae_lambda=0.95
)
batch = flatten(data, advantages)
for name, tensor in (*data._asdict().items(), ("advantages", advantages)):
    print(f"{name:>12} {list(tensor.shape)!s:>12} {str(tensor.dtype).removeprefix('torch.')}")
print("flattened:", ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in batch._asdict().items()))

# %% [markdown]
# ### 6.2 The entropy bonus
#
# The policy's loss is $-\frac1B \sum_i \hat A_i \log\pi(a_i \mid s_i) \;-\; \beta\, \frac1B \sum_i H\big(\pi(\cdot \mid
# s_i)\big)$, with $\beta$ called `ent_coef`. The entropy $H$ (unit 00) is greatest for the uniform policy. Its gradient at a
# logit is $-\pi(a)\,(\log \pi(a) + H)$: actions with $\log\pi(a) < -H$ are pushed up, the others down, so that the agent goes
# on trying all of them. {{# mathematics}}
#
# The optimum of this loss is not the optimum of the return. How strong the pull is depends on the scale of the
# advantages, which is one reason to standardise them over the batch, as `a2c.CARTPOLE` does.

# %% [markdown]
# ### 6.3 Thrown away: what is in a rollout, and what is in a replay buffer · further
#
# | | rollout (A2C, PPO) | replay buffer (DQN, SAC) |
# |---|---|---|
# | holds | `obs, actions, log_prob, rewards, values, next_values`, flags | `obs, action, reward, next_obs, terminated` |
# | acted by | the current policy, all of it | hundreds of older policies |
# | size | $T \cdot N$: here 128 rows | often a million |
# | order | by time: GAE needs the next row | none: rows are drawn at random |
# | used | once (A2C), a few epochs (PPO) | many times, for a long while |
# | then | thrown away | overwritten when it is full |
#
# Why can DQN keep what A2C must throw away? DQN fits $Q(s, a)$ to $r + \gamma \max_{a'} Q(s', a')$, a statement about the
# environment, true whoever chose $a$. A policy gradient is an expectation over actions of $\pi_\theta$ *as it is now*. After
# the update the stored actions are those of another policy; unit 01 measured what happens then. `log_prob` and `values` are
# stored for the same reason: they belong to the networks that were there. PPO (unit 04) uses `log_prob` to correct for a policy
# that has moved a little.
#
# **A batch that does not fit into memory** goes through the network in parts. Standardise the advantages over the whole batch
# first, divide each part's *sum* by the size of the whole batch, call `backward` after each part, and `step` once at the end.
# Gradients add up in `.grad`, so this is the step of the whole batch. {{# mathematics}}

# %% [markdown]
# ### 6.4 The online actor-critic is a special case · further
#
# Textbooks begin with another algorithm: after *every* step of *one* environment, compute $\delta_t$, step both networks,
# forget. It is A2C with `num_envs=1`, `num_steps=1`, `gae_lambda=0`: with one row in the rollout, GAE is the TD error whatever
# λ is.

# %% tags=["nbval-check-output"]
for name in ("CARTPOLE", "ONLINE"):
    config = getattr(a2c, name)
    print(
        f"{name:>8}: {config.num_envs} envs x {config.num_steps} steps, λ = {config.gae_lambda}, policy_lr={config.policy_lr}, "
        f"critic_lr={config.critic_lr}, max_grad_norm={config.max_grad_norm}"
    )

for name in ("CARTPOLE", "ONLINE"):
    config = replace(getattr(a2c, name), num_episodes=None, total_timesteps=1024)
    run = a2c.train(config)
    print(f"{name:>8}: 1,024 environment steps are {len(run.metrics['losses/entropy']):5d} updates")

# %% [markdown]
# 128 times as many updates for the same data. How does it learn? Ten seeds, the first 10,000 steps, mean return of the last 20
# episodes in them: {{# design}}
#
# | | return at 10,000 steps | mean V at the end |
# |---|---|---|
# | A2C, 79 updates | {{a2c:cartpole/early}} | |
# | online, `a2c.ONLINE`: nothing is clipped | {{a2c:online_unclipped/early}} | {{a2c:online_unclipped/last_value}} |
# | online, gradients clipped at 0.5 as in A2C | {{a2c:online/early}} | {{a2c:online/last_value}} |
#
# The online version without clipping is the textbook's algorithm. In 10,000 environment steps it gets {{further |
# a2c:online_unclipped/early > a2c:cartpole/early}} than A2C, with 128 times as many updates and a smaller learning rate. Its ten seeds lie between {{a2c:online_unclipped/early/worst}} and {{a2c:online_unclipped/early/best}}, A2C's between
# {{a2c:cartpole/early/worst}} and {{a2c:cartpole/early/best}}. {{# description}}
#
# With clipping it gets {{less far | a2c:online/early < a2c:online_unclipped/early}}. Its critic says
# {{a2c:online/last_value.value}}, the value of a pole that never falls, of an agent whose episodes last
# {{a2c:online/early.value}} steps. The gradient of one row is $-\delta \nabla V$, and clipping it at 0.5 makes a fall, with a
# large negative δ, count as much as any other step. Many small errors upwards then outvote one large error downwards: clipping
# row by row turns a mean into something like a **median**, and the median step of CartPole is not a fall. In a batch of 128 the
# mean comes first and the clipping after, so the direction stays right. That is why `a2c.ONLINE` does not clip. {{# mathematics}}

# %% [markdown]
# ## 7. Watch it learn

# %%
learner = replace(a2c.CARTPOLE, seed=2)
result, policies = stages.train_with_stages(
    a2c.train, learner, at=(0, 200), by="episode", on_iteration=lambda progress: len(progress.episodes) >= 400
)

# %% jupyter={"source_hidden": true}
from pgcourse.statistics import moving_average

figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="ten measured runs", colour="a2c")
ax.plot(moving_average(result.episodes["episodic_return"], 50), color=plots.COLOURS["learner"], label="your run")
ax.set(xlabel="episode", ylabel="return, moving average of 50 episodes", ylim=(0, 510))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="The live run's learning curve over 400 episodes, on the band of ten measured runs over 1,000 episodes.",
    caption="Change the seed and run again: the band is for the mean of many seeds, a single run may leave it.",
)

# %% jupyter={"source_hidden": true}
watch(
    policies,
    "CartPole-v1",
    seed=1,
    caption="The same held-out start states for all, at true speed. Push them and see who recovers.",
)

# %% [markdown]
# ### 7.1 λ on CartPole · further
#
# The corridor was made to tell the values of λ apart. And CartPole? Rollouts have 16 steps, so λ = 1 means up to 16 rewards
# and then the critic, not Monte Carlo.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "03-cartpole-lambda",
    "A2C on CartPole, 1,000 episodes, ten seeds for each λ. What will they show?",
    [
        "λ = 0 fails; 0.95 and 1 solve it, 0.95 a little sooner",
        "λ = 0 is first, since it has the least noise",
        "λ = 1 fails, since it has the most noise",
        "All three solve it after about as many episodes",
    ],
    answer=0,
    explanation="Of the ten seeds with λ = 0, {{a2c:lambda_0/episodes_to_475/count}} reach 475. A likely reason: here the "
    "critic is the weak part, and the noise of 16 steps is small.",
)

# %% jupyter={"source_hidden": true}
figure = plots.claimed_curves(
    "a2c",
    {"lambda_0": "λ = 0", "cartpole": "λ = 0.95 (A2C)", "lambda_1": "λ = 1"},
    threshold=475,
    title="One change: λ",
    colours={"λ = 0": "pg:blue", "λ = 0.95 (A2C)": "a2c", "λ = 1": "pg:vermillion"},
)
page.figure(
    figure,
    alt="Learning curves of A2C on CartPole for lambda 0, 0.95 and 1, with bands.",
    caption="Ten seeds each, all other settings equal.",
)

# %% [markdown]
# | | seeds that reach 475 | episodes until then | last 100 episodes | held-out return |
# |---|---|---|---|---|
# | λ = 0 | {{a2c:lambda_0/episodes_to_475/count}} of {{a2c:lambda_0/episodes_to_475/count.n}} | {{a2c:lambda_0/episodes_to_475}} | {{a2c:lambda_0/last_100}} | {{a2c:lambda_0/held_out}} |
# | λ = 0.95 | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} | {{a2c:cartpole/held_out}} |
# | λ = 1 | {{a2c:lambda_1/episodes_to_475/count}} of {{a2c:lambda_1/episodes_to_475/count.n}} | {{a2c:lambda_1/episodes_to_475}} | {{a2c:lambda_1/last_100}} | {{a2c:lambda_1/held_out}} |
#
# With λ = 0 {{fewer seeds | a2c:lambda_0/episodes_to_475/count < a2c:cartpole/episodes_to_475/count}} reach 475 than with 0.95.
# Section 4.5 suggests why: a critic that says much the same of every state gives much the same TD error at every step but the
# last, and only the last action before a fall is ever blamed. With λ = 1 it takes a few {{more |
# a2c:lambda_1/episodes_to_475 > a2c:cartpole/episodes_to_475}} episodes than with 0.95, and in the return at the end {{no
# difference is seen | a2c:lambda_1/last_100 ~ a2c:cartpole/last_100}}. Values of 0.9 to 0.99 are the usual advice. How much the exact number matters depends on the critic, the noise and the length of the rollout.

# %% [markdown]
# ### 7.2 The flat line, and the most probable action · further
#
# Against episodes, A2C seems to learn nothing for a long time. Ten runs with constant learning rates, so that a run of 100
# episodes is the beginning of one of 500: the mean of 50 episodes first reaches 50 at episode {{greedy:at_500/flat_episodes}},
# about half of the 500. But these episodes are short. By then the agent has made {{greedy:at_500/flat_updates}} updates of
# {{greedy:at_500/updates}}. {{# description}} And the diagnostics move meanwhile: the entropy has {{fallen |
# greedy:at_500/flat_entropy < greedy:at_500/first_entropy}} from {{greedy:at_500/first_entropy.value}} to
# {{greedy:at_500/flat_entropy.value}} nats, and the critic explains {{more | greedy:at_500/flat_explained >
# greedy:at_500/first_explained}} of its targets, {{greedy:at_500/flat_explained.value}} instead of
# {{greedy:at_500/first_explained.value}}. So give such plots the environment steps or the updates as their x axis.
#
# Does a policy on the flat line play badly? It is said that A2C evaluates poorly by its most probable action. The same 100
# held-out start states, both ways:

# %% jupyter={"source_hidden": true}
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.6)
greedy = load_claims("greedy")
plots.claimed_band(left, greedy["curves"]["at_500"], label="in training", colour="a2c")
left.set(ylabel="return, moving average of 50 episodes")
checkpoints = np.array([100, 200, 300, 400, 500])
for how, label, colour, style in (
    ("greedy", "most probable action", "pg:blue", "-"),
    ("sampled", "sampled actions", "pg:orange", "--"),
):
    seeds = np.array([greedy["values"][f"at_{episodes}/{how}"]["per_seed"] for episodes in checkpoints]).T  # [R, X]
    plots.band(right, checkpoints, seeds, label=label, colour=colour, style=style)
right.set(ylabel="mean return of 100 held-out episodes")
for ax in (left, right):
    ax.set(xlabel="episodes of training", xlim=(0, 500), ylim=(0, 510))
    ax.legend(loc="upper left")
page.figure(
    figure,
    alt="Left: the training return stays below 50 for about 250 of 500 episodes, then climbs. Right: at 100, 200 and 300 episodes the "
    "held-out return by the most probable action lies far above that of sampled actions; at 400 and 500 both are near 500.",
    caption="Ten seeds. Left: the flat line. Right: policies of these runs after 100 to 500 episodes, evaluated in two ways.",
)

# %% [markdown]
# After 100, 200 and 300 episodes the most probable action scores {{higher | greedy:at_100/greedy > greedy:at_100/sampled,
# greedy:at_200/greedy > greedy:at_200/sampled, greedy:at_300/greedy > greedy:at_300/sampled}}: {{greedy:at_100/greedy}} against
# {{greedy:at_100/sampled}} after 100. After 400 and 500 {{no difference | greedy:at_400/greedy ~ greedy:at_400/sampled,
# greedy:at_500/greedy ~ greedy:at_500/sampled}} is seen. A policy that gives the right action a probability of 0.6 takes the
# wrong one in 40 of 100 steps when it samples, and never when it takes the most probable one. So the flat line is in part that
# of the sampling. {{# mathematics}} The saying fails here. It is no law either way: lesson 07 (section 6) has a task in which
# the most probable action never arrives.

# %% [markdown]
# ## 8. Is the critic any good? Explained variance
#
# $$ 1 - \frac{\operatorname{Var}(\text{target} - V)}{\operatorname{Var}(\text{target})} $$
#
# is the share of the differences between targets that the critic explains: 1 is perfect, 0 is what a constant gets, and
# negative numbers are possible. It **cannot see a constant offset**. Here are the critic of section 4.5, that of section 7 after
# 400 episodes, and that one shifted, on Monte Carlo returns.

# %% jupyter={"source_hidden": true}
# {{# computed}}
from pgcourse.rollout import collect_episodes
from pgcourse.show.figures.values import value_fit


def judge(run, shift=0.0):
    with seeded(0):
        episodes = collect_episodes(run.policy, make_envs("CartPole-v1", 16, seed=9))
    obs = torch.cat([episode.obs for episode in episodes])
    to_go = torch.cat([returns.discounted_returns(episode.rewards, gamma=0.99) for episode in episodes])
    with torch.no_grad():
        return run.critic(obs) / run.config.reward_scale + shift, to_go  # in the unit of the unscaled rewards


page.figure(
    value_fit(
        {
            f"after {len(partly.episodes)} episodes": judge(partly),
            f"after {len(result.episodes)} episodes": judge(result),
            "the same, 30 lower": judge(result, shift=-30.0),
        }
    ),
    alt="Three scatter plots of returns against the critic's values: an early critic, whose values hardly differ from each other, a "
    "later one, and the later one shifted by 30.",
    caption="The second and third panel have the same explained variance. Only the means tell them apart.",
)

# %% [markdown]
# The critic of section 4.5, after about 200 episodes, says nearly the same of every state, and explains nothing. That of
# section 7 says less of some states, and explains a part of the differences. {{# computed}}
#
# Look at two things in every run: explained variance, and the means of $V$ and of the targets in one panel. In training both are
# half blind: the targets are λ-returns and contain $V$, so the critic can agree with itself and be wrong. Where it matters, use
# Monte Carlo returns, as above.

# %% jupyter={"source_hidden": true}
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.6)
curves = measured["curves"]
plots.claimed_band(left, curves["cartpole/losses/explained_variance"], label="A2C", colour="a2c")
left.axhline(0, color="black", linewidth=0.8)
left.set(xlabel="update", ylabel="explained variance", ylim=(-1, 1))
plots.claimed_band(right, curves["cartpole/charts/return_mean"], label="mean target", colour="pg:blue")
plots.claimed_band(right, curves["cartpole/charts/value_mean"], label="mean V", colour="pg:orange", style="--")
right.axhline(100 * a2c.CARTPOLE.reward_scale, color="#666666", linestyle=":", label="0.2 / (1 - γ)")
right.set(xlabel="update", ylabel="scaled reward, discounted")
right.legend(loc="lower right")
page.figure(
    figure,
    alt="Left: explained variance over updates. Right: the means of targets and values rise together towards 20.",
    caption="Ten seeds of `a2c.CARTPOLE`, which scales every reward by 0.2. The dotted line is the value of a pole that never "
    "falls: a reward of 1, scaled, for ever.",
)

# %% [markdown]
# Explained variance climbs, and then, while the return goes *up* to 500, it falls to zero and below. Look at the right panel:
# every state is worth 20 now, and the critic says 20. No differences are left to explain, and dividing by a variance of
# nearly 0 gives noise. {{# mathematics}}

# %% [markdown]
# ### 8.1 Why the preset scales rewards · further
#
# With rewards of 1 the critic, which starts near 0, has to climb to 100. `a2c.CARTPOLE` multiplies rewards by 0.2, so that it
# has to climb to 20. Forty seeds each, since few fail:
#
# | reward | learning rate of the policy | explained variance, updates 21 to 120 | seeds at 475 in the end | episodes until 475 |
# |---|---|---|---|---|
# | 1 | 0.001 | {{reward_scale:unscaled/early_explained_variance}} | {{reward_scale:unscaled/kept/count}} of 40 | {{reward_scale:unscaled/episodes_to_475}} |
# | 0.2 | 0.001 | {{reward_scale:scaled/early_explained_variance}} | {{reward_scale:scaled/kept/count}} of 40 | {{reward_scale:scaled/episodes_to_475}} |
# | 0.2 | 0.0007, the preset | {{reward_scale:preset/early_explained_variance}} | {{reward_scale:preset/kept/count}} of 40 | {{reward_scale:preset/episodes_to_475}} |
#
# Scaling alone: the critic explains {{more | reward_scale:scaled/early_explained_variance >
# reward_scale:unscaled/early_explained_variance}} of its targets on the way up, and 475 comes {{sooner |
# reward_scale:scaled/episodes_to_475 < reward_scale:unscaled/episodes_to_475}}. One of the two seeds that fail with rewards of 1
# has a critic that says about 95 of every state for most of the training: explained variance 0, return 150. In a run of this
# kind that we opened, all 64 tanh units of the second layer stood at their limits, where they do not depend on the state.
#
# The two that fail with rewards of 0.2 are another story. Their critics explain 99 % of the differences, and their policies
# had come to mean returns of about 340 and 440 when they lost them. With the slower policy no seed does, and 475 comes {{later |
# reward_scale:preset/episodes_to_475 > reward_scale:scaled/episodes_to_475}}. {{# description}}

# %% [markdown]
# ## 9. Your experiment: does CartPole need the entropy bonus?
#
# **Change one thing**: `ent_coef` from 0.01 to 0. Three seeds of each, stopped early, with constant learning rates. Before you
# unfold the answer, write down *in your own words*: what changed, in which of the two, entropy or return, and would you bet on
# it?

# %%
configs = {
    f"β = {ent_coef:g}": replace(a2c.CARTPOLE, ent_coef=ent_coef, num_episodes=250, anneal_lr=False)
    for ent_coef in (0, 0.01)
}
runs = run_seeds(configs, seeds=range(3), progress=False)

# %% jupyter={"source_hidden": true}
figure = plots.learning_curves(runs, window=20, title="One change: the entropy bonus", colours={"β = 0.01": "a2c"})
page.figure(
    figure,
    alt="Learning curves of three seeds with and without the entropy bonus.",
    caption="Three seeds of each, the same three for both.",
)
for name, group in runs.items():
    print(
        f"{name}: mean entropy of the last 20 updates {[round(float(run.metrics['losses/entropy'][-20:].mean()), 3) for run in group]}"
    )

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# In three seeds, nothing: in our run the entropies of the three pairs lie 0.001 to 0.006 nats apart, not all of them on the same
# side, and in the return the seeds do not agree either. {{# description}} Over ten full
# runs, of 1,000 episodes, the entropy at the end is a little {{higher | a2c:cartpole/last_entropy >
# a2c:no_entropy/last_entropy}} with the bonus, and in the episodes until 475 {{no difference is seen |
# a2c:no_entropy/episodes_to_475 ~ a2c:cartpole/episodes_to_475}}.
# "The bonus keeps the entropy up" is true of the gradient: the pull is there. At 0.01, against advantages of size 1, it is weak.
# With `ent_coef` 0.5, over 400 episodes, the entropy stays {{higher |
# a2c_mistakes:entropy_large/entropy > a2c_mistakes:healthy/entropy}}, at {{a2c_mistakes:entropy_large/entropy}} nats, and the
# return {{lower | a2c_mistakes:entropy_large/last_50 < a2c_mistakes:healthy/last_50}}. Section 9.1 has a task in which the bonus
# decides.
#
# | | entropy at the end [nats] | seeds that reach 475 | episodes until then | last 100 episodes |
# |---|---|---|---|---|
# | β = 0.01 | {{a2c:cartpole/last_entropy}} | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} |
# | β = 0 | {{a2c:no_entropy/last_entropy}} | {{a2c:no_entropy/episodes_to_475/count}} of {{a2c:no_entropy/episodes_to_475/count.n}} | {{a2c:no_entropy/episodes_to_475}} | {{a2c:no_entropy/last_100}} |
#
# </details>

# %% [markdown]
# ### 9.1 A task that needs the bonus, and how much is too much · further
#
# CartPole does not tell, so here is a task that was made to. The agent stands before a walk of 8 squares. In the first it may
# take a sure prize of 1, or walk on. In each of the others it may leave with nothing, or walk on. Behind the last lies a prize
# of 10. A coin gets there once in $2^8 = 256$ episodes, so walking on is worth $10/2^7 = 0.08$ at first. The gradient therefore
# pushes towards the sure prize. The surer the policy, the less often it walks, and the less it learns about the walk. {{#
# mathematics}}
#
# What can a bonus do? Take one choice between values $q_0$ and $q_1$, and maximise $\sum_a \pi(a)\, q_a + \beta H(\pi)$. With
# $\pi(1) = p$ the derivative is $q_1 - q_0 - \beta \log \frac{p}{1-p}$. It is 0 at
#
# $$ p = \frac{1}{1 + e^{-(q_1 - q_0)/\beta}} . $$
#
# While walking is worth about 1 less than the sure prize, the pull back stops at $p = 1/(1 + e^{1/\beta})$: the first column of
# the table below. A2C with tables, 51,200 steps, advantages not standardised, so that β is in units of reward: {{#
# mathematics}}

# %% jupyter={"source_hidden": true}
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.6)
decoy = load_claims("decoy")["curves"]
for name, label, colour, style in (
    ("bonus_0", "β = 0", "#000000", "-"),
    ("bonus_03", "β = 0.3", "pg:blue", "--"),
    ("bonus_1", "β = 1", "pg:green", "-"),
    ("bonus_3", "β = 3", "pg:vermillion", "-"),
):
    plots.claimed_band(left, decoy[name], label=label, colour=colour, style=style)
    plots.claimed_band(right, decoy[f"{name}/losses/entropy"], label=label, colour=colour, style=style)
left.set(ylabel="return, moving average of 200 episodes", ylim=(0, 10.5))
right.set(ylabel="entropy [nats]", ylim=(0, 0.72))
for ax in (left, right):
    ax.set(xlabel="environment steps", xticks=[0, 25_000, 50_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
left.legend()
page.figure(
    figure,
    alt="Left: without bonus the return stays at 1; with a bonus of 1 it climbs to 10; with 3 it climbs to about 6; with 0.3 the band reaches "
    "from 1 to 10. Right: without bonus the entropy falls to zero at once, with 1 it stays high until the return has climbed, with 3 it stays up.",
    caption="Ten seeds each, means of sampled actions. Left: 1 is the sure prize, 10 the far one. Right: entropy at the squares that "
    "were visited.",
)

# %% [markdown]
# | β | $1/(1 + e^{1/\beta})$ | runs that ever reach the 10 | that end there | last 500 episodes | entropy at the end |
# |---|---|---|---|---|---|
# | 0 | 0 | {{decoy:bonus_0/first_find/count}} of 10 | {{decoy:bonus_0/large/count}} | {{decoy:bonus_0/last_500}} | {{decoy:bonus_0/last_entropy.value}} |
# | 0.1 | 0.00005 | {{decoy:bonus_01/first_find/count}} of 10 | {{decoy:bonus_01/large/count}} | {{decoy:bonus_01/last_500}} | {{decoy:bonus_01/last_entropy.value}} |
# | 0.3 | 0.034 | {{decoy:bonus_03/first_find/count}} of 10 | {{decoy:bonus_03/large/count}} | {{decoy:bonus_03/last_500}} | {{decoy:bonus_03/last_entropy.value}} |
# | 1 | 0.27 | {{decoy:bonus_1/first_find/count}} of 10 | {{decoy:bonus_1/large/count}} | {{decoy:bonus_1/last_500}} | {{decoy:bonus_1/last_entropy.value}} |
# | 3 | 0.42 | {{decoy:bonus_3/first_find/count}} of 10 | {{decoy:bonus_3/large/count}} | {{decoy:bonus_3/last_500}} | {{decoy:bonus_3/last_entropy.value}} |
#
# *End there* means: by the most probable actions, after training. Without the bonus the policy collapses. {{decoy:bonus_0/first_find/count}} of its ten
# runs do reach the far prize, at most {{decoy:bonus_0/finds/worst}} times, and never after step
# {{decoy:bonus_0/last_find/worst}} of 51,200.
# {{# description}} {{More runs | decoy:bonus_1/large/count
# > decoy:bonus_0/large/count}} end there with β = 1. With β = 3 all end there too, and yet their sampled actions return
# {{less | decoy:bonus_3/last_500 < decoy:bonus_1/last_500}}: they leave the walk now and then, since the bonus pays for it.
#
# The bonus keeps trying what a coin would try, and finds nothing else. In a walk of 20 squares, which a
# coin finishes once in a million episodes, no run reaches the end in this budget, with a bonus of 1 or without
# ({{decoy:far_1/first_find/count}} and {{decoy:far_0/first_find/count}} of 10), and the return is {{lower |
# decoy:far_1/last_500 < decoy:far_0/last_500}} with it: {{decoy:far_1/last_500}} against {{decoy:far_0/last_500}}. That is the
# case of lesson 07, section 6. {{# mathematics}}

# %% [markdown]
# ## 10. A patient
#
# Someone's A2C learns a little, and then loses even that: the mean of the last 100 episodes is {{a2c:patient/last_100}}. No
# error, no warning, and the settings are `a2c.CARTPOLE`. Symptom first: what do you see, and what could cause it?


# %% jupyter={"source_hidden": true}
def returns_by_update(name, updates):
    """Returns [R, X] at the given updates: in CartPole a return is a number of steps, and an update takes 128 of them."""
    curve = measured["curves"][name]  # moving averages of 50 episodes, at every tenth episode
    blocks = np.array(curve["per_seed"])[:, 4::5]  # [R, blocks]: means of 50 episodes, one after the other
    ends = 50 * blocks.cumsum(axis=1) / a2c.CARTPOLE.batch_size  # updates by the end of each block
    return np.array([np.interp(updates, end, block) for end, block in zip(ends, blocks, strict=True)])


figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
last = measured["curves"]["patient/charts/value_mean"]["x"][-1]
updates = np.arange(10, last + 1, 10)
for name, who, colour, style in (("cartpole", "healthy", "a2c", "-"), ("patient", "patient", "#000000", "--")):
    plots.band(axes[0], updates, returns_by_update(name, updates), label=who, colour=colour, style=style)
    for ax, metric in zip(axes[1:], ("losses/explained_variance", "charts/value_mean"), strict=True):
        plots.claimed_band(ax, measured["curves"][f"{name}/{metric}"], label=who, colour=colour, style=style)
for ax, label in zip(axes, ("episodic return", "explained variance", "mean V [scaled reward]"), strict=True):
    ax.set(xlabel="update", ylabel=label, xlim=(0, last))
axes[1].set_ylim(-1, 1)
axes[2].axhline(100 * a2c.CARTPOLE.reward_scale, color="#666666", linestyle=":")
axes[0].legend()
page.figure(
    figure,
    alt="Three panels for patient and healthy version over updates: the patient's return climbs to about 35 and then falls; its explained "
    "variance is above the healthy one's nearly all the time; its mean value goes straight up to 20, the healthy one's climbs slowly.",
    caption="Ten seeds each, up to the patient's last update. The dotted line is 0.2 / (1 - γ) = 20: the value of a pole that never falls.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "03-patient",
    "Which of these explains all three panels?",
    [
        "The critic's learning rate is ten times too small",
        "The advantages enter the loss with the wrong sign",
        "The bootstrap is not masked where episodes terminate",
        "The time limit of 500 steps is treated as a fall",
    ],
    answer=2,
    reasons=[
        "A slow critic would lag behind the returns. This one runs ahead of them: 20 is the value of a pole that never falls.",
        "A wrong sign would make the return fall below a random agent's from the start. This one learns a little at first.",
        "Right: a fall is followed by the value of the fallen state, as if nothing ended, and V drifts to 0.2 / (1 - γ) = 20. As long as V "
        "is low, every TD error is positive, and a fall cuts their sum short, so the agent learns. With V at 20 a step earns no more than "
        "it costs: the TD errors go to 0, and nothing holds the pole up. Explained variance looks healthy, as target and V run away together.",
        "That would make values smaller, and only at the end of episodes of 500 steps.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# deltas = rewards + gamma * next_values - values          # for every row, whatever happened in it
# ```
#
# The cure is `rewards + gamma * next_values * ~terminated - values`. The cell below shows what the bug makes of a fall in the
# rollout of section 4.5: the step that should be blamed most looks like any other.
#
# </details>

# %%
without_mask = shown.rewards + 0.99 * shown.next_values - shown.values
with_mask = shown.rewards + 0.99 * shown.next_values * ~shown.terminated - shown.values
print(f"TD error of the step in which the pole fell, with the mask: {with_mask[fell[0], 0]:+7.2f}")
print(f"TD error of the same step without the mask:                 {without_mask[fell[0], 0]:+7.2f}")

# %% [markdown]
# ## 11. Common mistakes, and how they look · further
#
# Each was put into `a2c.CARTPOLE` at constant learning rates, ten seeds of 400 episodes, unless a section is named. Return
# means that of the last 50 episodes; healthy: {{a2c_mistakes:healthy/last_50}}, with an entropy of
# {{a2c_mistakes:healthy/entropy}} nats and a mean V of {{a2c_mistakes:healthy/value}}. Where no difference is seen in
# the return, compare the function with an example by hand, as the checks of the exercises do. {{# advice}}
#
# | mistake | what you see |
# |---|---|
# | the bootstrap is not masked at a termination | section 10: V climbs to $0.2/(1-\gamma)$, the return rises a little and falls back |
# | the trace is not cut at an end | {{no difference | a2c_mistakes:trace_not_cut/last_50 ~ a2c_mistakes:healthy/last_50}} in the return, {{a2c_mistakes:trace_not_cut/last_50}} |
# | the rollout's end is treated as an episode's end | a {{lower | a2c_mistakes:rollout_ends/last_50 < a2c_mistakes:healthy/last_50}} return, {{a2c_mistakes:rollout_ends/last_50}}, and a {{lower | a2c_mistakes:rollout_ends/value < a2c_mistakes:healthy/value}} mean of V, {{a2c_mistakes:rollout_ends/value}}: about what is left, on average, to the end of 16 steps |
# | the reset observation is taken for the next one, or truncation for termination | the same run, bit for bit, until episodes reach the time limit {{# design}} |
# | advantages flattened in another order than the observations (`.T.flatten()`) | it does not learn: return {{a2c_mistakes:transposed/last_50}}, entropy {{a2c_mistakes:transposed/entropy}}, near $\log 2$ = 0.693 |
# | the critic is fitted to the advantages instead of advantages + values | a {{lower | a2c_mistakes:critic_on_advantages/last_50 < a2c_mistakes:healthy/last_50}} return, {{a2c_mistakes:critic_on_advantages/last_50}}; V stays {{low | a2c_mistakes:critic_on_advantages/value < a2c_mistakes:healthy/value}}, at {{a2c_mistakes:critic_on_advantages/value}}, while the return rises |
# | gradient flows from the policy loss into the critic (missing detach) | {{no difference | a2c_mistakes:no_detach/last_50 ~ a2c_mistakes:healthy/last_50}} in the return, {{a2c_mistakes:no_detach/last_50}} |
# | `[B, 1]` against `[B]` | it does not learn: policy gradient norm of rounding size, entropy {{a2c_mistakes:broadcast/entropy}}, which is $\log 2$ |
# | sign of the policy loss | return {{below | a2c_mistakes:policy_sign/last_50 < a2c_mistakes:policy_sign/first_20}} that of the first 20 episodes; the entropy falls all the same, to {{a2c_mistakes:policy_sign/entropy}} {{# description}} |
# | sign of the entropy bonus, at 0.01 | {{no difference | a2c_mistakes:entropy_sign/entropy ~ a2c_mistakes:healthy/entropy}} in the entropy, {{nor in the return | a2c_mistakes:entropy_sign/last_50 ~ a2c_mistakes:healthy/last_50}} |
# | entropy bonus far too large (0.5) | entropy {{higher | a2c_mistakes:entropy_large/entropy > a2c_mistakes:healthy/entropy}}, {{a2c_mistakes:entropy_large/entropy}}; return {{lower | a2c_mistakes:entropy_large/last_50 < a2c_mistakes:healthy/last_50}} |
# | gradients of single rows clipped | V far above the returns (section 6.4) {{# design}} |

# %% [markdown]
# ## 12. Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "03-lambda-ends",
    "With λ = 1 and the whole episode in the rollout, GAE is",
    [
        "the TD error of this one step",
        "the discounted return minus V(s)",
        "the discounted return itself",
        "the same as with λ = 0, if γ = 1",
    ],
    answer=1,
    reasons=[
        "That is λ = 0: no later TD error counts.",
        "Right: the values in between cancel in pairs, and what is left of the critic is a baseline.",
        "Almost: the value of the first state is subtracted.",
        "γ weighs rewards, λ weighs estimates. λ = 0 and λ = 1 agree where the critic is exact, and then on average.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-both-flags",
    "The pole falls in the very step in which the time limit comes: both flags are set. The TD error of this step",
    [
        "bootstraps, because the episode was truncated",
        "does not bootstrap, because there is no future",
        "is left out, since it belongs to no episode",
        "bootstraps with half of the critic's value",
    ],
    answer=1,
    reasons=[
        "Truncated means: cut while there was a future. Here there is none.",
        "Right: what would have come after a fall is worth 0, whatever the clock says.",
        "It is experience like any other.",
        "There is no such rule. One flag says whether a future exists, and it says no.",
    ],
)

# %% [markdown]
# ## 13. What to remember
#
# 1. The TD error is a one-step estimate of the advantage. Its bias is $\gamma$ times the critic's mean error at the next state;
#    the error at $s_t$ is only a baseline.
# 2. Noise averages out, bias does not. λ trades one for the other. Which λ is best depends on the critic and the data.
#    {{# mathematics}}
# 3. GAE is the λ-weighted average of all n-step advantages: $\hat A_t = \delta_t + \gamma\lambda \hat A_{t+1}$, from the back.
# 4. `~terminated` masks the bootstrap, `~(terminated | truncated)` cuts the trace. A rollout's end bootstraps.
# 5. A2C: collect, value, GAE, one step each, throw away. Watch explained variance *and* the means of V and the targets.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/03_a2c_gae.ipynb) build explained variance, TD errors,
# n-step returns, GAE, the true next observation and A2C's losses one after the other, and then train CartPole with *your*
# functions.

# %% [markdown]
# ## Further reading · further
#
# - R. S. Sutton (1988), *Learning to predict by the methods of temporal differences*, Machine Learning 3. Sections 1 to 3: the
#   idea, and a random walk on which TD is ahead of waiting. {{# cited}}
# - R. S. Sutton and A. G. Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition. Chapter 7 for n steps, 9.3 for
#   semi-gradients, 11.5 for why the full gradient goes wrong, 12.1 for the λ-return, 13.5 for the online actor-critic.
# - J. N. Tsitsiklis and B. Van Roy (1997), *An analysis of temporal-difference learning with function approximation*, IEEE
#   Transactions on Automatic Control 42. Read the introduction: when TD converges, and the counterexample for data of another
#   policy.
# - J. Schulman, P. Moritz, S. Levine, M. Jordan and P. Abbeel (2016), *High-dimensional continuous control using generalized
#   advantage estimation*, ICLR. Sections 2 and 3: GAE is equation 16.
# - V. Mnih et al. (2016), *Asynchronous methods for deep reinforcement learning*, ICML. Section 4: A3C, from which A2C comes,
#   with the entropy bonus.
# - F. Pardo, A. Tavakoli, V. Levdik and P. Kormushev (2018), *Time limits in reinforcement learning*, ICML. Why a time limit is
#   not an end.
# - I. Osband et al. (2020), *Behaviour suite for reinforcement learning*, ICLR. Small environments that isolate one difficulty
#   each; our long corridor is a cousin of their umbrella task.
