"""Choose in which row of a layered layout each item is."""

from __future__ import annotations

from collections.abc import Iterable


def rank(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the row of each item: the first that is below all that leads to it.

    An item to which nothing leads, but what leads to nothing else, is right above what it leads to
    and not further up: so a second input is beside the place where it is needed.

    Args:
        count: Number of items.
        pairs: Which item leads to which.

    Raises:
        ValueError: The pairs lead in a circle.
    """
    successors: list[set[int]] = [set() for _ in range(count)]
    predecessors: list[set[int]] = [set() for _ in range(count)]
    for a, b in pairs:
        successors[a].add(b)
        predecessors[b].add(a)
    order = topological_order(count, [(a, b) for a in range(count) for b in successors[a]])
    ranks, is_loose = [0] * count, [False] * count
    for item in order:
        ranks[item] = max((ranks[other] + 1 for other in predecessors[item]), default=0)
        is_loose[item] = all(
            is_loose[other] and len(successors[other]) == 1 for other in predecessors[item]
        )
    for item in reversed(order):
        if is_loose[item] and successors[item]:
            ranks[item] = min(ranks[other] for other in successors[item]) - 1
    return ranks


def topological_order(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the items so that each comes after all that leads to it.

    Raises:
        ValueError: The pairs lead in a circle.
    """
    successors: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in pairs:
        successors[a].append(b)
        waiting[b] += 1
    order = [item for item in range(count) if not waiting[item]]
    for item in order:  # which grows while it is read
        for other in successors[item]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    if len(order) < count:
        raise ValueError("The edges of a layered layout must not lead in a circle.")
    return order


def depth_first(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the items as they are met from the last ones upwards.

    So those that lead to the same item come in the order in which they lead to it: the branches of
    a concatenation are drawn from left to right as they are concatenated.
    """
    predecessors: list[list[int]] = [[] for _ in range(count)]
    is_last = [True] * count
    for a, b in pairs:
        predecessors[b].append(a)
        is_last[a] = False
    order: dict[int, None] = {}
    to_visit = [item for item in reversed(range(count)) if is_last[item]]
    while to_visit:
        waiting = [other for other in predecessors[to_visit[-1]] if other not in order]
        if waiting:
            to_visit += reversed(waiting)
        else:
            order[to_visit.pop()] = None
    return list(order)
