"""Answers of a language model in a page: the script shows the table of Python, and the slider goes through the updates."""

from typing import Any

import pytest
import torch

from pgcourse.language.config import LanguageConfig
from pgcourse.language.tasks import SORTING
from pgcourse.language.training import train
from pgcourse.language.transformer import Transformer
from pgcourse.show import page as pages
from pgcourse.show.live.transcripts import Transcripts

pytestmark = pytest.mark.slow


def test_the_slider_shows_the_answers_of_each_look(chromium: Any) -> None:
    torch.manual_seed(0)
    model = Transformer()
    seen = Transcripts(SORTING, model, ["321654>", "000001>"], every=2)
    train(LanguageConfig(num_updates=4, num_prompts=2, num_samples=2), model, on_iteration=seen)
    tab = chromium.new_page()
    tab.route("**/*", lambda route: route.abort())
    tab.set_content(f"<html><head>{pages.style_element()}</head><body>{seen.output()['text/html']}</body></html>")
    stage = tab.locator(".pg-stage")
    slider = stage.get_by_label("updates", exact=True)
    for look in range(3):
        assert stage.locator("table").evaluate("table => table.outerHTML") == tab.evaluate(
            "html => { const box = document.createElement('div'); box.innerHTML = html; return box.innerHTML; }",
            seen.table(look),
        )
        assert stage.locator(".pg-words").text_content() == seen.words(look)
        slider.press("ArrowRight")
    shades = stage.locator("code span").evaluate_all("all => all.map(span => getComputedStyle(span).backgroundColor)")
    assert len(set(shades)) > 5
    assert not tab.locator(".pg-still").is_visible()
    tab.close()
