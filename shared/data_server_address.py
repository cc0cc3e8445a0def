"""What REDIS_URL names: one data server, or the Sentinels that know which of several is the primary now. Pure.

`redis+sentinel://user:password@host:26379,host:26379/NAME/DB`; `rediss+sentinel://` where all of them speak TLS. User
and password are the data servers'. Those of the Sentinels, and the files for TLS, are parameters of the query.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_PLAIN: Final = "redis+sentinel"
_TLS: Final = "rediss+sentinel"
SENTINEL_SCHEMES: Final = (_PLAIN, _TLS)
SCHEMES: Final = ("redis", "rediss", "unix", "redis+socket", *SENTINEL_SCHEMES)
# Where a Sentinel listens (Valkey docs, "Sentinel").
_PORT: Final = 26379
_LARGEST_PORT: Final = 65535
_EXAMPLE: Final = "redis+sentinel://:password@host:26379,host:26379/NAME/0"
_NO_HOST: Final = f"names a Sentinel that is no host, or host:port; in a password write / as %2F, @ as %40: {_EXAMPLE}"
# What redis-py takes in an address with TLS, under the same names; they hold for data servers and Sentinels alike.
_TLS_TEXTS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
_TLS_FLAGS: Final = ("ssl_check_hostname",)
_CERT_REQS: Final = ("none", "optional", "required")
_OF_SENTINELS: Final = ("sentinel_username", "sentinel_password", "sentinel_tls")
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

Host = tuple[str, int]


@dataclass(frozen=True, slots=True)
class OneServer:
    """A data server with an address of its own, as redis-py takes it."""

    redis_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """Sentinels, and the name under which they watch the primary."""

    hosts: tuple[Host, ...]
    name: str
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: bool = False
    sentinel_tls: bool = False
    tls_options: Mapping[str, str | bool] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may be shown, as it is and as it stands in an address."""
        texts = (self.password, self.username, self.sentinel_password, self.sentinel_username)
        shown = [text for text in texts if text and text != "default"]
        return tuple(dict.fromkeys([*shown, *(quote(text, safe="") for text in shown)]))


DataServerAddress = OneServer | Sentinels


def parse_data_server_address(url: str) -> DataServerAddress:
    """Return what an address names. Raises ValueError, without a word of it: it may hold passwords."""
    scheme, _, rest = url.partition("://")
    if scheme not in SENTINEL_SCHEMES:
        return OneServer(url)
    location, _, query = rest.partition("?")
    authority, _, path = location.partition("/")
    userinfo, _, listed = authority.rpartition("@")
    username, _, password = userinfo.partition(":")
    name, _, db = path.rstrip("/").partition("/")
    if "@" in path:
        raise ValueError(_NO_HOST)
    if not name:
        raise ValueError(f"names no primary: after the Sentinels comes the name that they watch, as in {_EXAMPLE}")
    if db and not (db.isascii() and db.isdigit()):
        raise ValueError(f"has something else than a database's number after the primary's name; see {_EXAMPLE}")
    options = _options(query)
    tls = scheme == _TLS
    sentinel_tls = options.pop("sentinel_tls", tls)
    tls_options = {key: value for key, value in options.items() if key not in _OF_SENTINELS}
    if tls_options and not (tls or sentinel_tls):
        raise ValueError(f"has options for TLS, but doesn't ask for it: begin it with {_TLS}://")
    return Sentinels(
        hosts=tuple(_host(each) for each in listed.split(",")),
        name=unquote(name),
        db=int(db or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        sentinel_username=_text(options.get("sentinel_username")),
        sentinel_password=_text(options.get("sentinel_password")),
        tls=tls,
        sentinel_tls=bool(sentinel_tls),
        tls_options=tls_options,
    )


def _host(text: str) -> Host:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        raise ValueError(_NO_HOST) from None
    if not host or parts.netloc != text or parts.username is not None or not 0 < port <= _LARGEST_PORT:
        raise ValueError(_NO_HOST)
    return host, port


def _options(query: str) -> dict[str, str | bool]:
    known = (*_OF_SENTINELS, *_TLS_TEXTS, *_TLS_FLAGS)
    options: dict[str, str | bool] = {}
    try:
        # A plus stays one: it is no blank in a password.
        pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("has a query that isn't name=value&name=value") from None
    for name, value in pairs:
        if name not in known:
            raise ValueError(f"has an option that isn't known; there are: {', '.join(known)}")
        if name in options:
            raise ValueError(f"gives the option {name} twice")
        if name in ("sentinel_tls", *_TLS_FLAGS):
            if value.lower() not in _FLAGS:
                raise ValueError(f"gives the option {name} something else than true or false")
            options[name] = _FLAGS[value.lower()]
        elif name == "ssl_cert_reqs" and value not in _CERT_REQS:
            raise ValueError(f"gives the option {name} something else than {', '.join(_CERT_REQS)}")
        elif value:
            options[name] = value
    return options


def _text(value: str | bool | None) -> str | None:  # noqa: FBT001 - an option's value
    return value if isinstance(value, str) else None
