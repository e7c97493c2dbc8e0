"""One run of a language model: imitation, training, and what is taken of it; kept in build/claims."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

import pgcourse.language.training
from pgcourse import optim
from pgcourse.language import advantages, preferences
from pgcourse.language.config import LanguageConfig
from pgcourse.language.imitation import imitate
from pgcourse.language.losses import k1
from pgcourse.language.pass_at_k import pass_at_k
from pgcourse.language.sampling import Answers, answer_log_prob, sample
from pgcourse.language.tasks import TASKS, Task
from pgcourse.language.text import decode, encode
from pgcourse.language.training import RewardFn, train, verifier
from pgcourse.language.transformer import Transformer
from pgcourse.runs import versions
from pgcourse.storage import atomic_write
from pgcourse.study.source import digest_of, files_behind

from .code import NO_FIGURE
from .runs import KEPT

HELD_OUT_PROMPTS, HELD_OUT_ANSWERS = 200, 64
GREEDY_PROMPTS = 500
TRIES = (1, 2, 4, 8, 16, 32, 64)  # the k of pass@k
COMPARISONS, FIT_STEPS, FIT_BATCH = 5000, 400, 64  # of the learnt reward
SHARPNESS = 20.0
SCORE_BATCHES, GRADIENT_BATCHES = 8, 100  # of 256 answers

Record = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A way to train. Fields: offset: added to each reward. seams: of `train`. learnt: rewards are a learnt model's."""

    config: LanguageConfig
    offset: float = 0.0
    seams: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    learnt: bool = False

    def settings(self) -> dict[str, Any]:
        """The settings, as JSON can hold them."""
        seams = {name: seam.__name__ for name, seam in self.seams.items()}
        settings = asdict(self.config) | {"offset": self.offset, "learnt_reward": self.learnt} | seams
        del settings["seed"]
        return settings


def key_of(*identity: Any) -> str:
    """What a kept file is called by: settings, the language package's code, versions."""
    starts = [Path(pgcourse.language.training.__file__), Path(preferences.__file__)]
    code = digest_of(files_behind(starts) - NO_FIGURE)
    return hashlib.sha256(json.dumps([*identity, versions(), code]).encode()).hexdigest()[:12]


def kept(name: str, seed: int, identity: Any, make: Callable[[], Record]) -> Record:
    """The record of this name and seed, from build/claims where it is there."""
    path = KEPT / f"language-{name.replace('/', '-')}-{seed}-{key_of(identity)}.json"
    if not path.exists():
        atomic_write(path, json.dumps(make()))
    return dict(json.loads(path.read_text()))


def base_model(task: Task, seed: int) -> Transformer:
    """The model after imitation, from build/claims where it is there."""
    path = KEPT / f"language-base-{task.name}-{seed}-{key_of()}.pt"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        torch.save(imitate(task, seed=seed)[0].state_dict(), path)
    model = Transformer()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model


def held_out(model: nn.Module, base: nn.Module, task: Task, seed: int) -> Record:
    """What the model answers to prompts that no training draws: right answers of each prompt, greedy success, distance."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, 2]))
    with optim.seeded(seed), optim.single_thread(), torch.no_grad():
        prompts = [p for p in task.prompts(HELD_OUT_PROMPTS, generator) for _ in range(HELD_OUT_ANSWERS)]
        answers = sample(model, encode(prompts), max_tokens=task.max_tokens)
        texts = decode(answers.tokens)
        right = verifier(task)(prompts, texts).view(HELD_OUT_PROMPTS, HELD_OUT_ANSWERS).sum(-1).to(torch.int64)
        distance = (k1(answers.log_prob, answer_log_prob(base, answers)) * answers.mask).sum(-1).mean()
        asked = task.prompts(GREEDY_PROMPTS, generator)
        best = sample(model, encode(asked), max_tokens=task.max_tokens, greedy=True)
    return {
        "pass": {str(k): float(pass_at_k(right.numpy(), HELD_OUT_ANSWERS, k).mean()) for k in TRIES},
        "greedy": float(verifier(task)(asked, decode(best.tokens)).mean()),
        "reference_kl": float(distance),
        "length": float(answers.lengths.float().mean()),
        "written": float(np.mean([text.find("=") > 0 for text in texts])),
    }


class Watched:
    """A reward that takes down, in each update, what no metric says: lengths of right and wrong answers, true quality."""

    def __init__(self, task: Task, reward: RewardFn) -> None:
        self.task, self.reward = task, reward
        self.taken: dict[str, list[float | None]] = {"right_length": [], "wrong_length": [], "quality": []}

    def __call__(self, prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        right = verifier(self.task)(prompts, answers).numpy() > 0
        lengths = np.array([len(answer) + 1 for answer in answers])
        for name, kind in (("right_length", right), ("wrong_length", ~right)):
            self.taken[name].append(float(lengths[kind].mean()) if kind.any() else None)
        quality = [digits_in_place(self.task, *pair) for pair in zip(prompts, answers, strict=True)]
        self.taken["quality"].append(float(np.mean(quality)))
        return self.reward(prompts, answers)


def run_record(variant: Variant, seed: int, *, weights: Path | None = None) -> Record:
    """Imitate, train, and take down what came of it. Args: weights: where to write the trained model."""
    config = replace(variant.config, seed=seed)
    task = TASKS[config.task]
    base = base_model(task, seed)
    reward = learnt(task.name, seed) if variant.learnt else verifier(task)
    watch = Watched(task, lambda prompts, answers: reward(prompts, answers) + variant.offset)
    result = train(config, base, device="cpu", reward_fn=watch, reference=base, **variant.seams)
    if weights is not None:
        torch.save(result.policy.state_dict(), weights)
    metrics = {name.partition("/")[2]: numbers.tolist() for name, numbers in result.metrics.items()}
    return {"metrics": metrics | watch.taken, "end": held_out(result.policy, base, task, seed)}


def digits_in_place(task: Task, prompt: str, answer: str) -> float:
    """Share of the characters of the right answer that the given one has at their places: what the judge goes by."""
    right = task.states(prompt)[-1]
    return sum(one == other for one, other in zip(right, answer, strict=False)) / len(right)


@lru_cache(maxsize=1)
def learnt(task_name: str, seed: int) -> RewardFn:
    """A reward learnt from comparisons of the base model's answers."""
    task = TASKS[task_name]
    base = base_model(task, seed)
    generator = np.random.default_rng(np.random.SeedSequence([seed, 3]))
    quality = partial(digits_in_place, task)
    with optim.seeded(seed), optim.single_thread():
        pool = preferences.compare(task, base, quality, COMPARISONS, generator, sharpness=SHARPNESS)

    def batch() -> preferences.Preferences:
        chosen = torch.as_tensor(generator.integers(0, COMPARISONS, FIT_BATCH))
        return preferences.Preferences(*(Answers(*(part[chosen] for part in side)) for side in pool))

    model, _ = preferences.fit_reward_model(batch, steps=FIT_STEPS, seed=seed)
    return preferences.learnt_reward(model, task)


def gradient_record(model: Transformer, task: Task, seed: int) -> Record:
    """How far policy gradients of 256 answers scatter with each advantage, and how long the scores of answers are.

    Returns: "variance": advantage -> trace of the gradient's covariance; "scores": mean squared norm of the score (the
    gradient of an answer's log-probability) of right and wrong answers; "success"; "best_baseline": the constant that
    makes the variance least, E[|score|^2 R] / E[|score|^2].
    """
    generator = np.random.default_rng(np.random.SeedSequence([seed, 4]))
    estimators = {
        **{name: advantages.BY_NAME[name] for name in ("none", "batch_mean", "group_mean", "leave_one_out")},
        "none_plus_1": lambda rewards: rewards + 1,
    }
    parameters = dict(model.named_parameters())
    sums = {name: torch.zeros(sum(p.numel() for p in parameters.values())) for name in estimators}
    squares = dict.fromkeys(estimators, 0.0)
    norms, successes = [], []
    with optim.seeded(seed), optim.single_thread():
        for batch in range(GRADIENT_BATCHES):
            prompts = [prompt for prompt in task.prompts(32, generator) for _ in range(8)]
            answers = sample(model, encode(prompts), max_tokens=task.max_tokens)
            rewards = verifier(task)(prompts, decode(answers.tokens))
            log_prob = answer_log_prob(model, answers).sum(-1)
            for name, estimate in estimators.items():
                surrogate = (estimate(rewards.view(32, 8)).flatten() * log_prob).mean()
                gradients = torch.autograd.grad(surrogate, list(parameters.values()), retain_graph=True)
                vector = torch.cat([gradient.flatten() for gradient in gradients])
                sums[name] += vector
                squares[name] += float(vector.square().sum())
            if batch < SCORE_BATCHES:
                norms.append(squared_scores(model, answers))
                successes.append(rewards)
    norm, right = torch.cat(norms), torch.cat(successes)
    n = GRADIENT_BATCHES
    return {
        "variance": {name: (squares[name] - float(sums[name].square().sum()) / n) / (n - 1) for name in estimators},
        "scores": {"right": float(norm[right > 0].mean()), "wrong": float(norm[right == 0].mean())},
        "success": float(right.mean()),
        "best_baseline": float((norm * right).mean() / norm.mean()),
    }


def squared_scores(model: Transformer, answers: Answers) -> Tensor:
    """|grad log pi(answer | prompt)|^2 of each answer [B]."""
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

    def log_prob(weights: dict[str, Tensor], prompt: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        text = torch.cat([prompt, tokens[:-1]]).unsqueeze(0)
        logits = functional_call(model, weights, (text,))[0, len(prompt) - 1 :]
        return (logits.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1) * mask).sum()

    scores = vmap(grad(log_prob), in_dims=(None, 0, 0, 0))(parameters, answers.prompts, answers.tokens, answers.mask)
    squares: Tensor = torch.stack([score.square().flatten(1).sum(-1) for score in scores.values()]).sum(0)
    return squares
