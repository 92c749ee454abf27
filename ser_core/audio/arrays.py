"""Samples that a program hands over, of whatever numeric type, to float32 `[channels, samples]` in ±1."""

from __future__ import annotations

import array
import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ser_core.audio.blocks import MAX_CHANNELS
from ser_core.errors import AudioError

LOUDEST_FLOAT = 32.0
"""Floating-point samples that go beyond are no sound in ±1 that was made 30 dB too loud, but integers."""

SPIKES = 0.001
"""Share of samples: where no more than these go beyond `LOUDEST_FLOAT`, they are damage, and the others the sound."""

WIDTHS = (16, 24, 32, 64)  # bits of a sample


class Scaled(NamedTuple):
    """Float32 `[channels, samples]` in ±1, and sentences about how they came to be."""

    samples: np.ndarray
    warnings: tuple[str, ...] = ()


def as_pair(source: object) -> tuple[Any, Any] | None:
    """Rate and samples, if that is what a pair holds, in either order: a number and what is none."""
    if not isinstance(source, tuple | list) or len(source) != 2:
        return None
    for rate, samples in (source, source[::-1]):
        if _is_number(rate) and not _is_number(samples) and not isinstance(samples, str | bytes | None):
            return rate, samples
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Number) or (has(value, "__array__") and getattr(value, "ndim", None) == 0)


def in_hz(rate: Any) -> int:
    """A sample rate as a whole number, whatever type it has.

    Raises:
        AudioError: it is none.
    """
    try:
        if (whole := int(rate)) == rate:
            return whole
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last of a tensor
        pass
    raise AudioError(f"A sample rate is a whole number of Hz, not {rate!r}.")


def is_array(source: object) -> bool:
    """Whether it is an array, or what numpy can make one of: a list, a tensor, a Series."""
    return isinstance(source, list | tuple | np.ndarray | array.array) or has(source, "__array__")


def has(source: object, name: str) -> bool:
    """Whether it has such an attribute; it has not where to ask for it fails, as with many a `__getattr__`."""
    try:
        return hasattr(source, name)
    except Exception:  # noqa: BLE001 (which may be any)
        return False


@contextmanager
def code_of(who: str) -> Iterator[None]:
    """What goes wrong in here, which is code of whoever made the source, is a sentence about it.

    Args:
        who: the source, to begin a sentence with.

    Raises:
        AudioError: something did.
    """
    try:
        yield
    except (AudioError, MemoryError):
        raise
    except Exception as error:
        raise AudioError(f"{who} can't be read ({type(error).__name__}: {error}).") from error


def type_of(source: object) -> str:
    """Its type, to begin a sentence with."""
    return f"The {type(source).__name__}"


def to_array(source: Any) -> np.ndarray:
    """An array of what `is_array`.

    Raises:
        AudioError: it holds no numbers, or lists of different lengths; or what it does to become an array fails.
    """
    with code_of(type_of(source)):
        return _to_array(source)


def _to_array(source: Any) -> np.ndarray:
    if has(source, "detach"):
        source = _of_tensor(source)
    try:
        samples = np.asarray(source)
    except (TypeError, ValueError):
        raise AudioError(
            f"The {type(source).__name__} holds no samples: give numbers, all channels of the same length."
        ) from None
    # A table has a row for each sample.
    return samples.T if has(source, "columns") else samples


def _of_tensor(tensor: Any) -> Any:
    """A tensor as numpy takes it: it may need a gradient, lie on a GPU, and be kept in many a way."""
    if tensor.is_nested:
        raise AudioError("A nested tensor holds several recordings: give them one by one.")
    tensor = tensor.detach().cpu()
    tensor = tensor.dequantize() if getattr(tensor, "is_quantized", False) else tensor
    tensor = tensor.to_dense() if str(tensor.layout) != "torch.strided" else tensor
    return (tensor.float() if tensor.is_floating_point() else tensor).resolve_conj().resolve_neg()


def scaled(array: np.ndarray) -> Scaled:
    """Samples in ±1: integers by their full scale.

    The full scale of integers of more than 16 bits, and of numbers that are no integers but far too large, is the
    smallest of 16, 24, 32 and 64 bits that holds them all.

    Raises:
        AudioError: they are no numbers, not of one or two dimensions, or too large for anything.
    """
    if array.ndim not in (1, 2):
        raise AudioError(f"An array of samples has 1 or 2 dimensions ([channels, samples]), not {array.ndim}.")
    if array.dtype.kind not in "iuf":
        raise AudioError(f"Samples of type {array.dtype} are not supported; use float or integer samples.")
    array = np.atleast_2d(array)
    of_type = by_type(array)
    if array.dtype.kind == "u" or (array.dtype.itemsize < 4 and array.dtype.kind == "i") or not array.size:
        return Scaled(of_type)
    peak = _peak(array)
    if array.dtype.kind == "f" and not LOUDEST_FLOAT < peak < np.inf:
        return Scaled(of_type)
    width = width_of(peak)
    if width is None:
        raise AudioError(f"The samples go up to {peak:.3g}, which is no sound: bring them to ±1.")
    if array.dtype.kind == "f" and are_spikes(n_beyond := _n_beyond(array), array.size):
        raise AudioError(spiked("The audio", n_beyond, peak))
    if array.dtype.kind == "i" and width == 8 * array.dtype.itemsize:
        return Scaled(of_type)
    return Scaled((array / 2.0 ** (width - 1)).astype(np.float32), (taken_for(peak, width),))


def width_of(peak: float) -> int | None:
    """Bits of the numbers of which the largest is this one; None where no sound has such numbers."""
    return next((width for width in WIDTHS if peak <= 2.0 ** (width - 1)), None)


def are_spikes(n_beyond: int, n_samples: int) -> bool:
    """Whether so few samples go beyond `LOUDEST_FLOAT` that they are no sound, of whatever scale, but damage."""
    return 0 < n_beyond <= SPIKES * n_samples


def spiked(name: str, n_beyond: int, peak: float) -> str:
    """The sentence about a recording with such samples; `name` begins it."""
    samples = "a single sample" if n_beyond == 1 else f"{n_beyond:,} samples"
    return (
        f"{name} is damaged: {samples} of it go{'es' * (n_beyond == 1)} up to {peak:.3g}, and all others lie in "
        f"±{LOUDEST_FLOAT:g}. Cut that out, or export it again."
    )


def _n_beyond(array: np.ndarray) -> int:
    return int((array > LOUDEST_FLOAT).sum()) + int((array < -LOUDEST_FLOAT).sum())


def taken_for(peak: float, width: int) -> str:
    """The warning of samples that were scaled by what they look like."""
    return f"The samples go up to {peak:,.0f} and were taken for {width}-bit numbers."


def by_type(array: np.ndarray) -> np.ndarray:
    """Samples in ±1 by nothing but their type: integers by its full scale, floats as they are."""
    if array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    half = 2.0 ** (8 * array.dtype.itemsize - 1)  # unsigned ones have their zero there
    return ((array - half if array.dtype.kind == "u" else array) / half).astype(np.float32)


def _peak(array: np.ndarray) -> float:
    """The largest absolute value, without a copy of the array."""
    return max(float(array.max()), -float(array.min()))


def rows_are_samples(shape: tuple[int, ...]) -> bool | None:
    """Whether an array is plainly `[samples, channels]`, as sound cards give it; None where it may be so or turned.

    Raises:
        AudioError: it has too many channels either way.
    """
    rows, columns = shape
    if min(rows, columns) > MAX_CHANNELS or (rows > MAX_CHANNELS and not columns):
        raise AudioError(f"Samples of shape {shape} have {rows} channels; 1 to {MAX_CHANNELS} are supported.")
    if rows > MAX_CHANNELS:
        return True
    return None if 0 < columns <= MAX_CHANNELS else False


def block_of(samples: Any) -> np.ndarray:
    """A block of a signal in ±1, float32 of one or two dimensions, scaled by its type: what other blocks hold isn't
    known.

    Raises:
        AudioError: nothing says what its numbers mean: integers of 64 bits, floats far beyond ±1, no numbers.
    """
    if not is_array(samples):
        raise AudioError(f"A block of a signal is an array of samples, not of type {type(samples).__name__}.")
    array = to_array(samples)
    if array.ndim not in (1, 2) or array.dtype.kind not in "iuf":
        raise AudioError(
            f"A block of a signal is [samples] or [channels, samples] of numbers, not {array.shape} of {array.dtype}."
        )
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        raise AudioError(f"The scale of {array.dtype} samples isn't known: give int16, int32 or float in ±1.")
    block = by_type(array)
    if not np.isfinite(block).all():
        raise AudioError("The signal holds values that are not numbers.")
    if (peak := float(np.abs(block).max(initial=0.0))) > LOUDEST_FLOAT:
        raise AudioError(f"The signal goes up to {peak:,.0f}: divide it by its full scale, so that it lies in ±1.")
    return block
