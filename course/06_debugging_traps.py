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
# # 06 Debugging traps: the run that trains and does not learn
#
# Reinforcement learning code rarely crashes. A sign is wrong, an axis is broadcast, a budget is too short: the
# program runs to its end, prints losses, and the curve is flat. This lesson is about finding out why, by measurement,
# and about how easily one finds a reason that is not the reason.
#
# **After this lesson you will be able to**
#
# 1. read a run's diagnostics side by side, and say which explanations they rule out;
# 2. isolate a cause among several suspects with a factorial experiment, and read main effects and interactions;
# 3. say why clipping two networks' gradients together hurts under plain gradient descent and hardly under Adam;
# 4. find a broken part with environments whose answers you know;
# 5. name the bugs that no training curve shows, and what does show them, a gamed reward among them.
#
# **You need** lessons [03](03_a2c_gae.ipynb) (GAE, explained variance), [04](04_ppo.ipynb) (PPO, KL, clip fraction)
# and [05](05_continuous_pendulum.ipynb) (Pendulum). **Time:** about 60 minutes to read and play; all cells together run in
# about 50 seconds on two cores.
#
# The numbers in the text come from `claims/factorial.json`, `traps.json`, `ranges.json` and `hacking.json`: ten
# training runs of each version. *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap
# interval.

# %%
import tempfile
from dataclasses import replace

import numpy as np
import torch

from pgcourse import a2c, ppo
from pgcourse.show import page, questions
from pgcourse.show.clinic.trap_lab import TrapLab
from pgcourse.show.figures import diagnostics, factorial, curves as plots
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.statistics import moving_average
from pgcourse.study import probing, shaping, traps
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.diagnose import describe, diagnose, suspects
from pgcourse.study.seeds import run_seeds
from pgcourse.study.traps.optimizers import copied_adam
from pgcourse.study.traps.table import false_alarms, trap_table

torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("factorial")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# Two runs of PPO on CartPole, 1,000 episodes each, ten seeds. Three settings differ between them, and each of the
# three can be found in published code.

# %%
page.figure(
    plots.claimed_curves(
        "factorial",
        {"adam_32_fast_separate": "healthy PPO", "adam_128_slow_joint": "the patient"},
        threshold=475,
        colours={"healthy PPO": "ppo", "the patient": "ppo_buggy"},
        title="The same algorithm, three settings apart",
    ),
    alt="Two learning curves over 1,000 episodes: the healthy one rises to 500 within about 400 episodes, the patient's stays far below.",
    caption="By the end of the lesson you know which of the three settings is to blame, and you will have seen how a reasonable "
    "person convicts the wrong one.",
)

# %% [markdown]
# ## 1. The case
#
# The patient's code is `ppo.train`, unchanged. This is what sets it apart:
#
# | suspect | healthy | patient | why one suspects it |
# |---|---|---|---|
# | **joint clipping** | each network's gradient is clipped at norm 0.5 by itself | one norm over both networks' gradients, clipped at 0.5 | the critic's gradient is far larger. Clipped together, it takes almost the whole 0.5, and the policy's part shrinks with it |
# | **long rollouts** | 16 environments × 32 steps an update | 16 × 128 steps | the run is given 1,000 *episodes*. In the beginning an episode lasts 20 steps, so one rollout swallows a hundred of them |
# | **slow critic** | learning rate 1e-2 | 3e-4, the usual default for Adam in this literature | returns grow from 20 to 500. A critic that lags behind gives poor advantages |
#
# Each charge is sound as a mechanism. That is what makes the case interesting: **a mechanism that exists need not be
# the one that matters.** Here are the diagnostics of both, over the first 100,000 environment steps.

# %%
HEALTHY, PATIENT = "adam_32_fast_separate", "adam_128_slow_joint"
at_the_end = tuple(measured["values"][f"{name}/at_1000"]["per_seed"] for name in (PATIENT, HEALTHY))
page.figure(
    diagnostics.panels(
        diagnostics.select(measured["curves"], PATIENT),
        diagnostics.select(measured["curves"], HEALTHY),
        returns={"episodes 901 to 1,000": at_the_end},
        x_label="environment steps",
        labels=("patient", "healthy"),
    ),
    alt="Small panels of the patient in black over the healthy run in colour: return, KL, clip fraction, entropy, explained variance, "
    "means of V and of the returns, gradient norms and step lengths.",
    caption="Bands are 95 % intervals of ten seeds. KL is that of an update, and the patient's updates hold four times the data, so "
    "compare its level with care. Look at the dashed line in the panel of V and G, and at the two gradient norms.",
)

# %% jupyter={"source_hidden": true}
questions.predict(
    "06-culprit",
    "You may repair one of the three settings and leave the other two as they are. Which repair brings the return at episode 1,000 "
    "furthest up?",
    [
        "Clip each network's gradient by its own norm",
        "Rollouts of 32 steps instead of 128",
        "A critic learning rate of 1e-2 instead of 3e-4",
        "None of them alone: the three are only deadly together",
    ],
    answer=2,
    explanation="From "
    f"{quote('factorial:adam_128_slow_joint/at_1000')} of the patient, separate clipping leads to "
    f"{quote('factorial:adam_128_slow_separate/at_1000')}, short rollouts to {quote('factorial:adam_32_slow_joint/at_1000')}, and the "
    f"fast critic to {quote('factorial:adam_128_fast_joint/at_1000')}. Section 3 shows all eight combinations.",
)

# %% [markdown]
# ## 2. First, the arithmetic
#
# Before any experiment, count. A budget of episodes is not a budget of learning:
#
# $$
# \text{updates} = \frac{\text{episodes} \times \text{mean length}}{\text{environments} \times \text{steps a rollout}}.
# $$
#
# The mean length is the agent's own doing. **A budget of episodes gives a poor agent less data than a good one**, so
# it exaggerates every difference: who learns a little earlier gets longer episodes, hence more updates for the next
# hundred of them.

# %%
print("1,000 episodes of          updates of 16 x 32     updates of 16 x 128")
for length in (20, 50, 150, 400):
    print(
        f"{length:4} steps = {1000 * length:7,} steps {1000 * length / (16 * 32):15.0f} {1000 * length / (16 * 128):23.0f}"
    )
print()
for name, words in ((HEALTHY, "healthy"), (PATIENT, "patient")):
    steps, updates = (quote(f"factorial:{name}/{key}") for key in ("steps_at_1000", "updates_at_1000"))
    print(f"measured, {words}: {steps} steps in 1,000 episodes, {updates} updates")

# %% [markdown]
# The healthy run used its 1,000 episodes for many times the updates. So the flat line in the first figure may be a
# run that is broken, or a run that is not yet under way. Only a second axis tells: the same runs **by environment
# steps**, where each gets the same data. All that follows is told for both budgets.
#
# Note what the arithmetic does not say. Both kinds of rollout make *the same number of gradient steps for the same
# data*: 4 epochs over 512 rows in minibatches of 512 are 4 steps per 512 rows, 4 epochs over 2,048 rows are 16 steps
# per 2,048. What differs is how old the data are by the time they are used.

# %% [markdown]
# ## 3. Isolate: the factorial experiment
#
# ### 3.1 Why not one repair at a time?
#
# The obvious experiment repairs one setting after the other and sees what helps. It has a flaw: what a repair does
# may depend on the other two. If two faults are each enough to stop learning, repairing either shows nothing, and you
# acquit both. If one matters only in the presence of another, you blame whichever you repair last.
#
# A **factorial experiment** runs *every* combination. With three factors of two levels that is $2^3 = 8$ corners of a
# cube. Write $a, b, c \in \{-1, +1\}$ for rollouts, critic and clipping, $+1$ where the trap is there, and $y_{abc}$
# for the outcome.
#
# **Main effect**: the four corners with the trap, minus the four without:
#
# $$
# E_a = \frac14 \sum_{b, c} y_{+bc} - \frac14 \sum_{b, c} y_{-bc} = \frac14 \sum_{a, b, c} a \, y_{abc}. \tag{1}
# $$
#
# Every one of the eight corners contributes to every effect, so nothing is wasted: each effect is a mean of four
# differences, measured under four different circumstances.
#
# **Interaction**: does the effect of $a$ depend on $b$? Call $E_a^{b=+}$ the effect of $a$ with $b$ at $+1$ (a
# difference of two means over two corners each), and take half the difference to $E_a^{b=-}$:
#
# $$
# E_{ab} = \frac12\big(E_a^{b=+} - E_a^{b=-}\big)
# = \frac12\Big(\frac12\sum_{a,c} a\,y_{a+c} - \frac12\sum_{a,c} a\,y_{a-c}\Big)
# = \frac14 \sum_{a, b, c} a\,b\,y_{abc}. \tag{2}
# $$
#
# It is symmetric in $a$ and $b$: "the critic makes the rollouts worse" and "the rollouts make the critic worse" are
# one statement. The three-way interaction is $E_{abc} = \frac14 \sum a\,b\,c\,y_{abc}$ in the same way.
#
# With the mean over all corners, these are eight numbers from eight numbers, and nothing is lost. The columns of
# signs are orthogonal, so the corners come back as
#
# $$
# y_{abc} = \bar y + \tfrac12\big(a E_a + b E_b + c E_c + ab E_{ab} + ac E_{ac} + bc E_{bc} + abc E_{abc}\big). \tag{3}
# $$
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $y_{abc}$ | outcome of a corner, each seed by itself | `table` | `[8, seeds]` |
# | $a, b, c$ | level of each factor, +1 is the trap | `levels` | `[8, 3]` |
# | $a\,b$ | sign of a corner in an interaction | `levels[:, 0] * levels[:, 1]` | `[8]` |
# | $E$ | effect, each seed by itself | `signs @ table / 4` | `[seeds]` |
#
# Each seed runs all eight corners with the same initial weights and the same start states. So each seed has its own
# effects, and the interval of an effect is that of ten *differences*: what a seed is lucky in cancels.

# %%
corners = [f"{r}_{c}_{k}" for r in ("32", "128") for c in ("fast", "slow") for k in ("separate", "joint")]
levels = np.array([[r, c, k] for r in (-1, 1) for c in (-1, 1) for k in (-1, 1)])  # [8, 3]
table = np.array([measured["values"][f"adam_{corner}/at_1000"]["per_seed"] for corner in corners])  # [8, seeds]

critic = levels[:, 1] @ table / 4  # [seeds]
rollout_x_critic = (levels[:, 0] * levels[:, 1]) @ table / 4  # [seeds]
print("effect of the slow critic in each seed:", critic.round().astype(int).tolist())
print("rollouts x critic in each seed:        ", rollout_x_critic.round().astype(int).tolist())
print("from the claims:", quote("factorial:effects/adam/at_1000/critic"), "and",
      quote("factorial:effects/adam/at_1000/rollout_x_critic"))  # fmt: skip

# %% [markdown]
# ### 3.2 The eight corners

# %%
page.figure(
    factorial.corner_curves(measured["curves"], "adam"),
    alt="Two panels of learning curves by episode. With the fast critic all four curves reach 500; with the slow critic they stay lower "
    "and their bands are wide.",
    caption="Left and right differ in the critic's learning rate alone. Within a panel, colour is the rollout and dashes are joint "
    "clipping. Moving average of 50 episodes, ten seeds, 95 % bands.",
)

# %% [markdown]
# | rollout | critic | clipping | return at episode 1,000 | mean return of the 1,000 | return at 100,000 steps | updates in 1,000 episodes | KL of an early update [0.001 nat] | V lags behind by [reward] |
# |---|---|---|---|---|---|---|---|---|
# | 32 | fast | separate | {{factorial:adam_32_fast_separate/at_1000}} | {{factorial:adam_32_fast_separate/area}} | {{factorial:adam_32_fast_separate/late}} | {{factorial:adam_32_fast_separate/updates_at_1000.value}} | {{factorial:adam_32_fast_separate/early_kl}} | {{factorial:adam_32_fast_separate/value_gap}} |
# | 32 | fast | joint | {{factorial:adam_32_fast_joint/at_1000}} | {{factorial:adam_32_fast_joint/area}} | {{factorial:adam_32_fast_joint/late}} | {{factorial:adam_32_fast_joint/updates_at_1000.value}} | {{factorial:adam_32_fast_joint/early_kl}} | {{factorial:adam_32_fast_joint/value_gap}} |
# | 32 | slow | separate | {{factorial:adam_32_slow_separate/at_1000}} | {{factorial:adam_32_slow_separate/area}} | {{factorial:adam_32_slow_separate/late}} | {{factorial:adam_32_slow_separate/updates_at_1000.value}} | {{factorial:adam_32_slow_separate/early_kl}} | {{factorial:adam_32_slow_separate/value_gap}} |
# | 32 | slow | joint | {{factorial:adam_32_slow_joint/at_1000}} | {{factorial:adam_32_slow_joint/area}} | {{factorial:adam_32_slow_joint/late}} | {{factorial:adam_32_slow_joint/updates_at_1000.value}} | {{factorial:adam_32_slow_joint/early_kl}} | {{factorial:adam_32_slow_joint/value_gap}} |
# | 128 | fast | separate | {{factorial:adam_128_fast_separate/at_1000}} | {{factorial:adam_128_fast_separate/area}} | {{factorial:adam_128_fast_separate/late}} | {{factorial:adam_128_fast_separate/updates_at_1000.value}} | {{factorial:adam_128_fast_separate/early_kl}} | {{factorial:adam_128_fast_separate/value_gap}} |
# | 128 | fast | joint | {{factorial:adam_128_fast_joint/at_1000}} | {{factorial:adam_128_fast_joint/area}} | {{factorial:adam_128_fast_joint/late}} | {{factorial:adam_128_fast_joint/updates_at_1000.value}} | {{factorial:adam_128_fast_joint/early_kl}} | {{factorial:adam_128_fast_joint/value_gap}} |
# | 128 | slow | separate | {{factorial:adam_128_slow_separate/at_1000}} | {{factorial:adam_128_slow_separate/area}} | {{factorial:adam_128_slow_separate/late}} | {{factorial:adam_128_slow_separate/updates_at_1000.value}} | {{factorial:adam_128_slow_separate/early_kl}} | {{factorial:adam_128_slow_separate/value_gap}} |
# | 128 | slow | joint | {{factorial:adam_128_slow_joint/at_1000}} | {{factorial:adam_128_slow_joint/area}} | {{factorial:adam_128_slow_joint/late}} | {{factorial:adam_128_slow_joint/updates_at_1000.value}} | {{factorial:adam_128_slow_joint/early_kl}} | {{factorial:adam_128_slow_joint/value_gap}} |
#
# "At episode 1,000" is the mean of episodes 901 to 1,000, "at 100,000 steps" the mean of the episodes that end
# between steps 80,000 and 100,000. Early updates are those within the first 20,480 steps.

# %% [markdown]
# ### 3.3 What each factor does
#
# Choose an outcome and an optimiser. A hollow dot is an effect whose interval holds 0.

# %%
OUTCOMES = {
    "Adam: return at episode 1,000": ("adam", "at_1000", "change of the return at episode 1,000"),
    "Adam: mean return of the 1,000 episodes": ("adam", "area", "change of the mean return"),
    "Adam: return at 100,000 steps": ("adam", "late", "change of the return at 100,000 steps"),
    "Adam: KL of an early update": ("adam", "early_kl", "change of the KL [0.001 nat]"),
    "SGD: return at 61,440 steps": ("sgd", "at_60k", "change of the return at 61,440 steps"),
    "SGD: KL of an early update": ("sgd", "early_kl", "change of the KL [0.001 nat]"),
}


def effects_of(outcome):
    """Effects on one outcome, as a figure."""
    optimizer, key, label = OUTCOMES[outcome]
    return factorial.effect_bars(measured["values"], optimizer, key, x_label=label, title=outcome)


widgets.explore(
    effects_of,
    alt="Effects of long rollouts, slow critic and joint clipping, and of their interactions, each as ten dots with an "
    "interquartile mean and an interval, left of zero where the trap lowers the outcome.",
    caption="Small dots are seeds. Left of the dotted line the trap makes the outcome smaller.",
    outcome=widgets.Choice(list(OUTCOMES), "Adam: return at episode 1,000", "outcome"),
)

# %%
page.figure(
    factorial.trap_counts(measured["values"], "adam", "at_1000", y_label="return at episode 1,000"),
    alt="Return at episode 1,000 against the number of traps in the settings, with lines that join settings one trap apart.",
    caption="All eight corners by the number of traps in them; the words name them. A line joins two corners that differ in one "
    "trap. Follow the lines that add the critic, then those that add clipping.",
)

# %% [markdown]
# **What the data say, under Adam.**
#
# - **The slow critic is the cause.** It changes the return at episode 1,000 by
#   {{factorial:effects/adam/at_1000/critic}}, averaged over the other two factors. No other main effect comes near
#   it, on any of the three outcomes. With the fast critic every corner ends at 500, whatever else is wrong.
# - **Joint clipping does no harm at episode 1,000**: its effect, {{factorial:effects/adam/at_1000/clipping}}, is on the
#   wrong side of 0 for a culprit. It costs something on the way. The mean return of the 1,000 episodes changes by
#   {{factorial:effects/adam/area/clipping}}, where the slow critic changes it by {{factorial:effects/adam/area/critic}}.
# - **Long rollouts do none either**: {{factorial:effects/adam/at_1000/rollout}} at episode 1,000,
#   {{factorial:effects/adam/late/rollout}} at 100,000 steps. They mean fewer updates, and as many gradient steps on
#   the same data (section 2).
# - **Two good deeds make the patient worse.** Clip apart *and* shorten the rollouts, and leave the critic: the return
#   at episode 1,000 goes from {{factorial:adam_128_slow_joint/at_1000}} to {{factorial:adam_32_slow_separate/at_1000}}.
#
# Now look at the first row of the table below. The main effect of the rollouts equals the interaction rollouts ×
# critic, and that of clipping equals critic × clipping. That is no coincidence. All four fast corners sit at 500, the
# highest return there is, so there nothing else *can* show an effect. Whatever the other two do, they do in the slow
# half: by (2), main effect and interaction are then the same. This is a **ceiling**. It hides differences between
# runs that are all good enough, and it is the reason for the second outcome: the mean over all 1,000 episodes also
# counts how early a run got there.
#
# | effect on | long rollouts | slow critic | joint clipping | rollouts × critic | rollouts × clipping | critic × clipping | all three |
# |---|---|---|---|---|---|---|---|
# | return at episode 1,000 | {{factorial:effects/adam/at_1000/rollout}} | {{factorial:effects/adam/at_1000/critic}} | {{factorial:effects/adam/at_1000/clipping}} | {{factorial:effects/adam/at_1000/rollout_x_critic}} | {{factorial:effects/adam/at_1000/rollout_x_clipping}} | {{factorial:effects/adam/at_1000/critic_x_clipping}} | {{factorial:effects/adam/at_1000/rollout_x_critic_x_clipping}} |
# | mean return of 1,000 episodes | {{factorial:effects/adam/area/rollout}} | {{factorial:effects/adam/area/critic}} | {{factorial:effects/adam/area/clipping}} | {{factorial:effects/adam/area/rollout_x_critic}} | {{factorial:effects/adam/area/rollout_x_clipping}} | {{factorial:effects/adam/area/critic_x_clipping}} | {{factorial:effects/adam/area/rollout_x_critic_x_clipping}} |
# | return at 100,000 steps | {{factorial:effects/adam/late/rollout}} | {{factorial:effects/adam/late/critic}} | {{factorial:effects/adam/late/clipping}} | {{factorial:effects/adam/late/rollout_x_critic}} | {{factorial:effects/adam/late/rollout_x_clipping}} | {{factorial:effects/adam/late/critic_x_clipping}} | {{factorial:effects/adam/late/rollout_x_critic_x_clipping}} |

# %% [markdown]
# ## 4. Why joint clipping is innocent here, and guilty elsewhere
#
# The charge was: the critic's gradient $g_V$ is much larger than the policy's $g_\pi$. One norm over both multiplies
# each by
#
# $$
# c = \min\Big(1,\; \frac{0.5}{\sqrt{\|g_\pi\|^2 + \|g_V\|^2}}\Big). \tag{4}
# $$
#
# The measured median norms within 61,440 steps, and the factor $c$ that follows:
#
# | Adam, rollouts of 32 | policy's norm | critic's norm | $c$ |
# |---|---|---|---|
# | fast critic, apart | {{factorial:adam_32_fast_separate/policy_norm}} | {{factorial:adam_32_fast_separate/critic_norm}} | (would be) {{factorial:adam_32_fast_separate/clipping_factor}} |
# | slow critic, apart | {{factorial:adam_32_slow_separate/policy_norm}} | {{factorial:adam_32_slow_separate/critic_norm}} | (would be) {{factorial:adam_32_slow_separate/clipping_factor}} |
# | fast critic, together | {{factorial:adam_32_fast_joint/policy_norm}} | {{factorial:adam_32_fast_joint/critic_norm}} | {{factorial:adam_32_fast_joint/clipping_factor}} |
# | slow critic, together | {{factorial:adam_32_slow_joint/policy_norm}} | {{factorial:adam_32_slow_joint/critic_norm}} | {{factorial:adam_32_slow_joint/clipping_factor}} |
#
# So the mechanism is real: the policy's gradient is made tens of times smaller. Now follow it into the optimiser.
# Adam keeps running means of the gradient and of its square and moves each weight by
#
# $$
# \Delta\theta = -\eta\, \frac{m}{\sqrt{v} + \epsilon}, \qquad m \leftarrow 0.9\, m + 0.1\, g, \qquad v \leftarrow 0.999\, v + 0.001\, g^2
# $$
#
# (the corrections for the first steps left out). Multiply *all* gradients by $c$: $m$ becomes $cm$, $v$ becomes $c^2
# v$, and
#
# $$
# \frac{cm}{\sqrt{c^2 v} + \epsilon} = \frac{m}{\sqrt v + \epsilon / c} \approx \frac{m}{\sqrt v}.
# $$
#
# **A constant factor cancels**, as long as $\epsilon / c$ stays small beside $\sqrt v$. Plain gradient descent moves
# by $-\eta\, c\, g$: there the factor is a learning rate tens of times smaller.
#
# A factor that *changes* does not cancel. $m$ remembers about 10 steps, $v$ about 1,000. If $c$ drops, $m$ follows at
# once and $v$ does not: the steps shrink almost like $c$, and it takes thousands of steps until $v$ has forgotten.
# Move the sliders, and then set the change to step 0. In these runs the critic's gradient is large from the very
# first step, because its values start near 0 and returns do not: the factor was always there.


# %%
def steps_after(factor, changes_at):
    """Length of the policy's step under SGD and Adam, relative to no factor, for a gradient of constant size."""
    gradients = np.where(np.arange(1, 5001) > changes_at, factor, 1.0)
    first = second = 0.0
    lengths = []
    for step, gradient in enumerate(gradients, start=1):
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        lengths.append((first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-5))
    figure, ax = plots.new_figure(height=3.6)
    ax.plot(np.arange(1, 5001), gradients, color="#777777", linestyle="--", label="SGD: the gradient as it is")
    ax.plot(np.arange(1, 5001), lengths, color=plots.COLOURS["ppo"], label="Adam")
    ax.set(xlabel="gradient step", ylabel="step length, relative", yscale="log", ylim=(1e-3, 3), xlim=(0, 5000))
    ax.legend(loc="lower right")
    return figure


widgets.explore(
    steps_after,
    alt="Relative step length over 5,000 gradient steps on a logarithmic axis. The dashed line of SGD drops to the factor and stays there. "
    "Adam's line falls almost as far and takes thousands of steps to come back; for a factor from the first step on it never leaves 1.",
    caption="Solid against dashed: how much of the factor Adam takes back, and how late. At step 0 nothing is left to take back.",
    factor=widgets.Slider(0.01, 1.0, 0.02, 0.01, "clipping factor c"),
    changes_at=widgets.Slider(0, 3000, 500, 100, "it sets in after step"),
)

# %% [markdown]
# What did the runs do? The KL of the early updates and the length of the policy's step, per 512 steps of experience,
# where the clipping is the only difference:
#
# | | apart: KL [0.001 nat] | together: KL | apart: policy's step | together: policy's step |
# |---|---|---|---|---|
# | Adam, fast critic | {{factorial:adam_32_fast_separate/early_kl}} | {{factorial:adam_32_fast_joint/early_kl}} | {{factorial:adam_32_fast_separate/policy_move}} | {{factorial:adam_32_fast_joint/policy_move}} |
# | Adam, slow critic | {{factorial:adam_32_slow_separate/early_kl}} | {{factorial:adam_32_slow_joint/early_kl}} | {{factorial:adam_32_slow_separate/policy_move}} | {{factorial:adam_32_slow_joint/policy_move}} |
# | SGD, fast critic | {{factorial:sgd_32_fast_separate/early_kl}} | {{factorial:sgd_32_fast_joint/early_kl}} | {{factorial:sgd_32_fast_separate/policy_move}} | {{factorial:sgd_32_fast_joint/policy_move}} |
# | SGD, slow critic | {{factorial:sgd_32_slow_separate/early_kl}} | {{factorial:sgd_32_slow_joint/early_kl}} | {{factorial:sgd_32_slow_separate/policy_move}} | {{factorial:sgd_32_slow_joint/policy_move}} |
#
# ### 4.1 The same experiment under plain SGD
#
# Plain SGD has no usual learning rates here, so they were searched for on five seeds that no other figure uses (90 to
# 94): three rates for the policy times four for the critic, on the corner without a trap. The best pair, 0.1 and 0.3,
# was taken; the slow critic is slower by the same factor as under Adam. The search is kept in the claims file.

# %%
page.figure(
    factorial.corner_curves(measured["curves"], "sgd", by_step=True),
    alt="Two panels of learning curves by environment step under plain SGD. Solid lines, clipped apart, rise; dashed lines, clipped "
    "together, lie below them.",
    caption="The same eight corners under plain SGD, for 61,440 steps. Now compare solid with dashed.",
)
for key, words in (("rollout", "long rollouts"), ("critic", "slow critic"), ("clipping", "joint clipping")):
    print(f"effect on the return at 61,440 steps, {words:15} SGD {quote(f'factorial:effects/sgd/at_60k/{key}'):22} "
          f"Adam {quote(f'factorial:effects/adam/at_60k/{key}')}")  # fmt: skip

# %% [markdown]
# **Under plain SGD the popular story is true.** There joint clipping has the largest effect,
# {{factorial:effects/sgd/at_60k/clipping}}, and the slow critic {{factorial:effects/sgd/at_60k/critic}}. With all
# three traps the run ends at {{factorial:sgd_128_slow_joint/at_60k}}: that is the frozen policy of the tale. Under
# Adam the same corner is at {{factorial:adam_128_slow_joint/at_60k}} after the same number of steps, and climbing.
# The KL of an early update tells it too: clipped together, it is {{factorial:sgd_32_fast_joint/early_kl}} instead of
# {{factorial:sgd_32_fast_separate/early_kl}} thousandths of a nat under SGD, and
# {{factorial:adam_32_fast_joint/early_kl}} instead of {{factorial:adam_32_fast_separate/early_kl}} under Adam.
#
# Two things to be fair about. The rates for SGD were chosen for separate clipping; a rate for the policy that is
# larger by $1/c$ would make up for part of the loss, which only says again that $c$ is a learning rate. And Adam does
# not give back all of it: its steps are shorter too, by about a third to a half in the table above. In the first
# updates $\epsilon / c$ is not small beside $\sqrt v$ (the policy's gradient norm of about 0.1, times 0.02, over some
# thousand weights), and $c$ changes from minibatch to minibatch. Mostly undone is not undone, and the mean return of
# the 1,000 episodes in section 3.3 shows the rest.
#
# > **How the usual telling goes wrong.** The story of this run has been told often: *the critic's gradient is a
# > hundred times the policy's; they are clipped together; so the policy is frozen; clip them apart.* Each step is
# > true or plausible. The numbers that go with it are real: the norms, and a KL that is smaller in the first updates.
# > And the conclusion does not follow, for four reasons worth remembering.
# >
# > 1. **A mechanism was observed, its effect was not.** The norms show that the gradient shrinks. Nobody ran the
# >    corner where clipping is the *only* difference.
# > 2. **Three things were changed in one go**, and the one with the best story got the credit.
# > 3. **The argument is about gradient descent**, and the run uses Adam. An explanation has to go through every line
# >    between cause and effect.
# > 4. **The budget was counted in episodes.** "Frozen" is what slow looks like when poor agents get little data.
# >
# > Clip each network by its own norm all the same: it costs nothing, and the day you change the optimiser it is
# > right. That is hygiene. It is not the cure.

# %% [markdown]
# ## 5. Your experiment: cure the patient
#
# Change **one** setting of the patient, run three seeds, and compare with the measured bands of the patient and of
# the healthy run, by environment steps. Before you unfold the answer, write down in your own words: which repair is
# worth most, and which panel of section 1 would have told you so *before* any experiment?

# %%
changed = replace(ppo.BUGGY, critic_lr=1e-2, num_episodes=None, total_timesteps=20 * 2048)  # change me
seams = dict(traps.JOINT_CLIPPING.seams)  # {} for separate clipping
mine = run_seeds({"mine": changed}, seeds=range(3), seams={"mine": seams}, progress=False)["mine"]

# %%
figure, ax = plots.new_figure()
for name, label, colour in ((HEALTHY, "healthy", "ppo"), (PATIENT, "patient", "ppo_buggy")):
    plots.claimed_band(ax, measured["curves"][f"{name}/by_step"], label=f"{label}, ten seeds", colour=colour)
for number, run in enumerate(mine):
    smooth = moving_average(run.episodes["episodic_return"], 50)
    ax.plot(run.episodes["env_step"], smooth, color="#000000", linestyle=["-", "--", ":"][number % 3], linewidth=1.3,
            label=f"yours, seed {run.seed}")  # fmt: skip
ax.set(xlabel="environment steps", ylabel="return, moving average of 50 episodes", xlim=(0, 60_000), ylim=(0, 510))
ax.legend(loc="upper left")
page.figure(
    figure,
    alt="Learning curves by environment step: bands of the healthy run and of the patient, and three black lines of the learner's runs.",
    caption="Your three runs beside the bands of ten.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The fast critic is worth most, by far. With joint clipping and long rollouts left as they are, its ten seeds reach
# {{factorial:adam_128_fast_joint/at_60k}} at 61,440 steps and {{factorial:adam_128_fast_joint/at_1000}} at episode
# 1,000; the patient is at {{factorial:adam_128_slow_joint/at_60k}} and {{factorial:adam_128_slow_joint/at_1000}}.
# Your three runs should leave the patient's band within the first 20,000 steps. Separate clipping alone leads to
# {{factorial:adam_128_slow_separate/at_1000}} at episode 1,000, short rollouts alone to
# {{factorial:adam_32_slow_joint/at_1000}}.
#
# The panel that tells it beforehand is the one of V and G. Within 61,440 steps the patient's values lie
# {{factorial:adam_128_slow_joint/value_gap}} below the returns on average, the healthy run's
# {{factorial:adam_32_fast_separate/value_gap}}. With a learning rate of 3e-4 Adam moves each weight by at most about
# 3e-4 a step, and values have a long way to go, from 0 to nearly 100. The gradient norms, where everyone looks, are
# high for the *same* reason: the critic is far from its targets. They are a symptom of the slow critic, and were
# taken for the cause.
#
# </details>

# %% [markdown]
# **The trap lab.** The same three suspects as switches. Each run stays in the picture, with its diagnostics, until you
# clear it.

# %%
lab = TrapLab()
lab.show()

# %% [markdown]
# ## 6. More traps, each with its signature
#
# The three suspects are settings. The traps below are bugs from real code. Each is a short healthy run with *one*
# thing wrong, in ten seeds. None raises an error. They are in the package as data, with the buggy code as a seam of
# `train`:

# %%
page.source(traps.ADVANTAGE_SIGN.seams["policy_loss_fn"])
ill = traps.ADVANTAGE_SIGN.train(seed=0)
healthy = traps.ADVANTAGE_SIGN.train_healthy(seed=0)
for words, run in (("with the bug", ill), ("healthy", healthy)):
    kl, explained = (run.metrics[f"losses/{name}"][-10:].mean() for name in ("approx_kl", "explained_variance"))
    print(
        f"{words:12} last 20 returns {run.episodes['episodic_return'][-20:].mean():5.0f}, KL {kl:.4f}, explained {explained:.2f}"
    )

# %% [markdown]
# Pick a trap and read its panels *before* you read its text in the table further down. Ask in this order: What does
# the return do? Does the policy move (KL, steps, ratio)? Does it stay undecided, or commit too soon (entropy,
# standard deviation)? Does the critic follow (V against G, explained variance)?

# %%
BY_TITLE = {trap.title: trap for trap in traps.TRAPS}
widgets.explore(
    lambda trap: diagnostics.trap_panels(BY_TITLE[trap]),
    alt="Small panels of a buggy run in black over the healthy run in colour: returns of each seed, then the diagnostics of the updates.",
    caption="Ten seeds each, bands are 95 % intervals. Runs are short: most bugs show within the first updates.",
    trap=widgets.Choice(list(BY_TITLE), traps.BROADCASTING.title, "trap"),
)

# %% jupyter={"source_hidden": true}
page.prose(
    "\n\n".join(
        f"<details><summary><b>{trap.title}</b>. {trap.symptom}</summary>\n\n{trap.explanation}\n\n"
        f"**Fix:** {trap.fix}\n\n**Shown for certain by:** {trap.shown_by}.\n\n</details>"
        for trap in traps.TRAPS
    )
)

# %% [markdown]
# ### 6.1 Can a program see it?
#
# `diagnose(metrics)` looks at a run's metrics and names *alarms*: numbers outside the range of healthy runs. Its
# thresholds come from healthy runs of seeds 100 to 109, for each kind of run its own. `suspects` ranks the traps of
# that kind by the alarms that they usually ring.

# %%
run = traps.BROADCASTING.train(seed=3)
alarms = diagnose(run.metrics)
for alarm in sorted(alarms):
    print(f"{alarm}: {describe(alarm)}")
print("first suspects:", suspects(alarms, run.metrics)[:3])

# %% [markdown]
# How good is it? It is tested on seeds 110 to 119, which no threshold has seen. "Told apart": an alarm rings. "Named":
# the trap is the first suspect.

# %%
page.prose(trap_table())
healthy_runs = false_alarms()
print(f"false alarms: {healthy_runs.alarmed} of {healthy_runs.runs} healthy runs")

# %% [markdown]
# Read the rows that say *not visible* twice. No threshold will find those: the metrics of one training run are those
# of a healthy one. **One start state** is the clearest case. In training it returns
# {{traps:one_start_state/last_100}} over its last 100 episodes and looks better than the healthy run, which has
# {{traps:healthy_clipped_action_log_prob/last_100}}. On held-out start states it is at
# {{traps:one_start_state/held_out}}, the healthy run at {{traps:healthy_clipped_action_log_prob/held_out}}. The agent
# has learned one trajectory, and every panel of its training is about that trajectory.
#
# ### 6.2 Ranges from folklore, and ranges that we measured
#
# You will read rules such as "KL should be 0.01 to 0.05". Here are the common ones beside the 5 % and 95 % quantiles
# over the updates of our own healthy runs (each an interquartile mean over ten seeds):
#
# | diagnostic | folklore | PPO, CartPole | PPO, Pendulum | A2C, CartPole |
# |---|---|---|---|---|
# | approximate KL of an update [nats] | 0.01 to 0.05, alarm above 0.1 | {{ranges:ppo/approx_kl/low.value}} to {{ranges:ppo/approx_kl/high.value}} | {{ranges:pendulum/approx_kl/low.value}} to {{ranges:pendulum/approx_kl/high.value}} | |
# | clip fraction | 0.1 to 0.3 | {{ranges:ppo/clipfrac/low.value}} to {{ranges:ppo/clipfrac/high.value}} | {{ranges:pendulum/clipfrac/low.value}} to {{ranges:pendulum/clipfrac/high.value}} | |
# | entropy [nats] | falls slowly, never to 0 | {{ranges:ppo/entropy/low.value}} to {{ranges:ppo/entropy/high.value}} | {{ranges:pendulum/entropy/low.value}} to {{ranges:pendulum/entropy/high.value}} | {{ranges:a2c/entropy/low.value}} to {{ranges:a2c/entropy/high.value}} |
# | explained variance, all updates | above 0.5, or 0.8 | {{ranges:ppo/explained_variance/low.value}} to {{ranges:ppo/explained_variance/high.value}} | {{ranges:pendulum/explained_variance/low.value}} to {{ranges:pendulum/explained_variance/high.value}} | {{ranges:a2c/explained_variance/low.value}} to {{ranges:a2c/explained_variance/high.value}} |
# | explained variance, until a mean of 475 | | {{ranges:ppo/explained_variance_learning/low.value}} to {{ranges:ppo/explained_variance_learning/high.value}} | | {{ranges:a2c/explained_variance_learning/low.value}} to {{ranges:a2c/explained_variance_learning/high.value}} |
# | policy's gradient norm | below 0.5 or 1 | {{ranges:ppo/policy_grad_norm/low.value}} to {{ranges:ppo/policy_grad_norm/high.value}} | {{ranges:pendulum/policy_grad_norm/low.value}} to {{ranges:pendulum/policy_grad_norm/high.value}} | {{ranges:a2c/policy_grad_norm/low.value}} to {{ranges:a2c/policy_grad_norm/high.value}} |
# | critic's gradient norm | not much larger than the policy's | {{ranges:ppo/critic_grad_norm/low.value}} to {{ranges:ppo/critic_grad_norm/high.value}} | {{ranges:pendulum/critic_grad_norm/low.value}} to {{ranges:pendulum/critic_grad_norm/high.value}} | {{ranges:a2c/critic_grad_norm/low.value}} to {{ranges:a2c/critic_grad_norm/high.value}} |
#
# What does not fit? On CartPole a healthy update's KL lies far *below* the usual range, and 0.01 to 0.05 would be an
# alarm there; so does the clip fraction. On Pendulum, with larger steps and more epochs, healthy runs cross the
# usual ranges and are below them most of the time. The **explained variance** is the worst offender: over a whole healthy run on CartPole its median is
# {{ranges:ppo/explained_variance/middle}}. Nothing is wrong. Once every episode lasts 500 steps, nearly every state
# of the batch has the same return, and there is no variance left to explain; the number is then noise, often far
# below 0. The critic's gradient norm spans more than five powers of ten within one healthy run, from returns that it
# has not heard of to returns that never change. So a range is a property of a task and its settings, and of the
# moment. **Measure the healthy run of your own task, over seeds, and keep its ranges**: that is how the thresholds of
# `diagnose` were made.

# %% [markdown]
# ## 7. Environments whose answers you know
#
# A flat curve on CartPole has a hundred possible reasons. So make the environment smaller until only one is left. A
# *probe* is an environment of one or two steps with an answer that you can compute in your head. Try them in order:
# each relies on the ones before it, and **the first to fail names the suspect**.

# %%
for probe in probing.PROBES:
    print(f"{probe.__name__:26} {probe.__doc__.splitlines()[0]}")
    print(f"{'':26} fails: {probe.suspect}")

# %%
candidates = {
    "PPO": (ppo.train, probing.PPO, {}),
    "A2C": (a2c.train, probing.A2C, {}),
    "PPO, broadcasting": (ppo.train, probing.PPO, traps.BROADCASTING.seams),
    "PPO, truncation": (ppo.train, probing.PPO, traps.TRUNCATION_AS_TERMINATION.seams),
    "PPO, advantage sign": (ppo.train, probing.PPO, traps.ADVANTAGE_SIGN.seams),
}
for name, (train, config, seams) in candidates.items():
    findings = probing.probe_algorithm(train, config, stop=True, **seams)
    failed = probing.first_failure(findings)
    marks = " ".join("✓" if finding.passed else "✗" for finding in findings)
    print(f"{name:20} {marks}   {'' if failed is None else failed.probe.suspect}")

# %% [markdown]
# The columns are the six probes in order. A learner of yours plugs in the same way:
# `probing.probe_algorithm(my_train, config)`, or one of your functions as a seam,
# `probing.probe_algorithm(advantage_fn=my_gae)`. All six take seconds, where one run on the real task takes minutes
# and answers less.
#
# ## 8. The checklist
#
# In this order, because each line is cheaper than the next, and rules out more.
#
# | look at | healthy | if not |
# |---|---|---|
# | every tensor finite? | yes | `log(0)`, a division by a standard deviation of 0, a log-probability of an action outside the support |
# | shapes of both sides of every minus | equal | (N, 1) against (N,) |
# | scale of rewards, returns, advantages | returns of the order of 1 to 100; advantages of mean 0, standard deviation 1 after normalising | `reward_scale` |
# | does the stored action have the stored log-probability? | recompute before the first step: ratio exactly 1 | clipped actions, another policy, mixed rows |
# | entropy at the start | log of the number of actions; the Gaussian's formula at your `initial_std` | another distribution's formula, softmax twice |
# | episode ends | terminated and truncated told apart; no reset row | a probe: `Endless` |
# | the arithmetic of the budget | dozens of updates, better hundreds | shorter rollouts, a budget in steps |
# | does every part move? | update norms above 0, for every group of parameters | the optimiser does not know it |
# | mean of V against mean of G | V follows within some dozen updates | critic's learning rate, broadcasting |
# | KL and ratio | above 0, below your preset's range | old log-probabilities, learning rate, epochs |
# | the simplest environment | solved in a second | the first probe to fail |
# | held-out start states | as good as training | one start state, evaluation on training seeds |
# | watch the agent | it does what you meant | section 9 |
#
# And then **change one thing at a time**, over several seeds, or all of them in a factorial.

# %% [markdown]
# ## 9. Reward hacking: when everything works
#
# Here the code is right, every diagnostic is healthy, and the return rises to new records. Pendulum is hard at the
# start because the motor is too weak to lift the mass at once: it has to swing. So a well-meaning engineer pays a
# **bonus for speed**, $b\,|v|$ for each step, to encourage swinging.

# %%
page.source(shaping.PaidForSpeed)

# %% [markdown]
# What is the best policy now? Standing upright earns 0 a step. Compare a pendulum that turns for ever and uses no
# torque. Gravity turns it: from the top ($\theta = 0$, speed $v_0$) it falls and climbs with
#
# $$
# v(\theta)^2 = v_0^2 + 30\,(1 - \cos\theta),
# $$
#
# because $\dot v = 15 \sin\theta$ in this environment, and $v\,dv = 15 \sin\theta\,d\theta$. In one turn the bonus
# adds up to $\int b\,|v|\,dt = 2\pi b$, whatever the speed: it pays for the *distance*. The environment charges
# $\int (\theta^2 + 0.1\,v^2)\,dt = \oint (\theta^2 / v + 0.1\,v)\,d\theta$, and both count once each 0.05 s. A turn pays
# for itself from
#
# $$
# b^\star = \frac{1}{2\pi} \oint \Big(\frac{\theta^2}{v} + 0.1\,v\Big)\, d\theta.
# $$

# %%
for top_speed in (0.01, 1.0, 2.0):  # rad/s; from 2 on it would pass the speed limit of 8 below
    earns = ", ".join(f"{shaping.turning_reward(bonus, top_speed):5.2f} at {bonus:g}" for bonus in (0.5, 1.0, 1.5, 2.0))
    print(f"top speed {top_speed:4}: pays from b = {shaping.gamed_from(top_speed):.3f}; a step earns {earns}")

# %% [markdown]
# So on paper the line runs at a bonus of 1. Below it the engineer's wish and the agent's interest agree; above it they
# part. (Left out: the discount, the swing-up, which costs a turning agent less, and what torque can add.)

# %% jupyter={"source_hidden": true}
questions.predict(
    "06-hacking",
    "PPO is trained with a bonus of 1.5. What will its learning curve look like, and what its agent?",
    [
        "The curve stays flat, because the bonus confuses the critic",
        "The curve rises steadily, and the pendulum stands upright a little sooner",
        "The curve rises above anything that standing upright could earn, and the pendulum turns for ever",
        "The curve rises, then collapses when the agent discovers the loop",
    ],
    answer=2,
    explanation=f"The training return reaches {quote('hacking:bonus_15/training')}, where a solved Pendulum is near -150. By the reward that was "
    f"meant, the same agents score {quote('hacking:bonus_15/held_out')}: {quote('hacking:bonus_15/solves/count')} of ten seeds solve the task.",
)

# %%
config = replace(ppo.PENDULUM, total_timesteps=48_000, seed=5)
agents = {}
for bonus in (0.0, 2.0):
    envs = shaping.ShapedEnvs(config.num_envs, bonus)(config.seed)
    result = ppo.train(config, envs=envs)
    agents[f"bonus {bonus:g}"] = result.policy
    last = result.episodes["episodic_return"][-24:].mean()
    print(
        f"bonus {bonus:g}: training return {last:6.0f}, mean speed late in an episode {shaping.mean_speed(result.policy, seed=1):.1f} rad/s"
    )

# %%
with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif({"random": None, **agents}, "Pendulum-v1", f"{folder}/hacked.gif", seed=3, max_steps=120)
    page.gif(
        path,
        alt="Three pendulums side by side: the random one dangles, the one without a bonus swings up and stands, the one with a bonus of 2 "
        "turns round and round at full speed.",
        caption="Same start state, true speed. The agent on the right has by far the highest training return of the three; the numbers "
        "below count the reward that was meant.",
    )

# %% [markdown]
# | bonus for each rad/s | training return (with the bonus) | held-out return (what was meant) | seeds that solve the task |
# |---|---|---|---|
# | 0 | {{hacking:bonus_0/training}} | {{hacking:bonus_0/held_out}} | {{hacking:bonus_0/solves/count}} of {{hacking:bonus_0/solves/count.n}} |
# | 0.5 | {{hacking:bonus_05/training}} | {{hacking:bonus_05/held_out}} | {{hacking:bonus_05/solves/count}} |
# | 1 | {{hacking:bonus_1/training}} | {{hacking:bonus_1/held_out}} | {{hacking:bonus_1/solves/count}} |
# | 1.5 | {{hacking:bonus_15/training}} | {{hacking:bonus_15/held_out}} | {{hacking:bonus_15/solves/count}} |
# | 2 | {{hacking:bonus_2/training}} | {{hacking:bonus_2/held_out}} | {{hacking:bonus_2/solves/count}} |
# | 2, paid for *gaining* speed | {{hacking:gain_2/training}} | {{hacking:gain_2/held_out}} | {{hacking:gain_2/solves/count}} |
#
# A bonus of 0.5 does no harm. At 1, where turning and standing are worth the same on paper, all ten agents turn: they
# are spared the swing-up. From there on, the better the training return, the worse the agent: read the second column
# downwards and the third beside it. Nothing in the diagnostics objects, because nothing is wrong with the *learning*. A
# gamed reward is a bug in the goal, and only two things show it: a measure of what you meant that is not the reward
# you train on, and your own eyes.
#
# **The cure, if you must shape.** Pay for the *change* of a potential $\Phi(s)$ instead of its value: $F =
# \gamma\,\Phi(s') - \Phi(s)$. Along any path,
#
# $$
# \sum_{t=0}^{T-1} \gamma^t \big(\gamma\,\Phi(s_{t+1}) - \Phi(s_t)\big) = \gamma^T \Phi(s_T) - \Phi(s_0),
# $$
#
# each term cancels its neighbour. For $T \to \infty$ and a bounded $\Phi$ only $-\Phi(s_0)$ is left, which no action
# can change. So every policy's value from $s_0$ shifts by the same amount, and the best policy stays the best (Ng,
# Harada and Russell 1999). With $\Phi = b\,|v|$, speed that is gained is paid, speed that is lost is charged, and a
# loop earns nothing. The last row of the table is this repair.

# %% [markdown]
# ## 10. A patient
#
# Someone's PPO does not learn CartPole. These are its panels over two seeds, beside two healthy ones. Symptom first:
# which of the usual explanations do the panels rule out?

# %%
short = replace(ppo.CARTPOLE, total_timesteps=20 * 1024)
found = run_seeds(
    {"patient": short, "healthy": short},
    seeds=range(2),
    seams={"patient": {"optimizer_fn": copied_adam}},
    progress=False,
)
NAMES = (
    "losses/approx_kl",
    "losses/entropy",
    "charts/value_mean",
    "losses/policy_grad_norm",
    "losses/critic_grad_norm",
    "charts/ratio_std",
)
page.figure(
    diagnostics.panels(
        diagnostics.curves_of(found["patient"]),
        diagnostics.curves_of(found["healthy"]),
        names=NAMES,
        labels=("patient", "healthy"),
    ),
    alt="Six panels. The patient's KL and spread of the ratio are exactly zero and its entropy constant at 0.69; its mean V stays at 0; "
    "its gradient norms are as large as those of the healthy run or larger.",
    caption="Two seeds each. Compare the first panel with those of the gradient norms.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-patient",
    "KL exactly 0 in every update, and healthy gradient norms. What is it?",
    [
        "The learning rate is a thousand times too small",
        "The old log-probability is computed again before every step",
        "The advantages are all zero",
        "The optimiser holds other tensors than the networks use",
    ],
    answer=3,
    reasons=[
        "Then the KL would be tiny and not zero, and the entropy would creep. Exactly 0 is never a matter of size.",
        "That gives a KL and a spread of exactly 0, too. But the policy would move: entropy and mean V would change, and so would the return.",
        "Then the policy's gradient norm would be 0, and the critic would learn all the same.",
        "Right. Gradients are computed, clipped and logged, and the steps are taken on copies. Nothing that acts ever moves, in either network.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# The function below was passed as `optimizer_fn`: the optimiser is given *copies* of the parameters. In real code
# nobody writes that on purpose. It happens when the network is moved to a device, wrapped, or replaced by a target
# network *after* the optimiser was made, or when a checkpoint is loaded into a new module. A second trace: the
# policy's gradient norm lies near 0.6, because `zero_grad` empties the copies too, and each new gradient is added to
# the last one, clipped at 0.5. The look that settles it is the update norm of each network, `updates/policy.logits`
# in the metrics: exactly 0. `diagnose` knows it as `part-not-updated`.
#
# </details>

# %%
page.source(copied_adam)
for name, runs in found.items():
    norm = runs[0].metrics["updates/policy.logits"].mean()
    print(
        f"{name}: mean step of the policy {norm:.4f}, alarms: {', '.join(sorted(diagnose(runs[0].metrics))) or 'none'}"
    )

# %% [markdown]
# ## 11. Common mistakes in debugging itself
#
# | mistake | how you notice |
# |---|---|
# | two changes at once | you cannot say which one helped; both stay in the code for ever |
# | one seed | the "fix" is gone with the next seed: look at the spread of a single corner in section 3 |
# | a story instead of a comparison | the mechanism is real, and the run with *only* that changed does not exist |
# | watching the loss | PPO's policy loss hovers below 0 in good runs and bad ones; the critic's loss *rises* while the agent improves, because returns grow |
# | explained variance alone | it cannot see that V is off by a constant; look at both means |
# | a budget in episodes | poor agents get less data, and look frozen |
# | thresholds from another project | section 6.2: healthy runs here lie outside the usual ranges |
# | evaluating on training starts | the return is a memory test |
# | never watching the agent | the highest return of section 9 belongs to a propeller |
#
# ## 12. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-quiz-interaction",
    "Two traps. Without any: return 500. First alone: 500. Second alone: 500. Both: 100. What do main effects and interaction say?",
    [
        "Main effects 0, interaction -400",
        "Both main effects -200, interaction -200",
        "Both main effects -400, interaction 0",
        "Main effects -200, interaction 0",
    ],
    answer=1,
    reasons=[
        "A main effect is an average over the other trap. With the other trap present each costs 400, without it 0: -200.",
        "Right: each costs (0 + -400) / 2 = -200 on average, and the interaction is half the difference, (-400 - 0) / 2 = -200. Equal sizes are "
        "the mark of a trap that needs company.",
        "Then each trap alone would already cost 400.",
        "Interaction 0 means that each costs the same whatever the other does. Here that is far from so.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-quiz-adam",
    "All gradients of a network are multiplied by 0.02 from the first step on. Under Adam, its steps become",
    ["50 times shorter", "about as long as before", "about 7 times shorter, the square root", "longer"],
    answer=1,
    reasons=[
        "That is plain SGD.",
        "Right: numerator and denominator carry the same factor. Only eps, divided by 0.02, weighs more.",
        "v carries the factor squared, and its root is taken: 0.02 again, not its square root.",
        "Only after a factor that goes *up* suddenly, because v is slow to learn of it.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-quiz-offset",
    "Explained variance is 0.9, the mean of V is 20, the mean of the returns is 80. Is the critic healthy?",
    [
        "Yes: 0.9 is above every rule of thumb",
        "No: it ranks states well and is 60 too low everywhere",
        "The numbers contradict each other",
        "Only the policy's loss can tell",
    ],
    answer=1,
    reasons=[
        "Explained variance subtracts the mean of G - V before it looks.",
        "Right. Advantages normalised over the batch forgive a constant offset; bootstrapped targets do not: they carry it on.",
        "Var(G - V) knows nothing of the mean of G - V. Both can be true.",
        "The policy's loss hovers around 0 in any case.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-quiz-probe",
    "Your PPO passes ConstantReward and fails ObservationPredictsReward: V is about 0 for both observations. Where do you look first?",
    [
        "The policy's sign",
        "The discount",
        "The critic's loss: shapes, or observations that do not reach it",
        "The time limit",
    ],
    answer=2,
    reasons=[
        "The policy plays no part in this probe: the reward does not depend on the action.",
        "Episodes have one step. Nothing is discounted.",
        "Right: V is the mean of -1 and +1, the best that a critic can do which fits every observation to every return.",
        "There is no time limit within one step.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-quiz-hacking",
    "Which number would have told the engineer of section 9 that something is wrong?",
    [
        "The explained variance",
        "The approximate KL",
        "The return by the reward that was meant, on held-out starts, or one look at the agent",
        "The entropy",
    ],
    answer=2,
    reasons=[
        "The critic predicts the shaped reward well.",
        "The updates are healthy: the policy improves at what it is paid for.",
        "Right. No diagnostic of the *learning* can see a wrong *goal*.",
        "It falls as in a good run: the agent is sure of what it does.",
    ],
)

# %% [markdown]
# ## 13. What to remember
#
# 1. A mechanism is not an effect. Run the corner where your suspect is the only difference, over seeds.
# 2. Count updates before anything else, and compare by environment steps as well as by episodes.
# 3. Look at V against G, at step lengths of every part, at KL and entropy; the losses tell little.
# 4. Make the environment so small that the answer is known. The first probe to fail names the part.
# 5. Some bugs no training curve shows: check held-out starts, recompute log-probabilities, and watch the agent.
#
# ## Further reading
#
# - G. E. P. Box, J. S. Hunter and W. G. Hunter (2005), *Statistics for experimenters*. Chapter 5: two-level factorial
#   designs; equations (1) to (3).
# - D. P. Kingma and J. Ba (2015), *Adam: a method for stochastic optimization*, ICLR. Section 2.1: the step does not
#   depend on the gradient's scale.
# - A. Y. Ng, D. Harada and S. Russell (1999), *Policy invariance under reward transformations*, ICML. Theorem 1:
#   potential-based shaping.
# - P. Henderson et al. (2018), *Deep reinforcement learning that matters*, AAAI. How much of a result is seeds, code
#   and settings.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. An ablation that changes what
#   a paper's success is credited to.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. What
#   goes wrong where.
# - A. L. Jones (2021), *Debugging reinforcement learning systems*. Probe environments, and the habit of expecting
#   bugs.
# - D. Amodei et al. (2016), *Concrete problems in AI safety*. Section 4: reward hacking. V. Krakovna et al. (2020),
#   *Specification gaming: the flip side of AI ingenuity*: a list of examples.
# - F. Pardo et al. (2018), *Time limits in reinforcement learning*, ICML. Truncation against termination.
#
# **Now be the doctor:** [the exercises of this unit](../exercises/06_debugging_traps.ipynb) ask you to write
# `diagnose`, and open the **bug clinic**: twelve sealed patients. You read the panels, commit a diagnosis and how
# sure you are, and only then see the code, and cure it. Four are required; the order is your own.
