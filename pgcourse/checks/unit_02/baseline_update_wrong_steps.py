"""Wrong answers to baseline_update: the order and the number of the steps, and gradients."""

from __future__ import annotations

from pgcourse.checks.unit_02.baseline_update_loops import (
    each_episode_alone,
    joint,
    leaking,
    one_backward,
    predicted_once,
)
from pgcourse.checks.unit_02.baseline_update_parts import half_mean_square, mistake, named, policy_loss

STEPS = (
    mistake(
        "critic-fitted-first",
        "You fitted the critic before you took the advantages. It then has seen these very returns, and what it has "
        "learnt of them is gone from the advantages: with many critic steps next to nothing would be left. Take the "
        "values first, then fit.",
        critic_first=True,
    ),
    named(
        "gradient-into-the-critic",
        "The policy's loss reached the critic: the values in your advantages are not detached, and the gradient that "
        "flowed through them is in the critic's step. It pulls the critic to wherever the policy's loss is small. "
        "The baseline is a constant for the policy.",
        leaking,
        lambda c: joint(c, detach=False, policy_every_step=False),
        lambda c: one_backward(c, repeat_step=False),
        lambda c: one_backward(c, repeat_step=True),
    ),
    named(
        "one-update-for-each-episode",
        "You updated the networks once for every episode. After the first, the other episodes are no longer from the policy "
        "that acts, and their advantages come from a critic that has moved on. Join all episodes first, then take one step.",
        lambda c: each_episode_alone(c, standardised_together=False),
        lambda c: each_episode_alone(c, standardised_together=True),
    ),
    named(
        "policy-stepped-in-the-critic-loop",
        "The policy takes a step each time the critic does. After the first one the episodes are no longer from the "
        "policy that acts, and the later advantages come from a critic that has seen these returns. Put the policy's "
        "one step before the loop.",
        lambda c: joint(c, detach=True, policy_every_step=True),
        lambda c: joint(c, detach=False, policy_every_step=True),
    ),
    mistake(
        "several-policy-steps",
        "Your policy takes more than one step. After the first, the episodes are no longer from the policy that acts. "
        "Only the critic may take several steps: its target, the return, does not depend on who asks.",
        {"policy_steps": 3},
        policy_steps=2,
    ),
    mistake(
        "critic-steps-ignored",
        "Your critic takes one step, whatever critic_steps says. Its target keeps still while it is fitted, so "
        "several steps on one batch are cheap and safe.",
        steps_of_critic=lambda critic_steps: 1,
    ),
    mistake(
        "critic-loop-off-by-one",
        "Your critic takes one step more or less than critic_steps says. Look at the range of your loop.",
        {"steps_of_critic": lambda critic_steps: max(1, critic_steps - 1)},
        steps_of_critic=lambda critic_steps: critic_steps + 1,
    ),
    mistake(
        "critic-never-fitted",
        "Your critic's weights stay as they are: either backward or the step of critic_optimizer is missing, or it is "
        "the policy's optimiser that steps. A baseline that knows nothing takes no variance away.",
        {"critic_step": False, "critic_backward": False},
        critic_step=False,
    ),
    mistake(
        "policy-never-changed",
        "The policy's weights stay as they are: its loss is computed, but backward or the step of policy_optimizer is "
        "missing.",
        backward=False,
    ),
    mistake(
        "no-path-to-the-network",
        "backward found nothing to follow: one of the losses is cut off from its network, by no_grad, detach, item or "
        "torch.tensor. The advantages are to be cut off; log-probabilities, and the values inside the critic's loss, "
        "are not.",
        {"policy_loss_fn": lambda *inputs: policy_loss(*inputs).detach()},
        value_loss_fn=lambda values, targets: half_mean_square(values.detach(), targets),
    ),
    mistake(
        "critic-gradients-not-cleared",
        "The critic's first step is right and the later ones are not: the old gradient is still there, and backward "
        "adds to it. Clear the gradients before each of the critic_steps passes, inside the loop.",
        {"clear_critic": False},
        clear_critic=False,
        clear_critic_once=True,
    ),
    mistake(
        "policy-gradients-not-cleared",
        "The policy's first update is right and the second is not: the old gradient is still there, and backward adds "
        "to it. Every update has to start with cleared gradients.",
        clear_policy=False,
    ),
    mistake(
        "gradients-never-cleared",
        "No gradient is ever cleared: backward adds to what is there, in policy and critic alike. Clear before each "
        "backward.",
        {"clear_policy": False, "clear_critic": False, "clear_critic_once": True},
        clear_policy=False,
        clear_critic=False,
    ),
    named(
        "critic-asked-once",
        "You called critic(obs) once and used the answer in every critic step. After a step it is out of date: each "
        "pass of the loop needs a new forward pass, or torch complains that it has to go backward through the graph a "
        "second time. retain_graph=True silences that and repeats the first gradient.",
        lambda c: predicted_once(c, retain_graph=False),
        lambda c: predicted_once(c, retain_graph=True),
    ),
)
