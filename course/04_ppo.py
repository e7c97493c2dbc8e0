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
# # 04 PPO: use each batch more than once, and not too much
#
# A2C looks at a batch once, takes one small step and throws the batch away. Proximal policy optimisation takes many
# steps on the same batch. That should not work: the data come from a policy that is no longer there. PPO makes it
# work with two lines of code, and it has been the method that people try first ever since.
#
# **After this lesson you will be able to**
#
# 1. say why a policy step is only safe nearby, and show what a step too far does;
# 2. derive the surrogate objective from importance sampling, and name what it ignores;
# 3. go through the clip case by case, and say where the gradient is zero and where it must not be;
# 4. measure how far an update went, with an estimate of the KL divergence that you derived yourself;
# 5. read PPO's update line by line, and tell its load-bearing parts from its habits, because you saw each one measured.
#
# **You need** [lesson 03](03_a2c_gae.ipynb): advantages, GAE, rollouts of shape `[T, N]`. **Time:** about 80 minutes to
# read and play; all cells together run in about half a minute on two cores.
#
# The numbers in the text come from `claims/ppo.json`: ten training runs of each version, measured with this
# package. *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval.

# %%
import copy
import tempfile
import textwrap
from dataclasses import asdict, replace

import numpy as np
import torch

from pgcourse import diagnostics, losses, optim, ppo, returns
from pgcourse.optim import seeded
from pgcourse.show import page, questions
from pgcourse.show.dashboard import Dashboard
from pgcourse.show.figures import clip, curves as plots, trust_region as trust
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.statistics import moving_average
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.seeds import run_seeds

torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("ppo")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# Two versions of PPO. The same network, the same twenty passes over each batch. They differ in one line, the clip.

# %%
figure = plots.claimed_curves(
    "ppo",
    {"many_epochs": "PPO, 20 epochs", "no_clip_many_epochs": "the same without the clip"},
    threshold=475,
    colours={"PPO, 20 epochs": "ppo", "the same without the clip": "#000000"},
    title="CartPole: what one line does",
)
page.figure(
    figure,
    alt="Two learning curves over 100,000 environment steps. With the clip the return climbs steadily to 500 and stays there, in "
    "a narrow band. Without it the return starts alike, then falls behind and wanders in a wide band.",
    caption="By the end of the lesson you can say what the line does, why the curves start alike, and why they part.",
)

# %% [markdown]
# ## 1. A step is only safe nearby
#
# A gradient is a statement about the point where you stand. In supervised learning you can be careless with it. A
# step that was too long makes the loss worse, the next batch comes from the same data as ever, and you walk back.
#
# In reinforcement learning **the policy makes the data**. Take a step that is too long, and the next batch comes from
# the worse policy. It shows you the states that a bad policy visits and the actions that it prefers. If it has become
# certain of them, the scores $\nabla \log \pi$ of the actions it takes are close to zero, and there is nothing left
# that points back.
#
# Try it. Ten healthy PPO runs reach update 30. That one update is replaced by a *single* gradient step with the
# learning rate multiplied by a factor. After it, training goes on as usual, for 50 more updates.

# %% jupyter={"source_hidden": true}
questions.predict(
    "04-one-step",
    "In 80 updates one gradient step is 100, 1,000 or 10,000 times as long as usual; everything before and after it is healthy. "
    "What will the ten runs look like at the end?",
    [
        "All recover: one bad step among hundreds of good ones cannot matter",
        "None recovers: the policy is gone in every case",
        "The return falls in all three; up to a point training repairs it, beyond that point never",
        "Nothing happens: the gradient's norm is clipped at 0.5",
    ],
    answer=2,
    explanation="Right after the step the three score "
    f"{quote('ppo:step_100/after')}, {quote('ppo:step_1000/after')} and {quote('ppo:step_10000/after')}. At the end they score "
    f"{quote('ppo:step_100/in_the_end')}, {quote('ppo:step_1000/in_the_end')} and {quote('ppo:step_10000/in_the_end')}; "
    f"{quote('ppo:step_10000/dead/count')} of {quote('ppo:step_10000/dead/count.n')} seeds of the last never leave a random "
    "agent's level again. Clipping the gradient does not help: Adam divides by the gradient's usual size, so it is the "
    "learning rate that decides how far a step goes.",
)

# %%
SIZES = (1, 30, 100, 300, 1000, 10_000)
page.figure(
    trust.step_sizes(measured["values"], SIZES),
    alt="Return against the size of one step. Right after the step it stays near its old value up to a factor of about 30 and "
    "falls to about 10 at the largest. At the end of training it is high again for moderate factors and still about 10 for the "
    "largest.",
    caption="A dot is a seed. Look at the gap between black and colour: it is what 50 healthy updates can repair. At the right "
    "end there is no gap.",
)

# %% [markdown]
# | learning rate, times | KL of the step [0.001 nat] | before | right after | at the end | entropy at the end [nats] | seeds that end below 30 |
# |---|---|---|---|---|---|---|
# | 1 | {{ppo:step_1/step_kl}} | {{ppo:step_1/before}} | {{ppo:step_1/after}} | {{ppo:step_1/in_the_end}} | {{ppo:step_1/end_entropy}} | {{ppo:step_1/dead/count}} |
# | 30 | {{ppo:step_30/step_kl}} | {{ppo:step_30/before}} | {{ppo:step_30/after}} | {{ppo:step_30/in_the_end}} | {{ppo:step_30/end_entropy}} | {{ppo:step_30/dead/count}} |
# | 100 | {{ppo:step_100/step_kl}} | {{ppo:step_100/before}} | {{ppo:step_100/after}} | {{ppo:step_100/in_the_end}} | {{ppo:step_100/end_entropy}} | {{ppo:step_100/dead/count}} |
# | 300 | {{ppo:step_300/step_kl}} | {{ppo:step_300/before}} | {{ppo:step_300/after}} | {{ppo:step_300/in_the_end}} | {{ppo:step_300/end_entropy}} | {{ppo:step_300/dead/count}} |
# | 1,000 | {{ppo:step_1000/step_kl}} | {{ppo:step_1000/before}} | {{ppo:step_1000/after}} | {{ppo:step_1000/in_the_end}} | {{ppo:step_1000/end_entropy}} | {{ppo:step_1000/dead/count}} |
# | 10,000 | {{ppo:step_10000/step_kl}} | {{ppo:step_10000/before}} | {{ppo:step_10000/after}} | {{ppo:step_10000/in_the_end}} | {{ppo:step_10000/end_entropy}} | {{ppo:step_10000/dead/count}} |
#
# Three regimes. At a factor of 30 the step already costs something, and every seed makes up for it. From 100 to 1,000
# most of the skill is gone after one step, and training has to climb again; the larger the step, the less of the way 50
# updates bring it back. At a factor of 10,000, {{ppo:step_10000/dead/count}} of {{ppo:step_10000/dead/count.n}} seeds never come
# back. Look at their entropy: the policy does the same thing whatever it sees, the scores of what it does are zero, and
# no gradient is left that could change its mind.
#
# And look at the first row. It replaces one update by one ordinary step, so hardly anything was done to these runs,
# and still one seed is at {{ppo:step_1/in_the_end/worst}} at the end. PPO has bad moments of its own. That is why
# there are ten seeds in every row.
#
# Nothing warns you *before* the step: the loss and the gradient look as usual. What tells the rows apart is the second
# column, how far the policy moved, in thousandths of a nat. An ordinary gradient step moves it by
# {{ppo:step_1/step_kl.value}} of them. Section 4 says what that is, and how to measure it.
#
# So two things are wanted at once: many steps from each batch, because data are what costs; and never far from the
# policy that collected them. The rest of the lesson builds that.

# %% [markdown]
# ## 2. Using a batch more than once
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\pi_{\text{old}}$ | the policy that collected the batch, frozen | only its numbers stay: `batch.log_prob` | `[B]` |
# | $\pi_\theta$ | the policy that is being updated | `policy(batch.obs)` | logits `[B, A]` |
# | $a_i, s_i$ | action and observation of row $i$ | `batch.actions`, `batch.obs` | `[B]`, `[B, D]` |
# | $A_i$ | advantage of the action, from GAE, under $\pi_{\text{old}}$ | `batch.advantages` | `[B]` |
# | $\log \pi_\theta(a_i \mid s_i)$ | log-probability now | `log_prob` | `[B]` |
# | $r_i = \pi_\theta(a_i \mid s_i) / \pi_{\text{old}}(a_i \mid s_i)$ | probability ratio | `ratio` | `[B]` |
# | $\epsilon$ | half width of the clip | `clip_coef` | a number, 0.2 |
#
# A caution about letters: this literature writes $r$ for the ratio and for the reward. In this lesson $r$ is the ratio.
#
# ### 2.1 What a better policy is worth, in the old policy's advantages
#
# Let $J(\pi)$ be the expected discounted return from the start, and $R_t$ the reward of step $t$. Walk with the *new*
# policy, and add up the *old* policy's advantages along the way. With $A_{\text{old}}(s_t, a_t) = \mathbb{E}[R_t +
# \gamma V_{\text{old}}(s_{t+1})] - V_{\text{old}}(s_t)$, and $V = 0$ after the end,
#
# $$
# \begin{aligned}
# \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \gamma^t A_{\text{old}}(s_t, a_t)\Big]
# &= \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \gamma^t \big(R_t + \gamma V_{\text{old}}(s_{t+1}) - V_{\text{old}}(s_t)\big)\Big] \\
# &= \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \gamma^t R_t\Big]
#    + \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \big(\gamma^{t+1} V_{\text{old}}(s_{t+1}) - \gamma^t V_{\text{old}}(s_t)\big)\Big] \\
# &= J(\pi) - \mathbb{E}[V_{\text{old}}(s_0)] \;=\; J(\pi) - J(\pi_{\text{old}}).
# \end{aligned}
# $$
#
# The first line drops the inner mean over the environment's answer, because the outer one contains it. In the second
# sum each term cancels with its neighbour, and only $-V_{\text{old}}(s_0)$ is left. The start states do not depend on
# the policy, so the mean of $V_{\text{old}}(s_0)$ is $J(\pi_{\text{old}})$. Nothing was approximated. Write $d^\pi(s)
# = \sum_t \gamma^t P(s_t = s)$ for how often, discounted, $\pi$ visits a state:
#
# $$
# J(\pi) - J(\pi_{\text{old}}) = \sum_s d^{\pi}(s) \sum_a \pi(a \mid s)\, A_{\text{old}}(s, a). \tag{1}
# $$
#
# This is the **performance difference lemma** (Kakade and Langford 2002). It says that improving the old policy's
# advantages is improving the return, if you average over the states that the *new* policy visits. That is its catch:
# you have only states of the old one.
#
# ### 2.2 The surrogate: exact in the actions, approximate in the states
#
# Two changes turn (1) into something a batch can estimate.
#
# **States, an approximation.** Replace $d^\pi$ by $d^{\pi_{\text{old}}}$, the states in the batch. This is where
# "nearby" comes in: the two agree at $\pi = \pi_{\text{old}}$ and drift apart as the policies do.
#
# **Actions, exactly.** The batch's actions were drawn from $\pi_{\text{old}}$, and (1) wants them from $\pi$.
# Multiply and divide:
#
# $$
# \sum_a \pi(a \mid s)\, A(s, a)
# = \sum_a \pi_{\text{old}}(a \mid s)\, \frac{\pi(a \mid s)}{\pi_{\text{old}}(a \mid s)}\, A(s, a)
# = \mathbb{E}_{a \sim \pi_{\text{old}}}\big[ r(a)\, A(s, a) \big].
# $$
#
# That is **importance sampling**: an action that $\pi$ takes twice as often counts twice. It needs
# $\pi_{\text{old}}(a \mid s) > 0$ wherever $\pi(a \mid s) > 0$, which softmax and Gaussian policies give. The result
# is the **surrogate objective**:
#
# $$
# L(\theta) = \mathbb{E}_{s, a \sim \pi_{\text{old}}}\big[ r(\theta)\, A \big] \approx \frac{1}{B} \sum_{i=1}^B r_i(\theta)\, A_i. \tag{2}
# $$
#
# What else was bent on the way from (1) to the sum? The factor $\gamma^t$ is dropped, as in [lesson
# 01](01_reinforce.ipynb). $A$ is an estimate (GAE with a critic), not the true advantage. And it is *shifted and
# scaled* to mean 0 and standard deviation 1 in each minibatch, so the value of $L$ has no unit. Its gradient is what
# counts.
#
# ### 2.3 At the start it is A2C
#
# What is the gradient of (2) where the update begins, at $\theta = \theta_{\text{old}}$?
#
# $$
# \nabla_\theta L = \frac1B \sum_i A_i \frac{\nabla_\theta \pi_\theta(a_i \mid s_i)}{\pi_{\text{old}}(a_i \mid s_i)}
# \;\overset{\theta = \theta_{\text{old}}}{=}\; \frac1B \sum_i A_i\, \nabla_\theta \log \pi_\theta(a_i \mid s_i),
# $$
#
# the policy gradient of A2C. So the first gradient step of PPO *is* A2C's, and everything new begins with the second.
# Check it on a real batch. `ppo.train` lets you replace its update (a seam, as in the lessons before). This
# replacement updates as usual, and keeps a copy of everything that the tenth update was given.


# %%
def keep_tenth(*arguments, **functions):
    """`ppo.update`, but what the tenth call is given is kept in `moment`."""
    if len(seen) == 9:
        moment.extend(copy.deepcopy(arguments))  # networks, optimisers, batch, config: before the update
    seen.append(len(seen))
    return ppo.update(*arguments, **functions)


seen, moment = [], []
ppo.train(replace(ppo.CARTPOLE, seed=101, total_timesteps=10 * 1024), update_fn=keep_tenth)
policy, critic, policy_optimizer, critic_optimizer, batch, config = moment
for name, column in zip(batch._fields, batch, strict=True):
    print(f"batch.{name:10} {list(column.shape)}")


# %%
def compare(policy):
    """The gradients [P] of A2C's and PPO's loss on the kept batch, and how much they differ."""
    log_prob = policy(batch.obs).log_prob(batch.actions)  # [B]
    advantages = returns.normalize(batch.advantages)  # [B]
    a2c_loss = losses.reinforce_loss(log_prob, advantages)
    clip_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, advantages, clip_coef=0.2)
    a2c, clipped = (
        torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(policy.parameters()), retain_graph=True)])
        for loss in (a2c_loss, clip_loss)
    )
    print(f"size of the difference / size of A2C's gradient: {(clipped - a2c).norm() / a2c.norm():.5f}")


compare(policy)
with seeded(0):
    later = copy.deepcopy(moment[:4])  # policy, critic, two optimisers: `policy` itself stays as it was
    ppo.update(*later, batch, replace(config, update_epochs=3))
compare(later[0])

# %% [markdown]
# Before the first step the two agree up to rounding. Three epochs later they are different vectors, further apart than
# A2C's gradient is long: now the ratio matters, and some rows are clipped.
#
# ### 2.4 The ratio lives in log space
#
# A network gives you log-probabilities. Never turn them into probabilities to divide: an unlikely action's
# probability underflows, and then you divide zero by zero. Subtract first, then take one exponential:

# %%
log_prob, old_log_prob = torch.tensor([-0.5, -200.0]), torch.tensor([-0.7, -200.0])  # [B]
print("divide the probabilities:", (log_prob.exp() / old_log_prob.exp()).tolist())
print("subtract the logarithms: ", (log_prob - old_log_prob).exp().tolist())

# %% [markdown]
# ### 2.5 The surrogate promises more than the policy keeps
#
# Nothing in (2) says "stay nearby". So climb it on one batch for 30 epochs, without a clip, and compare what the batch
# promises with what the policy then scores.

# %% jupyter={"source_hidden": true}
questions.predict(
    "04-promise",
    "Thirty epochs on the same batch, no clip. The surrogate (2) rises from epoch to epoch. What does the policy's true return do?",
    [
        "It rises too, more slowly",
        "It rises, then levels off",
        "It holds for some epochs, then falls, while the surrogate goes on rising",
        "It stays where it was to the end",
    ],
    answer=2,
    explanation="Before the update the policies score "
    f"{measured['curves']['epochs/no_clip/return']['mean'][0]:.0f}, after 30 epochs without a clip "
    f"{measured['curves']['epochs/no_clip/return']['mean'][-1]:.0f}. The surrogate is right about the old policy's states "
    "with the old policy's advantages, estimated from a thousand rows. Far from there all three are wrong, and the optimiser "
    "goes where they are wrong in its favour.",
)

# %%
page.figure(
    trust.epoch_panels(measured["curves"], usual=6),
    alt="Four panels over 30 epochs on one batch. Without the clip, approximate KL, share of rows beyond the clip and surrogate "
    "all rise and keep rising, and the return falls to about half. With the clip, all of them level off within a few epochs.",
    caption="Ten batches, each from update 10 of its own run. Lines are interquartile means, bands 95 % intervals; the dotted "
    "line marks the six epochs that the package uses. Look at the dashed lines of the lower row: a promise that rises, a policy "
    "that falls.",
)
for epochs in (0, 6, 30):
    for name, words in (("clip", "clip at 0.2"), ("no_clip", "no clip")):
        kl, surrogate, score = (
            measured["curves"][f"epochs/{name}/{key}"]["mean"][epochs] for key in ("kl", "surrogate", "return")
        )
        print(
            f"{epochs:2} epochs, {words:11}: KL {kl:.4f} nats, surrogate {round(surrogate, 4) + 0.0:.4f}, return {score:.0f}"
        )

# %% [markdown]
# The dashed line follows the surrogate (2), the solid one its clipped version, which section 3 explains. For four or five
# epochs they are alike. The surrogate rises, and the return stays where it was: a single update on a thousand rows changes
# it by little, and not always upwards. Then they part. Without a clip the policy goes on and on, since on this batch there
# is always something left to gain. Its KL divergence grows without end, the surrogate's promise is four times that of the
# clipped version, and the return is down to little more than half. With a clip, everything levels off. More epochs are
# then of little use, and of little harm.
#
# Note what the clip did *not* do: it did not make this update better. It kept a good policy from being traded for a
# good-looking number.

# %% [markdown]
# ## 3. The clip
#
# The classical answer is a **trust region**: climb the surrogate, but only inside the region where you trust it, say
# where the mean KL divergence between old and new policy is at most 0.01. TRPO does that in earnest (unit 08): second
# derivatives, conjugate gradients, a line search. PPO asks for less. It does not forbid you to go far. It takes away,
# row by row, the *reason* to go further:
#
# $$
# L^{\text{clip}}(\theta) = \frac1B \sum_i \min\Big( r_i A_i,\; \text{clip}(r_i,\, 1-\epsilon,\, 1+\epsilon)\, A_i \Big). \tag{3}
# $$
#
# In code it is two lines longer than A2C's loss:

# %%
page.source(
    losses.ppo_clip_loss, folded="the loss in the package; open it after you have written your own (exercise 2)"
)

# %% [markdown]
# ### 3.1 Four cases
#
# Take one row. Where the minimum picks $r A$, the row's gradient is $\nabla_\theta (rA) = A\, r\, \nabla_\theta \log
# \pi_\theta$, as $\nabla r = r \nabla \log r$. Where it picks the clipped term with $r$ outside the interval, that
# term is a constant, and the gradient is 0. Which one is smaller?
#
# | | $r < 1 - \epsilon$ | inside | $r > 1 + \epsilon$ |
# |---|---|---|---|
# | $A > 0$: a good action | it has become *less* likely. $rA < (1-\epsilon)A$: the gradient flows, and makes it likelier again | gradient flows | likelier already, by enough. $(1+\epsilon)A < rA$: **gradient 0** |
# | $A < 0$: a bad action | rarer already, by enough. $(1-\epsilon)A < rA$: **gradient 0** | gradient flows | it has become *more* likely. $rA < (1+\epsilon)A$: the gradient flows, and makes it rarer again |
#
# Read the two bold cells: the row has been followed far enough, and stops pulling. Read the two other corners: the
# update went the *wrong* way on this row (other rows pulled harder), and the full gradient leads it back. That
# asymmetry is the work of the minimum.
#
# **The minimum is a pessimist.** Since $\min(x, y) \le x$, the clipped objective is never above the surrogate. It
# refuses the profit that comes from going far, and takes every loss in full. Inside the interval the two are the
# same.
#
# Move a row through all cases:


# %%
widgets.explore(
    clip.clip_point,
    alt="The clipped objective against the probability ratio as a black line, the unclipped and the clipped term in grey, and a "
    "point at the chosen ratio. The point is round with an arrow uphill where the gradient flows, square where it is zero.",
    caption="The arrow is the way that a gradient step moves this row. A square has no arrow.",
    ratio=widgets.Slider(0.0, 2.0, 1.35, 0.05, "probability ratio r"),
    sign=widgets.Choice({"good: A > 0": 1, "bad: A < 0": -1}, 1, "the action was"),
    clip_coef=widgets.Slider(0.05, 0.5, 0.2, 0.05, "clip_coef ε"),
)

# %% [markdown]
# And a real batch: the 1,024 rows of section 2.3, after six epochs of the package's update.

# %%
networks = copy.deepcopy(moment[:4])  # policy, critic and the two optimisers
with seeded(101):
    metrics = ppo.update(*networks, batch, config)
with torch.no_grad():
    new_log_prob = networks[0](batch.obs).log_prob(batch.actions)  # [B]
ratio = (new_log_prob - batch.log_prob).exp()  # [B]
page.figure(
    clip.clip_cases(ratio, returns.normalize(batch.advantages), clip_coef=config.clip_coef),
    alt="Four panels, one for each sign of the advantage and side of the ratio, with the batch's rows as points on the "
    "objective. Points on the two flat stretches are blue squares, all others orange circles.",
    caption="A point is a row of the batch, its size grows with |A|. All blue squares lie in two of the four panels. Note the "
    "ratios: the clip did not keep them inside 0.8 to 1.2.",
)
print(f"ratios from {ratio.min():.2f} to {ratio.max():.2f}, mean {ratio.mean():.3f}")

# %% [markdown]
# **What the clip does not do.** It does not bound the ratio. A row beyond the interval has no gradient *of its own*,
# but all rows share one network. The other rows go on moving the weights, Adam goes on in the direction of its
# running average, and the row is carried along. The clip takes the incentive away, and that is all. It is enough to
# change the picture in section 2.5, and it is why you should measure how far the policy went (section 4).
#
# ### 3.2 Without the minimum
#
# Now leave out the minimum, and keep the clipped term alone. Then *every* row outside the interval has gradient 0,
# the two corners that should lead back included. The textbooks say that this must not be done. Ten seeds, 100,000
# steps each:
#
# | objective | seeds that reach 475 | steps until then | late return | worst seed | largest KL of an update [0.001 nat] |
# |---|---|---|---|---|---|
# | $\min(rA, \text{clip}(r) A)$: PPO | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/late}} | {{ppo:cartpole/late/worst}} | {{ppo:cartpole/largest_kl}} |
# | $\text{clip}(r) A$, no minimum | {{ppo:no_min/steps_to_475/count}} of {{ppo:no_min/steps_to_475/count.n}} | {{ppo:no_min/steps_to_475}} | {{ppo:no_min/late}} | {{ppo:no_min/late/worst}} | {{ppo:no_min/largest_kl}} |
# | $rA$, no clip | {{ppo:no_clip/steps_to_475/count}} of {{ppo:no_clip/steps_to_475/count.n}} | {{ppo:no_clip/steps_to_475}} | {{ppo:no_clip/late}} | {{ppo:no_clip/late/worst}} | {{ppo:no_clip/largest_kl}} |
#
# "Reach 475" means a mean of 100 episodes in a row of at least 475. "Late return" is the mean over the episodes that
# end between steps 80,000 and 100,000: it is high where a run is good by then *and* steady. *Never* in a place means
# that too many seeds never got there for the number to exist.
#
# It is no disaster: {{ppo:no_min/steps_to_475/count}} seeds arrive in time, somewhat later than PPO's. What differs is how
# far the updates go. The largest KL of a run is {{ppo:no_min/largest_kl}} thousandths of a nat, against
# {{ppo:cartpole/largest_kl}} with the minimum: rows that were carried the wrong way stay there. With small steps and six
# epochs few rows get that far, so the price is small here. The minimum costs nothing, so nobody saves it; but "without it
# PPO fails" is not what we measure.
#
# The third row is a surprise too. Without any clip, with the same six epochs, the updates go ten times as far, and
# most seeds still learn, only later. Section 6 turns that screw further.

# %% [markdown]
# ## 4. How far did it go? The approximate KL
#
# ### 4.1 Two estimators, derived
#
# The distance that everyone watches is the Kullback-Leibler divergence of the new policy from the one that acted:
#
# $$
# \text{KL}(\pi_{\text{old}} \,\|\, \pi) = \sum_a \pi_{\text{old}}(a \mid s) \log \frac{\pi_{\text{old}}(a \mid s)}{\pi(a \mid s)}
# = \mathbb{E}_{a \sim \pi_{\text{old}}}\big[ -\log r \big].
# $$
#
# It is in nats, never negative, and zero only where the two agree. The last form is an expectation over the batch's
# own actions, so its mean over rows is an estimate. Call it **k1**: $-\log r$. It is right on average, and clumsy: a
# row with $r > 1$ contributes a *negative* number, and a batch with many of them gives a negative estimate of
# something that cannot be.
#
# Improve it as [lesson 02](02_baselines.ipynb) improved a gradient: add something whose mean you know to be 0 (a
# *control variate*). The ratio's mean is 1, because $\sum_a \pi_{\text{old}}(a) \frac{\pi(a)}{\pi_{\text{old}}(a)} =
# \sum_a \pi(a) = 1$. So $r - 1$ has mean 0, and adding it changes nothing on average:
#
# $$
# \text{k3} = (r - 1) - \log r, \qquad \mathbb{E}_{a \sim \pi_{\text{old}}}[\text{k3}] = \text{KL}(\pi_{\text{old}} \,\|\, \pi).
# $$
#
# Two gains. First, $\log r \le r - 1$ for every $r > 0$ (the logarithm is concave, and $r - 1$ is its tangent at 1),
# so **k3 is never negative**, row by row. Second, it is quiet. Write $x = \log r$ and expand: $\text{k1} =
# -x$, while $\text{k3} = e^x - 1 - x = \tfrac12 x^2 + \tfrac16 x^3 + \dots$ Near $r = 1$ a
# row of k1 is of size $|x|$ with either sign, a row of k3 of size $x^2 / 2$. The name is Schulman's (2020);
# his k2 is $\tfrac12 x^2$ alone, which is slightly biased.
#
# Test it on the update that you have just made. With two actions the exact divergence of each row is a sum of two
# terms, and the mean over the batch's 1,024 states is what both estimators are after:

# %%
with torch.no_grad():
    old, new = policy(batch.obs), networks[0](batch.obs)
exact = torch.distributions.kl_divergence(old, new).mean().item()
log_ratio = new_log_prob - batch.log_prob  # [B]
k1, k3 = -log_ratio, log_ratio.expm1() - log_ratio  # [B] each; expm1(x) is exp(x) - 1 without its rounding error
print(f"after the update: exact {exact:.4f} nats, k1 {k1.mean():.4f}, k3 {k3.mean():.4f}")
print(f"losses/approx_kl, the mean over its gradient steps: {metrics['losses/approx_kl']:.4f}")
print(
    f"standard deviation of a row: k1 {k1.std():.4f}, k3 {k3.std():.4f}; negative rows: k1 {(k1 < 0).float().mean():.0%}"
)

# %%
page.figure(
    trust.kl_estimators(log_ratio, exact=exact, batch_size=64),
    alt="Left: each row's k1 falls on a straight line through zero, each row's k3 on a parabola above zero. Right: histograms of "
    "means over 64 rows; k1 is broad and reaches below zero, k3 is narrow around the exact divergence.",
    caption="Left: rows. Right: means over 64 of them, drawn again and again. Both gather around the exact value; one of them "
    "can come out below zero.",
)

# %% [markdown]
# The package's `diagnostics.approx_kl` is k3. `losses/approx_kl` in a run's metrics is its mean over *all* gradient
# steps of the update. In the first of them $r = 1$, so the policy usually ends further away than that number says.
# Some libraries log the last minibatch alone. Compare such numbers only with their own kind.
#
# How large is 0.01 nats? For a policy over two actions that was undecided:

# %%
for divergence in (0.003, 0.01, 0.05, 0.3):
    q = 0.5 + 0.5 * np.sqrt(1 - np.exp(-2 * divergence))  # solves -log(4 q (1 - q)) / 2 = divergence
    print(f"{divergence:5} nats: from 0.50 to {q:.2f}")

# %% [markdown]
# ### 4.2 Stop early
#
# If you can measure the distance, you can stop when it is too large. With `target_kl` set, the package looks after
# every epoch at k3 over the whole batch, and skips the remaining epochs if it exceeds the target. A common value is
# 0.015. How often does that act? **Count.** A bar is an update, its height is the number of epochs it was given.

# %%
run = ppo.train(replace(ppo.CARTPOLE, seed=7, total_timesteps=40 * 1024, target_kl=0.015))
epochs, stopped = run.metrics["charts/epochs"], run.metrics["charts/early_stop"] > 0  # one entry an update

figure, ax = plots.new_figure(height=3.2)
updates = np.arange(1, len(epochs) + 1)
ax.bar(updates[~stopped], epochs[~stopped], color="#999999", label="all epochs")
ax.bar(updates[stopped], epochs[stopped], color=plots.COLOURS["ppo"], hatch="//", label="stopped early")
ax.set(xlabel="update", ylabel="epochs", ylim=(0, 7.5))
ax.legend(loc="upper right", ncols=2)
page.figure(
    figure,
    alt="Epochs of each of the first 40 updates as bars; the updates that were stopped early are hatched and shorter.",
    caption="One run, its first 40 updates. An early stop skips the rest of this batch's epochs, and nothing else.",
)
print(f"stopped early: {stopped.sum()} of {len(stopped)} updates; epochs on average {epochs.mean():.2f}")

# %% [markdown]
# Your 40 updates are the beginning of a run. Over 100,000 steps and ten seeds, a share of {{ppo:target_kl/early_stop}} of
# the updates is stopped early. The largest KL of a run falls to {{ppo:target_kl/largest_kl}} thousandths of a nat, from
# {{ppo:cartpole/largest_kl}} without the target. (It is a mean over the update's steps, hence below 15.) A mean return of 475
# comes after {{ppo:target_kl/steps_to_475}} steps, against {{ppo:cartpole/steps_to_475}} without it: alike, as far as ten
# seeds can tell. So it is a safety belt beside the clip: seldom tight, and it costs little to wear.

# %% [markdown]
# ## 5. The whole algorithm, in five blocks
#
# Here is the real update. Read it with the list below beside it.

# %%
page.source(ppo.minibatches, folded="minibatches in the package; open it after you have written your own (exercise 5)")
page.source(ppo.update)
page.source(optim.actor_critic_step)

# %% [markdown]
# 1. **Before the epochs.** `batch` comes from `num_steps` steps of `num_envs` environments: 32 × 32 = 1,024 rows, with GAE's advantages.
#    `batch.log_prob` is $\log \pi_{\text{old}}$, noted down while acting. It stays fixed for the whole update. The metrics'
#    `values` are recovered as returns minus advantages, because the critic is about to change.
# 2. **Epochs and minibatches.** Each epoch is a fresh random partition of the rows. `(column[rows] for column in batch)` takes the
#    same rows of every column: one permutation for all of them. With 512 rows to a minibatch an update makes
#    6 × 2 = 12 gradient steps, where A2C makes one.
# 3. **One gradient step.** Distribution, log-probability, entropy; the clipped loss (3) and the critic's squared error. Then
#    `gradient_step_fn`, whose code stands below the update: two optimisers, each with its own norm, clipped by
#    `torch.nn.utils.clip_grad_norm_` between `backward` and `step`. The critic has no ratio: its targets are the same in
#    every epoch.
# 4. **After each epoch**, if a target is set: k3 over the whole batch, and out if it is too large.
# 5. **Metrics**, each a mean over the whole update: approximate KL, clip fraction, entropy, explained variance, gradient norms.
#
# Around it, `ppo.train` is `a2c.train` of unit 03: collect, GAE, update, record. It adds one thing, the learning rate
# that may fall over the run. Then the batch is thrown away. PPO uses data a few times over; it is on-policy all the
# same.
#
# The settings that were measured for CartPole:

# %%
settings = asdict(ppo.CARTPOLE)
for other in ("seed", "env_id", "num_episodes", "initial_std", "reward_scale", "normalize_observations"):
    del settings[other]
print(textwrap.fill(", ".join(f"{name}={value}" for name, value in settings.items()), width=96))
print(f"batch of {ppo.CARTPOLE.batch_size} rows, {ppo.CARTPOLE.total_timesteps // ppo.CARTPOLE.batch_size} updates")

# %% [markdown]
# ## 6. The small print, measured
#
# PPO comes with a page of details that papers mention in an appendix or not at all. Some carry the method, some are
# habits. Each row changes one thing against the first (the row with 20 epochs and no clip changes two). Ten seeds,
# compared within 100,000 steps; late return as in section 3.2.
#
# | change | seeds that reach 475 | steps until then | late return | worst seed | mean KL [0.001 nat] | clip fraction |
# |---|---|---|---|---|---|---|
# | PPO as it is | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/late}} | {{ppo:cartpole/late/worst}} | {{ppo:cartpole/kl}} | {{ppo:cartpole/clipfrac}} |
# | 1 epoch instead of 6 | {{ppo:one_epoch/steps_to_475/count}} of {{ppo:one_epoch/steps_to_475/count.n}} | {{ppo:one_epoch/steps_to_475}} | {{ppo:one_epoch/late}} | {{ppo:one_epoch/late/worst}} | {{ppo:one_epoch/kl}} | {{ppo:one_epoch/clipfrac}} |
# | 20 epochs | {{ppo:many_epochs/steps_to_475/count}} of {{ppo:many_epochs/steps_to_475/count.n}} | {{ppo:many_epochs/steps_to_475}} | {{ppo:many_epochs/late}} | {{ppo:many_epochs/late/worst}} | {{ppo:many_epochs/kl}} | {{ppo:many_epochs/clipfrac}} |
# | 20 epochs, no clip | {{ppo:no_clip_many_epochs/steps_to_475/count}} of {{ppo:no_clip_many_epochs/steps_to_475/count.n}} | {{ppo:no_clip_many_epochs/steps_to_475}} | {{ppo:no_clip_many_epochs/late}} | {{ppo:no_clip_many_epochs/late/worst}} | {{ppo:no_clip_many_epochs/kl}} | {{ppo:no_clip_many_epochs/clipfrac}} |
# | no clip | {{ppo:no_clip/steps_to_475/count}} of {{ppo:no_clip/steps_to_475/count.n}} | {{ppo:no_clip/steps_to_475}} | {{ppo:no_clip/late}} | {{ppo:no_clip/late/worst}} | {{ppo:no_clip/kl}} | {{ppo:no_clip/clipfrac}} |
# | clip at 0.5 | {{ppo:wide_clip/steps_to_475/count}} of {{ppo:wide_clip/steps_to_475/count.n}} | {{ppo:wide_clip/steps_to_475}} | {{ppo:wide_clip/late}} | {{ppo:wide_clip/late/worst}} | {{ppo:wide_clip/kl}} | {{ppo:wide_clip/clipfrac}} |
# | advantages normalised over the batch | {{ppo:normalize_batch/steps_to_475/count}} of {{ppo:normalize_batch/steps_to_475/count.n}} | {{ppo:normalize_batch/steps_to_475}} | {{ppo:normalize_batch/late}} | {{ppo:normalize_batch/late/worst}} | {{ppo:normalize_batch/kl}} | {{ppo:normalize_batch/clipfrac}} |
# | advantages as they are | {{ppo:normalize_never/steps_to_475/count}} of {{ppo:normalize_never/steps_to_475/count.n}} | {{ppo:normalize_never/steps_to_475}} | {{ppo:normalize_never/late}} | {{ppo:normalize_never/late/worst}} | {{ppo:normalize_never/kl}} | {{ppo:normalize_never/clipfrac}} |
# | early stop at KL 0.015 | {{ppo:target_kl/steps_to_475/count}} of {{ppo:target_kl/steps_to_475/count.n}} | {{ppo:target_kl/steps_to_475}} | {{ppo:target_kl/late}} | {{ppo:target_kl/late/worst}} | {{ppo:target_kl/kl}} | {{ppo:target_kl/clipfrac}} |
# | learning rates fall to 0 | {{ppo:anneal_lr/steps_to_475/count}} of {{ppo:anneal_lr/steps_to_475/count.n}} | {{ppo:anneal_lr/steps_to_475}} | {{ppo:anneal_lr/late}} | {{ppo:anneal_lr/late/worst}} | {{ppo:anneal_lr/kl}} | {{ppo:anneal_lr/clipfrac}} |
# | torch's own initial weights | {{ppo:default_init/steps_to_475/count}} of {{ppo:default_init/steps_to_475/count.n}} | {{ppo:default_init/steps_to_475}} | {{ppo:default_init/late}} | {{ppo:default_init/late/worst}} | {{ppo:default_init/kl}} | {{ppo:default_init/clipfrac}} |
# | policy's last layer 100 times as large | {{ppo:large_last_layer/steps_to_475/count}} of {{ppo:large_last_layer/steps_to_475/count.n}} | {{ppo:large_last_layer/steps_to_475}} | {{ppo:large_last_layer/late}} | {{ppo:large_last_layer/late/worst}} | {{ppo:large_last_layer/kl}} | {{ppo:large_last_layer/clipfrac}} |
# | Adam's eps 1e-8 instead of 1e-5 | {{ppo:adam_eps_1e_8/steps_to_475/count}} of {{ppo:adam_eps_1e_8/steps_to_475/count.n}} | {{ppo:adam_eps_1e_8/steps_to_475}} | {{ppo:adam_eps_1e_8/late}} | {{ppo:adam_eps_1e_8/late/worst}} | {{ppo:adam_eps_1e_8/kl}} | {{ppo:adam_eps_1e_8/clipfrac}} |

# %%
PANELS = {
    "one_epoch": "1 epoch",
    "many_epochs": "20 epochs",
    "no_clip_many_epochs": "20 epochs, no clip",
    "no_clip": "no clip",
    "wide_clip": "clip at 0.5",
    "normalize_never": "advantages as they are",
}

# %%
figure, axes = plots.new_figure(rows=2, columns=3, width=9.5, height=5.2, sharex=True, sharey=True)
for ax, (name, label) in zip(axes.flat, PANELS.items(), strict=True):
    plots.claimed_band(ax, measured["curves"]["cartpole"], label="PPO", colour="ppo")
    plots.claimed_band(ax, measured["curves"][name], label=label, colour="#000000", style="--")
    ax.set(title=label, xlim=(0, 100_000), ylim=(0, 510), xticks=[0, 50_000, 100_000])
    ax.set_xticklabels(["0", "50k", "100k"])
for ax in axes[1]:
    ax.set_xlabel("environment steps")
for ax in axes[:, 0]:
    ax.set_ylabel("episodic return")
page.figure(
    figure,
    alt="Six panels, each with the curve of one changed version, dashed, on the curve of PPO.",
    caption="Solid: PPO as it is, the same in every panel. Dashed: with one change. Moving average of 100 episodes, ten seeds, "
    "95 % bands.",
)

# %% [markdown]
# ### 6.1 Epochs and clip: they belong together
#
# **One epoch** is close to A2C with a large batch: {{ppo:one_epoch/steps_to_475/count}} seeds arrive within 100,000 steps,
# and the clip fraction is {{ppo:one_epoch/clipfrac.value}}, because two gradient steps move no row far enough. **Six** bring
# all of them there, **twenty** do it sooner still. So what makes PPO need few environment steps is using each batch again.
# (Why not twenty, then? They are more than three times the gradient steps, for somewhat fewer environment steps. In
# CartPole gradient steps are what costs time. On a robot it is the other way round.)
#
# Take the **clip** away, and what happens depends on how far the steps go. At six epochs the run takes longer. At twenty
# only {{ppo:no_clip_many_epochs/steps_to_475/count}} of {{ppo:no_clip_many_epochs/steps_to_475/count.n}} arrive, and the mean
# KL of an update is {{ppo:no_clip_many_epochs/kl}} thousandths of a nat, more than a hundred times PPO's. It is not only
# epochs. Here is the same comparison at six epochs, over 200,000 steps, for two sizes of network:
#
# | hidden layers | clip | seeds that ever reach 475 | seeds that end above 475 | last 100 episodes | worst seed | mean KL in the first half [0.001 nat] |
# |---|---|---|---|---|---|---|
# | 32, 32 | 0.2 | {{ppo:cartpole/steps_to_475_of_200k/count}} of {{ppo:cartpole/steps_to_475_of_200k/count.n}} | {{ppo:cartpole/ends_above_475/count}} | {{ppo:cartpole/last_100}} | {{ppo:cartpole/last_100/worst}} | {{ppo:cartpole/kl}} |
# | 32, 32 | none | {{ppo:no_clip/steps_to_475_of_200k/count}} of {{ppo:no_clip/steps_to_475_of_200k/count.n}} | {{ppo:no_clip/ends_above_475/count}} | {{ppo:no_clip/last_100}} | {{ppo:no_clip/last_100/worst}} | {{ppo:no_clip/kl}} |
# | 64, 64 | 0.2 | {{ppo:wide_network/steps_to_475_of_200k/count}} of {{ppo:wide_network/steps_to_475_of_200k/count.n}} | {{ppo:wide_network/ends_above_475/count}} | {{ppo:wide_network/last_100}} | {{ppo:wide_network/last_100/worst}} | {{ppo:wide_network/kl}} |
# | 64, 64 | none | {{ppo:no_clip_wide_network/steps_to_475_of_200k/count}} of {{ppo:no_clip_wide_network/steps_to_475_of_200k/count.n}} | {{ppo:no_clip_wide_network/ends_above_475/count}} | {{ppo:no_clip_wide_network/last_100}} | {{ppo:no_clip_wide_network/last_100/worst}} | {{ppo:no_clip_wide_network/kl}} |
#
# Adam moves every weight by about the learning rate, so a wider network, whose outputs add up more weights, is moved
# further by the same setting. With a clip the KL hardly differs between the two. Without it, it is three times as
# large in the wide network, and few of its seeds keep what they reached. A learning rate that is right without a clip
# is right for one network and one number of epochs. The clip forgives.
#
# A **clip at 0.5** is sometimes sold as the faster one. It lets updates go more than three times as far, and arrives
# at {{ppo:wide_clip/steps_to_475}} steps instead of {{ppo:cartpole/steps_to_475}}; its worst seed has a late return
# of {{ppo:wide_clip/late/worst}}.
#
# ### 6.2 Normalising the advantages
#
# Subtract the mean and divide by the standard deviation: in each minibatch (Huang et al. 2022 list it as a detail of the
# original code), over the whole batch (other libraries), or not at all. Sources disagree. Measured here, the three arrive
# after {{ppo:cartpole/steps_to_475}}, {{ppo:normalize_batch/steps_to_475}} and {{ppo:normalize_never/steps_to_475}} steps: no
# difference that ten seeds can show. Adam is the likely reason: it divides by the size of the gradient, so most of the
# advantages' scale cancels, and GAE with a decent critic has a mean near 0 already. What shows is the distance: the mean KL
# of an update is {{ppo:normalize_never/kl}} thousandths of a nat without normalising, and {{ppo:cartpole/kl}} with. Do not
# conclude that it never matters. With an entropy bonus, the scale of the advantages decides how much the bonus weighs.
#
# ### 6.3 A falling learning rate
#
# `anneal_lr` lets both rates fall to 0 over the budget. Large steps first, small ones when there is something to
# lose: good sense. Here it arrives a little later ({{ppo:anneal_lr/steps_to_475}}), because the steps are already
# shorter when there is still a way to go, and the end is no steadier than without. It also ties the run to a budget
# that you have to know beforehand.
#
# ### 6.4 Initial weights, and Adam's eps
#
# The package starts with **orthogonal** weight matrices, zero biases and a **last layer a hundred times smaller** than
# the others, so that the first policy is nearly uniform, whatever the observation. Torch's own initial weights arrive
# after {{ppo:default_init/steps_to_475}} steps, a last layer of the usual size after {{ppo:large_last_layer/steps_to_475}}; PPO
# as it is needs {{ppo:cartpole/steps_to_475}}. Of the details from section 6.2 on, torch's weights are the one change whose
# interval lies clear of PPO's. A likely reason: a policy that starts with preferences has to unlearn them first.
#
# **Adam's eps** of 1e-5 is a habit of the original code; torch has 1e-8: {{ppo:adam_eps_1e_8/steps_to_475}} steps,
# the same within the interval. It limits how much a tiny gradient is blown up, and healthy gradients are far from
# tiny.
#
# **What to take from the table.** Two things carry PPO on CartPole: several epochs, and the clip that lets you afford
# them. Careful initial weights help. The rest makes no difference that ten seeds can show *here*. On larger tasks
# some of it changes much: Andrychowicz et al. (2021) find the small last layer among the choices that matter most in
# continuous control, and Engstrom et al. (2020) trace much of PPO's fame to such details. A habit is worth a
# measurement on *your* task.

# %% [markdown]
# ## 7. Watch it learn

# %%
result, policies = stages.train_with_stages(
    ppo.train, replace(ppo.CARTPOLE, seed=7, total_timesteps=80 * 1024), at=(0, 20_000), by="env_step"
)
figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="ten measured runs", colour="ppo")
smooth = moving_average(result.episodes["episodic_return"], 100)
ax.plot(result.episodes["env_step"], smooth, color=plots.COLOURS["learner"], label="your run")
ax.set(xlabel="environment steps", ylabel="return, moving average of 100 episodes", ylim=(0, 510), xlim=(0, 120_000))
ax.set_xticks([0, 40_000, 80_000, 120_000], ["0", "40,000", "80,000", "120,000"])
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="The live run's learning curve up to 80,000 steps, on the band of ten measured runs.",
    caption="The band is for the mean of ten runs; a single one climbs in jumps around it, since episodes end together. Compare "
    "with the ten stories of lesson 01.",
)

# %%
with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif(policies, "CartPole-v1", f"{folder}/stages.gif", seed=1, max_steps=200)
    page.gif(
        path,
        alt="Three CartPoles side by side: the random agent drops the pole at once, the agent after 20,000 steps keeps it up for "
        "longer and drifts out to the left, the one at the end stays near the middle.",
        caption="The same held-out start state for all three, at true speed: 200 steps are 4 seconds.",
    )

# %% [markdown]
# And here is the whole thing with buttons: change a setting, press *Start*, and read the panels while it learns. Green
# is where ten healthy runs were. Try `policy_lr` times ten, then `clip_coef` at 2.

# %%
board = Dashboard(replace(ppo.CARTPOLE, total_timesteps=60 * 1024))
board.show()

# %% [markdown]
# ## 8. Your experiment: turn the clip off
#
# Section 6.1 used every batch for 20 epochs, and learned all the faster for it. Keep the 20 epochs and **change one
# thing**: `clip_coef=None`. Three seeds, beside the measured band of the version with the clip. Then write down *in
# your own words*, before you unfold the answer: what differs, from when on, and which of the two panels shows it
# first?

# %%
changed = replace(ppo.CARTPOLE, update_epochs=20, clip_coef=None, total_timesteps=50 * 1024)  # change me
runs = run_seeds({"no clip": changed}, seeds=range(3), progress=False)["no clip"]

# %%
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.8)
plots.claimed_band(left, measured["curves"]["many_epochs"], label="PPO, 20 epochs, ten seeds", colour="ppo")
plots.claimed_band(right, measured["curves"]["many_epochs/losses/approx_kl"], label="PPO, 20 epochs", colour="ppo")
for number, run in enumerate(runs):
    look = {"color": "#000000", "linestyle": ["-", "--", ":"][number % 3], "linewidth": 1.3}
    left.plot(
        run.episodes["env_step"],
        moving_average(run.episodes["episodic_return"], 100),
        label=f"yours, seed {run.seed}",
        **look,
    )
    right.plot(run.metrics["charts/env_step"], moving_average(run.metrics["losses/approx_kl"], 5), **look)
left.set(ylabel="return, moving average of 100 episodes", ylim=(0, 510))
right.set(ylabel="approximate KL [nats]", yscale="log")
for ax in (left, right):
    ax.set(xlabel="environment steps", xlim=(0, 52_000), xticks=[0, 25_000, 50_000])
    ax.set_xticklabels(["0", "25,000", "50,000"])
left.legend(loc="upper left", fontsize=9)
page.figure(
    figure,
    alt="Left: three curves without the clip on PPO's band; they keep up at first and then stay below or fall. Right: their "
    "approximate KL on a logarithmic scale, far above PPO's.",
    caption="Left: return. Right: how far an update goes, logarithmic, averaged over five updates.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The right panel shows it first. From the first updates on, an update without the clip goes much further, and the gap
# widens to a factor of a hundred. The return follows later. While the policy is poor a long step costs little, most
# directions lead up, and the curves keep pace with the band. Then there is something to lose. An update that
# overshoots throws the policy back, the next batch comes from there, and it climbs again. So these curves wander
# where PPO's climb.
#
# Three seeds could be bad luck. Ten seeds over 100,000 steps: with the clip {{ppo:many_epochs/steps_to_475/count}} of
# {{ppo:many_epochs/steps_to_475/count.n}} reach 475, without it {{ppo:no_clip_many_epochs/steps_to_475/count}}; the
# late return is {{ppo:many_epochs/late}} against {{ppo:no_clip_many_epochs/late}}, and
# {{ppo:no_clip_many_epochs/late/worst}} in the worst seed. The clip is not what makes PPO learn. It is what lets it
# use a batch twenty times and keep what it has learned.
#
# Try `update_epochs=6` in the same cell, and 1: the fewer passes over a batch, the less there is to clip.
#
# </details>

# %% [markdown]
# ## 9. A patient
#
# Someone's PPO does not learn, and nothing raises an error. The settings are those of `ppo.CARTPOLE`, `clip_coef=0.2`
# included. Here are its panels over ten seeds, beside the healthy version. Symptom first: what do you see, and which
# line could do this?

# %%
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
panels = {"": "episodic return", "/losses/approx_kl": "approximate KL [nats]", "/losses/clipfrac": "clip fraction"}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour, style in (("cartpole", "healthy", "ppo", "-"), ("patient", "patient", "#000000", "--")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour, style=style)
    ax.set(xlabel="environment steps", ylabel=label, xlim=(0, 100_000), xticks=[0, 50_000, 100_000])
    ax.set_xticklabels(["0", "50k", "100k"])
axes[1].set_yscale("log")
axes[0].legend(loc="center right")
page.figure(
    figure,
    alt="Three panels for patient and healthy version: the patient's return stays low, its approximate KL is more than ten times the healthy one, and its clip fraction is several times as high.",
    caption="The middle panel is logarithmic. The clip is on, and yet look at the right panel.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-patient",
    "Which of these explains all three panels?",
    [
        "The learning rate is a hundred times too small",
        "The rows of the advantages are shuffled differently from the rows of the observations",
        "The loss takes the larger of the two terms instead of the smaller",
        "The old log-probabilities are computed again before every minibatch",
    ],
    answer=2,
    reasons=[
        "Then the policy would hardly move: KL and clip fraction would be near 0, not far above the healthy ones.",
        "Then the gradient would be noise without a direction: the policy would wander, with a small KL and a clip fraction near 0.",
        "Right. The maximum turns the four cases round: where a row has been followed far enough it goes on pulling, without "
        "limit, and where the update went the wrong way the gradient is 0, and nothing leads back.",
        "Then every ratio would be 1 and the clip would never act. It is a good second guess, since the policy goes too far here. "
        "But six epochs without a clip do learn, only later (section 6.1); this one never does.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# def optimist_loss(log_prob, old_log_prob, advantages, *, clip_coef):
#     ratio = (log_prob - old_log_prob).exp()
#     clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
#     return -torch.maximum(ratio * advantages, clipped * advantages).mean()
# ```
#
# It is easily written. Many implementations minimise `max(-A r, -A clip(r))`, which is right: the sign has been moved
# inside. Someone moves it out again and forgets the other half. The cure is `minimum` in front of a minus sign, or
# `maximum` of two negated terms, and a test of the four corners, such as the one in the cell below. The clip fraction
# would not have told you: it counts rows that are outside, whichever way the loss treats them.
#
# </details>


# %%
def corner_gradients(combine):
    """Gradient of the objective in log r, per unit of |A|, at the four corners."""
    log_ratio = torch.tensor([0.5, 1.5, 0.5, 1.5]).log().requires_grad_()  # [4]
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    ratio = log_ratio.exp()
    objective = combine(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    (gradient,) = torch.autograd.grad(objective.sum(), log_ratio)
    return [round(number, 2) + 0.0 for number in gradient.tolist()]


print("                      A>0, r=0.5   A>0, r=1.5   A<0, r=0.5   A<0, r=1.5")
for name, combine in (("minimum, as in PPO", torch.minimum), ("maximum, the patient", torch.maximum)):
    print(f"{name:20}" + "".join(f"{number:+13.1f}" for number in corner_gradients(combine)))

# %% [markdown]
# ## 10. The hyper-parameters
#
# Ranges that people use, and what each number does. Start from a preset that was measured on something similar, and
# change one at a time.
#
# | setting | usual range | here | what it does; too low, too high |
# |---|---|---|---|
# | `clip_coef` | 0.1 to 0.3 | 0.2 | how far a row may pull. Low: slow. High: towards no clip at all |
# | `update_epochs` | 3 to 10 | 6 | how often each batch is used. Low: wasted data. High: the policy leaves the batch behind |
# | rollout, `num_envs` × `num_steps` | 128 to 2,048 in all | 32 × 32 | rows to an update. Small: noisy gradients. Large: few updates for the same data |
# | `minibatch_size` | 32 to 512 | 512 | rows to a gradient step. Small: more steps, each noisier and dearer per row. Large: fewer, quicker |
# | `gae_lambda` | 0.9 to 0.99 | 0.95 | bias against variance of the advantages (unit 03). Low: trusts the critic. High: trusts the returns |
# | `gamma` | 0.9 to 0.999 | 0.99 | how far ahead rewards count: about $1/(1-\gamma)$ steps |
# | `ent_coef` | 0 to 0.05 | 0 | pay for staying undecided. Low: may settle too soon. High: never settles |
# | `policy_lr` | 1e-4 to 3e-3 | 1.5e-3 | size of a gradient step. Low: slow. High: KL and clip fraction climb |
# | `critic_lr` | 1e-4 to 1e-2 | 1e-2 | same, for the critic. Low: advantages stay poor, and this hurts more than the policy's (unit 06) |
# | `max_grad_norm` | 0.5 to 1 | 0.5 | bounds a freak gradient, for each network by itself |
# | `target_kl` | none, or 0.01 to 0.05 | none | stops an update's epochs early (section 4.2) |
# | `anneal_lr` | on or off | off | both learning rates fall to 0 over the budget |
#
# They hang together. Twice the epochs and half the learning rate cover about the same distance on a batch. Twice the
# rollout is half the updates. When you change one, watch KL and clip fraction: they say whether an update still goes
# about as far as before. For our healthy runs that is {{ppo:cartpole/kl}} thousandths of a nat and
# {{ppo:cartpole/clipfrac}} of the rows. You will read that KL should be 0.01 to 0.05 nats and the clip fraction 0.1 to 0.3. On
# CartPole, healthy runs are well below both.
#
# ## 11. Common mistakes, and how they look
#
# Each of the first six was put into `ppo.CARTPOLE` and tried with two seeds of 80,000 steps.
#
# | mistake | what you see |
# |---|---|
# | the ratio upside down, `(old_log_prob - log_prob).exp()` | the policy learns backwards: the return falls to the lowest there is, and the entropy with it |
# | the minus sign of the loss is missing | the same picture |
# | rows shuffled apart: one permutation for `obs` and `actions`, another for `advantages` | the return stays at a random agent's level or drifts below it, KL and clip fraction are close to 0, and the explained variance looks healthy: the critic does learn |
# | old log-probabilities computed again before every minibatch | the policy loss is 0 in every update, since every ratio is 1 and the advantages have mean 0; the clip never acts, the return rises and falls by turns, KL is ten times the healthy one |
# | the minimum is missing | it learns, a little later: section 3.2 |
# | `exp` forgotten: `ratio = log_prob - old_log_prob` | **hardly anything in the return:** one seed ends near 500, the other stays above 400. The policy loss gives it away: it sits near +0.3 instead of 0. A log-ratio near 0 is clipped to 0.8, so rows with $A < 0$ have no gradient at all, and only good actions are followed. On CartPole that is nearly enough. For a bug that a learning curve hides there are checks |
# | judging by the policy loss | it hovers just below zero, in good runs and bad ones. Watch return, KL and clip fraction |
# | `approx_kl` of the last minibatch only | a number that jumps between updates, from a few rows |
# | bootstrapping through resets, wrong `next_values`, advantages normalised over reset rows | all mistakes of unit 03 are still possible, and PPO makes more gradient steps with each of them |
#
# ## 12. Where PPO is used
#
# - **Robots.** Walking policies for four-legged machines are trained in thousands of simulated environments side by side, with PPO
#   and large rollouts (Rudin et al. 2022). A hand that turns a Rubik's cube was trained in the same way (Akkaya et al. 2019).
# - **Games.** OpenAI Five played Dota 2 against professionals with PPO and very large batches (Berner et al. 2019). For teams of agents, PPO
#   with a shared critic is a strong baseline (Yu et al. 2022).
# - **Language models.** Reinforcement learning from human feedback (Ouyang et al. 2022): a token is an action, a whole answer is an
#   episode, a learned model of preferences gives a reward at its end, and a KL penalty ties the model to where it started. Later
#   methods, such as GRPO (Shao et al. 2024), drop the critic and keep the clipped ratio; the penalty is often estimated with k3.
#
# In all of these data are plentiful, from simulators or from the model itself. Where each step on a real machine is
# precious, methods that reuse old data (SAC, TD3) need far fewer of them; unit 05 ends with that map.
#
# ## 13. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-first-step",
    "In the very first gradient step of an update, how many rows of the minibatch have gradient 0 because of the clip?",
    ["About the clip fraction, some percent", "None", "All rows with a negative advantage", "It depends on clip_coef"],
    answer=1,
    reasons=[
        "That is the average over the whole update. In the first step nothing has moved yet.",
        "Right: the policy still is the one that acted, every ratio is 1, and the gradient is A2C's. The clip begins to act later.",
        "The sign of the advantage alone never stops a gradient. The ratio has to be outside as well.",
        "A ratio of exactly 1 is inside the interval whatever its width.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-negative",
    "A row has A = -2, r = 1.6, clip_coef = 0.2. What is its objective, and does a gradient flow?",
    ["-2.4, no gradient", "-3.2, gradient flows", "-1.6, no gradient", "-2.4, gradient flows"],
    answer=1,
    reasons=[
        "-2.4 is the clipped term, 1.2 times -2. The minimum of -3.2 and -2.4 is -3.2.",
        "Right: min(1.6 x -2, 1.2 x -2) = -3.2. A bad action has become more likely, and nothing may stop the way back.",
        "-1.6 would be 0.8 times -2, the clipped term of a ratio below 0.8.",
        "The clipped term is a constant beyond the interval: it could not carry a gradient.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-kl",
    "Your log shows approx_kl = -0.002. What do you conclude?",
    [
        "The policy came closer to the old one",
        "It is the estimator k1: a sample mean may be negative, the divergence never is",
        "A bug in the log-probabilities",
        "The update went in the wrong direction",
    ],
    answer=1,
    reasons=[
        "A divergence has no direction. Nothing is closer than 0.",
        "Right. It says that the true value is small, and little else. k3 from the same rows cannot be negative.",
        "It may be one, but k1 gives such numbers for healthy updates: more than a few times in section 4.1.",
        "The divergence does not know which way is up.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-clip-bounds",
    "clip_coef is 0.2, and after an update a row has a ratio of 1.5. How can that be?",
    [
        "It cannot: the ratio is clipped to 1.2",
        "The row was pushed there by other rows and by the optimiser's momentum",
        "The advantage was negative",
        "The minibatch was too large",
    ],
    answer=1,
    reasons=[
        "The loss uses a clipped copy of the ratio. The policy itself is free.",
        "Right: beyond 1.2 the row has no gradient of its own, but all rows share the weights. (Its own last step from inside the interval can overshoot too.) The clip removes an incentive; it is no wall.",
        "With a negative advantage the row itself would pull back. But other rows may still win.",
        "Any minibatch size shares the weights between rows.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-surrogate",
    "During an update the surrogate objective has risen a lot. What does that tell you about the return?",
    [
        "It has risen as much",
        "It has risen, by less",
        "Nothing certain: the surrogate knows only the old policy's states and advantages",
        "It has fallen",
    ],
    answer=2,
    reasons=[
        "The surrogate has no unit: advantages were standardised.",
        "Near the old policy, and with good advantages, yes. Section 2.5 shows what happens further away.",
        "Right. It is a promise about the neighbourhood. How far you have gone from there is what KL and clip fraction tell.",
        "Sometimes, as in section 2.5, but not necessarily.",
    ],
)

# %% [markdown]
# ## 14. What to remember
#
# 1. The policy makes its own data. A gradient step is trustworthy nearby, and a step far enough away cannot be taken back.
# 2. The surrogate $\mathbb{E}_{\text{old}}[rA]$ is exact in the actions and approximate in the states. At $r = 1$ its gradient is A2C's; far away its
#    promises are false.
# 3. The clip takes away a row's reason to go further once it has been followed far enough; the minimum keeps the way back
#    open. It is an incentive, not a wall.
# 4. Measure how far you went: k3 $= (r - 1) - \log r$ is unbiased, never negative, and costs nothing.
# 5. Several epochs make PPO need few steps, and the clip lets you afford them. Careful initial weights helped on CartPole; normalising, decay,
#    early stop and eps made no difference that ten seeds could show. Know what each is for, and measure before you believe.
#
# ## Further reading
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov (2017), *Proximal policy optimization algorithms*. Section 3 is the clip,
#   its figure 1 the two cases of your widget, section 5 the algorithm.
# - S. Kakade and J. Langford (2002), *Approximately optimal approximate reinforcement learning*, ICML. Lemma 6.1 is equation (1).
# - J. Schulman et al. (2015), *Trust region policy optimization*, ICML. Sections 2 and 3: what replacing the states costs, as a bound.
# - J. Schulman (2020), *Approximating KL divergence*. A page: k1, k2, k3, with a numerical table.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. The list behind section 6; read it
#   beside your own code.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. How much of PPO's lead over TRPO came from details that are
#   not the clip.
# - M. Andrychowicz et al. (2021), *What matters for on-policy deep actor-critic methods?*, ICLR. More than 50 choices, 250,000 runs; read the
#   recommendations at the end of each section.
# - A. Ilyas et al. (2020), *A closer look at deep policy gradients*, ICLR. Section 2.3 onwards: surrogate and return part ways, on
#   larger tasks than ours.
# - Y. Wang, H. He and X. Tan (2019), *Truly proximal policy optimization*, UAI. Section 3: that the clip does not bound the ratio.
# - L. Ouyang et al. (2022), *Training language models to follow instructions with human feedback*, NeurIPS. Section 3.5: PPO with a KL penalty.
# - Also named above: I. Akkaya et al. (2019), *Solving Rubik's cube with a robot hand*; C. Berner et al. (2019), *Dota 2 with large scale deep
#   reinforcement learning*; N. Rudin et al. (2022), *Learning to walk in minutes using massively parallel deep reinforcement
#   learning*; C. Yu et al. (2022), *The surprising effectiveness of PPO in cooperative multi-agent games*; Z. Shao et al. (2024), *DeepSeekMath*.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/04_ppo.ipynb) build the ratio, the clipped
# loss, k3, the clip fraction, the minibatches and the whole update, and then train CartPole with *your* functions.
