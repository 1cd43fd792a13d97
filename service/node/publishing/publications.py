"""What has become of publications: prepared, queued, recorded, attested, sealed, seen by whom.

The outbox knows how far the records came; the ledger knows how final their last block is, and which
partners' own transactions name that block or a later one: the delivery report.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.state.state import State
from service.engine.feed import BlockFeed
from service.store.home.outbox import Outbox
from service.store.home.publication import Publication, PublicationState

# Between two looks at whether the caller is still there.
LOOK_EVERY_S: Final = 1.0

Answers: TypeAlias = list[publishing.RecordAnswer]

_STATES: Final = {
    PublicationState.PREPARED: publishing.PUBLICATION_STATE_PREPARED,
    PublicationState.SIGNED: publishing.PUBLICATION_STATE_QUEUED,
    PublicationState.RECORDED: publishing.PUBLICATION_STATE_RECORDED,
}
_FINAL: Final = {
    exchange.FINALITY_RECORDED: publishing.PUBLICATION_STATE_RECORDED,
    exchange.FINALITY_ATTESTED: publishing.PUBLICATION_STATE_ATTESTED,
    exchange.FINALITY_SEALED: publishing.PUBLICATION_STATE_SEALED,
}


class Publications:
    """The publications of one hosted member, as messages."""

    def __init__(
        self,
        economy: str,
        outbox: Outbox,
        current: Callable[[], State],
        finality_of: Callable[[int], exchange.Finality],
        feed: BlockFeed,
    ) -> None:
        self._economy = economy
        self._outbox = outbox
        self._current = current
        self._finality_of = finality_of
        self._feed = feed

    def get(self, publication_id: int) -> publishing.Publication | None:
        """One publication with the place of every record that has one; None for an unknown id."""
        stored = self._outbox.publication(publication_id)
        return None if stored is None else self._describe(stored, self._answers(publication_id))

    def page(self, size: int, before: int | None) -> list[publishing.Publication]:
        """A page without rows and partners, newest first, below the id `before`."""
        return [self._describe(stored, []) for stored in self._outbox.publications(size, before)]

    def watch(
        self, publication_id: int, live: Callable[[], bool]
    ) -> Iterator[publishing.Publication]:
        """Each step of one publication as it happens, while `live`.

        Ends when it is sealed and every partner is known to have seen it; nothing for an unknown
        id.
        """
        told: bytes | None = None
        answers: Answers = []
        while live():
            # Before looking, so that news that comes meanwhile is not slept through.
            version = self._feed.version
            stored = self._outbox.publication(publication_id)
            if stored is None:
                return
            if stored.state is PublicationState.RECORDED and not answers:
                answers = self._answers(publication_id)
            news = self._describe(stored, answers)
            said = news.SerializeToString(deterministic=True)
            if said != told:
                told = said
                yield news
            if self._finished(stored, news) or self._feed.closed:
                return
            self._feed.wait(version, LOOK_EVERY_S)

    def _answers(self, publication_id: int) -> "Answers":
        return [
            publishing.RecordAnswer(
                submission=answer.submission,
                arrangement_id=answer.arrangement_id,
                log_index=answer.log_index,
                position=answer.position,
                code=answer.code,
            )
            for answer in self._outbox.record_answers(publication_id)
        ]

    def _describe(self, stored: Publication, answers: "Answers") -> publishing.Publication:
        message = publishing.Publication(
            publication_id=str(stored.publication_id),
            idempotency_key=stored.idempotency_key,
            state=_STATES[stored.state],
            created_at=stored.created_at,
            records=stored.records,
            recorded=stored.recorded,
            refused=stored.refused,
            answers=answers,
        )
        if stored.height is None or stored.state is not PublicationState.RECORDED:
            return message
        message.height = stored.height
        message.recorded_time = stored.recorded_time or 0
        message.finality = self._finality_of(stored.height)
        message.state = _FINAL[message.finality]
        state = self._current()
        for economy in self._partners(state, answers):
            verified = state.author_verified(economy)
            if verified is not None and verified.height >= stored.height:
                message.acknowledged_by.add(
                    economy=economy, height=verified.height, time=verified.time
                )
        return message

    def _finished(self, stored: Publication, news: publishing.Publication) -> bool:
        if stored.height is None:
            return stored.state is PublicationState.RECORDED  # every row was faulty
        return news.state == publishing.PUBLICATION_STATE_SEALED and len(
            news.acknowledged_by
        ) == len(self._partners(self._current(), news.answers))

    def _partners(self, state: State, answers: Iterable[publishing.RecordAnswer]) -> list[str]:
        """The other parties of the arrangements under which records were published, ascending."""
        partners: set[str] = set()
        for arrangement_id in {answer.arrangement_id for answer in answers}:
            history = state.arrangement(arrangement_id)
            if history is not None:
                partners.update(history.text.parties)
        return sorted(partners - {self._economy})
