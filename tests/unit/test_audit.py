"""`make check` looks for vulnerable packages and for secrets, and can find both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import audit, secrets


def test_every_package_is_pinned_to_one_version() -> None:
    """constraints.txt holds nothing but exact versions."""
    assert audit.read_pins(audit.CONSTRAINTS.read_text(encoding="utf-8"))["celery"] == "5.7.0"


@pytest.mark.parametrize("line", ["celery", "celery>=5", "celery~=5.7", "git+https://x/y"])
def test_a_line_that_pins_nothing_is_an_error(line: str) -> None:
    """What is audited must be what is installed."""
    with pytest.raises(ValueError, match="does not pin one version"):
        audit.read_pins(line)


def test_what_is_installed_is_what_is_pinned() -> None:
    """A package that is not pinned, or in another version, is named."""
    installed = {"celery": "5.7.0", "requests": "1.0", "rich": "2", "pip": "99"}
    pins = {"celery": "5.7.0", "rich": "1"}

    found = list(audit.unpinned(installed, pins))

    assert [each.split()[1] for each in found] == ["requests", "rich"]


def test_a_known_vulnerability_is_a_finding() -> None:
    """As pip-audit reports it."""
    report = {
        "dependencies": [
            {"name": "good", "version": "1", "vulns": []},
            {
                "name": "bad",
                "version": "2",
                "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}],
            },
        ]
    }

    assert list(audit.vulnerable(report)) == ["audit: bad 2: PYSEC-1, mended in 3"]
    assert audit.summary(report) == "audit: PyPI knows 2 of 2 packages"


@pytest.mark.parametrize(
    "report", [{}, {"dependencies": [{"name": "a", "skip_reason": "not found"}]}]
)
def test_whoever_cannot_ask_says_so(report: dict[str, object]) -> None:
    """Nothing found because nobody answered is not "nothing found"."""
    assert "could not be reached" in audit.summary(report)


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "QYLPMN5HHHFPZAM2",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "SG." + "ngeVfQFYQlKU0ufo8x5d1A." + "TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr",
    ],
    ids=["AWS", "GitHub", "private key", "SendGrid"],
)
def test_a_planted_secret_is_found(tmp_path: Path, secret: str) -> None:
    """By its form, wherever it stands; the secret itself is not printed."""
    file = tmp_path / "settings.py"
    file.write_text(f'first = 1\nvalue = "{secret}"\n')

    [found] = secrets.findings(str(file))

    assert found.startswith(f"{file}:2: ")
    assert secret not in found


def test_an_allowed_line_is_none(tmp_path: Path) -> None:
    """An example that must look like a secret can say so."""
    file = tmp_path / "example.py"
    file.write_text('key = "AKIA' + 'QYLPMN5HHHFPZAM2"  # pragma: allowlist secret\n')

    assert secrets.findings(str(file)) == []
