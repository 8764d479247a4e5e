"""How far weights moved from their initial values."""

from __future__ import annotations

from normreport.statistics.arrays import Floats, centre, dot, matching, norm


def displacement(initial: Floats, weights: Floats) -> float | None:
    """Return how far weights of equal shape moved, ``|w - w0| / |w0|``; None if w0 is 0."""
    before, now = matching(initial, weights)
    length = norm(before)
    return norm(now - before) / length if length else None


def cosine(a: Floats, b: Floats) -> float | None:
    """Return the cosine of the angle between weights of equal shape; None if either is 0."""
    a, b = matching(a, b)
    norm_a, norm_b = norm(a), norm(b)
    if not (norm_a and norm_b):
        return None
    return min(1.0, max(-1.0, dot(a / norm_a, b / norm_b)))


def correlation(a: Floats, b: Floats) -> float | None:
    """Return Pearson's correlation of weights of equal shape; None if either is constant."""
    a, b = matching(a, b)
    return cosine(centre(a)[1], centre(b)[1])


def std_decomposition(initial: Floats, weights: Floats) -> tuple[float | None, float | None]:
    """Split the change of the variance, ``std(w)^2 - std(w0)^2``, into two summands.

    Returns
    -------
    along, added : float or None
        ``2 cov(w0, D)`` and ``var(D)`` with D = w - w0 and ddof 1, in the weights' unit squared.
        None for a single weight.
    """
    before, now = matching(initial, weights)
    if before.size < 2:
        return None, None
    _, initial_deviations = centre(before)
    _, update = centre(now - before)
    along, added = 2 * dot(initial_deviations, update), dot(update, update)
    return along / (before.size - 1), added / (before.size - 1)
