"""Why is this value what it is? One meter-day with all that led to it: deliveries, rules, registers, estimate, edits, final values."""

from __future__ import annotations

from vee.explain.model import Explanation
from vee.explain.story import ExplainError, explain

__all__ = ["ExplainError", "Explanation", "explain"]
