"""Right answers to unroll in other styles."""

import torch


def right_with_where(cell, inputs, state, ended):
    outputs = []
    for x, over in zip(inputs, ended, strict=True):
        outputs.append(cell(x, state))
        state = torch.where(over.unsqueeze(-1), torch.zeros_like(outputs[-1]), outputs[-1])
    return torch.stack(outputs, dim=0), state


def right_with_mask_before_the_step(cell, inputs, state, ended):
    # The flags of the step before stand beside the step; the last ones are left for the next rollout.
    begins = torch.cat([torch.zeros_like(ended[:1]), ended])  # [T + 1, N]
    rows = []
    for t in range(inputs.shape[0]):
        state = cell(inputs[t], state.masked_fill(begins[t][:, None], 0.0))
        rows.append(state[None])
    return torch.cat(rows), state.masked_fill(begins[-1][:, None], 0.0)


def right_one_episode_after_the_other(cell, inputs, state, ended):
    # Environment by environment, and within it episode by episode.
    columns, last = [], []
    for n in range(inputs.shape[1]):
        h, column = state[n : n + 1], []
        for t in range(inputs.shape[0]):
            h = cell(inputs[t, n : n + 1], h)
            column.append(h)
            if ended[t, n]:
                h = torch.zeros_like(h)
        columns.append(torch.cat(column))
        last.append(h)
    return torch.stack(columns, 1), torch.cat(last)


def right_with_recursion(cell, inputs, state, ended):
    output = cell(inputs[0], state)
    following = output * (1 - ended[0].to(output.dtype))[:, None]
    if len(inputs) == 1:
        return output[None], following
    outputs, last = right_with_recursion(cell, inputs[1:], following, ended[1:])
    return torch.cat([output[None], outputs]), last
