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
# that question into a number, λ, and builds the algorithm that most of today's policy-gradient code is made of.
#
# **After this lesson you will be able to**
#
# 1. derive the TD error, say when it is a right estimate of the advantage and how wrong it is otherwise;
# 2. derive GAE step by step as a weighted sum of n-step advantages, and choose λ knowing what it trades;
# 3. treat the three kinds of boundary correctly: terminated, truncated, end of the rollout, in all of
#    Gymnasium's reset modes;
# 4. write A2C in five blocks and give the shape of every tensor in it;
# 5. read explained variance, and know what it does not see.
#
# **You need** [lesson 02](02_baselines.ipynb) (baselines, the value network, two optimisers). **Time:** about 60 minutes to
# read and play; all cells together run in half a minute on two cores.
#
# The numbers in the text come from `claims/a2c.json`: ten training runs of each version, measured with this package. *289
# [274, 301]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval.

# %%
import tempfile
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
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.study.claims import load_claims, quote

torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("a2c")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# A2C on CartPole beside the REINFORCE with baseline of units 01 and 02. Both have a critic of the same size. REINFORCE uses it as a
# baseline only, A2C also as a replacement for the part of the episode that it has not seen.

# %%
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
# Counted in episodes, REINFORCE is *faster* on CartPole. What A2C has for it: its worst seed ends at
# {{a2c:cartpole/last_100/worst}}, REINFORCE's at {{reinforce:baseline/last_100/worst}}. But that is not why you learn it. A2C needs no end of
# an episode, so it works where episodes are long or never end; it uses every step of many environments at once; and each of its parts
# comes back in PPO (unit 04).
#
# ## 1. The idea in plain words
#
# You are on a long drive and want to know whether the detour at noon was a mistake. You can wait until you arrive
# and compare: that is **Monte Carlo**, exact on average, but everything that happened after noon is in the
# result. Or you can look at the navigation system before the detour and after it: if the predicted arrival has moved
# back by ten minutes, the detour cost ten minutes. That is **temporal difference** learning (TD). It needs no arrival and has
# little noise. It is as good as the navigation system.
#
# The policy is called the **actor**, the value network the **critic**, and methods in which the critic's prediction
# *replaces* a part of the return are **actor-critic** methods. Using a prediction in the place of what has not been seen
# is called **bootstrapping**.
#
# ## 2. The TD error
#
# ### 2.1 Symbols and shapes
#
# From here on, experience comes in **rollouts**: $T$ steps of $N$ environments side by side, whether or not episodes
# end in between. Every tensor has time as its first axis and the environment as its second.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $s_t$ | observation at step $t$ | `rollout.obs` | `[T, N, D]` |
# | $a_t$, $\log\pi(a_t \mid s_t)$ | action, its log-probability | `rollout.actions`, `rollout.log_prob` | `[T, N]` |
# | $r_t$ | reward of step $t$ | `rollout.rewards` | `[T, N]` |
# | $V(s_t)$ | the critic's value of the observation | `rollout.values` | `[T, N]` |
# | $V(s_{t+1})$ | its value of the **true** next observation | `rollout.next_values` | `[T, N]` |
# | | the episode ended here, for good | `rollout.terminated` | `[T, N]`, bool |
# | | the episode was cut here, by a time limit | `rollout.truncated` | `[T, N]`, bool |
# | $\delta_t$ | TD error | `deltas` inside `gae` | `[T, N]` |
# | $\hat A_t$ | estimated advantage | `advantages` | `[T, N]` |
# | $V(s_t) + \hat A_t$ | target of the critic | `batch.returns` | `[T·N]`, flattened |
#
# ### 2.2 One step is enough, if the critic is right
#
# Bellman's equation of unit 00 splits the value of an action into one reward and the rest:
#
# $$ Q^\pi(s, a) = \mathbb{E}\big[ r_t + \gamma V^\pi(s_{t+1}) \,\big|\, s_t = s, a_t = a \big]. $$
#
# Subtract $V^\pi(s)$ on both sides. On the left stands the advantage $A^\pi(s, a)$. On the right, $V^\pi(s_t)$ is a known
# number once $s_t$ is given, so it may go inside:
#
# $$
# A^\pi(s, a) = \mathbb{E}\big[ \delta_t \,\big|\, s_t = s, a_t = a \big],
# \qquad
# \delta_t = r_t + \gamma V^\pi(s_{t+1}) - V^\pi(s_t).
# \tag{1}
# $$
#
# $\delta_t$ is the **TD error**. With the true values in it, a single one is an unbiased sample of the advantage: after
# *one* step. No waiting for the end.
#
# ### 2.3 And if the critic is wrong?
#
# You never have $V^\pi$. You have a network $V$ with an error $e(s) = V(s) - V^\pi(s)$. Put $V = V^\pi + e$ into $\delta_t$
# and take the expectation:
#
# $$
# \mathbb{E}\big[\delta_t \mid s_t, a_t\big]
# = A^\pi(s_t, a_t)
# + \underbrace{\gamma\, \mathbb{E}\big[e(s_{t+1}) \mid s_t, a_t\big]}_{\text{depends on the action: bias}}
# - \underbrace{e(s_t)}_{\text{does not}} .
# \tag{2}
# $$
#
# The last term depends on the state alone, so it is a baseline: unit 02 proved that it changes no expected gradient. The
# middle term is different. The action decides where you land, so an error of the critic *there* praises or blames the action
# for nothing. Playing more episodes does not help: **noise averages out, bias does not.** Only a better critic helps.
#
# ### 2.4 Training the critic: a target that holds still
#
# The critic is fitted with the same idea. Its target is $y_t = r_t + \gamma V(s_{t+1})$, and its loss $\tfrac12 (V(s_t) - y_t)^2$.
# But the network stands on both sides: $y_t$ changes when the weights do. Two gradients are possible:
#
# $$
# \underbrace{-\,\delta_t\, \nabla V(s_t)}_{\text{target held fixed: semi-gradient}}
# \qquad\text{or}\qquad
# \underbrace{-\,\delta_t\, \big(\nabla V(s_t) - \gamma \nabla V(s_{t+1})\big)}_{\text{target differentiated too: full gradient}} .
# $$
#
# Everyone uses the first, and so does this package: `value_loss` detaches its target. See both on one transition:

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
# The full gradient makes the error small in two ways: it raises the value of *here*, and it **lowers the value of
# *there***, though nothing that happened after *there* gave a reason to. The prediction is made to agree with the past, when the
# past should learn from the prediction. With random transitions it even settles on wrong values, because the square of
# one sampled error counts the randomness of the environment as an error of the critic (Sutton and Barto 2018, section 11.5).
#
# The price of the semi-gradient: it is not the gradient of any function, so nothing guarantees that it goes downhill. With
# data of the current policy and a linear critic it converges (Tsitsiklis and Van Roy 1997). With a network there is no such
# theorem. In on-policy practice it works, and you watch explained variance (section 8).
#
# ## 3. Bias against variance: the long corridor
#
# To see bias you need a place where the truth is known, and where credit is hard to give. Here is one.
#
# At a **fork** the agent takes corridor 0 or corridor 1. Then it walks through 20 squares, whatever it does. In each square a
# fair coin pays +1 or -1, in both corridors alike. At the very end of corridor 1 there is a prize of 1. So one action matters,
# its effect is worth 1, and it comes 20 steps later under the noise of 20 coins.

# %%
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
                (0.9 + 0.5 * square, y - 0.25), 0.5, 0.5, facecolor="#E69F00" if last else colour, edgecolor="black"
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
# Without discount ($\gamma = 1$) the true values are: 0 everywhere in corridor 0, 1 everywhere in corridor 1. So at the fork
# the advantage of corridor 1 exceeds that of corridor 0 by exactly **1**. Observations are one-hot and the networks have no hidden
# layer: policy and critic are tables with one entry for each place.
#
# Train for 30 updates, so that the critic is half-finished, freeze everything, and play 16,000 episodes.

# %%
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


# %%
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
# Between one step and all steps lies everything else: take $n$ rewards as they came, then trust the critic.
#
# $$
# \hat A^{(n)}_t = \underbrace{r_t + \gamma r_{t+1} + \dots + \gamma^{n-1} r_{t+n-1}}_{\text{seen}}
# + \underbrace{\gamma^n V(s_{t+n})}_{\text{believed}} - V(s_t) .
# \tag{3}
# $$
#
# $n = 1$ is the TD error. $n$ to the end of the episode is the Monte Carlo return minus $V(s_t)$, and nothing is believed. The same
# calculation as in (2) gives the bias that matters: $\gamma^n\, \mathbb{E}[e(s_{t+n}) \mid s_t, a_t]$.
#
# How good is each at the fork? The true difference between the two actions is 1, so an estimate's **bias** is its mean
# difference minus 1, and its **noise** is the standard deviation of a single estimate.

# %% jupyter={"source_hidden": true}
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
    explanation="The step at the fork tosses no coin, so the TD error there has no noise at all. It believes the critic's values of "
    "the two corridors, which are wrong. The whole return believes nothing and carries all 20 coins.",
)

# %%
from pgcourse.show.figures.returns import n_step_advantages


def bias_and_noise(advantages, first_action):
    """Of estimates [N] at the fork: error of the mean difference between the actions, and spread of a single one."""
    one, zero = advantages[first_action == 1], advantages[first_action == 0]
    bias = one.mean() - zero.mean() - 1.0
    noise = torch.cat([one - one.mean(), zero - zero.mean()]).std()
    return float(bias), float(noise)


print("  n    bias   noise of one episode")
for n in (1, 2, 5, 10, 20, 21):
    at_fork = n_step_advantages(rollout, gamma=1.0, n=n)[0]  # [N]
    bias, noise = bias_and_noise(at_fork, rollout.actions[0])
    print(f"{n:3d} {bias:+7.2f} {noise:10.2f}")

# %% [markdown]
# Read it from top to bottom. The bias shrinks as less is believed (the last ones are 0 to within their standard error of 0.07). The
# noise grows as more coins are seen: with $n - 1$ fair coins of size 1 (the step at the fork tosses none) it is $\sqrt{n - 1}$. A prize of 1 under a noise of $\sqrt{20} \approx 4.5$ takes many episodes to see. A noise of 0
# with the wrong answer takes for ever.
#
# ## 4. GAE: all n at once
#
# Which $n$? Rather than choosing one, take a weighted average of all of them. That is **generalised advantage estimation**
# (Schulman et al. 2016), and its surprise is that the average of all is as cheap as one.
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
# In the second sum every value appears twice, once with plus and once with minus, except the last and the first:
# it is $\gamma^n V(s_{t+n}) - V(s_t)$. Compare with (3):
#
# $$ \hat A^{(n)}_t = \sum_{k=0}^{n-1} \gamma^k \delta_{t+k} . \tag{4} $$
#
# ### 4.2 Step 2: average with weights that fall by λ
#
# Give $\hat A^{(1)}$ the weight $1$, $\hat A^{(2)}$ the weight $\lambda$, $\hat A^{(3)}$ the weight $\lambda^2$, and so on, with $0 \le \lambda < 1$.
# These sum to $1/(1-\lambda)$, so multiply by $1 - \lambda$ to make an average. Take an episode that never ends first:
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
# ### 4.3 Step 3: when it does end
#
# Let $K$ be the number of rewards from $t$ to the end of the episode, or of the rollout. Beyond it there are no more rewards to
# take, so every $\hat A^{(n)}$ with $n \ge K$ is the longest one, $\hat A^{(K)}$. Their weights add up to
# $(1-\lambda)(\lambda^{K-1} + \lambda^{K} + \dots) = \lambda^{K-1}$. The weight of $\delta_{t+k}$, $k < K$, is then
#
# $$
# \gamma^k \Big( (1-\lambda) \big(\lambda^{k} + \dots + \lambda^{K-2}\big) + \lambda^{K-1} \Big)
# = \gamma^k \Big( \lambda^{k} - \lambda^{K-1} + \lambda^{K-1} \Big) = (\gamma\lambda)^k ,
# $$
#
# the same as before. So (5) holds as it is, with the sum cut at the end. Nothing was approximated; what *is* approximate
# is every $V$ in it.
#
# ### 4.4 Step 4: from the back
#
# Split off the first term of (5): $\hat A_t = \delta_t + \gamma\lambda\,(\delta_{t+1} + \gamma\lambda\, \delta_{t+2} + \dots)$, and the bracket is $\hat A_{t+1}$:
#
# $$ \hat A_t = \delta_t + \gamma\lambda\, \hat A_{t+1} . \tag{6} $$
#
# One pass from the last step to the first. The two ends of the range:
#
# - $\lambda = 0$: $\hat A_t = \delta_t$, one-step TD;
# - $\lambda = 1$: $\hat A_t = \sum_k \gamma^k \delta_{t+k}$, which by (4) is the whole return minus $V(s_t)$: Monte Carlo with a baseline.
#
# Here is the code. `~terminated` and `~(terminated | truncated)` are section 5.

# %%
page.source(returns.gae)

# %% [markdown]
# By hand: three steps, rewards 1, all values 0.5, $\gamma = \lambda = 0.5$, and the episode terminates at the last one. Then
# $\delta_2 = 1 + 0 - 0.5 = 0.5$ and $\delta_1 = \delta_0 = 1 + 0.5 \cdot 0.5 - 0.5 = 0.75$. From the back: $\hat A_2 = 0.5$,
# $\hat A_1 = 0.75 + 0.25 \cdot 0.5 = 0.875$, $\hat A_0 = 0.75 + 0.25 \cdot 0.875 = 0.96875$.

# %% tags=["nbval-check-output"]
one, half, no = torch.ones(3, 1), torch.full((3, 1), 0.5), torch.zeros(3, 1, dtype=torch.bool)
end = torch.tensor([[False], [False], [True]])
print(returns.gae(one, half, half, end, no, gamma=0.5, gae_lambda=0.5)[:, 0])

# %% [markdown]
# And the derivation itself, checked on the corridor's rollout: average all 21 n-step advantages with the weights of
# section 4.3, written out, and compare.

# %%
gae_lambda, K = 0.9, EPISODE_STEPS
weights = [(1 - gae_lambda) * gae_lambda ** (n - 1) for n in range(1, K)] + [gae_lambda ** (K - 1)]
average = sum(
    weight * n_step_advantages(rollout, gamma=1.0, n=n)[0] for n, weight in zip(range(1, K + 1), weights, strict=True)
)
recursion = returns.gae(
    rollout.rewards,
    rollout.values,
    rollout.next_values,
    rollout.terminated,
    rollout.truncated,
    gamma=1.0,
    gae_lambda=0.9,
)[0]
print(f"the weights sum to {sum(weights):.6f}")
print(f"largest difference over {len(average):,} episodes: {float((average - recursion).abs().max()):.6f}")

# %% [markdown]
# ### 4.5 Move γ and λ
#
# A real rollout of CartPole, with a policy and a critic in the middle of training. On top the TD errors, in the middle
# how much each counts in the advantage of *one* step, at the bottom the advantages of all steps. Red lines are ends of episodes.


# %%
def lasts_60_steps(progress):
    return progress.episodes["episodic_return"][-20:].mean() >= 60


partly = a2c.train(replace(a2c.CARTPOLE, seed=2), on_iteration=lasts_60_steps)
envs = make_envs("CartPole-v1", 8, seed=5)
with seeded(3):
    obs, _ = envs.reset()
    data, _ = collect_rollout(partly.policy, partly.critic, envs, obs, 100)  # [100, 8]
ENV = 2  # the environment to look at
shown = Rollout(*(field[:, ENV : ENV + 1] for field in data))  # [100, 1]
fell = shown.terminated[:, 0].nonzero()[:, 0].tolist()
print(f"environment {ENV} terminated at steps {fell}")

# %%
from pgcourse.show.figures import returns as returns_explained

widgets.explore(
    lambda gamma, gae_lambda, step: returns_explained.advantages(shown, gamma=gamma, gae_lambda=gae_lambda, step=step),
    alt="Three panels over 100 steps: TD errors, the weights of one step's advantage, which fall by gamma lambda and stop at "
    "the end of the episode, and the advantages for lambda 0, lambda 1 and the chosen lambda.",
    caption="Move λ from 0 to 1 and watch the green line go from the blue one to the red one. Move the step across an end: no "
    "weight ever crosses it.",
    gamma=widgets.Slider(0.8, 1.0, 0.99, 0.01, "discount γ"),
    gae_lambda=widgets.Slider(0.0, 1.0, 0.95, 0.05, "λ"),
    step=widgets.Slider(0, 99, 30, 1, "step whose advantage is taken apart"),
)

# %% [markdown]
# Look at the TD errors first. They are nearly the same at every step, and one bar at each fall is large and negative. This
# critic says nearly the same of every state: it knows how long an episode lasts on average, and not yet which states are
# dangerous. A constant $V = c$ gives $\delta = 1 + \gamma c - c$ at every step and $\delta = 1 - c$ at a fall. With λ = 0, the
# blame for a fall lands on the last step alone, when it was too late. The weights of λ = 0.95 carry it back to the steps that
# led there. A poor critic is usable if you do not trust it too far.
#
# The weights sum to about $1/(1-\gamma\lambda)$: with 0.99 and 0.95 an advantage looks some 17 steps ahead and leaves
# the rest to the critic. $\gamma$ and $\lambda$ stand side by side in the weight and do different things: $\gamma$ changes *what is
# estimated* (rewards far away count less), λ changes only *how*. With the true values in it, λ makes no difference to the mean.
#
# The critic's targets follow: $V(s_t) + \hat A_t$ is a weighted average of all n-step *returns*, the **λ-return**. Here are
# four kinds of target over one episode of that rollout:

# %%
episode = Rollout(*(field[: fell[0] + 1] for field in shown))
page.figure(
    returns_explained.targets(episode, gamma=0.99, n=5, gae_lambda=0.95),
    alt="Five curves over the steps of one episode: the critic's values, the one-step target close to them, the 5-step return, "
    "the λ-return, and the Monte Carlo return.",
    caption="The one-step target hugs the critic's own opinion. The Monte Carlo return ignores it. The λ-return lies between "
    "and meets the others at the end, where the truth is known.",
)

# %% [markdown]
# ### 4.6 Which λ? It depends on what you have
#
# Back to the corridor and the truth. For each λ, bias and noise at the fork, for the same critic. An update averages over
# several episodes, which divides the variance and leaves the bias. With $m$ episodes, half of them in each corridor, the
# difference between the two actions has the variance $\text{noise}^2 \cdot (2/m + 2/m)$, so the typical error is
#
# $$ \text{error} = \sqrt{\text{bias}^2 + \tfrac{4}{m}\,\text{noise}^2} . $$

# %%
LAMBDAS = np.linspace(0, 1, 21)
KNOWN = {}  # updates of the critic -> bias [L] and noise [L]
for updates in (10, 30, 100):
    data, _ = frozen_rollout(updates)
    fields = data.rewards, data.values, data.next_values, data.terminated, data.truncated
    pairs = [
        bias_and_noise(returns.gae(*fields, gamma=1.0, gae_lambda=gae_lambda)[0], data.actions[0])
        for gae_lambda in LAMBDAS
    ]
    KNOWN[updates] = np.array(pairs).T


# %%
def draw_error(episodes, updates):
    bias, noise = KNOWN[updates]
    error = np.sqrt(bias**2 + 4 / episodes * noise**2)
    best = int(error.argmin())
    figure, ax = plots.new_figure()
    ax.plot(LAMBDAS, np.abs(bias), color="#D55E00", linestyle="--", label="size of the bias")
    ax.plot(
        LAMBDAS, np.sqrt(4 / episodes) * noise, color="#0072B2", linestyle="-.", label=f"noise over {episodes} episodes"
    )
    ax.plot(LAMBDAS, error, color="black", label="error, both together")
    ax.plot(LAMBDAS[best], error[best], "o", color="black", markersize=9, label=f"least at λ = {LAMBDAS[best]:.2f}")
    ax.axhline(1, color="#666666", linestyle=":", label="what is to be seen: 1")
    ax.set(xlabel="λ", ylabel="error of the advantage at the fork [reward]", ylim=(0, 1.6 * max(1.0, error.max())))
    ax.legend(loc="upper center", ncols=2)
    return figure


# %%
widgets.explore(
    draw_error,
    alt="Bias falls and noise grows with lambda; their root sum of squares has a minimum that moves with the number of episodes "
    "and with the training of the critic.",
    caption="More episodes: the best λ moves to the right. A better critic: to the left.",
    episodes=widgets.Choice([8, 32, 128, 512, 2048], 512, "episodes averaged"),
    updates=widgets.Choice({f"{number} updates": number for number in KNOWN}, 30, "critic trained for"),
)

# %% [markdown]
# There is no best λ. There is a best λ *for this critic and this much data*. With eight episodes the noise of the coins swamps
# everything, and even a wrong opinion is better than that. With thousands, every bit of belief hurts. What does that do to
# training? Four values of λ, ten seeds, the same settings otherwise, 250 updates of 8 episodes.

# %% jupyter={"source_hidden": true}
questions.predict(
    "03-corridor-lambda",
    "With which λ do most seeds end up preferring the corridor without the prize?",
    ["λ = 0", "λ = 0.5", "λ = 1", "None of them: 2,000 episodes are plenty"],
    answer=0,
    explanation=f"{quote('a2c:corridor_0/wrong_corridor/count')} of {quote('a2c:corridor_0/updates_to_90/count.n')} seeds, and none with "
    "the others. One step believes a critic that started with random values. Whole returns are noisy, but right on average.",
)

# %%
figure, ax = plots.new_figure()
looks = {
    "corridor_0": ("λ = 0: TD", "#0072B2", "-."),
    "corridor_05": ("λ = 0.5", "#E69F00", ":"),
    "corridor_09": ("λ = 0.9", plots.COLOURS["a2c"], "-"),
    "corridor_1": ("λ = 1: Monte Carlo", "#D55E00", "--"),
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
# With λ = 0, {{a2c:corridor_0/wrong_corridor/count}} of {{a2c:corridor_0/updates_to_90/count.n}} seeds end up *preferring the corridor
# without the prize*. The critic begins with random values, so one corridor looks better for no reason. One-step targets correct it
# square by square from the far end. Meanwhile the policy acts on the error, visits the other corridor less and less, and
# what is not visited is not corrected. Bias does not average out; it can feed itself.
#
# λ = 1 is never wrong for long: it is ahead in the first updates, when the critic knows nothing. Then λ = 0.9 overtakes it, as the critic
# becomes worth something: it reaches 0.9 after {{a2c:corridor_09/updates_to_90.value}} updates, λ = 1 after {{a2c:corridor_1/updates_to_90.value}}. λ = 0.5
# wastes half of the time on the critic's first opinions, and then ends as high as any.
#
# ## 5. Where episodes end
#
# A column of a rollout goes on over the ends of episodes. At each row two questions have to be answered, and
# widely copied implementations get at least one of them wrong:
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
# In `gae` above, `~terminated` answers the first question and `~(terminated | truncated)` the second. Two flags, two
# jobs. A single `done` cannot do both.
#
# In unit 01 the limit of 500 steps was treated as an end, which made the last steps of a perfect episode look bad. Now it
# is done properly.
#
# ### 5.1 Which observation is the next one?
#
# $V(s_{t+1})$ needs the observation that *followed*. At an end, a vector environment has to begin a new episode, and what
# `step` returns may be the first observation of the new one. Look:

# %%
envs = make_envs("CartPole-v1", 2, seed=0)
obs, _ = envs.reset()
terminated = torch.zeros(2, dtype=torch.bool)
while not terminated[0]:
    obs, rewards, terminated, truncated, info = envs.step(torch.tensor([1, 1]))  # push right until the pole falls
print(f"pole angle that step() returned:    {obs[0, 2]:+.3f} rad: the new episode, upright")
print(f"pole angle in info['final_obs']:    {info['final_obs'][0, 2]:+.3f} rad: the pole that fell (limit 0.209)")

# %% [markdown]
# Take the first for $s_{t+1}$, and a fall looks like a leap to a fresh, upright pole. Under a termination the
# bootstrap is dropped and no harm is done. Under a truncation it is the wrong number.
#
# Gymnasium has three modes, and a vector environment says its own in `metadata["autoreset_mode"]`:
#
# - **SAME_STEP**: the step that ends an episode returns the new one's first observation; the true last one is in
#   `info["final_obs"]`. This package runs in this mode throughout.
# - **NEXT_STEP**, Gymnasium's default: the step that ends an episode returns the true last observation. The *next* call ignores
#   your action, returns the first observation of the new episode with reward 0: a **reset row**. It is no experience. Drop
#   it, also when it is the first row of the next rollout.
# - **DISABLED**: the true last observation, and you reset the finished ones yourself, with a mask.
#
# Collect the same episodes in all three, two rollouts of 13 steps. The time limit is set to 9 so that both kinds of end come up.


# %%
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
from pgcourse.envs import as_tensor_envs
from pgcourse.study import autoreset

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

# %%
from pgcourse.show.figures.returns import timeline

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
#
# ### 5.2 What does the truncation bug cost?
#
# You will meet code that masks the bootstrap with `done`: a time limit counts as a fall. On CartPole this bites only
# when episodes reach 500 steps, that is, when the agent is good. Measured, ten seeds each:
#
# | at a time limit | seeds that reach 475 | episodes until then | last 100 episodes | worst seed | held-out return |
# |---|---|---|---|---|---|
# | bootstrap (right) | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} | {{a2c:cartpole/last_100/worst}} | {{a2c:cartpole/held_out}} |
# | treated as a fall (bug) | {{a2c:truncation_ends/episodes_to_475/count}} of {{a2c:truncation_ends/episodes_to_475/count.n}} | {{a2c:truncation_ends/episodes_to_475}} | {{a2c:truncation_ends/last_100}} | {{a2c:truncation_ends/last_100/worst}} | {{a2c:truncation_ends/held_out}} |
#
# On CartPole it costs next to nothing: a few dozen episodes at most, with intervals that overlap, and the same return in the end. The
# bug still leaves a trace. A perfect agent's entropy stays at {{a2c:truncation_ends/last_entropy}} nats instead of
# {{a2c:cartpole/last_entropy}}, and the critic says {{a2c:truncation_ends/last_value.value}} on average where the truth is 100: near the
# limit, whatever the agent does looks bad. Only one row in 500 is wrong here, and CartPole does not show
# the agent its clock. Do not conclude that the bug is harmless. Pendulum never terminates and is cut every 200 steps: unit 05 measures what it costs there.
#
# ## 6. A2C
#
# ### 6.1 Many environments side by side
#
# Sixteen steps of one environment are sixteen nearly equal situations: the pole leans a little more in each. Their gradients
# agree because the data are alike, not because they are right. Sixteen steps of eight environments, each somewhere else in its
# episode, are a better sample of what the policy meets, and one call of the network serves all eight. That is why every
# tensor here is `[T, N]`.
#
# **A2C** is *advantage actor-critic*. It comes from A3C, in which environments ran in threads that updated shared weights whenever one
# was ready. A2C waits for all of them, and with the *asynchronous* one A is gone. Five blocks, over and over:
#
# 1. **Collect** $T$ steps of $N$ environments from where the last rollout stopped: `[T, N]` each.
# 2. **Value** what was seen: $V(s_t)$ and $V(s_{t+1})$ of the *true* next observation: `[T, N]` each.
# 3. **Advantages** by GAE: `[T, N]`, from the back. Then flatten: `[T·N]`, since from here on time no longer matters.
# 4. **One gradient step** for the policy, along $\hat A \nabla \log\pi$ plus the entropy bonus; one for the critic, towards $V + \hat A$.
# 5. **Throw the rollout away**, and go on from the last observations. Nothing is reset.
#
# Find the five in the code. Blocks 1 and 2 are `collect_fn`, 3 is `advantage_fn` and `flatten`, 4 is `update_fn`, 5 is the next
# turn of the `while`.

# %%
page.source(a2c.train)

# %%
page.source(a2c.update)

# %% [markdown]
# Block 2 is at the end of `collect_rollout`. The networks do not change during a rollout, so one call at its end values all
# observations at once:

# %%
page.source(collect_rollout)

# %% [markdown]
# The shapes, from a real rollout:

# %% tags=["nbval-check-output"]
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
# The policy's loss is $-\frac1B \sum_i \hat A_i \log\pi(a_i \mid s_i) \;-\; \beta\, \frac1B \sum_i H\big(\pi(\cdot \mid s_i)\big)$, with $\beta$ called `ent_coef`. The
# entropy $H$ (unit 00) is highest for the uniform policy. Its gradient at a logit is $-\pi(a)\,(\log \pi(a) + H)$: actions rarer
# than the typical one ($\log\pi(a) < -H$) are pushed up, the others down, so that the agent goes on trying. It is a
# differentiable formula of the logits, not a sample: no advantage and no score-function trick.
#
# What it costs: the optimum of this loss is not the optimum of the return. How strong the pull is depends on the scale of the
# advantages that it competes with. This is one reason to standardise them over the batch, as `a2c.CARTPOLE` does: 0.01 then means
# about the same whether rewards are counted in ones or in thousands. You put $\beta$ to the test in section 9.
#
# ### 6.3 Thrown away: what is in a rollout, and what is in a replay buffer
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
# Why can DQN keep what A2C must throw away? DQN fits $Q(s, a)$ to $r + \gamma \max_{a'} Q(s', a')$, a statement about the environment, true
# whoever chose $a$. A policy gradient is an expectation over actions of $\pi_\theta$ *as it is now*. After the update the
# stored actions are somebody else's. Unit 01 measured what happens then: it learns fast for a while and does not hold. `log_prob` and `values`
# are stored for the same reason: they belong to the networks that were there. PPO (unit 04) uses `log_prob` to correct for a policy
# that has moved a little.
#
# ### 6.4 The online actor-critic is a special case
#
# Textbooks begin with another algorithm: after *every* step of *one* environment, compute $\delta_t$, step both networks, forget. It is A2C
# with `num_envs=1`, `num_steps=1`, `gae_lambda=0`: with one row in the rollout, GAE is the TD error whatever λ is.

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
# 128 times as many updates for the same data: it is slow on the clock. How does it learn? Ten seeds, the first 10,000 steps, mean return of the last 20 episodes in them:
#
# | | return at 10,000 steps | worst seed | mean V at the end |
# |---|---|---|---|
# | A2C, 79 updates | {{a2c:cartpole/early}} | {{a2c:cartpole/early/worst}} | |
# | online, `a2c.ONLINE`: nothing is clipped | {{a2c:online_unclipped/early}} | {{a2c:online_unclipped/early/worst}} | {{a2c:online_unclipped/last_value}} |
# | online, gradients clipped at 0.5 as in A2C | {{a2c:online/early}} | {{a2c:online/early/worst}} | {{a2c:online/last_value}} |
#
# The second row is the textbook's algorithm at work. In environment steps it is at least as fast as A2C, with 128 times as many
# updates (and smaller steps), and its seeds differ far more: one row at a time is a noisy teacher.
#
# The third row is worth a minute. Its critic says {{a2c:online/last_value.value}}, the value of a pole that never falls, of an agent whose episodes last {{a2c:online/last_100.value}} steps.
# Nothing is wrong with the targets. But the gradient of one row is $-\delta \nabla V$, and clipping it at 0.5 makes a fall, with
# a large negative δ, count as much as any other step. Many small errors upwards then outvote one large error downwards: clipping row by row turns a mean
# into something like a **median**, and the median step of CartPole is not a fall. In a batch of 128 the mean comes first and the clipping after,
# so the direction stays right. A detail that is harmless in one setting can be the bug of another: that is why `a2c.ONLINE` does
# not clip.
#
# ## 7. Watch it learn

# %%
learner = replace(a2c.CARTPOLE, seed=3)
result, policies = stages.train_with_stages(
    a2c.train, learner, at=(0, 100), by="episode", on_iteration=lambda progress: len(progress.episodes) >= 300
)
from pgcourse.statistics import moving_average

figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="ten measured runs", colour="a2c")
ax.plot(moving_average(result.episodes["episodic_return"], 50), color=plots.COLOURS["learner"], label="your run")
ax.set(xlabel="episode", ylabel="return, moving average of 50 episodes", ylim=(0, 510))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="The live run's learning curve over 300 episodes, on the band of ten measured runs over 1,000 episodes.",
    caption="Change the seed and run again: the band is for the mean of many seeds, a single run may leave it.",
)

# %%
with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif(policies, "CartPole-v1", f"{folder}/stages.gif", seed=1, max_steps=200)
    page.gif(
        path,
        alt="Three CartPoles side by side: the random agent drops the pole at once, the agent after 100 episodes keeps it up "
        "longer, the one after 300 episodes longest.",
        caption="The same held-out start state for all three, at true speed: 200 steps are 4 seconds.",
    )

# %% [markdown]
# ### λ on CartPole
#
# The corridor was made to tell the values of λ apart. And CartPole? Rollouts have 16 steps, so λ = 1 means up to 16 rewards
# and then the critic, not Monte Carlo.

# %%
figure = plots.claimed_curves(
    "a2c",
    {"lambda_0": "λ = 0", "cartpole": "λ = 0.95 (A2C)", "lambda_1": "λ = 1"},
    threshold=475,
    title="One change: λ",
    colours={"λ = 0": "#0072B2", "λ = 0.95 (A2C)": "a2c", "λ = 1": "#D55E00"},
)
page.figure(
    figure,
    alt="Learning curves of A2C on CartPole for lambda 0, 0.95 and 1, with bands.",
    caption="Ten seeds each, all other settings equal.",
)

# %% [markdown]
# | | seeds that reach 475 | episodes until then | last 100 episodes | worst seed | held-out return |
# |---|---|---|---|---|---|
# | λ = 0 | {{a2c:lambda_0/episodes_to_475/count}} of {{a2c:lambda_0/episodes_to_475/count.n}} | {{a2c:lambda_0/episodes_to_475}} | {{a2c:lambda_0/last_100}} | {{a2c:lambda_0/last_100/worst}} | {{a2c:lambda_0/held_out}} |
# | λ = 0.95 | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} | {{a2c:cartpole/last_100/worst}} | {{a2c:cartpole/held_out}} |
# | λ = 1 | {{a2c:lambda_1/episodes_to_475/count}} of {{a2c:lambda_1/episodes_to_475/count.n}} | {{a2c:lambda_1/episodes_to_475}} | {{a2c:lambda_1/last_100}} | {{a2c:lambda_1/last_100/worst}} | {{a2c:lambda_1/held_out}} |
#
# λ = 0 fails on CartPole. Section 4.5 showed why: this critic says much the same of every state, so the TD error is about the same at
# every step but the last, and only the last action before a fall is ever blamed. (λ = 0 is not hopeless as such: the online version of section
# 6.4 uses it, and gives its critic 128 times as many updates to learn the differences.) λ = 1 does as well as 0.95 here, perhaps better: with 16 steps to a
# rollout, even λ = 1 carries the noise of 16 steps at most. The usual advice of 0.9 to 0.99 is safe. Why it is
# safe depends on the critic, the noise and the length of the rollout, and on this task the exact number hardly matters.
#
# ## 8. Is the critic any good? Explained variance
#
# $$ 1 - \frac{\operatorname{Var}(G - V)}{\operatorname{Var}(G)} $$
#
# is the share of the differences between targets that the critic explains: 1 is perfect, 0 is no better than a constant, below 0 is
# worse than a constant. During training $G$ is the λ-return, the critic's own target, so part of it is the critic's own opinion:
# with λ = 0 it can agree with itself and be wrong. And explained variance **cannot see a constant offset**. Judge three critics on
# Monte Carlo returns of their own policies:

# %%
from pgcourse.rollout import collect_episodes
from pgcourse.show.figures.values import value_fit


def judge(run, shift=0.0):
    with seeded(0):
        episodes = collect_episodes(run.policy, make_envs("CartPole-v1", 16, seed=9))
    obs = torch.cat([episode.obs for episode in episodes])
    to_go = torch.cat([returns.discounted_returns(episode.rewards, gamma=0.99) for episode in episodes])
    with torch.no_grad():
        return run.critic(obs) + shift, to_go


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
own = result.metrics["losses/explained_variance"][-20:]
print(f"the second critic on its own targets, the λ-returns of the last 20 updates: {own.mean():+.2f}")

# %% [markdown]
# The early critic says nearly the same of every state, and explains nothing. A hundred episodes later it knows which states are
# dangerous. A2C learns with the first one all the same, because λ = 0.95 does not lean on it too hard.
#
# Look at two things in every run: explained variance, and the means of $V$ and $G$ on one panel.

# %%
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.6)
curves = measured["curves"]
plots.claimed_band(left, curves["cartpole/losses/explained_variance"], label="A2C", colour="a2c")
left.axhline(0, color="black", linewidth=0.8)
left.set(xlabel="update", ylabel="explained variance", ylim=(-1, 1))
plots.claimed_band(right, curves["cartpole/charts/return_mean"], label="mean target G", colour="#0072B2")
plots.claimed_band(right, curves["cartpole/charts/value_mean"], label="mean V", colour="#E69F00", style="--")
right.axhline(100, color="#666666", linestyle=":", label="1 / (1 - γ)")
right.set(xlabel="update", ylabel="reward, discounted")
right.legend(loc="lower right")
page.figure(
    figure,
    alt="Left: explained variance over updates. Right: the means of targets and values rise together towards 100.",
    caption="Ten seeds of `a2c.CARTPOLE`. The dotted line is the value of a pole that never falls: a reward of 1 for ever.",
)

# %% [markdown]
# This figure holds a trap. Explained variance climbs high, and then, while the return goes *up* to 500, it falls to
# zero and below. Is the critic getting worse? Look at the right panel: every state is worth 100 now, and the critic says 100. No
# differences are left to explain, and dividing by a variance of nearly 0 gives noise. An explained variance near 0 means "the critic knows no more
# than a constant". Whether that is bad depends on whether there is anything else to know.
#
# ## 9. Your experiment: does CartPole need the entropy bonus?
#
# **Change one thing**: `ent_coef` from 0.01 to 0. Three seeds of each, stopped early, with constant learning rates, since falling
# ones would fall faster in a shorter run. Before you unfold the answer, write down *in your
# own words*: what happened to the entropy, what happened to the return, and why the two need not go together.

# %%
from pgcourse.study.seeds import run_seeds

configs = {
    f"β = {ent_coef:g}": replace(a2c.CARTPOLE, ent_coef=ent_coef, num_episodes=250, anneal_lr=False)
    for ent_coef in (0, 0.01)
}
runs = run_seeds(configs, seeds=range(3), progress=False)

figure = plots.learning_curves(runs, window=20, title="One change: the entropy bonus", colours={"β = 0.01": "a2c"})
page.figure(
    figure,
    alt="Learning curves of three seeds with and without the entropy bonus.",
    caption="Three seeds: enough for a large difference, and for no small one.",
)
for name, group in runs.items():
    print(
        f"{name}: mean entropy of the last 20 updates {[round(float(run.metrics['losses/entropy'][-20:].mean()), 3) for run in group]}"
    )

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# No difference that three seeds could show, and ten seeds show none either: every seed of both solves the task and ends at 500, at much the same
# entropy. The slowest seed without the bonus took longer ({{a2c:no_entropy/episodes_to_475/worst}} episodes against
# {{a2c:cartpole/episodes_to_475/worst}}), and one slow seed is no evidence. The textbook sentence "the bonus keeps the entropy up" is true
# of the gradient: the pull is there. At 0.01, against advantages of size 1, it is a weak one, and CartPole with two actions and a reward at every step gives
# a policy no reason to commit too early. Try `ent_coef` 0.5: now the bonus wins, the entropy stays near $\log 2$, and the return
# climbs more slowly. A bonus that is too small to see may still matter on a task where reward is rare; unit 07 puts that to the test.
#
# | | entropy at the end [nats] | seeds that reach 475 | episodes until then | last 100 episodes | worst seed |
# |---|---|---|---|---|---|
# | β = 0.01 | {{a2c:cartpole/last_entropy}} | {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}} | {{a2c:cartpole/episodes_to_475}} | {{a2c:cartpole/last_100}} | {{a2c:cartpole/last_100/worst}} |
# | β = 0 | {{a2c:no_entropy/last_entropy}} | {{a2c:no_entropy/episodes_to_475/count}} of {{a2c:no_entropy/episodes_to_475/count.n}} | {{a2c:no_entropy/episodes_to_475}} | {{a2c:no_entropy/last_100}} | {{a2c:no_entropy/last_100/worst}} |
#
# </details>
#
# ## 10. A patient
#
# Someone's A2C learns for a while, and then loses all of it. No error, no warning, and the settings are `a2c.CARTPOLE`. Symptom first: what do you see, and what
# could cause it?

# %%
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
panels = {
    "": "episodic return",
    "/losses/explained_variance": "explained variance",
    "/charts/value_mean": "mean V [reward]",
}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("cartpole", "healthy", "a2c"), ("patient", "patient", "#000000")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour)
    ax.set(xlabel=measured["curves"]["patient" + metric]["x_unit"], ylabel=label)
axes[1].set_ylim(-1, 1)
axes[2].axhline(100, color="#666666", linestyle=":")
axes[0].legend()
page.figure(
    figure,
    alt="Three panels for patient and healthy version: the patient's return climbs to about 200 and falls back below 50, its explained variance stays at zero while the "
    "healthy one rises, and its mean value goes straight up to 100.",
    caption="The dotted line is 1 / (1 - γ) = 100: the value of a pole that never falls. The patient's lines are shorter, as its "
    "1,000 episodes are short and give fewer updates.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-patient",
    "Which of these explains all three panels?",
    [
        "The critic's learning rate is too small",
        "The advantages have the wrong sign",
        "The bootstrap is not masked where episodes terminate",
        "The time limit is treated as a fall",
    ],
    answer=2,
    reasons=[
        "A slow critic would lag behind the returns. This one runs ahead of them: 100 is the value of a pole that never falls.",
        "A wrong sign would make the return fall below a random agent's from the start. This one learns at first.",
        "Right: without the mask a fall is followed by the value of the fallen state, as if nothing ended. V drifts to 1 / (1 - γ) = 100 "
        "for every state. As long as it is low, each TD error is clearly positive and a fall, which cuts their sum short, still costs "
        "something, so the agent learns. As V comes near 100 every TD error goes to 0, and what was learnt is lost to noise.",
        "That concerns only episodes of 500 steps, which this patient never sees, and it would make values smaller, not larger.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# deltas = rewards + gamma * next_values - values          # for every row, whatever happened in it
# ```
#
# The cure is `rewards + gamma * next_values * ~terminated - values`. The cell below shows what the bug makes of a fall in the rollout of
# section 4.5: the step that should be blamed most looks like any other.
#
# </details>

# %%
without_mask = shown.rewards + 0.99 * shown.next_values - shown.values
with_mask = shown.rewards + 0.99 * shown.next_values * ~shown.terminated - shown.values
print(f"TD error of the step in which the pole fell, with the mask: {with_mask[fell[0], 0]:+7.2f}")
print(f"TD error of the same step without the mask:                 {without_mask[fell[0], 0]:+7.2f}")

# %% [markdown]
# ## 11. Common mistakes, and how they look
#
# Each was put into `a2c.CARTPOLE` and tried with two seeds of 240 episodes, unless a section is named.
#
# | mistake | what you see |
# |---|---|
# | the bootstrap is not masked at a termination | section 10: V climbs to $1/(1-\gamma)$, the return rises and falls back |
# | the trace is not cut at an end | it hardly learns: the next episode's good news is credited to the steps before the fall |
# | the rollout's end is treated as an episode's end | it learns more slowly; the means of V and G stop at a low level, about what 16 steps can collect, while the return goes on rising |
# | the reset observation is taken for the next one, or truncation for termination | nothing at all, bit for bit the same run, until episodes reach the time limit |
# | advantages flattened in another order than the observations (`.T.flatten()`) | it does not learn, and every panel looks healthy: gradient norms, entropy, V and G. Only a test finds it |
# | the critic is fitted to the advantages instead of advantages + values | V stays low while the return rises; it learns all the same, more slowly |
# | gradient flows from the policy loss into the critic (missing detach) | the runs differ wildly: one seed faster than healthy, the other hardly learning |
# | `[B, 1]` against `[B]` | policy gradient norm of rounding size, entropy constant at $\log 2$ |
# | sign of the policy loss | return below a random agent's, entropy falls |
# | sign of the entropy bonus, at 0.01 | nothing to see (section 9) |
# | entropy bonus far too large (0.5) | entropy stays near $\log 2$, learning slows |
# | gradients of single rows clipped | V far above the returns (section 6.4) |
#
# ## 12. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-lambda-ends",
    "With λ = 1 and the whole episode in the rollout, GAE is",
    [
        "the TD error",
        "the discounted return minus V(s), and the critic's errors elsewhere drop out",
        "the discounted return",
        "the same as with λ = 0, if γ = 1",
    ],
    answer=1,
    reasons=[
        "That is λ = 0: no later TD error counts.",
        "Right: the values in between cancel in pairs, and what is left of the critic is a baseline.",
        "Almost: the value of the first state is subtracted.",
        "γ weighs rewards that are far away, λ weighs opinions. They agree only where the critic is exact, and then only on average.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-both-flags",
    "The pole falls in the very step in which the time limit comes: both flags are set. The TD error of this step",
    [
        "bootstraps, because the episode was truncated",
        "does not bootstrap, because there is no future",
        "is left out",
        "bootstraps with half the value",
    ],
    answer=1,
    reasons=[
        "Truncated means: cut while there was a future. Here there is none.",
        "Right: what would have come after a fall is worth 0, whatever the clock says.",
        "It is experience like any other, and a most informative one.",
        "There is no such rule. One flag says whether a future exists, and it says no.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-noise-or-bias",
    "Your advantage estimates are off because the critic is wrong. You collect ten times as many episodes for each update. Now they are",
    [
        "about three times more accurate",
        "ten times more accurate",
        "as wrong as before, with less noise around the wrong value",
        "unbiased",
    ],
    answer=2,
    reasons=[
        "That is how noise falls, as the square root of ten. Bias does not fall.",
        "Neither bias nor noise does that.",
        "Right: averaging removes what differs between episodes. The critic's error is the same in all of them. Raise λ or train the critic.",
        "Only an exact critic, or λ = 1 over whole episodes, gives that.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-reset-row",
    "Gymnasium's default vector environment is in NEXT_STEP mode. What is the row after an episode's end?",
    [
        "The first step of the new episode",
        "A reset row: the action was ignored and the reward is 0; it must be dropped",
        "A copy of the last step",
        "The step in which the agent fell",
    ],
    answer=1,
    reasons=[
        "The first step comes one call later. This one only brings the first observation.",
        "Right: train on it, and you teach the policy about an action that had no effect.",
        "Its observation is the last one, but its reward is 0 and it leads to a new episode.",
        "That was the row before, with the flag set.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "03-explained-variance",
    "Explained variance is 0.95. The critic is",
    [
        "within 5 % of the true values",
        "explaining nearly all differences between its targets, and may still be off by a constant",
        "overfitting",
        "good enough to set λ = 0",
    ],
    answer=1,
    reasons=[
        "It compares variances, not values: shift V by 1,000 and it does not change.",
        "Right: look at the means of V and G as well. And the targets contain the critic's own opinion, the more so the smaller λ is.",
        "Nothing about new data is said here, and A2C sees each row once.",
        "With small λ the targets are mostly the critic's own, so a high number means self-consistency, not truth.",
    ],
)

# %% [markdown]
# ## 13. What to remember
#
# 1. The TD error is a one-step estimate of the advantage: unbiased with the true values, biased by $\gamma\,\mathbb{E}[e(s_{t+1})]$ with yours.
# 2. Noise averages out, bias does not. λ trades one for the other, and the best λ depends on the critic and the amount of data.
# 3. GAE is the λ-weighted average of all n-step advantages: $\hat A_t = \delta_t + \gamma\lambda \hat A_{t+1}$, from the back.
# 4. Two flags, two jobs: `~terminated` masks the bootstrap, `~(terminated | truncated)` cuts the trace. A rollout's end bootstraps.
# 5. A2C: collect `[T, N]`, value, GAE, one step each, throw away. Watch explained variance *and* the means of V and G.
#
# ## Further reading
#
# - R. S. Sutton (1988), *Learning to predict by the methods of temporal differences*, Machine Learning 3. Sections 1 to 3: the idea, and a
#   random walk on which TD beats waiting.
# - R. S. Sutton and A. G. Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition. Chapter 7 for n steps, 9.3 for
#   semi-gradients, 11.5 for why the full gradient goes wrong, 12.1 for the λ-return, 13.5 for the online actor-critic.
# - J. N. Tsitsiklis and B. Van Roy (1997), *An analysis of temporal-difference learning with function approximation*, IEEE
#   Transactions on Automatic Control 42. Read the introduction: when TD converges, and the counterexample for data of another policy.
# - J. Schulman, P. Moritz, S. Levine, M. Jordan and P. Abbeel (2016), *High-dimensional continuous control using generalized advantage
#   estimation*, ICLR. Sections 2 and 3: GAE is equation 16.
# - V. Mnih et al. (2016), *Asynchronous methods for deep reinforcement learning*, ICML. Section 4: A3C, from which A2C comes, with the
#   entropy bonus.
# - F. Pardo, A. Tavakoli, V. Levdik and P. Kormushev (2018), *Time limits in reinforcement learning*, ICML. Why a time limit is not an end.
# - I. Osband et al. (2020), *Behaviour suite for reinforcement learning*, ICLR. Small environments that isolate one difficulty each; our
#   long corridor is a cousin of their umbrella task.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/03_a2c_gae.ipynb) build explained variance, TD errors, n-step
# returns, GAE, the true next observation and A2C's losses one after the other, and then train CartPole with *your* functions.
