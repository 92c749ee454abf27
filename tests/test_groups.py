"""Tests of a group share what is dear, or must not run beside each other: see `xdist_group` in tests/helpers.py."""

import os

import pytest


def test_tests_of_a_group_run_one_after_another(request: pytest.FixtureRequest):
    """A pytest that pytest-xdist doesn't know, as 9.2 with 3.8, runs them side by side, without a word."""
    grouped = [item.nodeid for item in request.session.items if any(item.iter_markers("xdist_group"))]
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert all("@" in nodeid for nodeid in grouped), "use --dist loadgroup, and a pytest that pytest-xdist knows"
