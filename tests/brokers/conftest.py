"""A RabbitMQ node for all tests that need one."""

from collections.abc import Iterator

import pytest

from shared.contracts import BOOKING_QUEUE, QUEUE, REJECTED_QUEUE
from tests.support.rabbitmq import RabbitMQ, find_server


@pytest.fixture(scope="package")
def rabbitmq_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Run one node; skips, saying so, where there is none to be had."""
    if find_server() is None:
        pytest.skip("RABBITMQ IS NOT INSTALLED: nothing about it was tested (apt-get install rabbitmq-server)")
    node = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def rabbitmq(rabbitmq_node: RabbitMQ) -> RabbitMQ:
    """Lend the node, without any queue of ours."""
    rabbitmq_node.forget(QUEUE, BOOKING_QUEUE, REJECTED_QUEUE)
    return rabbitmq_node
