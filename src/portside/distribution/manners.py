"""How the data plane speaks, where the OCI specification and Amazon ECR differ (docs/divergences.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portside.core.errors import RegistryError
from portside.distribution import errors
from portside.distribution.exchange import Exchange, Reply
from portside.distribution.routes import ROUTES, Route


@dataclass(frozen=True, slots=True)
class Manners:
    """One way to speak; the edge knows no other difference."""

    routes: Sequence[Route]
    words: Callable[[RegistryError], tuple[int, str, str]]
    """A failure's status, code and message."""
    finish: Callable[[Exchange, Reply], Reply]
    """The last touch to every answer."""
    advises: bool
    """Whether a message may end with the command that helps."""


OPEN = Manners(ROUTES, errors.words, lambda _, reply: reply, advises=True)
"""As the specification asks, and ECR where it is silent."""
