"""What a child may send as arrays."""

from typing import Any

import numpy as np
import pytest

from pgcourse.grading.quarantine.sandbox.arrays import MAX_AXES, MAX_WORDS, decode_array, decode_arrays, encode_array
from pgcourse.grading.quarantine.sandbox.wire import BadMessage


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 0, 3), (1,) * MAX_AXES])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_arrays_come_back_as_they_were(shape: tuple[int, ...], dtype: str) -> None:
    given = np.arange(int(np.prod(shape))).astype(dtype).reshape(shape)
    back = decode_array(encode_array(given))
    assert back.dtype == given.dtype and np.array_equal(back, given) and back.shape == shape


@pytest.mark.parametrize("shape", [[1] * (MAX_AXES + 1), [10**6, 0], [0, 10**6], [2**28, 0], [-1], [True], [1.0]])
def test_shapes_that_cost_more_than_their_bytes_are_refused(shape: list[Any]) -> None:
    content = "" if 0 in shape else "AA=="
    with pytest.raises(BadMessage, match="broken shape"):
        decode_array(["uint8", shape, content])


WORD, WORDS, NUMBER = np.array("tensor"), np.array(["a", "b"]), np.zeros((), np.uint8)


@pytest.mark.parametrize(
    "name",
    ["result.kind", "result/0.dtype", "distribution", "0/distribution", "misfit", "the mean after 1 update.kind"],
)
def test_where_a_word_must_be_stands_one(name: str) -> None:
    assert decode_arrays({name: encode_array(WORD)})[name] == WORD
    for other in (WORDS, NUMBER, np.zeros(10**6, np.uint8)):
        with pytest.raises(BadMessage, match="where a word must be"):
            decode_arrays({name: encode_array(other)})


@pytest.mark.parametrize("name", ["mutated", "left", "error", "error.bases"])
def test_where_words_must_be_stand_some(name: str) -> None:
    assert decode_arrays({name: encode_array(WORDS)})[name].tolist() == ["a", "b"]
    for other in (WORD, WORDS[None], np.zeros(3, np.uint8), np.zeros((2, 2), np.uint8)):
        with pytest.raises(BadMessage, match="where a word must be"):
            decode_arrays({name: encode_array(other)})


def test_an_entry_of_a_result_may_bear_the_name_of_a_word() -> None:
    assert decode_arrays({"result/left": encode_array(np.zeros(3))})["result/left"].shape == (3,)


@pytest.mark.parametrize("name", ["log_std shape", "0/batch shape", "event shape", "shape"])
def test_where_a_shape_must_be_stands_one(name: str) -> None:
    for right in (np.zeros(0, np.int64), np.array([3, 2])):
        assert np.array_equal(decode_arrays({name: encode_array(right)})[name], right)
    for other in (np.zeros((1400, 1400), np.float16), np.zeros(10**6, np.int64), np.array(3), WORDS):
        with pytest.raises(BadMessage, match="where a shape must be"):
            decode_arrays({name: encode_array(other)})


def test_an_observation_has_so_many_words() -> None:
    words = {f"w{n}": encode_array(np.array(["a"] * 500)) for n in range(MAX_WORDS // 500)}
    assert len(decode_arrays(words)) == len(words)
    with pytest.raises(BadMessage, match="words"):
        decode_arrays(words | {"more": encode_array(WORD)})
