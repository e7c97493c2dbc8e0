"""Questions in the page, and how well the learner knows what they know."""

from .ask import build_prediction, build_quiz, predict, quiz
from .lines import check_line

__all__ = ["build_prediction", "build_quiz", "check_line", "predict", "quiz"]
