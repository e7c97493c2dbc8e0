"""Arrays and the inputs of exercises as JSON. Nothing is ever unpickled; what does not fit together is refused."""

import binascii
import math
from typing import Any

import numpy as np
import torch

from pgcourse.grading.quarantine.sandbox.wire import BadMessage, plain_text

Arrays = dict[str, np.ndarray]

MAX_ARRAYS = 2000  # in one observation; right answers have 700 at most
MAX_WORDS = 4000  # in all of one observation
MAX_TEXTS = 1000  # in one array
MAX_AXES = 8  # NumPy writes an array of many axes out in full, however many numbers it holds
MAX_EMPTY = 1000  # places along the other axes of an array without numbers, which no bytes count
MAX_CHARACTERS = 10**6  # of one array of text, in which each takes as much memory as the longest
MAX_BYTES = 5 * 2**20  # of the arrays of one observation, decoded
# Of numbers; text travels as a list. A dtype that is not here (object, complex, void) is no observation.
SHAPES = ("shape", "batch shape", "event shape", "log_std shape")  # lists of whole numbers
# Words about a value: their number of axes.
WORDS = {"distribution": 0, "misfit": 0, "error": 1, "error.bases": 1, "mutated": 1, "left": 1}
DTYPES = {
    name: np.dtype(name)
    for name in (
        "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    )
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}  # NumPy puts a name together anew each time, slowly


def encode_case(value: Any) -> Any:
    """An input of an exercise as JSON: tensors, numbers, text, None, and tuples and lists of these."""
    if isinstance(value, torch.Tensor):
        return {"tensor": encode_array(value.detach().numpy())}
    if isinstance(value, tuple | list):
        return {"tuple" if isinstance(value, tuple) else "list": [encode_case(part) for part in value]}
    if isinstance(value, dict):
        return {"dict": {name: encode_case(part) for name, part in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"an input of type {type(value).__name__} cannot be sent; use tensors, numbers, text, tuples or lists"
    )


def decode_case(data: Any) -> Any:
    """What `encode_case` was given."""
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == "tensor":
        return torch.from_numpy(decode_array(content).copy())
    if kind == "dict":
        return {name: decode_case(part) for name, part in content.items()}
    return (tuple if kind == "tuple" else list)(decode_case(part) for part in content)


def encode_arrays(arrays: Arrays) -> dict[str, Any]:
    """An observation as JSON."""
    return {name: encode_array(array) for name, array in arrays.items()}


def decode_arrays(data: Any) -> Arrays:
    """What `encode_arrays` was given. Raises: BadMessage for anything that it would not have written."""
    if not isinstance(data, dict) or len(data) > MAX_ARRAYS:
        raise BadMessage("an observation that is no table of arrays")
    found: Arrays = {}
    left, words = MAX_BYTES, MAX_WORDS
    for name, value in data.items():
        found[plain_text(name, 300)] = array = decode_array(value)
        plain = name.lstrip("0123456789").removeprefix("/")
        axes = 0 if name.endswith((".kind", ".dtype")) else WORDS.get(plain)
        if axes is not None and (array.dtype.kind != "U" or array.ndim != axes):
            raise BadMessage("something else where a word must be")
        if plain in SHAPES and (array.dtype.kind != "i" or array.ndim != 1 or len(array) > MAX_AXES):
            raise BadMessage("something else where a shape must be")
        left -= array.nbytes
        words -= array.size if array.dtype.kind == "U" else 0
        if left < 0 or words < 0:
            raise BadMessage(f"an observation of more than {MAX_BYTES // 2**20} MB, or {MAX_WORDS} words")
    return found


def encode_array(array: Any) -> list[Any]:
    """[dtype, shape, base64 of the bytes], or ["text", shape, list of the strings]."""
    array = np.asarray(array)
    if array.dtype.kind == "U":
        return ["text", list(array.shape), [str(text) for text in array.ravel().tolist()]]
    if (name := NAMES.get(array.dtype)) is None:
        raise BadMessage(f"an array of {array.dtype}")
    return [name, list(array.shape), binascii.b2a_base64(array.tobytes(), newline=False).decode("ascii")]


def decode_array(data: Any) -> np.ndarray:
    """What `encode_array` was given. Raises: BadMessage where kind, shape and size do not fit together."""
    try:
        if type(data) is not list or len(data) != 3 or type(data[0]) is not str or type(data[1]) is not list:
            raise BadMessage("an array of another form")
        name, shape, content = data
        if type(content) is not (list if name == "text" else str):
            raise BadMessage("an array with something else in it")
        if len(shape) > MAX_AXES or not all(type(size) is int and size >= 0 for size in shape):
            raise BadMessage("an array with a broken shape")
        numbers = math.prod(shape)
        # Also [10**9, 0], which has no bytes: a billion rows for whoever goes through them.
        if numbers > MAX_BYTES or (not numbers and math.prod(size or 1 for size in shape) > MAX_EMPTY):
            raise BadMessage("an array with a broken shape")
        if name == "text":
            if len(content) > MAX_TEXTS or len(content) != numbers:
                raise BadMessage("an array of text of another size")
            if not all(type(text) is str for text in content):
                raise BadMessage("an array of text with something else in it")
            texts = [plain_text(text, 2000) for text in content]
            if len(texts) * max(map(len, texts), default=0) > MAX_CHARACTERS:
                raise BadMessage("an array of too much text")
            return np.array(texts, dtype=str).reshape(shape)
        if (dtype := DTYPES.get(name)) is None:
            raise BadMessage("an array of a dtype that holds no plain numbers")
        raw = binascii.a2b_base64(str(content), strict_mode=True)
        if len(raw) != numbers * dtype.itemsize:
            raise BadMessage("an array whose size does not fit its shape")
        return np.frombuffer(raw, dtype=dtype).reshape(shape)
    except BadMessage:
        raise
    except Exception as error:
        raise BadMessage(f"an array that cannot be read ({type(error).__name__})") from None
