"""PublishResponse as bytes: thousands of rows that were taken are written without a message each.

The answer is kept in the outbox as it was given, for whoever repeats the request.

>>> rows = format_answers(3, {1: RowFault("TIN_MALFORMED", "not a number")})
>>> answer = publishing.PublishResponse.FromString(format_response(7, rows))
>>> answer.publication_id, [row.code for row in answer.rows], answer.prepared
('7', ['', 'TIN_MALFORMED', ''], 2)
"""

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from service.node.publishing.targets import RowFault


def format_answers(rows: int, faults: dict[int, RowFault]) -> bytes:
    """The `rows` and `prepared` of a PublishResponse; a row taken is two constant bytes."""
    if faults:
        answers = [b"\x12\x00"] * rows
        for row, fault in faults.items():
            answer = publishing.RowAnswer(code=fault.code, message=fault.message)
            answers[row] = publishing.PublishResponse(rows=[answer]).SerializeToString()
        column = b"".join(answers)
    else:
        column = b"\x12\x00" * rows
    return column + publishing.PublishResponse(prepared=rows - len(faults)).SerializeToString()


def format_response(publication_id: int, rows: bytes, *, repeated: bool = False) -> bytes:
    """The whole PublishResponse: `rows` as `format_answers` wrote them, and whose they are."""
    head = publishing.PublishResponse(publication_id=str(publication_id), repeated_request=repeated)
    return head.SerializeToString() + rows
