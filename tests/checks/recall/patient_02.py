"""Answers to patient_02, written from the lesson and the opened patient alone."""

import torch
import torch.nn.functional as F


def wrong_axis_added_in_front_of_the_returns(values, returns):
    """Gives the returns a second axis, but in front: [B, 1] minus [1, B] is [B, B] as before."""
    error = values - returns.detach().unsqueeze(0)
    return 0.5 * error.square().mean()


def wrong_transposed_values(values, returns):
    """Turns the values round instead of flattening them, and the returns into a column: the same square."""
    column = returns.detach().reshape(-1, 1)
    return 0.5 * (values.T - column).pow(2).mean()


def wrong_mse_loss_does_the_shapes(values, returns):
    """Believes that the library's mse_loss compares row by row; it broadcasts, too, and only warns."""
    return 0.5 * F.mse_loss(values, returns.detach())


def wrong_row_0_for_column_0(values, returns):
    """Takes values[0], the first row, where values[:, 0], the first column, is meant."""
    error = values[0] - returns.detach()
    return 0.5 * (error**2).mean()


def wrong_half_is_lost(values, returns):
    """Mends the shape with flatten and mse_loss, and forgets the half."""
    return F.mse_loss(values.flatten(), returns.detach())


def wrong_sum_over_the_rows(values, returns):
    """Adds the squared errors up in a loop and never divides by their number."""
    loss = values.new_zeros(())
    for value, target in zip(values, returns, strict=True):
        loss = loss + 0.5 * (value[0] - target.detach()) ** 2
    return loss


def wrong_detach_moved_to_the_values(values, returns):
    """Mends the shape and detaches the wrong side: the number is right, and the critic gets no gradient."""
    error = values.detach().squeeze(-1) - returns
    return 0.5 * error.square().mean()


def wrong_square_of_the_mean_error(values, returns):
    """Averages the errors first and squares then, so errors up and down cancel."""
    error = values.squeeze(-1) - returns.detach()
    return 0.5 * error.mean().square()


def wrong_one_loss_a_row(values, returns):
    """Halves the square of each row and returns them all: [B] instead of a scalar."""
    error = values.view(-1) - returns.detach()
    return 0.5 * error.square()


def wrong_huber_loss(values, returns):
    """Takes smooth_l1_loss, as DQN does: half the square near 0, but linear for errors above 1."""
    return F.smooth_l1_loss(values[:, 0], returns.detach())


def wrong_mean_over_the_actions_axis(values, returns):
    """Averages away an axis of the values, but the batch's: each return is compared with the mean value."""
    predicted = values.mean(dim=0)
    return 0.5 * (predicted - returns.detach()).square().mean()


def right_diagonal_of_the_square(values, returns):
    """Lets it broadcast, and keeps the diagonal, where each value meets its own return."""
    return torch.diagonal(values - returns.detach()).square().mean() / 2


def right_squeeze_everything(values, returns):
    """Squeezes all axes of length 1; for B = 1 a 0-d value minus [1] is [1] all the same."""
    return 0.5 * (values.squeeze() - returns.detach()).square().mean()


def right_matrix_product(values, returns):
    """Half the product of the error column with itself, over the number of rows: [1, 1], then 0-d."""
    error = values - returns.detach()[:, None]
    return (error.mT @ error).squeeze() / (2 * len(returns))


def right_einsum_in_double_precision(values, returns):
    """Contracts the errors with einsum in double precision and casts back."""
    error = values.double().sum(dim=1) - returns.detach().double()
    return (torch.einsum("b,b->", error, error) / error.numel() * 0.5).to(values.dtype)
