"""Answers to ppo_update, written from the lesson and the stub alone."""

import copy
import itertools

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import BatchSampler, RandomSampler


def _deal(batch_size, minibatch_size, generator):
    return torch.randperm(batch_size, generator=generator).split(minibatch_size)


def _clip_loss(log_prob, old_log_prob, advantages, clip_coef):
    ratio = (log_prob - old_log_prob).exp()
    return -torch.min(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


def _k3(log_prob, old_log_prob):
    x = (log_prob - old_log_prob).detach()
    return (x.expm1() - x).mean().item()


def _outside(log_prob, old_log_prob, clip_coef):
    return (((log_prob - old_log_prob).detach().exp() - 1).abs() > clip_coef).float().mean().item()


def _standardise(x):
    return (x - x.mean()) / (x.std(unbiased=False) + 1e-8)


def wrong_old_log_prob_renewed(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Sets the old log-probabilities anew at the beginning of every epoch."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        with torch.no_grad():
            old = policy(batch.obs).log_prob(batch.actions)
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            policy_loss = _clip_loss(log_prob, old[rows], _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            for net, optimizer, loss in (
                (policy, policy_optimizer, policy_loss),
                (critic, critic_optimizer, value_loss),
            ):
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
                optimizer.step()
            kls.append(_k3(log_prob, old[rows]))
            fracs.append(_outside(log_prob, old[rows], clip_coef))
        epochs += 1
        with torch.no_grad():
            kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if target_kl is not None and kl > target_kl:
            break
    return {
        "losses/approx_kl": sum(kls) / len(kls),
        "losses/clipfrac": sum(fracs) / len(fracs),
        "epochs": epochs,
    }


def wrong_normalised_over_the_batch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Normalises the advantages once, over the whole batch."""
    obs, actions, old_log_prob, returns = batch.obs, batch.actions, batch.log_prob, batch.returns
    advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
    kl_sum = frac_sum = 0.0
    steps = 0
    for epoch in range(1, update_epochs + 1):
        for mb in _deal(obs.shape[0], minibatch_size, generator):
            dist = policy(obs[mb])
            new = dist.log_prob(actions[mb])
            loss = _clip_loss(new, old_log_prob[mb], advantages[mb], clip_coef) - ent_coef * dist.entropy().mean()
            policy_optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()

            v_loss = 0.5 * ((critic(obs[mb]) - returns[mb]) ** 2).mean()
            critic_optimizer.zero_grad()
            v_loss.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()

            kl_sum += _k3(new, old_log_prob[mb])
            frac_sum += _outside(new, old_log_prob[mb], clip_coef)
            steps += 1
        if target_kl is not None:
            with torch.no_grad():
                if _k3(policy(obs).log_prob(actions), old_log_prob) > target_kl:
                    break
    return {"losses/approx_kl": kl_sum / steps, "losses/clipfrac": frac_sum / steps, "epochs": epoch}


def wrong_advantages_as_they_are(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Uses the advantages without normalising, as ppo_clip_loss does by itself."""
    kls, fracs = [], []
    epochs = 0
    while epochs < update_epochs:
        for rows in _deal(len(batch.actions), minibatch_size, generator):
            obs, actions, old, advantages, returns = (
                getattr(batch, name)[rows] for name in ("obs", "actions", "log_prob", "advantages", "returns")
            )
            dist = policy(obs)
            log_prob = dist.log_prob(actions)
            loss = _clip_loss(log_prob, old, advantages, clip_coef) - ent_coef * dist.entropy().mean()
            value_loss = F.mse_loss(critic(obs), returns) / 2
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            loss.backward()
            value_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                now = policy(batch.obs).log_prob(batch.actions)
            if _k3(now, batch.log_prob) > target_kl:
                break
    mean = torch.tensor([kls, fracs]).mean(dim=1).tolist()
    return {"losses/approx_kl": mean[0], "losses/clipfrac": mean[1], "epochs": epochs}


def wrong_one_norm_for_both(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Clips the gradients of both networks together by their common norm."""
    parameters = [*policy.parameters(), *critic.parameters()]
    kls, fracs, done = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(batch.obs.size(0), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            advantages = _standardise(batch.advantages[rows])
            pg = _clip_loss(log_prob, batch.log_prob[rows], advantages, clip_coef)
            vf = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).pow(2).mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            (pg - ent_coef * dist.entropy().mean() + vf).backward()
            nn.utils.clip_grad_norm_(parameters, max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        done += 1
        with torch.no_grad():
            kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if target_kl is not None and kl > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": done}


def wrong_clips_before_backward(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Clips the gradient before backward has filled it in."""
    gauge = []
    epochs = 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist, values = policy(batch.obs[rows]), critic(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            policy_loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            policy_loss -= ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (values - batch.returns[rows]).square().mean()

            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_loss.backward()
            value_loss.backward()
            policy_optimizer.step()
            critic_optimizer.step()
            gauge.append((_k3(log_prob, old), _outside(log_prob, old, clip_coef)))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    kls, fracs = zip(*gauge, strict=True)
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_cleared_once_an_epoch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Clears the gradients at the beginning of an epoch, so that they pile up over its minibatches."""
    kls, fracs = [], []
    for epoch in range(update_epochs):
        policy_optimizer.zero_grad()
        critic_optimizer.zero_grad()
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            advantages = _standardise(batch.advantages[rows])
            loss = _clip_loss(log_prob, batch.log_prob[rows], advantages, clip_coef)
            (loss - ent_coef * dist.entropy().mean()).backward()
            (0.5 * F.mse_loss(critic(batch.obs[rows]), batch.returns[rows])).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        if target_kl is None:
            continue
        with torch.no_grad():
            whole = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if whole > target_kl:
            break
    return {
        "losses/approx_kl": sum(kls) / len(kls),
        "losses/clipfrac": sum(fracs) / len(fracs),
        "epochs": epoch + 1,
    }


def wrong_stops_within_the_epoch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Looks at the KL after every minibatch and leaves both loops at once."""
    kls, fracs, epochs, stop = [], [], 0, False
    while not stop and epochs < update_epochs:
        epochs += 1
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            obs, actions, old = batch.obs[rows], batch.actions[rows], batch.log_prob[rows]
            dist = policy(obs)
            log_prob = dist.log_prob(actions)
            loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            loss = loss - ent_coef * dist.entropy().mean()
            critic_loss = 0.5 * (critic(obs) - batch.returns[rows]).square().mean()
            for optimizer in (policy_optimizer, critic_optimizer):
                optimizer.zero_grad()
            loss.backward()
            critic_loss.backward()
            for net in (policy, critic):
                nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
            for optimizer in (policy_optimizer, critic_optimizer):
                optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if target_kl is not None and kl > target_kl:
                stop = True
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_stops_by_the_epochs_mean(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Compares the mean KL of the epoch's minibatches with the target, measured before their steps."""
    all_kls, all_fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        epoch_kls = []
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            old = batch.log_prob[rows]
            loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            loss = loss - ent_coef * dist.entropy().mean()
            policy_optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            value_loss = 0.5 * (batch.returns[rows] - critic(batch.obs[rows])).square().mean()
            critic_optimizer.zero_grad(set_to_none=True)
            value_loss.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            epoch_kls.append(_k3(log_prob, old))
            all_fracs.append(_outside(log_prob, old, clip_coef))
        all_kls += epoch_kls
        epochs += 1
        if target_kl is not None and sum(epoch_kls) / len(epoch_kls) > target_kl:
            break
    return {
        "losses/approx_kl": sum(all_kls) / len(all_kls),
        "losses/clipfrac": sum(all_fracs) / len(all_fracs),
        "epochs": epochs,
    }


def wrong_target_of_zero_is_none(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Asks `if target_kl`, so that a target of 0.0 never ends anything."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            part = type(batch)(*(column[rows] for column in batch))
            dist = policy(part.obs)
            log_prob = dist.log_prob(part.actions)
            policy_loss = _clip_loss(log_prob, part.log_prob, _standardise(part.advantages), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(part.obs) - part.returns).square().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            policy_loss.backward()
            value_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, part.log_prob))
            fracs.append(_outside(log_prob, part.log_prob, clip_coef))
        epochs += 1
        with torch.no_grad():
            kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if target_kl and kl > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_half_as_much_again(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Stops at 1.5 times the target, as several libraries do."""
    kls, fracs, count = [], [], 0
    for _ in range(update_epochs):
        for i in _deal(len(batch.returns), minibatch_size, generator):
            pi = policy(batch.obs[i])
            logp = pi.log_prob(batch.actions[i])
            loss_pi = _clip_loss(logp, batch.log_prob[i], _standardise(batch.advantages[i]), clip_coef)
            loss_pi = loss_pi - ent_coef * pi.entropy().mean()
            policy_optimizer.zero_grad()
            loss_pi.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            loss_v = ((critic(batch.obs[i]) - batch.returns[i]) ** 2).mean() / 2
            critic_optimizer.zero_grad()
            loss_v.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            kls.append(_k3(logp, batch.log_prob[i]))
            fracs.append(_outside(logp, batch.log_prob[i], clip_coef))
        count += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > 1.5 * target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": count}


def wrong_metrics_of_the_last_minibatch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Reports KL and clip fraction of the last minibatch alone."""
    for epoch in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            policy_loss = (
                _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
                - ent_coef * dist.entropy().mean()
            )
            value_loss = 0.5 * F.mse_loss(critic(batch.obs[rows]), batch.returns[rows])
            policy_optimizer.zero_grad()
            policy_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.zero_grad()
            value_loss.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            approx_kl = _k3(log_prob, batch.log_prob[rows])
            clipfrac = _outside(log_prob, batch.log_prob[rows], clip_coef)
        with torch.no_grad():
            now = policy(batch.obs).log_prob(batch.actions)
        if target_kl is not None and _k3(now, batch.log_prob) > target_kl:
            break
    return {"losses/approx_kl": approx_kl, "losses/clipfrac": clipfrac, "epochs": epoch + 1}


def wrong_epochs_planned(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Reports update_epochs as the number of epochs, also after an early stop."""
    kls, fracs = torch.zeros(0), torch.zeros(0)
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            adv = _standardise(batch.advantages[rows])
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            (_clip_loss(log_prob, batch.log_prob[rows], adv, clip_coef) - ent_coef * dist.entropy().mean()).backward()
            (critic(batch.obs[rows]) - batch.returns[rows]).square().mean().mul(0.5).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls = torch.cat([kls, torch.tensor([_k3(log_prob, batch.log_prob[rows])])])
            fracs = torch.cat([fracs, torch.tensor([_outside(log_prob, batch.log_prob[rows], clip_coef)])])
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {
        "losses/approx_kl": float(kls.mean()),
        "losses/clipfrac": float(fracs.mean()),
        "epochs": update_epochs,
    }


def wrong_dealt_once(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Deals the minibatches before the epochs, and uses the same ones in each."""
    hands = _deal(len(batch.obs), minibatch_size, generator)
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in hands:
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            policy_loss = _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            policy_loss.backward()
            value_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_entropy_punished(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Adds the entropy to the loss with a plus."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            distribution = policy(batch.obs[rows])
            log_prob = distribution.log_prob(batch.actions[rows])
            entropy_loss = distribution.entropy().mean()
            clip = _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = clip + ent_coef * entropy_loss
            policy_optimizer.zero_grad()
            policy_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).pow(2).mean()
            critic_optimizer.zero_grad()
            value_loss.backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        epochs += 1
        with torch.no_grad():
            kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if target_kl is not None and kl > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_value_loss_without_half(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Uses torch's mean squared error for the critic, without the half."""
    sums, number, epochs = torch.zeros(2), 0, 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            surrogate = _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
            losses = (
                surrogate - ent_coef * dist.entropy().mean(),
                F.mse_loss(critic(batch.obs[rows]), batch.returns[rows]),
            )
            for loss, net, optimizer in zip(
                losses, (policy, critic), (policy_optimizer, critic_optimizer), strict=True
            ):
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
                optimizer.step()
            old = batch.log_prob[rows]
            sums += torch.tensor([_k3(log_prob, old), _outside(log_prob, old, clip_coef)])
            number += 1
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                if _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob) > target_kl:
                    break
    kl, frac = (sums / number).tolist()
    return {"losses/approx_kl": kl, "losses/clipfrac": frac, "epochs": epochs}


def wrong_rows_shuffled_apart(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Shuffles obs, actions and log_prob, and takes advantages and returns in the order they lie."""
    size = len(batch.obs)
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        order = torch.randperm(size, generator=generator)
        obs, actions, old = batch.obs[order], batch.actions[order], batch.log_prob[order]
        for start in range(0, size, minibatch_size):
            part = slice(start, start + minibatch_size)
            dist = policy(obs[part])
            log_prob = dist.log_prob(actions[part])
            policy_loss = _clip_loss(log_prob, old[part], _standardise(batch.advantages[part]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(obs[part]) - batch.returns[part]).square().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            policy_loss.backward()
            value_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, old[part]))
            fracs.append(_outside(log_prob, old[part], clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(obs).log_prob(actions), old)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_metrics_of_the_last_epoch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Starts the lists of the metrics anew in each epoch, so that only the last one is averaged."""
    epochs = 0
    for _ in range(update_epochs):
        kls, fracs = [], []
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            pg_loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            policy_optimizer.zero_grad()
            (pg_loss - ent_coef * dist.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.zero_grad()
            (0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_metrics_after_the_step(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Measures KL and clip fraction of each minibatch after its step, not with the log_prob of its loss."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            obs, actions, old = batch.obs[rows], batch.actions[rows], batch.log_prob[rows]
            dist = policy(obs)
            loss = _clip_loss(dist.log_prob(actions), old, _standardise(batch.advantages[rows]), clip_coef)
            loss = loss - ent_coef * dist.entropy().mean()
            policy_optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.zero_grad()
            F.mse_loss(critic(obs), batch.returns[rows]).div(2).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            with torch.no_grad():
                new = policy(obs).log_prob(actions)
            kls.append(_k3(new, old))
            fracs.append(_outside(new, old, clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_critic_not_clipped(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Clips the policy's gradient only."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            policy_loss = _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            policy_optimizer.zero_grad()
            policy_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.zero_grad()
            value_loss.backward()
            critic_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_clips_by_value(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Uses clip_grad_value_, which cuts each entry of the gradient."""
    measured, epochs = [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            policy_loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            policy_loss.backward()
            value_loss.backward()
            nn.utils.clip_grad_value_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_value_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            measured.append([_k3(log_prob, old), _outside(log_prob, old, clip_coef)])
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    kl, frac = torch.tensor(measured).mean(dim=0).tolist()
    return {"losses/approx_kl": kl, "losses/clipfrac": frac, "epochs": epochs}


def wrong_target_always_compared(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Compares the KL with target_kl without asking for None."""
    kls, fracs, epochs = [], [], 0
    kl = 0.0
    while epochs < update_epochs:
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            loss = loss - ent_coef * dist.entropy().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            loss.backward()
            F.mse_loss(critic(batch.obs[rows]), batch.returns[rows]).mul(0.5).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        epochs += 1
        with torch.no_grad():
            kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
        if kl > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_critic_once_an_epoch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Steps the critic once in each epoch, on the whole batch."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob = dist.log_prob(batch.actions[rows])
            policy_loss = _clip_loss(log_prob, batch.log_prob[rows], _standardise(batch.advantages[rows]), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            policy_optimizer.zero_grad()
            policy_loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            kls.append(_k3(log_prob, batch.log_prob[rows]))
            fracs.append(_outside(log_prob, batch.log_prob[rows], clip_coef))
        value_loss = 0.5 * (critic(batch.obs) - batch.returns).square().mean()
        critic_optimizer.zero_grad()
        value_loss.backward()
        nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
        critic_optimizer.step()
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                kl = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
            if kl > target_kl:
                break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def wrong_steps_before_clipping(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Steps first and clips the gradient afterwards, when it has been used."""
    kls, fracs = [], []
    for epoch in range(1, 1 + update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            loss = loss - ent_coef * dist.entropy().mean()
            value_loss = 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            for net, optimizer, objective in [
                (policy, policy_optimizer, loss),
                (critic, critic_optimizer, value_loss),
            ]:
                optimizer.zero_grad()
                objective.backward()
                optimizer.step()
                nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        if target_kl is not None:
            with torch.no_grad():
                if _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob) > target_kl:
                    break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epoch}


def right_one_backward(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """One backward through the sum of both losses; the networks share nothing, and each norm is its own."""
    kls, fracs, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in _deal(len(batch.obs), minibatch_size, generator):
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            adv = batch.advantages[rows]
            adv = (adv - adv.mean()) / (adv.std() + 1e-8) if len(rows) > 1 else torch.zeros_like(adv)
            total = _clip_loss(log_prob, old, adv, clip_coef) - ent_coef * dist.entropy().mean()
            total = total + 0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                if _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob) > target_kl:
                    break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fracs) / len(fracs), "epochs": epochs}


def right_gradients_by_hand(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """torch.autograd.grad and assigned gradients; the metrics are measured on the whole batch at the end."""
    weights, knobs = list(policy.parameters()), list(critic.parameters())

    @torch.no_grad()
    def gauges():
        now = policy(batch.obs).log_prob(batch.actions)
        return _k3(now, batch.log_prob), _outside(now, batch.log_prob, clip_coef)

    for epoch in itertools.count(1):
        sampler = RandomSampler(range(len(batch.obs)), generator=generator)
        for rows in BatchSampler(sampler, minibatch_size, drop_last=False):
            obs, actions, old, advantages, returns = (
                x[rows] for x in (batch.obs, batch.actions, batch.log_prob, batch.advantages, batch.returns)
            )
            dist = policy(obs)
            policy_loss = _clip_loss(dist.log_prob(actions), old, _standardise(advantages), clip_coef)
            policy_loss = policy_loss - ent_coef * dist.entropy().mean()
            value_loss = torch.mean(0.5 * (returns - critic(obs)) ** 2)
            for loss, parameters, optimizer in (
                (policy_loss, weights, policy_optimizer),
                (value_loss, knobs, critic_optimizer),
            ):
                gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.grad = gradient
                nn.utils.clip_grad_norm_(parameters, max_grad_norm)
                optimizer.step()
        kl, frac = gauges()
        if epoch >= update_epochs or (target_kl is not None and kl > target_kl):
            return {"losses/approx_kl": kl, "losses/clipfrac": frac, "epochs": epoch}


def right_critic_after_the_policy(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """In each epoch all steps of the policy, then the critic's on the same minibatches: neither needs the other."""
    kls, fracs, epochs = [], [], 0
    going = True
    while going and epochs < update_epochs:
        order = torch.argsort(torch.rand(len(batch.obs), generator=generator, dtype=torch.float64))
        hands = order.split(minibatch_size)
        for rows in hands:
            dist = policy(batch.obs[rows])
            log_prob, old = dist.log_prob(batch.actions[rows]), batch.log_prob[rows]
            loss = _clip_loss(log_prob, old, _standardise(batch.advantages[rows]), clip_coef)
            policy_optimizer.zero_grad()
            (loss - ent_coef * dist.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            kls.append(_k3(log_prob, old))
            fracs.append(_outside(log_prob, old, clip_coef))
        for rows in hands:
            critic_optimizer.zero_grad()
            F.mse_loss(critic(batch.obs[rows]), batch.returns[rows]).div(2).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
        epochs += 1
        if target_kl is not None:
            with torch.no_grad():
                going = _k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob) <= target_kl
    return {
        "losses/approx_kl": torch.tensor(kls).mean().item(),
        "losses/clipfrac": torch.tensor(fracs).mean().item(),
        "epochs": epochs,
    }


def right_private_copy_of_the_batch(
    policy,
    critic,
    policy_optimizer,
    critic_optimizer,
    batch,
    *,
    clip_coef,
    ent_coef,
    update_epochs,
    minibatch_size,
    target_kl,
    max_grad_norm,
    generator,
):
    """Works on a shuffled copy of the batch, recurses over the epochs, and returns more entries than asked for."""
    names = ("obs", "actions", "log_prob", "advantages", "returns")
    data = {name: copy.deepcopy(getattr(batch, name)) for name in names}
    log = []

    def epoch(number):
        order = torch.randperm(len(data["obs"]), generator=generator)
        shuffled = [data[name][order] for name in names]
        for obs, actions, old, advantages, returns in zip(
            *(torch.split(column, minibatch_size) for column in shuffled), strict=True
        ):
            dist, values = policy(obs), critic(obs)
            log_prob = dist.log_prob(actions)
            ratio = torch.exp(log_prob - old)
            adv = _standardise(advantages)
            gain = torch.where(adv > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef)) * adv
            policy_loss = torch.mean(-gain - ent_coef * dist.entropy())
            value_loss = torch.linalg.vector_norm(values - returns) ** 2 / (2 * len(values))
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            torch.autograd.backward([policy_loss, value_loss])
            for network in (policy, critic):
                nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
            critic_optimizer.step()
            policy_optimizer.step()
            log.append((_k3(log_prob, old), _outside(log_prob, old, clip_coef), dist.entropy().mean().item()))
        with torch.no_grad():
            kl = _k3(policy(data["obs"]).log_prob(data["actions"]), data["log_prob"])
        if number == update_epochs or (target_kl is not None and kl > target_kl):
            return number
        return epoch(number + 1)

    epochs = epoch(1)
    kl, frac, entropy = (sum(column) / len(log) for column in zip(*log, strict=True))
    return {"losses/approx_kl": kl, "losses/clipfrac": frac, "losses/entropy": entropy, "epochs": epochs}
