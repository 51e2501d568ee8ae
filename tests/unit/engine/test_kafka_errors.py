"""Whatever the Kafka client raises is an error of the log, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalOperation,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    ProducerClosed,
    ProducerFenced,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.producer.transaction_manager import TransactionManager

from streams.engine.errors import DeniedError, FatalError, FencedError, LogError
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.rights import Right, grants


@pytest.mark.parametrize("error", [ProducerFenced(), InvalidProducerEpoch(), CommitFailedError()])
def test_who_has_lost_the_right_to_write_is_fenced(error: Exception) -> None:
    with pytest.raises(FencedError, match=r"^committing: "), errors("committing"):
        raise error


@pytest.mark.parametrize("error", [KafkaError("x"), ProducerClosed(), OSError(104, "reset"), TimeoutError()])
def test_what_kafka_or_the_connection_refuses_is_an_error_of_the_log(error: Exception) -> None:
    with pytest.raises(LogError, match=r"^committing: ") as raised, errors("committing"):
        raise error
    assert not isinstance(raised.value, FencedError)


def test_no_connection_is_told_as_such() -> None:
    with pytest.raises(LogError, match=r"^asking: no broker answers$"), errors("asking"):
        raise KafkaConnectionError("Unable to bootstrap from ...")


def raise_in_the_client(error: BaseException) -> None:
    """Raises it in a function of the client's own."""
    exec("def refuse(error): raise error", namespace := {"__name__": "aiokafka.producer.producer"})  # noqa: S102
    namespace["refuse"](error)  # type: ignore[operator]


@pytest.mark.parametrize("error", [IllegalOperation("no"), ConsumerStoppedError(), AssertionError(), KeyError(1)])
def test_what_the_client_meets_in_its_own_books_is_an_error_of_the_log(error: Exception) -> None:
    with pytest.raises(LogError, match=r"^committing: "), errors("committing"):
        raise_in_the_client(error)


@pytest.mark.parametrize(
    ("denied", "told"),
    [
        (TopicAuthorizationFailedError("orders"), "the brokers deny Write on topic orders"),
        (TopicAuthorizationFailedError({"chats"}), "the brokers deny Write on topic chats"),
        (TopicAuthorizationFailedError(), "the brokers deny Write on topic ?"),
        (GroupAuthorizationFailedError("pw"), "the brokers deny Read on group pw"),
        (TransactionalIdAuthorizationFailed("pw-orders-0"), "the brokers deny Write on transactional-id pw-orders-0"),
    ],
)
def test_a_right_that_is_missing_is_told_whatever_the_client_makes_of_it(denied: Exception, told: str) -> None:
    def directly() -> None:
        raise denied

    def as_a_bare_error() -> None:
        raise KafkaError("Unexpected error during batch delivery") from denied

    def in_its_own_books() -> None:
        try:
            as_a_bare_error()
        except KafkaError:
            raise_in_the_client(AssertionError())

    for fails in (directly, as_a_bare_error, in_its_own_books):
        with pytest.raises(DeniedError) as raised, errors("committing", "Write"):
            fails()
        assert str(raised.value) == f"committing: {told}"


def test_what_is_missing_is_told_with_what_grants_it() -> None:
    missing = [Right("Write", "topic", "a"), Right("Read", "topic", "a"), Right("Read", "group", "g")]
    assert grants(missing, "me") == (
        "the brokers deny Read on group g, Read on topic a, Write on topic a; to grant it: "
        "kafka-acls --bootstrap-server HOST:PORT --add --allow-principal 'User:me' --operation Read --group g; "
        "kafka-acls --bootstrap-server HOST:PORT --add --allow-principal 'User:me' "
        "--operation Read --operation Write --topic a"
    )


async def test_a_transaction_that_is_begun_behind_a_fatal_error_is_an_error_of_the_log() -> None:
    manager = TransactionManager("t", 1000)
    manager.set_pid_and_epoch(1, 1)
    manager.begin_transaction()
    manager.fatal_error(ProducerFenced())
    assert manager._transaction_waiter.exception()
    with pytest.raises(LogError), errors("committing"):
        manager.begin_transaction()


@pytest.mark.parametrize("error", [AssertionError(), KeyError(1), FatalError("no such topic"), TypeError()])
def test_a_fault_of_ours_stays_one(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, errors("committing"):
        raise error
    assert raised.value is error


def test_a_wrong_argument_to_the_client_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError), errors("committing"):
        raise_in_the_client(TypeError())


async def test_a_wait_that_the_client_has_given_up_does_not_end_the_task() -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answer.cancel()
    with pytest.raises(LogError, match="given up"), errors("committing"):
        await answer


async def test_a_task_that_is_cancelled_ends() -> None:
    async def wait() -> None:
        with errors("committing"):
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_client_is_closed_quietly_whatever_it_meets() -> None:
    async def close(error: BaseException) -> None:
        raise error

    for error in (KafkaError(), ConsumerStoppedError(), AssertionError(), asyncio.CancelledError()):
        await quietly(close(error))


def test_an_answer_that_names_no_transactional_id_is_told_of_with_that_of_the_writer() -> None:
    with pytest.raises(DeniedError) as raised, errors("committing", "Write", writer="pw-orders-0"):
        raise TransactionalIdAuthorizationFailed
    assert raised.value.rights == (Right("Write", "transactional-id", "pw-orders-0"),)
