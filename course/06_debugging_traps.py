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
# program runs to its end, and the curve is flat. This lesson finds out why, by measurement.
#
# **After this lesson you will be able to**
#
# 1. read a run's diagnostics, and say which explanations they rule out;
# 2. isolate a cause with a factorial experiment, and say at which settings the verdict holds;
# 3. say what becomes of a scaled gradient under plain gradient descent and under Adam;
# 4. find a broken part with environments whose answers you know;
# 5. name bugs that no training curve shows, and what does show them.
#
# **You need** lessons [03](03_a2c_gae.ipynb) (GAE, explained variance), [04](04_ppo.ipynb) (PPO, KL, clip fraction)
# and [05](05_continuous_pendulum.ipynb) (Pendulum). **Time:** {{minutes:core}} minutes for the core path,
# {{minutes:further}} more for the folded sections, {{minutes:exercises}} for the exercises with all twelve patients (four are asked
# for); all cells run in about a minute on two cores. Letters: [symbols](../docs/symbols.md). {{# wording}}
#
# The numbers come from `claims/factorial.json`, `adam.json`, `traps.json`, `ranges.json`, `hacking.json` and
# `exploration.json`: ten training runs of each version. *72 [65, 80]* reads: interquartile mean over the ten runs, and its
# 95 % bootstrap interval. Words with a dotted underline are comparisons decided by the data; hover to see the interval
# ([the rule](07_trustworthy_experiments.ipynb)). {{# wording}}

# %% jupyter={"source_hidden": true}
from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from pgcourse import a2c, ppo
from pgcourse.envs import key_door
from pgcourse.show import page, questions
from pgcourse.show.clinic.trap_lab import TrapLab
from pgcourse.show.figures import diagnostics, factorial, curves as plots
from pgcourse.show.figures.factorial import SETTINGS, at_setting, one_fault
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.fault_effects import fault_effects
from pgcourse.show.live.explainers.trap_signatures import trap_signatures
from pgcourse.statistics import moving_average
from pgcourse.study import probing, shaping, traps
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.comparison import estimate
from pgcourse.study.diagnose import describe, diagnose, suspects
from pgcourse.study.seeds import run_seeds
from pgcourse.study.traps.optimizers import copied_adam
from pgcourse.study.traps.table import false_alarms, trap_table

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("factorial")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Three questions before you begin
#
# Answer from memory.

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-recall-1",
    "Unit 05: on Pendulum the policy samples a torque of 3.1, and the environment clips it to 2. Which one goes into the batch?",
    ["The 2 that moved the rod", "The 3.1 that was drawn", "The mean of both"],
    answer=1,
    reasons=[
        "Then its log-probability is not that of the action drawn, and the first ratio is not 1.",
        "Right: the clip belongs to the environment. Section 6 has the bug that stores the other one.",
        "One action was drawn, and one log-probability belongs to it.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-recall-2",
    "Unit 03: the critic's target is the advantage of GAE plus V. What does it hold, for λ between 0 and 1?",
    ["Rewards alone", "Rewards and values", "The next value alone"],
    answer=1,
    reasons=[
        "That is λ = 1, with an episode that ends in the rollout.",
        "Right: a λ-return bootstraps. Where V is too low, so is its target.",
        "Rewards are in it for every λ.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-recall-3",
    "Unit 03: the time limit cuts an episode after a reward of 1, and V of the next state is 90. With γ = 0.99, the target of V is",
    ["1.00", "90.1", "90.0"],
    answer=1,
    reasons=[
        "That is a terminated episode.",
        "Right: 1 + 0.99 · 90. Truncated is not terminated, and section 6 has the bug.",
        "The reward of this step is missing.",
    ],
)

# %% [markdown]
# ## Where this ends
#
# Two runs of PPO on CartPole, 1,000 episodes each, ten seeds. Three settings differ between them.

# %% jupyter={"source_hidden": true}
HEALTHY, PATIENT = "lr3e-4_mb128_32_fast_separate", "lr3e-4_128_slow_joint"
page.figure(
    plots.claimed_curves(
        "factorial",
        {HEALTHY: "healthy PPO", PATIENT: "the patient"},
        threshold=475,
        colours={"healthy PPO": "ppo", "the patient": "ppo_buggy"},
        title="The same algorithm, three settings apart",
    ),
    alt="Two learning curves over 1,000 episodes: the healthy one rises to 500 within the first few hundred, the patient's stays near 50.",
    caption="Which of the three is to blame? Section 3 shows on what the answer depends.",
)

# %% [markdown]
# ## 1. The case
#
# The patient's code is `ppo.train`, unchanged. Both runs use 16 environments, a policy rate of 3e-4, and four
# minibatches to a rollout. This sets the patient apart:
#
# | suspect | healthy | patient | why one suspects it |
# |---|---|---|---|
# | **long rollouts** | 16 × 32 steps, minibatches of 128 rows | 16 × 128 steps, minibatches of 512 rows | the budget is 1,000 *episodes*. At first an episode lasts 20 steps, so one rollout swallows a hundred |
# | **slow critic** | critic's rate 1e-2 | 3e-4, a usual default | with the return the critic's target grows, to at most 100. A critic that lags behind gives poor advantages |
# | **joint clipping** | each network's gradient is clipped at norm 0.5 by itself | one norm over both networks, clipped at 0.5 | the critic's gradient is the large one, and the policy's part shrinks with it |
#
# Each charge is sound as a mechanism. But a mechanism that exists need not be the one that matters.

# %% jupyter={"source_hidden": true}
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
    caption="KL and the policy's step are those of an update, and the patient's update holds four times the data. G in the panels is the "
    "critic's target, a λ-return that follows V: where V is too low, so is the target, and the gap understates how far V is behind. "
    "{{# mathematics}}",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "06-culprit",
    "You may repair one of the three settings and leave the other two as they are. Which repair raises the patient's mean return "
    "of all 1,000 episodes most?",
    [
        "Clip each network by its own norm",
        "Rollouts of 32 steps, minibatches of 128",
        "A critic's learning rate of 1e-2, not 3e-4",
        "None: only all three together help",
    ],
    answer=1,
    explanation="From {{factorial:lr3e-4_128_slow_joint/area}} of the patient, the fast critic leads to "
    "{{factorial:lr3e-4_128_fast_joint/area}}, separate clipping to {{factorial:lr3e-4_128_slow_separate/area}}, and short rollouts to "
    "{{factorial:lr3e-4_mb128_32_slow_joint/area}}. {{Each step of this order is a difference seen | "
    "factorial:lr3e-4_128_fast_joint/area > factorial:lr3e-4_128_slow_joint/area, "
    "factorial:lr3e-4_128_slow_separate/area > factorial:lr3e-4_128_fast_joint/area, "
    "factorial:lr3e-4_mb128_32_slow_joint/area > factorial:lr3e-4_128_slow_separate/area}}. Section 3 shows all eight combinations.",
)

# %% [markdown]
# ## 2. First, the arithmetic
#
# Before any experiment, count. What a run learns from is gradient steps:
#
# $$
# \text{gradient steps} = \text{environment steps} \times \frac{\text{epochs}}{\text{rows of a minibatch}},
# \qquad \text{environment steps} = \text{episodes} \times \text{mean length}.
# $$
#
# Two things follow. The mean length is the agent's own doing: **a budget of episodes gives a poor agent less data than
# a good one**, and so less to learn from. And the length of a rollout is not in the formula: as long as the
# minibatch is fixed, short and long rollouts make the same number of gradient steps from the same data. In the story
# the minibatch is *not* fixed: a rollout is always cut into four, so the patient makes a quarter of the gradient steps
# from the same data. The suspect "long rollouts" is two changes in one. {{# mathematics}}

# %%
for name, words in ((HEALTHY, "healthy"), (PATIENT, "patient")):
    steps, updates = (quote(f"factorial:{name}/{key}") for key in ("steps_at_1000", "updates_at_1000"))
    number = measured["figures"][f"{name}/updates_at_1000"]["value"] * 4 * 4  # epochs, minibatches
    print(f"{words}: 1,000 episodes are {steps} steps, {updates} updates, {number:,.0f} gradient steps")

# %% [markdown]
# So the flat line in the first figure may be a run that is broken, or one that is not yet under way. A second axis
# tells them apart: the same runs **by environment steps**, where each gets the same data. Both runs were continued
# to 100,000 steps, and over the last 20,000 the patient returns {{factorial:lr3e-4_128_slow_joint/late}}, {{more |
# factorial:lr3e-4_128_slow_joint/late > factorial:lr3e-4_128_slow_joint/at_1000}} than at episode 1,000: slow, and not stuck.
#
# ## 3. Isolate: the factorial experiment
#
# ### 3.1 Why not one repair at a time?
#
# One can add one fault to the healthy run and see what it breaks, or remove one from the patient and see what it
# mends. **These are different experiments**, because what a fault does may depend on the others. If two faults each
# stop learning, mending one shows nothing. If a fault matters only in company, adding it shows nothing.
#
# A **factorial experiment** runs *every* combination. With three factors of two levels that is $2^3 = 8$ corners of a
# cube. Write $z_1, z_2, z_3$ for rollouts, critic and clipping, $+1$ where the fault is there and $-1$ where it is
# not, and $y$ for the result of a corner. The **main effect** of factor $j$ is the mean of the four corners with the
# fault, minus the mean of the four without:
#
# $$
# E_j = \frac14 \sum_{\text{corners}} z_j \, y. \tag{1}
# $$
#
# The **interaction** of $j$ and $k$ says whether the effect of $j$ depends on $k$. Take the effect of $j$ over the
# corners with $z_k = +1$, and over those with $z_k = -1$, each a difference of two means of two corners, and half the
# difference between the two:
#
# $$
# E_{jk} = \frac12\big(E_j^{z_k = +1} - E_j^{z_k = -1}\big)
# = \frac12\Big(\frac12\sum_{z_k = +1} z_j\,y - \frac12\sum_{z_k = -1} z_j\,y\Big)
# = \frac14 \sum_{\text{corners}} z_j\,z_k\,y. \tag{2}
# $$
#
# The factor is one over half the corners: $\frac1{16}$ for 32, $\frac12$ for four.
#
# Each seed runs all eight corners with the same initial weights and start states. So each seed has its own effects,
# and an interval is that of ten *differences*: what a seed is lucky in cancels.

# %%
levels = np.array([[r, c, k] for r in (-1, 1) for c in (-1, 1) for k in (-1, 1)])  # z, [8, 3]
names = [
    f"{r}_{c}_{k}" for r in ("lr3e-4_mb128_32", "lr3e-4_128") for c in ("fast", "slow") for k in ("separate", "joint")
]
table = np.array([measured["values"][f"{name}/at_1000"]["per_seed"] for name in names])  # y, [8, seeds]

clipping = levels[:, 2] @ table / 4  # [seeds]
rollout_x_clipping = (levels[:, 0] * levels[:, 2]) @ table / 4  # [seeds]
print(f"joint clipping:      {estimate(clipping):22} each seed {clipping.round().tolist()}")
print(f"rollouts x clipping: {estimate(rollout_x_clipping):22} each seed {rollout_x_clipping.round().tolist()}")

# %% [markdown]
# ### 3.2 The eight corners
#
# | rollout | critic | clipping | return at episode 1,000 | mean return of the 1,000 | return at 100,000 steps | updates in 1,000 episodes | policy's step [per 512 rows] | V lags behind its target by [reward] |
# |---|---|---|---|---|---|---|---|---|
# | 32 | fast | separate | {{factorial:lr3e-4_mb128_32_fast_separate/at_1000}} | {{factorial:lr3e-4_mb128_32_fast_separate/area}} | {{factorial:lr3e-4_mb128_32_fast_separate/late}} | {{factorial:lr3e-4_mb128_32_fast_separate/updates_at_1000.value}} | {{factorial:lr3e-4_mb128_32_fast_separate/policy_move}} | {{factorial:lr3e-4_mb128_32_fast_separate/value_gap}} |
# | 32 | fast | joint | {{factorial:lr3e-4_mb128_32_fast_joint/at_1000}} | {{factorial:lr3e-4_mb128_32_fast_joint/area}} | {{factorial:lr3e-4_mb128_32_fast_joint/late}} | {{factorial:lr3e-4_mb128_32_fast_joint/updates_at_1000.value}} | {{factorial:lr3e-4_mb128_32_fast_joint/policy_move}} | {{factorial:lr3e-4_mb128_32_fast_joint/value_gap}} |
# | 32 | slow | separate | {{factorial:lr3e-4_mb128_32_slow_separate/at_1000}} | {{factorial:lr3e-4_mb128_32_slow_separate/area}} | {{factorial:lr3e-4_mb128_32_slow_separate/late}} | {{factorial:lr3e-4_mb128_32_slow_separate/updates_at_1000.value}} | {{factorial:lr3e-4_mb128_32_slow_separate/policy_move}} | {{factorial:lr3e-4_mb128_32_slow_separate/value_gap}} |
# | 32 | slow | joint | {{factorial:lr3e-4_mb128_32_slow_joint/at_1000}} | {{factorial:lr3e-4_mb128_32_slow_joint/area}} | {{factorial:lr3e-4_mb128_32_slow_joint/late}} | {{factorial:lr3e-4_mb128_32_slow_joint/updates_at_1000.value}} | {{factorial:lr3e-4_mb128_32_slow_joint/policy_move}} | {{factorial:lr3e-4_mb128_32_slow_joint/value_gap}} |
# | 128 | fast | separate | {{factorial:lr3e-4_128_fast_separate/at_1000}} | {{factorial:lr3e-4_128_fast_separate/area}} | {{factorial:lr3e-4_128_fast_separate/late}} | {{factorial:lr3e-4_128_fast_separate/updates_at_1000.value}} | {{factorial:lr3e-4_128_fast_separate/policy_move}} | {{factorial:lr3e-4_128_fast_separate/value_gap}} |
# | 128 | fast | joint | {{factorial:lr3e-4_128_fast_joint/at_1000}} | {{factorial:lr3e-4_128_fast_joint/area}} | {{factorial:lr3e-4_128_fast_joint/late}} | {{factorial:lr3e-4_128_fast_joint/updates_at_1000.value}} | {{factorial:lr3e-4_128_fast_joint/policy_move}} | {{factorial:lr3e-4_128_fast_joint/value_gap}} |
# | 128 | slow | separate | {{factorial:lr3e-4_128_slow_separate/at_1000}} | {{factorial:lr3e-4_128_slow_separate/area}} | {{factorial:lr3e-4_128_slow_separate/late}} | {{factorial:lr3e-4_128_slow_separate/updates_at_1000.value}} | {{factorial:lr3e-4_128_slow_separate/policy_move}} | {{factorial:lr3e-4_128_slow_separate/value_gap}} |
# | 128 | slow | joint | {{factorial:lr3e-4_128_slow_joint/at_1000}} | {{factorial:lr3e-4_128_slow_joint/area}} | {{factorial:lr3e-4_128_slow_joint/late}} | {{factorial:lr3e-4_128_slow_joint/updates_at_1000.value}} | {{factorial:lr3e-4_128_slow_joint/policy_move}} | {{factorial:lr3e-4_128_slow_joint/value_gap}} |
#
# "At episode 1,000" is the mean of episodes 901 to 1,000, "at 100,000 steps" the mean of the episodes that end between
# steps 80,000 and 100,000. The policy's step is a mean over the first 20,480 steps, the lag of V over the first 61,440.
# No suspect is innocent here: on the return at episode 1,000 long rollouts have a main effect
# of {{factorial:effects/story/at_1000/rollout}}, the slow critic {{factorial:effects/story/at_1000/critic}} and joint
# clipping {{factorial:effects/story/at_1000/clipping}}. {{All three lower it | factorial:effects/story/at_1000/rollout
# < 0, factorial:effects/story/at_1000/critic < 0, factorial:effects/story/at_1000/clipping < 0}}. But joint clipping
# needs company. By (2) its effect is the main effect plus the interaction where rollouts are long, minus it where they
# are short: with long rollouts it {{costs return | factorial:effects/story/at_1000/clipping +
# factorial:effects/story/at_1000/rollout_x_clipping < 0}}, with short ones {{no effect |
# factorial:effects/story/at_1000/clipping - factorial:effects/story/at_1000/rollout_x_clipping ~ 0}} is seen.

# %% [markdown]
# ### 3.3 Add one, remove one
#
# For each suspect, two differences within each seed. *Added*: the healthy run with this fault alone, minus the healthy
# run. *Present*: the patient, minus the patient with this one fault repaired. If effects added up, both would be equal.


# %%
for suspect, (added, present) in one_fault(measured["values"], "story", "at_1000").items():
    print(f"{suspect:9} added {estimate(added):24} present {estimate(present)}")

# %% jupyter={"source_hidden": true}
STORY = {"story": "the story: rate 3e-4, four minibatches"}


def added_and_present(cubes, alt):
    """Show what each suspect does alone, and what it does as the last of three."""
    page.figure(
        factorial.one_fault_bars(measured["values"], cubes, "at_1000", x_label="change of the return at episode 1,000"),
        alt=alt,
        caption="Dots are seeds; a hollow mark has an interval that holds 0.",
    )


added_and_present(
    STORY,
    alt="For each of the three suspects a red mark, added to the healthy run, and a grey mark, present in the patient. For no suspect "
    "do the two agree.",
)

# %% [markdown]
# In the healthy run (round marks) the slow critic costs {{more than long rollouts |
# factorial:lr3e-4_128_fast_separate/at_1000 > factorial:lr3e-4_mb128_32_slow_separate/at_1000}}, and of joint clipping
# {{no effect | factorial:lr3e-4_mb128_32_fast_joint/at_1000 ~ factorial:lr3e-4_mb128_32_fast_separate/at_1000}} is
# seen. In the patient mending the same critic brings {{less than clipping apart |
# factorial:lr3e-4_128_fast_joint/at_1000 < factorial:lr3e-4_128_slow_separate/at_1000}}. Between clipping apart and
# short rollouts {{no difference | factorial:lr3e-4_128_slow_separate/at_1000 ~
# factorial:lr3e-4_mb128_32_slow_joint/at_1000}} is seen at episode 1,000; over all 1,000 episodes short rollouts bring
# {{more | factorial:lr3e-4_mb128_32_slow_joint/area > factorial:lr3e-4_128_slow_separate/area}}. **The two
# rankings answer different questions**: "what would break my healthy run?" and "what should I mend first in this one?"
#
# **Which half of "long rollouts" is it?** Shorten the patient's rollouts and keep its minibatch of 512: from
# {{factorial:lr3e-4_128_slow_joint/at_1000}} it goes to {{factorial:lr3e-4_32_slow_joint/at_1000}}, {{no difference |
# factorial:lr3e-4_32_slow_joint/at_1000 ~ factorial:lr3e-4_128_slow_joint/at_1000}} seen. Keep the long rollouts and
# cut them into minibatches of 128: {{factorial:lr3e-4_mb128_128_slow_joint/at_1000}}, {{higher |
# factorial:lr3e-4_mb128_128_slow_joint/at_1000 > factorial:lr3e-4_128_slow_joint/at_1000}}. What the patient lacks is
# gradient steps, not short rollouts.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "06-course",
    "The same three faults where the policy's rate is 1e-3 instead of 3e-4, and a minibatch always has 512 rows. Which single repair "
    "raises the return at episode 1,000 there?",
    [
        "Only clipping each network apart",
        "Only the shorter rollouts",
        "Only the faster critic",
        "Each of the three raises it",
    ],
    answer=2,
    explanation="From {{factorial:adam_128_slow_joint/at_1000}}, the fast critic leads to {{factorial:adam_128_fast_joint/at_1000}}, "
    "separate clipping to {{factorial:adam_128_slow_separate/at_1000}}, and short rollouts to {{factorial:adam_32_slow_joint/at_1000}}.",
)

# %% [markdown]
# ### 3.4 The same faults, other settings

# %%
for suspect, (added, present) in one_fault(measured["values"], "course", "at_1000").items():
    print(f"{suspect:9} added {estimate(added):24} present {estimate(present)}")

# %% jupyter={"source_hidden": true}
added_and_present(
    STORY | {"course": "the course: rate 1e-3, minibatch 512"},
    alt="Two panels. On the left, the story's marks again. On the right only the slow critic lies left of zero, with both marks.",
)

# %% [markdown]
# | rollout | critic | clipping | return at episode 1,000 | mean return of the 1,000 | return at 100,000 steps |
# |---|---|---|---|---|---|
# | 32 | fast | separate | {{factorial:adam_32_fast_separate/at_1000}} | {{factorial:adam_32_fast_separate/area}} | {{factorial:adam_32_fast_separate/late}} |
# | 32 | fast | joint | {{factorial:adam_32_fast_joint/at_1000}} | {{factorial:adam_32_fast_joint/area}} | {{factorial:adam_32_fast_joint/late}} |
# | 32 | slow | separate | {{factorial:adam_32_slow_separate/at_1000}} | {{factorial:adam_32_slow_separate/area}} | {{factorial:adam_32_slow_separate/late}} |
# | 32 | slow | joint | {{factorial:adam_32_slow_joint/at_1000}} | {{factorial:adam_32_slow_joint/area}} | {{factorial:adam_32_slow_joint/late}} |
# | 128 | fast | separate | {{factorial:adam_128_fast_separate/at_1000}} | {{factorial:adam_128_fast_separate/area}} | {{factorial:adam_128_fast_separate/late}} |
# | 128 | fast | joint | {{factorial:adam_128_fast_joint/at_1000}} | {{factorial:adam_128_fast_joint/area}} | {{factorial:adam_128_fast_joint/late}} |
# | 128 | slow | separate | {{factorial:adam_128_slow_separate/at_1000}} | {{factorial:adam_128_slow_separate/area}} | {{factorial:adam_128_slow_separate/late}} |
# | 128 | slow | joint | {{factorial:adam_128_slow_joint/at_1000}} | {{factorial:adam_128_slow_joint/area}} | {{factorial:adam_128_slow_joint/late}} |
#
# Here the verdict is another. Mending the critic is {{worth more than either other repair |
# factorial:adam_128_fast_joint/at_1000 > factorial:adam_128_slow_separate/at_1000,
# factorial:adam_128_fast_joint/at_1000 > factorial:adam_32_slow_joint/at_1000}}, of which {{no effect |
# factorial:adam_128_slow_separate/at_1000 ~ factorial:adam_128_slow_joint/at_1000, factorial:adam_32_slow_joint/at_1000
# ~ factorial:adam_128_slow_joint/at_1000}} is seen at episode 1,000.
#
# With the fast critic nearly all runs sit at 500, the highest return there is. Under this **ceiling** the other faults
# *cannot* show at episode 1,000. The mean return of all 1,000 episodes counts how early a run got there, and on it joint
# clipping {{costs something here as well | factorial:effects/course/area/clipping < 0}}. {{# mathematics}}

# %% [markdown]
# ### 3.5 Which setting turns the verdict?
#
# Two settings differ between the panels. So make them factors too: the policy's rate, and the gradient steps that a row
# takes part in (four times as many with minibatches of 128). Five factors of two levels are 32 corners; all were run.
# {{# design}}

# %% jupyter={"source_hidden": true}
page.figure(
    factorial.setting_bars(measured["values"], "at_1000", x_label="effect on the return at episode 1,000"),
    alt="Four panels, one for each pair of policy rate and minibatch, with the effects of the three suspects. The slow critic lies left of "
    "zero in all four, joint clipping in the first alone, long rollouts in none.",
    caption="The main effect of each suspect over the eight corners at one setting. Rollouts of both lengths have the same minibatch here.",
)
page.figure(
    factorial.effect_bars(measured["values"], "five", "at_1000", x_label="change of the return at episode 1,000"),
    alt="Five main effects and ten interactions with their seeds and intervals.",
    caption="Main effects above, pairs below the line. Rate: 3e-4 instead of 1e-3. Steps: minibatches of 512 instead of 128.",
)

# %%
for outcome, words in (("at_1000", "return at episode 1,000"), ("area", "mean return of the 1,000")):
    of_setting = [at_setting(measured["values"], at, "clipping", outcome) for at in SETTINGS]
    interaction = (of_setting[0] - of_setting[1] - of_setting[2] + of_setting[3]) / 4  # [seeds]
    print(f"rate x steps x clipping, {words}: {estimate(interaction)}")

# %% [markdown]
# - **The slow critic** has an effect {{below 0 at all four settings |0.25 * factorial:lr3e-4_32_slow_separate/at_1000 +
#   0.25 * factorial:lr3e-4_32_slow_joint/at_1000 + 0.25 * factorial:lr3e-4_128_slow_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_128_slow_joint/at_1000 < 0.25 * factorial:lr3e-4_32_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_32_fast_joint/at_1000 + 0.25 * factorial:lr3e-4_128_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_128_fast_joint/at_1000, 0.25 * factorial:lr3e-4_mb128_32_slow_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_32_slow_joint/at_1000 + 0.25 * factorial:lr3e-4_mb128_128_slow_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_128_slow_joint/at_1000 < 0.25 * factorial:lr3e-4_mb128_32_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_32_fast_joint/at_1000 + 0.25 * factorial:lr3e-4_mb128_128_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_128_fast_joint/at_1000, 0.25 * factorial:adam_32_slow_separate/at_1000 + 0.25 *
#   factorial:adam_32_slow_joint/at_1000 + 0.25 * factorial:adam_128_slow_separate/at_1000 + 0.25 *
#   factorial:adam_128_slow_joint/at_1000 < 0.25 * factorial:adam_32_fast_separate/at_1000 + 0.25 *
#   factorial:adam_32_fast_joint/at_1000 + 0.25 * factorial:adam_128_fast_separate/at_1000 + 0.25 *
#   factorial:adam_128_fast_joint/at_1000, 0.25 * factorial:adam_mb128_32_slow_separate/at_1000 + 0.25 *
#   factorial:adam_mb128_32_slow_joint/at_1000 + 0.25 * factorial:adam_mb128_128_slow_separate/at_1000 + 0.25 *
#   factorial:adam_mb128_128_slow_joint/at_1000 < 0.25 * factorial:adam_mb128_32_fast_separate/at_1000 + 0.25 *
#   factorial:adam_mb128_32_fast_joint/at_1000 + 0.25 * factorial:adam_mb128_128_fast_separate/at_1000 + 0.25 *
#   factorial:adam_mb128_128_fast_joint/at_1000}}.
# - **Joint clipping** has one {{below 0 |0.25 * factorial:lr3e-4_32_fast_joint/at_1000 + 0.25 *
#   factorial:lr3e-4_32_slow_joint/at_1000 + 0.25 * factorial:lr3e-4_128_fast_joint/at_1000 + 0.25 *
#   factorial:lr3e-4_128_slow_joint/at_1000 < 0.25 * factorial:lr3e-4_32_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_32_slow_separate/at_1000 + 0.25 * factorial:lr3e-4_128_fast_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_128_slow_separate/at_1000}} where the policy's rate is small *and* the gradient steps are few. At
#   the other three settings {{no effect on the return at episode 1,000 |0.25 *
#   factorial:lr3e-4_mb128_32_fast_joint/at_1000 + 0.25 * factorial:lr3e-4_mb128_32_slow_joint/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_128_fast_joint/at_1000 + 0.25 * factorial:lr3e-4_mb128_128_slow_joint/at_1000 ~ 0.25 *
#   factorial:lr3e-4_mb128_32_fast_separate/at_1000 + 0.25 * factorial:lr3e-4_mb128_32_slow_separate/at_1000 + 0.25 *
#   factorial:lr3e-4_mb128_128_fast_separate/at_1000 + 0.25 * factorial:lr3e-4_mb128_128_slow_separate/at_1000, 0.25 *
#   factorial:adam_32_fast_joint/at_1000 + 0.25 * factorial:adam_32_slow_joint/at_1000 + 0.25 *
#   factorial:adam_128_fast_joint/at_1000 + 0.25 * factorial:adam_128_slow_joint/at_1000 ~ 0.25 *
#   factorial:adam_32_fast_separate/at_1000 + 0.25 * factorial:adam_32_slow_separate/at_1000 + 0.25 *
#   factorial:adam_128_fast_separate/at_1000 + 0.25 * factorial:adam_128_slow_separate/at_1000, 0.25 *
#   factorial:adam_mb128_32_fast_joint/at_1000 + 0.25 * factorial:adam_mb128_32_slow_joint/at_1000 + 0.25 *
#   factorial:adam_mb128_128_fast_joint/at_1000 + 0.25 * factorial:adam_mb128_128_slow_joint/at_1000 ~ 0.25 *
#   factorial:adam_mb128_32_fast_separate/at_1000 + 0.25 * factorial:adam_mb128_32_slow_separate/at_1000 + 0.25 *
#   factorial:adam_mb128_128_fast_separate/at_1000 + 0.25 * factorial:adam_mb128_128_slow_separate/at_1000}} is seen. In
#   the second picture its pairs with both settings are {{negative | factorial:effects/five/at_1000/policy_lr_x_clipping
#   < 0, factorial:effects/five/at_1000/gradient_steps_x_clipping < 0}}: rate × clipping
#   {{factorial:effects/five/at_1000/policy_lr_x_clipping}}, steps × clipping
#   {{factorial:effects/five/at_1000/gradient_steps_x_clipping}}. The ceiling may make a part of that: on the mean return of
#   the 1,000 episodes both are {{below 0 as well, and smaller | factorial:effects/five/area/policy_lr_x_clipping < 0,
#   factorial:effects/five/area/gradient_steps_x_clipping < 0, factorial:effects/five/area/policy_lr_x_clipping >
#   factorial:effects/five/at_1000/policy_lr_x_clipping, factorial:effects/five/area/gradient_steps_x_clipping >
#   factorial:effects/five/at_1000/gradient_steps_x_clipping}}: {{factorial:effects/five/area/policy_lr_x_clipping}} and
#   {{factorial:effects/five/area/gradient_steps_x_clipping}}. That it takes *both* settings is an interaction of three
#   factors, printed above: on the mean return its interval holds 0.
# - **Long rollouts** alone {{raise the return | factorial:effects/five/at_1000/rollout > 0}} by
#   {{factorial:effects/five/at_1000/rollout}} over the 32 corners. The loss of gradient steps that came with them in
#   the story {{lowers it | factorial:effects/five/at_1000/gradient_steps < 0}}: an effect of
#   {{factorial:effects/five/at_1000/gradient_steps}}.
#
# At both settings the slow critic {{costs return, added or present | factorial:lr3e-4_mb128_32_slow_separate/at_1000 <
# factorial:lr3e-4_mb128_32_fast_separate/at_1000, factorial:lr3e-4_128_slow_joint/at_1000 <
# factorial:lr3e-4_128_fast_joint/at_1000, factorial:adam_32_slow_separate/at_1000 <
# factorial:adam_32_fast_separate/at_1000, factorial:adam_128_slow_joint/at_1000 <
# factorial:adam_128_fast_joint/at_1000}}, and joint clipping {{costs early speed |
# factorial:effects/story/area/clipping < 0, factorial:effects/course/area/clipping < 0}}, in the mean return of the
# 1,000 episodes. The ranking of the suspects does not survive. **A verdict on a setting holds at an operating point**,
# and should name it.

# %% [markdown]
# ### 3.6 Other outcomes · further
#
# Choose an outcome and a set of corners. A ring is an effect whose interval holds 0.

# %% jupyter={"source_hidden": true}
OUTCOMES = {
    "story: return at episode 1,000": ("story", "at_1000", "change of the return at episode 1,000"),
    "story: mean return of the 1,000 episodes": ("story", "area", "change of the mean return"),
    "story: return at 100,000 steps": ("story", "late", "change of the return at 100,000 steps"),
    "course: return at episode 1,000": ("course", "at_1000", "change of the return at episode 1,000"),
    "course: mean return of the 1,000 episodes": ("course", "area", "change of the mean return"),
    "course: KL of an early update": ("course", "early_kl", "change of the KL [0.001 nat]"),
    "all five factors: mean return of the 1,000 episodes": ("five", "area", "change of the mean return"),
    "all five factors: return at 100,000 steps": ("five", "late", "change of the return at 100,000 steps"),
    "plain SGD: return at 61,440 steps": ("sgd", "at_60k", "change of the return at 61,440 steps"),
}
fault_effects(measured["values"], OUTCOMES).show()

# %% jupyter={"source_hidden": true}
# {{# description}}
page.figure(
    factorial.trap_counts(measured["values"], "story", "at_1000", y_label="return at episode 1,000"),
    alt="Return at episode 1,000 against the number of traps in the settings, with lines that join settings one trap apart.",
    caption="The story's eight corners by the number of traps in them. A line joins two corners that differ in one trap: those on the "
    "left are the additions of section 3.3, those on the right the repairs.",
)

# %% [markdown]
# ## 4. What Adam takes back, and what it lets through
#
# The charge against joint clipping was: one norm over both networks multiplies the policy's gradient by a factor $c$ far
# below 1. That is so: in the patient it is {{factorial:lr3e-4_128_slow_joint/clipping_factor}}. Follow it into the
# optimiser. Adam keeps a running mean $\bar g$ of the gradient and one, $\overline{g^2}$, of its square, and moves each
# weight by (a correction for the start of both means at 0 is left out)
#
# $$
# \Delta\theta = -\alpha\, \frac{\bar g}{\sqrt{\overline{g^2}} + \texttt{eps}}. \tag{3}
# $$
#
# Plain gradient descent moves by $-\alpha\,c\,g$: there the factor is a learning rate a hundred times too small. And
# under Adam? Take a weight whose gradient is always the same positive number, `gradient`, so that $\bar g$ is `c *
# gradient`. Write the length of its step as a share of $\alpha$. {{# mathematics}}

# %%
questions.check_line(
    "06-adam",
    lambda c, gradient, eps: ...,  # your line in place of the dots
)

# %% [markdown]
# <details><summary>The line, and what it says</summary>
#
# $\sqrt{\overline{g^2}}$ is `c * gradient` as well, so the share is
# $\frac{c\,g}{c\,g + \texttt{eps}} = \frac{1}{1 + \texttt{eps} / (c\,g)}$.
#
# </details>
#
# **A constant factor cancels, as long as $c\,g$ is large beside `eps`.** Is it? The policy's gradient has a norm of
# about 0.1 over 1,282 weights, so 0.003 for a typical one; times $c = 0.01$ that is 3e-5. PPO code, ours too, sets
# `eps` to 1e-5: a share of 0.75, and 0.23 where the gradient is ten times as small. A factor that *changes* does not
# cancel either: $\bar g$ follows it within some ten steps, and $\overline{g^2}$ still remembers all of the patient's 256.
# So the patient was run with a *constant* factor of 0.01 in place of the joint norm, and each version with `eps` at 1e-8
# too. The first two rows measure the share: its step is {{about 0.3 | adam:scaled/policy_move > 0.25 *
# factorial:lr3e-4_128_slow_separate/policy_move, adam:scaled/policy_move < 0.35 *
# factorial:lr3e-4_128_slow_separate/policy_move}} of that without the factor. {{# mathematics}}
#
# | the policy's gradient | `eps` | return at episode 1,000 | mean return of the 1,000 | policy's step [per 512 rows] |
# |---|---|---|---|---|
# | clipped apart | 1e-5 | {{factorial:lr3e-4_128_slow_separate/at_1000}} | {{factorial:lr3e-4_128_slow_separate/area}} | {{factorial:lr3e-4_128_slow_separate/policy_move}} |
# | times 0.01, always | 1e-5 | {{adam:scaled/at_1000}} | {{adam:scaled/area}} | {{adam:scaled/policy_move}} |
# | clipped together (the patient) | 1e-5 | {{factorial:lr3e-4_128_slow_joint/at_1000}} | {{factorial:lr3e-4_128_slow_joint/area}} | {{factorial:lr3e-4_128_slow_joint/policy_move}} |
# | clipped apart | 1e-8 | {{adam:small_eps_separate/at_1000}} | {{adam:small_eps_separate/area}} | {{adam:small_eps_separate/policy_move}} |
# | times 0.01, always | 1e-8 | {{adam:small_eps_scaled/at_1000}} | {{adam:small_eps_scaled/area}} | {{adam:small_eps_scaled/policy_move}} |
# | clipped together | 1e-8 | {{adam:small_eps_joint/at_1000}} | {{adam:small_eps_joint/area}} | {{adam:small_eps_joint/policy_move}} |
#
# At episode 1,000, with `eps` at 1e-8, the constant factor makes {{no difference | adam:small_eps_scaled/at_1000 ~
# adam:small_eps_separate/at_1000}} that is seen, as the derivation says. With 1e-5 it {{costs return |
# adam:scaled/at_1000 < factorial:lr3e-4_128_slow_separate/at_1000}}, and {{no difference | adam:scaled/at_1000 ~
# factorial:lr3e-4_128_slow_joint/at_1000}} between it and the joint norm is seen. Joint clipping {{costs return |
# adam:small_eps_joint/at_1000 < adam:small_eps_separate/at_1000, adam:small_eps_joint/at_1000 <
# adam:small_eps_scaled/at_1000}} with the small `eps` too, by the factor that changes,
# but {{less | adam:small_eps_separate/at_1000 - adam:small_eps_joint/at_1000 <
# factorial:lr3e-4_128_slow_separate/at_1000 - factorial:lr3e-4_128_slow_joint/at_1000}}.
#
# **The usual telling.** *The critic's gradient is a hundred times the policy's; they are clipped
# together; so the policy is frozen; clip them apart.* {{# saying}}
#
# Under plain SGD (section 4.1) that is what happens. At the story's settings the advice helps the patient (section
# 3.3), but nothing is frozen (section 2), and clipped apart the patient stays {{below the healthy run |
# factorial:lr3e-4_128_slow_separate/at_1000 < factorial:lr3e-4_mb128_32_fast_separate/at_1000}}. At the course's
# settings {{no effect | factorial:adam_128_slow_separate/at_1000 ~ factorial:adam_128_slow_joint/at_1000}} of it is
# seen at episode 1,000. Clip each network by its own norm all the same: it takes one line. {{# advice}}

# %% [markdown]
# ### 4.1 The same experiment under plain SGD · further
#
# Plain SGD has no usual learning rates here, so they were searched for on five seeds that no other figure uses (90 to
# 94): three rates for the policy times four for the critic, on the corner without a fault, by the mean return of the
# last fifth of 40,960 steps. The runs use 0.1 and 0.3, chosen before this search. Here it is third, and five
# seeds do not tell it from the first: {{# computed}}

# %%
found = {tuple(name.split("_")[-2:]): np.array(entry["late_return"]) for name, entry in measured["search"].items()}
for policy_lr, critic_lr in sorted(found, key=lambda pair: -found[pair].mean())[:4]:
    late = found[policy_lr, critic_lr]
    print(
        f"policy {policy_lr:>3}, critic {critic_lr:>3}: {late.mean():.0f}, minus the pair in use {estimate(late - found['0.1', '0.3'])}"
    )

# %% jupyter={"source_hidden": true}
page.figure(
    factorial.corner_curves(measured["curves"], "sgd", by_step=True),
    alt="Two panels of learning curves by environment step under plain SGD. Solid lines, clipped apart, rise; dashed lines, clipped "
    "together, lie below them.",
    caption="The eight corners with a minibatch of 512 under plain SGD, for 61,440 steps. Compare solid with dashed.",
)

# %%
for key, words in (("rollout", "long rollouts"), ("critic", "slow critic"), ("clipping", "joint clipping")):
    print(f"effect on the return at 61,440 steps, {words:15} SGD {quote(f'factorial:effects/sgd/at_60k/{key}'):22} "
          f"Adam {quote(f'factorial:effects/course/at_60k/{key}')}")  # fmt: skip

# %% [markdown]
# Under plain SGD joint clipping {{lowers the return further than the slow critic |
# factorial:effects/sgd/at_60k/clipping < factorial:effects/sgd/at_60k/critic}}:
# {{factorial:effects/sgd/at_60k/clipping}} of return against {{factorial:effects/sgd/at_60k/critic}}. With all three
# faults the run ends at {{factorial:sgd_128_slow_joint/at_60k}}: that is the frozen policy of the tale. The KL of an
# early update tells it too. Clipped together it is {{smaller | factorial:sgd_32_fast_joint/early_kl <
# factorial:sgd_32_fast_separate/early_kl}}: {{factorial:sgd_32_fast_joint/early_kl}} thousandths of a nat against
# {{factorial:sgd_32_fast_separate/early_kl}}. To be fair: the rates were chosen for separate
# clipping, and a policy rate larger by $1/c$ would make up for part of the loss, since here $c$ *is* a rate.
# {{# mathematics}}

# %% [markdown]
# ## 5. Your experiment: cure the patient
#
# Change **one** setting of the patient, run three seeds, and compare with the measured bands, by environment steps.
# Section 3 counted by episodes. First write down: which single change would you bet on by steps, and which panel of
# section 1 speaks for it?

# %%
patient = replace(ppo.BUGGY, policy_lr=3e-4, num_episodes=None, total_timesteps=20 * 2048)
changed = replace(patient, critic_lr=3e-4)  # still the patient: change this, num_steps, minibatch_size, policy_lr ...
seams = dict(traps.JOINT_CLIPPING.seams)  # {} for separate clipping
mine = run_seeds({"mine": changed}, seeds=range(3), seams={"mine": seams}, progress=False)["mine"]

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
for name, label, colour in ((HEALTHY, "healthy", "ppo"), (PATIENT, "patient", "ppo_buggy")):
    plots.claimed_band(ax, measured["curves"][f"{name}/by_step"], label=f"{label}, ten seeds", colour=colour)
for number, run in enumerate(mine):
    smooth = moving_average(run.episodes["episodic_return"], 50)
    ax.plot(run.episodes["env_step"], smooth, color="#000000", linestyle=["-", "--", ":"][number % 3], linewidth=1.3,
            label=f"yours, seed {run.seed}")  # fmt: skip
ax.set(xlabel="environment steps", ylabel="return, moving average of 50 episodes", xlim=(0, patient.total_timesteps),
       ylim=(0, 510))  # fmt: skip
ax.legend(loc="upper left")
page.figure(
    figure,
    alt="Learning curves by environment step: bands of the healthy run and of the patient, and three black lines of the learner's runs.",
    caption="Your three runs beside the bands of ten.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The patient returns {{factorial:lr3e-4_128_slow_joint/at_60k}} at 61,440 steps. One change each leads to:
#
# | change | return at 61,440 steps | return at episode 1,000 |
# |---|---|---|
# | rollouts of 32, the minibatch stays | {{factorial:lr3e-4_32_slow_joint/at_60k}} | {{factorial:lr3e-4_32_slow_joint/at_1000}} |
# | critic's rate 1e-2 | {{factorial:lr3e-4_128_fast_joint/at_60k}} | {{factorial:lr3e-4_128_fast_joint/at_1000}} |
# | clipped apart | {{factorial:lr3e-4_128_slow_separate/at_60k}} | {{factorial:lr3e-4_128_slow_separate/at_1000}} |
# | policy's rate 1e-3 | {{factorial:adam_128_slow_joint/at_60k}} | {{factorial:adam_128_slow_joint/at_1000}} |
# | minibatches of 128 | {{factorial:lr3e-4_mb128_128_slow_joint/at_60k}} | {{factorial:lr3e-4_mb128_128_slow_joint/at_1000}} |
#
# At episode 1,000 the minibatch is {{worth more than each other change | factorial:lr3e-4_mb128_128_slow_joint/at_1000
# > factorial:lr3e-4_128_slow_separate/at_1000, factorial:lr3e-4_mb128_128_slow_joint/at_1000 >
# factorial:adam_128_slow_joint/at_1000, factorial:lr3e-4_mb128_128_slow_joint/at_1000 >
# factorial:lr3e-4_128_fast_joint/at_1000, factorial:lr3e-4_mb128_128_slow_joint/at_1000 >
# factorial:lr3e-4_32_slow_joint/at_1000}}. By steps {{no difference is seen |
# factorial:lr3e-4_mb128_128_slow_joint/at_60k ~ factorial:lr3e-4_128_slow_separate/at_60k}} to clipping apart. Two panels
# speak beforehand. V lies
# {{factorial:lr3e-4_128_slow_joint/value_gap}} below its target, and in truth further, as the target follows it: that is
# the critic. And
# the policy's step per 512 rows is {{factorial:lr3e-4_128_slow_joint/policy_move}}, {{shorter |
# factorial:lr3e-4_128_slow_joint/policy_move < factorial:lr3e-4_mb128_32_fast_separate/policy_move}} than the
# {{factorial:lr3e-4_mb128_32_fast_separate/policy_move}} of the healthy run: that is the gradient steps, the
# clipping and the critic together, since the fast critic alone makes it {{longer |
# factorial:lr3e-4_128_fast_joint/policy_move > factorial:lr3e-4_128_slow_joint/policy_move}}, too:
# {{factorial:lr3e-4_128_fast_joint/policy_move}}. A panel says *what* is slow. Which of several causes it is, only the
# corners tell.
#
# </details>

# %% [markdown]
# ### 5.1 The trap lab · further
#
# All five factors as switches, 32 corners. Each run stays in the picture, with its diagnostics, until you clear it.

# %%
lab = TrapLab()
lab.show()

# %% [markdown]
# ## 6. Bugs, each with its signature
#
# The three suspects are settings. The traps below are bugs from real code, each in a short healthy run with *one*
# thing wrong, ten seeds. None raises an error.
#
# Pick a trap and read its panels *before* you unfold its text below. Ask in this order: What does the return do? Does
# the policy move (KL, steps, ratio)? Does it stay undecided, or commit too soon (entropy, standard deviation)? Does
# the critic follow (V against its target, G in the panels; explained variance)? The target follows V here, too. {{# advice}}

# %% jupyter={"source_hidden": true}
trap_signatures(traps.TRAPS, load_claims("traps"), first=traps.BROADCASTING).show()

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
# It was tested on seeds 110 to 119, which no threshold has seen. "Told apart": an alarm rings. "Named": the trap is the
# first suspect, among those that can ring in such a run. The lists of usual alarms had no seeds of their own: two were
# mended while these runs were measured, so "named" is in part a fit.

# %%
page.prose(trap_table())
healthy_runs = false_alarms()
print(f"false alarms: {healthy_runs.alarmed} of {healthy_runs.runs} healthy runs")
print("suspects that compete:", dict(Counter(trap.family for trap in traps.TRAPS if trap.visible)))

# %% [markdown]
# Look at the rows that say *not visible*. None of `diagnose`'s alarms sees these; some show in a number that it does not
# read. **One start state** is the clearest case. In training it returns {{traps:one_start_state/last_100}} over
# its last 100 episodes, {{more than | traps:one_start_state/last_100 > traps:healthy_clipped_action_log_prob/last_100}}
# the healthy run with {{traps:healthy_clipped_action_log_prob/last_100}}. On held-out start states it is at
# {{traps:one_start_state/held_out}}, {{below | traps:one_start_state/held_out <
# traps:healthy_clipped_action_log_prob/held_out}} the healthy run's
# {{traps:healthy_clipped_action_log_prob/held_out}}.

# %% [markdown]
# ### 6.2 Ranges from folklore, and ranges that we measured · further
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
# | critic's gradient norm | near the policy's | {{ranges:ppo/critic_grad_norm/low.value}} to {{ranges:ppo/critic_grad_norm/high.value}} | {{ranges:pendulum/critic_grad_norm/low.value}} to {{ranges:pendulum/critic_grad_norm/high.value}} | {{ranges:a2c/critic_grad_norm/low.value}} to {{ranges:a2c/critic_grad_norm/high.value}} |
# | standard deviation of the Gaussian [N m] | falls slowly, never to 0 | | 2 at the start, {{pendulum:pendulum/last_std}} at the end | |
#
# Two of these numbers hide something. `charts/action_std` is a mean over the action's dimensions: with more than one, look at
# each entry of `policy.log_std`. And a norm is of a whole network, where one layer that stands still or explodes does not show.
# The package logs the step of each part (`updates/policy.log_std` and others); for gradients, look at `parameter.grad.norm()`
# of each of `policy.named_parameters()` after `backward`. {{# design}}
#
# On CartPole the upper quantile of a healthy KL lies {{below | ranges:ppo/approx_kl/high < 0.01}} the folklore's 0.01,
# and that of the clip fraction is {{not told from | ranges:ppo/clipfrac/high ~ 0.1}} 0.1: most healthy updates lie
# below the range. On Pendulum the upper quantiles lie {{within the folklore | ranges:pendulum/approx_kl/high > 0.01,
# ranges:pendulum/approx_kl/high < 0.05, ranges:pendulum/clipfrac/high > 0.1, ranges:pendulum/clipfrac/high < 0.3}}, and
# the medians {{below it | ranges:pendulum/approx_kl/middle < 0.01, ranges:pendulum/clipfrac/middle < 0.1}}. The
# **explained variance** over a whole healthy run on CartPole has a median of {{ranges:ppo/explained_variance/middle}},
# {{below | ranges:ppo/explained_variance/middle < 0.5}} 0.5. Nothing is wrong. Once every episode lasts 500 steps,
# nearly every state of the batch has the same return, and there is no variance left to explain.
#
# A range is a property of a task, of its settings and of the moment. **Measure the healthy run of your own task, over
# seeds, and keep its ranges**: that is how the thresholds of `diagnose` were made.

# %% [markdown]
# ## 7. Environments whose answers you know
#
# A flat curve on CartPole has many possible reasons. So make the environment smaller until one is left. A *probe* is an
# environment of one or two steps with an answer that you can compute in your head. Try them in order: each relies on
# the ones before it, and **the first to fail names the suspect**. {{# advice}}

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
# `probing.probe_algorithm(my_train, config)`, or one of your functions alone,
# `probing.probe_algorithm(advantage_fn=my_gae)`.
#
# ## 8. The checklist
#
# In this order: what takes a glance comes before what takes a run.
#
# | look at | healthy | if not |
# |---|---|---|
# | every tensor finite? | yes | `log(0)`, a division by 0, an action outside the support |
# | shapes of both sides of every minus | equal | (N, 1) against (N,) |
# | scale of returns | of the order of 1 to 100 | `reward_scale` |
# | does the stored action have the stored log-probability? | recompute before the first step: ratio exactly 1 | clipped actions, another policy, mixed rows |
# | entropy at the start | log of the number of actions; the Gaussian's formula at your `initial_std` | a wrong formula, a second softmax |
# | episode ends | terminated and truncated told apart; no reset row | a probe: `Endless` |
# | the arithmetic of the budget | as many gradient steps as your healthy run, roughly | the size of a minibatch, a budget in steps |
# | does every part move? | update norms above 0, for every group of parameters | the optimiser does not know it |
# | mean of V against mean of its target | V follows within some dozen updates | critic's learning rate, broadcasting |
# | KL and ratio | above 0, within the range of your healthy runs | old log-probabilities, learning rate, epochs |
# | the probes of section 7 | all pass | the first one to fail |
# | held-out start states | near the return in training | one start state, evaluation on training seeds |
# | watch the agent | it does what you meant | section 9 |

# %% [markdown]
# ## 9. Reward hacking: when everything works
#
# Here the code is right, and the return rises to new records. On Pendulum the motor is too weak to lift the mass at
# once: it has to swing. So a well-meaning engineer pays a **bonus for speed**, $k$ for each rad/s in each step
# (`shaping.PaidForSpeed`).

# %% jupyter={"source_hidden": true}
questions.predict(
    "06-hacking",
    "PPO is trained with a bonus of 1.5. What do its learning curve and its agent look like?",
    [
        "The curve stays flat, and the pendulum hangs: the bonus confuses the critic",
        "The curve rises, and the pendulum swings up and stands upright",
        "The curve rises above what standing could earn, and the pendulum turns",
        "The curve rises, then collapses when the agent discovers the loop",
    ],
    answer=2,
    explanation="The training return reaches {{hacking:bonus_15/training}}, {{more than | hacking:bonus_15/training > 0}} standing upright "
    "for a whole episode, which earns 0. By the reward that was meant, the same agents score {{hacking:bonus_15/held_out}}: "
    "{{hacking:bonus_15/solves/count}} of ten seeds solve the task.",
)

# %% [markdown]
# Standing upright earns 0 a step, and a pendulum that turns for ever earns the bonus of every turn. On paper that pays
# from about $k = 1$ (section 9.1).
#
# | bonus for each rad/s | training return (with the bonus) | held-out return (what was meant) | seeds that solve the task |
# |---|---|---|---|
# | 0 | {{hacking:bonus_0/training}} | {{hacking:bonus_0/held_out}} | {{hacking:bonus_0/solves/count}} of {{hacking:bonus_0/solves/count.n}} |
# | 0.5 | {{hacking:bonus_05/training}} | {{hacking:bonus_05/held_out}} | {{hacking:bonus_05/solves/count}} |
# | 1 | {{hacking:bonus_1/training}} | {{hacking:bonus_1/held_out}} | {{hacking:bonus_1/solves/count}} |
# | 1.5 | {{hacking:bonus_15/training}} | {{hacking:bonus_15/held_out}} | {{hacking:bonus_15/solves/count}} |
# | 2 | {{hacking:bonus_2/training}} | {{hacking:bonus_2/held_out}} | {{hacking:bonus_2/solves/count}} |
# | 2, paid for *gaining* speed | {{hacking:gain_2/training}} | {{hacking:gain_2/held_out}} | {{hacking:gain_2/solves/count}} |
#
# With 0.5 all ten seeds still solve the task, and {{no difference | hacking:bonus_05/held_out ~ hacking:bonus_0/held_out}} in
# their held-out return is seen. From 1 on none does. From 0.5 on each larger bonus has a
# training return that is {{higher | hacking:bonus_1/training > hacking:bonus_05/training, hacking:bonus_15/training >
# hacking:bonus_1/training, hacking:bonus_2/training > hacking:bonus_15/training}} and a held-out return that is {{lower
# | hacking:bonus_1/held_out < hacking:bonus_05/held_out, hacking:bonus_15/held_out < hacking:bonus_1/held_out,
# hacking:bonus_2/held_out < hacking:bonus_15/held_out}}. A gamed reward is a bug in the goal, and two things show
# it: a measure of what you meant that is not the reward you train on, and your own eyes.
#
# **The cure, if you must shape.** Pay for the *change* of a potential $\Phi(s)$ instead of its value: $\gamma\,\Phi(s') -
# \Phi(s)$ for the step from $s$ to $s'$. Along any path each term cancels its neighbour:
#
# $$
# \sum_{t=0}^{T-1} \gamma^t \big(\gamma\,\Phi(s_{t+1}) - \Phi(s_t)\big) = \gamma^T \Phi(s_T) - \Phi(s_0).
# $$
#
# For $T \to \infty$ and a bounded $\Phi$ only $-\Phi(s_0)$ is left, which no action can change: every policy's value from
# $s_0$ shifts by the same amount, and the best policy stays the best (Ng, Harada and Russell 1999). With $\Phi$ = $k$
# times the speed, speed that is gained is paid, and speed that is lost is charged. A loop earns nothing: at a constant
# speed it even costs $(1 - \gamma)\,\Phi$ a step, and so over time gives back what was paid for the speed.
# {{# mathematics}}
#
# The last row of the table is this repair. Its held-out return is {{no different | hacking:gain_2/held_out ~
# hacking:bonus_0/held_out}}, as far as ten seeds tell, from that without a bonus.

# %% [markdown]
# ### 9.1 From which bonus on does turning pay? · further
#
# Call the angle from upright $\zeta$ and the speed $\omega$. Without torque gravity turns the pendulum: from the top
# ($\zeta = 0$, speed $\omega_0$) it falls and climbs with
#
# $$
# \omega(\zeta)^2 = \omega_0^2 + 30\,(1 - \cos\zeta),
# $$
#
# because $\dot\omega = 15 \sin\zeta$ in this environment, and $\omega\,d\omega = 15 \sin\zeta\,d\zeta$. In one turn
# the bonus adds up to $\int k\,|\omega|\,dt = 2\pi k$, whatever the speed: it pays for the *distance*. The environment
# charges $\int (\zeta^2 + 0.1\,\omega^2)\,dt = \oint (\zeta^2 / \omega + 0.1\,\omega)\,d\zeta$, and both count once
# each 0.05 s. A turn pays for itself from
#
# $$
# k^\star = \frac{1}{2\pi} \oint \Big(\frac{\zeta^2}{\omega} + 0.1\,\omega\Big)\, d\zeta.
# $$

# %%
for top_speed in (0.01, 1.0, 2.0):  # rad/s; from 2 on it would pass the speed limit of 8 below
    earns = ", ".join(f"{shaping.turning_reward(bonus, top_speed):5.2f} at {bonus:g}" for bonus in (0.5, 1.0, 1.5, 2.0))
    print(f"top speed {top_speed:4}: pays from k = {shaping.gamed_from(top_speed):.3f}; a step earns {earns}")

# %% [markdown]
# So on paper the line runs at a bonus of 1. Left out are the discount, the swing-up, and what torque can add.
#
# Now watch two agents, one without a bonus and one with a bonus of 1.5.

# %%
config = replace(ppo.PENDULUM, total_timesteps=48_000, seed=5)
agents = {}
for bonus in (0.0, 1.5):
    envs = shaping.ShapedEnvs(config.num_envs, bonus)(config.seed)
    result = ppo.train(config, envs=envs)
    agents[f"bonus {bonus:g}"] = result.policy
    last = result.episodes["episodic_return"][-24:].mean()
    print(
        f"bonus {bonus:g}: training return {last:6.0f}, mean speed late in an episode {shaping.mean_speed(result.policy, seed=1):.1f} rad/s"
    )

# %% jupyter={"source_hidden": true}
watch({"random": None, **agents}, "Pendulum-v1", seed=3, caption="Same start states, true speed. One run each.")

# %% [markdown]
# ### 9.2 A reward that is hardly ever found · further
#
# `KeyDoor-v0` is a corridor of 25 squares. You start in the middle, a key lies at the left end, a door is at the right one.
# Opening it with the key pays 1, and nothing else pays. The shortest way has 36 steps; an episode is cut after 64. In some
# squares the two actions are switched, so that one habit does not lead far. {{# design}}
#
# A policy gradient weights actions by what they earned. Where no episode earned anything, there is nothing to weight.
# How often does a coin at each square open the door?

# %%
chance = key_door.success_probability()  # exact, by dynamic programming
print(f"{chance:.1e} an episode, {chance * 131_072 / key_door.EPISODE_STEPS:.3f} times in a run of 131,072 steps")

# %% [markdown]
# PPO gets one of these on top, in training only; all that follows counts the true reward.
#
# - **entropy bonus**: `ent_coef` of 0.01, 0.1 or 1;
# - **count bonus**: $0.1 / \sqrt{n}$ for the $n$-th visit of a place (a square, with or without the key) in the whole run;
#   0.1 was chosen among three scales on two other seeds;
# - **potential**: section 9's shaping, $\Phi$ = minus the steps to go (to the key, then to the door) over 36. The door ends
#   the sum at a finite $T$, so $\Phi$ of a *terminated* state counts 0; where a time limit cuts, it is kept;
# - **progress**: the same pay, $1/36$ for each step nearer, and no charge for a step back. {{# design}}

# %% jupyter={"source_hidden": true}
questions.predict(
    "06-exploration",
    "Which of the four kinds of pay teach at least nine of ten seeds the way?",
    [
        "All four: each makes the policy roam",
        "All but progress, which will be gamed",
        "The count bonus and the potential alone",
        "The potential alone: it knows the way",
    ],
    answer=2,
    explanation="Of ten seeds, {{exploration:count/solved/count}} solve the task with the count bonus, "
    "{{exploration:potential/solved/count}} with the potential, {{exploration:progress/solved/count}} paid for progress, and "
    "{{exploration:entropy_01/solved/count}} with an entropy bonus of 0.1. {{# description}}",
)

# %% jupyter={"source_hidden": true}
page.figure(
    plots.claimed_curves(
        "exploration",
        {
            "plain": "plain",
            "entropy_01": "entropy bonus 0.1",
            "count": "count bonus",
            "potential": "potential",
            "progress": "progress",
        },
        y_label="share of episodes at the door",
    ),
    alt="Share of episodes that open the door over 131,072 environment steps: count bonus and potential rise to 1 early, the "
    "lines of plain PPO, of the entropy bonus and of pay for progress lie at or near 0.",
    caption="Ten seeds each, true reward alone. Where few seeds are above 0 the band shows them, the line does not. Follow the band "
    "of progress: found, and given up.",
)

# %% [markdown]
# A seed solves the task if at least 90 of its last 100 episodes end at the door.
#
# | | seeds that ever open the door | first time [steps] | seeds that solve the task |
# |---|---|---|---|
# | plain | {{exploration:plain/first_success/count}} of {{exploration:plain/first_success/count.n}} | {{exploration:plain/first_success}} | {{exploration:plain/solved/count}} |
# | entropy bonus 0.01 | {{exploration:entropy_001/first_success/count}} | {{exploration:entropy_001/first_success}} | {{exploration:entropy_001/solved/count}} |
# | entropy bonus 0.1 | {{exploration:entropy_01/first_success/count}} | {{exploration:entropy_01/first_success}} | {{exploration:entropy_01/solved/count}} |
# | entropy bonus 1 | {{exploration:entropy_1/first_success/count}} | {{exploration:entropy_1/first_success}} | {{exploration:entropy_1/solved/count}} |
# | count bonus | {{exploration:count/first_success/count}} | {{exploration:count/first_success}} | {{exploration:count/solved/count}} |
# | potential | {{exploration:potential/first_success/count}} | {{exploration:potential/first_success}} | {{exploration:potential/solved/count}} |
# | progress | {{exploration:progress/first_success/count}} | {{exploration:progress/first_success}} | {{exploration:progress/solved/count}} |
#
# Count bonus and potential solve the task in {{more | exploration:count/solved/count > exploration:plain/solved/count,
# exploration:potential/solved/count > exploration:plain/solved/count, exploration:count/solved/count >
# exploration:entropy_001/solved/count, exploration:count/solved/count > exploration:entropy_01/solved/count,
# exploration:count/solved/count > exploration:entropy_1/solved/count, exploration:potential/solved/count >
# exploration:entropy_001/solved/count, exploration:potential/solved/count > exploration:entropy_01/solved/count,
# exploration:potential/solved/count > exploration:entropy_1/solved/count}} seeds than plain PPO, and than any entropy bonus. In the
# steps to the first success {{no difference | exploration:count/first_success ~ exploration:potential/first_success}} between
# the two is seen, although the potential knows the way. The count bonus pays for what was seldom seen. Where states cannot be
# counted, **curiosity** pays for what cannot be predicted yet: the error of a learned model of what comes next (Pathak et al.
# 2017), or of a network that learns the outputs of a fixed random one (Burda et al. 2019). {{# cited}}
#
# An entropy bonus pays for staying near the coin, which hardly ever arrives. Plain PPO leaves the coin without any reward: its
# entropy ends at {{exploration:plain/end_entropy}}, {{below | exploration:plain/end_entropy < exploration:entropy_1/end_entropy}} that
# with a bonus of 1. Normalised advantages have a standard deviation of 1 even where they are the critic's errors alone. We
# take this drift to be what opens the door in {{exploration:plain/first_success/count}} seeds. {{# hypothesis}} Without switched
# squares it does so in {{exploration:straight/first_success/count}}.
#
# Paid for progress, {{exploration:progress/first_success/count}} seeds find the door, and {{exploration:progress/solved/count}}
# solve the task. With $\gamma = 0.99$, beside the door, opening it earns $1 + 1/36 = 1.03$; a step back and one forth, for ever, earns
# $\gamma / (36\,(1 - \gamma^2)) = 1.38$. The best policy never opens it. {{# mathematics}}
#
# In the exercises you write `shaped_rewards`.

# %% [markdown]
# ## 10. A patient · further
#
# Someone's PPO does not learn CartPole. These are its panels over two seeds, beside two healthy ones. Which of the usual
# explanations do the panels rule out?

# %%
short = replace(ppo.CARTPOLE, total_timesteps=20 * 1024)
found = run_seeds(
    {"patient": short, "healthy": short},
    seeds=range(2),
    seams={"patient": {"optimizer_fn": copied_adam}},
    progress=False,
)

# %% jupyter={"source_hidden": true}
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
    "its gradient norms do not vanish.",
    caption="Two seeds each. Compare the first panel with those of the gradient norms.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "06-patient",
    "KL exactly 0 in every update, and gradient norms that do not vanish. What is it?",
    [
        "The learning rate is a thousand times too small for this task",
        "The old log-probability is computed again before every step",
        "The advantages are all zero, so that no update has a direction",
        "The optimiser holds copies of the networks' tensors",
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
# ## 11. Common mistakes in debugging itself · further
#
# | mistake | how you notice |
# |---|---|
# | two changes at once | you cannot say which one was the cure; both stay in the code |
# | a setting that changes two things | the story's "long rollouts" took gradient steps away as well (section 3.3) |
# | a verdict without its settings | the next person repeats it at another learning rate |
# | one seed | the "fix" is gone with the next seed: look at the spread of a single corner in section 3 |
# | a story instead of a comparison | the mechanism is real, and the run with *only* that changed does not exist |
# | watching the loss | PPO's policy loss hovers around 0 whatever happens; the critic's loss *rises* where returns grow |
# | explained variance alone | it cannot see that V is off by a constant; look at both means |
# | a budget in episodes | poor agents get little data, and look frozen |
# | thresholds from another project | section 6.2: healthy runs here lie outside the usual ranges |
# | evaluating on training starts | the return is a memory test |
# | never watching the agent | section 9: the record belongs to an agent that spins |

# %% [markdown]
# ## 12. Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "06-quiz-interaction",
    "Two faults. Without any: return 500. First alone: 500. Second alone: 500. Both: 100. What do main effects and interaction say?",
    [
        "Main effects 0, interaction -400",
        "Main effects -200, interaction -200",
        "Main effects -400 each, interaction 0",
    ],
    answer=1,
    reasons=[
        "A main effect is an average over the other fault: (-400 + 0) / 2.",
        "Right: (0 - 400) / 2 on average, and half the difference is (-400 - 0) / 2. Equal sizes mark a fault that needs company.",
        "Then each fault alone would already cost 400.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "06-quiz-point",
    "A colleague mends one fault of a broken run, and its return rises from 50 to 270, over ten seeds. You put the same fault into your "
    "healthy run, over ten seeds, and nothing changes. Who is wrong?",
    [
        "The colleague: an effect that is real shows in every run",
        "Neither: mending there and breaking here are two questions",
        "You: ten seeds of one run are needed to see anything at all",
    ],
    answer=1,
    reasons=[
        "An effect may depend on what else is wrong: that is an interaction.",
        "Right. Say at which operating point your verdict holds.",
        "More seeds shrink the interval. They do not make two settings the same.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "06-quiz-offset",
    "Explained variance is 0.9, the mean of V is 20, that of its target is 80. Is the critic healthy?",
    [
        "Yes: 0.9 is above every rule of thumb",
        "No: it ranks states well and is too low",
        "No: these two numbers contradict each other",
    ],
    answer=1,
    reasons=[
        "Explained variance subtracts the mean of target - V before it looks.",
        "Right. Normalised advantages forgive a constant offset; bootstrapped targets carry it on, so they are too low as well.",
        "Var(target - V) knows nothing of the mean of target - V. Both can be true.",
    ],
)

# %% [markdown]
# ## 13. What to remember
#
# 1. A mechanism is not an effect. Run the corner where your suspect is the only difference, over seeds.
# 2. Adding a fault to a healthy run and removing it from a broken one are different experiments. A verdict holds at an
#    operating point: name the learning rates and the gradient steps with it.
# 3. Count gradient steps first, and compare by environment steps as well as by episodes.
# 4. Adam cancels a constant factor as far as `eps` is small beside the gradient, and a changing one only in time.
# 5. Make the environment so small that the answer is known: the first probe to fail names the part.
# 6. Some bugs no training curve shows: check held-out starts, recompute log-probabilities, and watch the agent. {{# advice}}
#
# **Now be the doctor:** in [the exercises](../exercises/06_debugging_traps.ipynb) you write `diagnose`, and open the
# **bug clinic**: twelve sealed patients, of which four are required.

# %% [markdown]
# ## Further reading · further
#
# - G. E. P. Box, J. S. Hunter and W. G. Hunter (2005), *Statistics for experimenters*. Chapter 5: two-level factorial
#   designs; equations (1) and (2).
# - D. P. Kingma and J. Ba (2015), *Adam: a method for stochastic optimization*, ICLR. Section 2.1: the step does not
#   depend on the gradient's scale.
# - A. Y. Ng, D. Harada and S. Russell (1999), *Policy invariance under reward transformations*, ICML. Theorem 1:
#   potential-based shaping.
# - I. Osband et al. (2020), *Behaviour suite for reinforcement learning*, ICLR. Deep sea, after which section 9.2's corridor
#   is made. M. G. Bellemare et al. (2016), *Unifying count-based exploration and intrinsic motivation*, NeurIPS: counts
#   where states are too many to count. M. Grzes (2017), *Reward shaping in episodic reinforcement learning*, AAMAS: the
#   potential of the last state.
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
