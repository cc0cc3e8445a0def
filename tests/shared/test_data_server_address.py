"""What REDIS_URL names: a table."""

import pytest

from shared.data_server_address import OneServer, Sentinels, parse_data_server_address

A, B = ("a", 26379), ("b", 26380)
EXAMPLES = {
    "redis+sentinel://a,b:26380/oracode": Sentinels(hosts=(A, B), name="oracode"),
    "redis+sentinel://a/oracode/": Sentinels(hosts=(A,), name="oracode"),
    "redis+sentinel://a:26379/oracode/3": Sentinels(hosts=(A,), name="oracode", db=3),
    "redis+sentinel://[::1]:5000,[::2]/my%2Fname": Sentinels(hosts=(("::1", 5000), ("::2", 26379)), name="my/name"),
    "redis+sentinel://:p%2Fw%40@a/oracode": Sentinels(hosts=(A,), name="oracode", password="p/w@"),
    "redis+sentinel://:p#w@a/oracode": Sentinels(hosts=(A,), name="oracode", password="p#w"),
    "redis+sentinel://ada:pw@a/oracode": Sentinels(hosts=(A,), name="oracode", username="ada", password="pw"),
    "redis+sentinel://:pw@a/oracode?sentinel_username=bob&sentinel_password=s+%26": Sentinels(
        hosts=(A,), name="oracode", password="pw", sentinel_username="bob", sentinel_password="s+&"
    ),
    "rediss+sentinel://a/oracode": Sentinels(hosts=(A,), name="oracode", tls=True, sentinel_tls=True),
    "rediss+sentinel://a/oracode?sentinel_tls=false": Sentinels(hosts=(A,), name="oracode", tls=True),
    "redis+sentinel://a/oracode?sentinel_tls=true": Sentinels(hosts=(A,), name="oracode", sentinel_tls=True),
    "rediss+sentinel://a/oracode?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false&ssl_cert_reqs=required": Sentinels(
        hosts=(A,),
        name="oracode",
        tls=True,
        sentinel_tls=True,
        tls_options={"ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": False, "ssl_cert_reqs": "required"},
    ),
}
REFUSED = {
    "redis+sentinel://": "names no primary",
    "redis+sentinel://a": "names no primary",
    "redis+sentinel:///oracode": "is no host",
    "redis+sentinel://a,/oracode": "is no host",
    "redis+sentinel://a:b/oracode": "is no host",
    "redis+sentinel://a:0x1/oracode": "is no host",
    "redis+sentinel://a:70000/oracode": "is no host",
    "redis+sentinel://:s3cr/et@a/oracode": "is no host",
    "redis+sentinel://a/oracode/zero": "database's number",
    "redis+sentinel://a/oracode/0/1": "database's number",
    "redis+sentinel://a/oracode/-1": "database's number",
    "redis+sentinel://a/oracode?s3cret": "name=value",
    "redis+sentinel://a/oracode?s3cret=s3cret": "isn't known",
    "redis+sentinel://a/oracode?sentinel_tls=s3cret": "true or false",
    "redis+sentinel://a/oracode?sentinel_tls=1&sentinel_tls=0": "twice",
    "redis+sentinel://a/oracode?ssl_ca_certs=/etc/ca.pem": "options for TLS",
    "rediss+sentinel://a/oracode?ssl_cert_reqs=s3cret": "none, optional, required",
}


@pytest.mark.parametrize(("url", "means"), EXAMPLES.items())
def test_sentinels(url: str, means: Sentinels) -> None:
    """Hosts, name, database, and the credentials of both sides."""
    assert parse_data_server_address(url) == means


@pytest.mark.parametrize(("url", "problem"), REFUSED.items())
def test_what_is_refused(url: str, problem: str) -> None:
    """The text says what is wrong, and repeats nothing: it may be a password."""
    with pytest.raises(ValueError, match=problem) as refused:
        parse_data_server_address(url)
    assert "s3cr" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://:pw@host:6379/0", "rediss://host", "unix:///run/valkey.sock", "amqp://host"])
def test_any_other_address_is_left_to_its_library(url: str) -> None:
    """As it is."""
    assert parse_data_server_address(url) == OneServer(url)


def test_no_password_is_shown() -> None:
    """Neither in a log nor in a traceback; all of them are known to be secrets."""
    url = "redis+sentinel://ada:s3cret-a@a/oracode?sentinel_username=bob&sentinel_password=s3cret-b"
    address = parse_data_server_address(url)
    assert isinstance(address, Sentinels)
    assert "s3cret" not in repr(address) + repr(OneServer(url))
    assert set(address.secrets) == {"ada", "s3cret-a", "bob", "s3cret-b"}
