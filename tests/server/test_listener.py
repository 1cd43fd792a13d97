"""Who gets in, what they are told when they do not, and how a server stops."""

import datetime as dt
import io
import json
import threading
import time
import urllib.request
from concurrent.futures import Future

import grpc
import pytest
import trustme
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from aeo.ledger.v1.status_pb2 import StatusTerms
from ledger.errors import FormatError
from server.conftest import NETWORK
from service.api.caller import Authorities
from service.api.failures import Illegal, naming
from service.api.health import HealthServer
from service.api.listener import Limits, Listener, ListenError, MutualTls, PlaintextLoopback
from service.api.method import Call, Kind, Method, Pool
from service.api.metrics import Metrics, MetricsServer
from service.errors import KeyReused, StoreFull
from service.keys.authority import CERTIFICATE_DAYS, issue_client
from service.keys.spiffe import AccessRole
from service.logs import set_up_logs

RISK_ENGINE = frozenset({AccessRole.RISK_ENGINE})


def who(_request: bytes, call: Call) -> bytes:
    return f"{call.caller.economy} {call.caller.access_role} {call.caller.name}".encode()


def unary(handler, **options) -> Method:
    return Method(Kind.UNARY, handler, None, None, RISK_ENGINE, **options)


WHO = {"Who": unary(who)}


def call(channel: grpc.Channel, method: str = "Who", request: bytes = b"", **options) -> bytes:
    return channel.unary_unary(f"/test.Service/{method}")(
        request, timeout=options.pop("timeout", 10), **options
    )


def refused(channel: grpc.Channel, method: str = "Who", request: bytes = b"", **options):
    """(status code, message, details by message name) of a call that must fail."""
    with pytest.raises(grpc.RpcError) as failure:
        call(channel, method, request, **options)
    error = failure.value
    status = rpc_status.from_call(error)
    details = {}
    for detail in status.details if status is not None else ():
        name = detail.TypeName().rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        assert detail.Unpack(message)
        details[name] = message
    return error.code(), error.details(), details


def test_the_caller_is_who_the_certificate_says(network, serve):
    port = serve(WHO).port
    for economy in ("NZ", "HK"):
        with network.channel(port, network.client("risk-engine", economy=economy)) as channel:
            for _ in range(2):  # the second is answered from memory
                assert call(channel) == f"{economy} risk-engine test".encode()


def test_no_client_certificate_fails_the_handshake(network, serve):
    with network.channel(serve(WHO).port, None) as channel:
        code, _, details = refused(channel)
    assert code is grpc.StatusCode.UNAVAILABLE
    assert not details  # never got as far as us


def test_a_certificate_that_expires_ends_its_calls_on_an_open_connection(network, serve):
    uri = f"spiffe://{NETWORK}/NZ/risk-engine/test"
    made_at = dt.datetime.now(dt.UTC) - dt.timedelta(days=CERTIFICATE_DAYS, seconds=-3)
    client = issue_client(network.authority["NZ"], uri, made_at)
    with network.channel(serve(WHO).port, client) as channel:
        assert call(channel) == b"NZ risk-engine test"
        left = client.certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
        time.sleep(max(0.0, left.total_seconds()) + 0.1)
        code, _, details = refused(channel)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert details["ErrorInfo"].reason == "CERTIFICATE_EXPIRED"


def test_an_authority_that_is_no_members_fails_the_handshake(network, serve):
    stranger = trustme.CA().issue_cert("client.example")
    credentials = grpc.ssl_channel_credentials(
        network.authority["NZ"].pem,
        stranger.private_key_pem.bytes(),
        stranger.cert_chain_pems[0].bytes(),
    )
    with grpc.secure_channel(f"127.0.0.1:{serve(WHO).port}", credentials) as channel:
        code, _, details = refused(channel)
    assert code is grpc.StatusCode.UNAVAILABLE
    assert not details


def test_one_members_authority_cannot_speak_for_another(network, serve):
    forged = network.client("risk-engine", economy="NZ", issuer="HK")
    with network.channel(serve(WHO).port, forged) as channel:
        code, message, details = refused(channel)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert details["ErrorInfo"].reason == "WRONG_AUTHORITY"
    assert "NZ" in message


def test_a_certificate_of_another_network_or_of_nobody_is_refused(network, serve):
    other = Listener("127.0.0.1:0", MutualTls(
        network.tls().key,
        network.node.pem,
        Authorities("other-network", {"NZ": [network.authority["NZ"].certificate]}),
    ), Metrics())  # fmt: skip
    other.register("test.Service", WHO)
    other.start()
    try:
        with network.channel(other.port, network.client("risk-engine")) as channel:
            code, _, details = refused(channel)
    finally:
        other.stop(0)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert details["ErrorInfo"].reason == "OTHER_NETWORK"


def test_a_role_that_may_not_is_denied(network, serve):
    with network.channel(serve(WHO).port, network.client("auditor")) as channel:
        code, message, details = refused(channel, metadata=(("x-request-id", "mine-7"),))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "risk-engine" in message
    assert details["ErrorInfo"].domain == "aeo.exchange.v1"
    assert details["RequestInfo"].request_id == "mine-7"


def test_plaintext_only_on_loopback_and_by_name(serve):
    with pytest.raises(ListenError, match="loopback"):
        Listener("0.0.0.0:0", PlaintextLoopback(), Metrics())
    port = serve(WHO, security=PlaintextLoopback()).port
    said = (("aeo-economy", "HK"), ("aeo-access-role", "risk-engine"))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert call(channel, metadata=said) == b"HK risk-engine plaintext"
        assert refused(channel)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_tls_port_refuses_plaintext(serve):
    said = (("aeo-economy", "NZ"), ("aeo-access-role", "risk-engine"))
    with grpc.insecure_channel(f"127.0.0.1:{serve(WHO).port}") as channel:
        assert refused(channel, metadata=said)[0] is grpc.StatusCode.UNAVAILABLE


def test_two_servers_do_not_share_a_port(network, serve):
    port = serve(WHO).port
    with pytest.raises(ListenError, match=str(port)):
        Listener(f"127.0.0.1:{port}", network.tls(), Metrics())


def test_a_request_that_cannot_be_read_is_the_callers_mistake(network, serve):
    read = Method(Kind.UNARY, lambda r, c: b"", StatusTerms.FromString, None, RISK_ENGINE)
    with network.channel(serve({"Read": read}).port, network.client("risk-engine")) as channel:
        code, _, details = refused(channel, "Read", b"\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["BadRequest"].field_violations[0].field == "request"


def test_a_field_that_is_wrong_is_named(network, serve):
    def handler(_request: bytes, _call: Call) -> bytes:
        with naming("tin"):
            raise FormatError("17 characters at most")

    with network.channel(
        serve({"Bad": unary(handler)}).port, network.client("risk-engine")
    ) as channel:
        code, message, details = refused(channel, "Bad")
    assert (code, message) == (grpc.StatusCode.INVALID_ARGUMENT, "tin: 17 characters at most")
    assert details["BadRequest"].field_violations[0].field == "tin"


def raising(error: Exception) -> Method:
    def handler(_request: bytes, _call: Call) -> bytes:
        raise error

    return unary(handler)


def test_foreseen_errors_keep_their_reason_and_no_file_names(network, serve, tmp_path):
    methods = {
        "Illegal": raising(Illegal("NOT_SIGNED", "sign first")),
        "Reused": raising(KeyReused("k")),
        "Full": raising(StoreFull(tmp_path / "ledger.db")),
    }
    with network.channel(serve(methods).port, network.client("risk-engine")) as channel:
        code, _, details = refused(channel, "Illegal")
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert details["ErrorInfo"].reason == "NOT_SIGNED"
        assert refused(channel, "Reused")[0] is grpc.StatusCode.ALREADY_EXISTS
        code, message, details = refused(channel, "Full")
    assert code is grpc.StatusCode.UNAVAILABLE
    assert details["ErrorInfo"].reason == "STORE_FULL"
    assert details["RetryInfo"].retry_delay.ToMilliseconds() > 0
    assert "ledger.db" not in message


@pytest.mark.parametrize("kind", [Kind.UNARY, Kind.SERVER_STREAM])
def test_an_unknown_exception_tells_nothing_but_is_logged(network, serve, kind):
    def unary_handler(_request: bytes, _call: Call) -> bytes:
        raise RuntimeError("secret 4711")

    def stream_handler(_request: bytes, _call: Call):
        yield b"first"
        raise RuntimeError("secret 4711")

    handler = unary_handler if kind is Kind.UNARY else stream_handler
    log = io.StringIO()
    set_up_logs(stream=log)
    try:
        port = serve({"Broken": Method(kind, handler, None, None, RISK_ENGINE)}).port
        with network.channel(port, network.client("risk-engine")) as channel:
            start = channel.unary_unary if kind is Kind.UNARY else channel.unary_stream
            with pytest.raises(grpc.RpcError) as failure:
                list(start("/test.Service/Broken")(b"", timeout=10))
    finally:
        set_up_logs()
    error = failure.value
    assert error.code() is grpc.StatusCode.INTERNAL
    told = str(error.details()) + str(error.trailing_metadata())
    assert "4711" not in told
    assert "Traceback" not in told
    line = json.loads(log.getvalue().splitlines()[-1])
    assert line["request_id"] in told
    assert (line["method"], line["economy"]) == ("/test.Service/Broken", "NZ")
    assert "4711" in str(line["exception"])


def test_an_oversized_message_is_refused(network, serve):
    port = serve(WHO, Limits(request_bytes=1000)).port
    with network.channel(port, network.client("risk-engine")) as channel:
        assert call(channel, request=bytes(1000))
        assert refused(channel, request=bytes(1001))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_unknown_method_is_unimplemented(network, serve):
    with network.channel(serve(WHO).port, network.client("risk-engine")) as channel:
        assert refused(channel, "Nothing")[0] is grpc.StatusCode.UNIMPLEMENTED


class Gate:
    """A handler that waits until it is let go."""

    def __init__(self) -> None:
        self.entered, self.open, self.runs = threading.Semaphore(0), threading.Event(), 0

    def __call__(self, _request: bytes, _call: Call) -> bytes:
        self.runs += 1
        self.entered.release()
        assert self.open.wait(10)
        return b"done"


def start(channel: grpc.Channel, method: str, **options) -> Future:
    return channel.unary_unary(f"/test.Service/{method}").future(
        b"", timeout=options.pop("timeout", 10), **options
    )


def test_above_the_limit_a_call_is_told_when_to_come_back(network, serve):
    gate, metrics = Gate(), Metrics()
    limits = Limits(in_flight=2, quick_threads=1, retry_ms=250)
    methods = {"Wait": unary(gate), "Other": unary(who, pool=Pool.WAITING)}
    port = serve(methods, limits, metrics=metrics).port
    with network.channel(port, network.client("risk-engine")) as channel:
        running = start(channel, "Wait")
        assert gate.entered.acquire(timeout=5)
        waiting = start(channel, "Wait")
        while metrics.registry.get_sample_value("aeo_calls_in_flight", {"pool": "quick"}) != 2:
            assert not waiting.done()
        code, _, details = refused(channel, "Wait")
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details["RetryInfo"].retry_delay.ToMilliseconds() == 250
        assert call(channel, "Other")  # another pool has room
        gate.open.set()
        assert (running.result(5), waiting.result(5)) == (b"done", b"done")
        assert call(channel, "Wait") == b"done"
    assert metrics.registry.get_sample_value("aeo_calls_refused_full_total", {"pool": "quick"}) == 1


def test_work_whose_deadline_has_passed_is_dropped(network, serve):
    gate = Gate()
    port = serve({"Wait": unary(gate)}, Limits(quick_threads=1)).port
    with network.channel(port, network.client("risk-engine")) as channel:
        running = start(channel, "Wait")
        assert gate.entered.acquire(timeout=5)
        late = start(channel, "Wait", timeout=0.2)
        assert late.exception(5).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        gate.open.set()
        assert running.result(5) == b"done"
        assert call(channel, "Wait") == b"done"
    assert gate.runs == 2


def test_a_stop_finishes_what_was_accepted_and_ends_streams(network, serve):
    gate, told = Gate(), threading.Event()

    def watch(_request: bytes, call: Call):
        yield b"begun"
        while call.live():
            told.wait(0.02)
        yield b"bye"

    methods = {
        "Wait": unary(gate),
        "Watch": Method(Kind.SERVER_STREAM, watch, None, None, RISK_ENGINE),
    }
    listener = serve(methods)
    with network.channel(listener.port, network.client("risk-engine")) as channel:
        running = start(channel, "Wait")
        stream = channel.unary_stream("/test.Service/Watch")(b"", timeout=10)
        assert next(stream) == b"begun"
        assert gate.entered.acquire(timeout=5)
        stopped: list[bool] = []
        stopping = threading.Thread(target=lambda: stopped.append(listener.stop(5)))
        stopping.start()
        assert list(stream) == [b"bye"]
        with network.channel(listener.port, network.client("risk-engine")) as late:
            assert refused(late)[0] is grpc.StatusCode.UNAVAILABLE
        assert not running.done()
        gate.open.set()
        assert running.result(5) == b"done"
        stopping.join(10)
    assert stopped == [True]


def test_a_stop_does_not_wait_for_clients_that_say_nothing(network, serve):
    gate = Gate()
    echo = Method(Kind.BOTH_STREAM, lambda requests, _call: requests, None, None, RISK_ENGINE)
    listener = serve({"Echo": echo, "Wait": unary(gate)})
    with network.channel(listener.port, network.client("risk-engine")) as channel:
        silent = threading.Event()

        def asking():
            yield b"1"
            silent.wait(30)

        stream = channel.stream_stream("/test.Service/Echo")(asking(), timeout=30)
        assert next(stream) == b"1"
        running = start(channel, "Wait")
        assert gate.entered.acquire(timeout=5)
        stopping = threading.Thread(target=listener.stop, args=(30,))
        stopping.start()
        time.sleep(0.5)
        assert not running.done(), "who is owed an answer is waited for"
        gate.open.set()
        assert running.result(5) == b"done"
        stopping.join(5)
        assert not stopping.is_alive()
        with pytest.raises(grpc.RpcError) as failure:
            next(stream)
        assert failure.value.code() is grpc.StatusCode.CANCELLED
        silent.set()


def test_both_streams_and_hanging_up(network, serve):
    ended = threading.Event()

    def echo(requests, call: Call):
        call.on_end(ended.set)
        yield from requests

    method = Method(Kind.BOTH_STREAM, echo, None, None, RISK_ENGINE)
    metrics = Metrics()
    port = serve({"Echo": method}, metrics=metrics).port
    with network.channel(port, network.client("risk-engine")) as channel:
        start_stream = channel.stream_stream("/test.Service/Echo")
        assert list(start_stream(iter([b"1", b"2"]), timeout=10)) == [b"1", b"2"]
        hold = threading.Event()

        def asking():
            yield b"1"
            hold.wait(10)

        ended.clear()
        stream = start_stream(asking(), timeout=10)
        assert next(stream) == b"1"
        stream.cancel()
        assert ended.wait(5)
        hold.set()


def test_reflection_lists_the_services(network, serve):
    with network.channel(serve(WHO).port, network.client("auditor")) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([asked]), timeout=10)
    names = {service.name for service in answer.list_services_response.service}
    assert names == {"test.Service", "grpc.reflection.v1alpha.ServerReflection"}


def test_health_on_its_own_plaintext_port():
    health = HealthServer("127.0.0.1:0")
    serving, not_serving = (
        health_pb2.HealthCheckResponse.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING,
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{health.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)

            def check(service: str = "") -> int:
                asked = health_pb2.HealthCheckRequest(service=service)
                return stub.Check(asked, timeout=10).status

            assert check() == not_serving
            health.ready("test.Service")
            assert (check(), check("test.Service")) == (serving, serving)
            health.not_ready()
            assert (check(), check("test.Service")) == (not_serving, not_serving)
    finally:
        health.stop()


def test_calls_are_counted_with_their_code(network, serve):
    metrics = Metrics()
    port = serve(WHO, metrics=metrics).port
    for role in ("risk-engine", "auditor"):
        with network.channel(port, network.client(role)) as channel:
            call(channel) if role == "risk-engine" else refused(channel)
    server = MetricsServer("127.0.0.1", 0, metrics)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as page:
            text = page.read().decode()
    finally:
        server.stop()
    for code in ("OK", "PERMISSION_DENIED"):
        assert f'aeo_calls_total{{code="{code}",method="/test.Service/Who"}} 1.0' in text
    assert 'aeo_call_duration_seconds_count{method="/test.Service/Who"} 2.0' in text
