"""Secrets that the environment gives as files: `SEAM_API_KEY_FILE=/run/secrets/seam_api_key` instead of the key itself.

systemd, Docker and Kubernetes hand out secrets as files, which neither `ps` nor a crash report shows. Problems name
the setting. They repeat neither the content nor the path: people put the secret itself there by mistake.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

SUFFIX: Final = "_FILE"
# No secret of ours is near that; a wrong path may lead to a file of any size.
_MOST: Final = 64 * 1024


class UnusableSecretFile(ValueError):
    """A secret's file can't be used; the text says why and holds nothing of it."""


def read_secret_files(names: Iterable[str], environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the secrets that files give, by name, and what is wrong, by `NAME_FILE`.

    An empty file counts as an empty value: the secret is not set.
    """
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name in names:
        path = environment.get(name + SUFFIX)
        if not path:
            continue
        if environment.get(name):
            problems[name + SUFFIX] = f"is set beside {name}: set one of the two"
            continue
        try:
            values[name] = read_secret(path)
        except UnusableSecretFile as unusable:
            problems[name + SUFFIX] = str(unusable)
    return values, problems


def read_secret(path: str) -> str:
    """Return a file's text without the newline at its end. Raises UnusableSecretFile."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnusableSecretFile(f"can't be read: {reason or 'it is no path'}") from None
    if len(content) > _MOST:
        raise UnusableSecretFile("names a file of more than 64 KiB: that is no secret")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UnusableSecretFile("names a file that is not text in UTF-8") from None
    if "\0" in text:
        raise UnusableSecretFile("names a file that is not text")
    return text.removesuffix("\n").removesuffix("\r")
