"""Write names, counts and shapes as the short words of an architecture's boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kerasviz.model.layer_call import Shape

MAX_NAMES = 3
"""How many names a box lists; of more it writes the first and the last."""


def common_start(texts: Sequence[str]) -> str:
    """Return the letters with which all texts begin."""
    first, last = min(texts), max(texts)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[:same]


def span_names(names: Sequence[str]) -> str:
    """Write names as one, with what tells them apart: `block2–6_conv`, `conv_3, 7, 11`."""
    if len(set(names)) == 1:
        return names[0]
    start = len(re.sub(r"\d*$", "", common_start(list(names))))
    backwards = common_start([name[start:][::-1] for name in names])[::-1]
    end = len(re.sub(r"^\d*", "", backwards))
    middles = [name[start : len(name) - end] for name in names]
    before, after = names[0][:start], names[0][len(names[0]) - end :]
    numbers = [int(x) for x in middles if x.isdecimal()]
    letters = [ord(x) for x in middles if len(x) == 1 and x.isalpha()]
    steps = numbers if len(numbers) == len(names) else letters
    if len(steps) == len(names) > 2 and steps == list(range(steps[0], steps[0] + len(names))):
        return f"{before}{middles[0]}–{middles[-1]}{after}"
    if not before or not all(middles) or any(re.search(r"[/:]", x) for x in middles):
        before, middles, after = "", list(names), ""
    if len(middles) > MAX_NAMES:
        return f"{before}{middles[0]}, {middles[1]} … {middles[-1]}{after}"
    return before + ", ".join(middles) + after


def spread_settings(texts: Sequence[str]) -> str:
    """Write a setting that differs between repeats from the smallest to the largest."""
    unique = list(dict.fromkeys(texts))
    if len(unique) == 1:
        return unique[0]
    try:
        unique = sorted(unique, key=float)
    except ValueError:
        return ", ".join(unique)
    return f"{unique[0]}–{unique[-1]}"


def short_count(count: int) -> str:
    """Write a number with five digits, or with three and k, M or G."""
    if count < 100_000:
        return f"{count:,}"
    for unit, name in ((1e9, "G"), (1e6, "M")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.3g}{name}"
    return f"{count / 1e3:.3g}k"


def one_line(text: str) -> str:
    """Return text with a space for each character that cannot be printed, such as a line break."""
    return "".join(char if char.isprintable() else " " for char in text)


def shape_text(shape: Shape) -> str:
    """Write the shape of one sample; what is not known is ?."""
    return "×".join("?" if size is None else str(size) for size in shape[1:]) or "scalar"


def spread_shape(shapes: Sequence[Shape]) -> str:
    """Write the shape of repeats: `56×56×64–256` where they differ along an axis."""
    if len(set(shapes)) == 1:
        return shape_text(shapes[0])
    axes = [[size for size in sizes if size is not None] for sizes in zip(*shapes, strict=True)]
    return "×".join(map(_spread_sizes, axes[1:]))


def _spread_sizes(sizes: Sequence[int]) -> str:
    if not sizes:
        return "?"
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low}–{high}"
