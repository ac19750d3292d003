"""Links to the preference page for agents to hand out, as when somebody asks on the phone."""

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import answer

from rapport_personalization.api.asked import AgentWriter, Ref
from rapport_personalization.api.people import living_person
from rapport_personalization.desk import AtDesk
from rapport_personalization.preferences.links import make_link
from rapport_personalization.schemas.preferences import PreferenceLinkView

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=JsonRoute)

log = structlog.get_logger(__name__)


@router.post(
    "/{ref}/preference-links",
    summary="Make a link to somebody's preferences",
    status_code=201,
    responses={201: {"model": PreferenceLinkView}},
)
async def receive_link_request(ref: Ref, agent: AgentWriter, desk: AtDesk) -> Response:
    person = await living_person(desk, ref)
    link, expires = make_link(desk.settings, desk.keyring, person.key, datetime.now(UTC))
    # What is chosen on the page is said by the customer: who could open it must be known.
    log.info("preference link made", subject=person.key, key=agent.key_id)
    view = PreferenceLinkView(customer=person.key, link=link, expires_at=expires)
    made = answer(view)
    made.status_code = 201
    return made
