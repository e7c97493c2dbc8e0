"""Right answers to patient_10 in other styles."""

import torch


def right_with_groups(policy, critic, *, policy_lr, critic_lr):
    rates = {policy: policy_lr, critic: critic_lr}
    return [
        torch.optim.AdamW([{"params": [p]} for p in network.parameters()], lr=rate, eps=1e-5, weight_decay=0)
        for network, rate in rates.items()
    ]


def right_set_later(policy, critic, *, policy_lr, critic_lr):
    first, second = (torch.optim.Adam(network.parameters(), eps=1e-5) for network in (policy, critic))
    first.param_groups[0]["lr"] = policy_lr
    second.param_groups[0]["lr"] = critic_lr
    return first, second


def right_with_helper(policy, critic, *, policy_lr, critic_lr):
    def adam(network, rate):
        return torch.optim.Adam([*network.parameters()], rate, (0.9, 0.999), 1e-5)

    return adam(policy, policy_lr), adam(critic, critic_lr)
