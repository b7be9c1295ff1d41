"""Shared keywords, written out in the signature of each function that takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def shows_keywords(
    options: type, defaults: Mapping[str, Any], *, without: tuple[str, ...] = ()
) -> Callable[[Function], Function]:
    """Return a decorator that writes out `**options` in a function's signature.

    Type checkers read the shared keywords from `Unpack[...]`; `help()`, `inspect.signature` and
    completion in a notebook read them from here. What the function does stays as it was.

    Args:
        options: The `TypedDict` of the keywords.
        defaults: The default of each.
        without: Keywords that the function has itself, or refuses.
    """

    def show(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        shared = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults[name],
                annotation=getattr(annotation, "__forward_arg__", annotation),
            )
            for name, annotation in options.__annotations__.items()
            if name not in without
        ]
        function.__dict__["__signature__"] = signature.replace(parameters=[*own, *shared])
        return function

    return show
