"""The CometBFT of a node that was killed does not outlive the start of the next node."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

from cometbft.network import wait_until
from service.engine.cometbft.install import install
from service.engine.cometbft.process import PID_FILE, CometBftProcess
from service.node.founding.ports import free_port


def orphan_in(program: Path, home: Path) -> "subprocess.Popen[bytes]":
    """One that looks for its application, as after its node was killed, for ever."""
    subprocess.run([program, "init", "--home", home], check=True, capture_output=True)
    nobody = f"tcp://127.0.0.1:{free_port()}"
    listens = ("--p2p.laddr", nobody, "--rpc.laddr", "tcp://127.0.0.1:0")
    return subprocess.Popen(
        [program, "start", "--home", home, "--proxy_app", nobody, *listens],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_an_orphan_whose_number_was_never_written_is_ended(tmp_path: Path) -> None:
    program = install()
    mine, other = tmp_path / "AU", tmp_path / "AU2"
    orphan, stranger = orphan_in(program, mine), orphan_in(program, other)
    try:
        assert not (mine / PID_FILE).exists()
        process = CometBftProcess(program, mine)
        process.start()
        with ExitStack() as ending:
            ending.callback(process.stop)
            wait_until(lambda: orphan.poll() is not None, "the orphan ends")
            wait_until((mine / PID_FILE).exists, "the next one is noted")
            assert int((mine / PID_FILE).read_text()) != orphan.pid
        assert stranger.poll() is None, "one in another folder is left alone"
    finally:
        for each in (orphan, stranger):
            each.kill()
            each.wait()
