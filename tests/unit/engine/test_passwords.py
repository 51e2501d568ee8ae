"""A password in a file is the one that it holds now."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from streams.engine.log.passwords import PasswordFile

SECRET = "correct horse"  # noqa: S105


def test_it_is_read_again_each_time(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    password = PasswordFile(str(file))
    assert password.current() == SECRET
    file.write_text("battery staple\r\nmore\n")
    assert password.current() == "battery staple"
    assert SECRET not in repr(password)


def test_while_it_cannot_be_read_the_last_one_holds(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET)
    password = PasswordFile(str(file))
    with capture_logs() as logs:
        file.write_text("")
        assert password.current() == SECRET
        file.unlink()
        assert password.current() == SECRET
        file.write_text("battery staple")
        assert password.current() == "battery staple"
    (line,) = logs
    assert line["log_level"] == "warning"
    assert SECRET not in str(line)


@pytest.mark.parametrize("content", ["", "\n", "\r\nlater"])
def test_one_without_a_password_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(content)
    with pytest.raises(ValueError, match="there is no password in it"):
        PasswordFile(str(file))
