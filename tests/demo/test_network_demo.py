"""Four administrations, each with a node and a CometBFT: what `make network` shows."""

import re
from pathlib import Path

import pytest

from tests.demo.test_demo import SECONDS, aeo, running_commands


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 60)
def test_four_publish_and_ask_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "network"
    code, said, stderr = aeo("demo", "--network", folder)
    assert code == 0, said + stderr
    for economy in ("AU", "JP", "KR", "TW"):
        assert re.search(rf"  {economy}: node at .* its CometBFT process \d+", said), said
    for told in (
        "3,851 records of 4 members in the ledger of all four",
        "each suspension seen and sealed at AU, JP, KR",
        "a suspension was sealed by the other three after",
    ):
        assert told in said, said
    asked = re.findall(r"  (\w\w) asks its own node about (\d+) traders of (\w\w)", said)
    assert {(asker, of) for asker, _, of in asked} == {
        (one, other) for one in ("AU", "JP", "KR") for other in ("TW",)
    } | {("TW", other) for other in ("AU", "JP", "KR")}
    assert all(int(count) > 10 for _, count, _ in asked)
    headers = re.findall(r"All four nodes show header (\d+), ", said)
    assert int(headers[-1]) > int(headers[0]), "the chain went on, and all agree at the end"
    assert not any(str(folder).encode() in command for command in running_commands())
