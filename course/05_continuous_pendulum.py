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
# So far an action was one of two buttons. Motors, valves and steering wheels take a number. In this unit the action is a torque
# between −2 and 2 N m. Little of PPO has to change for that. What the *task* needs is another question, and takes the second
# half of the lesson.
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises. Symbols: [one table for the whole course](../docs/symbols.md). {{# wording}}

# %% jupyter={"source_hidden": true}
import math
from dataclasses import replace

import gymnasium
import torch
from torch.distributions import Independent, Normal

from pgcourse import evaluate, make_envs, ppo
from pgcourse.networks import GaussianPolicy
from pgcourse.rollout import collect_rollout
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.figures import methods as family, seeds as effects
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.bounds import BOUNDS
from pgcourse.show.live.explainers.phase import phase_of
from pgcourse.show.live.explainers.score import SCORE
from pgcourse.show.live.game import play
from pgcourse.show.page import settings
from pgcourse.statistics import moving_average
from pgcourse.study import policies
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("pendulum")

# %% [markdown]
# ## 1. Where this ends
#
# A rod hangs from a motor that is too weak to lift it. Train PPO on it, here and now, and keep copies on the way.

# %%
result, agents = stages.train_with_stages(ppo.train, replace(ppo.PENDULUM, seed=1), at=(0, 10_000), by="env_step")

# %% jupyter={"source_hidden": true}
watch(
    agents,
    "Pendulum-v1",
    seed=3,
    caption="The same held-out start states for all. From below, watch how the trained agent swings to and fro before it goes up.",
)

# %%
held_out = evaluate(result.policy, "Pendulum-v1", num_episodes=100, seed=0)
random_agent = evaluate(None, "Pendulum-v1", num_episodes=100, seed=0)
print(f"mean return of 100 held-out episodes: trained {held_out.mean:.0f}, random {random_agent.mean:.0f}")
print(f"episodes used for training: {len(result.episodes)}, each of {result.episodes['length'][0]} steps")

# %% [markdown]
# ## Before you begin
#
# **After this lesson you will be able to**
#
# 1. turn a discrete policy into a continuous one, and name the three things that change;
# 2. derive the log-probability and the entropy of a Gaussian policy, and say what both mean when they are positive, negative,
#    or depend on the unit;
# 3. say where a sampled action may be clipped and where not, and show with a test what goes wrong otherwise;
# 4. explain why a policy that becomes sure of itself gets *larger* scores, and what can keep its steps small;
# 5. tell apart what continuous actions need from what one task needs, by runs in which one setting changes.
#    {{# mathematics}}
#
# **You need** [lesson 04](04_ppo.ipynb) (PPO, its clip and its KL) and lesson 03 (GAE, terminated and truncated). All cells
# together run in about 40 seconds on two cores. {{# wording}}
#
# The numbers come from `claims/pendulum.json`: ten training runs of each version. *−160 [−170, −150]* would read: interquartile
# mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted underline are comparisons decided by the data;
# hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)).
#
# ### Three questions
#
# Answer from memory. This lesson builds on all three.

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-recall-1",
    "PPO (unit 04): a row has a good action (A > 0) and a ratio beyond 1 + ε. What does the clip do to this row?",
    [
        "It sets the ratio of the row back to 1 + ε",
        "It takes the row out of the critic's loss too",
        "Its gradient is 0: it stops pulling",
        "It turns the gradient of the row round",
    ],
    answer=2,
    reasons=[
        "The loss uses a clipped copy. The policy itself is free.",
        "The critic's loss has no ratio.",
        "Right. The other rows may still carry it along.",
        "A gradient back flows only where the update went the wrong way.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-recall-2",
    "Truncated and terminated (unit 03): what follows the last step of a truncated episode in the target?",
    [
        "Nothing: the episode is over",
        "γ · V of the true last observation",
        "The mean return of the other episodes",
        "The value of the next episode's first state",
    ],
    answer=1,
    reasons=[
        "That is right for a terminated episode only.",
        "Right. The clock ended the episode, the task goes on.",
        "The target of a row comes from its own episode.",
        "That state has nothing to do with this episode.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# mathematics}}
questions.quiz(
    "05-recall-3",
    "Baselines (unit 02): every advantage of a batch is larger by the same constant. What does this change in the policy gradient?",
    [
        "Its mean: all actions become likelier",
        "Neither its mean nor its noise",
        "Its noise: the mean score is 0",
        "Its sign in states with a low value",
    ],
    answer=2,
    reasons=[
        "Probabilities add up to 1: not all can grow.",
        "A constant in front of the scores adds their noise.",
        "Right. Section 4 shows what breaks when the mean score is not 0.",
        "A constant knows nothing of states.",
    ],
)

# %% [markdown]
# ## 2. The task
#
# | | Pendulum-v1 |
# |---|---|
# | observation | three numbers: cosine and sine of the angle from upright, and the angular velocity [rad/s] |
# | action | one number, the torque [N m]; the environment clips it to $[-2, 2]$ |
# | reward | −(angle² + 0.1 · velocity² + 0.001 · torque²), angle between −π and π: 0 is upright and still |
# | terminated | never |
# | truncated | after 200 steps of 0.05 s |
#
# All rewards are negative. A return of −1,200 is a rod that hangs and flails. Gymnasium names no threshold for this task. We
# call it **solved** at a mean return of at least −200 over 100 held-out episodes, with the policy's mode as action. No agent
# reaches 0, since the rod has to swing up first.
#
# Why is it hard? Gravity turns the rod with a torque of $5 \sin(\text{angle})$ N m, and the motor has 2. So it can hold the rod
# only near upright or near hanging:

# %%
print(f"the motor can hold the rod up to {math.degrees(math.asin(2 / 5)):.1f}° from upright, or from hanging")

# %% [markdown]
# From elsewhere the way up leads through swinging: push along with the motion, gain energy, brake at the top. Try it:

# %%
play("Pendulum-v1")

# %% [markdown]
# The state is two numbers, angle and angular velocity, so you can look at a whole policy in one picture: a **phase portrait**.
# Colour is the torque, the line is one episode from a hanging start. Choose the stage and the start. What does
# the early copy get wrong, the swing or the balance at the top?

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
swinging = {"untrained": GaussianPolicy(obs_dim=3, action_dim=1, hidden_sizes=(32, 32))}
swinging |= {title: policy for title, policy in agents.items() if policy is not None}
phase_of(swinging).show()

# %% [markdown]
# Near the hanging rod, at the left and right edges, the trained policy's torque has the sign of the *velocity*: it pumps. In
# the middle the torque opposes the angle: it balances.
#
# ## 3. First diff: what continuous actions need
#
# Everything that PPO knows of a policy is a distribution with `sample`, `log_prob` and `entropy`. So only the policy changes,
# in three places:
#
# | | CartPole | Pendulum |
# |---|---|---|
# | **distribution** | `Categorical`: a probability for each of $A$ actions | `Independent(Normal, 1)`: a density over $\mathbb{R}^A$ |
# | **action's shape** | `[B]`, int64: an index | `[B, A]`, float32: $A$ numbers. Pendulum has $A = 1$, and it stays an axis |
# | **output layer** | $A$ logits | $A$ means; the standard deviations are a parameter beside the network |

# %%
page.source(
    GaussianPolicy, folded="the Gaussian policy in the package; open it after you have written your own (exercise 3)"
)

# %% [markdown]
# `collect_rollout`, `gae`, `ppo_clip_loss`, `update` and `train` are the same functions as in unit 04. Nothing in them asks
# which kind of action it is.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $u$ | sample of the Gaussian, before squashing or clipping | `actions` | `[B, A]` |
# | $\mu_\theta(s)$, $\sigma$ | mean and standard deviation of the Gaussian | `policy.mean(obs)`, `policy.log_std.exp()` | `[B, A]`, `[A]` |
# | $\bar u$ | the sample as the environment clips it | `actions.clamp(...)` | `[B, A]` |
# | $\xi$ | noise of a standard normal: $u = \mu + \sigma \xi$ | `torch.randn` | `[B, A]` |
#
# In the package `log_std` is a parameter: the same width at every state. Why the logarithm? A standard deviation must be
# positive, and a step of the optimiser then multiplies it instead of adding.
#
# ### 3.1 From probabilities to densities
#
# There are infinitely many torques, so each single one has probability zero. A continuous policy has a **density**
# $\pi_\theta(u \mid s)$: the probability of a small interval around $u$, divided by its width. The derivation of unit 01 goes
# through with an integral for the sum:
#
# $$
# \nabla_\theta\, \mathbb{E}[f(u)] = \nabla_\theta \int \pi_\theta(u) f(u)\, \mathrm{d}u
# = \int \pi_\theta(u)\, \frac{\nabla_\theta \pi_\theta(u)}{\pi_\theta(u)} f(u)\, \mathrm{d}u
# = \mathbb{E}\big[f(u)\, \nabla_\theta \log \pi_\theta(u)\big].
# $$
#
# The gradient may move inside the integral because a Gaussian is smooth in its parameters and falls off fast at both ends, as
# long as $f$ grows no faster than a power of $u$. Between the ends $f$ may jump. So the score still has mean zero (take $f =
# 1$), and advantages still may be shifted by a baseline. In the ratio of two densities the width of the interval cancels.
# {{# mathematics}}
#
# ### 3.2 The log-probability, and why it is a sum
#
# For one dimension the density is $\frac{1}{\sigma\sqrt{2\pi}} \exp\!\big(-\frac{(u-\mu)^2}{2\sigma^2}\big)$. The $A$
# dimensions are sampled independently, so the joint density is a product, and its logarithm a sum:
#
# $$
# \log \pi(u \mid s) = \sum_{i=1}^{A} \left[ -\frac{(u_i - \mu_i)^2}{2\sigma_i^2} - \log \sigma_i - \tfrac12 \log 2\pi \right].
# \tag{1}
# $$
#
# `[B, A]` goes in, `[B]` comes out: one action has one log-probability, however many motors it moves. `Independent(…, 1)` does
# that sum; a `Normal` alone gives `[B, A]`. Taking the *mean* over the last axis is a bug that raises no error: the ratio that
# PPO clips becomes $\rho^{1/A}$. Here for a robot with six joints:

# %%
torch.manual_seed(0)
mean, std = torch.randn(4, 6), torch.full((6,), 0.6)  # [B, A], [A]
u = mean + std * torch.randn(4, 6)  # [B, A]
before, after = Independent(Normal(mean, std), 1), Independent(Normal(mean + 0.2, std), 1)  # the policy moves a little
log_ratio = after.log_prob(u) - before.log_prob(u)  # [B]
print("shapes: Normal", list(Normal(mean, std).log_prob(u).shape), "and Independent", list(log_ratio.shape))
print("ratio                         ", log_ratio.exp().numpy().round(2))
print("ratio with mean instead of sum", (log_ratio / 6).exp().numpy().round(2))

# %% [markdown]
# With the mean, every ratio is close to 1: the clip hardly acts, and the approximate KL reads too small. With one action
# dimension, as here, you would not notice. {{# mathematics}}
#
# ### 3.3 The entropy of a Gaussian
#
# Entropy is the mean of $-\log \pi$. Take it of equation (1), one dimension. The only random part is the square, and
# $\mathbb{E}[(u - \mu)^2] = \sigma^2$:
#
# $$
# H = \tfrac12 + \log \sigma + \tfrac12 \log 2\pi
# = \log \sigma + \tfrac12 \log(2 \pi e) \approx \log\sigma + 1.419 .
# \tag{2}
# $$
#
# Over $A$ dimensions the entropies add. Three things are different from unit 00.
#
# - **It can be negative.** A density may be larger than 1, so $-\log \pi$ may be below 0. $H = 0$ at $\sigma \approx 0.24$. For
#   a Categorical a negative entropy is a bug, here it is a narrow policy.
# - **It has no largest value.** An entropy bonus on a Categorical pushes towards uniform and stops there. On a Gaussian it
#   pushes $\log \sigma$ up without end.
# - **It depends on the unit.** Measure torque in mN m: $\sigma$ is 1,000 times as large, and $H$ grows by $\log 1000 \approx
#   6.9$. Compare entropies only of the same action space. Log-probabilities shift by the same amount, ratios do not.
#   {{# mathematics}}

# %% [markdown]
# ### 3.4 A parameter, or an output of the network? · further
#
# A network could give one $\sigma(s)$ for each state: wide while swinging, narrow at the top. It takes one line:

# %%
page.source(policies.StateDependentGaussian)

# %% [markdown]
# Measured, with everything else as in `ppo.PENDULUM`. A third row does not learn the width at all: it stays at its first value
# of {{pendulum:frozen_std/last_std.value}} N m for the whole training.
#
# | standard deviation | held-out return | steps to solved in training |
# |---|---|---|
# | one parameter | {{pendulum:pendulum/held_out}} | {{pendulum:pendulum/steps_to_solved}} |
# | from the network, $\sigma(s)$ | {{pendulum:state_dependent_std/held_out}} | {{pendulum:state_dependent_std/steps_to_solved}} |
# | never trained | {{pendulum:frozen_std/held_out}} | {{pendulum:frozen_std/steps_to_solved}} |
#
# In the return {{no difference | pendulum:state_dependent_std/held_out ~ pendulum:pendulum/held_out,
# pendulum:frozen_std/held_out ~ pendulum:pendulum/held_out, pendulum:frozen_std/held_out ~
# pendulum:state_dependent_std/held_out}} between any two of the three is seen, and the one parameter gets there a little
# {{sooner | pendulum:pendulum/steps_to_solved < pendulum:state_dependent_std/steps_to_solved, pendulum:pendulum/steps_to_solved <
# pendulum:frozen_std/steps_to_solved}} than the other two. A possible reason why even a width of 2 N m for ever does no harm:
# noise is cheap here, since the reward charges 0.001 · torque², and twenty corrections a second average the noise out. On a
# robot with expensive gears this may come out otherwise. {{# hypothesis}}

# %% [markdown]
# ## 4. Bounds: clip in the environment, nowhere else
#
# A Gaussian does not know that torque ends at 2 N m. Some samples lie outside, and the environment cuts them. **Move** the
# policy's mean and width, and see how much is cut. Where do the mean of the samples and the mean of the torque part?

# %% jupyter={"source_hidden": true}
BOUNDS.show()

# %% [markdown]
# How much of that happens in real training? Take the trained agent's own episodes, sample as in training, and count:

# %%
envs = make_envs("Pendulum-v1", 8, seed=123)
obs, _ = envs.reset()
rollout, _ = collect_rollout(result.policy, result.critic, envs, obs, num_steps=200)
outside = (rollout.actions.abs() > 2).squeeze(-1).float()  # [T, N]
print(
    f"samples outside the bounds: {outside[:50].mean():.0%} in the first 50 steps, {outside[100:].mean():.0%} in the last 100"
)

# %% [markdown]
# While it swings up, many samples are cut.
#
# Now the rule: **what is stored, and what the log-probability is of, is the sample $u$, never the clipped $\bar u =
# \mathrm{clip}(u, -2, 2)$.** The cut belongs to the environment, like friction. The policy gradient asks for no derivative of
# the environment, so the estimate stays unbiased.
#
# Store $\bar u$ instead, and $\log \pi(\bar u)$ is the density of a sample that was never drawn. Then the mean of the score is
# no longer zero, and every baseline rests on that. With $\partial_\mu \log \pi(\bar u) = (\bar u - \mu)/\sigma^2$,
# {{# mathematics}}
#
# $$
# \mathbb{E}\big[\partial_\mu \log \pi(\bar u)\big] = \frac{\mathbb{E}[\bar u] - \mu}{\sigma^2} \;\ne\; 0 .
# $$
#
# Clipping pulls $\mathbb{E}[\bar u]$ inwards, so a *constant* advantage of 1, which carries no information, already moves
# $\mu$. PPO subtracts the mean advantage, which takes this constant away. What stays is a bias where advantages and cut samples
# go together: let full torque be good, with an advantage of 1 for $u > 2$ and $-1$ for $u < 2$, which has mean 0 at $\mu = 2$.
# Both in numbers:

# %%
sigma, n = 1.0, 100_000
torch.manual_seed(0)
noise = torch.randn(n)
for title, mu, good in (("constant advantage", 1.5, None), ("full torque is good", 2.0, 2.0)):
    u = mu + sigma * noise
    advantage = torch.ones(n) if good is None else (u > good).float() * 2 - 1
    for name, stored in (("the sample", u), ("the clipped action", u.clamp(-2, 2))):
        of_mean = advantage * (stored - mu) / sigma**2
        of_log_std = advantage * ((stored - mu) ** 2 / sigma**2 - 1)
        print(
            f"{title:20} {name:18} pull on the mean {of_mean.mean():+.3f}, on log σ {of_log_std.mean():+.3f} (± {2 / n**0.5:.3f})"
        )

# %% [markdown]
# As sampled, the constant pulls at nothing, and good full torque pulls the mean up. Clipped, the constant pulls the mean
# inwards and the width down; and with advantages of mean 0, good full torque pulls the mean up less, and narrows the width.
# What that does to training you will see in section 11. {{# computed}}

# %% [markdown]
# ### 4.1 Squashing with tanh · further
#
# The other way to respect bounds is to bend the axis: $a = \tanh(u)$ (times 2 here) lies inside for every $u$. What is the
# density of $a$? Since $\tanh$ is increasing, $P(a \le x) = P(u \le \operatorname{artanh} x)$. Differentiate both sides in $x$,
# with the chain rule on the right and $\frac{\mathrm{d}}{\mathrm{d}x} \operatorname{artanh} x = 1 / (1 - x^2)$:
#
# $$
# p_a(a) = \frac{p_u(u)}{1 - \tanh^2 u},
# \qquad
# \log p_a(a) = \log p_u(u) - \sum_i \log\!\big(1 - \tanh^2 u_i\big).
# \tag{3}
# $$
#
# The sum is the logarithm of the **Jacobian** determinant: how much the bend stretches a small box around $u$. Coded as
# written it fails: for $u = 10$ the float32 $\tanh$ is exactly 1, and the logarithm $-\infty$. Exercise 4 asks for a form that
# is right in float32 for $u$ from −10 to 10; start from $1 - \tanh^2 u = 4 / (e^u + e^{-u})^2$.

# %%
page.source(
    policies.TanhNormal,
    folded="the squashed Gaussian in the package; open it after you have written your own (exercise 4)",
)

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
# So for PPO without an entropy bonus, squashing is another environment: one that bends torques where ours cuts them. The
# Jacobian matters where the density itself enters the objective, as entropy does in SAC (section 12). Measured, squashing gives
# a held-out return of {{pendulum:tanh/held_out}}, {{a little lower | pendulum:tanh/held_out < pendulum:pendulum/held_out}} than
# clipping with {{pendulum:pendulum/held_out}}, and is solved a little {{later | pendulum:tanh/steps_to_solved >
# pendulum:pendulum/steps_to_solved}}.

# %% [markdown]
# ## 5. A policy that becomes sure
#
# Training narrows the Gaussian. What does that do to the gradient?

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "05-score",
    "The standard deviation of the policy falls from 1 to 0.1. What happens to the gradients of log π for the mean?",
    [
        "They shrink to about a tenth: little is left to learn",
        "They stay of the size that they had before",
        "They become about ten times as large as before",
        "They vanish, as those of a sure softmax do",
    ],
    answer=2,
    explanation="The score of the mean is (u − μ)/σ². A sample is off by about σ, so the score is of the size σ/σ² = 1/σ. A "
    "softmax that is sure has small scores for what it does; a narrow Gaussian has large ones.",
)

# %% [markdown]
# Differentiate equation (1) in one dimension, and write $u = \mu + \sigma \xi$ with $\xi$ standard normal:
#
# $$
# \frac{\partial \log \pi}{\partial \mu} = \frac{u - \mu}{\sigma^2} = \frac{\xi}{\sigma}.
# $$
#
# **Your line.** Now the derivative for $\log \sigma$, which is what the optimiser moves. Write it in terms of `u`, `mu` and
# `sigma`:

# %%
questions.check_line("05-score-log-std", lambda u, mu, sigma: ...)

# %% [markdown]
# <details><summary>The line</summary>
#
# With $\sigma = e^{\log \sigma}$ the square of (1) is $-\tfrac12 (u - \mu)^2 e^{-2 \log \sigma}$, whose derivative for $\log
# \sigma$ is $(u - \mu)^2 / \sigma^2$. The second term gives $-1$:
#
# $$
# \frac{\partial \log \pi}{\partial \log \sigma} = \frac{(u - \mu)^2}{\sigma^2} - 1 = \xi^2 - 1 .
# \tag{4}
# $$
#
# </details>
#
# The score of the mean has standard deviation $1/\sigma$. In that of $\log \sigma$ the width cancels: its standard deviation is
# $\sqrt{\mathbb{E}[\xi^4] - 1} = \sqrt 2$, whatever $\sigma$ is. Move $\sigma$ and see:

# %% jupyter={"source_hidden": true}
SCORE.show()

# %% [markdown]
# So the score of the mean does not vanish in a narrow Gaussian. It *grows* like $1/\sigma$, and its **variance** like
# $1/\sigma^2$. And the same step of the mean moves the policy further. The KL divergence of two Gaussians of equal width, with
# means $\mu$ and $\mu'$, is
#
# $$
# \mathrm{KL} = \mathbb{E}\left[\log \frac{\pi(u)}{\pi'(u)}\right]
# = \frac{\mathbb{E}\big[(u - \mu')^2\big] - \mathbb{E}\big[(u - \mu)^2\big]}{2 \sigma^2}
# = \frac{(\mu' - \mu)^2}{2 \sigma^2} .
# \tag{5}
# $$
#
# Move the mean by 0.1 N m: at $\sigma = 1$ that is a KL of 0.005, at $\sigma = 0.2$ it is 0.125. Adam's steps of the weights
# are about as long as the learning rate says, whatever the gradient's size. Two things can hold the KL down: PPO's clip works
# on ratios, so it feels $\sigma$ (its part is not measured here); and the learning rate can fall together with $\sigma$, as
# with `anneal_lr`. With falling and with constant rates, ten seeds: {{# mathematics}}

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(columns=3, width=9.8, height=3.4)
panels = {
    "charts/action_std": "standard deviation [N m]",
    "losses/policy_grad_norm": "policy's gradient norm",
    "losses/approx_kl": "approximate KL [nats]",
}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (
        ("pendulum", "learning rate falls", "pg:vermillion"),
        ("constant_lr", "constant", "pg:blue"),
    ):
        plots.claimed_band(ax, measured["curves"][f"{name}/{metric}"], label=who, colour=colour)
    ax.set(xlabel="environment steps", ylabel=label, ylim=(0, None), xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
axes[0].legend()
page.figure(
    figure,
    alt="Three panels against environment steps, with falling and with constant learning rates. The standard deviation falls in "
    "both. The gradient norm rises in both. The approximate KL ends near zero where the rates fall.",
    caption="Left: the policy narrows. Middle: its gradients grow. Right: how far an update goes.",
)

# %% [markdown]
# With constant rates the policy ends {{narrower | pendulum:constant_lr/last_std < pendulum:pendulum/last_std}}, and the mean
# approximate KL of an update is {{pendulum:constant_lr/kl.value}}, {{higher | pendulum:constant_lr/kl > pendulum:pendulum/kl}}
# than the {{pendulum:pendulum/kl.value}} with falling rates. In both cases the KL peaks near 0.02 after about 20,000 steps,
# while the return climbs. Then the two part: with constant rates it rises again, from 0.008 to 0.016 as the policy goes on
# narrowing; with falling rates it sinks to 0.002. {{# description}}
#
# <details><summary>Is 1/σ all there is to the middle panel? Runs whose width was held fixed, or started small</summary>
#
# | version | $\sigma$ at the end [N m] | mean gradient norm |
# |---|---|---|
# | width never trained | {{pendulum:frozen_std/last_std.value}} | {{pendulum:frozen_std/grad_norm.value}} |
# | `ppo.PENDULUM` | {{pendulum:pendulum/last_std.value}} | {{pendulum:pendulum/grad_norm.value}} |
# | constant learning rates | {{pendulum:constant_lr/last_std.value}} | {{pendulum:constant_lr/grad_norm.value}} |
# | first width 0.1 | {{pendulum:std_01/last_std.value}} | {{pendulum:std_01/grad_norm.value}} |
#
# Row by row the width falls and the norm is {{larger | pendulum:pendulum/grad_norm > pendulum:frozen_std/grad_norm,
# pendulum:constant_lr/grad_norm > pendulum:pendulum/grad_norm, pendulum:std_01/grad_norm > pendulum:constant_lr/grad_norm}},
# as the score suggests. In the first row $\sigma$ is 2 throughout, in the last between 0.1 and 0.08: a
# factor of at least 20. The norm is only {{less than six times | pendulum:std_01/grad_norm < 6 *
# pendulum:frozen_std/grad_norm}} as large. A possible reason: it is of a mean over 400
# samples, which holds signal as well as noise. And a motor that hardly moves sees other states. {{# mathematics}}
#
# </details>

# %% [markdown]
# ### 5.1 REINFORCE with this score · further
#
# Nothing in unit 01 asks for buttons. The loss is $-\frac1B \sum_i w_i \log \pi(u_i \mid s_i)$, and with a Gaussian the
# gradient for the mean is the mean of $-w\, (u - \mu)/\sigma^2$: the mean moves towards the samples that paid well.
# `reinforce.train` takes such tasks as it is. Try it where the best is known: a point on a line is to be brought to 0 in five
# moves, and every move costs the squared distance $x^2$ after it. The best move is $-x$. With it the point lands at $\sigma
# \xi$, so an episode with sampled moves returns $-5 \sigma^2$ on average. {{# mathematics}}
#
# How large is the gradient near the end? With standardised weights $w$ has size 1, and one sample gives about $1/\sigma$. With
# raw returns $w$ has the size of $\sigma^2$ itself, and one sample gives about $\sigma^2 \cdot 1/\sigma = \sigma$. So as the
# policy narrows the first should grow, the second shrink: {{# mathematics}}

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(columns=3, width=9.8, height=3.4)
point = load_claims("gaussian_reinforce")["curves"]
for name, label, colour, style in (
    ("point", "standardised weights", "pg:vermillion", "-"),
    ("point_raw", "raw returns", "pg:blue", "--"),
):
    plots.claimed_band(axes[0], point[name], label=label, colour=colour, style=style)
    for ax, metric in zip(axes[1:], ("charts/action_std", "losses/policy_grad_norm"), strict=True):
        plots.claimed_band(ax, point[f"{name}/{metric}"], label=label, colour=colour, style=style)
axes[0].set(ylabel="return in training", ylim=(-5, 0.2))
axes[1].set(ylabel="standard deviation", ylim=(0, 1.05))
axes[2].set(ylabel="policy's gradient norm", yscale="log")
for ax in axes:
    ax.set(xlabel="environment steps", xticks=[0, 30_000, 60_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
axes[2].legend()
page.figure(
    figure,
    alt="Three panels against environment steps. The return of both versions climbs to nearly 0. The width of both falls, from 1 to below 0.2. "
    "The gradient norm rises with standardised weights and falls with raw returns.",
    caption="REINFORCE on the point, ten seeds each. Right: the norm before clipping, on a logarithmic axis.",
)

# %% [markdown]
# From updates 51 to 100 to the last 50 the width shrinks {{gaussian_reinforce:point/width_shrinking}} times with standardised
# weights and {{gaussian_reinforce:point_raw/width_shrinking}} times with raw returns. The gradient norm {{grows | gaussian_reinforce:point/norm_growth > 1}} to
# {{gaussian_reinforce:point/norm_growth}} times its size with the former, and {{shrinks |
# gaussian_reinforce:point_raw/norm_growth < 1}} to {{gaussian_reinforce:point_raw/norm_growth}} times with the latter.
# Standardised, it grows {{less | gaussian_reinforce:point/norm_growth < gaussian_reinforce:point/width_shrinking}} than
# $1/\sigma$; the early norm may hold much signal besides noise. {{# hypothesis}} By the mean alone both versions solve the
# task, with held-out returns of {{gaussian_reinforce:point/held_out}} and {{gaussian_reinforce:point_raw/held_out}}. In
# training they return {{gaussian_reinforce:point/last_500}} and {{gaussian_reinforce:point_raw/last_500}}, nearly all of it the
# $-5\sigma^2$ of their widths: {{gaussian_reinforce:point/of_the_width.value}} and
# {{gaussian_reinforce:point_raw/of_the_width.value}}. {{# description}}
#
# On Pendulum the same algorithm does not get anywhere in 100,000 steps. With the best of eight settings, tried on other seeds,
# it ends at {{gaussian_reinforce:pendulum/held_out}}, {{lower | gaussian_reinforce:pendulum/held_out <
# pendulum:pendulum/held_out}} than PPO's {{pendulum:pendulum/held_out}}, and its width at
# {{gaussian_reinforce:pendulum/last_std.value}}, about where it began. 100,000 steps are 500 episodes, and in batches of four
# 125 steps of the policy. PPO takes thousands. {{# description}}

# %% [markdown]
# ## 6. Second diff: what this task wants
#
# A continuous policy alone does not swing up a rod. PPO with `ppo.CARTPOLE`'s settings and a Gaussian ends at
# {{pendulum:all/held_out}} after 100,000 steps, {{below | pendulum:all/held_out < pendulum:pendulum/held_out}} `ppo.PENDULUM`
# with {{pendulum:pendulum/held_out}}. The settings in which the two differ:

# %%
settings.settings_table(
    {"CartPole": ppo.CARTPOLE, "Pendulum": ppo.PENDULUM}, ignore=("env_id", "total_timesteps", "num_episodes")
)

# %% [markdown]
# Which of them does it? Start from `ppo.PENDULUM`, and take **one** line back to CartPole's value. (The rollouts' lines,
# `num_envs`, `num_steps` and `minibatch_size`, stay; section 6.3 tries shorter rollouts.) {{# design}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "05-one-back",
    "One setting at a time is taken back: γ, the learning rates, their decay, the epochs, the reward scale, λ, the first "
    "width. Which of these alone makes PPO fail (held-out return below −400 in most seeds)?",
    ["γ 0.99 instead of 0.93", "CartPole's learning rates", "Rewards not scaled", "None of them"],
    answer=3,
    explanation="Taken back alone, γ gives {{pendulum:gamma/held_out}}, the learning rates {{pendulum:learning_rates/held_out}}, the "
    "reward scale {{pendulum:reward_scale/held_out}}. All of them together give {{pendulum:all/held_out}}.",
)

# %% jupyter={"source_hidden": true}
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
    alt="One row a variant. All rows with a single setting taken back lie between about −140 and −200. The last row, with all "
    "settings of CartPole, lies near −1,000.",
    caption="Grey: ten seeds. Red: their interquartile mean and its 95 % interval. Shaded: the interval of ppo.PENDULUM. The "
    "axis is logarithmic in minus the return; −200 is dotted.",
)

# %% [markdown]
# None of them. Fewer epochs and unscaled rewards end {{a little lower | pendulum:epochs/held_out < pendulum:pendulum/held_out,
# pendulum:reward_scale/held_out < pendulum:pendulum/held_out}}. For the learning rates, their decay, λ and the first width {{no
# difference | pendulum:learning_rates/held_out ~ pendulum:pendulum/held_out, pendulum:constant_lr/held_out ~
# pendulum:pendulum/held_out, pendulum:gae_lambda/held_out ~ pendulum:pendulum/held_out, pendulum:initial_std/held_out ~
# pendulum:pendulum/held_out}} in the return is seen. With $\gamma = 0.99$ the agent even ends {{higher |
# pendulum:gamma/held_out > pendulum:pendulum/held_out}}.
#
# What a single setting changes is the way there: with $\gamma = 0.99$, fewer epochs or unscaled rewards the task is solved
# {{later | pendulum:gamma/steps_to_solved > pendulum:pendulum/steps_to_solved, pendulum:epochs/steps_to_solved >
# pendulum:pendulum/steps_to_solved, pendulum:reward_scale/steps_to_solved > pendulum:pendulum/steps_to_solved}}: after
# {{pendulum:gamma/steps_to_solved}}, {{pendulum:epochs/steps_to_solved}} and {{pendulum:reward_scale/steps_to_solved}}
# environment steps instead of {{pendulum:pendulum/steps_to_solved}}. With CartPole's learning rates or first width it is
# solved {{a little later | pendulum:learning_rates/steps_to_solved > pendulum:pendulum/steps_to_solved,
# pendulum:initial_std/steps_to_solved > pendulum:pendulum/steps_to_solved}}, with CartPole's λ a little {{sooner |
# pendulum:gae_lambda/steps_to_solved < pendulum:pendulum/steps_to_solved}}; for the decay {{no difference |
# pendulum:constant_lr/steps_to_solved ~ pendulum:pendulum/steps_to_solved}} is seen. All settings together, the rollouts' too, make the difference between success
# and failure.
#
# Now the other way round: start from *CartPole's* settings, and give them one of Pendulum's.

# %% jupyter={"source_hidden": true}
rows = {
    "all": "all of CartPole's settings",
    "all_but_gamma": f"with γ {ppo.PENDULUM.gamma}",
    "all_but_learning_rates": "with Pendulum's learning rates",
    "all_but_epochs": f"with {ppo.PENDULUM.update_epochs} epochs",
    "all_but_reward_scale": "with rewards scaled",
    "all_but_initial_std": f"with a first σ of {ppo.PENDULUM.initial_std:g}",
    "all_but_rollouts": "with Pendulum's rollouts",
    "pendulum": "ppo.PENDULUM",
}
figure = effects.claimed_effects(
    "pendulum", rows, reference="pendulum", threshold=-200, title="From CartPole's settings, one given"
)
page.figure(
    figure,
    alt="One row a variant. Rewards scaled by 0.1, 15 epochs, or a discount of 0.93 bring CartPole's settings from near −1,000 to "
    "between −250 and −400. Pendulum's rollouts go part of the way. Learning rates and first width stay near −1,000.",
    caption="As above, from the other end.",
)

# %% [markdown]
# From this end three single settings go most of the way, each alone: {{higher | pendulum:all_but_reward_scale/held_out >
# pendulum:all/held_out, pendulum:all_but_epochs/held_out > pendulum:all/held_out, pendulum:all_but_gamma/held_out >
# pendulum:all/held_out}} returns with the reward scale ({{pendulum:all_but_reward_scale/held_out}}), the epochs
# ({{pendulum:all_but_epochs/held_out}}) and the discount ({{pendulum:all_but_gamma/held_out}}). Pendulum's rollouts help {{too
# | pendulum:all_but_rollouts/held_out > pendulum:all/held_out}} ({{pendulum:all_but_rollouts/held_out}}); for learning rates
# and first width {{no difference | pendulum:all_but_learning_rates/held_out ~ pendulum:all/held_out,
# pendulum:all_but_initial_std/held_out ~ pendulum:all/held_out}} is seen. What do the three have in common? Ask the critic:

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, (left, right) = plots.new_figure(columns=2, width=9.6, height=3.6)
for metric, label, style in (("charts/return_mean", "mean target G", "-"), ("charts/value_mean", "mean value V", "--")):
    plots.claimed_band(left, measured["curves"][f"all/{metric}"], label=label, colour="pg:blue", style=style)
left.set(ylabel="CartPole's settings: mean over a rollout")
for name, label, colour in (
    ("pendulum", "ppo.PENDULUM", "pg:vermillion"),
    ("all_but_reward_scale", "CartPole's, rewards scaled", "pg:green"),
    ("all", "CartPole's", "pg:blue"),
):
    plots.claimed_band(right, measured["curves"][f"{name}/losses/explained_variance"], label=label, colour=colour)
right.set(ylabel="explained variance", ylim=(-0.2, 1.05))
for ax in (left, right):
    ax.set(xlabel="environment steps", xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend()
page.figure(
    figure,
    alt="Left: with CartPole's settings the mean value follows the mean target, and both fall to several hundred below zero. "
    "Right: the explained variance rises to near one within 20,000 steps for ppo.PENDULUM, and stays near zero for most of the training with CartPole's settings.",
    caption="Left: the critic follows returns that are far from where it starts. G here is the critic's target, a return that is "
    "bootstrapped with V, so G falls together with V; it does not say that the agent became worse. Right: explained variance.",
)

# %% [markdown]
# With CartPole's settings the values lie hundreds below zero, and the critic starts at zero. It spends the training on their
# *mean*: its explained variance is {{pendulum:all/early_explained_variance.value}} over the first half, {{below |
# pendulum:all/early_explained_variance < pendulum:pendulum/early_explained_variance}} the
# {{pendulum:pendulum/early_explained_variance.value}} of `ppo.PENDULUM`. With such a critic an advantage is a discounted sum
# of the next few rewards ($\gamma\lambda = 0.94$ a step, 32 steps at most) minus a number that ignores the state.
#
# The three settings could all be cures for this critic. The reward scale makes the targets ten times smaller; $\gamma = 0.93$
# makes them seven times smaller, as it sums about 14 rewards instead of 100. More epochs give the critic more steps to get there. And explained
# variance does {{rise | pendulum:all_but_reward_scale/early_explained_variance > pendulum:all/early_explained_variance,
# pendulum:all_but_gamma/early_explained_variance > pendulum:all/early_explained_variance,
# pendulum:all_but_epochs/early_explained_variance > pendulum:all/early_explained_variance}} with each of them. But this is a
# hypothesis, and it is not the whole story. With the epochs alone the explained variance is
# {{pendulum:all_but_epochs/early_explained_variance.value}}, {{lower | pendulum:all_but_epochs/early_explained_variance <
# pendulum:all_but_gamma/early_explained_variance}} than the {{pendulum:all_but_gamma/early_explained_variance.value}} with the
# discount alone, and yet {{no difference | pendulum:all_but_epochs/held_out ~ pendulum:all_but_gamma/held_out}} in the return
# is seen. And
# Pendulum's rollouts help {{without any rise in explained variance | pendulum:all_but_rollouts/early_explained_variance ~
# pendulum:all/early_explained_variance}} that we could see. More epochs also move the policy. {{# hypothesis}}
#
# Taking settings back one by one finds what is *indispensable*, giving them one by one finds what *helps*. Five were tried
# both ways: γ, the learning rates, the epochs, the reward scale and the first width. None of the five is indispensable here,
# and three of them help. {{# description}}

# %% [markdown]
# ### 6.1 The scale of the rewards · further
#
# A reward of Pendulum goes down to −16. With $\gamma = 0.93$ a value is about 14 rewards, so values lie between −230 and 0.
# The critic starts near 0 with outputs of size 1. `reward_scale=0.1` brings the targets ten times nearer to that. It does not
# change what the policy is asked to do: advantages are normalised, so a positive factor drops out of the policy's loss. In the
# critic's loss it does not: clipping and Adam rescale the gradient, so a step of the critic's weights is about as long with
# either scale, and without the factor its outputs have ten times as far to go. {{# mathematics}}
#
# May one also shift the rewards, say subtract their mean? Let every reward change by a constant $c$. If episodes never
# terminate, every return changes by the same $c + \gamma c + \gamma^2 c + \dots = c/(1-\gamma)$, all values with it, and no
# advantage at all. Pendulum is of this kind. CartPole is not: an episode that terminates after $T$ steps changes by $c\,(1 +
# \gamma + \dots + \gamma^{T-1}) = c\, (1 - \gamma^T)/(1 - \gamma)$, which depends on $T$. CartPole's reward is always 1, its
# mean is 1, and $c = -1$ leaves a reward of 0 for everything: long or short, all episodes are worth the same. So scale rewards,
# and do not centre them where episodes can terminate. (The package's `normalize_rewards` divides by a running standard
# deviation and subtracts nothing, for this reason.) {{# mathematics}}

# %% [markdown]
# ### 6.2 The scale of the observations · further
#
# Two of the observations are between −1 and 1, the velocity between −8 and 8. `normalize_observations=True` subtracts a running
# mean and divides by a running standard deviation.
#
# Measured: {{pendulum:observation_norm/held_out}}. In the return {{no difference | pendulum:observation_norm/held_out ~
# pendulum:pendulum/held_out}} is seen, and the task is solved {{later | pendulum:observation_norm/steps_to_solved >
# pendulum:pendulum/steps_to_solved}}: after {{pendulum:observation_norm/steps_to_solved}} steps instead of
# {{pendulum:pendulum/steps_to_solved}}. We have not looked for the reason. Use it where the scales are unknown or differ by
# much more than a factor of eight, and measure it like any other change. {{# advice}}

# %% [markdown]
# ### 6.3 Rollouts of whole episodes · further
#
# An episode of Pendulum always lasts 200 steps, and all environments start together. So at any moment all rods are at the same
# *age*: swinging up in the first few seconds, balancing after that. A rollout of 200 steps holds whole episodes. A rollout of
# 128 steps holds now mostly swinging, now mostly balancing. Is that harmful? And if so, is it the age or the length that
# matters? A control: the same short rollouts, but with first episodes cut to different lengths, so that the ages stay mixed.
# {{# design}}

# %% jupyter={"source_hidden": true}
rows = {
    "pendulum": f"{ppo.PENDULUM.num_envs} × {ppo.PENDULUM.num_steps} steps, whole episodes",
    "short_rollouts": "16 × 128 steps, all start together",
    "short_staggered": "16 × 128 steps, staggered starts",
}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Three rows of ten seeds: whole episodes, short rollouts that start together, short rollouts with staggered starts.",
    caption="Same budget of 100,000 steps in each row. Grey: ten seeds. Red: interquartile mean with its 95 % interval.",
)

# %% [markdown]
# In the return {{no difference | pendulum:short_rollouts/held_out ~ pendulum:pendulum/held_out,
# pendulum:short_staggered/held_out ~ pendulum:pendulum/held_out, pendulum:short_staggered/held_out ~
# pendulum:short_rollouts/held_out}} between any two of the three is seen: {{pendulum:pendulum/held_out}} with whole episodes,
# {{pendulum:short_rollouts/held_out}} with short rollouts that start together, {{pendulum:short_staggered/held_out}} with
# staggered ones. Staggered ones are solved {{sooner | pendulum:short_staggered/steps_to_solved <
# pendulum:pendulum/steps_to_solved}} than whole episodes; between short rollouts that start together and either of the two {{no
# difference | pendulum:short_rollouts/steps_to_solved ~ pendulum:pendulum/steps_to_solved,
# pendulum:short_staggered/steps_to_solved ~ pendulum:short_rollouts/steps_to_solved}} in the steps is seen. So nothing
# here speaks against rollouts of 128 steps. With 8 steps of 300 environments the agent ends {{lower |
# batches_and_budgets:pendulum_300_envs/held_out < pendulum:pendulum/held_out}} ([07](07_trustworthy_experiments.ipynb), 5.4).

# %% [markdown]
# ### 6.4 The table of section 6 · further
#
# | version | held-out return | seeds solved | steps to solved in training | $\sigma$ at the end [N m] |
# |---|---|---|---|---|
# | `ppo.PENDULUM` | {{pendulum:pendulum/held_out}} | {{pendulum:pendulum/solved/count}} | {{pendulum:pendulum/steps_to_solved}} | {{pendulum:pendulum/last_std.value}} |
# | γ 0.99 | {{pendulum:gamma/held_out}} | {{pendulum:gamma/solved/count}} | {{pendulum:gamma/steps_to_solved}} | {{pendulum:gamma/last_std.value}} |
# | CartPole's learning rates | {{pendulum:learning_rates/held_out}} | {{pendulum:learning_rates/solved/count}} | {{pendulum:learning_rates/steps_to_solved}} | {{pendulum:learning_rates/last_std.value}} |
# | constant learning rates | {{pendulum:constant_lr/held_out}} | {{pendulum:constant_lr/solved/count}} | {{pendulum:constant_lr/steps_to_solved}} | {{pendulum:constant_lr/last_std.value}} |
# | 6 epochs | {{pendulum:epochs/held_out}} | {{pendulum:epochs/solved/count}} | {{pendulum:epochs/steps_to_solved}} | {{pendulum:epochs/last_std.value}} |
# | rewards not scaled | {{pendulum:reward_scale/held_out}} | {{pendulum:reward_scale/solved/count}} | {{pendulum:reward_scale/steps_to_solved}} | {{pendulum:reward_scale/last_std.value}} |
# | λ 0.95 | {{pendulum:gae_lambda/held_out}} | {{pendulum:gae_lambda/solved/count}} | {{pendulum:gae_lambda/steps_to_solved}} | {{pendulum:gae_lambda/last_std.value}} |
# | first σ = 1 | {{pendulum:initial_std/held_out}} | {{pendulum:initial_std/solved/count}} | {{pendulum:initial_std/steps_to_solved}} | {{pendulum:initial_std/last_std.value}} |
# | all of CartPole's | {{pendulum:all/held_out}} | {{pendulum:all/solved/count}} | {{pendulum:all/steps_to_solved}} | {{pendulum:all/last_std.value}} |
#
# *Never* means that too many seeds never got there for the number to exist.

# %% [markdown]
# ### 6.5 Clipped rewards are another task · further
#
# Agents for Atari games clip every reward to $[-1, 1]$, so that one learning rate serves games whose scores differ widely (Mnih
# et al. 2015). {{# cited}} Scaling all rewards by one positive number keeps the order of all policies. Clipping does not:
# beyond the limit everything counts the same. {{# mathematics}} CartPole's rewards are 1, so there nothing changes. On Pendulum
# {{reward_clipping:random/clipped_share.value}} of a random agent's rewards lie below −1. PPO with `ppo.PENDULUM`'s settings,
# evaluated in the task's own rewards:
#
# | rewards | held-out return | seeds solved | explained variance, first half |
# |---|---|---|---|
# | × 0.1, the preset | {{pendulum:pendulum/held_out}} | {{pendulum:pendulum/solved/count}} | {{pendulum:pendulum/early_explained_variance}} |
# | as they are | {{pendulum:reward_scale/held_out}} | {{pendulum:reward_scale/solved/count}} | {{pendulum:reward_scale/early_explained_variance}} |
# | divided by the returns' running standard deviation | {{reward_clipping:normalised/held_out}} | {{reward_clipping:normalised/solved/count}} | {{reward_clipping:normalised/early_explained_variance}} |
# | clipped to $[-1, 1]$ | {{reward_clipping:clipped/held_out}} | {{reward_clipping:clipped/solved/count}} | {{reward_clipping:clipped/early_explained_variance}} |
#
# Clipped rewards end {{lower | reward_clipping:clipped/held_out < pendulum:pendulum/held_out}} than scaled ones, though their
# critic explains {{more | reward_clipping:clipped/early_explained_variance > pendulum:reward_scale/early_explained_variance}}
# than with rewards as they are. Between the factor 0.1 and the running scale (`normalize_rewards`) {{no difference |
# reward_clipping:normalised/held_out ~ pendulum:pendulum/held_out}} is seen.
#
# Where a large reward has to be told from a small one, the goal itself is lost. Lesson 03, section 9.1, has a walk with a sure
# prize of 1 at its start and a prize of 10 at its end. A2C, ten seeds each:
#
# | rewards | entropy bonus | seeds that end at the far prize |
# |---|---|---|
# | as they are | 1 | {{decoy:bonus_1/large/count}} |
# | × 0.1 | 0.1 | {{reward_clipping:walk_scaled/large/count}} |
# | clipped: both prizes are 1 | 1 | {{reward_clipping:walk_clipped/large/count}} |
# | × 0.1 | 1 | {{reward_clipping:walk_scaled_alone/large/count}} |
#
# With clipped rewards {{fewer | reward_clipping:walk_clipped/large/count < decoy:bonus_1/large/count}} seeds end there, and by
# the rewards they see they are right. The last row is a warning: these advantages are not standardised, so the bonus is in
# units of reward, and ten times smaller rewards with the same bonus are ten times the bonus. {{# mathematics}}

# %% [markdown]
# ## 7. Pendulum never terminates
#
# Every episode ends by the clock. A truncated episode has a future, and its last step must bootstrap with $V$ of the true last
# observation. Code with a single `done` flag takes the clock for an end instead. Here **every** episode is cut, and step 200
# says: nothing follows, so nothing more will be paid. As every reward is negative, the bug puts too high a value on the last
# steps. {{# design}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "05-clock",
    "The bug is put into runs with γ 0.93 and with γ 0.99. What happens to their held-out return?",
    ["No difference at either γ", "Lower at γ 0.93 only", "Lower at γ 0.99 only", "Lower at both γ"],
    answer=2,
    explanation="With γ 0.93: {{pendulum:truncation_bug/held_out}} against {{pendulum:pendulum/held_out}}. With γ 0.99: "
    "{{pendulum:truncation_bug_gamma/held_out}} against {{pendulum:gamma/held_out}}.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
rows = {
    "pendulum": "γ 0.93, truncated: bootstrap",
    "truncation_bug": "γ 0.93, taken for an end",
    "gamma": "γ 0.99, truncated: bootstrap",
    "truncation_bug_gamma": "γ 0.99, taken for an end",
}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Four rows of ten seeds. With a discount of 0.93 the runs with and without the bug lie together. With 0.99 those without it lie "
    "near −155, and several of those with it far to the left.",
    caption="Grey: ten seeds. Red: interquartile mean with its 95 % interval.",
)

# %% [markdown]
# With $\gamma = 0.93$ {{no difference | pendulum:truncation_bug/held_out ~ pendulum:pendulum/held_out}} in the held-out return
# is seen; the task is only solved {{later | pendulum:truncation_bug/steps_to_solved > pendulum:pendulum/steps_to_solved}}. With
# $\gamma = 0.99$ the return is {{lower | pendulum:truncation_bug_gamma/held_out < pendulum:gamma/held_out}}:
# {{pendulum:truncation_bug_gamma/held_out}} against {{pendulum:gamma/held_out}}.
#
# One reason is how far a wrong ending reaches. At the last step the bug puts 0 where $V$ belongs. $k$ steps earlier the error
# counts $\gamma^k$ times as much. So it reaches back about $1/(1-\gamma)$ steps: 14 of the 200 with $\gamma = 0.93$, and 100 of
# the 200 with 0.99. Besides, the observation does not contain the time: the same angle and velocity come with one return at
# step 20 and with another at step 190, and the critic can only learn their mean. So "it trained fine" is no proof that the
# boundaries are right. {{# mathematics}}

# %% [markdown]
# ## 8. Why not cut the torque into steps? · further
#
# A Categorical over a few fixed torques is a policy for this task too. Then softmax, probabilities and unit 00's entropy are
# back.

# %%
page.source(policies.Bins)

# %% jupyter={"source_hidden": true}
# {{# question}}
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
    explanation="The last 100 training episodes return {{pendulum:pendulum/last_100}} with the Gaussian, {{pendulum:bins_5/last_100}} "
    "with 5 torques, {{pendulum:bins_11/last_100}} with 11: "
    "with 5 {{no difference | pendulum:bins_5/last_100 ~ pendulum:pendulum/last_100}} is seen, 11 end a little "
    "{{lower | pendulum:bins_11/last_100 < pendulum:pendulum/last_100}}. A possible reason why 5 are enough: a coarse torque that is "
    "drawn twenty times a second averages to a fine one.",
)

# %% jupyter={"source_hidden": true}
rows = {"pendulum": "Gaussian", "bins_5": "5 torques", "bins_11": "11 torques", "tanh": "Gaussian, tanh"}
rows |= {"state_dependent_std": "Gaussian, σ(s) from the network"}
figure = effects.claimed_effects("pendulum", rows, reference="pendulum", threshold=-200)
page.figure(
    figure,
    alt="Five rows of ten seeds: Gaussian, 5 torques, 11 torques, tanh-squashed Gaussian, Gaussian with a width from the network.",
    caption="Five policies for the same task with the same settings, ten seeds each, judged as always by their mode on held-out starts.",
)

# %% [markdown]
# Judged by the mode, which cannot average, {{no difference | pendulum:bins_5/held_out ~ pendulum:pendulum/held_out}} between 5
# torques and the Gaussian is seen: {{pendulum:bins_5/held_out}} against {{pendulum:pendulum/held_out}}. With 11 it is a little
# {{lower | pendulum:bins_11/held_out < pendulum:pendulum/held_out}}: {{pendulum:bins_11/held_out}}. Both are solved {{later |
# pendulum:bins_5/steps_to_solved > pendulum:pendulum/steps_to_solved, pendulum:bins_11/steps_to_solved >
# pendulum:pendulum/steps_to_solved}} than with the Gaussian, after {{pendulum:bins_5/steps_to_solved}} and
# {{pendulum:bins_11/steps_to_solved}} steps instead of {{pendulum:pendulum/steps_to_solved}}. Bins do not know which of them are
# neighbours: what one torque earns says nothing about the next one, and with more bins there is more to learn. That fits
# these numbers, and was not tested by itself. {{# hypothesis}}
#
# The catch is the number of dimensions. A grid over $A$ torques with 11 levels each has $11^A$ cells: 11 for Pendulum, 1.8
# million for the six joints of HalfCheetah. People then choose each dimension's level by itself, with $11 A$ logits and a sum
# of log-probabilities, as in equation (1).

# %% [markdown]
# ## 9. Your run among the ten · further
#
# The run from the top of this page, on the band of the ten measured ones:

# %% jupyter={"source_hidden": true}
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
# `initial_std` is the width with which the policy starts, in N m. `ppo.PENDULUM` starts at 2. A careful engineer might prefer
# a gentle start: 0.1, so that the motor is not shaken.
#
# **Change one thing**, three seeds each, and write down *in your own words*, before you unfold the answer: what happened, why,
# and which of the numbers of sections 3 and 5 would have told you early?

# %%
widths = (2.0, 0.1)
configs = {f"first σ = {width}": replace(ppo.PENDULUM, initial_std=width, total_timesteps=40_000) for width in widths}
runs = run_seeds(configs, seeds=range(3), progress=False)

# %% jupyter={"source_hidden": true}
figure = plots.learning_curves(runs, x="env_step", window=24, threshold=-200, title="One change: the first width")
page.figure(
    figure,
    alt="Two learning curves over 40,000 steps. With a first width of 2 the return climbs towards −200, with 0.1 it stays below −900.",
    caption="Three seeds each. The learning rate falls to zero over 40,000 steps here.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# Ten seeds over 100,000 steps: a first width of 0.1 ends at {{pendulum:std_01/held_out}}, {{below | pendulum:std_01/held_out <
# pendulum:pendulum/held_out}} the {{pendulum:pendulum/held_out}} of 2. For widths of 1 ({{pendulum:initial_std/held_out}})
# and 3 ({{pendulum:std_3/held_out}}) {{no difference | pendulum:initial_std/held_out ~ pendulum:pendulum/held_out,
# pendulum:std_3/held_out ~ pendulum:pendulum/held_out}} from 2 is seen in the return. With 2 the task is solved {{sooner |
# pendulum:pendulum/steps_to_solved < pendulum:initial_std/steps_to_solved}} in training than with 1; between 2 and 3 {{no
# difference | pendulum:std_3/steps_to_solved ~ pendulum:pendulum/steps_to_solved}} is seen.
#
# With 0.1 the motor hardly moves the rod: the last 100 training episodes return {{pendulum:std_01/last_100}}. No advantage can
# praise what was never tried. The gradients of this narrow policy are large (section 5): a large gradient norm is no sign of
# learning. The training return shows that nothing good was tried. The entropy (section 3.3) would have told you early: it
# starts at $\log 0.1 + 1.419 = -0.88$ nats. That is the entropy of a uniform distribution over $e^{-0.88} = 0.41$ N m, a tenth
# of the torque's range of 4 N m. {{# mathematics}}
#
# With $\sigma = 3$ half of the samples are clipped, and the motor is thrown between −2 and 2. In a task where a bad action
# breaks something, you would choose differently. {{# wording}}
#
# </details>
#
# ## 11. A patient
#
# Someone's continuous PPO runs without an error, with the settings of `ppo.PENDULUM`. Ten seeds of it, beside ten healthy ones.
# Symptom first: which panel is strange, and what could cause it?

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(columns=3, width=9.8, height=3.4)
panels = {"": "return in training", "/losses/entropy": "entropy [nats]", "/losses/approx_kl": "approximate KL [nats]"}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("pendulum", "healthy", "pg:vermillion"), ("clipped_actions", "patient", "#000000")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour)
    ax.set(xlabel="environment steps", ylabel=label, xticks=[0, 50_000, 100_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
axes[1].legend()
page.figure(
    figure,
    alt="Three panels, healthy and patient. The patient's return climbs with the healthy one at first and then stays below it. Its entropy "
    "falls below zero. Its approximate KL is {{more than three times | pendulum:clipped_actions/kl > 3 * pendulum:pendulum/kl}} the healthy one.",
    caption="Ten seeds each. The patient's settings, budget and networks are those of the healthy runs.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-patient",
    "Which of these explains all three panels?",
    [
        "The learning rates of both networks are ten times too small",
        "`log_std` is no parameter: the optimiser never touches it",
        "The rollout stores the clipped torque, and its log-probability",
        "The entropy bonus is far too large for these advantages",
    ],
    answer=2,
    reasons=[
        "Then everything would move slowly, and the approximate KL would be small. Here it is "
        "{{more than three times | pendulum:clipped_actions/kl > 3 * pendulum:pendulum/kl}} the healthy one.",
        "Then the entropy would be a straight line.",
        "Right: full torque is stored as exactly 2, over and over. A Gaussian makes equal numbers more likely by narrowing. The width "
        "collapses, exploration ends, and with a small σ every step is a large KL. {{# mathematics}}",
        "A bonus pushes the entropy up. Here it falls far below the healthy one. {{# description}}",
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
# The patient's held-out return is {{pendulum:clipped_actions/held_out}}, {{lower | pendulum:clipped_actions/held_out <
# pendulum:pendulum/held_out}} than the {{pendulum:pendulum/held_out}} of the healthy runs; its width ends at
# {{pendulum:clipped_actions/last_std.value}} N m, {{narrower | pendulum:clipped_actions/last_std < pendulum:pendulum/last_std}}
# than their {{pendulum:pendulum/last_std.value}}. PPO normalises advantages, so the constant of section 4 is not the cause. Its
# second case fits what you see: where full torque is good, storing 2 instead of the sample narrows the width, and this is no
# noise that averages out.
#
# </details>

# %% [markdown]
# ## 12. What comes next, and other tasks · further
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
# - **Bounds.** The Gaussian starts with $\sigma$ = `initial_std` in the action's own unit. For bounds of ±0.05 that is absurdly
#   wide, for ±1,000 it never explores. Either set `initial_std` to about half the bound, or wrap the environment in Gymnasium's
#   `RescaleAction` to ±1.
# - **Scales of observations and rewards.** Where they are unknown or uneven, start with `normalize_observations=True` and
#   `normalize_rewards=True`, as the HalfCheetah preset does. {{# advice}}
#
# The MuJoCo robots need an extra, and minutes instead of seconds. In a terminal, then in a notebook of your own:
#
# ```sh
# pip install -e ".[mujoco]"
# ```
#
# ```python
# from pgcourse import evaluate, ppo
# result = ppo.train(ppo.INVERTED_PENDULUM)      # InvertedPendulum-v5, 60,000 steps
# result = ppo.train(ppo.HALF_CHEETAH)           # HalfCheetah-v5, 500,000 steps: 6 joints; see below
# print(evaluate(result.policy, "HalfCheetah-v5", num_episodes=10, seed=0).mean)
# ```
#
# Without the extra, `ppo.train` says in one line what is missing. **MountainCarContinuous** needs no extra, and is a trap: its
# only positive reward is at the flag, every torque costs a little, and a policy that has never seen the flag learns to stand
# still. There the exploration is the problem, not the method's settings. {{# design}}
#
# ### Two robots
#
# HalfCheetah has six joints and a thousand steps to run as far as it can; it cannot fall, since no episode ends early. Hopper
# has one leg, three joints, and an episode that ends when it falls. A million steps of each, with the settings of
# `ppo.HALF_CHEETAH`, Hopper with the discount 0.99 and the rate 3e-4: {{# design}}

# %% jupyter={"source_hidden": true}
robots = load_claims("mujoco")
upside_down = robots["values"]["half_cheetah/upside_down"]["per_seed"]
groups = {
    "half_cheetah": [("on its feet in the end", plots.COLOURS["ppo"]), ("on its back", "#000000")],
    "hopper": [("a run", plots.COLOURS["ppo"])],
}
figure, axes = plots.new_figure(columns=2, width=9.8, height=3.6)
for ax, (name, looks), title in zip(axes, groups.items(), ("HalfCheetah-v5", "Hopper-v5"), strict=True):
    curve = robots["curves"][name]
    labels = []
    for returns, share in zip(curve["per_seed"], upside_down, strict=True):
        label, colour = looks[int(share > 0.5) % len(looks)]
        ax.plot(curve["x"], returns, color=colour, linewidth=1, label=None if label in labels else label)
        labels.append(label)
    ax.set(title=title, xlabel="environment steps", ylabel="return, moving average of 50 episodes")
    ax.set_xticks([0, 500_000, 1_000_000])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend()
page.figure(
    figure,
    alt="Return of ten runs each. HalfCheetah: seven curves rise together and flatten below 2,000; three go on to between "
    "3,300 and 4,400. Hopper: ten curves rise to about 2,000 and go up and down from there.",
    caption="Ten seeds each, a line for each run, returns in training.",
)

# %% [markdown]
# | | held-out return | over the runs | CleanRL's PPO (-v4) | Schulman et al. (2017), figure 3 |
# |---|---|---|---|---|
# | HalfCheetah | {{mujoco:half_cheetah/held_out}} | {{mujoco:half_cheetah/held_out/worst}} to {{mujoco:half_cheetah/held_out/best}} | 1,443 | about 1,800 |
# | Hopper | {{mujoco:hopper/held_out}} | {{mujoco:hopper/held_out/worst}} to {{mujoco:hopper/held_out/best}} | 2,383 | about 2,200 {{# description}} |
#
# The published columns are returns in training after a million steps, of older versions of the robots: Hopper-v5 no longer pays
# the bonus for being healthy in the step in which it falls. {{# cited}} They say that these runs are of the kind that others have.
#
# **No run of the cheetah returns what the table says.** Its mean lies in a gap. {{mujoco:half_cheetah/on_its_back.n}} of the
# ten policies slide on their backs, and return {{mujoco:half_cheetah/on_its_back/worst}} to
# {{mujoco:half_cheetah/on_its_back/best}}. The {{mujoco:half_cheetah/on_its_feet.n}} that run return
# {{mujoco:half_cheetah/on_its_feet/worst}} to {{mujoco:half_cheetah/on_its_feet/best}}; one of them left the line of the sliders only
# after 600,000 steps. {{# description}} So look at every run before you believe a mean, and at the agent before you believe a
# return. {{# advice}}
#
# To get up would cost return first, and the widths end at {{mujoco:half_cheetah/last_std.value}}, for torques between −1 and 1:
# a policy that slides rarely tries it by chance. That fits the gap, and was not tested by itself. {{# hypothesis}}
#
# ### DDPG, TD3, SAC in one picture

# %% jupyter={"source_hidden": true}
# {{# design}}
page.figure(
    family.family_figure(),
    alt="Two rows of boxes. Above, on-policy: REINFORCE 1992, A3C and A2C 2016, PPO 2017. Below, off-policy: DDPG 2016, TD3 2018, SAC 2018. "
    "Each box says what the method adds.",
    caption="Above: what this course builds. Below: the family that keeps its data. In continuous actions Q(s, a) has a slope in a, and "
    "the actor can follow it.",
)

# %% [markdown]
# PPO asks: *which of my random actions turned out better than expected?* The lower row asks a learned critic: *in which
# direction would a slightly different action be worth more?* That is $\nabla_\theta Q(s, \mu_\theta(s)) = \nabla_a Q(s, a)
# \cdot \nabla_\theta \mu_\theta(s)$, the chain rule through the critic. It needs a differentiable $Q$ and continuous actions,
# and in return every transition can be used again and again. **DDPG** does that with one deterministic action per state, and
# noise added for exploration. Its critic tends to overrate actions, since the actor looks for whatever the critic overrates.
# **TD3** trains two critics and believes the lower one. **SAC** makes the actor a tanh-Gaussian again, pays for entropy, and
# differentiates through the sample $a = \tanh(\mu + \sigma \xi)$: there the Jacobian of section 4.1 is needed. The papers of
# TD3 and SAC report higher returns than PPO's at the same number of environment steps, on most of their tasks. {{# cited}} Here
# are the three on Pendulum.

# %% jupyter={"source_hidden": true}
# {{# description}}
page.figure(
    family.steps_and_seconds_figure(),
    alt="Held-out return of five methods on Pendulum, left by environment steps, right by seconds of training, both logarithmic. "
    "Left, SAC rises first and both PPO later; right, PPO rises first and SAC, TD3 and DDPG much later.",
    caption="Stable-Baselines3's SAC, TD3, DDPG and PPO with the settings that RL Baselines3 Zoo publishes for Pendulum, beside "
    "`ppo.PENDULUM`: 100 held-out episodes a point, ten seeds, seconds of one thread. TD3 and DDPG act at random for their first "
    "10,000 steps, as published. SAC's budget is half of the published one. See who is first on the left, and who on the right.",
)

# %% [markdown]
# **By steps**, SAC solves the task {{earlier than PPO | off_policy:sac/steps_to_solved < off_policy:ppo/steps_to_solved}}: after
# {{off_policy:sac/steps_to_solved}} steps instead of {{off_policy:ppo/steps_to_solved}}. TD3 takes
# {{off_policy:td3/steps_to_solved}}, DDPG {{off_policy:ddpg/steps_to_solved}}. All three end {{higher than PPO |
# off_policy:sac/held_out > off_policy:ppo/held_out, off_policy:td3/held_out > off_policy:ppo/held_out, off_policy:ddpg/held_out >
# off_policy:ppo/held_out}} too, SAC at {{off_policy:sac/held_out}} and PPO at {{off_policy:ppo/held_out}}. **By seconds** SAC takes {{longer than PPO |
# off_policy:sac/seconds_to_solved > off_policy:ppo/seconds_to_solved, off_policy:sac/seconds_to_solved > off_policy:sb3_ppo/seconds_to_solved}}:
# {{off_policy:sac/seconds_to_solved}} s against {{off_policy:ppo/seconds_to_solved}} s, and against
# {{off_policy:sb3_ppo/seconds_to_solved}} s for the PPO of its own library. It updates actor and critics after every step of the
# environment, `ppo.PENDULUM` 90 times for 2,400 steps. {{# design}}
#
# **Which one, when?** Let a step of the environment take $c$ seconds on top of that. A method of $N$ steps and $t$ seconds of
# training is done after $N c + t$, so the two are done together at
#
# $$c^* = \frac{t_\text{SAC} - t_\text{PPO}}{N_\text{PPO} - N_\text{SAC}}.$$
#
# Measured: {{off_policy:sac/break_even_ppo}} ms a step, and {{off_policy:sac/break_even_sb3_ppo}} ms beside the library's PPO.
# Where steps cost less, as in a simulator that does thousands a second, PPO is done first; a robot with 20 commands a second
# takes 50 ms for each, {{more than that | 50 > off_policy:sac/break_even_ppo}}, and there SAC is done first. {{# mathematics}}

# %% [markdown]
# ## 13. Common mistakes, and how they look · further
#
# | mistake | what you see |
# |---|---|
# | `log_std` is a plain tensor, not an `nn.Parameter` | the entropy is a straight line. The return may well look healthy (section 3.4) |
# | log-probability not summed over dimensions | with `[B, A]` an error in our losses; with `.mean(-1)` a clip fraction and a KL that are too small |
# | actions of shape `[B]` sent to a Box of shape `(1,)` | an error, or broadcasting to `[B, B]` without one |
# | clipped actions stored with their log-probability | the width collapses, the approximate KL is too large (section 11) |
# | log-probability of $\tanh(u)$ without the Jacobian, in SAC | the policy runs into the bounds: entropy is overrated there. In PPO without entropy bonus: nothing |
# | `std` as the network's output without `exp` or `softplus` | an error, or NaN, when it falls below zero |
# | `initial_std` in the wrong unit | section 10 |
# | reading the training return as the agent's quality | it holds the noise of $\sigma$; evaluate the mode on held-out starts |
# | a single `done` flag | section 7 |

# %% [markdown]
# ## 14. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "05-negative-entropy",
    "The entropy of your Pendulum policy falls from 1.4 to −0.5 during training. What does that mean?",
    [
        "It is a bug: an entropy can never be negative",
        "The standard deviation is now about 0.15",
        "The policy has become deterministic",
        "The learning rate is too large for this policy",
    ],
    answer=1,
    reasons=[
        "That holds for a Categorical. A density can exceed 1, and then the entropy of a Gaussian is negative. {{# mathematics}}",
        "Right: H = log σ + 1.419, so log σ = −1.92 and σ = 0.147. Whether that is narrow depends on the bounds.",
        "A deterministic policy has σ = 0 and an entropy of minus infinity.",
        "The entropy alone does not say so. Look at the approximate KL.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# mathematics}}
questions.quiz(
    "05-where-to-clip",
    "A sample is u = 2.7, the bound is 2. With `policy.log_prob` unchanged, which log-probability belongs into the rollout?",
    [
        "That of the sample 2.7",
        "That of the torque 2.0",
        "That of all u above 2",
        "None: drop the step",
    ],
    answer=0,
    reasons=[
        "Right: the policy chose 2.7. What the environment makes of it is the environment's business.",
        "This is the height of the bell at 2.0, which is neither what was sampled nor the probability of being clipped.",
        "That is the score of the clipped torque, with mean zero too. But it needs another `log_prob`, in the old and in the new "
        "policy, for all samples beyond the bounds.",
        "Dropping steps by their action would bias the estimate.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# mathematics}}
questions.quiz(
    "05-dimensions",
    "A policy with A = 6 and σ = 0.1 in each dimension. Every mean moves by 0.05. The KL divergence of the move is",
    ["0.125", "0.75", "0.05", "0.0208"],
    answer=1,
    reasons=[
        "That is one dimension: 0.05² / (2 · 0.1²) = 0.125. Independent dimensions add.",
        "Right: 6 · 0.125. With more motors, the same step of each mean moves the policy further.",
        "That is the length of the step in one dimension, not a divergence.",
        "That is 0.125 / 6: averaging where a sum belongs.",
    ],
)

# %% [markdown]
# ### 14.1 Other questions · further

# %% jupyter={"source_hidden": true}
# {{# mathematics}}
questions.quiz(
    "05-jacobian",
    "PPO with a tanh-squashed Gaussian and no entropy bonus: you forget the Jacobian in log π, old and new. The updates",
    [
        "are wrong from the first step on",
        "are the same as with the Jacobian",
        "are wrong only near the bounds",
        "diverge, as the density is wrong",
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
# {{# mathematics}}
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

# %% [markdown]
# ## 15. What to remember
#
# 1. Continuous actions change the distribution, the action's shape and the output layer. The rest of PPO stays.
# 2. The log-probability is summed over dimensions, and is of the sample. Only the environment clips.
# 3. A Gaussian's entropy is $\log\sigma + 1.419$ for each dimension: it may be negative and depends on the unit.
# 4. The score of the mean grows like $1/\sigma$, and a step of the mean costs $(\mu' - \mu)^2 / 2\sigma^2$ of KL: in a narrow
#    policy the same step costs more. {{No difference | pendulum:constant_lr/held_out ~ pendulum:pendulum/held_out}} in the
#    return between falling and constant learning rates was seen.
# 5. Several settings can do the same job, so taking one back may show little. Test both ways, and look at the diagnostics.
#    {{# mathematics}}
#
# **Now write it yourself:** [the exercises of this unit](../exercises/05_continuous_pendulum.ipynb) build the log-probability,
# the entropy, the policy, the squashed density and the running normalisation, and then swing up the rod with *your* policy.

# %% [markdown]
# ## Further reading · further
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, Machine
#   Learning 8. Section 6: a Gaussian unit that learns its mean and its width.
# - J. Schulman et al. (2017), *Proximal policy optimization algorithms*. Section 6.1: continuous tasks, and the settings used
#   for them.
# - M. Andrychowicz et al. (2021), *What matters for on-policy deep actor-critic methods? A large-scale study*, ICLR. Read the
#   recommendations on action distributions, initial width and normalisation, and how many runs stand behind each.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. The nine details
#   for continuous actions.
# - F. Pardo et al. (2018), *Time limits in reinforcement learning*, ICML. When the clock is an end and when it is not.
# - P.-W. Chou, D. Maturana and S. Scherer (2017), *Improving stochastic policy gradients in continuous control with deep
#   reinforcement learning using the Beta distribution*, ICML. What bounds do to a Gaussian, and a distribution with bounds of
#   its own.
# - Y. Fujita and S. Maeda (2018), *Clipped action policy gradient*, ICML. The clipped action treated right: less variance.
# - Y. Tang and S. Agrawal (2020), *Discretizing continuous action space for on-policy optimization*, AAAI. Bins, one softmax a
#   dimension.
# - V. Mnih et al. (2015), *Human-level control through deep reinforcement learning*, Nature 518. Methods: why rewards were clipped.
# - T. Lillicrap et al. (2016), *Continuous control with deep reinforcement learning*, ICLR (DDPG); S. Fujimoto et al. (2018),
#   *Addressing function approximation error in actor-critic methods*, ICML (TD3); T. Haarnoja et al. (2018), *Soft
#   actor-critic*, ICML (SAC), appendix C for the tanh. {{# cited}}
