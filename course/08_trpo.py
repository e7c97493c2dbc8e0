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
# # 08 TRPO: a step that stays inside (optional)
#
# PPO takes away a row's reason to go too far. Trust region policy optimisation, two years older, sets a limit. It draws a
# region around the old policy, looks for the best step inside it, and refuses a step that ends outside. This needs a matrix of
# second derivatives with millions of entries. You will never write it down. {{# design}}
#
# **After this lesson you will be able to**
#
# 1. state the constrained problem, and say what enforces the constraint (no penalty, and no learned multiplier);
# 2. derive the natural gradient from a quadratic model of the KL divergence;
# 3. multiply a vector by the Fisher matrix with two backward passes;
# 4. use conjugate gradient, and say why ten iterations do for thousands of weights;
# 5. compare TRPO with PPO, and say what the difference is made of.
#
# **You need** [lesson 04](04_ppo.ipynb) (surrogate, ratio, KL divergence), matrices, and eigenvalues of a symmetric matrix.
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for
# the folded sections, {{minutes:exercises}} for the exercises; all cells together run in about half a minute on two cores.
# Symbols: [one table for the whole course](../docs/symbols.md). {{# design}}
#
# The numbers in the text come from `claims/trpo.json`, `claims/trpo_mistakes.json` and `claims/ppo.json`: ten training runs of
# each version. *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted
# underline are comparisons decided by the data; hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)).

# %% jupyter={"source_hidden": true}
import copy
import textwrap
import time
from dataclasses import replace

import numpy as np
import torch
from torch.distributions import Bernoulli, kl_divergence
from torch.func import functional_call, grad, vmap

from pgcourse import losses, natural_gradient, ppo, trpo
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import adam, seeded
from pgcourse.show import page, questions
from pgcourse.show.figures import conjugate_gradient as conjugate, curves as plots
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.conjugate_gradient import CONJUGATE_GRADIENT
from pgcourse.show.live.explainers.step_length import step_length
from pgcourse.show.live.explainers.trust_region import TRUST_REGION
from pgcourse.statistics import moving_average
from pgcourse.study import descent
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured, measured_ppo = load_claims("trpo"), load_claims("ppo")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Three questions before you begin

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "08-recall-1",
    "Two methods, ten paired seeds each. Their intervals overlap. What follows about the difference?",
    [
        "Nothing yet: its own interval decides",
        "That no difference is there at all",
        "That ten more seeds will show one",
        "That the two have equal means",
    ],
    answer=0,
    reasons=[
        "Right: differences within seeds can be sure where both intervals are wide.",
        "Overlap does not show that.",
        "They may or may not.",
        "Overlap does not show that.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "08-recall-2",
    "Two Gaussian policies with the same σ have means 0.1 apart. σ is halved in both. What happens to their KL divergence?",
    ["It is halved", "It stays as it was", "It doubles", "It becomes fourfold"],
    answer=3,
    reasons=[
        "A smaller σ tells the two apart more easily.",
        "The same distance of the means counts for more where σ is small.",
        "The squared distance is divided by σ squared.",
        "Right: it is the squared distance of the means over 2σ².",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-recall-3",
    "The policy is still the one that collected the batch. What is the gradient of the unclipped surrogate there?",
    [
        "The policy gradient of the batch",
        "Zero, since every ratio is 1",
        "Zero, as the KL divergence is 0",
        "The gradient of the KL divergence",
    ],
    answer=0,
    reasons=[
        "Right: the gradient of a ratio at 1 is the score.",
        "The ratio is 1, and its gradient is the score.",
        "The KL divergence is no part of the surrogate.",
        "That gradient is 0 here.",
    ],
)

# %% [markdown]
# ## Where this ends

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="TRPO")
plots.claimed_band(ax, measured_ppo["curves"]["cartpole"], label="PPO")
ax.axhline(475, color=plots.COLOURS["threshold"], linestyle=(0, (1, 3)), label="threshold 475")
ax.set(xlabel="environment steps", ylabel="episodic return", xlim=(0, 120_000), ylim=(0, 510))
ax.set_xticks([0, 40_000, 80_000, 120_000], ["0", "40,000", "80,000", "120,000"])
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="Learning curves of TRPO and PPO on CartPole over 120,000 environment steps, each with a narrow band.",
    caption="CartPole, ten seeds each, moving average of 100 episodes, 95 % bands. TRPO has no learning rate for its policy. It is given "
    "how far the policy may move: 0.01 nats. Section 8.1 asks where the gap comes from.",
)

# %% [markdown]
# ## 1. The problem, stated as it is meant
#
# ### 1.1 A maximum inside a region
#
# Of all policies whose mean KL divergence from the old one is at most $\delta_{\text{KL}}$, which has the highest surrogate?
# {{# question}}
#
# $$
# \max_\theta\; L(\theta) = \mathbb{E}\big[ \rho(\theta)\, \hat A \big]
# \qquad \text{subject to} \qquad
# \bar D(\theta) = \mathbb{E}_s\big[ \text{KL}\big(\pi_{\text{old}}(\cdot \mid s) \,\|\, \pi_\theta(\cdot \mid s)\big) \big] \le \delta_{\text{KL}}. \tag{1}
# $$
#
# New in this unit ($P$ is the number of weights, $B$ the number of rows):
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $g$ | gradient of the surrogate at $\theta_{\text{old}}$: the policy gradient | `-gradient` | `[P]` |
# | $\bar D(\theta)$ | mean KL divergence of the new policy from the old over the batch's states | `kl_divergence(...).mean()` | scalar, nats |
# | $F$ | Hessian of $\bar D$ at $\theta_{\text{old}}$: the Fisher matrix | `fisher(vector)` is F v + damping v | `[P, P]`, never built |
# | $x$ | solution of $F x = g$: the natural gradient | `direction`; `x` in `conjugate_gradient` | `[P]` |
# | $p$ | search direction of conjugate gradient | `search` | `[P]` |
# | $e$ | residual $g - F x$ of conjugate gradient | `residual` | `[P]` |
# | $\Delta$ | the step $\theta - \theta_{\text{old}}$ | `step` | `[P]` |
# | $\delta_{\text{KL}}$ | limit of $\bar D$ | `max_kl` | 0.01 nats |
#
# $\bar D$ is not estimated from the actions that were taken, as
# k3 of lesson 04 is. At each state of the batch the two distributions are known, and their divergence is a formula.
#
# Why a divergence of policies, and not a distance between weights? Because the same change of a weight can take a
# probability from 0.5 to 0.27, or change next to nothing. Take a policy with a single weight, the logit of its one interesting
# action, and move it by 1: {{# computed}}

# %%
for logit in (0.0, 2.0, 5.0, 10.0):
    old, new = Bernoulli(logits=torch.tensor(logit)), Bernoulli(logits=torch.tensor(logit - 1.0))
    print(f"p from {old.probs:.5f} to {new.probs:.5f}: KL {kl_divergence(old, new):.6f} nats")

# %% [markdown]
# ### 1.2 A constraint, a penalty, a multiplier
#
# There are three ways to say "not too far".
#
# | | what is solved | what you have to choose |
# |---|---|---|
# | penalty | $\max L - w \bar D$ | the weight $w$. Which distance it gives depends on the advantages and on the policy |
# | learned multiplier | the same, with $w$ raised where $\bar D$ was above the target and lowered where it was below | the target and a rule. The constraint holds on average |
# | hard constraint | (1) as it stands | $\delta_{\text{KL}}$, in nats | {{# design}}
#
# TRPO is the third. What makes the constraint hold in training is a check: the divergence of each candidate step is
# computed, and a candidate above the limit is refused.

# %% [markdown]
# ### 1.3 What theory promises, and what is used · further
#
# The paper proves a bound. With $A_{\max}$ the largest $|A^\pi|$ over all states and actions, {{# mathematics}}
#
# $$
# J(\pi) \;\ge\; J(\pi_{\text{old}}) + \frac{1}{1-\gamma}\, \mathbb{E}_{\text{old}}[ \rho\, A^{\pi_{\text{old}}} ] - \frac{4 \gamma A_{\max}}{(1-\gamma)^2}\, \max_s \text{KL}\big(\pi_{\text{old}}(\cdot \mid s) \,\|\, \pi(\cdot \mid s)\big),
# $$
#
# where the expectation is over the old policy's discounted states. Make the right side larger than
# $J(\pi_{\text{old}})$, and improvement is *guaranteed*. How far may a policy go with that guarantee? Suppose a step
# promises an $\mathbb{E}[\rho A]$ of one percent of $A_{\max}$: {{# mathematics}}

# %%
# {{# computed}}
gain, gamma = 0.01, 0.99  # the gain as a share of the largest advantage
print(f"guaranteed up to a KL of {gain * (1 - gamma) / (4 * gamma):.1e} nats, in the worst state")
print(f"TRPO here: {trpo.CARTPOLE.max_kl} nats, on average over states")

# %% [markdown]
# Such steps are far too short to be of use. TRPO takes the *form* from the theory and leaves the constant. What is changed or
# approximated on the way to code:
#
# - the penalty becomes a constraint, with a $\delta_{\text{KL}}$ that was found by trying;
# - the maximum over states becomes a mean over the states of the batch;
# - states come from the old policy, and advantages from GAE with a critic (as in lesson 04). They are standardised, so
#   $L$ has no unit;
# - $\gamma^t$ is dropped (as in [lesson 01](01_reinforce.ipynb));
# - (1) is solved through a linear model of $L$ and a quadratic one of $\bar D$, and not to the end.

# %% [markdown]
# ## 2. The natural gradient
#
# ### 2.1 Two models
#
# Near $\theta_{\text{old}}$ the first terms of its Taylor series (value, slope, curvature) approximate a smooth function. For $L$,
# keep the first term that changes:
# $L(\theta_{\text{old}} + \Delta) \approx L(\theta_{\text{old}}) + g^\top \Delta$. For $\bar D$ this term is 0: a
# divergence is 0 at $\Delta = 0$ and nowhere negative, so $\Delta = 0$ is a minimum. The first term left is the quadratic one:
#
# $$
# \bar D(\theta_{\text{old}} + \Delta) \approx \tfrac12\, \Delta^\top F \Delta, \qquad F = \nabla^2 \bar D(\theta_{\text{old}}). \tag{2}
# $$
#
# $F$ holds the second derivatives for all pairs of weights: a Hessian.
#
# ### 2.2 The Hessian is the Fisher information
#
# Take one state, write $\pi$ for $\pi_\theta(a \mid s)$, and take the second derivative of the divergence. Only $\log \pi_\theta$
# depends on $\theta$, and the second derivative of a logarithm is
#
# $$
# \nabla^2 \log \pi = \nabla \Big( \frac{\nabla \pi}{\pi} \Big) = \frac{\nabla^2 \pi}{\pi} - \frac{\nabla \pi\, \nabla \pi^\top}{\pi^2}
# = \frac{\nabla^2 \pi}{\pi} - \psi \psi^\top ,
# $$
#
# with the score $\psi = \nabla \log \pi$. Put it in, at $\theta = \theta_{\text{old}}$, where $\pi_{\text{old}} / \pi = 1$:
#
# $$
# F = - \sum_a \pi_{\text{old}}\, \nabla^2 \log \pi
# = - \underbrace{\nabla^2 \sum_a \pi}_{\nabla^2 1 \,=\, 0} + \sum_a \pi\, \psi \psi^\top
# = \mathbb{E}_a\big[ \psi \psi^\top \big]. \tag{3}
# $$
#
# Then average over the states: $F$ is the covariance of the score (whose mean is 0), called the **Fisher information**.
# $\Delta^\top F \Delta = \mathbb{E}[(\psi^\top \Delta)^2] \ge 0$, so $F$ has no negative eigenvalue. And $\Delta^\top F \Delta$ is 0 for
# every step that changes no probability on the batch. Every softmax policy has such directions: raise all logits by the same
# amount. See it on a small policy: an observation of four numbers, two logits, no hidden layer, 10 weights.

# %% jupyter={"source_hidden": true}
with seeded(0):
    tiny = CategoricalPolicy(4, 2, hidden_sizes=())
    obs = torch.randn(200, 4)  # [B, D]
with torch.no_grad():
    for parameter in tiny.parameters():
        parameter.add_(0.5 * torch.ones_like(parameter).cumsum(-1))  # some preferences
names, shapes = zip(*((name, p.shape) for name, p in tiny.named_parameters()), strict=True)
theta = torch.nn.utils.parameters_to_vector(tiny.parameters()).detach()  # [P]


def tiny_policy(theta):
    """The distribution of the tiny policy with weights theta [P]."""
    parts = theta.split([shape.numel() for shape in shapes])
    return functional_call(
        tiny, {n: part.view(shape) for n, part, shape in zip(names, parts, shapes, strict=True)}, (obs,)
    )


# {{# computed}}
old = tiny_policy(theta)
hessian = torch.autograd.functional.hessian(lambda t: kl_divergence(old, tiny_policy(t)).mean(), theta)  # [P, P]

outer = torch.zeros(len(theta), len(theta))
for action in (0, 1):
    actions = torch.full((200,), action)
    scores = torch.autograd.functional.jacobian(lambda t, a=actions: tiny_policy(t).log_prob(a), theta)  # [B, P]
    outer += (scores * old.probs[:, action, None]).T @ scores / 200  # expectation over actions, mean over states

print(f"largest difference between Hessian and score covariance: {(hessian - outer).abs().max():.1e}")
print("eigenvalues of F:", np.linalg.eigvalsh(hessian.double().numpy()).round(4) + 0.0)

# %% [markdown]
# Equal up to rounding, no eigenvalue below 0, and five of ten are exactly 0: for each of the five inputs (four
# numbers and the bias) the two logits can be raised together. A singular $F$ cannot be
# inverted. So TRPO adds 0.1 to each entry of its diagonal, and
# all eigenvalues are at least 0.1. This is called **damping**. {{# mathematics}}
#
# ### 2.3 The step, with a pencil
#
# With both models, problem (1) is
#
# $$
# \max_\Delta\; g^\top \Delta \quad \text{subject to} \quad \tfrac12 \Delta^\top F \Delta \le \delta_{\text{KL}} .
# $$
#
# A linear function has no maximum of its own, so the solution lies on the edge. There the gradients of objective and
# constraint are parallel (else a move along the edge would still gain): $g = \nu F \Delta$ with a number $\nu > 0$,
# the Lagrange multiplier, which is the ratio of the two gradients. So $\Delta = x / \nu$, where $x$ solves
#
# $$
# F x = g. \tag{4}
# $$
#
# The constraint gives the rest: $\tfrac12 \Delta^\top F \Delta = \tfrac{1}{2 \nu^2}\, x^\top F x = \delta_{\text{KL}}$, so
#
# $$
# \Delta = \sqrt{\frac{2 \delta_{\text{KL}}}{x^\top F x}}\; x. \tag{5}
# $$
#
# The multiplier is gone. The direction $x = F^{-1} g$ is the **natural gradient** (Amari 1998; Kakade 2002 for policies). The
# root is its length. If the advantages double, $x$ doubles, $x^\top F x$ is four times as large, and $\Delta$ stays the same.
# There is no learning rate. {{# mathematics}}

# %% [markdown]
# ### 2.4 See it
#
# A Gaussian policy with two parameters, mean and log std, in one state; an action is the better the closer it is to 1. On
# the left: all policies at the same KL divergence from the old one (black), the ellipse of the quadratic model (2),
# and two steps to the ellipse's edge. On the right: the policies that the two steps lead to. {{# design}}

# %% jupyter={"source_hidden": true}
# {{# computed}}
TRUST_REGION.show()

# %% [markdown]
# <details><summary>Why the arrows agree near 0.7</summary>
#
# For mean and log std, $F = \operatorname{diag}(1 / \sigma^2, 2)$. At $\sigma = 1 / \sqrt 2 \approx 0.71$ that is 2 times the
# identity, and $F^{-1} g$ points along $g$.
#
# </details>

# %% [markdown]
# ### 2.5 What it does not depend on · further
#
# Write the same policies with other parameters $\vartheta$, and let $W = \partial \theta / \partial \vartheta$.
# The chain rule gives $g_\vartheta = W^\top g$ and, since (3) is made of scores, $F_\vartheta = W^\top F W$. If $W$ **and $F$** are
# invertible, the natural gradient in the new parameters, carried back to the old ones, is
#
# $$
# W\, F_\vartheta^{-1} g_\vartheta = W\, W^{-1} F^{-1} W^{-\top} W^\top g = F^{-1} g,
# $$
#
# the same step of the *policy*. The plain gradient gives $W W^\top g$: it depends on how you happened to write the network.
# What TRPO computes does too, to a degree: the $F$ of a softmax policy is singular (section 2.2), and the damping that is added
# for it is not a part of the policy. Check it with the Gaussian, whose $F$ is invertible, with log std as its parameter and
# with std:


# %%
def new_std(std, *, log_scale, damping):
    """std of the policy after a small step, when the second parameter is log std or std itself; damping None: the gradient."""
    gradient = torch.tensor([2.0, -2 * std**2 if log_scale else -2 * std])  # of -(mean - 1)^2 - std^2
    fisher = torch.diag(torch.tensor([1 / std**2, 2.0 if log_scale else 2 / std**2]))
    step = 0.1 * (gradient if damping is None else torch.linalg.solve(fisher + damping * torch.eye(2), gradient))
    return std * step[1].exp() if log_scale else std + step[1]


for damping, name in ((None, "gradient"), (0.0, "natural gradient"), (1.0, "natural gradient, damping 1")):
    stds = [new_std(0.3, log_scale=log_scale, damping=damping) for log_scale in (True, False)]
    print(f"{name:27} 0.3 becomes {stds[0]:.5f} (parameter log std), {stds[1]:.5f} (parameter std)")

# %% [markdown]
# The small rest in the second row is of second order in the step: the invariance is exact for infinitely
# small steps. With damping the two differ again.

# %% [markdown]
# ## 3. A matrix that is never formed
#
# How large is $F$ for CartPole's policy? Take a real batch: the tenth update of a run.


# %% jupyter={"source_hidden": true}
def keep_tenth(policy, batch, advantages, config):
    """`trpo.policy_step`, but what the tenth call is given is kept in `moment`."""
    if len(seen) == 9:
        moment.extend(copy.deepcopy((policy, batch, advantages, config)))
    seen.append(len(seen))
    return trpo.policy_step(policy, batch, advantages, config)


seen, moment = [], []
trpo.train(replace(trpo.CARTPOLE, seed=101, total_timesteps=10 * 1024), policy_step_fn=keep_tenth)
policy, batch, advantages, config = moment
parameters = list(policy.parameters())
num_parameters = sum(p.numel() for p in parameters)
print(f"batch of {len(batch.obs):,} rows, P = {num_parameters:,} weights")
print(f"F has {num_parameters**2:,} entries, {4 * num_parameters**2 / 1e6:.0f} MB")

# %% [markdown]
# Conjugate gradient (section 4) never looks at $F$. It asks for products $F v$ with vectors of its choice. Let
# $\nabla \bar D$ be the gradient of the divergence, a vector `[P]`. Multiply it with a constant $v$: a scalar. Its gradient is
#
# $$
# \frac{\partial}{\partial \theta_i} \sum_j \frac{\partial \bar D}{\partial \theta_j} v_j = \sum_j \frac{\partial^2 \bar D}{\partial \theta_i\, \partial \theta_j}\, v_j = (F v)_i .
# $$
#
# So: backward once, keeping the graph of that computation; dot with $v$; backward again. Two passes, whatever $P$ is.

# %%
page.source(
    natural_gradient.fisher_vector_product,
    folded="the product in the package; open it after you have written your own (exercise 2)",
)

# %% [markdown]
# What it has to get right:
#
# - `old` is the same network, evaluated without a graph: a constant, as $\pi_{\text{old}}$ is in (1).
# - `create_graph=True` records the first backward pass, so that it can be differentiated itself.
# - `materialize_grads=True` fills in zeros where a parameter has no influence; without it autograd gives `None` there.
# - `damping * vector` is the damping of section 2.2.

# %% [markdown]
# ### 3.1 Is the product right? · further
#
# Against the Hessian that you wrote down above, and against (3) on the real network. With two actions,
# (3) is a sum over rows alone. Let $j_i$ be the gradient of the difference of the two logits in row $i$, and $\pi_i$ the
# probability of action 1. The scores are $(1 - \pi_i)\, j_i$ and $-\pi_i\, j_i$, so the row's expectation is
# $\big(\pi_i (1 - \pi_i)^2 + (1 - \pi_i)\, \pi_i^2\big)\, j_i j_i^\top = \pi_i (1 - \pi_i)\, j_i j_i^\top$, and
#
# $$
# F = \Psi^\top \Psi, \qquad \text{row } i \text{ of } \Psi = \sqrt{\pi_i (1 - \pi_i) / B}\;\, j_i \quad [B, P] \text{ (below: } \texttt{m}).
# $$


# %%
def logit_difference(weights, obs):
    """Logit of action 1 minus logit of action 0 for one observation [D]."""
    logits = functional_call(policy, weights, (obs[None],)).logits[0]
    return logits[1] - logits[0]


weights = {name: p.detach() for name, p in policy.named_parameters()}
rows = vmap(grad(logit_difference), in_dims=(None, 0))(weights, batch.obs)  # name -> [B, *shape]
j = torch.cat([part.flatten(1) for part in rows.values()], dim=1)  # [B, P]
with torch.no_grad():
    p = policy(batch.obs).probs[:, 1]  # [B]
m = (j * (p * (1 - p) / len(j)).sqrt()[:, None]).double()  # [B, P]

# %%
# {{# computed}}
with seeded(0):
    v_tiny, v = torch.randn(len(theta)), torch.randn(num_parameters)
product = natural_gradient.fisher_vector_product(tiny, obs, v_tiny, damping=0.0)
print(f"tiny policy: largest difference to the Hessian times v {(product - hessian @ v_tiny).abs().max():.1e}")
product = natural_gradient.fisher_vector_product(policy, batch.obs, v, damping=0.0)
exact = m.T @ (m @ v.double())
print(f"CartPole's policy: relative difference to the exact product {(product - exact).norm() / exact.norm():.1e}")

# %% [markdown]
# ## 4. Conjugate gradient
#
# The task: solve $A x = g$ for a symmetric, positive definite $A$ of which you only know products $A v$. Here $A = F +
# \text{damping} \cdot I$.
#
# ### 4.1 Solving is minimising
#
# Let $f(x) = \tfrac12 x^\top A x - g^\top x$. Its gradient is $A x - g$, and it has one minimum, where $A x = g$. The
# negative gradient $e = g - A x$ is called the **residual**: what is still missing.
#
# Along a direction $p$, $f$ is a parabola:
#
# $$ f(x + \eta p) = f(x) - \eta\, p^\top e + \tfrac12 \eta^2 p^\top A p . $$
#
# Which $\eta$ leads to its lowest point? Write it with `descent` $= p^\top e$ (minus the slope at the
# start) and `curvature` $= p^\top A p$: {{# mathematics}}

# %%
questions.check_line(
    "08-line-length",
    lambda descent, curvature: ...,  # your line in place of the dots
)

# %% [markdown]
# <details><summary>The line</summary>
#
# The derivative with respect to $\eta$ is 0 where $-p^\top e + \eta\, p^\top A p = 0$:
#
# $$
# \eta = \frac{p^\top e}{p^\top A p}. \tag{6}
# $$
#
# </details>
#
# **Steepest descent** takes $p = e$, straight downhill, and zigzags in a narrow valley.
#
# ### 4.2 Directions that do not disturb each other
#
# Suppose you had directions $p_0, p_1, \dots$ with $p_i^\top A p_j = 0$ for $i \ne j$. Such directions are called
# **conjugate**. Put $x = \sum_i \eta_i p_i$ into $f$, and all mixed terms vanish:
#
# $$
# f\Big(\sum_i \eta_i p_i\Big) = \sum_i \Big( \tfrac12 \eta_i^2\, p_i^\top A p_i - \eta_i\, p_i^\top g \Big).
# $$
#
# $P$ separate parabolas. Each can be minimised once and for all, and after at most $P$ of them
# you stand at the minimum. The $\eta_k$ of each is (6): it has $p_k^\top g$ where (6) has $p_k^\top e_k$, and the two are
# equal, since $e_k = g - A x_k$, $x_k$ is made of earlier directions, and $p_k^\top A$ times those is 0. {{# mathematics}}
#
# After $k$ directions $x_k$ is the lowest point that *any* combination of them reaches, so the gradient there has no part along
# them: {{# mathematics}}
#
# $$
# e_k^\top p_j = 0 \quad \text{for } j < k. \tag{7}
# $$
#
# Where do such directions come from? Start with $p_0 = e_0 = g$ (at $x_0 = 0$). Later, take the new residual and remove what is
# not conjugate to the last direction; it is conjugate to all others already (section 4.3). By (7), $p_k^\top e_k$ in (6)
# is then $\lVert e_k \rVert^2$: {{# mathematics}}
#
# $$
# \eta_k = \frac{\lVert e_k \rVert^2}{p_k^\top A p_k}, \qquad x_{k+1} = x_k + \eta_k p_k, \qquad e_{k+1} = e_k - \eta_k A p_k, \qquad
# p_{k+1} = e_{k+1} + \frac{\lVert e_{k+1} \rVert^2}{\lVert e_k \rVert^2}\, p_k .
# $$
#
# One product with $A$ an iteration, four vectors of memory. It stops when the residual is small, or after a number of iterations.

# %%
page.source(
    natural_gradient.conjugate_gradient,
    folded="conjugate gradient in the package; open it after you have written your own (exercise 1)",
)

# %% [markdown]
# ### 4.3 Why only the last direction is in the way · further
#
# Write $p_{k+1} = e_{k+1} + \kappa_k p_k$. Each $p_j$ is made of residuals and each residual of $p$'s ($e_j = p_j -
# \kappa_{j-1} p_{j-1}$), so (7) says that residuals are orthogonal to each other: $e_{k+1}^\top e_j = 0$ for $j \le k$. And a
# step changes the residual by a product with $A$:
#
# $$
# e_{j+1} = g - A (x_j + \eta_j p_j) = e_j - \eta_j A p_j
# \quad\Longrightarrow\quad
# e_{k+1}^\top A p_j = \frac{e_{k+1}^\top e_j - e_{k+1}^\top e_{j+1}}{\eta_j} .
# $$
#
# For $j < k$ both terms are 0: the new residual is conjugate to all older directions already. For $j = k$ it is
# $-\lVert e_{k+1} \rVert^2 / \eta_k$. Choose $\kappa_k$ so that $p_{k+1}^\top A p_k = 0$: {{# mathematics}}
#
# $$
# \kappa_k = - \frac{e_{k+1}^\top A p_k}{p_k^\top A p_k} = \frac{\lVert e_{k+1} \rVert^2}{\eta_k\, p_k^\top A p_k} = \frac{\lVert e_{k+1} \rVert^2}{\lVert e_k \rVert^2},
# $$
#
# where the last step uses (6): $p_k^\top e_k = \lVert e_k \rVert^2$, since $p_k = e_k + \kappa_{k-1} p_{k-1}$ and $e_k$
# is orthogonal to $p_{k-1}$. The same makes $\eta_k = \lVert e_k \rVert^2 / p_k^\top A p_k$.

# %% [markdown]
# ### 4.4 By hand · further
#
# $A = \begin{pmatrix} 3 & 1 \\ 1 & 2 \end{pmatrix}$, $g = \begin{pmatrix} 5 \\ 5 \end{pmatrix}$. The solution is $(1,
# 2)$. Start at $x_0 = 0$, so $e_0 = p_0 = (5, 5)$.
#
# | | iteration 0 | iteration 1 |
# |---|---|---|
# | $\lVert e_k \rVert^2$ | $50$ | $50/49$ |
# | $p_k$ | $(5, 5)$ | $e_1 + \tfrac{1}{49} p_0 = (-\tfrac{30}{49}, \tfrac{40}{49})$ |
# | $A p_k$ | $(20, 15)$ | $(-\tfrac{50}{49}, \tfrac{50}{49})$ |
# | $p_k^\top A p_k$ | $175$ | $\tfrac{3500}{49^2}$ |
# | $\eta_k$ | $\tfrac{50}{175} = \tfrac27$ | $\tfrac{50}{49} \cdot \tfrac{49^2}{3500} = \tfrac{7}{10}$ |
# | $x_{k+1}$ | $(\tfrac{10}{7}, \tfrac{10}{7})$ | $(\tfrac{10}{7} - \tfrac37,\; \tfrac{10}{7} + \tfrac47) = (1, 2)$ |
# | $e_{k+1}$ | $(5 - \tfrac{40}{7},\; 5 - \tfrac{30}{7}) = (-\tfrac57, \tfrac57)$ | $(0, 0)$ |
# | $\kappa_k$ | $\tfrac{50/49}{50} = \tfrac{1}{49}$ | done |
#
# Two weights, two iterations. The package's function goes the same way:

# %%
a_hand, g_hand = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([5.0, 5.0])  # change me
print("conjugate gradient:", descent.conjugate_gradient_path(a_hand, g_hand, iterations=2).round(4).tolist())
print("steepest descent:  ", descent.steepest_descent_path(a_hand, g_hand, iterations=5).round(4).tolist())

# %% jupyter={"source_hidden": true}
# {{# computed}}
valley = descent.valley(50.0, 20.0)
target = valley @ np.array([3.0, 1.0])
descended = descent.relative_residuals(descent.steepest_descent_path(valley, target, 200), valley, target)
questions.predict(
    "08-iterations",
    "Two weights, and a valley that is 50 times as steep across as along, its floor turned by 20 degrees. How many iterations until the "
    "residual is below a hundredth of what it was at the start, x = 0? The solution is (3, 1).",
    [
        "Both methods need 2: there are only two weights",
        "Conjugate gradient needs 2, steepest descent about 100",
        "Both need about 50, the ratio of the slopes",
        "Conjugate gradient needs 2, steepest descent 4 or 5",
    ],
    answer=1,
    explanation=f"Conjugate gradient is done after 2, whatever the valley looks like. Steepest descent needs {int(np.argmax(descended < 0.01))} "
    "from this start. Turn the valley below: at most angles it needs fewer than ten, since it happens to look along the floor "
    "early on. With thousands of weights you cannot be lucky in all directions.",
)

# %% jupyter={"source_hidden": true}
CONJUGATE_GRADIENT.show()

# %% [markdown]
# ### 4.5 Ten iterations for thousands of weights
#
# CartPole's policy has thousands of weights, and TRPO stops after ten iterations. Why is that enough?
#
# After $k$ iterations $x_k$ is a combination of $g, A g, \dots, A^{k-1} g$, since each new residual
# brings one more product with $A$, and by (7) it is the one with the lowest $f$. So $x_k = q(A)\, g$ with a
# polynomial $q$ of degree $k - 1$. Split $g$ along the eigenvectors of $A$: the part with eigenvalue
# $\chi$ is solved exactly if $\chi\, q(\chi) = 1$. If $A$ has only $m$ *different* eigenvalues, a polynomial of degree $m-1$
# can do that for all of them, and $m$ iterations solve the whole system, however large. Eigenvalues that lie close
# together count almost as one. Here are those of the real $F$: {{# mathematics}}

# %% jupyter={"source_hidden": true}
# {{# computed}}
eigenvalues, vectors = torch.linalg.eigh(m @ m.T)  # [B] ascending, [B, B]
page.figure(
    conjugate.spectrum(eigenvalues.numpy(), num_parameters=num_parameters, damping=config.damping),
    alt="The largest eigenvalues of F on a logarithmic axis: a handful lie above the damping of 0.1, the others fall by many orders of "
    "magnitude.",
    caption="Tenth update of a run on CartPole. With the damping added, all the grey squares are close to 0.1: for conjugate gradient "
    "they are nearly one eigenvalue.",
)


def residuals(damping, iterations=20):
    """||g - A x|| / ||g|| after 0, 1, ... iterations on the batch's own F and gradient."""
    matvec = lambda v: m.T @ (m @ v) + damping * v
    solve = natural_gradient.conjugate_gradient
    points = (solve(matvec, g.double(), iterations=k, tolerance=1e-12) for k in range(iterations + 1))
    return [float((g - matvec(x)).norm() / g.norm()) for x in points]


loss = losses.ppo_clip_loss(
    policy(batch.obs).log_prob(batch.actions), batch.log_prob, advantages, clip_coef=None
)  # minus L
g = -natural_gradient.flatten_gradients(torch.autograd.grad(loss, parameters), parameters)  # [P]
page.figure(
    conjugate.convergence({f"damping {c:g}": residuals(c) for c in (0.1, 0.001)}, usual=config.cg_iterations),
    alt="Relative residual over 20 iterations on a logarithmic axis: with damping 0.1 it falls steadily by several orders of "
    "magnitude, with 0.001 much more slowly and not at every step.",
    caption="The dotted line marks the ten iterations that the package uses. With less damping, the small eigenvalues are spread over "
    "orders of magnitude, and each needs its own share of the iterations.",
)

# %% [markdown]
# A handful of large eigenvalues, and thousands that the damping brings close to 0.1: that is why ten iterations do.
#
# What do the iterations buy? After a single one $x$ is a multiple of $g$: the plain gradient, with TRPO's step length.
# For a step (5) along each direction on the way, here is the gain $g^\top \Delta$ that the linear model predicts, and the
# share of the step's squared length that lies in the few directions whose eigenvalues are above the damping: {{# mathematics}}

# %% jupyter={"source_hidden": true}
few = int((eigenvalues > config.damping).sum())
steep = m.T @ vectors[:, -few:] / eigenvalues[-few:].sqrt()  # [P, few], eigenvectors of F
print(f"iterations   angle to the gradient   length   predicted gain   share in the {few} steepest directions")
for iterations in (1, 2, 3, 5, 10):
    direction = natural_gradient.conjugate_gradient(
        lambda v: natural_gradient.fisher_vector_product(policy, batch.obs, v, damping=config.damping),
        g, iterations=iterations, tolerance=0.0,
    )  # fmt: skip
    without_damping = (m.T @ (m @ direction.double())).float()
    step = natural_gradient.step_scale(direction, without_damping, max_kl=config.max_kl) * direction  # [P]
    angle = torch.rad2deg(torch.arccos(torch.cosine_similarity(g, step, dim=0).clamp(max=1.0)))
    share = (steep.T @ step.double()).square().sum() / step.square().sum()
    print(f"{iterations:10} {angle:19.0f} deg {step.norm():8.3f} {g @ step:16.5f} {share:32.0%}")

# %% [markdown]
# The natural gradient points far away from the gradient, and its step is
# about twice as long at the same divergence. Yet what it gains *in this update* is less than a tenth more, and after
# five iterations next to nothing changes on this batch. Section 7.2 saves the other nine, over ten seeds.
# {{# computed}}

# %% [markdown]
# ## 5. The line search
#
# Direction and length come from models. The step is taken by the real policy. Walk along the direction of section 4.5
# on the real batch, up to eleven times the length (5). That is far enough for a limit of 0.3, where the whole step is longer by
# $\sqrt{30}$, and for twice that: {{# design}}

# %% jupyter={"source_hidden": true}
direction = natural_gradient.conjugate_gradient(
    lambda v: natural_gradient.fisher_vector_product(policy, batch.obs, v, damping=config.damping),
    g, iterations=config.cg_iterations, tolerance=config.cg_tolerance,
)  # fmt: skip
curvature = natural_gradient.fisher_vector_product(policy, batch.obs, direction, damping=config.damping)
start = torch.nn.utils.parameters_to_vector(parameters).detach().clone()  # [P]
with torch.no_grad():
    old = policy(batch.obs)


def evaluate(step):
    """Improvement of the surrogate and divergence for a step [P], on the batch. The policy stays where it was."""
    with torch.no_grad():
        torch.nn.utils.vector_to_parameters(start + step, parameters)
        new = policy(batch.obs)
        gain = loss - losses.ppo_clip_loss(new.log_prob(batch.actions), batch.log_prob, advantages, clip_coef=None)
        torch.nn.utils.vector_to_parameters(start, parameters)
        return float(gain), float(kl_divergence(old, new).mean())


# %%
lengths = np.linspace(0, 11, 221)  # 1 is the whole step (5)
whole = natural_gradient.step_scale(direction, curvature, max_kl=config.max_kl) * direction  # [P]
gains, divergences = np.array([evaluate(length * whole) for length in lengths]).T

# %% jupyter={"source_hidden": true}
along = float((m @ whole.double()).square().sum())  # of F alone, without the damping
step_length(
    lengths, kl=divergences, improvement=gains, curvature=along, slope=float(g @ whole), max_kl=config.max_kl,
    backtracks=config.backtracks, shrink=config.shrink,
).show()  # fmt: skip

# %% [markdown]
# At length 1 the quadratic model is somewhat *below* the limit. The length (5) is computed with the damping, and that
# makes the curvature look larger than it is. When the true divergence is above
# $\delta_{\text{KL}}$, or when the surrogate did not improve, the step is shortened to 0.8 of its length and tried again: ten
# lengths at most, the whole step included. If none qualifies, the policy stays where it was, bit for bit. {{# mathematics}}

# %% [markdown]
# This makes the constraint **hard**. Whatever the models said, no update leaves a
# policy more than $\delta_{\text{KL}}$ away, on average over the batch's states. {{# design}}
#
# ## 6. The whole step

# %%
page.source(trpo.policy_step)

# %% [markdown]
# 1. **Gradient.** The unclipped surrogate (the clipped loss with `clip_coef=None`), differentiated once. It is a loss, so its
#    gradient is $-g$, and the equation is solved for `-gradient`.
# 2. **Direction.** Conjugate gradient on `fisher`, at most 10 products.
# 3. **Length.** A product for $x^\top A\, x$, and the root of (5).
# 4. **Search.** A forward pass for each length that is tried.
# 5. The last call of `evaluate` leaves the policy at the accepted step.
#
# There is no optimiser for the policy. The critic is fitted with 20 steps of Adam. Around it, `trpo.train` is the loop of units
# 03 and 04.

# %% jupyter={"source_hidden": true}
shown = (
    "max_kl damping cg_iterations cg_tolerance backtracks shrink critic_lr critic_steps gamma gae_lambda hidden_sizes"
)
print(textwrap.fill(", ".join(f"{name}={getattr(trpo.CARTPOLE, name)}" for name in shown.split()), width=96))
print(
    f"batch of {trpo.CARTPOLE.num_envs * trpo.CARTPOLE.num_steps} rows (num_envs x num_steps), one policy step an update"
)

# %% [markdown]
# ## 7. The parts, measured
#
# Each row of the table changes one thing against the first. Ten seeds, 120,000 steps. First a guess:

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "08-no-search",
    "Take the line search away: every update makes the whole step that the quadratic model asks for, whatever it does. What will ten "
    "seeds show in the steps until 475?",
    [
        "Most runs break down and never get there",
        "Fewer steps, since none is shortened",
        "No difference that ten seeds can show",
        "More steps, since the KL has no limit",
    ],
    answer=2,
    explanation="{{No difference is seen | trpo:no_line_search/steps_to_475 ~ trpo:cartpole/steps_to_475}} in the steps until 475. Section 7.3 says why, and what does differ.",
)

# %% [markdown]
# "Reach 475" means a mean of 100 episodes in a row of at least 475; *never* means that too many seeds never
# got there for the number to exist. "Held out" is the mean return of 100 episodes from new start states, with the most
# probable action. The KL is the exact one over the batch, after the update. {{# design}}
#
# | change | seeds that reach 475 | steps until then | seeds that end above 475 | last 100 episodes | held out | mean KL, first half [0.001 nat] | largest KL of a run [0.001 nat] |
# |---|---|---|---|---|---|---|---|
# | TRPO as it is: limit 0.01, 10 iterations, damping 0.1 | {{trpo:cartpole/steps_to_475/count}} of {{trpo:cartpole/steps_to_475/count.n}} | {{trpo:cartpole/steps_to_475}} | {{trpo:cartpole/ends_above_475/count}} | {{trpo:cartpole/last_100}} | {{trpo:cartpole/held_out}} | {{trpo:cartpole/kl}} | {{trpo:cartpole/largest_kl}} |
# | limit 0.003 | {{trpo:kl_0003/steps_to_475/count}} of {{trpo:kl_0003/steps_to_475/count.n}} | {{trpo:kl_0003/steps_to_475}} | {{trpo:kl_0003/ends_above_475/count}} | {{trpo:kl_0003/last_100}} | {{trpo:kl_0003/held_out}} | {{trpo:kl_0003/kl}} | {{trpo:kl_0003/largest_kl}} |
# | limit 0.02 | {{trpo:kl_002/steps_to_475/count}} of {{trpo:kl_002/steps_to_475/count.n}} | {{trpo:kl_002/steps_to_475}} | {{trpo:kl_002/ends_above_475/count}} | {{trpo:kl_002/last_100}} | {{trpo:kl_002/held_out}} | {{trpo:kl_002/kl}} | {{trpo:kl_002/largest_kl}} |
# | limit 0.1 | {{trpo:kl_01/steps_to_475/count}} of {{trpo:kl_01/steps_to_475/count.n}} | {{trpo:kl_01/steps_to_475}} | {{trpo:kl_01/ends_above_475/count}} | {{trpo:kl_01/last_100}} | {{trpo:kl_01/held_out}} | {{trpo:kl_01/kl}} | {{trpo:kl_01/largest_kl}} |
# | 1 iteration: the plain gradient, at TRPO's length | {{trpo:one_cg_iteration/steps_to_475/count}} of {{trpo:one_cg_iteration/steps_to_475/count.n}} | {{trpo:one_cg_iteration/steps_to_475}} | {{trpo:one_cg_iteration/ends_above_475/count}} | {{trpo:one_cg_iteration/last_100}} | {{trpo:one_cg_iteration/held_out}} | {{trpo:one_cg_iteration/kl}} | {{trpo:one_cg_iteration/largest_kl}} |
# | 3 iterations | {{trpo:three_cg_iterations/steps_to_475/count}} of {{trpo:three_cg_iterations/steps_to_475/count.n}} | {{trpo:three_cg_iterations/steps_to_475}} | {{trpo:three_cg_iterations/ends_above_475/count}} | {{trpo:three_cg_iterations/last_100}} | {{trpo:three_cg_iterations/held_out}} | {{trpo:three_cg_iterations/kl}} | {{trpo:three_cg_iterations/largest_kl}} |
# | no damping | {{trpo:no_damping/steps_to_475/count}} of {{trpo:no_damping/steps_to_475/count.n}} | {{trpo:no_damping/steps_to_475}} | {{trpo:no_damping/ends_above_475/count}} | {{trpo:no_damping/last_100}} | {{trpo:no_damping/held_out}} | {{trpo:no_damping/kl}} | {{trpo:no_damping/largest_kl}} |
# | damping 1 | {{trpo:damping_1/steps_to_475/count}} of {{trpo:damping_1/steps_to_475/count.n}} | {{trpo:damping_1/steps_to_475}} | {{trpo:damping_1/ends_above_475/count}} | {{trpo:damping_1/last_100}} | {{trpo:damping_1/held_out}} | {{trpo:damping_1/kl}} | {{trpo:damping_1/largest_kl}} |
# | no line search: the whole step, unchecked | {{trpo:no_line_search/steps_to_475/count}} of {{trpo:no_line_search/steps_to_475/count.n}} | {{trpo:no_line_search/steps_to_475}} | {{trpo:no_line_search/ends_above_475/count}} | {{trpo:no_line_search/last_100}} | {{trpo:no_line_search/held_out}} | {{trpo:no_line_search/kl}} | {{trpo:no_line_search/largest_kl}} | {{# description}}

# %% jupyter={"source_hidden": true}
PANELS = {
    "kl_0003": "limit 0.003",
    "kl_002": "limit 0.02",
    "kl_01": "limit 0.1",
    "one_cg_iteration": "1 iteration",
    "damping_1": "damping 1",
    "no_line_search": "no line search",
}
figure, axes = plots.new_figure(rows=2, columns=3, width=9.5, height=5.2, sharex=True, sharey=True)
for ax, (name, label) in zip(axes.flat, PANELS.items(), strict=True):
    plots.claimed_band(ax, measured["curves"]["cartpole"], label="TRPO", colour="trpo", style="-")
    plots.claimed_band(ax, measured["curves"][name], label=label, colour="#000000", style="--")
    ax.set(title=label, xlim=(0, 120_000), ylim=(0, 510), xticks=[0, 60_000, 120_000])
    ax.set_xticklabels(["0", "60k", "120k"])
for ax in axes[1]:
    ax.set_xlabel("environment steps")
for ax in axes[:, 0]:
    ax.set_ylabel("episodic return")
page.figure(
    figure,
    alt="Six panels, each with the curve of one changed version, dashed, on the curve of TRPO.",
    caption="Solid: TRPO as it is, the same in every panel. Dashed: with one change. Moving average of 100 episodes, ten seeds, "
    "95 % bands.",
)

# %% [markdown]
# ### 7.1 The limit
#
# With a limit of 0.003 instead of 0.01 {{no difference is seen | trpo:kl_0003/steps_to_475 ~ trpo:cartpole/steps_to_475}} in
# the steps until 475. With 0.02 {{fewer seeds | trpo:kl_002/ends_above_475/count < trpo:cartpole/ends_above_475/count}} end
# above 475, and with 0.1 {{fewer | trpo:kl_01/ends_above_475/count < trpo:cartpole/ends_above_475/count}} too. One run with 0.1
# ends at {{trpo:kl_01/last_100/worst}}, and no update of that run was beyond its limit. The constraint bounds how far the
# policy moves on the states of this batch. It does not bound how wrong the advantages are. So the limit is a setting to
# choose, as a learning rate is. {{# description}}
#
# ### 7.2 The direction
#
# With **one iteration**, the plain gradient at the length of (5), {{fewer seeds | trpo:one_cg_iteration/steps_to_475/count <
# trpo:cartpole/steps_to_475/count}} reach 475, and training ends {{lower | trpo:one_cg_iteration/last_100 <
# trpo:cartpole/last_100}}. Yet in how much an update improves the surrogate of its own batch {{no difference is seen |
# trpo:one_cg_iteration/improvement ~ trpo:cartpole/improvement}} (section 4.5 let us expect a small one at most); it uses {{more
# of the limit | trpo:one_cg_iteration/kl > trpo:cartpole/kl}} for it. So here the surrogate of one batch does not tell you which
# progress will last.
#
# A possible reason stands in the last column of section 4.5. Nearly all of the plain gradient lies in a few steep directions.
# There one batch's gain is large, and perhaps much of it is noise that the next batch takes back. The natural gradient spends
# its nats on many flat directions as well; each gains little in one update, and the gains may add up. One thing can be seen:
# the policy of the plain gradient ends with a {{higher entropy | trpo:one_cg_iteration/end_entropy >
# trpo:cartpole/end_entropy}}. {{# hypothesis}}
#
# **Three iterations** need {{more steps | trpo:three_cg_iterations/steps_to_475 > trpo:cartpole/steps_to_475}} than ten.
# **Damping** of 1 hides all but the largest eigenvalues of $F$: it needs {{more steps | trpo:damping_1/steps_to_475 >
# trpo:cartpole/steps_to_475}}, and uses {{less of the limit | trpo:damping_1/kl < trpo:cartpole/kl}}. **No
# damping** does not break the method, although $F$ is singular: the gradient is made of scores, as $F$ is, so $g$ has no part in
# the directions that change nothing. Whether it costs steps, ten seeds do not decide: {{no difference is seen |
# trpo:no_damping/steps_to_475 ~ trpo:cartpole/steps_to_475}}. {{# mathematics}}
#
# ### 7.3 The line search
#
# Without it {{no difference is seen | trpo:no_line_search/steps_to_475 ~ trpo:cartpole/steps_to_475}} in the steps until 475.
# The largest KL of a run is {{above the limit | trpo:no_line_search/largest_kl > 10}}, and not by much:
# {{trpo:no_line_search/largest_kl}} thousandths of a nat where 10 are allowed. In the first 60 updates with the search, the
# whole step is taken in a share of {{trpo:looked_at/whole_step}} of them; its divergence is {{trpo:looked_at/first_kl}},
# {{below the limit | trpo:looked_at/first_kl < 10}}. On CartPole, at this limit and damping, the check has hardly
# anything to refuse. It is there for the case that a model is wrong: section 11 shows one.
#
# ## 8. PPO beside it
#
# TRPO makes *one* step an update, along the natural gradient, and
# stops at the limit. PPO makes a dozen first-order steps and takes away the reasons to go on.
#
# ### 8.1 In environment steps

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "08-clipped-step",
    "Put PPO's policy step (epochs, minibatches, clip, Adam) into TRPO's loop, with TRPO's rollouts, networks and critic. What becomes of "
    "the steps until 475?",
    [
        "They become as many as those of PPO",
        "They stay about those of TRPO",
        "They become twice those of TRPO",
        "Most seeds never get there",
    ],
    answer=1,
    explanation="{{No difference is seen | trpo:clipped_step/steps_to_475 ~ trpo:cartpole/steps_to_475}} from TRPO, and it needs "
    "{{fewer steps | trpo:clipped_step/steps_to_475 < ppo:cartpole/steps_to_475}} than PPO in its own loop.",
)

# %% [markdown]
# | | seeds that reach 475 | steps until then |
# |---|---|---|
# | TRPO: 16 × 64 rows an update, layers of 64 | {{trpo:cartpole/steps_to_475/count}} of {{trpo:cartpole/steps_to_475/count.n}} | {{trpo:cartpole/steps_to_475}} |
# | TRPO's loop, rollouts, networks and critic, with PPO's policy step in it | {{trpo:clipped_step/steps_to_475/count}} of {{trpo:clipped_step/steps_to_475/count.n}} | {{trpo:clipped_step/steps_to_475}} |
# | PPO as measured in unit 04: 32 × 32 rows, layers of 32 | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} |
# | PPO with layers of 64 | {{ppo:wide_network/steps_to_475/count}} of {{ppo:wide_network/steps_to_475/count.n}} | {{ppo:wide_network/steps_to_475}} |
# | PPO with 20 epochs | {{ppo:many_epochs/steps_to_475/count}} of {{ppo:many_epochs/steps_to_475/count.n}} | {{ppo:many_epochs/steps_to_475}} |
#
# TRPO needs {{fewer steps | trpo:cartpole/steps_to_475 < ppo:cartpole/steps_to_475}} than PPO. The
# second row exchanges the policy step and nothing else, through one seam of `trpo.train`, and {{no difference from TRPO is
# seen | trpo:clipped_step/steps_to_475 ~ trpo:cartpole/steps_to_475}}. It has PPO's policy step, and needs {{fewer steps |
# trpo:clipped_step/steps_to_475 < ppo:cartpole/steps_to_475}} than PPO. So what sets PPO apart here is, at least for the most
# part, what stands around the policy step: rollouts, networks, a critic that is fitted by itself. Of the single changes, 20
# epochs bring PPO {{fewer steps | ppo:many_epochs/steps_to_475 < ppo:cartpole/steps_to_475}}, and for layers of 64 {{no
# difference is seen | ppo:wide_network/steps_to_475 ~ ppo:cartpole/steps_to_475}}.
#
# With the clip, an update moves {{less far on average | trpo:clipped_step/kl < trpo:cartpole/kl}}, and the surrogate gains
# {{less | trpo:clipped_step/improvement < trpo:cartpole/improvement}}. The largest KL of a run is {{larger |
# trpo:clipped_step/largest_kl > trpo:cartpole/largest_kl}}, {{trpo:clipped_step/largest_kl}} thousandths of a nat.

# %% [markdown]
# ### 8.2 In seconds · further
#
# First the price of one update, on the batch of section 3:


# %%
def milliseconds(work, make, repeats=5):
    """Shortest processor time of `work` on fresh arguments from `make`, in ms."""
    times = []
    for _ in range(repeats):
        arguments = make()
        begin = time.process_time()
        work(*arguments)
        times.append(time.process_time() - begin)
    return 1000 * min(times)


def fresh(hidden_sizes):
    """Networks and optimisers as at the start of a run."""
    new_policy, critic = CategoricalPolicy(4, 2, hidden_sizes), ValueNetwork(4, hidden_sizes)
    return new_policy, critic, adam(new_policy.parameters(), 1e-3), adam(critic.parameters(), 1e-3)


def for_trpo():
    new_policy, critic, _, critic_optimizer = fresh((64, 64))
    new_policy.load_state_dict(policy.state_dict())
    return new_policy, critic, critic_optimizer, batch, config


# %%
step_cost = milliseconds(trpo.policy_step, lambda: (copy.deepcopy(policy), batch, advantages, config))
trpo_cost = milliseconds(trpo.update, for_trpo)
ppo_cost = milliseconds(ppo.update, lambda: (*fresh((32, 32)), batch, ppo.CARTPOLE))
print(
    f"an update of TRPO {trpo_cost:5.1f} ms, of which the policy's step {step_cost:.1f} ms and the critic's 20 steps the rest"
)
print(f"an update of PPO  {ppo_cost:5.1f} ms, for 12 steps of both networks")

# %% [markdown]
# Then the price of a step of training, everything included: short runs by turns, so that a busy moment of your machine
# meets both. Times the measured number of steps, that is the time to a mean return of 475.


# %%
def seconds_a_step(train, config):
    """Processor time of a short run, divided by its environment steps."""
    started = time.process_time()
    train(config)
    return (time.process_time() - started) / config.total_timesteps


costs = {"TRPO": [], "PPO": []}
for seed in (11, 12, 13):
    costs["TRPO"].append(seconds_a_step(trpo.train, replace(trpo.CARTPOLE, seed=seed, total_timesteps=16 * 1024)))
    costs["PPO"].append(seconds_a_step(ppo.train, replace(ppo.CARTPOLE, seed=seed, total_timesteps=16 * 1024)))

# %%
for name, claims in (("TRPO", measured), ("PPO", measured_ppo)):
    cost, steps = min(costs[name]), claims["figures"]["cartpole/steps_to_475"]["value"]
    print(f"{name:4} {1e6 * cost:4.0f} microseconds a step x {steps:,.0f} steps = {cost * steps:.1f} s of one core")

# %% [markdown]
# That is your machine, now, with three short runs. Here are whole runs from `claims/speed.json`, each timed until 100
# episodes in a row had a mean of at least 475:

# %%
for name, key in (("TRPO", "trpo/cartpole"), ("PPO", "cartpole/ours")):
    timed = load_claims("speed")["summary"][key]
    low, high = timed["seconds_interval"]
    print(
        f"{name:4} median of {timed['runs']} runs: {timed['median_steps']:,.0f} steps, "
        f"{timed['median_seconds']:.1f} s [{low:.1f}, {high:.1f}]"
    )

# %% [markdown]
# A Fisher-vector product is two forward and two backward passes over the whole batch, and an update makes up to eleven
# of them, before the critic's twenty steps. In CartPole a step of the environment takes next to no time, and the
# updates are what you wait for. Where a step is a second of a robot's time, count environment steps only; then methods that
# reuse old data come into question (unit 05).

# %% [markdown]
# ### 8.3 What else differs · further
#
# | | TRPO | PPO |
# |---|---|---|
# | the policy's step | one, natural gradient, length from the limit | many, Adam, length from a learning rate |
# | keeps near the old policy by | refusing a step beyond `max_kl` | zero gradient for rows beyond the clip |
# | bound on the mean KL | hard, on the batch | none (section 3.1 of unit 04) |
# | minibatches | no: direction and check need the whole batch | yes |
# | policy and critic in one network | awkward: $F$ knows only the policy's part of it | usual |
# | dropout, noise in the network | no: `old` and `new` have to be comparable | said to be possible; as measured in lesson 07 (5.3), CartPole is learned and Pendulum is not |
# | code | about 150 lines, with second derivatives | a loop around A2C's loss with two more lines | {{# design}}
#
# The last four rows are, more or less, the reasons that PPO's authors gave for writing it. {{# cited}}

# %% [markdown]
# ## 9. Watch it learn · further

# %%
result, policies = stages.train_with_stages(
    trpo.train, replace(trpo.CARTPOLE, seed=7, total_timesteps=70 * 1024), at=(0, 15_000), by="env_step"
)

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["cartpole"], label="ten measured runs", colour="trpo")
smooth = moving_average(result.episodes["episodic_return"], 100)
ax.plot(result.episodes["env_step"], smooth, color=plots.COLOURS["learner"], label="your run")
ax.set(xlabel="environment steps", ylabel="return, moving average of 100 episodes", ylim=(0, 510), xlim=(0, 120_000))
ax.set_xticks([0, 40_000, 80_000, 120_000], ["0", "40,000", "80,000", "120,000"])
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="The live run's learning curve up to 70,000 steps, on the band of ten measured runs.",
    caption="The band is for the mean of ten runs; a single one climbs in jumps around it.",
)

# %% jupyter={"source_hidden": true}
watch(
    policies,
    "CartPole-v1",
    seed=1,
    caption="The same held-out start states for all, at true speed. Push them and see who recovers.",
)

# %% [markdown]
# ## 10. Your experiment: a limit of 0.1
#
# Change one thing, `max_kl=0.1`, and run three seeds beside the measured band of the version with 0.01. Then write
# down *in your own words*, before you unfold the answer: what does the right panel say about how the runs use the room, and why
# does more room not lead to more learning? {{# question}}

# %%
changed = replace(trpo.CARTPOLE, max_kl=0.1, total_timesteps=60 * 1024)  # change me
runs = run_seeds({"wider": changed}, seeds=range(3), progress=False)["wider"]

# %% jupyter={"source_hidden": true}
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.8)
plots.claimed_band(left, measured["curves"]["cartpole"], label="limit 0.01, ten seeds", colour="trpo", style="-")
plots.claimed_band(right, measured["curves"]["cartpole/losses/approx_kl"], label="0.01", colour="trpo", style="-")
for number, run in enumerate(runs):
    look = {"color": "#000000", "linestyle": ["-", "--", ":"][number % 3], "linewidth": 1.3}
    left.plot(
        run.episodes["env_step"],
        moving_average(run.episodes["episodic_return"], 100),
        label=f"yours, seed {run.seed}",
        **look,
    )
    right.plot(run.metrics["charts/env_step"], moving_average(run.metrics["losses/approx_kl"], 5), **look)
right.axhline(changed.max_kl, color=plots.COLOURS["threshold"], linestyle=(0, (1, 3)))
left.set(ylabel="return, moving average of 100 episodes", ylim=(0, 510))
right.set(ylabel="KL of the update [nats]", yscale="log")
for ax in (left, right):
    ax.set(xlabel="environment steps", xlim=(0, 62_000), xticks=[0, 30_000, 60_000])
    ax.set_xticklabels(["0", "30,000", "60,000"])
left.legend(loc="upper left", fontsize=9)
page.figure(
    figure,
    alt="Left: three learning curves with a limit of 0.1 on the band of the usual one. Right: the divergence of their updates, on a "
    "logarithmic axis, several times that of the usual version and below the dotted limit.",
    caption="Left: return. Right: how far an update goes, logarithmic, averaged over five updates; the dotted line is your limit.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The updates do use the room: over ten seeds their mean KL is {{larger | trpo:kl_01/kl > trpo:cartpole/kl}}, {{trpo:kl_01/kl}}
# thousandths of a nat against {{trpo:cartpole/kl}}, and none is above its limit. Over ten seeds and 120,000 steps {{fewer |
# trpo:kl_01/ends_above_475/count < trpo:cartpole/ends_above_475/count}} end above 475 than with the usual limit.
#
# The line search looks at the same batch as the gradient. An update fits the
# advantages of a thousand rows. The further it goes, the more of what it fits is that batch's noise, and the more the
# states of the next batch differ from those for which the surrogate was right (section 2.2 of [lesson
# 04](04_ppo.ipynb)). {{# mathematics}}
#
# </details>

# %% [markdown]
# ## 11. A patient
#
# Someone's TRPO runs without an error, and its constraint holds in every update. It learns, and not well. Settings are
# those of `trpo.CARTPOLE`. Here are its panels over ten seeds, beside the healthy version. Symptom first: what do you
# see, and which part could do this?

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
panels = {
    "": "episodic return",
    "/losses/approx_kl": "KL of the update [nats]",
    "/charts/step_accepted": "share of updates with a step",
}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour, style in (("cartpole", "healthy", "trpo", "-"), ("patient", "patient", "#000000", "--")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour, style=style)
    ax.set(xlabel="environment steps", ylabel=label, xlim=(0, 120_000), xticks=[0, 60_000, 120_000])
    ax.set_xticklabels(["0", "60k", "120k"])
axes[1].set_ylim(0, 0.0105)
axes[2].set_ylim(0, 1.05)
axes[0].legend(loc="lower right")
page.figure(
    figure,
    alt="Three panels for patient and healthy version: the patient's return levels off above 300; the divergence of its updates is "
    "the healthy one at first and falls to less than half; so does the share of its updates that make a step at all, which is 1 in the "
    "healthy version throughout.",
    caption="A point is the mean of five updates and ten seeds. A refused update counts as KL 0 in the middle panel.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "08-patient",
    "Which of these explains all three panels?",
    [
        "Conjugate gradient is called with minus g: a sign is lost on the way",
        "The limit is ten times too small, so that every update is cut short",
        "F v is always 0, since both arguments of the KL carry gradients",
        "The critic does not learn, so that the advantages are only noise",
    ],
    answer=2,
    reasons=[
        "Then every direction would lead down, and every step would be refused, from the first update on.",
        "Then the KL would be a tenth of the healthy one from the first update on.",
        "Right. Only the damping is left: the direction is the plain gradient, with the same proposed length in every update. Where the policy is sensitive "
        "that length is far too long; the search tries ten lengths and gives up.",
        "Noisy advantages still give directions that improve the surrogate of their own batch: the steps would be taken.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# def fisher_vector_product(policy, obs, vector, *, damping):
#     kl = kl_divergence(policy(obs), policy(obs)).mean()      # no torch.no_grad() around the first one
#     ...
# ```
#
# Both arguments are the policy that is being differentiated. Their divergence is 0 at *every* $\theta$, a constant, and
# all of its derivatives are 0. What comes back is `damping * vector`. So $A = 0.1\, I$, conjugate gradient is done after one
# iteration with $x = g / 0.1$, and (5) gives a step of length $\sqrt{2 \delta_{\text{KL}} / 0.1}$, whatever the batch: 0.45 here. In
# section 4.5 the plain gradient's step was 0.05 long. The line search shortens the step to 0.8 of its
# length up to nine times, to 0.06 at the shortest. Where even that is too long, the update is lost: the share of updates with a
# step is {{smaller | trpo:patient/accepted < trpo:cartpole/accepted}}, and training ends
# {{lower | trpo:patient/last_100 < trpo:cartpole/last_100}}, at {{trpo:patient/last_100}}. {{# mathematics}}
#
# The cure is `torch.no_grad()` (or `.detach()`) for the old distribution. A test finds it at once: with `damping=0` every
# product is 0. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## 12. Common mistakes, and how they look · further
#
# The first five were put into `trpo.CARTPOLE`: ten seeds of 40 updates. Return means that of the last 100 episodes; healthy:
# {{trpo_mistakes:healthy/last_100}}, with a mean KL of {{trpo_mistakes:healthy/kl}} thousandths of a nat. TRPO forgives much,
# since every step goes through a check. That protects the policy, and hides the mistake.
#
# | mistake | what you see |
# |---|---|
# | $F x = -g$ solved instead of $F x = g$: a sign lost between loss and objective | every update is refused: KL {{trpo_mistakes:sign/kl.value}}, return {{lower | trpo_mistakes:sign/last_100 < trpo_mistakes:healthy/last_100}}, {{trpo_mistakes:sign/last_100}}. `charts/step_accepted` tells you |
# | the root in (5) forgotten | {{no difference | trpo_mistakes:no_root/last_100 ~ trpo_mistakes:healthy/last_100}} in the return: on CartPole the number under the root happens to be of the size of 1, or too long a step is shortened. A test of `step_scale` with known numbers finds it |
# | the 2 in (5) forgotten | KL {{smaller | trpo_mistakes:no_two/kl < trpo_mistakes:healthy/kl}}, {{trpo_mistakes:no_two/kl}}: compare it with `max_kl`. Return {{lower | trpo_mistakes:no_two/last_100 < trpo_mistakes:healthy/last_100}}, {{trpo_mistakes:no_two/last_100}} |
# | `old` computed again inside `evaluate`, after the step: the KL is always 0, and nothing is refused for it | {{no difference | trpo_mistakes:blind_search/last_100 ~ trpo_mistakes:healthy/last_100}} in the return, as long as the whole step is allowed anyway (section 7.3) |
# | weights not put back when no step qualifies | {{no difference | trpo_mistakes:kept/last_100 ~ trpo_mistakes:healthy/last_100}}: nothing happens until the first refused update; then the policy stays at the last length that was tried |
# | `create_graph=True` forgotten | autograd refuses the second backward pass |
# | the divergence taken the other way round, $\text{KL}(\pi \,\|\, \pi_{\text{old}})$ | the same $F$ (both have the Fisher information as their Hessian at $\theta_{\text{old}}$), and a check of another quantity that is nearly equal for small steps |
# | $F$ from the scores of the *taken* actions times their advantages | another matrix, which contains rewards: it does not measure a distance between policies {{# mathematics}} |
# | judging by the surrogate's improvement | it is positive in every accepted update, by construction {{# design}} |

# %% [markdown]
# ## 13. Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "08-quiz-hard",
    "What keeps an update of TRPO within max_kl?",
    [
        "A penalty on the KL divergence with a large weight",
        "A Lagrange multiplier that is adapted in training",
        "A check that refuses each step above the limit",
        "The clipped norm of the policy's gradient",
    ],
    answer=2,
    reasons=[
        "There is no penalty in the objective. It would need a weight, and give a distance that nobody chose.",
        "A multiplier appears in the derivation and is solved for in closed form. Nothing is adapted.",
        "Right. The formula for the length aims at the limit, the line search makes sure of it.",
        "The policy's gradient is not clipped: its size cancels in the length of the step.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "08-quiz-cg",
    "A = F + 0.1 I has 4,610 rows, and only 4 eigenvalues that are not exactly 0.1. How many iterations does conjugate gradient need?",
    ["4,610", "at most 5", "about 68", "exactly 1"],
    answer=1,
    reasons=[
        "That is the bound for 4,610 different eigenvalues.",
        "Right: 5 different eigenvalues (four, and 0.1), and a polynomial of degree 4 that is right at all five.",
        "That is the root of 4,610, which plays no part in the count.",
        "One is enough where all eigenvalues are equal.",
    ],
)

# %% [markdown]
# ## 14. What to remember
#
# 1. TRPO maximises the surrogate within a KL limit. The limit is hard: a line search refuses what lies outside.
# 2. To second order the KL divergence is $\tfrac12 \Delta^\top F \Delta$ with the Fisher information $F$, and the solution lies
#    along $F^{-1} g$, the natural gradient.
# 3. $F v$ is the gradient of $(\nabla \bar D)^\top v$: two backward passes, and no matrix.
# 4. Conjugate gradient solves $F x = g$ from such products, in at most as many iterations as there are different eigenvalues;
#    with damping few are enough.
# 5. A constraint that holds does not make a good step (section 7.1). With everything else equal,
#    {{no difference is seen | trpo:clipped_step/steps_to_475 ~ trpo:cartpole/steps_to_475}} between PPO's and TRPO's policy step
#    on CartPole.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/08_trpo.ipynb) build conjugate gradient, the
# Fisher-vector product, the length of the step and the line search, and then train CartPole with *your* functions.

# %% [markdown]
# ## Further reading · further
#
# - J. Schulman, S. Levine, P. Moritz, M. Jordan and P. Abbeel (2015), *Trust region policy optimization*, ICML. Theorem 1 is
#   the bound of section 1.3, section 4 its relaxation, appendix C the Fisher-vector product and conjugate gradient.
# - S. Kakade (2002), *A natural policy gradient*, NIPS. Section 2: the definition for policies, and why it does not depend on
#   the parameters.
# - S. Amari (1998), *Natural gradient works efficiently in learning*, Neural Computation 10. Sections 2 and 3: steepest descent
#   where distance is not Euclidean.
# - J. Peters and S. Schaal (2008), *Natural actor-critic*, Neurocomputing 71. What a critic has to look like for the natural
#   gradient to come for free.
# - M. Hestenes and E. Stiefel (1952), *Methods of conjugate gradients for solving linear systems*. The original.
# - J. Shewchuk (1994), *An introduction to the conjugate gradient method without the agonizing pain*. Section 4 of this lesson
#   at length, with many pictures.
# - J. Martens (2020), *New insights and perspectives on the natural gradient method*, JMLR 21. The long answer: Fisher
#   against empirical Fisher, damping, and how far invariance goes.
# - Y. Wu, E. Mansimov, R. Grosse, S. Liao and J. Ba (2017), *Scalable trust-region method for deep reinforcement learning using
#   Kronecker-factored approximation*, NIPS. The same step with an approximate $F$ that is cheap to invert.
# - Y. Duan, X. Chen, R. Houthooft, J. Schulman and P. Abbeel (2016), *Benchmarking deep reinforcement learning for continuous
#   control*, ICML. TRPO beside natural gradient without a line search, in table 1.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. PPO's details given to TRPO, and taken
#   from PPO.
