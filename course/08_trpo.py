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
# # 08 TRPO: the largest step that stays inside (optional)
#
# PPO takes away a row's reason to go too far, and hopes that this is enough. Trust region policy optimisation, two
# years older, does what its name says. It draws a region around the old policy, looks for the best step inside it, and
# refuses a step that ends outside. The price is a matrix of second derivatives with millions of entries. You will work
# with that matrix without ever writing it down.
#
# **After this lesson you will be able to**
#
# 1. state the constrained problem, and say what enforces the constraint (it is no penalty, and no learned multiplier);
# 2. derive the natural gradient from a quadratic model of the KL divergence, and show what it does not depend on;
# 3. multiply a vector by the Fisher matrix with two backward passes;
# 4. derive conjugate gradient, do two iterations by hand, and say why ten are enough for thousands of weights;
# 5. compare TRPO with PPO fairly, in environment steps and in seconds, and say what the difference is made of.
#
# **You need** [lesson 04](04_ppo.ipynb) (surrogate, ratio, KL divergence), matrices, and eigenvalues of a symmetric
# matrix. Nothing in the course builds on this unit. **Time:** about 60 minutes to read and play; all cells together
# run in about half a minute on two cores.
#
# The numbers in the text come from `claims/trpo.json` and `claims/ppo.json`: ten training runs of each version,
# measured with this package. *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap
# interval.

# %%
import copy
import tempfile
import textwrap
import time
from dataclasses import replace

import numpy as np
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.func import functional_call, grad, vmap

from pgcourse import losses, natural_gradient, ppo, trpo
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import adam, seeded
from pgcourse.show import page, questions
from pgcourse.show.figures import conjugate_gradient as conjugate, curves as plots, trust_region as natural
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.statistics import moving_average
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.seeds import run_seeds

torch.set_num_threads(1)  # small networks run faster on one thread
measured, measured_ppo = load_claims("trpo"), load_claims("ppo")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends

# %%
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
    caption="CartPole, ten seeds each, moving average of 100 episodes, 95 % bands. TRPO has no learning rate for its policy: the "
    "one number that it is given is how far the policy may move, 0.01 nats. By the end of the lesson you can say where the gap comes "
    "from. It is not where the name says.",
)

# %% [markdown]
# ## 1. The problem, stated as it is meant
#
# ### 1.1 Best inside the region
#
# Lesson 04 ended its search for a safe step with an incentive. Here is the question that it stood for. Of all policies
# whose mean KL divergence from the old one is at most $\delta$, which has the highest surrogate?
#
# $$
# \max_\theta\; L(\theta) = \mathbb{E}\big[ r(\theta) A \big]
# \qquad \text{subject to} \qquad
# \bar D(\theta) = \mathbb{E}_s\big[ \text{KL}\big(\pi_{\text{old}}(\cdot \mid s) \,\|\, \pi_\theta(\cdot \mid s)\big) \big] \le \delta. \tag{1}
# $$
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\theta, \theta_{\text{old}}$ | the policy's weights, now and when the batch was collected | `parameters_to_vector(...)`, `start` | `[P]` |
# | $x = \theta - \theta_{\text{old}}$ | the step | `step` | `[P]` |
# | $r_i, A_i$ | probability ratio and advantage of row $i$ | inside `losses.ppo_clip_loss` with `clip_coef=None` | `[B]` |
# | $g = \nabla L(\theta_{\text{old}})$ | gradient of the surrogate: the policy gradient | `-gradient` | `[P]` |
# | $\bar D(\theta)$ | mean KL divergence over the batch's states | `kl_divergence(old, new).mean()` | scalar, nats |
# | $F$ | Hessian of $\bar D$ at $\theta_{\text{old}}$ | no tensor: only products `fisher(vector)` | `[P, P]` |
# | $s$ | solution of $F s = g$: the natural gradient | `direction` | `[P]` |
# | $\delta$ | the limit | `max_kl` | 0.01 nats |
#
# $P$ is the number of weights, $B$ the number of rows. $\bar D$ is not estimated from the actions that were taken, as
# k3 of lesson 04 is. At each state of the batch the two distributions are known, and their divergence is a formula.
#
# Why a divergence of policies, and not a distance between weights? Because the same change of a weight can be nothing
# or everything. Take a policy with a single weight, the logit of its one interesting action, and move it by 1:

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
# | penalty | $\max L - \beta \bar D$ | $\beta$. Which distance a $\beta$ gives depends on the size of the advantages and on the policy, so it changes during training |
# | learned multiplier | the same, with $\beta$ raised where $\bar D$ was above the target and lowered where it was below | the target and a rule. The constraint holds on average, and after a while |
# | hard constraint | (1) as it stands | $\delta$, in nats |
#
# TRPO is the third. A Lagrange multiplier will turn up in section 2.3, in a small problem that is solved with a
# pencil, and cancel. What makes the constraint hold in training is a check: the divergence of each candidate step is
# computed, and a candidate above the limit is refused.
#
# ### 1.3 What theory promises, and what is used
#
# The paper proves a bound. With $A_{\max}$ the largest $|A|$ over all states and actions,
#
# $$
# J(\pi) \;\ge\; J(\pi_{\text{old}}) + \frac{1}{1-\gamma}\, \mathbb{E}_{\text{old}}[ r A ] - \frac{4 \gamma A_{\max}}{(1-\gamma)^2}\, \max_s \text{KL}\big(\pi_{\text{old}}(\cdot \mid s) \,\|\, \pi(\cdot \mid s)\big),
# $$
#
# where the expectation is over the old policy's discounted states. Make the right side larger than
# $J(\pi_{\text{old}})$, and improvement is *guaranteed*. How far may a policy go with that guarantee? Suppose a step
# promises an $\mathbb{E}[rA]$ of one percent of $A_{\max}$:

# %%
gain, gamma = 0.01, 0.99  # the gain as a share of the largest advantage
print(f"guaranteed up to a KL of {gain * (1 - gamma) / (4 * gamma):.1e} nats, in the worst state")
print(f"TRPO here: {trpo.CARTPOLE.max_kl} nats, on average over states")

# %% [markdown]
# Nobody has time for such steps. TRPO takes the *form* from the theory and leaves the constant. What is changed or
# approximated on the way to code:
#
# - the penalty becomes a constraint, with a $\delta$ that was found by trying;
# - the maximum over states becomes a mean over the states of the batch;
# - states come from the old policy, and advantages from GAE with a critic (as in lesson 04). They are standardised, so
#   $L$ has no unit;
# - $\gamma^t$ is dropped (as in [lesson 01](01_reinforce.ipynb));
# - (1) is solved through a linear model of $L$ and a quadratic one of $\bar D$, and not to the end.
#
# The last line is the rest of this lesson.

# %% [markdown]
# ## 2. The natural gradient
#
# ### 2.1 Two models
#
# Near $\theta_{\text{old}}$ a smooth function is its Taylor series. For $L$, keep the first term that changes:
# $L(\theta_{\text{old}} + x) \approx L(\theta_{\text{old}}) + g^\top x$. For $\bar D$ the first terms vanish. A
# divergence is 0 at $x = 0$ and nowhere negative, so $x = 0$ is a minimum, and its gradient is 0 there. The first term
# left is the quadratic one:
#
# $$
# \bar D(\theta_{\text{old}} + x) \approx \tfrac12\, x^\top F x, \qquad F = \nabla^2 \bar D(\theta_{\text{old}}). \tag{2}
# $$
#
# ### 2.2 The Hessian is the Fisher information
#
# Take one state, write $\pi$ for $\pi_\theta(a \mid s)$, and differentiate the divergence twice. Only $\log \pi_\theta$
# depends on $\theta$:
#
# $$
# \nabla^2\, \text{KL} = \nabla^2 \sum_a \pi_{\text{old}} \big( \log \pi_{\text{old}} - \log \pi \big) = - \sum_a \pi_{\text{old}}\, \nabla^2 \log \pi .
# $$
#
# The second derivative of a logarithm is
#
# $$
# \nabla^2 \log \pi = \nabla \Big( \frac{\nabla \pi}{\pi} \Big) = \frac{\nabla^2 \pi}{\pi} - \frac{\nabla \pi\, \nabla \pi^\top}{\pi^2}
# = \frac{\nabla^2 \pi}{\pi} - \nabla \log \pi\, \nabla \log \pi^\top .
# $$
#
# Put it in, at $\theta = \theta_{\text{old}}$, where $\pi_{\text{old}} / \pi = 1$:
#
# $$
# F = - \underbrace{\nabla^2 \sum_a \pi}_{\nabla^2 1 \,=\, 0} + \sum_a \pi\, \nabla \log \pi\, \nabla \log \pi^\top
# = \mathbb{E}_a\big[ \nabla \log \pi\, \nabla \log \pi^\top \big]. \tag{3}
# $$
#
# Then average over the states. So $F$ is made of scores, the vectors of lesson 01: it is the covariance of the score
# (whose mean is 0), called the **Fisher information**. Two things follow at once. $x^\top F x = \mathbb{E}[(x^\top
# \nabla \log \pi)^2] \ge 0$, so $F$ has no negative eigenvalue. And it is 0 for every direction that changes no
# probability on the batch. There are such directions in every softmax policy: raise the biases of all logits together.
#
# See all of it on a policy small enough to write $F$ down: four observations, two logits, no hidden layer, 10 weights.

# %%
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


# %%
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
# observations and the bias) the two logits can be raised together, and nothing happens. A singular $F$ cannot be
# inverted. That is what **damping** is for: TRPO works with $F + cI$, $c = 0.1$ here, whose eigenvalues are all at
# least $c$. It also makes steps in nearly flat directions shorter, where the quadratic model has little to go by.
#
# ### 2.3 The best step, with a pencil
#
# With both models, problem (1) is
#
# $$
# \max_x\; g^\top x \quad \text{subject to} \quad \tfrac12 x^\top F x \le \delta .
# $$
#
# A linear function has no maximum of its own, so the best point lies on the edge. On it the gradients of objective and
# constraint are parallel (else a move along the edge would still gain): $g = \lambda F x$ with a number $\lambda > 0$,
# the Lagrange multiplier. So $x = s / \lambda$, where $s$ solves
#
# $$
# F s = g. \tag{4}
# $$
#
# The constraint gives the rest: $\tfrac12 x^\top F x = \tfrac{1}{2 \lambda^2}\, s^\top F s = \delta$, so $1/\lambda =
# \sqrt{2 \delta / s^\top F s}$ and
#
# $$
# x = \sqrt{\frac{2 \delta}{s^\top F s}}\; s. \tag{5}
# $$
#
# The multiplier is gone, solved for in closed form. The direction $s = F^{-1} g$ is the **natural gradient** (Amari
# 1998; Kakade 2002 for policies). The root is its length, and note what it does to the scale of $g$: double the
# advantages, and $s$ doubles, $s^\top F s$ is four times as large, and $x$ stays the same. There is no learning rate.

# %%
page.source(
    natural_gradient.step_scale,
    folded="equation (5) in the package; open it after you have written your own (exercise 3)",
)

# %% [markdown]
# ### 2.4 See it
#
# A Gaussian policy with two parameters, mean and log std, in one state; the closer the action to 1, the better. On
# the left: all policies at the same KL divergence from the old one (black), the ellipse of the quadratic model (2),
# and two steps to the ellipse's edge. On the right: the policies that the two steps lead to.

# %%
widgets.explore(
    natural.trust_region,
    alt="Left: in the plane of mean and log std, a black egg-shaped curve of equal divergence, a dashed ellipse that models it, an "
    "arrow along the gradient and one along the natural gradient, which ends where a line of equal gain touches the ellipse. Right: "
    "the densities of the old policy and of both new ones, and a line at the best action.",
    caption="The natural gradient ends where a line of equal gain touches the ellipse. At std 2 the gradient shrinks std, since that "
    "slope is steep; the natural gradient asks what a change costs, and moves the mean too. Move std to 0.7: the arrows agree, why? Move "
    "the limit up: ellipse and egg part, the model is only good nearby.",
    std=widgets.Slider(0.2, 2.0, 2.0, 0.1, "std of the old policy"),
    max_kl=widgets.Slider(0.01, 0.5, 0.1, 0.01, "max_kl [nats]"),
)

# %% [markdown]
# ### 2.5 What it does not depend on
#
# Write the same policies with other parameters $\varphi$, $\theta = h(\varphi)$, and let $M$ be the Jacobian of $h$.
# The chain rule gives $g_\varphi = M^\top g$ and, since (3) is made of scores, $F_\varphi = M^\top F M$. If $M$ is
# invertible, the natural gradient in the new parameters, carried back to the old ones, is
#
# $$
# M\, F_\varphi^{-1} g_\varphi = M\, M^{-1} F^{-1} M^{-\top} M^\top g = F^{-1} g,
# $$
#
# the same step of the *policy*. The plain gradient gives $M M^\top g$: it depends on how you happened to write the
# network. Check it with the Gaussian, once with log std as its parameter and once with std:


# %%
def new_std(std, *, log_scale, natural_step):
    """std of the policy after a small step, when the second parameter is log std or std itself."""
    gradient = torch.tensor([2.0, -2 * std**2 if log_scale else -2 * std])  # of -(mean - 1)^2 - std^2
    fisher = torch.diag(torch.tensor([1 / std**2, 2.0 if log_scale else 2 / std**2]))
    step = 0.1 * (torch.linalg.solve(fisher, gradient) if natural_step else gradient)
    return std * step[1].exp() if log_scale else std + step[1]


for natural_step in (False, True):
    stds = [new_std(0.3, log_scale=log_scale, natural_step=natural_step) for log_scale in (True, False)]
    name = "natural gradient" if natural_step else "gradient"
    print(f"{name:17} 0.3 becomes {stds[0]:.5f} (parameter log std), {stds[1]:.5f} (parameter std)")

# %% [markdown]
# The small rest in the natural gradient's row is of second order in the step: the invariance is exact for infinitely
# small steps. In a network this is worth something: layers differ in scale, and inputs in units.

# %% [markdown]
# ## 3. A matrix that is never formed
#
# How large is $F$ for CartPole's policy? Take a real batch: the tenth update of a run. `trpo.train` lets you replace
# its policy step (a seam). This one keeps what it was given, and calls the package's.


# %%
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
# Writing it down would take $P$ passes like the one below, and solving (4) by elimination about $P^3/3$
# multiplications, in every update. Neither is needed. Conjugate gradient (section 4) never looks at $F$. It asks for
# products $F v$ with vectors of its choice, and these are cheap.
#
# Let $h(\theta) = \nabla \bar D(\theta)$, a vector `[P]`. Multiply it with a constant $v$: $h^\top v$ is a scalar. Its
# gradient is
#
# $$
# \frac{\partial}{\partial \theta_i} \sum_j h_j v_j = \sum_j \frac{\partial^2 \bar D}{\partial \theta_i\, \partial \theta_j}\, v_j = (F v)_i .
# $$
#
# So: backward once for $h$, keeping the graph of that computation; dot with $v$; backward again. Two passes, whatever
# $P$ is.

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
# - `materialize_grads=True` fills in zeros where a parameter has no influence on $h^\top v$; without it autograd
#   gives `None` there.
# - `damping * vector` is the $cI$ of section 2.2.
#
# Is it right? Against the Hessian that you wrote down above, and against (3) on the real network. With two actions,
# (3) is a sum over rows alone. Let $j_i$ be the gradient of the difference of the two logits in row $i$, and $p_i$ the
# probability of action 1. The scores are $(1 - p_i)\, j_i$ and $-p_i\, j_i$, so the row's expectation is $\big(p_i (1 -
# p_i)^2 + (1 - p_i)\, p_i^2\big)\, j_i j_i^\top = p_i (1 - p_i)\, j_i j_i^\top$, and
#
# $$
# F = M^\top M, \qquad \text{row } i \text{ of } M = \sqrt{p_i (1 - p_i) / B}\;\, j_i \quad [B, P].
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
with seeded(0):
    v_tiny, v = torch.randn(len(theta)), torch.randn(num_parameters)
product = natural_gradient.fisher_vector_product(tiny, obs, v_tiny, damping=0.0)
print(f"tiny policy: largest difference to the Hessian times v {(product - hessian @ v_tiny).abs().max():.1e}")
product = natural_gradient.fisher_vector_product(policy, batch.obs, v, damping=0.0)
exact = m.T @ (m @ v.double())
print(f"CartPole's policy: relative difference to M^T M v {(product - exact).norm() / exact.norm():.1e}")

# %% [markdown]
# ## 4. Conjugate gradient
#
# The task: solve $A x = b$ for a symmetric, positive definite $A$ of which you only know products $A v$. Here $A = F +
# cI$ and $b = g$. This section derives the method completely; its letters $x$, $r$ and $p$ are its own.
#
# ### 4.1 Solving is minimising
#
# Let $f(x) = \tfrac12 x^\top A x - b^\top x$. Its gradient is $A x - b$, and it has one minimum, where $A x = b$. The
# negative gradient $r = b - A x$ is called the **residual**: what is still missing.
#
# Along a direction $p$, $f$ is a parabola: $f(x + \alpha p) = f(x) - \alpha\, p^\top r + \tfrac12 \alpha^2 p^\top A p$.
# Its lowest point is at
#
# $$
# \alpha = \frac{p^\top r}{p^\top A p}. \tag{6}
# $$
#
# **Steepest descent** takes $p = r$, always straight downhill. After a step of the best length the new
# residual is orthogonal to the old one. In two dimensions that leaves two directions, taken by turns: in a narrow
# valley steepest descent zigzags, and neither direction is ever done with.
#
# ### 4.2 Directions that do not disturb each other
#
# Suppose you had directions $p_0, p_1, \dots$ with $p_i^\top A p_j = 0$ for $i \ne j$. Such directions are called
# **conjugate**. Put $x = \sum_i \alpha_i p_i$ into $f$, and all mixed terms vanish:
#
# $$
# f\Big(\sum_i \alpha_i p_i\Big) = \sum_i \Big( \tfrac12 \alpha_i^2\, p_i^\top A p_i - \alpha_i\, p_i^\top b \Big).
# $$
#
# $P$ separate parabolas. Each can be minimised once and for all, whatever the others do, and after at most $P$ of them
# you stand at the minimum. Nothing is ever undone. In particular, after $k$ directions $x_k$ is the lowest point
# that *any* combination of them reaches. So the gradient there has no part along them:
#
# $$
# r_k^\top p_j = 0 \quad \text{for } j < k. \tag{7}
# $$
#
# ### 4.3 Where the directions come from
#
# Start with $p_0 = r_0 = b$ (at $x_0 = 0$). Later, take the new residual and remove what is not conjugate to the
# directions so far. It turns out that only the last one is in the way:
#
# $$
# p_{k+1} = r_{k+1} + \beta_k\, p_k .
# $$
#
# Why? Each $p_j$ is made of residuals and each residual of $p$'s ($r_j = p_j - \beta_{j-1} p_{j-1}$), so (7) says that
# residuals are orthogonal to each other: $r_{k+1}^\top r_j = 0$ for $j \le k$. And a step changes the residual by a
# product with $A$:
#
# $$
# r_{j+1} = b - A (x_j + \alpha_j p_j) = r_j - \alpha_j A p_j
# \quad\Longrightarrow\quad
# r_{k+1}^\top A p_j = \frac{r_{k+1}^\top r_j - r_{k+1}^\top r_{j+1}}{\alpha_j} .
# $$
#
# For $j < k$ both terms are 0: the new residual is conjugate to all older directions already. For $j = k$ it is
# $-\lVert r_{k+1} \rVert^2 / \alpha_k$. Choose $\beta_k$ so that $p_{k+1}^\top A p_k = 0$:
#
# $$
# \beta_k = - \frac{r_{k+1}^\top A p_k}{p_k^\top A p_k} = \frac{\lVert r_{k+1} \rVert^2}{\alpha_k\, p_k^\top A p_k} = \frac{\lVert r_{k+1} \rVert^2}{\lVert r_k \rVert^2},
# $$
#
# where the last step uses (6): $p_k^\top r_k = \lVert r_k \rVert^2$, since $p_k = r_k + \beta_{k-1} p_{k-1}$ and $r_k$
# is orthogonal to $p_{k-1}$. The same makes $\alpha_k = \lVert r_k \rVert^2 / p_k^\top A p_k$. No old direction has to
# be kept. All of it, from $x = 0$ and $r = p = b$: $\alpha$, then $x \leftarrow x + \alpha p$ and $r \leftarrow r - \alpha A p$,
# then $\beta$ and $p \leftarrow r + \beta p$. One product with $A$ an iteration, four vectors of memory. The method stops
# when the residual is small, or after a number of iterations.

# %%
page.source(
    natural_gradient.conjugate_gradient,
    folded="conjugate gradient in the package; open it after you have written your own (exercise 1)",
)

# %% [markdown]
# There, `squared` is $\lVert r_k \rVert^2$, `product` is $A p_k$, `step` is $\alpha_k$, `squared / previous` is $\beta_k$.
#
# ### 4.4 By hand
#
# $A = \begin{pmatrix} 3 & 1 \\ 1 & 2 \end{pmatrix}$, $b = \begin{pmatrix} 5 \\ 5 \end{pmatrix}$. The solution is $(1,
# 2)$. Start at $x_0 = 0$, so $r_0 = p_0 = (5, 5)$.
#
# | | iteration 0 | iteration 1 |
# |---|---|---|
# | $\lVert r_k \rVert^2$ | $50$ | $50/49$ |
# | $p_k$ | $(5, 5)$ | $r_1 + \tfrac{1}{49} p_0 = (-\tfrac{30}{49}, \tfrac{40}{49})$ |
# | $A p_k$ | $(20, 15)$ | $(-\tfrac{50}{49}, \tfrac{50}{49})$ |
# | $p_k^\top A p_k$ | $175$ | $\tfrac{3500}{49^2}$ |
# | $\alpha_k$ | $\tfrac{50}{175} = \tfrac27$ | $\tfrac{50}{49} \cdot \tfrac{49^2}{3500} = \tfrac{7}{10}$ |
# | $x_{k+1}$ | $(\tfrac{10}{7}, \tfrac{10}{7})$ | $(\tfrac{10}{7} - \tfrac37,\; \tfrac{10}{7} + \tfrac47) = (1, 2)$ |
# | $r_{k+1}$ | $(5 - \tfrac{40}{7},\; 5 - \tfrac{30}{7}) = (-\tfrac57, \tfrac57)$ | $(0, 0)$ |
# | $\beta_k$ | $\tfrac{50/49}{50} = \tfrac{1}{49}$ | done |
#
# Two weights, two iterations. The package's function goes the same way:

# %%
a_hand, b_hand = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([5.0, 5.0])  # change me
print("conjugate gradient:", conjugate.conjugate_gradient_path(a_hand, b_hand, iterations=2).round(4).tolist())
print("steepest descent:  ", conjugate.steepest_descent_path(a_hand, b_hand, iterations=5).round(4).tolist())

# %% jupyter={"source_hidden": true}
valley = conjugate.valley(50.0, 20.0)
target = valley @ np.array([3.0, 1.0])
descent = conjugate.relative_residuals(conjugate.steepest_descent_path(valley, target, 200), valley, target)
questions.predict(
    "08-iterations",
    "Two weights, and a valley that is 50 times as steep across as along, its floor turned by 20 degrees. How many iterations until the "
    "residual is below a hundredth of what it was at the start?",
    [
        "Both methods need 2: there are only two weights",
        "Conjugate gradient needs 2, steepest descent about 100",
        "Both need about 50, the ratio of the slopes",
        "Conjugate gradient needs 2, steepest descent 4 or 5",
    ],
    answer=1,
    explanation=f"Conjugate gradient is done after 2, whatever the valley looks like. Steepest descent needs {int(np.argmax(descent < 0.01))} "
    "here. Turn the valley below: at most angles it needs fewer than ten, since from this start it happens to look along the floor "
    "early on. So the last answer is right for another angle. With thousands of weights you cannot be lucky in all directions.",
)

# %%
widgets.explore(
    conjugate.paths,
    alt="Left: level lines of a narrow valley with two paths from the same start; steepest descent zigzags, conjugate gradient "
    "reaches the solution at its second step. Right: the size of the residual over the iterations, which falls to zero after two for "
    "conjugate gradient and slowly for steepest descent.",
    caption="The first step is the same for both. Then conjugate gradient turns towards the solution. Steepest descent zigzags at some "
    "angles and hardly at others: turn the valley. Then set the steepness to 1, and say why one step is enough.",
    condition=widgets.Slider(1.0, 100.0, 20.0, 1.0, "steepness across / along"),
    angle=widgets.Slider(0, 175, 15, 5, "angle of the valley [degrees]"),
    iterations=widgets.Slider(1, 20, 8, 1, "iterations"),
)

# %% [markdown]
# ### 4.5 Ten iterations for thousands of weights
#
# CartPole's policy has thousands of weights, and TRPO stops after ten iterations. Why is that enough?
#
# After $k$ iterations $x_k$ is the best point among all combinations of $b, A b, \dots, A^{k-1} b$ (each new residual
# brings one more product with $A$, and (7) says that nothing better is left there). So $x_k = q(A)\, b$ with a
# polynomial $q$ of degree $k - 1$, the best one. Split $b$ along the eigenvectors of $A$: the part with eigenvalue
# $\mu$ is solved exactly if $\mu\, q(\mu) = 1$. If $A$ has only $m$ *different* eigenvalues, a polynomial of degree $m
# - 1$ can do that for all of them, and $m$ iterations solve the whole system, however large. Eigenvalues that lie close
# together count almost as one.
#
# Now look at the eigenvalues of the real $F$. $M^\top M$ `[P, P]` and $M M^\top$ `[B, B]` have the same ones, except
# for zeros:

# %%
eigenvalues, vectors = torch.linalg.eigh(m @ m.T)  # [B] ascending, [B, B]
page.figure(
    conjugate.spectrum(eigenvalues.numpy(), num_parameters=num_parameters, damping=config.damping),
    alt="The largest eigenvalues of F on a logarithmic axis: a handful lie above the damping of 0.1, the others fall by many orders of "
    "magnitude.",
    caption="Tenth update of a run on CartPole. With the damping added, all the grey squares are close to 0.1: for conjugate gradient "
    "they are nearly one eigenvalue.",
)


# %%
def residuals(damping, iterations=20):
    """||b - A x|| / ||b|| after 0, 1, ... iterations on the batch's own F and gradient."""
    matvec = lambda v: m.T @ (m @ v) + damping * v  # noqa: E731
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
# A handful of large eigenvalues, and thousands that the damping makes alike: that is why ten iterations do. Stopping
# there costs next to nothing: the figure says how little is left.
#
# What do the iterations buy? After a single one $x$ is a multiple of $b$: the plain gradient, with TRPO's step length.
# For a step (5) along each direction on the way, here is the gain $g^\top x$ that the linear model predicts, and the
# share of the step that lies in the few directions whose eigenvalues are above the damping:

# %%
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
# Look at the predicted gain, and be surprised. The natural gradient points far away from the gradient, and its step is
# twice as long at the same divergence. Yet what it gains *in this update* is less than a tenth more. You would be
# tempted to save the other nine iterations. Section 7.2 does that, over ten seeds.

# %% [markdown]
# ## 5. The line search
#
# Direction and length come from models. The step is taken by the real policy. Walk along the direction of section 4.5
# on the real batch, up to three times the length (5), and look at what is true and what the models say:

# %%
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
def draw_step(max_kl):
    """The models and the truth along the direction, with the lengths that the line search tries."""
    whole = natural_gradient.step_scale(direction, curvature, max_kl=max_kl) * direction
    scales = np.linspace(0, 3, 16)
    gains, divergences = np.array([evaluate(scale * whole) for scale in scales]).T
    along = float((m @ whole.double()).square().sum())  # x^T F x, without the damping
    tried = []

    def watched(step):
        tried.append(float(step.norm() / whole.norm()))
        return evaluate(step)

    natural_gradient.line_search(watched, whole, max_kl=max_kl, backtracks=config.backtracks, shrink=config.shrink)
    return natural.along_step(
        scales,
        kl=divergences,
        quadratic_kl=0.5 * along * scales**2,
        improvement=gains,
        linear_improvement=float(g @ whole) * scales,
        max_kl=max_kl,
        tried=tried,
    )


widgets.explore(
    draw_step,
    alt="Left: divergence against the length of the step, on the batch and in the quadratic model, with the forbidden region above the "
    "limit. Right: improvement of the surrogate, on the batch and in the linear model. Points mark the lengths that were tried.",
    caption="Round: the length that was taken. Crosses: refused. At 0.01 the models are close to the truth at length 1. Raise the "
    "limit, and see which of the two models goes wrong first.",
    max_kl=widgets.Slider(0.01, 0.3, 0.01, 0.01, "max_kl [nats]"),
)

# %% [markdown]
# At length 1 the quadratic model is somewhat *below* the limit. The length (5) is computed with $F + cI$, and damping
# makes the curvature look larger than it is. So the whole step is usually allowed. When the true divergence is above
# $\delta$, or when the surrogate did not improve, the step is shortened to 0.8 of its length and tried again, ten
# times at most. If no length qualifies, the policy stays where it was, bit for bit.

# %%
page.source(
    natural_gradient.line_search,
    folded="the search in the package; open it after you have written your own (exercise 4)",
)

# %% [markdown]
# This is what makes the constraint **hard**. Whatever the models said, whatever the damping was, no update leaves a
# policy more than $\delta$ away, on average over the batch's states.
#
# ## 6. The whole step
#
# You have now seen every part. Here they are together:

# %%
page.source(trpo.policy_step)

# %% [markdown]
# 1. **Gradient.** The unclipped surrogate (the clipped loss with `clip_coef=None`), differentiated once. It is a loss, so its
#    gradient is $-g$, and the equation is solved for `-gradient`.
# 2. **Direction.** Conjugate gradient on `fisher`, at most 10 products.
# 3. **Length.** One more product for $s^\top (F + cI)\, s$, and the root of (5).
# 4. **Search.** A forward pass for each length that is tried.
# 5. **Last call of `evaluate`**: it leaves the policy at the accepted step (zeros: where it was) and gives the metrics.
#
# There is no optimiser for the policy, no momentum and no learning rate. The critic is fitted as before: 20 steps of
# Adam on the whole batch. Around it, `trpo.train` is the loop of units 03 and 04. Settings for CartPole:

# %%
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
questions.predict(
    "08-no-search",
    "Take the line search away: every update makes the whole step that the quadratic model asks for, whatever it does. What will ten "
    "seeds show?",
    [
        "Most runs break down sooner or later",
        "It learns faster, since no step is shortened",
        "No difference that ten seeds could show",
        "The KL divergence grows from update to update",
    ],
    answer=2,
    explanation=f"A mean of 475 comes after {quote('trpo:no_line_search/steps_to_475')} steps, with the line search after "
    f"{quote('trpo:cartpole/steps_to_475')}. At a limit of 0.01 nats the quadratic model is so good that the search has almost nothing "
    "to do. Section 7.3 looks inside.",
)

# %% [markdown]
# "Reach 475" means a mean of 100 episodes in a row of at least 475; *never* in a place means that too many seeds never
# got there for the number to exist. "Held out" is the mean return of 100 episodes from new start states, with the most
# probable action. The KL is the exact one over the batch, after the update.
#
# | change | seeds that reach 475 | steps until then | seeds that end above 475 | last 100 episodes | worst seed, held out | mean KL, first half [0.001 nat] | largest KL of all seeds [0.001 nat] |
# |---|---|---|---|---|---|---|---|
# | TRPO as it is: limit 0.01, 10 iterations, damping 0.1 | {{trpo:cartpole/steps_to_475/count}} of {{trpo:cartpole/steps_to_475/count.n}} | {{trpo:cartpole/steps_to_475}} | {{trpo:cartpole/ends_above_475/count}} | {{trpo:cartpole/last_100}} | {{trpo:cartpole/held_out/worst}} | {{trpo:cartpole/kl}} | {{trpo:cartpole/largest_kl/worst}} |
# | limit 0.003 | {{trpo:kl_0003/steps_to_475/count}} of {{trpo:kl_0003/steps_to_475/count.n}} | {{trpo:kl_0003/steps_to_475}} | {{trpo:kl_0003/ends_above_475/count}} | {{trpo:kl_0003/last_100}} | {{trpo:kl_0003/held_out/worst}} | {{trpo:kl_0003/kl}} | {{trpo:kl_0003/largest_kl/worst}} |
# | limit 0.02 | {{trpo:kl_002/steps_to_475/count}} of {{trpo:kl_002/steps_to_475/count.n}} | {{trpo:kl_002/steps_to_475}} | {{trpo:kl_002/ends_above_475/count}} | {{trpo:kl_002/last_100}} | {{trpo:kl_002/held_out/worst}} | {{trpo:kl_002/kl}} | {{trpo:kl_002/largest_kl/worst}} |
# | limit 0.1 | {{trpo:kl_01/steps_to_475/count}} of {{trpo:kl_01/steps_to_475/count.n}} | {{trpo:kl_01/steps_to_475}} | {{trpo:kl_01/ends_above_475/count}} | {{trpo:kl_01/last_100}} | {{trpo:kl_01/held_out/worst}} | {{trpo:kl_01/kl}} | {{trpo:kl_01/largest_kl/worst}} |
# | 1 iteration: the plain gradient, at TRPO's length | {{trpo:one_cg_iteration/steps_to_475/count}} of {{trpo:one_cg_iteration/steps_to_475/count.n}} | {{trpo:one_cg_iteration/steps_to_475}} | {{trpo:one_cg_iteration/ends_above_475/count}} | {{trpo:one_cg_iteration/last_100}} | {{trpo:one_cg_iteration/held_out/worst}} | {{trpo:one_cg_iteration/kl}} | {{trpo:one_cg_iteration/largest_kl/worst}} |
# | 3 iterations | {{trpo:three_cg_iterations/steps_to_475/count}} of {{trpo:three_cg_iterations/steps_to_475/count.n}} | {{trpo:three_cg_iterations/steps_to_475}} | {{trpo:three_cg_iterations/ends_above_475/count}} | {{trpo:three_cg_iterations/last_100}} | {{trpo:three_cg_iterations/held_out/worst}} | {{trpo:three_cg_iterations/kl}} | {{trpo:three_cg_iterations/largest_kl/worst}} |
# | no damping | {{trpo:no_damping/steps_to_475/count}} of {{trpo:no_damping/steps_to_475/count.n}} | {{trpo:no_damping/steps_to_475}} | {{trpo:no_damping/ends_above_475/count}} | {{trpo:no_damping/last_100}} | {{trpo:no_damping/held_out/worst}} | {{trpo:no_damping/kl}} | {{trpo:no_damping/largest_kl/worst}} |
# | damping 1 | {{trpo:damping_1/steps_to_475/count}} of {{trpo:damping_1/steps_to_475/count.n}} | {{trpo:damping_1/steps_to_475}} | {{trpo:damping_1/ends_above_475/count}} | {{trpo:damping_1/last_100}} | {{trpo:damping_1/held_out/worst}} | {{trpo:damping_1/kl}} | {{trpo:damping_1/largest_kl/worst}} |
# | no line search: the whole step, unchecked | {{trpo:no_line_search/steps_to_475/count}} of {{trpo:no_line_search/steps_to_475/count.n}} | {{trpo:no_line_search/steps_to_475}} | {{trpo:no_line_search/ends_above_475/count}} | {{trpo:no_line_search/last_100}} | {{trpo:no_line_search/held_out/worst}} | {{trpo:no_line_search/kl}} | {{trpo:no_line_search/largest_kl/worst}} |

# %%
PANELS = {
    "kl_0003": "limit 0.003",
    "kl_002": "limit 0.02",
    "kl_01": "limit 0.1",
    "one_cg_iteration": "1 iteration",
    "damping_1": "damping 1",
    "no_line_search": "no line search",
}

# %%
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
# With 0.01 and with 0.003 every seed arrives; the smaller limit takes {{trpo:kl_0003/steps_to_475}} steps. With 0.02,
# no more than {{trpo:kl_002/steps_to_475/count}} of {{trpo:kl_002/steps_to_475/count.n}} seeds get there, and
# {{trpo:kl_002/ends_above_475/count}} end above 475. With 0.1 one seed ends at {{trpo:kl_01/last_100/worst}} and scores
# {{trpo:kl_01/held_out/worst}} on held-out starts, a policy that is gone. And yet **no update of that run was beyond
# its limit**. The constraint bounds how far the policy moves on the states of this batch. It does not bound how wrong
# the advantages are, and a longer step follows more of one batch's noise.
#
# So a policy without a learning rate is not a policy without a setting. The limit is one, and a factor of two matters.
#
# ### 7.2 The direction
#
# **One iteration**, the plain gradient at the length of (5), reaches 475 in
# {{trpo:one_cg_iteration/steps_to_475/count}} of {{trpo:one_cg_iteration/steps_to_475/count.n}} seeds and ends at
# {{trpo:one_cg_iteration/last_100}}. Section 4.5 had given it nearly the same gain, and so it is: measured
# on the batches themselves, in the first half of training, its updates improve the surrogate by
# {{trpo:one_cg_iteration/improvement}} each, TRPO's by {{trpo:cartpole/improvement}}. (They also use more of the
# limit: the damping shortens steps in flat directions most.) It fulfils its promise as well as TRPO does, and learns
# far less. The surrogate of one batch cannot tell you which progress will last.
#
# The last column of section 4.5 suggests why. Nearly all of the plain gradient lies in a few steep directions, those in
# which the policy is most sensitive. There one batch's gain is large, and perhaps much of it is noise that the next
# batch takes back. The natural gradient spends its nats on many flat directions as well; each gains little in one
# update, and what they gain may add up. (This is an explanation, not a measurement. How would you test it?) One thing
# can be seen: the plain gradient's policy stays undecided, with an entropy of {{trpo:one_cg_iteration/end_entropy}}
# nats at the end, against {{trpo:cartpole/end_entropy}}. With its most probable actions it scores
# {{trpo:one_cg_iteration/held_out}} on held-out starts, the worst seed {{trpo:one_cg_iteration/held_out/worst}}; in
# training it samples.
#
# **Three iterations** bring all seeds there, after {{trpo:three_cg_iterations/steps_to_475}} steps.
#
# **Damping** of 1 hides all but the largest eigenvalues of $F$: the direction turns back towards the gradient, and the
# length (5), computed with $F + cI$, falls short of the limit. It needs {{trpo:damping_1/steps_to_475}} steps. **None
# at all** works in {{trpo:no_damping/steps_to_475/count}} of {{trpo:no_damping/steps_to_475/count.n}} seeds, although
# $F$ is singular. The gradient is made of scores, as $F$ is, so $b$ has no part in the directions that change nothing.
# And ten iterations end before the tiny eigenvalues get their turn: stopping early is a damping of its own.
#
# ### 7.3 The line search
#
# Take it away, and ten seeds show no difference: {{trpo:no_line_search/steps_to_475}} steps, and the slowest seed is as
# slow. The largest KL of any update is {{trpo:no_line_search/largest_kl/worst}} thousandths of a nat, against a limit of
# 10. A look inside the first 60 updates of all seeds says why. In a share of {{trpo:looked_at/whole_step}} of them the
# whole step is taken. In the median update its divergence is {{trpo:looked_at/first_kl}} thousandths of a nat: below
# the limit, because the damping makes steps somewhat short. (Conjugate gradient leaves a residual of
# {{trpo:looked_at/cg_residual}} millionths of the gradient's norm.)
#
# So on CartPole, at this limit, the check has hardly anything to refuse. It is there for the day when a model is wrong:
# with a larger limit, without damping, with a policy close to certainty, with a bug (section 11). It costs one forward
# pass an update. Do not read its silence as a proof that it is not needed.
#
# ## 8. PPO, the cheap cousin
#
# Both climb the same surrogate and both want to stay near. TRPO makes *one* step an update, in the best direction that
# second derivatives can name, and stops at the limit. PPO makes a dozen first-order steps and takes away the reasons
# to go on.
#
# ### 8.1 In environment steps
#
# | | seeds that reach 475 | steps until then | slowest seed |
# |---|---|---|---|
# | TRPO: 16 × 64 rows an update, layers of 64 | {{trpo:cartpole/steps_to_475/count}} of {{trpo:cartpole/steps_to_475/count.n}} | {{trpo:cartpole/steps_to_475}} | {{trpo:cartpole/steps_to_475/worst}} |
# | TRPO's loop, rollouts, networks and critic, with PPO's policy step in it | {{trpo:clipped_step/steps_to_475/count}} of {{trpo:clipped_step/steps_to_475/count.n}} | {{trpo:clipped_step/steps_to_475}} | {{trpo:clipped_step/steps_to_475/worst}} |
# | PPO as measured in unit 04: 32 × 32 rows, layers of 32 | {{ppo:cartpole/steps_to_475/count}} of {{ppo:cartpole/steps_to_475/count.n}} | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/steps_to_475/worst}} |
# | PPO with layers of 64 | {{ppo:wide_network/steps_to_475/count}} of {{ppo:wide_network/steps_to_475/count.n}} | {{ppo:wide_network/steps_to_475}} | {{ppo:wide_network/steps_to_475/worst}} |
# | PPO with 20 epochs | {{ppo:many_epochs/steps_to_475/count}} of {{ppo:many_epochs/steps_to_475/count.n}} | {{ppo:many_epochs/steps_to_475}} | {{ppo:many_epochs/steps_to_475/worst}} |
#
# Compare the first and the third row, and TRPO needs about a tenth fewer steps than PPO. Many reports end here. The
# second row exchanges the policy step and nothing else, through one seam of `trpo.train`: six epochs of two
# minibatches, clip at 0.2, Adam. It is as fast as TRPO, and its slowest seed is faster. So what the first row has over
# the third is not the trust region. It is what stands around it: fewer environments and longer rollouts, larger
# networks, a critic that is fitted by itself. (Larger networks alone, in row four, make up about half of the
# difference.) Engstrom et al. (2020) found the like on larger tasks: what sets two algorithms apart is often not what
# they are named after.
#
# The mean KL of an update is alike too, {{trpo:cartpole/kl}} thousandths of a nat with the trust region and
# {{trpo:clipped_step/kl}} with the clip. (The surrogate gains less with the clip, {{trpo:clipped_step/improvement}} an
# update. Section 7.2 said what that is worth.) The largest KL is not alike: {{trpo:cartpole/largest_kl/worst}} against
# {{trpo:clipped_step/largest_kl/worst}}. The clip goes beyond TRPO's limit now and then, and here that does no harm.
#
# ### 8.2 In seconds
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
# of them, before the critic's twenty steps. In CartPole a step of the environment costs next to nothing, and the
# updates are what you wait for: here TRPO pays for its direction with your time, and gets nothing in return. Where a step
# is a second of a robot's time, count environment steps only. Then the two are alike on this task, and methods that
# reuse old data need fewer than both (unit 05).
#
# ### 8.3 What else differs
#
# | | TRPO | PPO |
# |---|---|---|
# | the policy's step | one, natural gradient, length from the limit | many, Adam, length from a learning rate |
# | keeps near the old policy by | refusing a step beyond `max_kl` | zero gradient for rows beyond the clip |
# | bound on the mean KL | hard, on the batch | none (section 3.1 of unit 04) |
# | minibatches | no: direction and check need the whole batch | yes |
# | policy and critic in one network | awkward: $F$ knows only the policy's part of it | usual |
# | dropout, noise in the network | no: `old` and `new` have to be comparable | possible |
# | code | about 150 lines, with second derivatives | a loop around a loss two lines longer than A2C's |
#
# The last four rows are, more or less, the reasons that PPO's authors gave for writing it.

# %% [markdown]
# ## 9. Watch it learn

# %%
result, policies = stages.train_with_stages(
    trpo.train, replace(trpo.CARTPOLE, seed=7, total_timesteps=70 * 1024), at=(0, 15_000), by="env_step"
)
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

# %%
with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif(policies, "CartPole-v1", f"{folder}/stages.gif", seed=1, max_steps=200)
    page.gif(
        path,
        alt="Three CartPoles side by side, the random agent, the agent after 15,000 steps and the agent at the end of training.",
        caption="The same held-out start state for all three, at true speed: 200 steps are 4 seconds.",
    )

# %% [markdown]
# ## 10. Your experiment: a wider region
#
# Change one thing, `max_kl=0.1`, and run three seeds beside the measured band of the version with 0.01. Then write
# down *in your own words*, before you unfold the answer: is a run with the wider region ahead at any time? What does
# the right panel say about how it uses the room, and why does more room not help?

# %%
changed = replace(trpo.CARTPOLE, max_kl=0.1, total_timesteps=60 * 1024)  # change me
runs = run_seeds({"wider": changed}, seeds=range(3), progress=False)["wider"]

# %%
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
    alt="Left: three learning curves with the wider region on the band of the usual one. Right: the divergence of their updates, on a "
    "logarithmic axis, several times that of the usual version and below the dotted limit.",
    caption="Left: return. Right: how far an update goes, logarithmic, averaged over five updates; the dotted line is your limit.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The updates do use the room: over ten seeds their mean KL is {{trpo:kl_01/kl}} thousandths of a nat, against
# {{trpo:cartpole/kl}}, and none is above its limit. In the first quarter of the budget the wider region is even a
# little ahead, over ten seeds too. At the start most directions lead up, and a long step is a good one. Then the curves
# wander. Over ten seeds and 120,000 steps
# {{trpo:kl_01/steps_to_475/count}} reach 475, after {{trpo:kl_01/steps_to_475}} steps (with the usual limit all do,
# after {{trpo:cartpole/steps_to_475}}), and {{trpo:kl_01/ends_above_475/count}} are above it at the end.
#
# More room does not help, because the line search looks at the same batch as the gradient. An update fits the
# advantages of a thousand rows. The further it goes, the more of what it fits is that batch's noise, and the more the
# states of the next batch differ from those for which the surrogate was right (section 2.2 of [lesson
# 04](04_ppo.ipynb)). A constraint that holds is no promise that the step was a good one.
#
# Try `max_kl=0.003` in the same cell, or 0.1 with `num_steps=256`: four times the rows, so less noise to follow, and a
# quarter of the updates.
#
# </details>

# %% [markdown]
# ## 11. A patient
#
# Someone's TRPO runs without an error, and its constraint holds in every update. It learns, and not well. Settings are
# those of `trpo.CARTPOLE`. Here are its panels over ten seeds, beside the healthy version. Symptom first: what do you
# see, and which part could do this?

# %%
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
questions.quiz(
    "08-patient",
    "Which of these explains all three panels?",
    [
        "The right-hand side has the wrong sign: conjugate gradient solves for -g",
        "The limit is ten times too small",
        "Both distributions of the KL in the Fisher-vector product carry gradients, so F v is 0 and only the damping is left",
        "The critic does not learn, so the advantages are noise",
    ],
    answer=2,
    reasons=[
        "Then every direction would lead down, and every step of every update would be refused, from the first on. Here the first updates are all taken.",
        "Then the KL would be a tenth of the healthy one from the first update on. It begins where the healthy one does.",
        "Right. Without F the direction is the plain gradient, and the length is the same in every update. Where the policy is sensitive "
        "that length is far too long, the search shortens it ten times, and gives up.",
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
# all of its derivatives are 0. What comes back is `damping * vector`. So $A = cI$, conjugate gradient is done after one
# iteration with $s = g / c$, and (5) gives a step of length $\sqrt{2 \delta / c}$, whatever the batch: 0.45 here. In
# section 4.5 the plain gradient's step was about a tenth of that. The line search shortens the step to 0.8 of its
# length up to nine times, to 0.06 at the shortest. Often that is short enough; where it is not, the update is lost. The
# patient reaches 475 in {{trpo:patient/steps_to_475/count}} of {{trpo:patient/steps_to_475/count.n}} seeds and ends at
# {{trpo:patient/last_100}}.
#
# The cure is `torch.no_grad()` (or `.detach()`) for the old distribution. The symptom that gives it away before any
# learning curve does: with `damping=0` every product is 0. A test against a Hessian that you can write down, as in
# section 3, takes five lines.
#
# </details>

# %% [markdown]
# ## 12. Common mistakes, and how they look
#
# The first five were put into `trpo.CARTPOLE` and tried with two seeds of 40 updates. TRPO forgives much: every step
# goes through a check. That is good for the policy, and bad for who looks for a bug.
#
# | mistake | what you see |
# |---|---|
# | $F s = -g$ solved instead of $F s = g$: a sign lost between loss and objective | every update is refused. KL is 0, the entropy stays at $\log 2$, the return at a random agent's level, and the critic learns. The check has saved the policy, and `charts/step_accepted` tells you |
# | the root in (5) forgotten | **learns as usual.** On CartPole the number under the root happens to be of the size of 1, or too long a step is shortened by the search. A test of `step_scale` with known numbers finds it, a curve does not |
# | the 2 in (5) forgotten | learns as usual. The KL of an update is half of what it should be: compare it with `max_kl` |
# | `old` computed again inside `evaluate`, after the step: the KL is always 0, and nothing is ever refused | learns as usual, as long as the whole step is a good one (section 7.3) |
# | weights not put back when no step qualifies | nothing, until the first refused update; then the policy stays at the last length that was tried |
# | `create_graph=True` forgotten | the one that speaks up: autograd refuses the second backward pass |
# | the divergence taken the other way round, $\text{KL}(\pi \,\|\, \pi_{\text{old}})$ | the same $F$ (both have the Fisher information as their Hessian at $\theta_{\text{old}}$), and a check of another quantity that is nearly equal for small steps |
# | $F$ from the scores of the *taken* actions times their advantages | another matrix, which knows about rewards. No longer a distance between policies |
# | judging by the surrogate's improvement | it is positive in every accepted update, by construction |
#
# ## 13. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-quiz-hard",
    "What keeps an update of TRPO within max_kl?",
    [
        "A penalty on the KL divergence, large enough",
        "A Lagrange multiplier that is adapted during training",
        "The divergence of each candidate step is computed, and one above the limit is refused",
        "The clipped gradient norm",
    ],
    answer=2,
    reasons=[
        "There is no penalty in the objective. A penalty would need a weight, and give a distance that nobody chose.",
        "A multiplier appears in the derivation and is solved for in closed form. Nothing is adapted.",
        "Right. The formula for the length aims at the limit, the line search makes sure of it.",
        "The policy's gradient is not clipped: its size cancels in the length of the step. Only the critic's is clipped.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-quiz-scale",
    "All advantages of a batch are multiplied by 100. What happens to TRPO's step?",
    ["100 times as long", "10 times as long", "Nothing", "It is refused by the line search"],
    answer=2,
    reasons=[
        "So it would be with a fixed learning rate. Here the length follows from the limit.",
        "The root is in the denominator: it scales with g, and so does s. They cancel.",
        "Right: g and s are 100 times as large, the root of s^T F s too, and the quotient stays.",
        "The improvement is 100 times as large and still positive, the divergence the same.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-quiz-fisher",
    "Why is F singular for a softmax policy with one output for each action?",
    [
        "Because the batch is too small",
        "Because raising all logits together changes no probability",
        "Because the policy has become certain",
        "Because of rounding",
    ],
    answer=1,
    reasons=[
        "A batch of fewer rows than weights adds more such directions. But even with all states there is at least one.",
        "Right: x^T F x measures how much probabilities change along x, and along that direction they do not.",
        "Then F becomes small, since the scores of what it does are small. That is another matter.",
        "Rounding turns exact zeros into tiny numbers. It does not make them.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-quiz-cg",
    "A = F + cI has 4,610 rows, and only 4 eigenvalues that are not exactly c. How many iterations does conjugate gradient need?",
    ["4,610", "At most 5", "About 68, the root of 4,610", "That depends on the largest eigenvalue alone"],
    answer=1,
    reasons=[
        "That is the bound for 4,610 different eigenvalues.",
        "Right: 5 different eigenvalues (four, and c), and a polynomial of degree 4 that is right at all five.",
        "No root is involved in the exact count.",
        "The largest eigenvalue matters for bounds on the way. The exact count is that of different eigenvalues.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "08-quiz-one",
    "cg_iterations=1. What direction does TRPO take?",
    [
        "The natural gradient, less precisely",
        "The plain gradient, at the length that the quadratic model allows",
        "A random direction",
        "None: every step is refused",
    ],
    answer=1,
    reasons=[
        "It is a first approximation, but one that knows nothing of F but a number: the length of the step.",
        "Right: x_1 is a multiple of b = g, whatever A is.",
        "x_1 is a multiple of b.",
        "A step along the gradient improves the surrogate, if it is short enough.",
    ],
)

# %% [markdown]
# ## 14. What to remember
#
# 1. TRPO asks for the best surrogate within a KL limit. The limit is hard: a line search refuses what lies outside. There is no penalty and no
#    learning rate.
# 2. To second order the KL divergence is $\tfrac12 x^\top F x$ with the Fisher information $F$, and the best step is along $F^{-1} g$, the natural
#    gradient. It does not depend on how the policy is parametrised.
# 3. $F v$ is the gradient of $(\nabla \bar D)^\top v$: two backward passes, and no matrix.
# 4. Conjugate gradient solves $F s = g$ from such products, along directions that do not disturb each other. It needs as many
#    iterations as there are different eigenvalues; with damping that is few.
# 5. A constraint that holds is no promise of a good step, and a better surrogate none of a better policy. With everything else equal,
#    PPO's dozen cheap steps learn CartPole as fast as TRPO's one dear step.
#
# ## Further reading
#
# - J. Schulman, S. Levine, P. Moritz, M. Jordan and P. Abbeel (2015), *Trust region policy optimization*, ICML. Theorem 1 is the bound of section
#   1.3, section 4 its relaxation, appendix C the Fisher-vector product and conjugate gradient.
# - S. Kakade (2002), *A natural policy gradient*, NIPS. Section 2: the definition for policies, and why it does not depend on the parameters.
# - S. Amari (1998), *Natural gradient works efficiently in learning*, Neural Computation 10. Sections 2 and 3: steepest descent where
#   distance is not Euclidean.
# - J. Peters and S. Schaal (2008), *Natural actor-critic*, Neurocomputing 71. What a critic has to look like for the natural gradient to come
#   for free.
# - M. Hestenes and E. Stiefel (1952), *Methods of conjugate gradients for solving linear systems*. The original.
# - J. Shewchuk (1994), *An introduction to the conjugate gradient method without the agonizing pain*. Section 4 of this lesson at length, with many
#   pictures.
# - J. Martens (2020), *New insights and perspectives on the natural gradient method*, JMLR 21. The long answer: Fisher
#   against empirical Fisher, damping, and how far invariance goes.
# - Y. Wu, E. Mansimov, R. Grosse, S. Liao and J. Ba (2017), *Scalable trust-region method for deep reinforcement learning using Kronecker-factored
#   approximation*, NIPS. The same step with an approximate $F$ that is cheap to invert.
# - Y. Duan, X. Chen, R. Houthooft, J. Schulman and P. Abbeel (2016), *Benchmarking deep reinforcement learning for continuous control*, ICML. TRPO
#   beside natural gradient without a line search, in table 1.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. PPO's details given to TRPO, and taken from PPO.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/08_trpo.ipynb) build conjugate gradient, the
# Fisher-vector product, the length of the step and the line search, and then train CartPole with *your* functions.
