"""Sessions of people in browsers. A session is a random id in a cookie; its record in Redis has an end.

Redis holds digests of ids, links and tokens, so a reader of Redis can't log in with them. A session ends at log-out,
after SESSION_FOR, or when its token is taken out of CONSOLE_TOKENS.
"""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.console_tokens import ConsoleToken

COOKIE: Final = "__Host-console"
_ID_BYTES: Final = 32
_LONGEST_ID: Final = 100
_LONGEST_FLASH: Final = 2_000


class Sessions:
    """Sessions and one-time log-in links, for the tokens that hold now."""

    def __init__(self, redis: Redis, tokens: Iterable[ConsoleToken]) -> None:
        self._redis = redis
        self._tokens = {each.digest: each for each in tokens}

    def begin(self, token: ConsoleToken, *, instead_of: str = "") -> str:
        """Begin a session of the token's holder and return its id, for the cookie; the one it takes the place of ends.

        The id is always a new one: one that somebody else has put into the browser is worth nothing.
        """
        session_id = secrets.token_urlsafe(_ID_BYTES)
        key = redis_keys.console_session(_digest(session_id))
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(key, "token", token.digest)
        pipeline.expire(key, redis_keys.SESSION_FOR)
        if instead_of:
            pipeline.delete(redis_keys.console_session(_digest(instead_of)))
        pipeline.execute()
        return session_id

    def holder(self, session_id: str) -> ConsoleToken | None:
        """Return the session's holder; None where there is no session, or its token is no longer valid."""
        if not 0 < len(session_id) <= _LONGEST_ID:
            return None
        digest = self._redis.hget(redis_keys.console_session(_digest(session_id)), "token")
        return self._tokens.get(str(digest)) if digest else None

    def visit(self, session_id: str) -> tuple[ConsoleToken | None, str]:
        """Return what `holder` does, and the note that was left for the next page: that is taken, once."""
        if not 0 < len(session_id) <= _LONGEST_ID:
            return None, ""
        key = redis_keys.console_session(_digest(session_id))
        digest, note = cast(Any, self._redis.hmget(key, "token", "flash"))
        token = self._tokens.get(str(digest)) if digest else None
        if token is None or not note:
            return token, ""
        # Of two pages at once one alone shows it.
        return token, str(note) if self._redis.hdel(key, "flash") else ""

    def end(self, session_id: str) -> None:
        """End a session: its id is worth nothing from now on."""
        self._redis.delete(redis_keys.console_session(_digest(session_id)))

    def leave_note(self, session_id: str, text: str) -> None:
        """Leave a text for the next page that this session sees. A session that has ended gets none."""
        key = redis_keys.console_session(_digest(session_id))
        if self._redis.exists(key):
            self._redis.hset(key, "flash", text[:_LONGEST_FLASH])

    def token_of_link(self, code: str) -> ConsoleToken | None:
        """Use up a one-time link and return its holder; None the second time, and for an unknown link."""
        if not 0 < len(code) <= _LONGEST_ID:
            return None
        digest = self._redis.getdel(redis_keys.console_login(_digest(code)))
        return self._tokens.get(str(digest)) if digest else None


def make_login_link(redis: Redis, token: ConsoleToken) -> str:
    """Make a code that logs the token's holder in once, within LOGIN_LINK_FOR: `/login/CODE`."""
    code = secrets.token_urlsafe(_ID_BYTES)
    key = redis_keys.console_login(_digest(code))
    cast(object, redis.set(key, token.digest, ex=redis_keys.LOGIN_LINK_FOR))
    return code


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
