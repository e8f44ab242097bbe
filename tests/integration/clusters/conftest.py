"""The same line as the router's tests have."""

from tests.integration.router.conftest import line

__all__ = ["line"]
