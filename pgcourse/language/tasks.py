"""Tasks whose answers a few lines of code can verify, and demonstrations of them that are not all good.

    SORTING   "352941>"      -> "123459"                      six digits in order, all at once
    DIAL      "k 3M2   >"    -> "=m", or "nkm=m"              a dial of 24 letters: 1, 2, 3 turn it on, M mirrors it
    TURTLE    "c4N FFR   >"  -> "=c1E", or "c5Nc1Nc1E=c1E"    column, row and heading: forward, left, right

In the last two what stands before "=" is free: the model may write down the states on the way, or guess the last one at
once. Dial and map are closed to rings: behind x comes a, behind row 5 row 1. Prompts of a task have one length.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwx"
COLUMNS, ROWS = "abcde", "12345"
HEADINGS = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}  # to the right by one each


@dataclass(frozen=True)
class Task:
    """Prompts, the steps that lead from a prompt to its answer, and how good the demonstrations are.

    A prompt is a state, a space, the moves, and ">"; or a state and ">" where there is one step and nothing to say of it.

    Fields:
      max_tokens: of an answer, its END counted.
      draw_state: generator -> a state to begin with.
      moves: what a step can be, a character each; "" where there is one step alone.
      step: (state, move) -> the next state.
      num_steps: least and most, drawn evenly.
      slips: probability that a step of a demonstration goes wrong; the demonstration goes on from there.
      written: share of the demonstrations that write their states down; the others give the last one at once.
      imitation_steps: gradient steps of imitation, after which answers have the task's form and are right now and then.
      slip: (generator, state) -> what a step that goes wrong leads to; any state where it is None.
    """

    name: str
    max_tokens: int
    draw_state: Callable[[np.random.Generator], str]
    moves: str
    step: Callable[[str, str], str]
    num_steps: tuple[int, int]
    slips: float
    written: float
    imitation_steps: int
    slip: Callable[[np.random.Generator, str], str] | None = None

    def prompts(
        self, count: int, generator: np.random.Generator, *, num_steps: tuple[int, int] | None = None
    ) -> list[str]:
        """So many prompts of one length. Args: num_steps: least and most, where other than the task's own are wanted."""
        if not self.moves:
            return [self.draw_state(generator) + ">" for _ in range(count)]
        low, high = num_steps or self.num_steps
        texts = []
        for _ in range(count):
            moves = generator.choice(list(self.moves), size=generator.integers(low, high + 1))
            texts.append(f"{self.draw_state(generator)} {''.join(moves):<{self.num_steps[1]}}>")
        return texts

    def states(self, prompt: str, *, after: Callable[[str], str] = lambda state: state) -> list[str]:
        """The states after each step, the last one the answer. Args: after: what becomes of each before the next step."""
        state, _, moves = prompt[:-1].rstrip().partition(" ")
        states = []
        for move in moves or [""]:
            state = after(self.step(state, move))
            states.append(state)
        return states

    def demonstrate(self, prompt: str, generator: np.random.Generator) -> str:
        """An answer as a careless teacher gives it."""

        def careless(state: str) -> str:
            if generator.random() >= self.slips:
                return state
            return self.slip(generator, state) if self.slip else self.draw_state(generator)

        states = self.states(prompt, after=careless)
        if not self.moves:
            return states[-1]
        return f"{''.join(states)}={states[-1]}" if generator.random() < self.written else f"={states[-1]}"

    def verify(self, prompt: str, answer: str) -> bool:
        """Whether the answer is right: all of it, or what stands behind its last "=" where there are moves."""
        if self.moves:
            _, sign, answer = answer.rpartition("=")
            if not sign:
                return False
        return answer == self.states(prompt)[-1]


def draw_digits(generator: np.random.Generator) -> str:
    """Six digits, repeats allowed."""
    return "".join(map(str, generator.integers(0, 10, size=6)))


def sort_digits(digits: str, _: str) -> str:
    """The digits in order."""
    return "".join(sorted(digits))


def swap_neighbours(generator: np.random.Generator, digits: str) -> str:
    """The digits with two neighbours that differ changed places; as they are where all are equal."""
    places = [i for i in range(len(digits) - 1) if digits[i] != digits[i + 1]]
    if not places:
        return digits
    i = int(generator.choice(places))
    return digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]


def draw_letter(generator: np.random.Generator) -> str:
    """A letter of the dial."""
    return str(generator.choice(list(LETTERS)))


def turn(letter: str, move: str) -> str:
    """The dial turned on by 1, 2 or 3 letters, or mirrored."""
    place = LETTERS.index(letter)
    return LETTERS[-1 - place] if move == "M" else LETTERS[(place + int(move)) % len(LETTERS)]


def draw_turtle(generator: np.random.Generator) -> str:
    """Column, row and heading."""
    return "".join(str(generator.choice(list(kind))) for kind in (COLUMNS, ROWS, HEADINGS))


def walk(state: str, move: str) -> str:
    """The turtle after a step forward, or a turn to the left or to the right."""
    column, row, heading = list(state)
    if move == "F":
        right, up = HEADINGS[heading]
        return COLUMNS[(COLUMNS.index(column) + right) % 5] + ROWS[(ROWS.index(row) + up) % 5] + heading
    compass = list(HEADINGS)
    return column + row + compass[(compass.index(heading) + (1 if move == "R" else -1)) % 4]


SORTING = Task(
    "sorting", 8, draw_digits, "", sort_digits, num_steps=(1, 1), slips=0.9, written=0.0, imitation_steps=120,
    slip=swap_neighbours,
)  # fmt: skip
DIAL = Task("dial", 10, draw_letter, "123M", turn, num_steps=(3, 6), slips=0.5, written=0.5, imitation_steps=2000)
TURTLE = Task("turtle", 23, draw_turtle, "FLR", walk, num_steps=(3, 6), slips=0.3, written=0.5, imitation_steps=2000)
TASKS = {task.name: task for task in (SORTING, DIAL, TURTLE)}
