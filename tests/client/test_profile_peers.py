"""Profiles over mutual TLS: one node fetches from another's address, and one that is down waits."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.test_peers import Apart, copy_ledger
from ledger.customs.profile import Name, Profile
from node.node_world import WAIT_S, agree, request, row, wait_recorded

PEARL = Profile("HK10000001", (Name("Pearl River Trading Ltd", "en"),))


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    made = Apart(tmp_path)
    with made.running:
        yield made


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_fetched_over_mutual_tls_and_a_partner_that_is_down_is_not_forgotten(apart: Apart) -> None:
    """Both members' keys lie in one process, which listens at HK's address and not at KR's."""
    path = apart.config("both", apart.endpoints["HK"], "HK", "KR")
    copy_ledger(apart.folder / "data" / "ledger.db", apart.folder / "data-both")
    node = apart.run(path)
    assert node.hosted["KR"].peers.reaches("HK")
    agree(node, "HK", "KR")
    node.hosted["HK"].profiles.put([PEARL])
    answer = node.hosted["HK"].publisher.publish(request("one", [row(PEARL.tin)]), confirms=True)
    wait_recorded(node, "HK", answer.publication_id)
    until(lambda: node.hosted["KR"].profiles.get(PEARL.tin)[0] == PEARL)

    node.hosted["HK"].profiles.erase(PEARL.tin)
    time.sleep(1.0)
    (erasure,) = node.hosted["HK"].profiles.erasures()
    assert [(notice.partner, notice.acknowledged_at) for notice in erasure.notices] == [("KR", 0)]
    assert node.hosted["KR"].profiles.get(PEARL.tin)[0] == PEARL
