"""The application of lifecycle policies as a job."""

from __future__ import annotations

from portside.jobs.leased import Job
from portside.registry.lifecycle.runs import LifecycleRuns

_LOOK = 300 * 1_000_000
"""Microseconds between two looks: so soon after it was put, a policy is applied first."""


def apply_lifecycle_policies(runs: LifecycleRuns, interval: int) -> Job:
    """The job that applies what is due; `interval`, in microseconds, is that of one policy's applications."""
    return Job("lifecycle", min(_LOOK, interval), runs.run_due)
