"""A small network, made the same way every time: keys, genesis, arrangements, records, seals.

World(("HK", "NZ")) is at height 0. Verbs that end in a block (`agree`, `publish`, `commit`) execute
and advance; `transaction` only signs. Time moves by one second a block unless told.

    world = World()
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1", roles=("EX",))])
    world.view.subject(shared, "HK", world.subject(shared, "HK1"))
    world.decide(Removal("NZ")) and world.hand_over()

Every economy has keys of generation 0, 1, 2 ...: a founder starts with the first, and whoever
rotates or comes back takes a later one. World signs with the keys that are in force.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from aeo.ledger.v1 import arrangement_pb2, member_pb2, status_pb2, transaction_pb2
from ledger.bls.keygen import keygen
from ledger.bls.scheme import default_backend
from ledger.chain.export import (
    GENESIS,
    HEADER,
    SEAL,
    SIGNING_SETS,
    TRANSACTION,
    format_export,
)
from ledger.chain.genesis import Genesis, format_genesis, parse_genesis
from ledger.chain.governance import (
    Change,
    GovernanceStep,
    HandOver,
    Proposal,
    Propose,
    Vote,
    format_governance_step,
    proposal_id,
)
from ledger.chain.header import header_hash, parse_header
from ledger.chain.keys import SIGNING_SETS_KEY
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters, format_parameters
from ledger.chain.registration import FOUNDERS_NETWORK, sign_registration
from ledger.chain.seal import SEALED, aggregate_seal, level_of, sign_share
from ledger.chain.signing_set import format_signing_sets
from ledger.chain.transaction import format_body, sign_transaction
from ledger.customs.arrangement import arrangement_id, format_arrangement_text, text_hash
from ledger.customs.status import (
    Predecessor,
    RecordPlace,
    Role,
    StatusRecord,
    StatusTerms,
    format_status,
)
from ledger.customs.subject import LookupKey
from ledger.state.alias import AliasRecord, format_alias
from ledger.state.machine import Block, Machine
from ledger.state.state import State
from ledger.wire import format_strict

START = 1_790_000_000_000
SECOND = 1_000
DAY = 86_400_000
BACKEND = default_backend()

Event = status_pb2.Event
Status = status_pb2.Status
CERTIFIED = status_pb2.STATUS_CERTIFIED
GRANT = status_pb2.EVENT_GRANT


def material(*words: str) -> bytes:
    """32 bytes that follow from the words alone."""
    return sha256("/".join(words).encode()).digest()


def of_generation(generation: int) -> tuple[str, ...]:
    """What tells the keys of a later generation from those of the first."""
    return (str(generation),) if generation else ()


@cache
def bls_secret(economy: str, generation: int = 0) -> int:
    return keygen(material("bls", economy, *of_generation(generation)))


@cache
def bls_public_key(economy: str, generation: int = 0) -> bytes:
    return BACKEND.public_key(bls_secret(economy, generation))


def secret_behind(economy: str, public_key: bytes) -> int:
    """The secret of one of the keys of an economy."""
    generation = next(each for each in range(100) if bls_public_key(economy, each) == public_key)
    return bls_secret(economy, generation)


@cache
def ca_certificate(economy: str, generation: int = 0) -> bytes:
    """An authority's certificate in DER: Ed25519 signatures are deterministic, so is this."""
    key = Ed25519PrivateKey.from_private_bytes(material("ca", economy, *of_generation(generation)))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{economy} test authority")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(material("serial", economy)[:8]))
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return builder.sign(key, None).public_bytes(Encoding.DER)


@cache
def registration(
    economy: str,
    weight: int = 1,
    *,
    network_id: bytes = FOUNDERS_NETWORK,
    bls: int = 0,
    ed25519: int = 0,
    ca: int = 0,
    prefixes: tuple[str, ...] | None = None,
    name: str = "",
    time_zone: str = "Asia/Hong_Kong",
) -> bytes:
    """A registration with keys of the generations named."""
    body = member_pb2.RegistrationBody(
        network_id=network_id,
        economy=economy,
        name=name or f"Customs of {economy}",
        time_zone=time_zone,
        prefixes=(economy,) if prefixes is None else prefixes,
        weight=weight,
        ca_certificate=ca_certificate(economy, ca),
    )
    seed = material("ed25519", economy, *of_generation(ed25519))
    return sign_registration(body, bls_secret(economy, bls), seed, BACKEND)


@lru_cache
def genesis_of(
    members: tuple[str, ...],
    start: int = START,
    parameters: Parameters = DEFAULT_PARAMETERS,
    name: str = "test",
) -> Genesis:
    data = format_genesis(
        name,
        start,
        [registration(economy) for economy in members],
        format_parameters(parameters),
        pilot=True,
    )
    return parse_genesis(data)


class World:
    """A network whose members' keys are all at hand. `blocks` and `seals` are what a store has."""

    def __init__(
        self,
        members: Sequence[str] = ("HK", "NZ"),
        *,
        start: int = START,
        parameters: Parameters = DEFAULT_PARAMETERS,
        name: str = "test",
    ) -> None:
        self.members = tuple(members)
        self.genesis = genesis_of(self.members, start, parameters, name)
        self.machine = Machine(self.genesis, BACKEND)
        self.time = start
        self.headers: list[bytes] = [self.view.header_bytes]
        self.blocks: list[tuple[bytes, tuple[bytes, ...]]] = []
        self.seals: dict[int, bytes] = {}
        # By height, of headers with a seal of two thirds: object bytes of kind 4 || map proof.
        self.signing_sets: dict[int, bytes] = {}
        self._signed: dict[str, int] = {}

    @property
    def view(self) -> State:
        """The newest state."""
        return self.machine.state

    # Transactions.

    def body(
        self,
        author: str,
        *,
        sequence: int | None = None,
        verified: int | None = None,
        **action: object,
    ) -> transaction_pb2.Transaction:
        """A body with the author's next number, the newest header verified, and `action`."""
        if sequence is None:
            sequence = max(self._signed.get(author, 0) + 1, self.view.next_sequence(author))
        self._signed[author] = sequence
        height = self.view.height if verified is None else verified
        return transaction_pb2.Transaction(
            author=author,
            key_id=self.view.membership.all[author].registration.key_id,
            sequence=sequence,
            verified_height=height,
            verified_header_hash=self.header_hash(height),
            **(action or {"heartbeat": transaction_pb2.Heartbeat()}),
        )

    def header_hash(self, height: int) -> bytes:
        return header_hash(self.headers[height])

    def sign(self, author: str, body: bytes) -> bytes:
        return sign_transaction(self.secret(author), BACKEND, self.view.network_id, body)

    def secret(self, author: str) -> int:
        """The secret of a member's key in force."""
        key = self.view.membership.all[author].registration.bls_public_key
        return secret_behind(author, key)

    def transaction(self, author: str, **action: object) -> bytes:
        """A signed transaction; without an action a heartbeat."""
        return self.sign(author, format_body(self.body(author, **action)))

    def statuses(self, author: str, shared: bytes, records: Sequence[bytes]) -> bytes:
        """A signed batch of status records."""
        batch = transaction_pb2.StatusBatch(arrangement_id=shared, records=records)
        return self.transaction(author, statuses=batch)

    def aliases(self, author: str, shared: bytes, records: Sequence[bytes]) -> bytes:
        """A signed batch of alias records."""
        batch = transaction_pb2.AliasBatch(arrangement_id=shared, records=records)
        return self.transaction(author, aliases=batch)

    def step(self, author: str, **step: object) -> bytes:
        """A signed arrangement step: propose=, sign=, suspend=, resume= or end=."""
        data = format_strict(arrangement_pb2.ArrangementStep(**step))
        return self.transaction(author, arrangement=data)

    def forget_unsent(self) -> None:
        """Take up every author's count where the ledger has it: what did not enter is lost."""
        self._signed.clear()

    # Governance.

    def govern(self, author: str, step: GovernanceStep) -> bytes:
        """A signed governance step."""
        return self.transaction(author, governance=format_governance_step(step))

    def propose(self, change: Change, proposer: str = "", *, open_for: int = DAY) -> bytes:
        """Commit a proposal, by default of the first member that can; returns its id."""
        identity, transaction = self.proposing(change, proposer, open_for=open_for)
        block = self.commit(transaction)
        assert block.results == (("",),), block.results
        return identity

    def proposing(
        self, change: Change, proposer: str = "", *, open_for: int = DAY
    ) -> tuple[bytes, bytes]:
        """A proposal's id, and the transaction that makes it."""
        author = proposer or next(iter(self.view.membership.members))
        transaction = self.govern(author, Propose(Proposal(self.time + open_for, change)))
        return proposal_id(self.view.network_id, author, self._signed[author]), transaction

    def votes(self, identity: bytes, *voters: str, in_favour: bool = True) -> list[bytes]:
        """Signed votes of these members, or of everyone in the signing set who may vote."""
        members = self.view.membership.members
        all_voters = [each.economy for each in self.view.signing_sets.current.members]
        return [
            self.govern(voter, Vote(identity, in_favour))
            for voter in (voters or [each for each in all_voters if each in members])
        ]

    def decide(self, change: Change, proposer: str = "") -> bytes:
        """Propose a change, and let everyone vote for it until it has passed; returns its id."""
        identity = self.propose(change, proposer)
        for member in self.view.signing_sets.current.members:
            voter = member.economy
            if voter in self.view.membership.members and not self.view.proposals[identity].result:
                block = self.commit(*self.votes(identity, voter))
                assert block.results == (("",),), block.results
        assert self.view.proposals[identity].result == 1
        return identity

    def hand_over(self, author: str = "") -> Block:
        """Seal the newest header, and log the hand-over to the pending set."""
        seal = self.seal()
        member = author or next(iter(self.view.membership.members))
        block = self.commit(self.govern(member, HandOver(self.view.header_bytes, seal)))
        assert block.results == (("",),), block.results
        return block

    # Blocks.

    def commit(self, *transactions: bytes, time: int | None = None) -> Block:
        """Execute and advance; the block's time is a second after the previous, or `time`."""
        self.time = self.time + SECOND if time is None else time
        block = self.machine.execute(transactions, self.time)
        self.machine.advance(block)
        if block.header is not None:
            self.headers.append(block.header_bytes)
            self.blocks.append((block.header_bytes, block.transactions))
            self.time = block.header.time
        return block

    def agree(self, *parties: str, **text: object) -> bytes:
        """An arrangement proposed by the first party and signed by all; returns its id."""
        shared, data = self.proposal(*parties, **text)
        self.commit(self.step(parties[0], propose=data))
        self.commit(
            *[
                self.step(
                    party,
                    sign=arrangement_pb2.ArrangementSignature(
                        arrangement_id=shared, text_hash=text_hash(data)
                    ),
                )
                for party in sorted(parties)
            ]
        )
        return shared

    def proposal(self, *parties: str, **text: object) -> tuple[bytes, bytes]:
        """The id and the text that the first party's next transaction would propose.

        Without `rules` each party recognises every other for everything, without end.
        """
        proposer = parties[0]
        sequence = max(self._signed.get(proposer, 0) + 1, self.view.next_sequence(proposer))
        shared = arrangement_id(self.view.network_id, proposer, sequence)
        names = sorted(parties)
        fields: dict[str, object] = {
            "name": " and ".join(names),
            "kind": arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
            "parties": names,
            "rules": [
                arrangement_pb2.Rule(issuing=one, recognising=other, **{"from": START - 365 * DAY})
                for one in names
                for other in names
                if one != other
            ],
            "lookup_key_commitment": self.lookup_key(shared).commitment,
        }
        message = arrangement_pb2.ArrangementText(**(fields | text))
        return shared, format_arrangement_text(message)

    def publish(
        self, issuer: str, shared: bytes, records: Sequence[bytes], *, time: int | None = None
    ) -> Block:
        """Commit one batch of status records."""
        return self.commit(self.statuses(issuer, shared, records), time=time)

    # Records.

    def lookup_key(self, shared: bytes) -> LookupKey:
        return LookupKey(material("lookup", shared.hex()), self.view.network_id, shared)

    def subject(self, shared: bytes, tin: str) -> bytes:
        return self.lookup_key(shared).subject(tin)

    def record(
        self,
        shared: bytes,
        tin: str,
        event: int = GRANT,
        status: int = CERTIFIED,
        *,
        number: str = "1",
        roles: Sequence[str] = ("EX", "IM"),
        valid_from: int = START - 30 * DAY,
        valid_to: int = START + 1000 * DAY,
        effective_from: int | None = None,
        effective_to: int = 0,
        predecessor: tuple[bytes, int] | None = None,
        corrects: tuple[int, int] | None = None,
        reapply_after: int = 0,
        **terms: object,
    ) -> bytes:
        """One status record's bytes."""
        key = self.lookup_key(shared)
        return format_status(
            StatusRecord(
                subject=key.subject(tin),
                certificate=key.certificate(number),
                valid_from=valid_from,
                valid_to=valid_to,
                effective_from=self.time if effective_from is None else effective_from,
                terms=StatusTerms(event, status, tuple(Role(code) for code in roles), **terms),
                effective_to=effective_to,
                predecessor=None if predecessor is None else Predecessor(*predecessor),
                corrects=None if corrects is None else RecordPlace(*corrects),
                reapply_after=reapply_after,
            )
        )

    def grant(self, shared: bytes, tin: str, **fields: object) -> bytes:
        """A certificate granted."""
        return self.record(shared, tin, **fields)

    def suspend(self, shared: bytes, tin: str, **fields: object) -> bytes:
        """A certificate suspended."""
        return self.record(
            shared, tin, status_pb2.EVENT_SUSPEND, status_pb2.STATUS_SUSPENDED, **fields
        )

    def alias(
        self, shared: bytes, value: str, tin: str, valid_from: int = START, valid_to: int = 0
    ) -> bytes:
        """One alias record's bytes, of the scheme TEST."""
        key = self.lookup_key(shared)
        return format_alias(
            AliasRecord(key.alias("TEST", value), key.subject(tin), valid_from, valid_to)
        )

    # Seals and exports.

    def seal(
        self, signers: Sequence[str] | None = None, *, attested_time: int | None = None
    ) -> bytes:
        """Seal the newest header by `signers`, by default the whole signing set."""
        view = self.view
        current = view.signing_sets.current
        time = view.header_time if attested_time is None else attested_time
        chosen = [each for each in current.members if signers is None or each.economy in signers]
        shares = {
            each.economy: sign_share(
                secret_behind(each.economy, each.key),
                BACKEND,
                view.network_id,
                view.header_hash,
                time,
            )
            for each in chosen
        }
        seal = aggregate_seal(current, view.header_hash, time, shares, BACKEND)
        self.seals[view.height] = seal
        if level_of(sum(each.weight for each in chosen), current.total) == SEALED:
            proof = view.prove(SIGNING_SETS_KEY)
            self.signing_sets[view.height] = format_signing_sets(view.signing_sets) + proof
        return seal

    def items(self) -> list[tuple[int, bytes]]:
        """The items of an export of everything."""
        items = [(GENESIS, self.genesis.data)]
        outgoing = self.genesis.signing_set.hash
        for height, header in enumerate(self.headers):
            incoming = parse_header(header).signing_set_hash
            if incoming != outgoing:
                sealed = max(each for each in self.signing_sets if each < height)
                items.append((SIGNING_SETS, self.signing_sets[sealed]))
                outgoing = incoming
            items.append((HEADER, header))
            if height:
                items += [(TRANSACTION, data) for data in self.blocks[height - 1][1]]
            if height in self.seals:
                items.append((SEAL, self.seals[height]))
        return items

    def export(self) -> bytes:
        """Everything in one file."""
        return b"".join(format_export(self.items()))
