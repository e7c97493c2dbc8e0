"""Answers to unroll, written from the lesson and the stub alone."""

from itertools import accumulate

import numpy as np
import torch


def wrong_never_empty(cell, inputs, state, ended):
    """Lets the memory run on over the ends, and zeros only what the next rollout begins with."""
    outputs = []
    for x in inputs:
        state = cell(x, state)
        outputs.append(state)
    return torch.stack(outputs), state.masked_fill(ended[-1][:, None], 0.0)


def wrong_empty_before_the_ending_step(cell, inputs, state, ended):
    """Takes ended[t] as the flag of a first step, and empties the memory that goes into step t."""
    outputs, h = [], state
    for t in range(len(inputs)):
        h = cell(inputs[t], h * (~ended[t])[:, None])
        outputs.append(h)
    return torch.stack(outputs), h.masked_fill(ended[-1][:, None], 0.0)


def wrong_outputs_emptied(cell, inputs, state, ended):
    """Empties the state first and stores it then, so the output of an ending step is 0."""
    outputs = []
    h = state
    for x, end in zip(inputs, ended, strict=True):
        h = torch.where(end.unsqueeze(-1), torch.zeros_like(h), cell(x, h))
        outputs.append(h)
    return torch.stack(outputs), h


def wrong_last_not_emptied(cell, inputs, state, ended):
    """Empties at the start of the following step, so an end in the last row is never seen."""
    outputs = []
    for t in range(inputs.shape[0]):
        if t > 0:
            state = state * (~ended[t - 1]).to(state.dtype)[:, None]
        state = cell(inputs[t], state)
        outputs.append(state)
    return torch.stack(outputs), state


def wrong_starts_from_zeros(cell, inputs, state, ended):
    """Thinks that every rollout begins with an empty memory."""
    h = torch.zeros_like(state)
    outputs = []
    for x, end in zip(inputs, ended, strict=True):
        out = cell(x, h)
        outputs.append(out)
        h = out * ~end[:, None]
    return torch.stack(outputs), h


def wrong_detached_at_each_step(cell, inputs, state, ended):
    """Detaches the memory before each step, as the agent does when it acts."""
    outputs, h = [], state
    for x, end in zip(inputs, ended, strict=True):
        out = cell(x, h.detach())
        outputs.append(out)
        h = out.masked_fill(end[:, None], 0)
    return torch.stack(outputs), h


def wrong_first_state_detached(cell, inputs, state, ended):
    """Thinks that the state before the first step is data, and cuts the gradient there."""
    h = state.detach()
    outputs = []
    for t in range(len(ended)):
        outputs.append(cell(inputs[t], h))
        h = torch.where(ended[t][:, None], 0.0, outputs[-1])
    return torch.stack(outputs), h


def wrong_last_detached(cell, inputs, state, ended):
    """Detaches the last state, because the next rollout only wants its numbers."""
    outputs, h = [], state
    for x, end in zip(inputs, ended, strict=True):
        h = cell(x, h)
        outputs.append(h)
        h = h * (1 - end.to(h.dtype)).unsqueeze(1)
    return torch.stack(outputs), h.detach()


def wrong_detached_for_all_at_an_end(cell, inputs, state, ended):
    """Detaches the whole batch where any episode ends, and so cuts the others in the middle."""
    outputs, h = [], state
    for t in range(len(inputs)):
        h = cell(inputs[t], h)
        outputs.append(h)
        if ended[t].any():
            h = h.detach() * ~ended[t][:, None]
    return torch.stack(outputs), h


def wrong_emptied_for_all_at_an_end(cell, inputs, state, ended):
    """Empties the memory of every environment where any one of them has an end."""
    outputs = []
    for x, end in zip(inputs, ended, strict=True):
        state = cell(x, state)
        outputs.append(state)
        if end.any():
            state = torch.zeros_like(state)
    return torch.stack(outputs), state


def wrong_back_to_the_first_state(cell, inputs, state, ended):
    """Takes the argument state for the state with which every episode begins."""
    h = state
    outputs = []
    for x, end in zip(inputs, ended, strict=True):
        h = cell(x, h)
        outputs.append(h)
        h = torch.where(end[:, None], state, h)
    return torch.stack(outputs), h


def wrong_empty_ever_after(cell, inputs, state, ended):
    """Makes the mask by a cumulative product, so that after the first end the memory stays empty for good."""
    alive = (~ended).to(inputs.dtype).cumprod(0)
    outputs, h = [], state
    for t in range(len(inputs)):
        out = cell(inputs[t], h)
        outputs.append(out)
        h = out * alive[t].unsqueeze(-1)
    return torch.stack(outputs), h


def wrong_states_before_the_steps(cell, inputs, state, ended):
    """Stores the state that goes into each step, not the one that comes out."""
    outputs = torch.zeros(len(inputs), *state.shape, dtype=inputs.dtype)
    for t in range(len(inputs)):
        outputs[t] = state
        state = cell(inputs[t], state) * ~ended[t][:, None]
    return outputs, state


def wrong_zeros_into_the_stored_output(cell, inputs, state, ended):
    """Thinks that the list holds copies, and zeros rows of the state in place after storing it."""
    outputs = []
    h = state.clone()
    for t in range(inputs.shape[0]):
        h = cell(inputs[t], h)
        outputs.append(h)
        h[ended[t]] = 0.0
    return torch.stack(outputs), h


def wrong_order_of_the_tuple(cell, inputs, state, ended):
    """Returns the last state first."""
    outputs, h = [], state
    for x, end in zip(inputs, ended, strict=True):
        h = cell(x, h)
        outputs.append(h)
        h = h.masked_fill(end[:, None], 0.0)
    return h, torch.stack(outputs)


def wrong_batch_first(cell, inputs, state, ended):
    """Stacks along dim 1, batch first, so the outputs are [N, T, H]."""
    h = state
    outputs = []
    for x, end in zip(inputs.unbind(0), ended.unbind(0), strict=True):
        h = cell(x, h)
        outputs.append(h)
        h = h * end.logical_not().unsqueeze(-1)
    return torch.stack(outputs, dim=1), h


def wrong_buffer_in_float32(cell, inputs, state, ended):
    """Writes into torch.zeros(T, N, H), which is float32 also for float64 inputs."""
    T, N, H = inputs.shape[0], inputs.shape[1], state.shape[1]
    outputs = torch.zeros(T, N, H)
    h = state
    for t in range(T):
        h = cell(inputs[t], h)
        outputs[t] = h
        h = h.masked_fill(ended[t][:, None], 0.0)
    return outputs, h


def wrong_numpy_buffer(cell, inputs, state, ended):
    """Collects the outputs in numpy, with the right numbers and dtype but without a gradient."""
    outputs = np.empty((len(inputs), *state.shape))
    h = state
    for t in range(len(inputs)):
        h = cell(inputs[t], h)
        outputs[t] = h.detach().numpy()
        h = h.masked_fill(ended[t].unsqueeze(1), 0.0)
    return torch.from_numpy(outputs).to(inputs.dtype), h


def wrong_memory_kept_in_state(cell, inputs, state, ended):
    """Leaves the last state in the argument state too, where the caller's next rollout finds it."""
    outputs, h = [], state.clone()
    for x, end in zip(inputs, ended, strict=True):
        h = cell(x, h)
        outputs.append(h)
        h = torch.where(end[:, None], torch.zeros_like(h), h)
    with torch.no_grad():
        state.copy_(h)
    return torch.stack(outputs), h


def wrong_ended_shifted_in_place(cell, inputs, state, ended):
    """Makes flags of first steps out of ended by shifting it in place, and not in a copy."""
    at_the_end = ended[-1].clone()
    starts = ended
    starts[1:] = ended[:-1].clone()
    starts[0] = False
    outputs, h = [], state
    for x, start in zip(inputs, starts, strict=True):
        h = cell(x, h.masked_fill(start[:, None], 0.0))
        outputs.append(h)
    return torch.stack(outputs), h.masked_fill(at_the_end[:, None], 0.0)


def right_mask_at_the_start(cell, inputs, state, ended):
    """Flags of first steps, with a row for the step after the last, and a buffer that is filled row by row."""
    T, N = ended.shape
    starts = torch.cat([torch.zeros(1, N, dtype=torch.bool), ended])
    outputs = torch.empty(T, N, state.shape[1], dtype=inputs.dtype)
    h = state
    for t in range(T):
        h = cell(inputs[t], h.masked_fill(starts[t, :, None], 0.0))
        outputs[t] = h
    return outputs, h.masked_fill(starts[T, :, None], 0.0)


def right_accumulate(cell, inputs, state, ended):
    """A fold by itertools.accumulate over pairs of an output and the state that goes on from it."""
    keep = (~ended).to(inputs.dtype).unsqueeze(-1)

    def step(pair, row):
        x, kept = row
        out = cell(x, pair[1])
        return out, out * kept

    pairs = list(accumulate(zip(inputs, keep, strict=True), step, initial=(None, state)))
    return torch.stack([out for out, _ in pairs[1:]]), pairs[-1][1]


def right_recursion(cell, inputs, state, ended):
    """The first step, and then the rest of the rollout from the state that it leaves."""
    out = cell(inputs[0], state)
    after = torch.where(ended[0].unsqueeze(1), out.new_zeros(()), out)
    if len(inputs) == 1:
        return out.unsqueeze(0), after
    outputs, last = right_recursion(cell, inputs[1:], after, ended[1:])
    return torch.cat([out.unsqueeze(0), outputs]), last


def right_row_by_row(cell, inputs, state, ended):
    """Puts each state together from single rows: the row of the output, or a row of zeros."""
    empty = torch.zeros(state.shape[1], dtype=state.dtype)
    collected = []
    h = state
    for t, ends in enumerate(ended.tolist()):
        out = cell(inputs[t], h)
        collected.append(out[None])
        h = torch.stack([empty if end else out[n] for n, end in enumerate(ends)])
    return torch.cat(collected, dim=0), h


def right_both_and_choose(cell, inputs, state, ended):
    """Asks the cell for both, from the old memory and from an empty one, and chooses row by row."""
    empty = torch.zeros_like(state)
    out = cell(inputs[0], state)
    outputs = [out]
    for t in range(1, len(inputs)):
        out = torch.where(ended[t - 1, :, None], cell(inputs[t], empty), cell(inputs[t], out))
        outputs.append(out)
    return torch.stack(outputs), torch.where(ended[-1, :, None], empty, out)


def right_copy_zeroed_in_place(cell, inputs, state, ended):
    """Stores the output and zeros rows of a copy of it, in place, and only where something ended."""
    h = state.clone()
    outputs = []
    for x, end in zip(inputs, ended, strict=True):
        out = cell(x, h)
        outputs.append(out)
        h = out.clone()
        if end.any():
            h[end] = 0.0
    return torch.stack(outputs), h


def right_diagonal_matrix(cell, inputs, state, ended):
    """Goes on with a product: a diagonal matrix of ones, with zeros for the environments that ended."""
    keep = torch.diag_embed(ended.logical_not().to(state.dtype))  # [T, N, N]
    rows, h = (), state
    for t in range(inputs.size(0)):
        out = cell(inputs[t], h)
        rows, h = (*rows, out), keep[t] @ out
    return torch.stack(rows), h
