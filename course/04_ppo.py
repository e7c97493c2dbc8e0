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
# {{# wording}}
#
# A2C looks at a batch once, takes one small step and throws the batch away. Proximal policy optimisation (PPO) takes many steps
# on the same batch, although another policy collected it. Two lines of code take away the reason to go too far. {{# design}}
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises. Symbols: [one table for the whole course](../docs/symbols.md). {{# wording}}

# %% jupyter={"source_hidden": true}
import copy
from dataclasses import replace

import numpy as np
import torch

from pgcourse import losses, ppo, returns
from pgcourse.envs import make_envs
from pgcourse.networks import ConvolutionalCritic, ConvolutionalPolicy, Convolutions, MaskedPolicy
from pgcourse.optim import seeded
from pgcourse.show import page, questions
from pgcourse.show.dashboard import Dashboard
from pgcourse.show.figures import clip, curves as plots, trust_region as trust
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.clip import CLIP
from pgcourse.statistics import moving_average
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("ppo")

# %% [markdown]
# ## Where this ends
#
# Two versions of PPO. The same network, the same twenty passes over each batch. They differ in one line, the clip.

# %% jupyter={"source_hidden": true}
# {{# description}}
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
    "a narrow band. Without it the return starts in the same way, then stays "
    "{{lower | ppo:no_clip_many_epochs/late < ppo:many_epochs/late}} and wanders in a wide band.",
    caption="Section 8 asks you why the curves start together and then part.",
)

# %% [markdown]
# ## Before you begin
#
# **After this lesson you will be able to**
#
# 1. say why a policy step is only safe nearby, and show what a step too far does;
# 2. derive the surrogate objective from importance sampling, and name what it ignores;
# 3. go through the clip case by case, and say where the gradient is zero and where it must not be;
# 4. measure how far an update went, with an estimate of the KL divergence that you derived yourself;
# 5. read PPO's update line by line, and say what its epochs and its clip do on CartPole, from measured runs.
#
# **You need** [lesson 03](03_a2c_gae.ipynb): advantages, GAE, rollouts of shape `[T, N]`. All cells together run in about half
# a minute on two cores. {{# wording}}
#
# The numbers come from `claims/ppo.json`: ten training runs of each version unless said otherwise, measured with this package.
# *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted underline are
# comparisons decided by the data; hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)). Where they say *more
# than ten times*, it is the interval of what is left over ten times the other. {{# wording}}
#
# ### Three questions
#
# Answer from memory. This lesson builds on all three.

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-recall-1",
    "A2C (unit 03): what does the advantage of a row in a batch say?",
    [
        "How large the return of the whole episode was, good states included",
        "The worth of the action, minus what the policy gets there",
        "How likely the policy was to choose this action in this state",
        "How far the critic's estimate is from its target after the update",
    ],
    answer=1,
    reasons=[
        "That return holds good states too. The advantage subtracts the critic's estimate.",
        "Right. It estimates Q(s, a) − V(s), under the policy that collected the batch.",
        "That is the action's probability, and no judgement of it.",
        "The critic is fitted after the advantages were computed.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-recall-2",
    "REINFORCE (unit 01) needs fresh episodes after each step. Why may it not take a second step on the same episodes?",
    [
        "The episodes would take too much memory if they were all kept",
        "The returns in them have been standardised already, and that works only once",
        "Its gradient averages over episodes of the present policy, and these are the old one's",
        "The second gradient would be exactly the same as the first one, so nothing is gained",
    ],
    answer=2,
    reasons=[
        "A batch is a few thousand numbers.",
        "Standardised or not, the trouble is which policy acted.",
        "Right. This lesson asks how that can be corrected, and how far the correction carries.",
        "The weights have moved, so the second gradient is another one.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-recall-3",
    "A baseline (unit 02) subtracts something from the return. Why does the gradient stay right on average?",
    [
        "The baseline is close to the mean return",
        "The baseline is trained on the same returns",
        "The score has mean 0 in each state",
        "The gradient is divided by its norm afterwards",
    ],
    answer=2,
    reasons=[
        "Any constant would do.",
        "That is how V is learnt.",
        "Right. Section 4 uses the same idea again.",
        "Clipping by the norm is another step.",
    ],
)

# %% [markdown]
# ## 1. A step is only safe nearby
#
# In supervised learning, after a step that was too long, the next batch comes from the same data as before, and training can
# walk back. {{# mathematics}}
#
# In reinforcement learning **the policy makes the data**. After a step that was too long, the next batch comes from the worse
# policy: from the states that it visits and the actions that it prefers. If it has become certain of its actions, their scores
# $\nabla_\theta \log \pi_\theta$ are close to zero, and no gradient leads back. {{# mathematics}}
#
# Here is that experiment. Ten healthy PPO runs reach update 30. That one update is replaced by a *single* gradient step with
# the learning rate multiplied by a factor. Then training goes on as usual for another 50 updates. {{# design}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "04-one-step",
    "In 80 updates one gradient step is 100, 1,000 or 10,000 times as long as usual; everything before and after it is healthy. "
    "What do ten runs of each do right after the step, and what at the end?",
    [
        "All fall and all recover: one bad step among hundreds of good ones cannot matter",
        "All fall and none recovers: after such a step the policy is gone for good",
        "All fall; the first recovers, the last shows no recovery by the end of the run",
        "None falls at any time, since the norm of the gradient is clipped at 0.5",
    ],
    answer=2,
    explanation="Right after the step the three score {{ppo:step_100/after}}, {{ppo:step_1000/after}} and "
    "{{ppo:step_10000/after}}. At the end they score {{ppo:step_100/in_the_end}}, {{ppo:step_1000/in_the_end}} and "
    "{{ppo:step_10000/in_the_end}}; {{ppo:step_10000/dead/count}} of {{ppo:step_10000/dead/count.n}} seeds of the last end "
    "below 30, most of them near 9, what one action repeated for ever scores. Clipping the gradient is no protection: Adam "
    "divides by the gradient's usual size, so the learning rate decides how far a step goes.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
SIZES = (1, 30, 100, 300, 1000, 10_000)
page.figure(
    trust.step_sizes(measured["values"], SIZES),
    alt="Return against the size of one step. Right after the step it is {{lower | ppo:step_30/after < ppo:step_30/before}} than "
    "before from a factor of 30 on, and about 10 at the largest. At the end of training it is near 500 for factors up to 100, "
    "and about 10 for the largest.",
    caption="A dot is a seed. Black: right after the step. Colour: 50 updates later. The gap between them is what training repaired.",
)

# %% [markdown]
# | learning rate, times | KL of the step [0.001 nat] | return right after | return at the end | entropy at the end [nats] | seeds that end below 30 |
# |---|---|---|---|---|---|
# | 1 | {{ppo:step_1/step_kl}} | {{ppo:step_1/after}} | {{ppo:step_1/in_the_end}} | {{ppo:step_1/end_entropy}} | {{ppo:step_1/dead/count}} |
# | 30 | {{ppo:step_30/step_kl}} | {{ppo:step_30/after}} | {{ppo:step_30/in_the_end}} | {{ppo:step_30/end_entropy}} | {{ppo:step_30/dead/count}} |
# | 100 | {{ppo:step_100/step_kl}} | {{ppo:step_100/after}} | {{ppo:step_100/in_the_end}} | {{ppo:step_100/end_entropy}} | {{ppo:step_100/dead/count}} |
# | 1,000 | {{ppo:step_1000/step_kl}} | {{ppo:step_1000/after}} | {{ppo:step_1000/in_the_end}} | {{ppo:step_1000/end_entropy}} | {{ppo:step_1000/dead/count}} |
# | 10,000 | {{ppo:step_10000/step_kl}} | {{ppo:step_10000/after}} | {{ppo:step_10000/in_the_end}} | {{ppo:step_10000/end_entropy}} | {{ppo:step_10000/dead/count}} |
#
# At factors of 30 and 100 the return is {{lower right after the step | ppo:step_30/after < ppo:step_30/before,
# ppo:step_100/after < ppo:step_100/before}} than before it, and at the end {{no difference | ppo:step_30/in_the_end ~
# ppo:step_1/in_the_end, ppo:step_100/in_the_end ~ ppo:step_1/in_the_end}} from runs with an ordinary step is seen. At 1,000
# training brings back {{a part of it | ppo:step_1000/in_the_end > ppo:step_1000/after}}, and the runs still end {{below |
# ppo:step_1000/in_the_end < ppo:step_1/in_the_end}} those with an ordinary step. At 10,000 {{no difference |
# ppo:step_10000/in_the_end ~ ppo:step_10000/after}} between the return right after the step and 50 updates later is seen. There
# the entropy is close to 0: the policy is certain in each state that it meets, so its scores are close to zero.
#
# Loss and gradient do not warn you *before* the step; they are those of any other update. What tells the rows apart is the
# second column, how far the policy moved. An ordinary gradient step moves it by {{ppo:step_1/step_kl.value}} thousandths of a
# nat. Section 4 says how to measure that.
#
# So PPO wants two things at once: many steps from each batch, because data are expensive, and never far from the policy that
# collected them.

# %% [markdown]
# ## 2. Several steps on one batch
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\pi_{\text{old}}$, $\theta_{\text{old}}$ | the policy that collected the batch, and its weights | `old_log_prob` | `[B]` |
# | $\rho_i$ | probability ratio $\pi_\theta(a_i \mid s_i) / \pi_{\text{old}}(a_i \mid s_i)$ of row $i$ | `ratio` | `[B]` |
# | $\epsilon$ | half width of PPO's clip | `clip_coef` | a number |
#
# $\hat A_i$ is the advantage of row $i$, from GAE, under $\pi_{\text{old}}$. Papers often write $r$ for the ratio; here $r$ is
# always the reward.
#
# ### 2.1 What a better policy is worth, in the old policy's advantages
# {{# wording}}
#
# Let $J(\pi)$ be the expected discounted return from the start. Walk with the *new* policy, and add up the *old* policy's
# advantages along the way, discounted: $\sum_t \gamma^t A_{\text{old}}(s_t, a_t)$. On average over the environment's answers
# $A_{\text{old}}(s_t, a_t) = r_t + \gamma V_{\text{old}}(s_{t+1}) - V_{\text{old}}(s_t)$, with $V_{\text{old}} = 0$ after the
# end.
#
# **Your line.** Take an episode of two steps: rewards $r_0$, $r_1$, then the end. Write its sum in terms of `r0`, `r1`, `v0` $=
# V_{\text{old}}(s_0)$, `v1` $= V_{\text{old}}(s_1)$ and `gamma`, and simplify. Which value is left?

# %%
questions.check_line("04-telescope", lambda r0, r1, v0, v1, gamma: ...)

# %% [markdown]
# <details><summary>The line, and the same for any length</summary>
#
# $(r_0 + \gamma V_1 - V_0) + \gamma (r_1 - V_1) = r_0 + \gamma r_1 - V_0$: the value of $s_1$ cancels. For any length, and on
# average over episodes of the new policy,
#
# $$
# \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \gamma^t \big(r_t + \gamma V_{\text{old}}(s_{t+1}) - V_{\text{old}}(s_t)\big)\Big]
# = \mathbb{E}_{\tau \sim \pi}\Big[\sum_t \gamma^t r_t\Big] - \mathbb{E}[V_{\text{old}}(s_0)].
# $$
#
# </details>
#
# All values cancel but the first. What is left is the new policy's return minus $V_{\text{old}}(s_0)$. The start states do not
# depend on the policy, so the mean of $V_{\text{old}}(s_0)$ is $J(\pi_{\text{old}})$. Nothing was approximated. Write $d^\pi(s)
# = \sum_t \gamma^t P(s_t = s)$ for how often, discounted, $\pi$ visits a state:
#
# $$
# J(\pi) - J(\pi_{\text{old}}) = \sum_s d^{\pi}(s) \sum_a \pi(a \mid s)\, A_{\text{old}}(s, a). \tag{1}
# $$
#
# This is the **performance difference lemma** (Kakade and Langford 2002). To improve the return, improve the old policy's
# advantages, averaged over the states that the *new* policy visits. But you have only states of the old one. {{# mathematics}}
#
# ### 2.2 The surrogate: exact in the actions, approximate in the states
#
# Two changes turn (1) into something a batch can estimate.
#
# **States, an approximation.** Replace $d^\pi$ by $d^{\pi_{\text{old}}}$, the states in the batch. The two are equal at $\pi =
# \pi_{\text{old}}$ and drift apart as the policies do.
#
# **Actions, exactly.** The batch's actions were drawn from $\pi_{\text{old}}$, and (1) wants them from $\pi$. Multiply and
# divide:
#
# $$
# \sum_a \pi(a \mid s)\, A(s, a)
# = \sum_a \pi_{\text{old}}(a \mid s)\, \frac{\pi(a \mid s)}{\pi_{\text{old}}(a \mid s)}\, A(s, a)
# = \mathbb{E}_{a \sim \pi_{\text{old}}}\big[ \rho(a)\, A(s, a) \big].
# $$
#
# That is **importance sampling**: an action that $\pi$ takes twice as often counts twice. It needs $\pi_{\text{old}}(a \mid s) >
# 0$ wherever $\pi(a \mid s) > 0$, which softmax and Gaussian policies give. The result is the **surrogate objective**:
# {{# mathematics}}
#
# $$
# L(\theta) = \mathbb{E}_{s, a \sim \pi_{\text{old}}}\big[ \rho\, A \big] \approx \frac{1}{B} \sum_{i=1}^B \rho_i(\theta)\, \hat A_i. \tag{2}
# $$
#
# The sum holds three other approximations. The factor $\gamma^t$ is dropped, as in [lesson 01](01_reinforce.ipynb). $\hat A$ is
# an estimate. And it is shifted and scaled to mean 0 and standard deviation 1 in each minibatch, so the value of $L$ has no
# unit.
#
# ### 2.3 At the start it is A2C
#
# What is the gradient of (2) where the update begins, at $\theta = \theta_{\text{old}}$?
#
# $$
# \nabla_\theta L = \frac1B \sum_i \hat A_i \frac{\nabla_\theta \pi_\theta(a_i \mid s_i)}{\pi_{\text{old}}(a_i \mid s_i)}
# \;\overset{\theta = \theta_{\text{old}}}{=}\; \frac1B \sum_i \hat A_i\, \nabla_\theta \log \pi_\theta(a_i \mid s_i).
# $$
#
# PPO's first gradient *is* A2C's on the same minibatch. What is new begins with the second step. Check it on a real batch: this
# replacement of `ppo.update` updates as usual, and keeps a copy of everything that the tenth update was given.


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
# Before the first step the two agree up to rounding. After three epochs they are different vectors, because the ratios have
# moved away from 1.
#
# ### 2.4 The ratio lives in log space
#
# A network gives you log-probabilities. Do not turn them into probabilities to divide: an unlikely action's probability
# underflows to 0, and 0 / 0 is no number. Subtract first, then take one exponential:

# %%
log_prob, old_log_prob = torch.tensor([-0.5, -200.0]), torch.tensor([-0.7, -200.0])  # [B]
print("divide the probabilities:", (log_prob.exp() / old_log_prob.exp()).tolist())
print("subtract the logarithms: ", (log_prob - old_log_prob).exp().tolist())

# %% [markdown]
# ### 2.5 The surrogate promises more than the policy keeps
# {{# wording}}
#
# Nothing in (2) says "stay nearby". So climb it on one batch for 30 epochs, without a clip, and compare what the batch promises
# with what the policy then scores.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "04-promise",
    "Thirty epochs on the same batch, no clip. The surrogate (2) rises from epoch to epoch. What does the policy's true return do?",
    [
        "It rises as the surrogate does, but more slowly",
        "It rises for some epochs, then levels off",
        "It holds for some epochs, and then it falls",
        "It stays where it was to the end",
    ],
    answer=2,
    explanation="Before the update the policies score {{one_update:no_clip/return_0}}, after 30 epochs without a clip "
    "{{one_update:no_clip/return_30}}: {{lower | one_update:no_clip/return_30 < one_update:no_clip/return_0}}. The surrogate is "
    "right about the old policy's states and advantages, estimated from a thousand rows. Far from there it is wrong, and the "
    "optimiser goes where it is wrong in its favour.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
page.figure(
    trust.epoch_panels(load_claims("one_update")["curves"], usual=6),
    alt="Four panels over 30 epochs on one batch. Without the clip, approximate KL, share of rows beyond the clip and surrogate "
    "all rise and keep rising, and the return falls. With the clip, all of them level off within a few epochs.",
    caption="Thirty batches, each from update 10 of its own run. Lines are interquartile means, bands 95 % intervals; the dotted "
    "line marks the six epochs that the package uses. Dashed: no clip.",
)

# %% [markdown]
# The dashed policies climb the surrogate (2), the solid ones its clipped version of section 3. The panels show
# the same four quantities for both, the surrogate (2) among them. After four epochs {{no difference |
# one_update:no_clip/return_4 ~ one_update:clip/return_4}} in the return between the two is seen, and {{none |
# one_update:clip/return_6 ~ one_update:clip/return_0}} between the clipped policy after six epochs and the one before the
# update. Then the two part. After 30 epochs without a clip the KL divergence is {{one_update:no_clip/kl_30.value}} thousandths
# of a nat, and with it {{one_update:clip/kl_30.value}}. The surrogate (2) promises {{more | one_update:no_clip/surrogate_30 >
# one_update:clip/surrogate_30}} without a clip, and the return is {{lower | one_update:no_clip/return_30 <
# one_update:clip/return_30}}. With the clip, 30 epochs on this one batch give a return in which {{no difference |
# one_update:clip/return_30 ~ one_update:clip/return_6}} from six epochs is seen. (Over a whole training, twenty epochs need
# {{fewer steps | ppo:many_epochs/steps_to_475 < ppo:cartpole/steps_to_475}} than six: section 6.1.)

# %% [markdown]
# ## 3. The clip
#
# One answer is a **trust region**: climb the surrogate only where the mean KL divergence between old and new policy is small,
# say at most 0.01. TRPO does that (unit 08), with second derivatives and a line search. PPO does not forbid going far. It takes
# away, row by row, the *reason* to go further:
#
# $$
# L^{\text{clip}}(\theta) = \frac1B \sum_i \min\Big( \rho_i \hat A_i,\; \text{clip}(\rho_i,\, 1-\epsilon,\, 1+\epsilon)\, \hat A_i \Big). \tag{3}
# $$

# %%
page.source(
    losses.ppo_clip_loss, folded="the loss in the package; open it after you have written your own (exercise 2)"
)

# %% [markdown]
# ### 3.1 Four cases
#
# Take one row. Where the minimum picks $\rho A$, the row's gradient is $A\, \nabla_\theta \rho = A\, \rho\, \nabla_\theta \log
# \pi_\theta$. Where it picks the clipped term with $\rho$ outside the interval, that term is a constant, and the gradient is 0.
# Which one is smaller? {{# mathematics}}
#
# | | $\rho < 1 - \epsilon$ | inside | $\rho > 1 + \epsilon$ |
# |---|---|---|---|
# | $A > 0$: a good action | it has become *less* likely. $\rho A < (1-\epsilon)A$: the gradient flows, and makes it likelier again | gradient flows | likelier already, by enough. $(1+\epsilon)A < \rho A$: **gradient 0** |
# | $A < 0$: a bad action | rarer already, by enough. $(1-\epsilon)A < \rho A$: **gradient 0** | gradient flows | it has become *more* likely. $\rho A < (1+\epsilon)A$: the gradient flows, and makes it rarer again | {{# mathematics}}
#
# In the two bold cells the row has been followed far enough and stops pulling. In the two other corners the update went the
# *wrong* way on this row, because other rows pulled harder, and the full gradient leads it back.
#
# Move a row through all cases: one ratio, once for a good and once for a bad action. Where is the corner in which the row has gone
# the wrong way, and is led back?

# %% jupyter={"source_hidden": true}
CLIP.show()

# %% [markdown]
# And a real batch: the 1,024 rows of section 2.3, after six epochs of the package's update.

# %%
networks = copy.deepcopy(moment[:4])  # policy, critic and the two optimisers
with seeded(101):
    metrics = ppo.update(*networks, batch, config)
with torch.no_grad():
    new_log_prob = networks[0](batch.obs).log_prob(batch.actions)  # [B]
ratio = (new_log_prob - batch.log_prob).exp()  # [B]
print(f"ratios from {ratio.min():.2f} to {ratio.max():.2f}, mean {ratio.mean():.3f}")

# %% jupyter={"source_hidden": true}
page.figure(
    clip.clip_cases(ratio, returns.normalize(batch.advantages), clip_coef=config.clip_coef),
    alt="Four panels, one for each sign of the advantage and side of the ratio, with the batch's rows as points on the "
    "objective. Points on the two flat stretches are blue squares, all others red circles.",
    caption="A point is a row of the batch, its size grows with |A|. All blue squares lie in two of the four panels. Note the "
    "ratios: the clip did not keep them inside 0.8 to 1.2.",
)

# %% [markdown]
# **What the clip does not do.** It does not bound the ratio. A row beyond the interval has no gradient *of its own*, but all
# rows share one network. The other rows go on moving the weights, Adam goes on in the direction of its running average, and the
# row is carried along. So you should measure how far the policy went (section 4).

# %% [markdown]
# ### 3.2 Without the minimum · further
#
# Leave out the minimum, and keep the clipped term alone. Then *every* row outside the interval has gradient 0, the two corners
# that should lead back included. Ten seeds, 100,000 steps each:
#
# | objective | seeds that reach 475 | steps until then | late return | peak KL of an update [0.001 nat] |
# |---|---|---|---|---|
# | $\min(\rho A, \text{clip}(\rho) A)$: PPO | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/late}} | {{ppo:cartpole/largest_kl}} |
# | $\text{clip}(\rho) A$, no minimum | {{ppo:no_min/steps_to_475/count}} of {{ppo:no_min/steps_to_475/count.n}} | {{ppo:no_min/steps_to_475}} | {{ppo:no_min/late}} | {{ppo:no_min/largest_kl}} |
# | $\rho A$, no clip | {{ppo:no_clip/steps_to_475/count}} of {{ppo:no_clip/steps_to_475/count.n}} | {{ppo:no_clip/steps_to_475}} | {{ppo:no_clip/late}} | {{ppo:no_clip/largest_kl}} |
#
# "Reach 475" and "late return" are explained in section 6.
#
# Without the minimum {{no difference | ppo:no_min/steps_to_475 ~ ppo:cartpole/steps_to_475, ppo:no_min/late ~
# ppo:cartpole/late, ppo:no_min/steps_to_475/count ~ ppo:cartpole/steps_to_475/count}} in steps, late return or seeds that
# arrive is seen here. The updates go {{further | ppo:no_min/largest_kl > ppo:cartpole/largest_kl}}: rows that were carried the
# wrong way are not led back. The minimum is free, so keep it; but these runs do not show that PPO fails without it.
#
# Without any clip, with the same six epochs, the largest update goes {{more than ten times as far | ppo:no_clip/largest_kl > 10
# * ppo:cartpole/largest_kl}} as PPO's. {{Fewer | ppo:no_clip/steps_to_475/count < ppo:cartpole/steps_to_475/count}} seeds
# arrive within 100,000 steps, and in the late return {{no difference | ppo:no_clip/late ~ ppo:cartpole/late}} is seen.

# %% [markdown]
# ## 4. How far did it go? The approximate KL
#
# ### 4.1 Two estimators, derived
#
# The usual measure is the Kullback-Leibler (KL) divergence of the new policy from the one that acted:
#
# $$
# \text{KL}(\pi_{\text{old}} \,\|\, \pi) = \sum_a \pi_{\text{old}}(a \mid s) \log \frac{\pi_{\text{old}}(a \mid s)}{\pi(a \mid s)}
# = \mathbb{E}_{a \sim \pi_{\text{old}}}\big[ -\log \rho \big].
# $$
#
# It is in nats, never negative, and zero only where the two agree. The last form is an expectation over the batch's own
# actions, so its mean over rows is an estimate: **k1** $= -\log \rho$. It is right on average, but a row with $\rho > 1$ gives
# a *negative* number, and the mean of a batch can be negative too.
#
# Improve it as [lesson 02](02_baselines.ipynb) improved a gradient: add something whose mean you know to be 0. The ratio's mean
# is 1, because $\sum_a \pi_{\text{old}}(a) \frac{\pi(a)}{\pi_{\text{old}}(a)} = \sum_a \pi(a) = 1$. So $\rho - 1$ has mean 0,
# and adding it changes nothing on average: {{# advice}}
#
# $$
# \text{k3} = (\rho - 1) - \log \rho, \qquad \mathbb{E}_{a \sim \pi_{\text{old}}}[\text{k3}] = \text{KL}(\pi_{\text{old}} \,\|\, \pi).
# $$
#
# Two gains. First, $\log \rho \le \rho - 1$ for every $\rho > 0$, so **k3 is never negative**, row by row. Second, near $\rho =
# 1$ it varies less. Write $\ell = \log \rho$ and expand: $\text{k1} = -\ell$, while $\text{k3} = e^\ell - 1 - \ell = \tfrac12
# \ell^2 + \dots$ Near $\rho = 1$ a row of k1 is of size $|\ell|$ with either sign, a row of k3 of size $\ell^2 / 2$. The names
# are Schulman's (2020). {{# mathematics}}
#
# Test it on the update of section 3.1: `policy` is the policy before it, `networks[0]` the one after it. With two actions the
# exact divergence of each row is a sum of two terms:

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

# %% jupyter={"source_hidden": true}
page.figure(
    trust.kl_estimators(log_ratio, exact=exact, batch_size=64),
    alt="Left: each row's k1 falls on a straight line through zero, each row's k3 on a parabola above zero. Right: histograms of "
    "means over 64 rows; k1 is broad and reaches below zero, k3 is narrow and near the exact divergence.",
    caption="Left: rows. Right: means over 64 of them, drawn again and again. Each estimator gathers around its own mean over "
    "the whole batch; k1 can come out below zero.",
)

# %% [markdown]
# "Right on average" holds for a policy that was not fitted to these rows. This one was, so here both are only close.
#
# The package's `diagnostics.approx_kl` is k3. `losses/approx_kl` in a run's metrics is its mean over *all* gradient steps of
# the update. In the first of them $\rho = 1$, so that mean is usually below the divergence at the update's end.
# {{# mathematics}}
#
# How large is 0.01 nats? A policy over two actions that was undecided moves from 0.50 to 0.57.

# %% [markdown]
# ### 4.2 Stop early · further
#
# If you can measure the distance, you can stop when it is too large. With `target_kl` set, the package computes k3 over the
# whole batch after every epoch, and skips the remaining epochs if it exceeds the target. A common value is 0.015. How often
# does that act? A bar is an update, its height is the number of epochs it was given. {{# design}}

# %%
run = ppo.train(replace(ppo.CARTPOLE, seed=7, total_timesteps=40 * 1024, target_kl=0.015))
epochs, stopped = run.metrics["charts/epochs"], run.metrics["charts/early_stop"] > 0  # one entry an update
print(f"stopped early: {stopped.sum()} of {len(stopped)} updates; epochs on average {epochs.mean():.2f}")

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, ax = plots.new_figure(height=3.2)
updates = np.arange(1, len(epochs) + 1)
ax.bar(updates[~stopped], epochs[~stopped], color="pg:grey", label="all epochs")
ax.bar(updates[stopped], epochs[stopped], color=plots.COLOURS["ppo"], hatch="//", label="stopped early")
ax.set(xlabel="update", ylabel="epochs", ylim=(0, 7.5))
ax.legend(loc="upper right", ncols=2)
page.figure(
    figure,
    alt="Epochs of each of the first 40 updates as bars; the updates that were stopped early are hatched and shorter.",
    caption="One run, its first 40 updates. An early stop skips the rest of this batch's epochs, and nothing else.",
)

# %% [markdown]
# Your 40 updates are the beginning of a run. Over 100,000 steps and ten seeds, a share of
# {{ppo:target_kl/early_stop}} of the updates is stopped early. The largest KL of a run is {{ppo:target_kl/largest_kl}}
# thousandths of a nat, {{lower | ppo:target_kl/largest_kl < ppo:cartpole/largest_kl}} than the {{ppo:cartpole/largest_kl}}
# without the target. (That is a mean over the update's gradient steps, of which the first has 0; the target is held against k3
# after an epoch.) {{No difference | ppo:target_kl/steps_to_475 ~ ppo:cartpole/steps_to_475, ppo:target_kl/late ~
# ppo:cartpole/late}} in the steps to a mean return of 475 or in the late return is seen.

# %% [markdown]
# ## 5. The whole algorithm, in five blocks
#
# You write this update in exercise 6. The package's code is folded below.
#
# 1. **Before the epochs.** `batch` comes from `num_steps` steps of `num_envs` environments: 32 × 32 = 1,024 rows, with GAE's
#    advantages. `batch.log_prob` is $\log \pi_{\text{old}}$, stored while acting. It stays fixed for the whole update.
# 2. **Epochs and minibatches.** Each epoch is a fresh random partition of the rows. A minibatch takes the *same* rows of every
#    column. With 512 rows to a minibatch an update makes 6 × 2 = 12 gradient steps, where A2C makes one.
# 3. **One gradient step.** Normalise the minibatch's advantages. Distribution, log-probability, entropy; the clipped loss (3)
#    minus the entropy bonus; the critic's squared error, whose targets are the same in every epoch. Two optimisers, each with
#    its own norm, clipped by `torch.nn.utils.clip_grad_norm_` between `backward` and `step`.
# 4. **After each epoch**, if `target_kl` is set: k3 over the whole batch, and no further epoch if it exceeds the target.
# 5. **Metrics**, each a mean over the update's gradient steps: approximate KL, clip fraction (the share of rows with $|\rho - 1|
#    > \epsilon$), entropy, gradient norms. Explained variance is computed once, from the critic before the update. {{# design}}
#
# Around it, `ppo.train` is `a2c.train` of unit 03: collect, GAE, update, record. Then the batch is thrown away: PPO is
# on-policy.

# %%
page.source(ppo.update, folded="the update in the package; open it after you have written your own (exercise 6)")

# %% [markdown]
# ## 6. What carries the method, measured
#
# Each row changes one thing against the first (the row with 20 epochs and no clip changes two). Ten seeds, compared within
# 100,000 steps.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "04-epochs",
    "PPO on CartPole uses each batch for six epochs, with a clip. Which change leaves fewest of ten seeds at 475 within "
    "100,000 steps?",
    ["1 epoch in place of 6", "20 epochs in place of 6", "no clip, 6 epochs", "clip at 0.5, 6 epochs"],
    answer=0,
    explanation="Seeds that arrive: {{ppo:one_epoch/steps_to_475/count}} with one epoch, {{ppo:many_epochs/steps_to_475/count}} with "
    "twenty, {{ppo:no_clip/steps_to_475/count}} without a clip, {{ppo:wide_clip/steps_to_475/count}} with a clip at 0.5.",
)

# %% [markdown]
# | change | seeds that reach 475 | steps until then | late return | mean KL [0.001 nat] | clip fraction |
# |---|---|---|---|---|---|
# | PPO as it is | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/late}} | {{ppo:cartpole/kl}} | {{ppo:cartpole/clipfrac}} |
# | 1 epoch instead of 6 | {{ppo:one_epoch/steps_to_475/count}} of {{ppo:one_epoch/steps_to_475/count.n}} | {{ppo:one_epoch/steps_to_475}} | {{ppo:one_epoch/late}} | {{ppo:one_epoch/kl}} | {{ppo:one_epoch/clipfrac}} |
# | 20 epochs | {{ppo:many_epochs/steps_to_475/count}} of {{ppo:many_epochs/steps_to_475/count.n}} | {{ppo:many_epochs/steps_to_475}} | {{ppo:many_epochs/late}} | {{ppo:many_epochs/kl}} | {{ppo:many_epochs/clipfrac}} |
# | 20 epochs, no clip | {{ppo:no_clip_many_epochs/steps_to_475/count}} of {{ppo:no_clip_many_epochs/steps_to_475/count.n}} | {{ppo:no_clip_many_epochs/steps_to_475}} | {{ppo:no_clip_many_epochs/late}} | {{ppo:no_clip_many_epochs/kl}} | {{ppo:no_clip_many_epochs/clipfrac}} |
# | no clip | {{ppo:no_clip/steps_to_475/count}} of {{ppo:no_clip/steps_to_475/count.n}} | {{ppo:no_clip/steps_to_475}} | {{ppo:no_clip/late}} | {{ppo:no_clip/kl}} | {{ppo:no_clip/clipfrac}} |
# | clip at 0.5 | {{ppo:wide_clip/steps_to_475/count}} of {{ppo:wide_clip/steps_to_475/count.n}} | {{ppo:wide_clip/steps_to_475}} | {{ppo:wide_clip/late}} | {{ppo:wide_clip/kl}} | {{ppo:wide_clip/clipfrac}} |
#
# "Reach 475" means a mean of 100 episodes in a row of at least 475. "Late return" is the mean over the episodes that end
# between steps 80,000 and 100,000. *Never* in a place means that too many seeds never got there for the number to exist.
# {{# design}}

# %% jupyter={"source_hidden": true}
PANELS = {
    "one_epoch": "1 epoch",
    "many_epochs": "20 epochs",
    "no_clip": "no clip",
    "no_clip_many_epochs": "20 epochs, no clip",
}
figure, axes = plots.new_figure(rows=2, columns=2, width=9.5, height=5.2, sharex=True, sharey=True)
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
    alt="Four panels, each with the curve of one changed version, dashed, on the curve of PPO.",
    caption="Solid: PPO as it is, the same in every panel. Dashed: with one change. Moving average of 100 episodes, ten seeds, "
    "95 % bands.",
)

# %% [markdown]
# ### 6.1 Epochs and clip: they belong together
#
# With **one epoch** {{ppo:one_epoch/steps_to_475/count}} seeds arrive within 100,000 steps, and the clip fraction is
# {{ppo:one_epoch/clipfrac.value}}: two gradient steps move no row far enough. With **six** {{more seeds |
# ppo:cartpole/steps_to_475/count > ppo:one_epoch/steps_to_475/count}} arrive, and **twenty** need {{fewer steps |
# ppo:many_epochs/steps_to_475 < ppo:cartpole/steps_to_475}}. At this learning rate, PPO needs few environment steps because it
# uses each batch again. Twenty epochs are more than three times the gradient steps, though; where environment steps are cheap,
# that need not pay. {{# design}}
#
# Without the **clip**, six epochs bring {{fewer seeds | ppo:no_clip/steps_to_475/count < ppo:cartpole/steps_to_475/count}} to
# 475 in time. With twenty epochs {{fewer | ppo:no_clip_many_epochs/steps_to_475/count < ppo:many_epochs/steps_to_475/count}}
# arrive without it than with it, the late return is {{lower | ppo:no_clip_many_epochs/late < ppo:many_epochs/late}}, and the
# mean KL of an update is {{more than a hundred times | ppo:no_clip_many_epochs/kl > 100 * ppo:many_epochs/kl}} as large.
#
# A **clip at 0.5** is sometimes said to be faster. Here its updates go {{further | ppo:wide_clip/kl > ppo:cartpole/kl}}, and it needs {{more steps | ppo:wide_clip/steps_to_475 > ppo:cartpole/steps_to_475}}. {{# saying}}

# %% [markdown]
# ### 6.2 The small print: what else changes little or much · further
#
# | change | seeds that reach 475 | steps until then | late return | mean KL [0.001 nat] | clip fraction |
# |---|---|---|---|---|---|
# | PPO as it is | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/late}} | {{ppo:cartpole/kl}} | {{ppo:cartpole/clipfrac}} |
# | advantages normalised over the batch | {{ppo:normalize_batch/steps_to_475/count}} of {{ppo:normalize_batch/steps_to_475/count.n}} | {{ppo:normalize_batch/steps_to_475}} | {{ppo:normalize_batch/late}} | {{ppo:normalize_batch/kl}} | {{ppo:normalize_batch/clipfrac}} |
# | advantages as they are | {{ppo:normalize_never/steps_to_475/count}} of {{ppo:normalize_never/steps_to_475/count.n}} | {{ppo:normalize_never/steps_to_475}} | {{ppo:normalize_never/late}} | {{ppo:normalize_never/kl}} | {{ppo:normalize_never/clipfrac}} |
# | early stop at KL 0.015 | {{ppo:target_kl/steps_to_475/count}} of {{ppo:target_kl/steps_to_475/count.n}} | {{ppo:target_kl/steps_to_475}} | {{ppo:target_kl/late}} | {{ppo:target_kl/kl}} | {{ppo:target_kl/clipfrac}} |
# | learning rates fall to 0 | {{ppo:anneal_lr/steps_to_475/count}} of {{ppo:anneal_lr/steps_to_475/count.n}} | {{ppo:anneal_lr/steps_to_475}} | {{ppo:anneal_lr/late}} | {{ppo:anneal_lr/kl}} | {{ppo:anneal_lr/clipfrac}} |
# | torch's own initial weights | {{ppo:default_init/steps_to_475/count}} of {{ppo:default_init/steps_to_475/count.n}} | {{ppo:default_init/steps_to_475}} | {{ppo:default_init/late}} | {{ppo:default_init/kl}} | {{ppo:default_init/clipfrac}} |
# | policy's last layer 100 times the size | {{ppo:large_last_layer/steps_to_475/count}} of {{ppo:large_last_layer/steps_to_475/count.n}} | {{ppo:large_last_layer/steps_to_475}} | {{ppo:large_last_layer/late}} | {{ppo:large_last_layer/kl}} | {{ppo:large_last_layer/clipfrac}} |
# | Adam's eps 1e-8 instead of 1e-5 | {{ppo:adam_eps_1e_8/steps_to_475/count}} of {{ppo:adam_eps_1e_8/steps_to_475/count.n}} | {{ppo:adam_eps_1e_8/steps_to_475}} | {{ppo:adam_eps_1e_8/late}} | {{ppo:adam_eps_1e_8/kl}} | {{ppo:adam_eps_1e_8/clipfrac}} |
#
# **Normalising the advantages**: in each minibatch (Huang et al. 2022 list it as a detail of the original code), over the whole
# batch, or not at all. {{No difference | ppo:normalize_batch/steps_to_475 ~ ppo:cartpole/steps_to_475,
# ppo:normalize_never/steps_to_475 ~ ppo:cartpole/steps_to_475, ppo:normalize_never/steps_to_475 ~
# ppo:normalize_batch/steps_to_475, ppo:normalize_batch/late ~ ppo:cartpole/late, ppo:normalize_never/late ~ ppo:cartpole/late}}
# between the three is seen in steps or late return. A likely reason: Adam divides by the size of the gradient, so most of the
# advantages' scale cancels. The updates go {{less far | ppo:normalize_never/kl < ppo:cartpole/kl}} without normalising. With an
# entropy bonus the scale of the advantages decides how much the bonus weighs, so this may come out otherwise there.
# {{# hypothesis}}

# %% [markdown]
# ### 6.3 A falling learning rate · further
#
# `anneal_lr` lets both rates fall to 0 over the budget. Here it arrives {{later | ppo:anneal_lr/steps_to_475 >
# ppo:cartpole/steps_to_475}} ({{ppo:anneal_lr/steps_to_475}} steps), and {{no difference | ppo:anneal_lr/late ~
# ppo:cartpole/late}} in the late return is seen. A likely reason: the steps are already shorter when there is still a way to
# go. It also ties the run to a budget that you have to know beforehand. {{# hypothesis}}

# %% [markdown]
# ### 6.4 Initial weights, and Adam's eps · further
#
# The package starts with **orthogonal** weight matrices, zero biases and a **last layer of a hundredth of the usual size**, so
# that the first policy is nearly uniform, whatever the observation. Torch's own initial weights and a last layer of the usual
# size both need {{more steps | ppo:default_init/steps_to_475 > ppo:cartpole/steps_to_475, ppo:large_last_layer/steps_to_475 >
# ppo:cartpole/steps_to_475}}. In the late return {{no difference | ppo:default_init/late ~ ppo:cartpole/late,
# ppo:large_last_layer/late ~ ppo:cartpole/late}} is seen. A likely reason: a first update that goes further (unit 07, section
# 5.3, which also has dropout).
#
# **Adam's eps** of 1e-5 is a habit of the original code; torch has 1e-8. {{No difference | ppo:adam_eps_1e_8/steps_to_475 ~
# ppo:cartpole/steps_to_475, ppo:adam_eps_1e_8/late ~ ppo:cartpole/late}} is seen.
#
# Andrychowicz et al. (2021) find the small last layer among the choices that matter most in continuous control, and Engstrom et
# al. (2020) trace much of PPO's lead over TRPO to such details. So none of these rows says what happens on a larger task.
# {{# cited}}

# %% [markdown]
# ### 6.5 The clip and the size of the network · further
#
# How much the clip matters depends on the network too. The same comparison at six epochs, over 200,000 steps:
#
# | hidden layers | clip | seeds that ever reach 475 | seeds that end above 475 | last 100 episodes | mean KL in the first half [0.001 nat] |
# |---|---|---|---|---|---|
# | 32, 32 | 0.2 | {{ppo:cartpole/steps_to_475_of_200k/count}} of {{ppo:cartpole/steps_to_475_of_200k/count.n}} | {{ppo:cartpole/ends_above_475/count}} | {{ppo:cartpole/last_100}} | {{ppo:cartpole/kl}} |
# | 32, 32 | none | {{ppo:no_clip/steps_to_475_of_200k/count}} of {{ppo:no_clip/steps_to_475_of_200k/count.n}} | {{ppo:no_clip/ends_above_475/count}} | {{ppo:no_clip/last_100}} | {{ppo:no_clip/kl}} |
# | 64, 64 | 0.2 | {{ppo:wide_network/steps_to_475_of_200k/count}} of {{ppo:wide_network/steps_to_475_of_200k/count.n}} | {{ppo:wide_network/ends_above_475/count}} | {{ppo:wide_network/last_100}} | {{ppo:wide_network/kl}} |
# | 64, 64 | none | {{ppo:no_clip_wide_network/steps_to_475_of_200k/count}} of {{ppo:no_clip_wide_network/steps_to_475_of_200k/count.n}} | {{ppo:no_clip_wide_network/ends_above_475/count}} | {{ppo:no_clip_wide_network/last_100}} | {{ppo:no_clip_wide_network/kl}} |
#
# The wide network moves {{further | ppo:wide_network/kl > ppo:cartpole/kl, ppo:no_clip_wide_network/kl > ppo:no_clip/kl}} in an
# update at the same settings, with a clip and without. (Adam moves every weight by about the learning rate, and a wider
# network's outputs add up more weights.) With a clip all its seeds end above 475. Without it {{fewer |
# ppo:no_clip_wide_network/ends_above_475/count < ppo:wide_network/ends_above_475/count}} do, also {{fewer |
# ppo:no_clip_wide_network/ends_above_475/count < ppo:no_clip/ends_above_475/count}} than in the narrow network without a clip.
# So without a clip, a learning rate that is right for one network need not be right for another. {{# mathematics}}

# %% [markdown]
# ## 7. Watch it learn · further

# %%
result, policies = stages.train_with_stages(
    ppo.train, replace(ppo.CARTPOLE, seed=7, total_timesteps=80 * 1024), at=(0, 20_000), by="env_step"
)

# %% jupyter={"source_hidden": true}
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

# %% [markdown]
# ### 7.1 The agent, and the settings with buttons

# %% jupyter={"source_hidden": true}
# {{# description}}
watch(
    policies,
    "CartPole-v1",
    seed=1,
    caption="The same held-out start states for all, at true speed. Push them and see who recovers.",
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
# Keep the 20 epochs of section 6.1 and **change one thing**: `clip_coef=None`. Three seeds, beside the measured band of the
# version with the clip. Then write down *in your own words*, before you unfold the answer: what differs, from when on, and
# which of the two panels shows it first?

# %%
changed = replace(ppo.CARTPOLE, update_epochs=20, clip_coef=None, total_timesteps=50 * 1024)  # change me
runs = run_seeds({"no clip": changed}, seeds=range(3), progress=False)["no clip"]

# %% jupyter={"source_hidden": true}
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
# The right panel shows it first. From the first updates on, an update without the clip goes further, and the gap widens. The
# return follows. While the policy is poor, most directions lead up, and the curves keep pace with the band. Then there is
# something to lose: an update that overshoots throws the policy back, the next batch comes from there, and it climbs again.
# {{# description}}
#
# Three seeds could be bad luck. Ten seeds over 100,000 steps: with the clip {{ppo:many_epochs/steps_to_475/count}} of
# {{ppo:many_epochs/steps_to_475/count.n}} reach 475, without it {{fewer | ppo:no_clip_many_epochs/steps_to_475/count <
# ppo:many_epochs/steps_to_475/count}}, {{ppo:no_clip_many_epochs/steps_to_475/count}}; the late return is
# {{ppo:many_epochs/late}} against the {{lower | ppo:no_clip_many_epochs/late < ppo:many_epochs/late}}
# {{ppo:no_clip_many_epochs/late}}. The clip is not what makes PPO learn. It lets PPO use a batch twenty times and keep what it
# has learned.
#
# </details>

# %% [markdown]
# ## 9. A patient
#
# Someone's PPO does not learn, and nothing raises an error. The settings are those of `ppo.CARTPOLE`, `clip_coef=0.2` included.
# Here are its panels over ten seeds, beside the healthy version. Symptom first: what do you see, and which line could do this?

# %% jupyter={"source_hidden": true}
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
    alt="Three panels for patient and healthy version: the patient's return stays low, its approximate KL is "
    "{{more than ten times | ppo:patient/kl > 10 * ppo:cartpole/kl}} the healthy one, and its clip fraction is "
    "{{more than four times | ppo:patient/clipfrac > 4 * ppo:cartpole/clipfrac}} the healthy one.",
    caption="The middle panel is logarithmic. The clip is on, and yet look at the right panel.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "04-patient",
    "Which of these explains all three panels?",
    [
        "The learning rate is a hundred times too small for this task",
        "The rows of the advantages are shuffled differently from the rows of the observations",
        "The loss takes the maximum of the two terms in place of the minimum",
        "The loss leaves the clipped term out, so that no row ever has gradient 0",
    ],
    answer=2,
    reasons=[
        "Then the policy would hardly move: KL and clip fraction would be near 0, not far above the healthy ones.",
        "Then the gradient would be noise without a direction. Measured: KL {{mistakes:shuffled_apart/kl}} thousandths of a nat, "
        "clip fraction {{mistakes:shuffled_apart/clipfrac}}.",
        "Right. The maximum turns the four cases round: where a row has been followed far enough it goes on pulling, without "
        "limit, and where the update went the wrong way the gradient is 0, and nothing leads back.",
        "A good second guess, since the policy goes too far here too. But that is the row *no clip* of section 6: late return "
        "{{ppo:no_clip/late}}, {{higher | ppo:no_clip/late > ppo:patient/late}} than the patient's {{ppo:patient/late}}.",
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
# Many implementations minimise `max(-A ratio, -A clip(ratio))`, which is right: the sign has been moved inside. Someone moves
# it out again and forgets the other half. The cure is `minimum` in front of a minus sign, or `maximum` of two negated terms,
# and a test of the four corners, such as the one in section 9.1. The clip fraction tells you that something is wrong, and not
# what: it counts rows that are outside, whichever way the loss treats them.
#
# </details>

# %% [markdown]
# ### 9.1 A test of the four corners · further


# %%
def corner_gradients(combine):
    """Gradient of the objective in log ρ, per unit of |A|, at the four corners."""
    log_ratio = torch.tensor([0.5, 1.5, 0.5, 1.5]).log().requires_grad_()  # [4]
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    ratio = log_ratio.exp()
    objective = combine(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    (gradient,) = torch.autograd.grad(objective.sum(), log_ratio)
    return [round(number, 2) + 0.0 for number in gradient.tolist()]


print("                      A>0, ρ=0.5   A>0, ρ=1.5   A<0, ρ=0.5   A<0, ρ=1.5")
for name, combine in (("minimum, as in PPO", torch.minimum), ("maximum, the patient", torch.maximum)):
    print(f"{name:20}" + "".join(f"{number:+13.1f}" for number in corner_gradients(combine)))

# %% [markdown]
# ## 10. The hyper-parameters · further
#
# Ranges that people use, and what each number does. Start from a preset that was measured on something similar, and change one
# at a time. {{# advice}}
#
# | setting | usual range | here | what it does; too low, too high |
# |---|---|---|---|
# | `clip_coef` | 0.1 to 0.3 | 0.2 | how far a row may pull. High: towards no clip at all |
# | `update_epochs` | 3 to 10 | 6 | how often each batch is used. Low: data used once. High: the policy leaves the batch behind |
# | `num_steps` | 32 to 2,048 steps of each environment | 32 | with `num_envs` (32 here), the rows of an update. Few: noisy gradients. Many: few updates for the same data |
# | `minibatch_size` | 32 to 512 | 512 | rows to a gradient step. Small: many noisy steps. Large: few steps (unit 07, section 5.4) |
# | `gae_lambda` | 0.9 to 0.99 | 0.95 | bias against variance of the advantages (unit 03). Low: trusts the critic. High: trusts the returns |
# | `gamma` | 0.9 to 0.999 | 0.99 | how far ahead rewards count: about $1/(1-\gamma)$ steps |
# | `ent_coef` | 0 to 0.05 | 0 | pay for staying undecided |
# | `policy_lr` | 1e-4 to 3e-3 | 1.5e-3 | size of a gradient step. High: KL and clip fraction climb |
# | `critic_lr` | 1e-4 to 1e-2 | 1e-2 | the same for the critic. Low: the advantages stay poor |
# | `max_grad_norm` | 0.5 to 1 | 0.5 | bounds an unusually large gradient, for each network by itself |
# | `target_kl` | none, or 0.01 to 0.05 | none | stops an update's epochs early (section 4.2) |
# | `anneal_lr` | on or off | off | both learning rates fall to 0 over the budget |
#
# When you change one, watch KL and clip fraction: they say whether an update still goes about as far as before. For our healthy
# runs that is {{ppo:cartpole/kl}} thousandths of a nat and {{ppo:cartpole/clipfrac}} of the rows. You will read that KL should
# be 0.01 to 0.05 nats and the clip fraction 0.1 to 0.3. On CartPole, the means of healthy runs are {{below both |
# ppo:cartpole/kl < 10, ppo:cartpole/clipfrac < 0.1}}. {{# advice}}

# %% [markdown]
# ## 11. Common mistakes, and how they look · further
#
# The first five were put into `ppo.CARTPOLE`, ten seeds of 100,000 steps each (`claims/mistakes.json`). The row without a
# mistake repeats that of section 6, with the same seeds and a later version of the package; {{no difference |
# mistakes:cartpole/late ~ ppo:cartpole/late, mistakes:cartpole/kl ~ ppo:cartpole/kl, mistakes:cartpole/clipfrac ~
# ppo:cartpole/clipfrac}} between the two is seen.
#
# | mistake | late return | mean KL [0.001 nat] | clip fraction |
# |---|---|---|---|
# | none: PPO as it is | {{mistakes:cartpole/late}} | {{mistakes:cartpole/kl}} | {{mistakes:cartpole/clipfrac}} |
# | the ratio upside down, `(old_log_prob - log_prob).exp()` | {{mistakes:upside_down/late}} | {{mistakes:upside_down/kl}} | {{mistakes:upside_down/clipfrac}} |
# | the minus sign of the loss is missing | {{mistakes:wrong_sign/late}} | {{mistakes:wrong_sign/kl}} | {{mistakes:wrong_sign/clipfrac}} |
# | advantages taken from other rows | {{mistakes:shuffled_apart/late}} | {{mistakes:shuffled_apart/kl}} | {{mistakes:shuffled_apart/clipfrac}} |
# | log-probabilities of now taken for the old ones | {{mistakes:renewed/late}} | {{mistakes:renewed/kl}} | {{mistakes:renewed/clipfrac}} |
# | `exp` forgotten: `ratio = log_prob - old_log_prob` | {{mistakes:no_exp/late}} | {{mistakes:no_exp/kl}} | {{mistakes:no_exp/clipfrac}} |
#
# The ratio upside down and the missing minus sign make the policy learn backwards: the return is {{lower |
# mistakes:upside_down/late < mistakes:cartpole/late, mistakes:wrong_sign/late < mistakes:cartpole/late}} than without the
# mistake, and so is {{the entropy | mistakes:upside_down/entropy < mistakes:cartpole/entropy, mistakes:wrong_sign/entropy <
# mistakes:cartpole/entropy}}. With the advantages of other rows KL and clip fraction are {{lower | mistakes:shuffled_apart/kl <
# mistakes:cartpole/kl, mistakes:shuffled_apart/clipfrac < mistakes:cartpole/clipfrac}}, while the critic learns (explained
# variance {{mistakes:shuffled_apart/explained_variance}}). With the log-probabilities of now every ratio in the loss is 1, the
# policy loss is exactly 0, and the KL is {{more than ten times | mistakes:renewed/kl > 10 * mistakes:cartpole/kl}} the healthy
# one.
#
# A forgotten `exp` is the dangerous one: {{no difference | mistakes:no_exp/late ~ mistakes:cartpole/late}} in the late return
# is seen. A log-ratio near 0 is clipped to 0.8, so rows with $A < 0$ have no gradient at all, and only good actions are
# followed. The policy loss shows the mistake: it is {{mistakes:no_exp/policy_loss.value}} thousandths, {{higher |
# mistakes:no_exp/policy_loss > mistakes:cartpole/policy_loss}} than the {{mistakes:cartpole/policy_loss.value}} of healthy
# runs. {{# design}}
#
# The policy loss says nothing about the agent: it is close to zero in good runs and bad ones, so watch return, KL and clip
# fraction. And all mistakes of unit 03 are still possible: bootstrapping through resets, wrong `next_values`.

# %% [markdown]
# ## 12. Where PPO is used · further
#
# - **Robots.** Walking policies for four-legged machines are trained in thousands of simulated environments side by side, with
#   PPO and large rollouts (Rudin et al. 2022). A hand that turns a Rubik's cube was trained in the same way (Akkaya et al.
#   2019).
# - **Games.** OpenAI Five played Dota 2 against professionals with PPO and very large batches (Berner et al. 2019). For teams
#   of agents, PPO with a shared critic is a strong baseline (Yu et al. 2022).
# - **Language models.** Reinforcement learning from human feedback (Ouyang et al. 2022): a token is an action, a whole answer
#   is an episode, a learned model of preferences gives a reward at its end, and a KL penalty ties the model to where it
#   started. Newer methods, such as GRPO (Shao et al. 2024), drop the critic and keep the clipped ratio; the penalty is often
#   estimated with k3.
#
# In all of these data are plentiful, from simulators or from the model itself. Where each step on a real machine is precious,
# methods that reuse old data need fewer: on Pendulum SAC solves the task in {{fewer steps |
# off_policy:sac/steps_to_solved < off_policy:ppo/steps_to_solved}} than PPO, {{off_policy:sac/steps_to_solved}} against
# {{off_policy:ppo/steps_to_solved}}. Unit 05 ends with that map. {{# design}}

# %% [markdown]
# ### 12.1 A policy that sees · further
#
# Games are often played from the screen. Mnih et al. (2015) gave Atari's pixels to a value method, through a **convolutional
# network**. A convolution is a window of weights, here 3 × 3 pixels, that slides over the picture. The same weights look
# everywhere, and they combine neighbours. For PPO nothing changes but the two networks. {{# cited}}
#
# In **Catch** (Osband et al. 2020, here with 10 × 10 pixels) a ball falls from the top row to the bottom row, and the actions
# move a paddle to the left, not at all, or to the right. The only reward comes at the end: 1 for a caught ball, else -1.
# PPO has {{pixels:convolutions/steps_to_90.n}} seeds here, and 24,576 steps for each.

# %%
picture = (10, 10, 1)  # rows, columns, channels
policy = ConvolutionalPolicy(picture, num_actions=3, channels=(8, 16))
critic = ConvolutionalCritic(picture, channels=(8, 16))
# result = ppo.train(replace(ppo.CARTPOLE, env_id="Catch-v0"), policy=policy, critic=critic)
page.source(Convolutions, folded="the convolutions in the package")

# %% jupyter={"source_hidden": true}
# {{# description}}
envs = make_envs("Catch-v0", 1, seed=3, device="cpu")
obs, _ = envs.reset(seed=[3])
for _ in range(4):
    obs, *_ = envs.step(torch.tensor([1]))
order = torch.randperm(100, generator=torch.Generator().manual_seed(0))  # the one of the study
seen = {"what the policy sees": obs.view(10, 10), "the pixels shuffled": obs.flatten()[order].view(10, 10)}
figure, axes = plots.new_figure(columns=3, width=10.5, height=3.6, gridspec_kw={"width_ratios": [1, 1, 2.4]})
for ax, (title, pixels) in zip(axes, seen.items(), strict=False):
    ax.imshow(pixels, cmap="Greys", vmin=0, vmax=1.3)
    ax.set(title=title, xlabel="column", xticks=range(0, 10, 3), yticks=range(0, 10, 3))
    ax.grid(visible=False)
axes[0].set_ylabel("row")
NETWORKS = {
    "convolutions": ("convolutions", "ppo", "-"),
    "plain": ("plain layers", "reference", "--"),
    "shuffled": ("convolutions, pixels shuffled", "#000000", ":"),
}
caught = load_claims("pixels")["curves"]
for name, (label, colour, style) in NETWORKS.items():
    curve = {key: 50 * (np.array(caught[name][key]) + 1) for key in ("mean", "low", "high")}
    plots.claimed_band(axes[2], curve | {"x": caught[name]["x"]}, label=label, colour=colour, style=style)
axes[2].set(xlabel="environment steps", ylabel="balls caught [%]", ylim=(0, 102), xlim=(0, 25_000))
axes[2].set_xticks([0, 10_000, 20_000], ["0", "10,000", "20,000"])
axes[2].legend(loc="upper left")
page.figure(
    figure,
    alt="A picture of ten by ten pixels with a ball and a paddle, the same pixels shuffled, and three learning curves.",
    caption="Left: ball and paddle, and the same two pixels after one fixed shuffle. Right: ten seeds, 95 % bands, moving "
    "average of 100 balls. The two upper curves run together for a long time and part at the end.",
)

# %% [markdown]
# | network | weights of the policy | of the last 200 balls caught [%] | steps until 9 of 10 are caught | seeds that get there |
# |---|---|---|---|---|
# | convolutions | {{pixels:convolutions/weights.value}} | {{pixels:convolutions/late_caught}} | {{pixels:convolutions/steps_to_90}} | {{pixels:convolutions/steps_to_90/count}} |
# | plain layers of 64 | {{pixels:plain/weights.value}} | {{pixels:plain/late_caught}} | {{pixels:plain/steps_to_90}} | {{pixels:plain/steps_to_90/count}} |
# | convolutions, pixels shuffled | {{pixels:shuffled/weights.value}} | {{pixels:shuffled/late_caught}} | {{pixels:shuffled/steps_to_90}} | {{pixels:shuffled/steps_to_90/count}} |
#
# With about as many weights and the same settings, convolutions catch {{more balls | pixels:convolutions/late_caught >
# pixels:plain/late_caught}} than plain layers, and {{more seeds | pixels:convolutions/steps_to_90/count >
# pixels:plain/steps_to_90/count}} get to nine of ten. The third row says why. One fixed shuffle of the pixels takes no
# information away, and plain layers could not tell. The window of a convolution now combines pixels that are no neighbours, and
# the same network catches {{fewer | pixels:shuffled/late_caught < pixels:convolutions/late_caught}}, also {{fewer than plain layers
# | pixels:shuffled/late_caught < pixels:plain/late_caught}}. What pays is what convolutions assume about pictures. {{# wording}}
#
# Using a weight at many places has its price: a picture takes about 21,600 multiplications here, twice the 10,700 of the plain
# layers. On larger pictures the weights differ much: for the 84 × 84 pixels of Mnih et al., a plain first layer of 64
# would have 451,584 weights, and a 3 × 3 convolution with 8 channels has 80. {{# mathematics}}

# %% [markdown]
# ### 12.2 Actions that are not allowed · further
#
# Often most actions are impossible in a state: squares that are taken, cards that are not in the hand. An **action mask** gives
# them the logit $-10^8$. Their probability is then exactly 0, the allowed actions share all of it, and no gradient reaches a
# masked logit (Huang and Ontañón 2022). The package does it where observations are a Dict with the key `"action_mask"`.
# {{# cited}}

# %%
page.source(MaskedPolicy.forward)

# %% [markdown]
# The task here: a token on 4 × 5 squares. An action names the square to go to, one of 20, and only the two to four neighbours
# are allowed. A step costs 1 until a corner is reached, for 50 steps at most. All networks see the mask; PPO, 10,240 steps, ten
# seeds. {{# design}}

# %% jupyter={"source_hidden": true}
# {{# description}}
MASKS = {
    "mask/steps": "mask",
    "acting_only/steps": "mask in acting only",
    "nothing/steps": "no mask",
    "penalty/steps": "no mask, a fine",
    "learning_only/steps": "mask in learning only",
}
STYLES = ["-", "--", "-", "-.", ":"]
COLOURS = ["ppo", "#000000", "reference", "a2c", "ppo_buggy"]
figure, ax = plots.new_figure()
steps = load_claims("masks")["curves"]
for (name, label), colour, style in zip(MASKS.items(), COLOURS, STYLES, strict=True):
    plots.claimed_band(ax, steps[name], label=label, colour=colour, style=style)
ax.set(xlabel="environment steps", ylabel="steps of an episode", ylim=(0, 52), xlim=(0, 10_500))
ax.set_xticks([0, 5_000, 10_000], ["0", "5,000", "10,000"])
ax.legend(loc="upper right")
page.figure(
    figure,
    alt="Five curves of the length of an episode; those of the mask and of the mask in acting only fall to about four steps.",
    caption="Ten seeds, 95 % bands, moving average of 50 episodes. Low is good. The rise at the left has a plain reason: the "
    "first episodes to end are short ones.",
)

# %% [markdown]
# | mask | steps of the last 100 episodes | KL of an update [nats] | first batch, before any step: KL | and mean ratio |
# |---|---|---|---|---|
# | in acting and learning | {{masks:mask/late_steps}} | {{masks:mask/kl}} | {{masks:mask/first_kl.value}} | {{masks:mask/first_ratio.value}} |
# | none: nothing happens | {{masks:nothing/late_steps}} | {{masks:nothing/kl}} | {{masks:nothing/first_kl.value}} | {{masks:nothing/first_ratio.value}} |
# | none: a fine of 1 | {{masks:penalty/late_steps}} | {{masks:penalty/kl}} | {{masks:penalty/first_kl.value}} | {{masks:penalty/first_ratio.value}} |
# | in acting only | {{masks:acting_only/late_steps}} | {{masks:acting_only/kl}} | {{masks:acting_only/first_kl}} | {{masks:acting_only/first_ratio}} |
# | in learning only | {{masks:learning_only/late_steps}} | {{masks:learning_only/kl}} | {{masks:learning_only/first_kl}} | {{masks:learning_only/first_ratio}} |
#
# Without a mask an episode takes {{more than three times as many steps | masks:nothing/late_steps > 3 * masks:mask/late_steps}},
# with a fine {{fewer | masks:penalty/late_steps < masks:nothing/late_steps}} than without one.
#
# The classic bug is a mask in one place of two. **In acting only**, the update gives forbidden actions a share that they never
# had, so all ratios begin far below 1, and every row with $A < 0$ is clipped away. The return hides it: episodes are {{a little longer |
# masks:acting_only/late_steps > masks:mask/late_steps}}. The KL is {{more than ten times | masks:acting_only/kl > 10 *
# masks:mask/kl}} the healthy one. **In learning only**, nothing teaches the policy to leave forbidden actions alone: {{no
# difference | masks:learning_only/late_steps ~ masks:nothing/late_steps}} from no mask is seen. The mean ratio looks healthy
# here; the KL does not.
#
# So test it: before the first gradient step of an update, every row's ratio is 1 and the KL is 0. Exercise 7 is the function.

# %% [markdown]
# ### 12.3 When one observation is not enough: a memory · further
#
# CartPole's four numbers tell all that decides what comes next. `CartPolePositions-v0` covers the two velocities. A pole that
# leans by one degree may now be rising or falling, and a policy of the last observation cannot tell which. Two remedies:
#
# - **Stacked frames**: the last k observations, side by side, are the observation. The difference of two positions is a speed.
#   Before an episode's first observation stands that observation, repeated.
# - **A recurrent network**, here a GRU: a cell that makes the next state of a memory, $m_t = \mathrm{GRU}(o_t, m_{t-1})$, from the
#   observation $o_t$ and the state before. The policy is $\pi_\theta(a \mid m_t)$; what to remember is learned.
#
# Frames change the environment alone. A memory changes PPO at two places (`pgcourse/algorithms/recurrent.py`):
#
# 1. **Acting.** The state goes on from step to step and into the next rollout, and becomes zero where an episode ended. The value
#    of the true next observation is taken before that: it belongs to the episode that ends.
# 2. **Updating.** Every gradient step changes the weights, so the states are computed anew: from those with which the rollout
#    began, in order of time, emptied at the same steps. So rows are not shuffled. A minibatch is all steps of some
#    environments, and gradients go back to the rollout's first step, no further (**truncated backpropagation through time**).
#
# The test is that of section 2.3: in the first gradient step of an update, every ratio is 1. {{# mathematics}}

# %% jupyter={"source_hidden": true}
remembered = load_claims("memory")
figure, ax = plots.new_figure()
for name, label, colour, style in (
    ("full", "whole state", "pg:vermillion", "-"),
    ("frames_2", "positions, two frames", "pg:blue", "--"),
    ("frames_4", "positions, four frames", "pg:sky", "-."),
    ("gru", "positions, GRU", "pg:green", "-"),
    ("positions", "positions, last observation", "pg:grey", ":"),
):
    plots.claimed_band(ax, remembered["curves"][name], label=label, colour=colour, style=style)
ax.set(xlabel="environment steps", ylabel="return, moving average of 50 episodes", ylim=(0, 510))
ax.set_xticks([0, 50_000, 100_000, 150_000, 200_000], ["0", "50,000", "100,000", "150,000", "200,000"])
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.14))
page.figure(
    figure,
    alt="Five learning curves over 200,000 steps. The line of the last observation alone stays near 50, the others rise towards 500.",
    caption="CartPole without velocities: one observation leads nowhere, two are enough. Ten seeds; line and band as in "
    "section 6. {{# description}}",
)

# %% [markdown]
# | what the agent sees, and how it remembers | seeds that reach 475 | steps until then | late return |
# |---|---|---|---|
# | the whole state, the preset | {{memory:full/steps_to_475/count}} of {{memory:full/steps_to_475/count.n}} | {{memory:full/steps_to_475}} | {{memory:full/late}} |
# | positions, the last observation alone | {{memory:positions/steps_to_475/count}} of {{memory:positions/steps_to_475/count.n}} | {{memory:positions/steps_to_475}} | {{memory:positions/late}} |
# | positions, two frames | {{memory:frames_2/steps_to_475/count}} of {{memory:frames_2/steps_to_475/count.n}} | {{memory:frames_2/steps_to_475}} | {{memory:frames_2/late}} |
# | positions, four frames | {{memory:frames_4/steps_to_475/count}} of {{memory:frames_4/steps_to_475/count.n}} | {{memory:frames_4/steps_to_475}} | {{memory:frames_4/late}} |
# | positions, GRU | {{memory:gru/steps_to_475/count}} of {{memory:gru/steps_to_475/count.n}} | {{memory:gru/steps_to_475}} | {{memory:gru/late}} |
# | GRU, not emptied where an episode ends | {{memory:gru_not_reset/steps_to_475/count}} of {{memory:gru_not_reset/steps_to_475/count.n}} | {{memory:gru_not_reset/steps_to_475}} | {{memory:gru_not_reset/late}} |
# | GRU, every update starts from zeros | {{memory:gru_zero_start/steps_to_475/count}} of {{memory:gru_zero_start/steps_to_475/count.n}} | {{memory:gru_zero_start/steps_to_475}} | {{memory:gru_zero_start/late}} |
# | GRU, ordinary PPO on shuffled rows | {{memory:gru_rows/steps_to_475/count}} of {{memory:gru_rows/steps_to_475/count.n}} | {{memory:gru_rows/steps_to_475}} | {{memory:gru_rows/late}} |
#
# Without velocities and without memory the late return is {{lower | memory:positions/late < memory:full/late}} than with the
# whole state. Two frames bring {{more | memory:frames_2/late > memory:positions/late}}, and so does {{the GRU |
# memory:gru/late > memory:positions/late}}. Between the two {{no difference | memory:gru/late ~ memory:frames_2/late}} is seen, although
# the GRU has settings of its own, chosen on other seeds, and the frames those of the preset; two frames end {{lower |
# memory:frames_2/late < memory:full/late}} than the whole state. The last three rows are bugs that raise no error. Ordinary PPO on shuffled rows has
# {{a lower late return | memory:gru_rows/late < memory:gru/late}} than the GRU that is updated in sequences. A memory that is
# not emptied shows {{no difference | memory:gru_not_reset/late ~ memory:gru/late}} in the late return here. A likely reason:
# all that has to be remembered is two steps old, and a cell that learns to forget soon loses the old episode too. Where an
# episode's first observation must be remembered to its end, do not count on that. {{# hypothesis}}
#
# A memory that starts from zeros in every update shows {{no difference | memory:gru_zero_start/late ~ memory:gru/late}} in the
# late return either, but the panels see it: the mean KL of an update is {{more than five times | memory:gru_zero_start/kl >
# 5 * memory:gru/kl}} as large, since the log-probabilities of the first rows are of another memory than the one that acted.
#
# Exercise 9 is the step at which all of this can go wrong: `unroll`.

# %% [markdown]
# ## 13. Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "04-quiz-first-step",
    "In the very first gradient step of an update, how many rows of the minibatch have gradient 0 because of the clip?",
    ["A few percent of them", "None of them", "Those with A < 0", "It depends on ε"],
    answer=1,
    reasons=[
        "That is about the average over the whole update. In the first step nothing has moved yet.",
        "Right: the policy still is the one that acted, every ratio is 1, and the gradient is A2C's on these rows. The clip acts "
        "later.",
        "The sign of the advantage alone never stops a gradient. The ratio has to be outside as well.",
        "A ratio of exactly 1 is inside the interval whatever its width.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-clip-bounds",
    "clip_coef is 0.2, and after an update a row has a ratio of 1.5. How can that be?",
    [
        "It cannot: the ratio of each row is clipped to 1.2",
        "Other rows and the optimiser's momentum pushed it there",
        "The advantage of this row was negative",
        "The minibatches of this update were too large",
    ],
    answer=1,
    reasons=[
        "The loss uses a clipped copy of the ratio. The policy itself is free.",
        "Right: beyond 1.2 the row has no gradient of its own, but all rows share the weights. (Its own last step from inside the interval can overshoot too.)",
        "With a negative advantage the row itself would pull back. But other rows may still win.",
        "Any minibatch size shares the weights between rows.",
    ],
)

# %% [markdown]
# ### 13.1 Other questions · further

# %% jupyter={"source_hidden": true}
questions.quiz(
    "04-quiz-kl",
    "The log of another library shows approx_kl = −0.002. What do you conclude?",
    [
        "The update brought the policy back to the old one",
        "It is the estimator k1: its mean over a sample may be negative",
        "There is a bug in the log-probabilities that the rollout stored",
        "The update went in the wrong direction",
    ],
    answer=1,
    reasons=[
        "A divergence has no direction, and 0 is the least it can be.",
        "Right. The divergence itself is never negative, and k3, which this course logs, is not either.",
        "It may be one, but k1 gives such numbers for healthy updates too: look at the histogram of section 4.1.",
        "The divergence does not know which way is up.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# mathematics}}
questions.quiz(
    "04-quiz-negative",
    "A row has A = −2, ρ = 1.6, clip_coef = 0.2. What is its objective, and does a gradient flow?",
    ["−2.4, no gradient", "−3.2, gradient flows", "−1.6, no gradient", "−2.4, gradient flows"],
    answer=1,
    reasons=[
        "−2.4 is the clipped term, 1.2 times −2. The minimum of −3.2 and −2.4 is −3.2.",
        "Right: min(1.6 · −2, 1.2 · −2) = −3.2. A bad action has become more likely, and nothing may stop the way back.",
        "−1.6 would be 0.8 times −2, the clipped term of a ratio below 0.8.",
        "The clipped term is a constant beyond the interval: it could not carry a gradient.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "04-quiz-surrogate",
    "During an update the surrogate objective has risen a lot. What does that tell you about the return?",
    [
        "It has risen too, by as much as the surrogate has",
        "It has risen too, but by less than the surrogate",
        "Nothing certain: it knows only the old policy's states",
        "It has fallen, since the policy went too far",
    ],
    answer=2,
    reasons=[
        "The surrogate has no unit: advantages were standardised.",
        "Near the old policy, and with good advantages, often. Section 2.5 shows what happens further away.",
        "Right. It holds near the old policy only. How far you have gone from there is what KL and clip fraction tell.",
        "Sometimes, as in section 2.5, but not necessarily.",
    ],
)

# %% [markdown]
# ## 14. What to remember
#
# 1. The policy makes its own data. A gradient step is safe nearby; after one that goes far enough, training may not recover.
# 2. The surrogate $\mathbb{E}_{\text{old}}[\rho A]$ is exact in the actions and approximate in the states. At $\rho = 1$ its
#    gradient is A2C's; far away its promises are false.
# 3. The clip takes away a row's reason to go further; the minimum keeps the way back open. It does not bound the ratio.
# 4. Measure how far you went: k3 $= (\rho - 1) - \log \rho$ is never negative, and right on average for a policy that was not
#    fitted to these rows.
# 5. On CartPole, six epochs bring {{more seeds | ppo:cartpole/steps_to_475/count > ppo:one_epoch/steps_to_475/count}} to 475 in
#    100,000 steps than one, and twenty need {{fewer steps | ppo:many_epochs/steps_to_475 < ppo:cartpole/steps_to_475}} than six.
#    Of the seeds with twenty {{fewer | ppo:no_clip_many_epochs/steps_to_475/count < ppo:many_epochs/steps_to_475/count}} arrive
#    without the clip. {{# wording}}
#
# **Now write it yourself:** [the exercises of this unit](../exercises/04_ppo.ipynb) build the clipped loss, k3, the minibatches
# and the whole update, and then train CartPole with *your* functions.

# %% [markdown]
# ## Further reading · further
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov (2017), *Proximal policy optimization algorithms*. Section 3
#   is the clip, its figure 1 the two cases of the widget, section 5 the algorithm.
# - S. Kakade and J. Langford (2002), *Approximately optimal approximate reinforcement learning*, ICML. Lemma 6.1 is equation
#   (1).
# - J. Schulman et al. (2015), *Trust region policy optimization*, ICML. Sections 2 and 3: what replacing the states costs, as a
#   bound.
# - J. Schulman (2020), *Approximating KL divergence*. A page: k1, k2, k3, with a numerical table.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. The list behind
#   section 6; read it beside your own code.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. How much of PPO's lead over TRPO came
#   from details that are not the clip.
# - M. Andrychowicz et al. (2021), *What matters for on-policy deep actor-critic methods?*, ICLR. More than 50 choices, 250,000
#   runs; read the recommendations at the end of each section.
# - A. Ilyas et al. (2020), *A closer look at deep policy gradients*, ICLR. Section 2.3 onwards: surrogate and return part ways,
#   on larger tasks than ours.
# - Y. Wang, H. He and X. Tan (2019), *Truly proximal policy optimization*, UAI. Section 3: that the clip does not bound the
#   ratio.
# - L. Ouyang et al. (2022), *Training language models to follow instructions with human feedback*, NeurIPS. Section 3.5: PPO
#   with a KL penalty.
# - Also named above: I. Akkaya et al. (2019), *Solving Rubik's cube with a robot hand*; C. Berner et al. (2019), *Dota 2 with
#   large scale deep reinforcement learning*; N. Rudin et al. (2022), *Learning to walk in minutes using massively parallel deep
#   reinforcement learning*; C. Yu et al. (2022), *The surprising effectiveness of PPO in cooperative multi-agent games*; Z.
#   Shao et al. (2024), *DeepSeekMath*; V. Mnih et al. (2015), *Human-level control through deep reinforcement learning*; I.
#   Osband et al. (2020), *Behaviour suite for reinforcement learning*; S. Huang and S. Ontañón (2022), *A closer look at
#   invalid action masking in policy gradient algorithms*. {{# cited}}
