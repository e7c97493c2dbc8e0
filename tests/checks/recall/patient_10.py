"""Answers to patient_10, written from the lesson and the opened patient alone."""

import torch


def wrong_rate_of_the_policy(policy, critic, *, policy_lr, critic_lr):
    """Copies the first line for the critic, and the policy's learning rate with it."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), policy_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_another_fixed_rate(policy, critic, *, policy_lr, critic_lr):
    """Replaces 3e-4 by the healthy 1e-2 of the lesson; critic_lr is still never read."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), 1e-2, eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_order_exchanged(policy, critic, *, policy_lr, critic_lr):
    """Mends the rate and returns the critic's optimiser first."""
    critic_optimizer = torch.optim.Adam(critic.parameters(), critic_lr, eps=1e-5)
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    return critic_optimizer, policy_optimizer


def wrong_rates_exchanged(policy, critic, *, policy_lr, critic_lr):
    """Gives each network the other's learning rate."""
    optimizers = []
    for network, rate in zip((policy, critic), (critic_lr, policy_lr), strict=True):
        optimizers.append(torch.optim.Adam(network.parameters(), lr=rate, eps=1e-5))
    return tuple(optimizers)


def wrong_policys_parameters_in_both(policy, critic, *, policy_lr, critic_lr):
    """Copies the first line and changes the rate, but not the network: the critic never moves."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(policy.parameters(), critic_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_eps_lost(policy, critic, *, policy_lr, critic_lr):
    """Writes the critic's line anew and forgets its eps."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr)
    return policy_optimizer, critic_optimizer


def wrong_critic_steps_both_networks(policy, critic, *, policy_lr, critic_lr):
    """Hands the second optimiser both networks, as where they share their layers."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    both = list(policy.parameters()) + list(critic.parameters())
    critic_optimizer = torch.optim.Adam(both, critic_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_one_optimiser_twice(policy, critic, *, policy_lr, critic_lr):
    """Makes one Adam with two groups, each with its rate, and returns it in both places: it would step twice."""
    optimizer = torch.optim.Adam(
        [
            {"params": policy.parameters(), "lr": policy_lr},
            {"params": critic.parameters(), "lr": critic_lr},
        ],
        eps=1e-5,
    )
    return optimizer, optimizer


def wrong_ten_times_the_policys_rate(policy, critic, *, policy_lr, critic_lr):
    """Makes the critic fast by a rule of thumb: ten times the policy's rate."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), 10 * policy_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_rate_with_a_ceiling(policy, critic, *, policy_lr, critic_lr):
    """Uses critic_lr, but not above the 'safe' 3e-4 that stood there: the slow critic in other clothes."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), min(critic_lr, 3e-4), eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_faster_memory(policy, critic, *, policy_lr, critic_lr):
    """Mends the rate, and shortens Adam's memory of squares too, because the critic has to keep up."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), critic_lr, betas=(0.9, 0.95), eps=1e-5)
    return policy_optimizer, critic_optimizer


def wrong_amsgrad(policy, critic, *, policy_lr, critic_lr):
    """Mends the rate and switches amsgrad on for the moving targets, though nothing else is to be set."""

    def adam(network, rate):
        return torch.optim.Adam(network.parameters(), rate, eps=1e-5, amsgrad=network is critic)

    return adam(policy, policy_lr), adam(critic, critic_lr)


def right_generator_unpacked(policy, critic, *, policy_lr, critic_lr):
    """Makes both in one expression, with everything positional."""
    rates = {policy: policy_lr, critic: critic_lr}
    policy_optimizer, critic_optimizer = (
        torch.optim.Adam([*network.parameters()], rate, (0.9, 0.999), 1e-5) for network, rate in rates.items()
    )
    return policy_optimizer, critic_optimizer


def right_rate_in_the_group(policy, critic, *, policy_lr, critic_lr):
    """Gives rate and eps in the parameter group instead of the defaults."""
    policy_optimizer = torch.optim.Adam([{"params": list(policy.parameters()), "lr": policy_lr, "eps": 1e-5}])
    critic_optimizer = torch.optim.Adam([{"params": list(critic.parameters()), "lr": critic_lr, "eps": 1e-5}])
    return policy_optimizer, critic_optimizer


def right_rate_set_afterwards(policy, critic, *, policy_lr, critic_lr):
    """Makes the optimisers with the default rate and sets the group's rate before anyone steps."""
    optimizers = tuple(torch.optim.Adam(list(network.parameters()), eps=1e-5) for network in (policy, critic))
    for optimizer, rate in zip(optimizers, (policy_lr, critic_lr), strict=True):
        optimizer.param_groups[0]["lr"] = rate
    return optimizers
