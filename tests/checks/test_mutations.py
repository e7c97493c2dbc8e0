"""Every published solution with one thing changed is refused: an operator, a constant, an argument, a statement.

What passes all the same does the same thing, or what the contract leaves open: `EQUIVALENT`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import pytest

from pgcourse.checks import catalogue, run

# Changed lines that no check can or should refuse, by the reason.
A_DIFFERENCE_THAT_IS_SQUARED = {
    "value_loss": ["return 0.5 * (returns.detach() - values).square().mean()"],
    "a2c_losses": ["value_loss = 0.5 * (returns.detach() - values).square().mean()"],
    "explained_variance": ["return 1 - (values - returns).var() / returns.var()"],
    "clip_fraction": ["return ((1 - ratio).abs() > clip_coef).to(ratio.dtype).mean()"],  # or taken without its sign
    "ppo_update": ["value_loss = 0.5 * (returns - critic(obs)).square().mean()"],
    "gaussian_log_prob": ["z = (mean - action) / log_std.exp()"],
    "tanh_log_prob": ["z = (mean - u) / log_std.exp()"],
    "diagnose": ["offset = np.abs(returns - value) / np.abs(returns)"],
    "patient_02": ["error = returns.detach() - values.squeeze(-1)"],
    "patient_09": ["z = (mean - action) / log_std.exp()"],
}
THE_ORDER_DOES_NOT_MATTER = {
    "n_step_returns": ["for _ in range(min(len(rewards), n) - 1):"],
    "fisher_vector_product": ["kl = kl_divergence(policy(obs), old).mean()"],  # equal policies: the same curvature
    "ppo_clip_loss": ["return -torch.minimum(clipped * advantages, ratio * advantages).mean()"],
    "clipped_token_loss": [
        "objective = torch.minimum(ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight, ratio * weight)"
    ],
    "patient_01": ["loss = -torch.minimum(clipped * advantages, ratio * advantages).mean()"],
    "patient_03": ["return -torch.minimum(clipped * advantages, ratio * advantages).mean()"],
    "patient_04": ["policy_loss = -torch.minimum(clipped * advantages, ratio * advantages).mean()"],
    "patient_08": ["return torch.max(clipped_loss, plain_loss).mean()"],
}
THE_SAME_VALUE = {
    "categorical_entropy": ["finite = log_prob.masked_fill(log_prob == -torch.inf, 1)"],  # times a probability of 0
    "probability_of_improvement": [
        "return (_same(wins) + 0.5 * ties.double()).mean()",
        "return (wins.double() + 0.5 * _same(ties)).mean()",
    ],
    "episodes_to_threshold": ["without return None"],
    "ppo_update": ["fractions.append(float(clip_fraction(_same(log_prob), old_log_prob, clip_coef=clip_coef)))"],
    **{f"patient_{number}": ["return mended(*inputs)"] for number in ("02", "06", "07", "09", "12")},  # no settings
}
WITHIN_THE_CONTRACT = {
    "standardize": ["return centred / (x.std(correction=0) - 1e-08)", "return centred / (x.std(correction=0) + 2e-08)"],
    "RunningMeanStd": ["return ((x - self.mean) / (self.var + 2e-08).sqrt()).to(x.dtype)"],
    "masked_log_prob": [  # far below every logit is far enough
        "allowed = logits.masked_fill(~mask, -200000000.0)",
        "allowed = logits.masked_fill(~mask, -100000001.0)",
    ],
    "diagnose": ["if offset[-(len(value) // 4):].mean() >= 0.1:"],  # a mean of quotients is not 0.1 to the last bit
    "ppo_update": [
        f"advantages = (advantages - advantages.mean()) / (advantages.{std})"
        for std in (
            "std(correction=0) - 1e-08",
            "std(correction=0) + 2e-08",
            "std(correction=1) + 1e-08",
            "std() + 1e-08",
        )
    ],
    "policy_network": [
        "without nn.init.orthogonal_(self.logits.weight, gain=0.01)",
        "without nn.init.zeros_(self.logits.bias)",
        "nn.init.orthogonal_(self.logits.weight, gain=0.02)",
    ],
    "baseline_update": [  # a 0-d tensor for a float
        "return (_same(policy_loss), critic_loss.item())",
        "return (policy_loss.item(), _same(critic_loss))",
    ],
    "gaussian_policy": ["without nn.init.zeros_(self.mean.bias)", "nn.init.orthogonal_(self.mean.weight, gain=0.02)"],
}
EQUIVALENT = (A_DIFFERENCE_THAT_IS_SQUARED, THE_ORDER_DOES_NOT_MATTER, THE_SAME_VALUE, WITHIN_THE_CONTRACT)

SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def solutions(repository: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Exercise id -> (the notebook's imports and earlier solutions, the source of its solution cell)."""
    found = {}
    for path in sorted((repository / "course").glob("*.exercises.py")):
        cells = jupytext.read(path, fmt="py:percent").cells
        imports = "\n".join(
            line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()
            if line.startswith(("import ", "from ")) and "pgcourse.show" not in line
        )  # fmt: skip
        names: dict[str, Any] = {}
        exec(imports, names)
        for cell in cells:
            about = cell.metadata.get("nbgrader", {})
            if about.get("solution") and about["grade_id"] in catalogue.BY_ID:
                found[about["grade_id"]] = dict(names), cell.source
                exec(cell.source, names)
    return found


def mutants(source: str) -> Iterator[str]:
    """The source with one thing changed, again and again; docstrings stay."""
    tree = ast.parse(source)
    for place, node in enumerate(list(ast.walk(tree))):
        for change in changes(node):
            mutant = copy.deepcopy(tree)
            change(list(ast.walk(mutant))[place])
            if (text := ast.unparse(mutant)) != ast.unparse(tree):
                yield text


def changes(node: ast.AST) -> Iterator[Any]:
    """What can be changed in a node, as functions that change it."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPPED:
        yield lambda n: setattr(n, "op", SWAPPED[type(n.op)]())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div):
        yield lambda n: n.__dict__.update(left=n.right, right=n.left)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield lambda n: n.ops.__setitem__(0, SWAPPED[type(n.ops[0])]())
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):  # -1 is an axis, the same as 1
        yield lambda n: n.__dict__.update(op=ast.UAdd() if isinstance(n.op, ast.USub) else n.op, operand=twice(n))
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: setattr(n, "value", n.value + 1)
        if node.value not in (0, 1):
            yield lambda n: setattr(n, "value", n.value * 2)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda n: setattr(n, "value", not n.value)
    if isinstance(node, ast.Call):
        for index in range(len(node.keywords)):
            yield lambda n, index=index: n.keywords.pop(index)
        if len(node.args) > 1:
            yield lambda n: n.args.reverse()
        if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
            yield lambda n: n.__dict__.update(func=ast.Name("_same", ast.Load()), args=[n.func.value])
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            for index, statement in enumerate(block):
                docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
                if not docstring and not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Pass):
                    yield lambda n, field=field, index=index: getattr(n, field).__setitem__(index, ast.Pass())


def twice(node: ast.UnaryOp) -> ast.expr:
    """The operand, so that the operation falls away: with ~ and not applied once more."""
    return node.operand if isinstance(node.op, ast.USub) else ast.UnaryOp(node.op, node.operand)


def changed_line(source: str, mutant: str) -> str:
    """The first line of a mutant that differs from the source as `ast` writes it, or that is left out."""
    before, after = ast.unparse(ast.parse(source)).splitlines(), mutant.splitlines()
    old, new = next(pair for pair in zip(before, after, strict=False) if pair[0] != pair[1])
    return f"without {old.strip()}" if new.strip() == "pass" else new.strip()


@pytest.mark.slow
@pytest.mark.parametrize("id", list(catalogue.BY_ID))
def test_a_solution_with_one_thing_changed_is_refused(id: str, repository: Path) -> None:
    names, source = solutions(repository)[id]
    passing = []
    for mutant in mutants(source):
        there = {**names, "_same": lambda value: value}
        exec(compile(mutant, f"<{id}>", "exec"), there)
        if run(id, there[id]).status == "correct":
            passing.append(changed_line(source, mutant))
    allowed = {line for reason in EQUIVALENT for line in reason.get(id, [])}
    assert set(passing) <= allowed, passing
