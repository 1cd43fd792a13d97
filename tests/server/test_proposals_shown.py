"""A member that floods the ledger with proposals hides nobody's."""

from ledger.chain.governance import ParameterChange, Removal
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger_world import DAY, World
from service.api.proposals_shown import shown_proposals

PARAMETERS = ParameterChange(format_parameters(DEFAULT_PARAMETERS))


def test_everything_is_shown_while_it_fits() -> None:
    world = World(("HK", "NZ", "SG"))
    made = [world.propose(PARAMETERS, author) for author in ("HK", "NZ", "HK")]
    shown, left_out = shown_proposals(world.view.proposals, world.time)
    assert [identity for identity, _ in shown] == made[::-1]
    assert left_out == 0


def test_a_flood_crowds_out_its_own_alone() -> None:
    world = World(("HK", "NZ", "SG"))
    decided = world.decide(PARAMETERS, "SG")
    first = world.propose(Removal("SG"), "HK")
    short = world.propose(PARAMETERS, "HK", open_for=5_000)
    flood = []
    for _ in range(30):
        identity, transaction = world.proposing(PARAMETERS, "NZ", open_for=DAY)
        world.commit(transaction)
        flood.append(identity)
    proposals = world.view.proposals
    shown, left_out = shown_proposals(proposals, world.time, room=1_500)
    identities = [identity for identity, _ in shown]
    own = [identity for identity in identities if identity in flood]
    assert own == flood[::-1][: len(own)]
    assert own
    assert identities == [*own, first]
    assert left_out == len(proposals) - len(shown)
    # With some more room what is closed or decided comes in as well, after all that is open.
    shown, left_out = shown_proposals(proposals, world.time, room=6_000)
    assert [identity for identity, _ in shown] == [*flood[::-1], short, first, decided]
    assert left_out == 0
    assert shown_proposals(proposals, world.time, room=0) == ([], len(proposals))
