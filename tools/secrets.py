"""Secrets in tracked files: `python -m tools.secrets [FILE ...]`.

detect-secrets with the detectors that know a secret by its form (keys and tokens of providers,
private keys). Those that guess by entropy or by a name would find every password of a test. A line
that is meant to be there says `pragma: allowlist secret`. Exit code 1 for a finding.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core import scan
from detect_secrets.settings import transient_settings


ROOT = Path(__file__).parents[1]
DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCosHmacDetector",
    "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector",
    "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector",
    "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip


def main(arguments: Iterable[str]) -> int:
    """Print each finding with its place, never the secret."""
    files = list(arguments) or tracked()
    found = [finding for file in files for finding in findings(file)]
    print(*found, f"secrets: {len(found)} in {len(files)} files", sep="\n")
    return 1 if found else 0


def tracked() -> list[str]:
    """List what git keeps of this project."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return [str(ROOT / name) for name in listed.stdout.split("\0") if name]


def findings(file: str) -> list[str]:
    """Name the secrets of one file: place and kind."""
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        return [f"{file}:{each.line_number}: {each.type}" for each in scan.scan_file(file)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
