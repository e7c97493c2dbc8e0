"""shared_trunk_step(network, ..., max_grad_norm): one step of a network with two heads, one loss, one norm for clipping."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.observe.trunk import TrunkSteps
from pgcourse.checks.wording import value


def shared_trunk_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    policy_loss: Tensor,
    value_loss: Tensor,
    entropy: Tensor,
    *,
    vf_coef: float,
    ent_coef: float,
    max_grad_norm: float,
) -> Tensor:
    """One step along the joint loss, with the whole gradient clipped by one norm. Returns: the norm before clipping."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: a gradient above the limit and one below it, in both orders."""
    yield {
        # Two actions of probability 1/2: the policy loss's gradient for its head is [-0.5, 0.5], the value loss's is
        # 1 - 4 = -3 for the head and for the trunk.
        "trunk": torch.tensor([[1.0]]), "policy_head": torch.zeros(2, 1), "value_head": torch.tensor([1.0]),
        "obs": torch.ones(1, 1, 1), "actions": torch.zeros(1, 1, dtype=torch.int64), "advantages": torch.ones(1, 1),
        "returns": torch.full((1, 1), 4.0), "learning_rate": 1.0, "momentum": 0.0, "vf_coef": 0.5, "ent_coef": 0.0,
        "max_grad_norm": 0.5,
    }  # fmt: skip
    source = generator(seed)
    yield random_updates(source, vf_coef=0.5, ent_coef=0.1, max_grad_norm=0.5)
    yield random_updates(source, vf_coef=0.01, ent_coef=0.3, max_grad_norm=50.0, momentum=0.9, dtype=torch.float64)
    yield random_updates(source, vf_coef=2.0, ent_coef=0.0, max_grad_norm=50.0)
    yield random_updates(source, vf_coef=0.0, ent_coef=0.02, max_grad_norm=0.3)
    for max_grad_norm in (0.4, 5.0):  # gradients of some 10^4 and more
        far = random_updates(source, vf_coef=0.5, ent_coef=0.1, max_grad_norm=max_grad_norm, dtype=torch.float64)
        yield {**far, "returns": (1e4 + 1e4 * float(torch.rand(1, generator=source))) * far["returns"]}


def random_updates(source: torch.Generator, *, dtype: torch.dtype = torch.float32, **settings: float) -> Case:
    """Two updates of seven rows."""
    updates, rows, obs_dim, hidden, actions = 2, 7, 3, 4, 3
    return {
        "trunk": 0.5 * normal(source, hidden, obs_dim, dtype=dtype),
        "policy_head": 0.5 * normal(source, actions, hidden, dtype=dtype),
        "value_head": normal(source, hidden, dtype=dtype),
        "obs": normal(source, updates, rows, obs_dim, dtype=dtype),
        "actions": integers(source, actions, updates, rows),
        "advantages": 2 * normal(source, updates, rows, dtype=dtype) + 1,
        "returns": 2 * normal(source, updates, rows, dtype=dtype) + 5,
        "learning_rate": 0.05,
        "momentum": 0.0,
        **settings,
    }


def show(case: Case) -> str:
    """The settings, and what is small enough to work by hand."""
    settings = ", ".join(f"{name}={value(case[name])}" for name in ("vf_coef", "ent_coef", "max_grad_norm"))
    rows, times = case["obs"].shape[1], len(case["obs"])
    called = "once" if times == 1 else "twice, each time with the losses of a new forward pass,"
    kind = f"SGD of momentum {case['momentum']} that runs already" if case["momentum"] else "plain SGD"
    text = f"shared_trunk_step(network, optimizer, policy_loss, value_loss, entropy, {settings}), called {called} with {kind} "
    text += (
        f"(learning rate {value(case['learning_rate'])}, trunk and heads in two groups) and gradients of 1 left over; "
    )
    text += f"{rows} row{'s' * (rows > 1)}"
    if rows == 1:
        text += ", obs [1], action 0, advantage 1, return 4; weights: trunk 1, policy's head 0 and 0, value's head 1"
    return text


def per_loss(clip: str) -> dict[str, str]:
    """Edits: each loss's gradient is taken by itself and treated in a way of its own, `clip`, before the two are added."""
    both = "policy_loss - ent_coef * entropy, vf_coef * value_loss"
    return {
        "loss.backward()": "kept = []\n"
        f"    for part in ({both}):\n"
        "        optimizer.zero_grad()\n"
        "        part.backward(retain_graph=True)\n"
        f"        {clip}\n"
        "        kept.append([p.grad.clone() if p.grad is not None else torch.zeros_like(p) for p in network.parameters()])\n"
        "    for p, one, two in zip(network.parameters(), *kept):\n"
        "        p.grad = one + two",
    }


CLIP = "norm = nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)"
TAKEN = "nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])"
LOSS = "policy_loss + vf_coef * value_loss - ent_coef * entropy"
EACH_CLIPPED = per_loss("nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)")
EACH_MEASURED = per_loss("norms.append(nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm))")
EACH_MEASURED["loss.backward()"] = "norms = []\n    " + EACH_MEASURED["loss.backward()"]
STEP_EACH = """for gradients in kept:
        for p, gradient in zip(network.parameters(), gradients):
            p.grad = gradient
        optimizer.step()"""
mistake = edits_of(shared_trunk_step)

EXERCISE = Exercise.listed(
    "shared_trunk_step",
    cases=cases,
    observe=TrunkSteps(
        "network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm",
    ),
    show_case=show,
    reference=shared_trunk_step,
    tolerance=Tolerance(number_for_scalar=True),
    hints=(
        "One network, one optimiser: so one loss, one backward pass, one norm, one step. Which of the three terms should become "
        "smaller, and which larger?",
        "loss = policy loss plus vf_coef times value loss minus ent_coef times entropy. Clear, backward, clip the gradients of "
        "all parameters together, step. What clip_grad_norm_ returns is the norm before it clipped.",
        "loss = policy_loss + vf_coef * value_loss - ent_coef * entropy; optimizer.zero_grad(); loss.backward(); norm = "
        "torch.nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm); optimizer.step(); return norm",
    ),
    misconceptions=(
        mistake(
            "two-steps",
            "The network took more than one step, one for each loss. The second follows a gradient of weights that are gone, and "
            "with Adam the trunk's running means mix two losses. Add the losses up, and step once.",
            {
                "loss.backward()": "(policy_loss - ent_coef * entropy).backward(retain_graph=True); "
                "nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm); optimizer.step(); optimizer.zero_grad(); "
                "(vf_coef * value_loss).backward()"
            },
            EACH_CLIPPED | {CLIP: f"norm = {TAKEN}", "optimizer.step()": STEP_EACH},
            {"optimizer.step()": "optimizer.step(); optimizer.step()"},
        ),
        mistake(
            "clipped-apart",
            "You clipped in parts: each loss's gradient, each group of the optimiser, each tensor or each number for itself. "
            "That turns the joint gradient: a long part loses more than a short one. One norm over all parameters only makes it "
            "shorter.",
            EACH_CLIPPED | {CLIP: f"norm = {TAKEN}"},
            EACH_CLIPPED,
            {
                CLIP: f"norm = {TAKEN}\n    for p in network.parameters():\n        nn.utils.clip_grad_norm_([p], max_grad_norm)"
            },
            {CLIP: f"norm = {TAKEN}\n    nn.utils.clip_grad_value_(network.parameters(), max_grad_norm)"},
            *(
                EACH_MEASURED | {CLIP: f"norm = {norm}"}
                for norm in ("sum(norms)", "sum(n**2 for n in norms) ** 0.5", "norms[0]")
            ),
            {
                CLIP: f"norm = {TAKEN}\n    for group in optimizer.param_groups:\n"
                "        nn.utils.clip_grad_norm_(group['params'], max_grad_norm)"
            },
            {CLIP: f"norm = {TAKEN}\n    nn.utils.clip_grad_norm_(optimizer.param_groups[0]['params'], max_grad_norm)"},
            {CLIP: "norm = nn.utils.clip_grad_norm_(optimizer.param_groups[0]['params'], max_grad_norm)"},
        ),
        mistake(
            "norm-after-clipping",
            "The step is right, and the norm that you return was taken after clipping: it is max_grad_norm whenever the limit "
            "is passed, and so never tells by how much. clip_grad_norm_ returns the norm from before.",
            {"norm = nn": "nn", "    return norm": f"    return {TAKEN}"},
            {"return norm": "return norm.clamp(max=max_grad_norm)"},
        ),
        mistake(
            "not-clipped",
            "The gradient was not clipped, or after the step, which has then used the whole of it. The order is zero_grad, "
            "backward, clip, step.",
            {CLIP: f"norm = {TAKEN}"},
            {CLIP: "", "optimizer.step()": f"optimizer.step(); {CLIP}"},
        ),
        mistake(
            "clipped-always",
            "Every gradient is brought to the length max_grad_norm, a short one too. Clipping leaves alone what is below the "
            "limit.",
            {CLIP: f"norm = {TAKEN}\n    for p in network.parameters():\n        p.grad *= max_grad_norm / norm"},
        ),
        mistake(
            "entropy-sign",
            "You added the entropy to the loss: the step makes the policy surer of itself. A bonus makes the loss smaller.",
            {"- ent_coef": "+ ent_coef"},
        ),
        mistake(
            "policy-sign",
            "A sign too many: policy_loss and value_loss are losses already, and a step makes them smaller as they are.",
            {"policy_loss + vf": "-policy_loss + vf"},
            {"+ vf_coef": "- vf_coef"},
            {LOSS: f"-({LOSS})"},
        ),
        mistake(
            "weight-on-the-wrong-term",
            "A coefficient stands at the wrong term, or at all of them. vf_coef belongs to the value loss, ent_coef to the "
            "entropy, and the policy loss has none: it sets the scale of the others.",
            {LOSS: "vf_coef * policy_loss + value_loss - ent_coef * entropy"},
            {LOSS: "policy_loss + ent_coef * value_loss - vf_coef * entropy"},
            {LOSS: "vf_coef * (policy_loss + value_loss) - ent_coef * entropy"},
            {LOSS: "policy_loss + vf_coef * (value_loss - ent_coef * entropy)"},
            {LOSS: "(1 - vf_coef) * policy_loss + vf_coef * value_loss - ent_coef * entropy"},
        ),
        mistake(
            "weight-missing",
            "One of the coefficients, or its whole term, is not in your loss. Without vf_coef the value loss, which has the "
            "scale of squared returns, takes the trunk over.",
            {"vf_coef * ": ""},
            {"ent_coef * ": ""},
            {"vf_coef * ": "", " - ent_coef * entropy": ""},
            {"vf_coef * ": "0.5 * "},
        ),
        mistake(
            "a-loss-left-out",
            "A term of the loss moves nothing: it is missing, cut from the graph by detach, item or float, or a zero_grad "
            "between backward passes threw its gradient away. All three terms have to reach one step.",
            {"vf_coef * value_loss": "vf_coef * value_loss.detach()"},
            {"vf_coef * value_loss": "vf_coef * value_loss.item()"},
            {" + vf_coef * value_loss": ""},
            {"policy_loss +": "policy_loss.detach() +"},
            {"ent_coef * entropy": "ent_coef * entropy.item()"},
            {
                "loss.backward()": "(policy_loss - ent_coef * entropy).backward(retain_graph=True); optimizer.zero_grad(); "
                "(vf_coef * value_loss).backward()"
            },
            {
                "loss.backward()": "(vf_coef * value_loss).backward(retain_graph=True); optimizer.zero_grad(); "
                "(policy_loss - ent_coef * entropy).backward()"
            },
        ),
        mistake(
            "gradients-not-cleared",
            "An old gradient is still there when backward adds the new one to it. zero_grad belongs before backward in every "
            "step, also in the first: somebody else may have left a gradient.",
            {"optimizer.zero_grad()": ""},
            {"optimizer.zero_grad()": "", "optimizer.step()": "optimizer.step(); optimizer.zero_grad()"},
        ),
        mistake(
            "nothing-moves",
            "The network stays where it was: the optimiser's step or backward is missing, or zero_grad stands between the two "
            "and throws the gradient away. The order is zero_grad, backward, clip, step.",
            {"optimizer.step()": ""},
            {"loss.backward()": "loss.backward(); optimizer.zero_grad(set_to_none=False)"},
            {"loss.backward()": "loss.backward(); optimizer.zero_grad()"},
            {"loss.backward()": ""},
        ),
        mistake(
            "loss-returned",
            "You returned the loss. Asked for is the norm of its gradient before clipping, which says how often the limit acts.",
            {"return norm": "return loss.detach()"},
            {"return norm": "return loss.item()"},
        ),
    ),
)
