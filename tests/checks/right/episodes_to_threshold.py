"""Right answers to episodes_to_threshold in other styles."""

import torch


def right_with_unfold(episodic_returns, *, threshold, window):
    if len(episodic_returns) < window:
        return None
    reached = (episodic_returns.unfold(0, window, 1).mean(-1) >= threshold).nonzero()
    return int(reached[0]) + window if len(reached) else None


def right_with_cumulative_sums(episodic_returns, *, threshold, window):
    totals = torch.cat([torch.zeros(1, dtype=torch.float64), episodic_returns.double().cumsum(0)])
    reached = torch.nonzero((totals[window:] - totals[:-window]) / window >= threshold)
    return reached[0, 0] + window if len(reached) else None


def right_with_queue(episodic_returns, *, threshold, window):
    last = []
    for played, value in enumerate(episodic_returns.tolist(), start=1):
        last = [*last, value][-window:]
        if len(last) == window and sum(last) / window >= threshold:
            return float(played)
    return None
