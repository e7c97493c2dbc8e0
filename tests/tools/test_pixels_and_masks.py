"""The studies behind lesson 04, sections 12.1 and 12.2: the board, the half masks, and networks of one size."""

import pytest
import torch

from tools.claims import masks, pixels
from tools.claims.masks import GOAL, MASK_START, SQUARES, Board, first_look, neighbours


def test_a_square_has_two_to_four_neighbours_and_is_one_of_theirs() -> None:
    allowed = neighbours()
    assert set(allowed.sum(-1).tolist()) == {2, 3, 4}
    assert torch.equal(allowed, allowed.T) and not allowed.diagonal().any()
    assert allowed[0].nonzero().flatten().tolist() == [1, 5]  # to the right, and a row further down


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_what_is_not_allowed_changes_nothing_and_is_fined(penalty: float) -> None:
    envs = Board(3, penalty=penalty)
    envs.reset(seed=0)
    envs.state = torch.tensor([[0.0], [0.0], [GOAL - 1.0]])
    obs, rewards, terminated, _, info = envs.step(torch.tensor([1, 7, GOAL]))
    assert info["final_obs"][:, :SQUARES].argmax(-1).tolist() == [1, 0, GOAL]
    assert rewards.tolist() == [-1.0, -1.0 - penalty, -1.0]
    assert terminated.tolist() == [False, False, True]
    assert torch.equal(obs[:, MASK_START:].bool(), neighbours()[obs[:, :SQUARES].argmax(-1)])


@pytest.mark.parametrize(("maker", "acting", "learning"), [
    (masks.masked, True, True), (masks.unmasked, False, False),
    (masks.masked_in_acting, True, False), (masks.masked_in_learning, False, True),
])  # fmt: skip
def test_each_policy_masks_where_it_says(maker, acting: bool, learning: bool) -> None:
    obs, policy = Board(1).seen, maker()
    forbidden = ~neighbours()
    with torch.no_grad():
        assert bool((policy(obs).probs[forbidden] == 0).all()) == acting
    assert bool((policy(obs).probs[forbidden] == 0).all()) == learning


def test_before_any_step_only_a_half_mask_has_another_ratio() -> None:
    assert first_look("mask", 0)["first_ratio"] == pytest.approx(1, abs=1e-5)
    assert first_look("mask", 0)["first_kl"] == pytest.approx(0, abs=1e-5)
    acting = first_look("acting_only", 0)
    # Nearly uniform over 20 actions, of which about three are allowed.
    assert acting["first_ratio"] == pytest.approx(3 / 20, abs=0.05) and acting["first_allowed"] == 1
    assert first_look("learning_only", 0)["first_kl"] > 1e6


def test_all_networks_for_catch_have_about_as_many_weights() -> None:
    sizes = {name: sum(p.numel() for p in seams["policy"]().parameters()) for name, seams in pixels.SEAMS.items()}
    assert sizes["convolutions"] == sizes["shuffled"]
    assert sizes["plain"] == pytest.approx(sizes["convolutions"], rel=0.02)


def test_shuffling_moves_every_picture_in_the_same_way() -> None:
    pictures = torch.randn(3, *pixels.PICTURE)
    moved = pixels.shuffled(pictures)
    assert moved.shape == pictures.shape and not torch.equal(moved, pictures)
    assert torch.equal(moved.flatten(1).sort().values, pictures.flatten(1).sort().values)
    assert torch.equal(pixels.shuffled(pictures[1:2]), moved[1:2])
