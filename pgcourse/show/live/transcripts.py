"""What a language model answers at stages of its training, its probability of each token as a shade, in the page."""

import html
from collections.abc import Sequence
from typing import Any

from torch import nn

from ...errors import InvalidInput
from ...language.sampling import sample
from ...language.tasks import Task
from ...language.text import ALPHABET, encode
from ...optim import seeded
from ...training import Progress
from .. import page
from .embed import live

END_SIGN = "·"  # a token that no text shows
Answer = dict[str, Any]  # tokens: signs; probabilities: of each, rounded; right: bool


class Transcripts:
    """An `on_iteration` that lets the model answer the same prompts every few updates; `show` puts them in the page.

    Looking changes nothing: the answers are drawn from a random stream of their own.
    Args: model: before training. prompts: texts. every: updates between two looks. samples: answers to each prompt.
    """

    def __init__(
        self, task: Task, model: nn.Module, prompts: Sequence[str], *, every: int = 10, samples: int = 3, seed: int = 0
    ) -> None:
        if not prompts or every < 1 or samples < 1:
            raise InvalidInput(
                f"{len(prompts)} prompts, every={every}, samples={samples}; give at least one prompt, and 1 or more of each"
            )
        self.task, self.prompts, self.every, self.samples, self.seed = task, list(prompts), every, samples, seed
        self.stages: list[list[list[Answer]]] = [self.answers(model)]  # [looks][prompts][samples]

    def __call__(self, progress: Progress) -> None:
        if progress.iteration % self.every == 0:
            self.stages.append(self.answers(progress.policy))

    def answers(self, model: nn.Module) -> list[list[Answer]]:
        """What the model answers now: `samples` answers to each prompt."""
        device = next(model.parameters()).device
        asked = [prompt for prompt in self.prompts for _ in range(self.samples)]
        with seeded(self.seed):
            drawn = sample(model, encode(asked).to(device), max_tokens=self.task.max_tokens)
        found = []
        for prompt, tokens, mask, log_prob in zip(asked, drawn.tokens, drawn.mask, drawn.log_prob, strict=True):
            signs = [ALPHABET[token] if token < len(ALPHABET) else END_SIGN for token in tokens[mask].tolist()]
            text = "".join(signs).removesuffix(END_SIGN)
            probabilities = [round(probability, 3) for probability in log_prob[mask].exp().tolist()]
            found.append({"tokens": signs, "probabilities": probabilities, "right": self.task.verify(prompt, text)})
        return [found[start : start + self.samples] for start in range(0, len(found), self.samples)]

    def words(self, stage: int) -> str:
        """How many of a look's answers are right."""
        answers = [answer for row in self.stages[stage] for answer in row]
        return f"After {stage * self.every} updates {sum(a['right'] for a in answers)} of {len(answers)} answers are right."

    def table(self, stage: int) -> str:
        """A look as HTML, for where no script runs."""
        rows = []
        for prompt, answers in zip(self.prompts, self.stages[stage], strict=True):
            cells = "".join(f"<td>{_shaded(answer)}</td>" for answer in answers)
            rows.append(
                f'<tr><th scope="row"><code style="white-space:pre">{html.escape(prompt)}</code></th>{cells}</tr>'
            )
        return f'<table class="pg-answers"><tbody>{"".join(rows)}</tbody></table>'

    def output(self) -> dict[str, str]:
        """Display data: a table of answers, and a slider over the updates."""
        last = len(self.stages) - 1
        still = "".join(f"<p>{self.words(stage)}</p>{self.table(stage)}" for stage in sorted({0, last}))
        given = {"prompts": self.prompts, "every": self.every, "stages": self.stages}
        return live(
            "transcripts",
            given,
            still=still,
            alt=f"A table of prompts and answers of a language model, {self.samples} to each prompt, before training and every "
            f"{self.every} updates after. {self.words(0)} {self.words(last)}",
            caption="The stronger the shade of a token, the surer the model was of it; the point is the end of an answer.",
        )

    def show(self) -> None:
        """Show it in the page."""
        page.display(self.output(), raw=True)


def _shaded(answer: Answer) -> str:
    """The tokens, each on a shade of its probability, and the verdict in a sign and a word."""
    tokens = "".join(
        f'<span style="--pg-p:{probability:g}" title="{probability:g}">{html.escape(token)}</span>'
        for token, probability in zip(answer["tokens"], answer["probabilities"], strict=True)
    )
    sign, word = ("✓", "right") if answer["right"] else ("✗", "wrong")
    return f'<code style="white-space:pre">{tokens}</code> <span role="img" aria-label="{word}">{sign}</span>'
