"""The state machine: an ordered list of transactions becomes state, the same for everyone.

    check(tx)            may this wait in the queue? raises `NotEntered`
    execute(txs, time)   a `Block`: what entered, each result, the new header; the machine unchanged
    advance(block)       after the store has it: make it current

No clock, no randomness, no iteration over unordered sets, no floats, strict input. A block gets
the time ``max(engine's time, previous + 1)``. A transaction that may not enter leaves no trace; one
that enters is executed record by record (`publishing`, `agreeing`, `governing`), and what is
refused changes nothing else. A block of which nothing entered has no header.

Readers take `machine.state` and keep it as long as they like. `advance` first adds to the facts,
which older views do not look at, then replaces that one reference: a reader sees the old state or
the new, never between. One thread at a time may execute and advance.

`follow` executes a block that already has a header, for whoever checks a ledger: everything that
the header states must come out again, except that the map root is left to be asked for later, since
the map may be kept in another process. `restore` does so for a whole stored ledger at a node's
start, which may begin with a snapshot; it takes signatures for verified and builds the map once, at
the end.

>>> from aeo.ledger.v1.transaction_pb2 import Heartbeat, Transaction
>>> from ledger.bls.scheme import default_backend, key_id
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.chain.transaction import format_body, sign_transaction
>>> backend, key = default_backend(), default_backend().public_key(7)
>>> founder = Registration(ZERO_HASH, "SG", "Customs", "Asia/Singapore", ("SG",), 1, key, b"", b"",
...                        b"", "", key_id(key), b"exact bytes of the registration")
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (founder,), DEFAULT_PARAMETERS,
...                   format_parameters(DEFAULT_PARAMETERS),
...                   SigningSet((SigningMember("SG", 1, key),)), b"exact bytes of the genesis")
>>> machine = Machine(genesis, backend)
>>> body = Transaction(author="SG", key_id=key_id(key), sequence=1, heartbeat=Heartbeat(),
...                    verified_header_hash=machine.state.header_hash)
>>> alive = sign_transaction(7, backend, genesis.network_id, format_body(body))
>>> block = machine.execute([alive, alive], time=0)
>>> block.results, block.header.height, block.header.time, machine.state.height
(((), 'SEQUENCE_USED'), 1, 1001, 0)
>>> machine.advance(block)
>>> machine.state.height, machine.state.author_seen("SG", 1)
(1, 1001)
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.keys import (
    PARAMETERS_KEY,
    SIGNING_SETS_KEY,
    AuthorObject,
    author_key,
    format_author_object,
    object_value,
)
from ledger.chain.signing_set import SigningSets, format_signing_sets
from ledger.errors import ChainError, NotEntered
from ledger.hashing import ZERO_HASH
from ledger.state.agreeing import execute_step
from ledger.state.block import (
    Block,
    Result,
    check_entered,
    draft_header,
    finish_block,
    linked_header,
)
from ledger.state.draft import Draft
from ledger.state.entering import (
    SEQUENCE_REACH,
    Candidate,
    check_number,
    check_signature,
    check_verified_header,
    plausible,
    read_candidate,
    refusal,
    verify_together,
)
from ledger.state.facts import Facts
from ledger.state.governing import execute_governance
from ledger.state.leaves import leaf_batches
from ledger.state.map_updates import MapHere, MapUpdater
from ledger.state.membership import Membership, founding_membership
from ledger.state.publishing import execute_aliases, execute_statuses
from ledger.state.rebuilding import Base, rebuild
from ledger.state.refusals import BLOCK_FULL
from ledger.state.reporting import execute_report
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from ledger.tree.log import EMPTY_ROOT, leaf_hash

__all__ = ["Block", "Machine", "Result"]


class Machine:
    """The state machine of one network. `state` is its newest view.

    `verified` remembers signatures across calls; share one where several machines run. `updates`
    keeps the state map.
    """

    def __init__(
        self,
        genesis: Genesis,
        backend: BlsBackend,
        *,
        verified: VerifiedSignatures | None = None,
        updates: MapUpdater | None = None,
    ) -> None:
        self.verified = VerifiedSignatures() if verified is None else verified
        self._backend = backend
        self._updates = MapHere() if updates is None else updates
        self.state = _begin(genesis, self._updates)

    @classmethod
    def restore(
        cls,
        genesis: Genesis,
        blocks: Iterable[tuple[bytes, Sequence[bytes]]],
        backend: BlsBackend,
        *,
        verified: VerifiedSignatures | None = None,
        updates: MapUpdater | None = None,
        base: Base | None = None,
    ) -> "Machine":
        """The machine after stored `blocks`, (header, transactions) from height 1 on, or from above
        `base` on.

        Every header must follow from the one before and from its transactions, and the newest map
        root from all of them; `ChainError` names what does not. Signatures are not checked.
        """
        machine = cls(genesis, backend, verified=verified, updates=updates)
        if base is not None:
            machine.state = rebuild(machine.state, base)
        for header_bytes, transactions in blocks:
            machine.advance(machine.replay(header_bytes, transactions))
        machine.state = machine._with_map(machine.state)
        return machine

    def rebuilt(self, base: Base) -> State:
        """The state of a snapshot of this network; the machine unchanged. See `take_up`.

        Raises `ChainError` where it is not that of the base's header.
        """
        begin = _begin(self.state.genesis, self._updates)
        return self._with_map(rebuild(begin, base))

    def take_up(self, state: State) -> None:
        """Go on from a `rebuilt` state, after the store has it."""
        self.state = state

    def _with_map(self, state: State) -> State:
        """The state with the map that its facts make, which must be that of its header."""
        version = self._updates.build(())
        for batch in leaf_batches(state):
            version = self._updates.submit(version, batch)
        if self._updates.root(version) != state.header.map_root:
            raise ChainError(f"header {state.height}", "the map root is not that of the records")
        return replace(state, map_version=version)

    def check(self, transaction: bytes, *, reach: int = SEQUENCE_REACH) -> None:
        """Check that a transaction may wait: it would enter now, or up to `reach` numbers later.

        Raises `NotEntered`.
        """
        state = self.state
        candidate = read_candidate(state, transaction)
        check_number(candidate, state.next_sequence(candidate.author.economy) - 1, reach)
        check_verified_header(state, candidate)
        check_signature(candidate, self.verified, self._backend)

    def execute(self, transactions: Sequence[bytes], time: int) -> Block:
        """Execute transactions in this order at the engine's `time` (Unix ms).

        The machine stays as it is: the same call gives the same block until something advances.
        """
        draft, results = self._run(transactions, time)
        if not draft.entered:
            return Block(
                None, b"", b"", draft.log_index, (), results, (), draft, self.state.map_version
            )
        version = self._updates.submit(self.state.map_version, draft.changes)
        header = draft_header(draft, self._updates.root(version))
        return finish_block(draft, results, header, version)

    def follow(self, header_bytes: bytes, transactions: Sequence[bytes]) -> Block:
        """Execute a block that has a header, signatures included, and compare with the header.

        Raises `ChainError`, which names the header or the transaction. The map root is not
        compared: ask `map_root(block)` for it, at any time before or after `advance`.
        """
        header = linked_header(self.state, header_bytes)
        draft, results = self._run(transactions, header.time)
        check_entered(draft, results, header)
        version = self._updates.submit(self.state.map_version, draft.changes)
        return finish_block(draft, results, header, version)

    def replay(self, header_bytes: bytes, transactions: Sequence[bytes]) -> Block:
        """As `follow`, of a block that was verified before: signatures are not checked, and the
        map stays that of the state below.

        Raises `ChainError` where the header is not that of these transactions in this place.
        """
        header = linked_header(self.state, header_bytes)
        draft, results = self._run(transactions, header.time, verify=False, map_changes=False)
        check_entered(draft, results, header)
        return finish_block(draft, results, header, self.state.map_version)

    def map_root(self, block: Block) -> bytes:
        """The map root after a block, 32 bytes; waits for it."""
        return self._updates.root(block.map_version)

    def advance(self, block: Block) -> None:
        """Make a block of `execute` or `follow` current. Its parent must be."""
        state, draft, header = self.state, block.draft, block.header
        if header is None:
            return
        if draft.base is not state:
            raise ChainError(f"header {header.height}", "the machine has moved on since")
        draft.add_to_facts(block.header_hash)
        self.state = replace(
            state,
            header=header,
            header_bytes=block.header_bytes,
            header_hash=block.header_hash,
            authors={**state.authors, **draft.authors},
            arrangements={**state.arrangements, **draft.arrangements},
            arrangements_of={**state.arrangements_of, **draft.arrangements_of},
            pairs={**state.pairs, **draft.pairs},
            reports={**state.reports, **draft.reports},
            membership=draft.membership,
            signing_sets=draft.signing_sets,
            pending_since=draft.pending_since,
            current_sets=draft.current_sets,
            parameters=draft.parameters,
            parameter_bytes=draft.parameter_bytes,
            proposals={**state.proposals, **draft.proposals},
            map_version=block.map_version,
        )

    def verify_ahead(self, transactions: Iterable[bytes]) -> None:
        """Verify the signatures of transactions of coming blocks, each author's in one batch.

        What does not verify is only not remembered; `execute` and `follow` will say why.
        """
        candidates = []
        for transaction in transactions:
            try:
                candidates.append(read_candidate(self.state, transaction))
            except NotEntered:
                continue
        verify_together(candidates, self.verified, self._backend)

    def _run(
        self,
        transactions: Sequence[bytes],
        time: int,
        *,
        verify: bool = True,
        map_changes: bool = True,
    ) -> tuple[Draft, tuple[Result, ...]]:
        """Execute on top of the current state, which stays as it is."""
        state = self.state
        draft = Draft(state, time, map_changes=map_changes)
        candidates = [_read(state, each, state.membership) for each in transactions]
        if verify:
            read = [each for each in candidates if not isinstance(each, str)]
            verify_together(plausible(state, read), self.verified, self._backend)

        room = state.parameters.max_block_bytes
        results: list[Result] = []
        for transaction, as_before in zip(transactions, candidates, strict=True):
            candidate = as_before
            if draft.membership is not state.membership:
                # Keys or members have changed in this very block: judge what follows by them.
                candidate = _read(state, transaction, draft.membership)
            if isinstance(candidate, str):
                results.append(candidate)
                continue
            try:
                self._check_entry(draft, candidate, room, verify=verify)
            except NotEntered as error:
                results.append(error.code)
                continue
            room -= len(candidate.data)
            results.append(_enter(draft, candidate, self._backend))
        for economy, author in draft.authors.items():
            draft.changes[author_key(economy)] = object_value(format_author_object(author))
        return draft, tuple(results)

    def _check_entry(self, draft: Draft, candidate: Candidate, room: int, *, verify: bool) -> None:
        state = draft.base
        author = draft.author(candidate.author.economy)
        check_number(candidate, 0 if author is None else author.sequence, 1)
        check_verified_header(state, candidate)
        if (
            len(candidate.data) > room
            or len(draft.entered) >= state.parameters.max_block_transactions
        ):
            raise refusal(BLOCK_FULL, f"{len(draft.entered)} transactions")
        if verify:
            check_signature(candidate, self.verified, self._backend)


def _read(state: State, transaction: bytes, membership: Membership) -> Candidate | str:
    """A candidate under `membership`, or why it may not enter."""
    try:
        return read_candidate(state, transaction, membership)
    except NotEntered as error:
        return error.code


def _enter(draft: Draft, candidate: Candidate, backend: BlsBackend) -> tuple[str, ...]:
    """Put a transaction into the log and execute its action; return each record's code."""
    body = candidate.parts.body
    economy = candidate.author.economy
    log_index = draft.log_index
    action = body.WhichOneof("action")
    if action == "statuses":
        statuses = body.statuses
        codes = execute_statuses(draft, economy, statuses.arrangement_id, statuses.records)
    elif action == "aliases":
        aliases = body.aliases
        codes = execute_aliases(draft, economy, aliases.arrangement_id, aliases.records)
    elif action == "arrangement":
        codes = (execute_step(draft, economy, body.sequence, body.arrangement),)
    elif action == "governance":
        codes = (execute_governance(draft, economy, body.sequence, body.governance, backend),)
    elif action == "report":
        codes = (execute_report(draft, economy, body.report),)
    else:
        codes = ()  # a heartbeat has no record
    draft.entered.append(candidate.data)
    draft.leaves.append(leaf_hash(candidate.data))
    if any(codes):
        draft.refused[log_index] = tuple(
            (position, code) for position, code in enumerate(codes) if code
        )
    draft.authors[economy] = AuthorObject(
        body.sequence,
        draft.height,
        draft.time,
        body.verified_height,
        body.verified_header_hash,
    )
    return codes


def _begin(genesis: Genesis, updates: MapUpdater) -> State:
    """The state at height 0."""
    sets = SigningSets(genesis.signing_set, None)
    membership = founding_membership(genesis)
    version = updates.build(
        [
            *membership.leaves(),
            (SIGNING_SETS_KEY, object_value(format_signing_sets(sets))),
            (PARAMETERS_KEY, object_value(genesis.parameter_bytes)),
        ]
    )
    header = Header(
        network_id=genesis.network_id,
        height=0,
        time=genesis.created_at,
        previous=ZERO_HASH,
        earlier_root=EMPTY_ROOT,
        log_size=0,
        log_root=EMPTY_ROOT,
        map_root=updates.root(version),
        signing_set_hash=sets.current.hash,
    )
    header_bytes = format_header(header)
    own_hash = header_hash(header_bytes)
    facts = Facts()
    facts.grow([], own_hash, header.time)
    return State(
        genesis=genesis,
        header=header,
        header_bytes=header_bytes,
        header_hash=own_hash,
        signing_sets=sets,
        pending_since=0,
        current_sets=((0, sets.current),),
        parameters=genesis.parameters,
        parameter_bytes=genesis.parameter_bytes,
        membership=membership,
        proposals={},
        authors={},
        arrangements={},
        arrangements_of={},
        pairs={},
        facts=facts,
        updates=updates,
        map_version=version,
    )
