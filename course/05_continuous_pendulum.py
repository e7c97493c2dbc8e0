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
# # 05 Continuous control: swing up the Pendulum
#
# So far an action was one of two buttons. Motors, valves and steering wheels have no buttons: they take a number. In
# this unit the action is a torque between −2 and 2 N m. You will see how little of PPO has to change for that, and
# how much the *task* wants to be changed for.
#
# **After this lesson you will be able to**
#
# 1. turn a discrete policy into a continuous one, and name the three things that change;
# 2. derive the log-probability and the entropy of a Gaussian policy, and say what both mean when they are positive,
#    negative, or depend on the unit;
# 3. say where a sampled action may be clipped and where not, and show with a test what goes wrong otherwise;
# 4. explain why a policy that becomes sure of itself gets *larger* gradients, and what keeps its steps small;
# 5. tell apart what continuous actions need from what one task wants, because you have seen each change measured.
#
# **You need** [lesson 04](04_ppo.ipynb) (PPO, its clip and its KL) and lesson 03 (GAE, terminated and truncated). **Time:** about
# 75 minutes to read and play; all cells together run in about 40 seconds on two cores.
#
# The numbers in the text come from `claims/pendulum.json`: ten training runs of each version. *−160 [−170, −150]*
# would read: interquartile mean over the ten runs, and its 95 % bootstrap interval.

# %%
import math
import tempfile
from dataclasses import replace

import gymnasium
import numpy as np
import torch
from torch.distributions import Independent, Normal

from pgcourse import evaluate, ppo
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.figures import gaussian_policy as gaussian, methods as family, policies as phase, seeds as effects
from pgcourse.show.live import stages
from pgcourse.show.live.game import play
from pgcourse.show.page import settings
from pgcourse.statistics import moving_average
from pgcourse.study import policies
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.seeds import run_seeds

torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("pendulum")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## 1. Where this ends
#
# A rod hangs from a motor that is too weak to lift it. Train PPO on it, here and now, and keep copies on the way.

# %%
result, agents = stages.train_with_stages(ppo.train, replace(ppo.PENDULUM, seed=1), at=(0, 10_000), by="env_step")
with tempfile.TemporaryDirectory() as folder:
    film = stages.stages_gif(agents, "Pendulum-v1", f"{folder}/stages.gif", seed=3, max_steps=120)
    page.gif(
        film,
        alt="Three rods side by side from the same start. The random agent's rod flails below, the early copy does not get up, "
        "the trained one swings up and stays upright.",
        caption="The same held-out start for all, at true speed. From flailing to upright: watch how the trained agents first "
        "swing away from the goal.",
    )

# %%
held_out = evaluate(result.policy, "Pendulum-v1", num_episodes=100, seed=0)
random_agent = evaluate(None, "Pendulum-v1", num_episodes=100, seed=0)
print(f"mean return of 100 held-out episodes: trained {held_out.mean:.0f}, random {random_agent.mean:.0f}")
print(f"episodes used for training: {len(result.episodes)}, each of {result.episodes['length'][0]} steps")

# %% [markdown]
# ## 2. The task
#
# | | Pendulum-v1 |
# |---|---|
# | observation | three numbers: $\cos\theta$, $\sin\theta$ and the angular velocity $\dot\theta$ [rad/s]; $\theta$ is the angle from upright |
# | action | one number, the torque $a$ [N m]; the environment clips it to $[-2, 2]$ |
# | reward | $-(\theta^2 + 0.1\,\dot\theta^2 + 0.001\,a^2)$ with $\theta$ in $[-\pi, \pi]$: the cost of not being upright and still |
# | terminated | never |
# | truncated | after 200 steps of 0.05 s |
#
# All rewards are negative, and the best is 0. A return of −1,200 is a rod that hangs and flails. Gymnasium names no threshold
# for this task. We call it **solved** at a mean return of at least −200 over 100 held-out episodes, with the
# policy's mode as action. A perfect agent would not score 0 either: an episode that starts with a hanging rod costs
# several hundred before the rod is up, whatever one does.
#
# Why is it hard? Gravity turns the rod with a torque of $\tfrac12 m g l \sin\theta = 5 \sin\theta$ N m. The motor has 2.
# So it can hold the rod only where $5\,\lvert\sin\theta\rvert \le 2$:

# %%
print(f"the motor can hold the rod up to {math.degrees(phase.largest_held_angle()):.1f}° from upright, or from hanging")

# %% [markdown]
# From further down, the way up leads through swinging. Try it: five torques, true speed or half of it.

# %%
play("Pendulum-v1")

# %% [markdown]
# Push along with the motion, gain energy, brake at the top. The state is two numbers, angle and angular velocity, so you can look at a whole policy in one picture: a
# **phase portrait**. Colour is the torque, the line is one episode from a hanging start.

# %%
torch.manual_seed(0)
swinging = {"untrained": GaussianPolicy(obs_dim=3, action_dim=1)}
swinging |= {title: policy for title, policy in agents.items() if policy is not None}
figure = phase.phase_portrait(swinging)
page.figure(
    figure,
    alt="Three phase portraits. Untrained: no colour, the episode's line stays a small loop at the hanging rod. Then colours "
    "appear, and the line spirals outwards from the hanging rod and ends in the middle, upright and still.",
    caption="Circle: start. Star: after 200 steps. Blue pushes towards larger angles, orange towards smaller ones. Left and "
    "right edge are the same place: the hanging rod.",
)

# %% [markdown]
# Read the last panel like a map. Near the hanging rod, at the left and right edges, the torque has the sign of the *velocity*: it
# pumps. In the middle the torque opposes the angle: it balances. And between them runs the border where the rod already
# has enough speed, and the motor stops pumping. **Move it:** choose the stage and the start.

# %%
phase.explore_phase(swinging)

# %% [markdown]
# ## 3. First diff: what continuous actions need
#
# Everything that PPO knows of a policy is a distribution with `sample`, `log_prob` and `entropy`. So only the policy
# changes, in three places. Compare the two, as they stand in the package:

# %%
page.source(CategoricalPolicy.forward)
page.source(GaussianPolicy)

# %% [markdown]
# | | CartPole | Pendulum |
# |---|---|---|
# | **distribution** | `Categorical`: a probability for each of $A$ actions | `Independent(Normal, 1)`: a density over $\mathbb{R}^A$ |
# | **action's shape** | `[B]`, int64: an index | `[B, A]`, float32: $A$ numbers. Pendulum has $A = 1$, and it stays an axis |
# | **output layer** | $A$ logits | $A$ means; the standard deviations are a parameter beside the network |
#
# `collect_rollout`, `gae`, `ppo_clip_loss`, `update` and `train` are the same functions as in unit 04. Nothing in them
# asks which kind of action it is.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $s$ | the observation | `obs` | `[B, 3]` |
# | $u$ | the sampled action, before any clipping | `actions` | `[B, A]` |
# | $\mu_\theta(s)$ | the mean | `policy.mean(obs)` | `[B, A]` |
# | $\log \sigma$ | logarithm of the standard deviations, trained like a weight | `policy.log_std` | `[A]` |
# | $\log \pi_\theta(u \mid s)$ | log-density of what was sampled | `log_prob` | `[B]` |
# | $H$ | differential entropy | `entropy` | `[B]` |
#
# ### 3.1 From probabilities to densities
#
# There are infinitely many torques, so each single one has probability zero. What a continuous policy has is a
# **density** $\pi_\theta(u \mid s)$: the probability of a small interval around $u$, divided by its width. The derivation of
# unit 01 goes through with an integral for the sum:
#
# $$
# \nabla_\theta\, \mathbb{E}[f(u)] = \nabla_\theta \int \pi_\theta(u) f(u)\, \mathrm{d}u
# = \int \pi_\theta(u)\, \frac{\nabla_\theta \pi_\theta(u)}{\pi_\theta(u)} f(u)\, \mathrm{d}u
# = \mathbb{E}\big[f(u)\, \nabla_\theta \log \pi_\theta(u)\big].
# $$
#
# The one step that needs care is the gradient moving inside the integral. It may, because a Gaussian is smooth in its
# parameters and falls off so fast at both ends that no mass escapes, as long as $f$ grows no faster than a power of
# $u$. Nothing is asked of $f$ between: it may jump. So the score still has mean zero (take $f = 1$), advantages still may be
# shifted by a baseline, and the ratio of two densities is as good as the ratio of two probabilities, since the width
# of the interval cancels.
#
# ### 3.2 The log-probability, and why it is a sum
#
# For one dimension the density is $\frac{1}{\sigma\sqrt{2\pi}} \exp\!\big(-\frac{(u-\mu)^2}{2\sigma^2}\big)$. The $A$ dimensions are
# sampled independently, so the joint density is a product, and its logarithm a sum:
#
# $$
# \log \pi(u \mid s) = \sum_{i=1}^{A} \left[ -\frac{(u_i - \mu_i)^2}{2\sigma_i^2} - \log \sigma_i - \tfrac12 \log 2\pi \right].
# \tag{1}
# $$
#
# `[B, A]` goes in, `[B]` comes out: one action has one log-probability, however many motors it moves. `Independent(…, 1)` does that
# sum. Here it is by hand, for a robot with six joints:

# %%
torch.manual_seed(0)
mean, log_std = torch.randn(4, 6), torch.full((6,), -0.5)  # [B, A], [A]
u = mean + log_std.exp() * torch.randn(4, 6)  # [B, A]
by_hand = (-0.5 * ((u - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
by_torch = Independent(Normal(mean, log_std.exp()), 1).log_prob(u)
print("by hand ", by_hand.numpy().round(4), " shape", list(by_hand.shape))
print("by torch", by_torch.numpy().round(4))

# %% [markdown]
# A `Normal` alone gives `[B, A]`. Whoever meets that shape and takes the *mean* over the last axis has written a bug that
# raises no error. The mean is the sum divided by $A$, so the ratio that PPO clips becomes $r^{1/A}$:

# %%
shifted = Independent(Normal(mean + 0.2, log_std.exp()), 1).log_prob(u)  # a policy that has moved a little
ratio = (shifted - by_torch).exp()
ratio_of_means = ((shifted - by_torch) / 6).exp()
print("ratio                        ", ratio.numpy().round(2))
print("ratio with mean instead of sum", ratio_of_means.numpy().round(2))
print(
    "outside 0.8 to 1.2:",
    int((ratio - 1).abs().gt(0.2).sum()),
    "of 4, and",
    int((ratio_of_means - 1).abs().gt(0.2).sum()),
)

# %% [markdown]
# With the mean, the clip hardly ever acts, and approximate KL reads far too small. With one action dimension, as here, you would
# never notice. The bug waits for the robot.
#
# ### 3.3 The entropy of a Gaussian
#
# Entropy is the mean of $-\log \pi$. Take it of equation (1), one dimension. The only random part is the square, and
# $\mathbb{E}[(u - \mu)^2] = \sigma^2$ by definition:
#
# $$
# H = \mathbb{E}\left[\frac{(u - \mu)^2}{2\sigma^2}\right] + \log \sigma + \tfrac12 \log 2\pi
# = \tfrac12 + \log \sigma + \tfrac12 \log 2\pi
# = \log \sigma + \tfrac12 \log(2 \pi e) \approx \log\sigma + 1.419 .
# \tag{2}
# $$
#
# Over $A$ dimensions: $H = \sum_i \log \sigma_i + \tfrac{A}{2} \log(2\pi e)$. Three things are different from unit 00.
#
# - **It can be negative.** A density may be larger than 1, so $-\log \pi$ may be below 0. $H = 0$ at $\sigma \approx 0.24$. For a
#   Categorical a negative entropy is a bug, here it is a narrow policy.
# - **It has no largest value.** An entropy bonus on a Categorical pushes towards uniform and stops there. On a Gaussian it
#   pushes $\log \sigma$ up for ever, with a gradient of exactly 1: only the reward pushes back.
# - **It depends on the unit.** Measure torque in mN m: $\sigma$ is 1,000 times as large, and $H$ grows by $\log 1000 \approx 6.9$. Compare
#   entropies only of the same action space. Log-probabilities shift by the same amount, ratios do not.

# %%
for std in (1.0, 0.242, 0.05):
    print(
        f"σ = {std:5.3f} N m: entropy {Normal(0.0, std).entropy().item():+.3f} nats, in mN m {Normal(0.0, 1000 * std).entropy().item():+.3f}"
    )

# %% [markdown]
# ### 3.4 A parameter, or an output of the network?
#
# In the package $\log \sigma$ is a parameter: the same width at every state. Why the logarithm? A standard deviation must
# be positive, and a step of the optimiser then multiplies it instead of adding. Two limits guard it: `log_std` is clamped to
# $[-5, 2]$, a range that a healthy run never touches.
#
# A network could give one $\sigma(s)$ for each state: unsure while swinging, precise at the top. That sounds better. It
# takes one line:

# %%
page.source(policies.StateDependentGaussian)

# %% [markdown]
# Measured, with everything else as in `ppo.PENDULUM`. A third row does not learn the width at all: it stays at its first
# value of {{pendulum:frozen_std/last_std.value}} N m for the whole training.
#
# | standard deviation | held-out return | worst seed | steps to solved in training |
# |---|---|---|---|
# | one parameter | {{pendulum:pendulum/held_out}} | {{pendulum:pendulum/held_out/worst}} | {{pendulum:pendulum/steps_to_solved}} |
# | from the network, $\sigma(s)$ | {{pendulum:state_dependent_std/held_out}} | {{pendulum:state_dependent_std/held_out/worst}} | {{pendulum:state_dependent_std/steps_to_solved}} |
# | never trained | {{pendulum:frozen_std/held_out}} | {{pendulum:frozen_std/held_out/worst}} | {{pendulum:frozen_std/steps_to_solved}} |
#
# The intervals overlap. On this task it hardly matters whether the width depends on the state, or whether it is learnt at all. Noise is
# cheap here: the reward charges $0.001\,a^2$ for torque, and twenty corrections a second average the noise out. So take the simplest one, and
# do not expect the same where noise is dear, on a robot with expensive gears for example.
#
# ## 4. Bounds: clip in the environment, nowhere else
#
# A Gaussian does not know that torque ends at 2 N m. Some samples lie outside, and the environment cuts them. **Move** the
# policy's mean and width, and see how much is cut:

# %%
gaussian.explore_bounds()

# %% [markdown]
# How much of that happens in real training? Take the trained agent's own episodes, sample as in training, and count:

# %%
from pgcourse import make_envs
from pgcourse.rollout import collect_rollout

envs = make_envs("Pendulum-v1", 8, seed=123)
obs, _ = envs.reset()
rollout, _ = collect_rollout(result.policy, result.critic, envs, obs, num_steps=200)
outside = (rollout.actions.abs() > 2).squeeze(-1).float()  # [T, N]
print(
    f"samples outside the bounds: {outside[:50].mean():.0%} in the first 50 steps, {outside[100:].mean():.0%} in the last 100"
)

# %% [markdown]
# While it swings up, the agent *wants* full torque: its mean lies beyond the bound, and many samples are cut. The best policy of
# this task uses the bound all the time.
#
# Now the rule: **what is stored, and what the log-probability is of, is the sample $u$, never the clipped
# $\bar u = \mathrm{clip}(u, -2, 2)$.** The cut belongs to the environment, like friction. The agent does $u$, the world
# answers. The policy gradient asks for no derivative of the world, so a world that ignores part of $u$ is fine, and the
# estimate stays unbiased.
#
# Store $\bar u$ instead, and $\log \pi(\bar u)$ is the density of a sample that was never drawn. The probability of
# $\bar u = 2$ is the whole shaded tail, not the height of the bell at 2. What breaks is the property on which every
# baseline rests: the mean of the score is no longer zero. With $\partial_\mu \log \pi(\bar u) = (\bar u - \mu)/\sigma^2$,
#
# $$
# \mathbb{E}\big[\partial_\mu \log \pi(\bar u)\big] = \frac{\mathbb{E}[\bar u] - \mu}{\sigma^2} \;\ne\; 0 .
# $$
#
# Clipping pulls $\mathbb{E}[\bar u]$ inwards, so a *constant* advantage of 1, which carries no information, already moves
# $\mu$. A test that can fail, with $z$ as in unit 01:

# %%
mu, sigma, n = 1.5, 1.0, 100_000
torch.manual_seed(0)
u = mu + sigma * torch.randn(n)
for name, stored in (("the sample u", u), ("the clipped action", u.clamp(-2, 2))):
    score = (stored - mu) / sigma**2
    z = score.mean() / (score.std() / n**0.5)
    print(f"log-probability of {name:>18}: mean score {score.mean():+.4f}, z = {z:+7.1f}")
exact = (gaussian.applied_mean(mu, sigma, -2.0, 2.0) - mu) / sigma**2
print(f"exact mean score of the clipped action: {exact:+.4f}")

# %% [markdown]
# A pull of 0.2 per sample looks small. What it does to training you will see in section 11.
#
# ### An aside: squashing with tanh
#
# The other way to respect bounds is to bend the axis: $a = \tanh(u)$ (times 2 here) lies inside for every $u$. What is the density of $a$? Since
# $\tanh$ is increasing, $P(a \le x) = P(u \le \operatorname{artanh} x)$. Differentiate both sides in $x$, with the chain rule on the right
# and $\frac{\mathrm{d}}{\mathrm{d}x} \operatorname{artanh} x = 1 / (1 - x^2)$:
#
# $$
# p_a(a) = \frac{p_u(u)}{1 - \tanh^2 u},
# \qquad
# \log p_a(a) = \log p_u(u) - \sum_i \log\!\big(1 - \tanh^2 u_i\big).
# \tag{3}
# $$
#
# The sum is the logarithm of the **Jacobian** determinant: how much the bend stretches a small box around $u$. Coded as
# written it fails: for $u = 10$ the float32 $\tanh$ is exactly 1, and the logarithm $-\infty$. So rewrite it. With
# $1 - \tanh^2 u = 4 / (e^u + e^{-u})^2$,
#
# $$
# \log(1 - \tanh^2 u) = 2 \log 2 - 2 \log\!\big(e^{u} + e^{-u}\big)
# = 2\big(\log 2 - u - \log(1 + e^{-2u})\big),
# $$
#
# and the last logarithm is `softplus(-2 * u)`, finite for every $u$.

# %%
page.source(policies.TanhNormal)

# %% [markdown]
# Now look at equation (3) as PPO does. The correction depends on $u$, **not on $\theta$**. In $\nabla_\theta \log \pi$ it
# vanishes, and in the ratio of new to old it cancels:

# %%
u = torch.tensor([[0.3], [1.8], [4.0]])  # [B, 1], as sampled
old = policies.TanhNormal(Independent(Normal(torch.zeros(3, 1), torch.ones(1)), 1), limit=2.0)
new = policies.TanhNormal(Independent(Normal(torch.full((3, 1), 0.2), torch.full((1,), 0.9)), 1), limit=2.0)
print("ratio of the squashed densities", (new.log_prob_of(u) - old.log_prob_of(u)).exp().numpy().round(5))
print("ratio of the Gaussians         ", (new.normal.log_prob(u) - old.normal.log_prob(u)).exp().numpy().round(5))

# %% [markdown]
# So for PPO without an entropy bonus, squashing is nothing but another world: one that bends torques where ours cuts them. The
# Jacobian matters where the density itself enters the objective, as entropy does in SAC (section 12).
# Measured, squashing gives a held-out return of {{pendulum:tanh/held_out}}, clipping {{pendulum:pendulum/held_out}}. The intervals
# overlap: which of the two worlds the Gaussian acts in hardly matters here.
#
# ## 5. A policy that becomes sure
#
# Training narrows the Gaussian. What does that do to the gradient?

# %% jupyter={"source_hidden": true}
questions.predict(
    "05-score",
    "The standard deviation of the policy falls from 1 to 0.1. What happens to the gradients of log π for the mean?",
    [
        "They shrink to about a tenth: a sure policy has little left to learn",
        "They stay as they are",
        "They become about ten times as large",
        "They vanish, as those of a nearly deterministic softmax do",
    ],
    answer=2,
    explanation="The score of the mean is (u − μ)/σ². A sample is off by about σ, so the score is of the size σ/σ² = 1/σ. A "
    "softmax that is sure has small scores for what it does; a narrow Gaussian has large ones. The figure below shows it.",
)

# %% [markdown]
# Differentiate equation (1), and write $u = \mu + \sigma \varepsilon$ with $\varepsilon$ standard normal:
#
# $$
# \frac{\partial \log \pi}{\partial \mu} = \frac{u - \mu}{\sigma^2} = \frac{\varepsilon}{\sigma},
# \qquad
# \frac{\partial \log \pi}{\partial \log \sigma} = \frac{(u - \mu)^2}{\sigma^2} - 1 = \varepsilon^2 - 1 .
# \tag{4}
# $$
#
# The score of the mean has standard deviation $1/\sigma$. That of $\log \sigma$ has
# $\sqrt{\mathbb{E}[\varepsilon^4] - 1} = \sqrt{3 - 1} = \sqrt 2$, whatever $\sigma$ is. Autograd and samples agree:

# %%
widths = [0.05, 0.1, 0.3, 1.0]
of_mean, of_log_std = gaussian.score_spread(widths)
for width, first, second in zip(widths, of_mean, of_log_std, strict=True):
    print(f"σ = {width:4.2f}: score of the mean ± {first:6.2f} (1/σ = {1 / width:6.2f}), of log σ ± {second:.2f}")

# %%
gaussian.explore_score()

# %% [markdown]
# So the trouble of a narrow Gaussian is not that gradients vanish. They *grow*, and with them their **variance**, like
# $1/\sigma^2$. And the same step moves the policy further. The KL divergence of two Gaussians of equal width, $\mu$ and $\mu + d$, is
#
# $$
# \mathrm{KL} = \mathbb{E}\left[\log \frac{\pi(u)}{\pi'(u)}\right]
# = \frac{\mathbb{E}\big[(u - \mu - d)^2\big] - \mathbb{E}\big[(u - \mu)^2\big]}{2 \sigma^2}
# = \frac{(\sigma^2 + d^2) - \sigma^2}{2\sigma^2} = \frac{d^2}{2 \sigma^2} .
# \tag{5}
# $$
#
# Move the mean by 0.1 N m: at $\sigma = 1$ that is a KL of 0.005, at $\sigma = 0.2$ it is 0.125. Adam keeps the step $d$ about as long
# as the learning rate says, whatever the gradient's size. The clip of PPO works on ratios, so it feels $\sigma$. And the learning rate
# can fall together with $\sigma$, which is what `anneal_lr` does. Measured, ten seeds:

# %%
figure, axes = plots.new_figure(columns=3, width=9.8, height=3.4)
panels = {
    "charts/action_std": "standard deviation [N m]",
    "losses/policy_grad_norm": "policy's gradient norm",
    "losses/approx_kl": "approximate KL [nats]",
}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("pendulum", "learning rate falls", "#D55E00"), ("constant_lr", "constant", "#0072B2")):
        plots.claimed_band(ax, measured["curves"][f"{name}/{metric}"], label=who, colour=colour)
    ax.set(xlabel="environment steps", ylabel=label, ylim=(0, None), xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
axes[0].legend()
page.figure(
    figure,
    alt="Three panels against environment steps, with falling and with constant learning rates. The standard deviation falls in "
    "both, further with constant rates. The gradient norm rises in both. The approximate KL falls towards zero only where the rates "
    "fall.",
    caption="Left: the policy narrows. Middle: its gradients grow. Right: the size of its steps, which only a falling learning rate "
    "brings down.",
)

# %% [markdown]
# Over the whole training the mean approximate KL of an update is {{pendulum:pendulum/kl.value}} with falling rates and
# {{pendulum:constant_lr/kl.value}} with constant ones. Is $1/\sigma$ all there is to the middle panel? Runs whose width was held fixed, or started
# small, tell:
#
# | version | $\sigma$ at the end [N m] | mean gradient norm | mean approximate KL |
# |---|---|---|---|
# | width never trained | {{pendulum:frozen_std/last_std.value}} | {{pendulum:frozen_std/grad_norm.value}} | {{pendulum:frozen_std/kl.value}} |
# | `ppo.PENDULUM` | {{pendulum:pendulum/last_std.value}} | {{pendulum:pendulum/grad_norm.value}} | {{pendulum:pendulum/kl.value}} |
# | constant learning rates | {{pendulum:constant_lr/last_std.value}} | {{pendulum:constant_lr/grad_norm.value}} | {{pendulum:constant_lr/kl.value}} |
# | first width 0.1 | {{pendulum:std_01/last_std.value}} | {{pendulum:std_01/grad_norm.value}} | {{pendulum:std_01/kl.value}} |
#
# The narrower, the larger the norm, as equation (4) says. But the factor is smaller than that of $1/\sigma$: the norm of a mean over 400
# samples holds signal as well as noise, and it passes through a network whose weights differ from run to run.
#
# ## 6. Second diff: what this task wants
#
# A continuous policy alone does not swing up a rod. PPO with `ppo.CARTPOLE`'s settings and a Gaussian ends at
# {{pendulum:all/held_out}} after 100,000 steps. `ppo.PENDULUM` ends at {{pendulum:pendulum/held_out}}. Here are all the
# settings in which the two differ:

# %%
settings.settings_table(
    {"CartPole": ppo.CARTPOLE, "Pendulum": ppo.PENDULUM}, ignore=("env_id", "total_timesteps", "num_episodes")
)

# %% [markdown]
# Which of them does it? The obvious experiment: start from `ppo.PENDULUM`, take **one** line back to CartPole's value, and leave the
# rest.

# %% jupyter={"source_hidden": true}
questions.predict(
    "05-one-back",
    "One setting at a time is taken back: γ, the learning rates, their decay, the epochs, the reward scale, λ, the first "
    "width. Which of these alone makes PPO fail (held-out return below −400 in most seeds)?",
    ["γ 0.99 instead of 0.9", "CartPole's learning rates", "Rewards not scaled by 0.1", "None of them"],
    answer=3,
    explanation=f"Taken back alone, γ gives {quote('pendulum:gamma/held_out')}, the learning rates "
    f"{quote('pendulum:learning_rates/held_out')}, the reward scale {quote('pendulum:reward_scale/held_out')}. All of them "
    f"together give {quote('pendulum:all/held_out')}.",
)

# %%
rows = {
    "pendulum": "ppo.PENDULUM",
    "gamma": "γ 0.99",
    "learning_rates": "CartPole's learning rates",
    "constant_lr": "constant learning rates",
    "epochs": f"{ppo.CARTPOLE.update_epochs} epochs",
    "reward_scale": "rewards not scaled",
    "gae_lambda": "λ 0.95",
    "initial_std": "first σ = 1",
    "all": "all of CartPole's settings",
}
figure = effects.claimed_effects(
    "pendulum", rows, reference="pendulum", threshold=-200, title="From Pendulum's settings, one taken back"
)
page.figure(
    figure,
    alt="One row a variant. All rows with a single setting taken back lie between about −140 and −250. The last row, with all "
    "settings of CartPole, lies near −1,000.",
    caption="Grey: ten seeds. Orange: their interquartile mean and its 95 % interval. Shaded: the interval of ppo.PENDULUM. The "
    "axis is logarithmic in the cost, and better is on the right. Dotted: −200.",
)

# %% [markdown]
# None of them. Fewer epochs cost most, {{pendulum:epochs/held_out}}, and three of ten seeds miss the mark. If you had measured only the rows above
# the last one, you would conclude that the settings hardly matter. The last row says that they do.
#
# Look at $\gamma$ in passing. With 0.99 the agent ends at {{pendulum:gamma/held_out}} and so is *better* than the package's
# {{pendulum:pendulum/held_out}}, but later: solved after {{pendulum:gamma/steps_to_solved}} environment steps instead of
# {{pendulum:pendulum/steps_to_solved}}. A discount of 0.9 looks ten steps ahead, half a second. That is short-sighted for a swing of two seconds, and
# makes returns that are less noisy and ten times smaller. Speed against the last bit of quality: the trade of unit 03 again.
#
# Now the other way round: start from *CartPole's* settings, and give them one of Pendulum's.

# %%
rows = {
    "all": "all of CartPole's settings",
    "all_but_gamma": "with γ 0.9",
    "all_but_learning_rates": "with Pendulum's learning rates",
    "all_but_epochs": f"with {ppo.PENDULUM.update_epochs} epochs",
    "all_but_reward_scale": "with rewards scaled",
    "all_but_initial_std": "with a first σ of 1.5",
    "all_but_rollouts": "with Pendulum's rollouts",
    "pendulum": "ppo.PENDULUM",
}
figure = effects.claimed_effects(
    "pendulum", rows, reference="pendulum", threshold=-200, title="From CartPole's settings, one given"
)
page.figure(
    figure,
    alt="One row a variant. Rewards scaled by 0.1, more epochs, or a discount of 0.9 bring CartPole's settings from near −1,000 to "
    "between −250 and −400. Pendulum's rollouts go part of the way. Learning rates and first width change little.",
    caption="As above, from the other end.",
)

# %% [markdown]
# From this end single settings do help, and three of them go most of the way, each alone: the reward scale
# ({{pendulum:all_but_reward_scale/held_out}}), the epochs ({{pendulum:all_but_epochs/held_out}}) and the discount
# ({{pendulum:all_but_gamma/held_out}}). What do the three have in common? Ask the critic:

# %%
figure, (left, right) = plots.new_figure(columns=2, width=9.6, height=3.6)
for metric, label, style in (("charts/return_mean", "mean return G", "-"), ("charts/value_mean", "mean value V", "--")):
    plots.claimed_band(left, measured["curves"][f"all/{metric}"], label=label, colour="#0072B2", style=style)
left.set(ylabel="CartPole's settings: mean over a rollout")
for name, label, colour in (
    ("pendulum", "ppo.PENDULUM", "#D55E00"),
    ("all_but_reward_scale", "CartPole's, rewards scaled", "#009E73"),
    ("all", "CartPole's", "#0072B2"),
):
    plots.claimed_band(right, measured["curves"][f"{name}/losses/explained_variance"], label=label, colour=colour)
right.set(ylabel="explained variance", ylim=(-0.2, 1.05))
for ax in (left, right):
    ax.set(xlabel="environment steps", xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend()
page.figure(
    figure,
    alt="Left: with CartPole's settings the mean value runs after the mean return, which has fallen to several hundred below zero. "
    "Right: the explained variance is near one at once for ppo.PENDULUM, and near zero for most of the training with CartPole's settings.",
    caption="Left: the critic runs after returns that are far from where it starts. Right: in the meantime it explains nothing.",
)

# %% [markdown]
# With CartPole's settings the returns lie hundreds below zero, and the critic starts at zero. It spends the training on the *mean* of the
# returns and has no time for the differences between states: explained variance {{pendulum:all/early_explained_variance.value}} over the first
# half, against {{pendulum:pendulum/early_explained_variance.value}} for `ppo.PENDULUM`. With such a critic, the advantages are returns minus
# a constant: REINFORCE with a poor baseline.
#
# Now the three settings make sense. The reward scale makes the targets ten times smaller. So does $\gamma = 0.9$, as it sums 10 rewards instead of
# 100. More epochs give the critic more steps to get there. They are **three cures for one illness**. Each is dispensable while the others are
# there, and that is why taking back one at a time showed nothing. Keep this for your own tuning: removing parts one by one finds what is
# *indispensable*, adding them one by one finds what *helps*, and the two lists differ.
#
# | version | held-out return | worst seed | seeds solved | steps to solved in training | $\sigma$ at the end [N m] |
# |---|---|---|---|---|---|
# | `ppo.PENDULUM` | {{pendulum:pendulum/held_out}} | {{pendulum:pendulum/held_out/worst}} | {{pendulum:pendulum/solved/count}} | {{pendulum:pendulum/steps_to_solved}} | {{pendulum:pendulum/last_std.value}} |
# | γ 0.99 | {{pendulum:gamma/held_out}} | {{pendulum:gamma/held_out/worst}} | {{pendulum:gamma/solved/count}} | {{pendulum:gamma/steps_to_solved}} | {{pendulum:gamma/last_std.value}} |
# | CartPole's learning rates | {{pendulum:learning_rates/held_out}} | {{pendulum:learning_rates/held_out/worst}} | {{pendulum:learning_rates/solved/count}} | {{pendulum:learning_rates/steps_to_solved}} | {{pendulum:learning_rates/last_std.value}} |
# | constant learning rates | {{pendulum:constant_lr/held_out}} | {{pendulum:constant_lr/held_out/worst}} | {{pendulum:constant_lr/solved/count}} | {{pendulum:constant_lr/steps_to_solved}} | {{pendulum:constant_lr/last_std.value}} |
# | fewer epochs | {{pendulum:epochs/held_out}} | {{pendulum:epochs/held_out/worst}} | {{pendulum:epochs/solved/count}} | {{pendulum:epochs/steps_to_solved}} | {{pendulum:epochs/last_std.value}} |
# | rewards not scaled | {{pendulum:reward_scale/held_out}} | {{pendulum:reward_scale/held_out/worst}} | {{pendulum:reward_scale/solved/count}} | {{pendulum:reward_scale/steps_to_solved}} | {{pendulum:reward_scale/last_std.value}} |
# | λ 0.95 | {{pendulum:gae_lambda/held_out}} | {{pendulum:gae_lambda/held_out/worst}} | {{pendulum:gae_lambda/solved/count}} | {{pendulum:gae_lambda/steps_to_solved}} | {{pendulum:gae_lambda/last_std.value}} |
# | first σ = 1 | {{pendulum:initial_std/held_out}} | {{pendulum:initial_std/held_out/worst}} | {{pendulum:initial_std/solved/count}} | {{pendulum:initial_std/steps_to_solved}} | {{pendulum:initial_std/last_std.value}} |
# | all of CartPole's | {{pendulum:all/held_out}} | {{pendulum:all/held_out/worst}} | {{pendulum:all/solved/count}} | {{pendulum:all/steps_to_solved}} | {{pendulum:all/last_std.value}} |
#
# *Never* means that too many seeds never got there for the number to exist.
#
# ### 6.1 The scale of the rewards
#
# An undiscounted reward of Pendulum goes down to −16. With $\gamma = 0.9$ a value is about ten rewards, so values lie between −160
# and 0. The critic starts near 0 with outputs of size 1, and its loss is the *square* of the error. `reward_scale=0.1` brings the
# targets to where the network starts. It changes no policy: advantages are normalised, so a positive factor drops out of the policy's
# loss.
#
# With the loss it is different. Targets ten times as large make errors ten times and gradients of the squared error a hundred times as large. Clipping and
# Adam then rescale the gradient, so the critic still moves at its learning rate, and the way is ten times as long.
#
# May one also shift the rewards, say subtract their mean? Let every reward change by a constant $c$. If episodes never
# terminate, every return changes by the same $c + \gamma c + \gamma^2 c + \dots = c/(1-\gamma)$, all values with it, and no
# advantage at all. Pendulum is of this kind. CartPole is not: an episode that terminates after $T$ steps changes by
#
# $$
# c\,(1 + \gamma + \dots + \gamma^{T-1}) = c\, \frac{1 - \gamma^T}{1 - \gamma},
# $$
#
# which depends on $T$. CartPole's reward is always 1, its mean is 1, and $c = -1$ leaves a reward of 0 for everything. Long
# or short, all episodes are worth the same. Any $c$ below −1 even pays for falling early:

# %%
gamma = 0.99
print("      c     return of 20 steps     of 500 steps")
for c in (0.0, -1.0, -1.1):
    worth = [(1 + c) * (1 - gamma**T) / (1 - gamma) for T in (20, 500)]
    print(f"{c:7.1f} {worth[0] + 0.0:18.2f} {worth[1] + 0.0:20.2f}")

# %% [markdown]
# So scale rewards, and do not centre them where episodes can terminate. (The package's `normalize_rewards` divides by a
# running standard deviation of the return and subtracts nothing, for this reason.)
#
# ### 6.2 The scale of the observations
#
# Two of the observations are between −1 and 1, the velocity between −8 and 8. That is uneven, but a `tanh` network can
# live with it. `normalize_observations=True` subtracts a running mean and divides by a running standard deviation.
#
# Measured: {{pendulum:observation_norm/held_out}}, worst seed {{pendulum:observation_norm/held_out/worst}}, solved by
# {{pendulum:observation_norm/solved/count}} of {{pendulum:observation_norm/solved/count.n}} seeds. So here it costs: in training the task is
# solved after {{pendulum:observation_norm/steps_to_solved}} steps instead of {{pendulum:pendulum/steps_to_solved}}, and one seed never gets there.
# We have not looked for the reason. Use it where the scales are unknown or differ by far more than a factor of eight, and measure it like any
# other change.
#
# ### 6.3 Rollouts as long as an episode
#
# An episode of Pendulum always lasts 200 steps, and all environments start together. So at any moment all rods are at the same *age*: swinging
# up in the first few seconds, balancing after that. A rollout of 200 steps holds whole episodes. A rollout of 128
# steps holds now mostly swinging, now mostly balancing, and each update sees one and not the other.
# That sounds harmful. Is it? And if so, is it the age or the length that matters? A control: the same short rollouts, but with first
# episodes cut to different lengths, so that the ages stay mixed for ever.

# %%
rows = {
    "pendulum": f"{ppo.PENDULUM.num_envs} × {ppo.PENDULUM.num_steps} steps, whole episodes",
    "short_rollouts": "16 × 128 steps, all start together",
    "short_staggered": "16 × 128 steps, staggered starts",
}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Three rows of ten seeds: whole episodes, short rollouts that start together, short rollouts with staggered starts.",
    caption="Same budget of 100,000 steps in each row. Grey: ten seeds. Orange: interquartile mean with its 95 % interval.",
)

# %% [markdown]
# It is hardly harmful: {{pendulum:short_rollouts/held_out}} with short rollouts that start together, {{pendulum:short_staggered/held_out}}
# staggered, {{pendulum:pendulum/held_out}} with whole episodes. Ten seeds cannot tell these ends apart. What differs is the slowest seed on
# the way there. In training it solves the task after {{pendulum:short_staggered/steps_to_solved/worst}} steps with staggered starts, after
# {{pendulum:short_rollouts/steps_to_solved/worst}} with short rollouts that start together, and after
# {{pendulum:pendulum/steps_to_solved/worst}} with whole episodes. Mixed ages look like the safe choice, and whole episodes do not earn the story that
# is told for them.
#
# ## 7. Pendulum never terminates
#
# Every episode ends by the clock. Lesson 03 said that a truncated episode has a future, and that its last step must bootstrap
# with $V$ of the true last observation. Code with a single `done` flag takes the clock for an end instead. In CartPole a good agent
# meets the clock once in 500 steps. Here **every** episode is cut, and step 200 says: nothing follows, so nothing more will be
# paid. For a cost that is good news: the end looks like a rescue.

# %%
rows = {
    "pendulum": "γ 0.9, truncated: bootstrap",
    "truncation_bug": "γ 0.9, taken for an end",
    "gamma": "γ 0.99, truncated: bootstrap",
    "truncation_bug_gamma": "γ 0.99, taken for an end",
}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Four rows of ten seeds. With a discount of 0.9 the runs with and without the bug lie together. With 0.99 those without it lie "
    "near −155 and those with it far to the left.",
    caption="Grey: ten seeds. Orange: interquartile mean with its 95 % interval.",
)

# %% [markdown]
# With $\gamma = 0.9$ the bug costs nothing that ten seeds could show. With $\gamma = 0.99$ it ruins the run:
# {{pendulum:truncation_bug_gamma/held_out}} against {{pendulum:gamma/held_out}}. The same line of code, the same task.
#
# The reason is how far a wrong ending reaches. At the last step the bug puts 0 where $V$ belongs, an error of up to the whole value. One step earlier the error
# counts $\gamma$ times as much, $k$ steps earlier $\gamma^k$ times. So it reaches back about $1/(1-\gamma)$ steps: 10 of the 200 with
# $\gamma = 0.9$, and 100 of the 200 with 0.99. There is a second side to it. The observation does not contain the time. The same angle and
# velocity come with one return at step 20 and with another at step 190, and the critic can only learn their mean.
#
# So "it trained fine" is no proof that the boundaries are right. Here it takes another discount to bring the bug out.
#
# ## 8. Why not cut the torque into steps?
#
# A Categorical over a few fixed torques is a policy for this task too. Then softmax, probabilities and unit 00's entropy are
# back.

# %%
page.source(policies.Bins)

# %% jupyter={"source_hidden": true}
questions.predict(
    "05-bins",
    "Replace the Gaussian by a softmax over 5 torques (−2, −1, 0, 1, 2), or over 11. All else stays. How does it do in training, where "
    "actions are sampled?",
    [
        "Both fail: balancing needs fine torques",
        "5 fails, 11 comes close to the Gaussian",
        "Both are about as good as the Gaussian",
        "Both are clearly better than the Gaussian",
    ],
    answer=2,
    explanation=f"The last 100 training episodes return {quote('pendulum:pendulum/last_100')} with the Gaussian, "
    f"{quote('pendulum:bins_5/last_100')} with 5 torques, {quote('pendulum:bins_11/last_100')} with 11. A coarse torque that is drawn twenty "
    "times a second averages to a fine one. The figure asks a harder question.",
)

# %%
rows = {"pendulum": "Gaussian", "bins_5": "5 torques", "bins_11": "11 torques", "tanh": "Gaussian, tanh"}
rows |= {"state_dependent_std": "Gaussian, σ(s) from the network"}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Five rows of ten seeds: Gaussian, 5 torques, 11 torques, tanh-squashed Gaussian, Gaussian with a width from the network.",
    caption="Five policies for the same task with the same settings, ten seeds each, judged as always by their mode on held-out starts.",
)

# %% [markdown]
# Judged by the mode, the bins come out behind: {{pendulum:bins_5/held_out}} and {{pendulum:bins_11/held_out}}, and with 11 torques only
# {{pendulum:bins_11/solved/count}} of {{pendulum:bins_11/solved/count.n}} seeds pass −200. In training they were level with the Gaussian. So the
# policies are not worse, their *mode* is. A softmax that wants 0.7 N m spreads its probability over the neighbours and is right on average. Its
# mode picks one of them. A Gaussian's mode is its mean, and loses nothing. So is discretising always bad? No. But act as you trained, or evaluate
# both ways.
#
# The catch is the number of dimensions. A grid over $A$ torques with 11 levels each has $11^A$ cells: 11 for Pendulum, 1.8 million
# for the six joints of HalfCheetah. People then choose each dimension's level by itself, with $11 A$ logits and a sum of
# log-probabilities, as in equation (1).
#
# ## 9. Your run among the ten
#
# The run from the top of this page, on the band of the ten measured ones:

# %%
figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["pendulum"], label="ten measured runs", colour="ppo")
smooth = moving_average(result.episodes["episodic_return"], 24)
together = slice(
    ppo.PENDULUM.num_envs - 1, None, ppo.PENDULUM.num_envs
)  # all environments end at the same step: the last of each
ax.plot(
    result.episodes["env_step"][together],
    smooth[together],
    color=plots.COLOURS["learner"],
    linewidth=1.4,
    label="your run",
)
ax.axhline(-200, color=plots.COLOURS["threshold"], linestyle=":")
ax.set(xlabel="environment steps", ylabel="return, moving average of 24 episodes", ylim=(-1500, 0))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="Return against environment steps: the band of ten runs and one live run rise from about −1,200 to about −200 within "
    "some 30,000 steps and then stay level.",
    caption="The band is the interval of the mean of ten runs. A single run, averaged over 24 random starts, scatters around it.",
)

# %% [markdown]
# ## 10. Your experiment: how wide is the first guess?
#
# `initial_std` is the width with which the policy starts, in N m. `ppo.PENDULUM` starts at 1.5. A careful engineer might prefer a
# gentle start: 0.1, so that the motor is not shaken.
#
# **Change one thing**, three seeds each, and write down *in your own words*, before you unfold the answer: what happened, why, and
# which of the numbers of section 5 would have told you early?

# %%
widths = (1.5, 0.1)
configs = {f"first σ = {width}": replace(ppo.PENDULUM, initial_std=width, total_timesteps=40_000) for width in widths}
runs = run_seeds(configs, seeds=range(3), progress=False)

figure = plots.learning_curves(runs, x="env_step", window=24, threshold=-200, title="One change: the first width")
page.figure(
    figure,
    alt="Two learning curves over 40,000 steps. With a first width of 1.5 the return climbs towards −200, with 0.1 it stays below −900.",
    caption="Three seeds are enough for a difference as large as this one. The learning rate falls to zero over 40,000 steps here.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# Ten seeds over 100,000 steps: a first width of 0.1 ends at {{pendulum:std_01/held_out}} and solves the task in
# {{pendulum:std_01/solved/count}} of {{pendulum:std_01/solved/count.n}} seeds; 1 at {{pendulum:initial_std/held_out}}; 1.5 at
# {{pendulum:pendulum/held_out}}; 3 at {{pendulum:std_3/held_out}}.
#
# With 0.1 the motor never does more than hum. A hanging rod stays a hanging rod, no episode ever visits the top, and no advantage can
# praise what was never tried. The policy can only improve what it sees, and it sees a rod near the bottom. The gradients of a narrow policy are
# large (section 5), so this is no lack of signal. It is a lack of *experience*. The entropy would have told you: it starts at
# $\log 0.1 + 1.419 = -0.88$ nats, a tenth of the torque's range.
#
# Too wide costs little here. With $\sigma = 3$ half of the samples are clipped, and the motor is thrown between −2 and 2, which is a fine way to
# find the swing. In a task where a bad action breaks something, you would choose differently.
#
# </details>
#
# ## 11. A patient
#
# Someone's continuous PPO runs without an error, with the settings of `ppo.PENDULUM`. Ten seeds of it, beside ten healthy
# ones. Symptom first: which panel is strange, and what could cause it?

# %%
figure, axes = plots.new_figure(columns=3, width=9.8, height=3.4)
panels = {"": "return in training", "/losses/entropy": "entropy [nats]", "/losses/approx_kl": "approximate KL [nats]"}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("pendulum", "healthy", "#D55E00"), ("clipped_actions", "patient", "#000000")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour)
    ax.set(xlabel="environment steps", ylabel=label, xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
axes[1].legend()
page.figure(
    figure,
    alt="Three panels, healthy and patient. The patient's return climbs like the healthy one at first and then stays below it. Its entropy "
    "falls much further, below zero. Its approximate KL is several times as large.",
    caption="Ten seeds each. The patient's settings, budget and networks are those of the healthy runs.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-patient",
    "Which of these explains all three panels?",
    [
        "The learning rate is ten times too small",
        "`log_std` is no parameter: the optimiser never touches it",
        "The rollout stores the clipped torque, with the log-probability of the clipped torque",
        "The entropy bonus is far too large",
    ],
    answer=2,
    reasons=[
        "Then everything would move slowly, and the approximate KL would be small. Here it is many times the healthy one.",
        "Then the entropy would be a straight line.",
        "Right: full torque is stored as exactly 2, over and over. A Gaussian makes equal numbers more likely by narrowing. The width "
        "collapses, exploration ends, and with a small σ every step is a large KL.",
        "A bonus pushes the entropy up. Here it falls far below the healthy one.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# actions = policy(obs).sample().clamp(-2, 2)                 # one careful-looking clamp, before the action is stored
# next_obs, rewards, terminated, truncated, info = envs.step(actions)
# steps.append((obs, actions, rewards, ...))
# ```
#
# The cure is to leave the clamp to the environment, or to send `actions.clamp(-2, 2)` to it and store `actions`.
#
# </details>
#
# Held-out return {{pendulum:clipped_actions/held_out}}, worst seed {{pendulum:clipped_actions/held_out/worst}}, against
# {{pendulum:pendulum/held_out}} of the healthy runs; the width ends at {{pendulum:clipped_actions/last_std.value}} instead of
# {{pendulum:pendulum/last_std.value}} N m. The bias of section 4 looked harmless: 0.2 in one score. But it is not noise that averages out. It
# pulls in the same direction at every update, and it pulls hardest where this task is won: at full torque.
#
# ## 12. What comes next, and other tasks
#
# ### Any Box task
#
# `ppo.train` takes every Gymnasium id with a flat Box of observations and a Box of actions. Look at the bounds first:

# %%
for env_id in ("Pendulum-v1", "MountainCarContinuous-v0"):
    env = gymnasium.make(env_id)
    print(f"{env_id}: observations {env.observation_space.shape}, actions {env.action_space}")

# %% [markdown]
# Two things to decide for a new task:
#
# - **Bounds.** The Gaussian starts with $\sigma$ = `initial_std` in the action's own unit. For bounds of ±0.05 that is absurdly wide, for ±1,000 it never
#   explores. Either set `initial_std` to about half the bound, or wrap the environment in Gymnasium's `RescaleAction` to ±1.
# - **Scales of observations and rewards.** Where they are unknown or uneven, start with `normalize_observations=True` and
#   `normalize_rewards=True`, as the HalfCheetah preset does.
#
# The MuJoCo robots need an extra. This is not run here; in a terminal, then in a notebook of your own:
#
# ```sh
# pip install -e ".[mujoco]"
# ```
#
# ```python
# from pgcourse import evaluate, ppo
# result = ppo.train(ppo.INVERTED_PENDULUM)      # InvertedPendulum-v5, 60,000 steps
# result = ppo.train(ppo.HALF_CHEETAH)           # HalfCheetah-v5, 500,000 steps: 6 joints
# print(evaluate(result.policy, "HalfCheetah-v5", num_episodes=10, seed=0).mean)
# ```
#
# Without the extra, `ppo.train` says in one line what is missing. **MountainCarContinuous** needs no extra, and is a trap: its only positive
# reward is at the flag, every torque costs a little, and a policy that has never seen the flag learns to stand still. There the
# exploration is the problem, not the method's settings.
#
# ### DDPG, TD3, SAC in one picture

# %%
page.figure(
    family.family_figure(),
    alt="Two rows of boxes. Above, on-policy: REINFORCE 1992, A2C 2016, PPO 2017. Below, off-policy: DDPG 2016, TD3 2018, SAC 2018. "
    "Each box says what the method adds.",
    caption="Above: what this course builds. Below: the family that keeps its data. In continuous actions Q(s, a) has a slope in a, and "
    "the actor can follow it.",
)

# %% [markdown]
# PPO asks: *which of my random actions turned out better than expected?* The lower row asks a learned critic: *in which direction would a
# slightly different action be worth more?* That is $\nabla_\theta Q(s, \mu_\theta(s)) = \nabla_a Q(s, a) \cdot \nabla_\theta \mu_\theta(s)$, the
# chain rule through the critic. It needs a differentiable $Q$ and continuous actions, and in return every transition can be used
# again and again. **DDPG** does that with one deterministic action per state, and noise added for exploration. Its critic tends to overrate
# actions, since the actor looks for whatever the critic overrates. **TD3** trains two critics and believes the lower one. **SAC** makes the actor a
# tanh-Gaussian again, pays for entropy, and differentiates through the sample $a = \tanh(\mu + \sigma \varepsilon)$: there the
# Jacobian of section 4 is needed. Their papers report fewer environment steps
# than PPO needs, at more computation for each. None of the three is measured here.
#
# ## 13. Common mistakes, and how they look
#
# | mistake | what you see |
# |---|---|
# | `log_std` is a plain tensor, not an `nn.Parameter` | the entropy is a straight line. The return may well look healthy (section 3.4) |
# | log-probability not summed over dimensions | with `[B, A]` an error in our losses; with `.mean(-1)` a clip fraction and a KL that are far too small |
# | actions of shape `[B]` sent to a Box of shape `(1,)` | an error in the best case; in the worst, broadcasting to `[B, B]` |
# | clipped actions stored with their log-probability | the width collapses, the approximate KL is many times too large (section 11) |
# | log-probability of $\tanh(u)$ without the Jacobian, in SAC | the policy runs into the bounds: entropy is overrated there. In PPO without entropy bonus: nothing |
# | `std` as the network's output without `exp` or `softplus` | an error, or NaN, when it falls below zero |
# | `initial_std` in the wrong unit | section 10 |
# | reading the training return as the agent's quality | it holds the noise of $\sigma$; evaluate the mode on held-out starts |
# | a single `done` flag | section 7 |
#
# ## 14. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-negative-entropy",
    "The entropy of your Gaussian policy falls from 1.4 to −0.5 during training. What does that mean?",
    [
        "A bug: entropy cannot be negative",
        "The standard deviation has fallen to about 0.15 in the action's unit",
        "The policy has become deterministic",
        "The learning rate is too large",
    ],
    answer=1,
    reasons=[
        "That holds for a Categorical. A density can exceed 1, and then the entropy of a Gaussian is negative.",
        "Right: H = log σ + 1.419, so log σ = −1.92 and σ = 0.147. Whether that is narrow depends on the bounds.",
        "A deterministic policy has σ = 0 and an entropy of minus infinity.",
        "The entropy alone does not say so. Look at the approximate KL.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-where-to-clip",
    "A sample is u = 2.7, the bound is 2. Which log-probability belongs into the rollout?",
    [
        "That of 2.7",
        "That of 2.0",
        "The logarithm of the probability that a sample exceeds 2",
        "None: the step must be dropped",
    ],
    answer=0,
    reasons=[
        "Right: the policy chose 2.7. That the environment makes 2.0 of it is the environment's business.",
        "This is the height of the bell at 2.0, which is neither what was sampled nor the probability of being clipped.",
        "This would be correct as well, a score of the clipped variable with mean zero, but then all samples beyond the bound must "
        "be treated so, in the old and in the new policy. Plain code does not do that.",
        "Dropping steps by their action would bias the estimate.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-jacobian",
    "PPO with a tanh-squashed Gaussian and no entropy bonus: you forget the Jacobian in log π, old and new. The updates",
    [
        "are wrong from the first step",
        "are the same",
        "are wrong only near the bounds",
        "diverge, because the density no longer integrates to 1",
    ],
    answer=1,
    reasons=[
        "The ratio is new minus old log-probability of the same sample, and the missing term is in both.",
        "Right: log(1 − tanh² u) depends on the sample alone, so it cancels in the ratio.",
        "The term is largest there, and cancels there as well.",
        "The density is wrong as a density. PPO only ever uses ratios of it.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-centre",
    "In which task may you subtract the mean reward from every reward without changing what is best?",
    [
        "CartPole",
        "Pendulum",
        "Both",
        "Neither",
    ],
    answer=1,
    reasons=[
        "There every reward becomes 0, and a fall after 20 steps is worth as much as 500 steps upright.",
        "Right: its episodes never terminate, so every return moves by the same constant.",
        "In CartPole the number of rewards is the score. Subtracting their mean removes it.",
        "Where episodes never terminate, a constant shifts all values alike.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-dimensions",
    "A policy with A = 6 and σ = 0.1 in each dimension. Every mean moves by 0.05. The KL divergence of the move is",
    ["0.125", "0.75", "0.05", "0.0208"],
    answer=1,
    reasons=[
        "That is one dimension: 0.05² / (2 · 0.1²) = 0.125. Independent dimensions add.",
        "Right: 6 · 0.125. With more motors, the same step of each mean moves the policy further, so the trust region gets tight.",
        "That is the length of the step in one dimension, not a divergence.",
        "That is 0.125 / 6: averaging where a sum belongs.",
    ],
)

# %% [markdown]
# ## 15. What to remember
#
# 1. Continuous actions change the distribution, the action's shape and the output layer. The rest of PPO stays.
# 2. The log-probability is summed over dimensions, and is of the sample. Only the environment clips.
# 3. A Gaussian's entropy is $\log\sigma + 1.419$ for each dimension: it may be negative and depends on the unit.
# 4. The score grows like $1/\sigma$, a step of the mean costs $d^2 / 2\sigma^2$ of KL: a sure policy needs smaller steps.
# 5. Settings can be cures for one illness: here reward scale, discount and epochs all help the critic. Ask the diagnostics which
#    illness it is, before you turn knobs.
#
# ## Further reading
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement learning*,
#   Machine Learning 8. Section 6: a Gaussian unit that learns its mean and its width.
# - J. Schulman et al. (2017), *Proximal policy optimization algorithms*. Section 6.1: continuous tasks, and the settings
#   used for them.
# - M. Andrychowicz et al. (2021), *What matters for on-policy deep actor-critic methods? A large-scale study*, ICLR. Read
#   the recommendations on action distributions, initial width and normalisation, and how many runs stand behind each.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. The nine
#   details for continuous actions.
# - F. Pardo et al. (2018), *Time limits in reinforcement learning*, ICML. When the clock is an end and when it is not.
# - P.-W. Chou, D. Maturana and S. Scherer (2017), *Improving stochastic policy gradients in continuous control with deep
#   reinforcement learning using the Beta distribution*, ICML. What bounds do to a Gaussian, and a distribution with bounds of its own.
# - Y. Fujita and S. Maeda (2018), *Clipped action policy gradient*, ICML. The clipped action treated right: less variance.
# - Y. Tang and S. Agrawal (2020), *Discretizing continuous action space for on-policy optimization*, AAAI. Bins, one softmax
#   a dimension.
# - T. Lillicrap et al. (2016), *Continuous control with deep reinforcement learning*, ICLR (DDPG); S. Fujimoto et al. (2018),
#   *Addressing function approximation error in actor-critic methods*, ICML (TD3); T. Haarnoja et al. (2018), *Soft
#   actor-critic*, ICML (SAC), appendix C for the tanh.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/05_continuous_pendulum.ipynb) build the log-probability, the
# entropy, the policy, the squashed density and the running normalisation, and then swing up the rod with *your* policy.
