"""JavaScript inside an output: one script without imports, its data, and the picture beside it."""

import json
import re

import numpy as np
import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.show.live.embed import HERE, as_json, bundle, live, name_of

MODULES = sorted(path.relative_to(HERE).with_suffix("").as_posix() for path in HERE.rglob("*.js"))


@pytest.mark.parametrize("module", MODULES)
def test_a_bundle_has_no_import_no_export_and_no_request(module: str) -> None:
    script = bundle(module)
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE), (
        "an import or export in another form than ours"
    )
    assert "import(" not in script
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "src="):
        assert word not in script, f"{word} would ask another machine"
    assert "https://" not in script and "http://" not in script.replace("http://www.w3.org/2000/svg", "")
    assert "</script" not in script


def test_a_module_stands_behind_those_that_it_imports_and_only_once() -> None:
    script = bundle("explainers/discount")
    places = [script.index(f"const {name_of(module)} =") for module in ("chart", "explain", "explainers/discount")]
    assert places == sorted(places)
    assert script.count("const $chart =") == 1


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"no explainers/nothing\.js"):
        bundle("explainers/nothing")


def test_data_cannot_end_the_script_and_keep_their_values() -> None:
    data = {
        "words": "</script><!-- é",
        "numbers": np.array([1.0, 0.1]),
        "tensor": torch.tensor([[1, 2]]),
        "more": (1.5, None),
    }
    text = as_json(data)
    assert "<" not in text
    assert json.loads(text) == {
        "words": "</script><!-- é",
        "numbers": [1, 0.1],
        "tensor": [[1, 2]],
        "more": [1.5, None],
    }


def test_what_is_no_json_is_refused_in_one_line() -> None:
    for wrong in ({"x": object()}, [float("nan")]):
        with pytest.raises(InvalidInput, match="cannot be sent to the page"):
            as_json(wrong)


def test_the_picture_is_there_without_the_script_and_alt_text_is_asked_for() -> None:
    shown = live(
        "explainers/discount", {"controls": [], "data": None}, still="<img alt='a line'>", alt="a line", caption="Look."
    )
    before, _, after = shown["text/html"].partition("<script")
    assert "<img alt='a line'>" in before and "<figcaption>Look.</figcaption>" in before
    assert after.rstrip().endswith("</script></figure>")
    assert shown["text/plain"] == "[Picture: a line]\nLook."
    with pytest.raises(InvalidInput, match="alt is empty"):
        live("explainers/discount", None, still="", alt=" ")
