"""A router that everybody can foresee says so."""

from structlog.testing import capture_logs

from services.router.__main__ import warn_of_salt
from services.router.settings import RouterSettings


def test_the_salt_that_comes_with_the_code_is_warned_of() -> None:
    with capture_logs() as logs:
        warn_of_salt(RouterSettings(sampling_salt="our own"))
        assert logs == []
        warn_of_salt(RouterSettings())
    assert "set SLUICEGATE_SAMPLING_SALT to a secret" in logs[0]["event"]
