"""Answers to patient_04, written from the lesson and the opened patient alone."""

import torch


def wrong_whole_loss_negated(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Sees a wrong sign and turns the whole result round, the policy's part with it."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return -(policy_loss + ent_coef * entropy.mean())


def wrong_other_sign_turned(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Removes the minus of the policy's loss and leaves the bonus as it is: the wrong sign is mended."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss + ent_coef * entropy.mean()


def wrong_sum_of_the_entropies(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Turns the sign and adds the entropies up, so the bonus grows with the minibatch."""
    adv = advantages.detach()
    ratio = torch.exp(log_prob - old_log_prob.detach())
    policy_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)).mean()
    return policy_loss - ent_coef * entropy.sum()


def wrong_entropy_detached(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Treats the entropy as data, as the advantages: the number is right, and nothing rewards it."""
    advantages, entropy = advantages.detach(), entropy.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss - ent_coef * entropy.mean()


def wrong_bonus_taken_out(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Removes the bonus: without it the agent learns, so the patient seems cured."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(ratio * advantages.detach(), clipped * advantages.detach()).mean()


def wrong_bonus_never_below_zero(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Guards the entropy with clamp(min=0), true of a Categorical; that of a Gaussian may be negative."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss - ent_coef * entropy.clamp(min=0).mean()


def wrong_entropy_estimated_from_log_prob(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Remembers that the entropy is the mean of -log pi, and takes the actions' own log-probabilities for it."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    bonus = -log_prob.mean()
    return policy_loss - ent_coef * bonus


def wrong_bonus_as_a_reward(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Adds the bonus to the advantages, as in soft actor-critic, so it is multiplied by the ratio and clipped."""
    total = advantages.detach() + ent_coef * entropy
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(ratio * total, clipped * total).mean()


def wrong_mean_forgotten(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Turns the sign and loses the mean of the entropy: the loss is [B]."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss - ent_coef * entropy


def wrong_usual_coefficient(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Turns the sign and writes the 0.01 of the lesson into the formula, so ent_coef is never used."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    surrogate = torch.minimum(ratio * advantages, clipped * advantages)
    return -(surrogate + 0.01 * entropy).mean()


def wrong_weighted_average_of_both(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Takes ent_coef for a mixing weight: (1 - c) times the loss minus c times the entropy."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages.detach(), clipped * advantages.detach()).mean()
    return torch.lerp(policy_loss, -entropy.mean(), ent_coef)


def right_bonus_inside_the_minimum(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Adds each row's bonus to both objectives: the smaller one is the same, and there is one mean."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    bonus = ent_coef * entropy
    plain = ratio * advantages + bonus
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages + bonus
    return -torch.minimum(plain, clipped).mean()


def right_as_one_dot_product(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Puts the capped ratios and the entropies into one vector and takes its product with the weights."""
    weights = advantages.detach() / len(advantages)
    ratio = torch.exp(log_prob - old_log_prob.detach())
    low = torch.full_like(weights, -torch.inf).masked_fill(weights < 0, 1 - clip_coef)
    high = torch.full_like(weights, torch.inf).masked_fill(weights > 0, 1 + clip_coef)
    terms = torch.cat([torch.clamp(ratio, low, high), entropy])
    return -terms @ torch.cat([weights, torch.full_like(entropy, ent_coef / len(entropy))]).detach()


def right_with_torch_sub_and_alpha(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    """Subtracts with alpha, in double precision, and casts the result back."""
    new, old, adv = log_prob.double(), old_log_prob.detach().double(), advantages.detach().double()
    ratio = (new - old).exp()
    losses = torch.stack((-adv * ratio, -adv * ratio.clip(1 - clip_coef, 1 + clip_coef)), dim=-1).amax(dim=-1)
    return torch.sub(losses.mean(), entropy.double().mean(), alpha=ent_coef).to(log_prob.dtype)
