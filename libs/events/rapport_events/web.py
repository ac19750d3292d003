"""What customers do on the site and in the app."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from rapport_events.event import PII, Count, Event, Name, Ref, Text
from rapport_events.reference import MaybeSession


class PageViewed(Event):
    """A page was looked at."""

    type: ClassVar[str] = "page.viewed.v1"
    segment: ClassVar[tuple[str, ...]] = ("page",)

    session: MaybeSession = None
    page: Name | None = Field(default=None, description="Name of the page.", examples=["product"])
    url: Annotated[Text | None, PII] = Field(
        default=None, description="The full address.", examples=["https://shop.example/p/88"]
    )
    referrer: Annotated[Text | None, PII] = Field(
        default=None, description="The page before.", examples=["https://search.example/"]
    )
    title: Annotated[Text | None, PII] = Field(
        default=None, description="The title shown.", examples=["Headphones"]
    )
    utm: Annotated[dict[str, Any] | None, PII] = Field(
        default=None, description="Campaign parameters.", examples=[{"source": "newsletter"}]
    )


class ScreenViewed(Event):
    """A screen of the app was looked at."""

    type: ClassVar[str] = "screen.viewed.v1"
    segment: ClassVar[tuple[str, ...]] = ("screen",)

    session: MaybeSession = None
    screen: Name | None = Field(default=None, description="Name of the screen.", examples=["cart"])


class SessionStarted(Event):
    """A visit began."""

    type: ClassVar[str] = "session.started.v1"

    session: MaybeSession = None
    device_class: Name | None = Field(
        default=None, description="Kind of device.", examples=["mobile"]
    )
    campaign: Name | None = Field(
        default=None, description="The campaign that led here.", examples=["spring"]
    )


class SearchPerformed(Event):
    """Somebody searched the shop."""

    type: ClassVar[str] = "search.performed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Products Searched",)

    query: Annotated[Text | None, PII] = Field(
        default=None, description="What they typed.", examples=["noise cancelling"]
    )
    results: Count | None = Field(default=None, description="How many were found.", examples=[14])


class FormSubmitted(Event):
    """A form was filled in and sent."""

    type: ClassVar[str] = "form.submitted.v1"

    form_id: Ref = Field(description="The publisher's id of the form.", examples=["contact"])
    fields: Annotated[dict[str, Any] | None, PII] = Field(
        default=None, description="What they entered.", examples=[{"company": "Acme"}]
    )


class ErrorShown(Event):
    """The customer hit a wall: an error was shown to them."""

    type: ClassVar[str] = "error.shown.v1"

    code: Name = Field(description="Which error.", examples=["payment_declined"])
    page: Name | None = Field(default=None, description="Where.", examples=["checkout"])


class FeatureUsed(Event):
    """A feature of the product was used."""

    type: ClassVar[str] = "feature.used.v1"

    feature: Name = Field(description="Which feature.", examples=["export"])
    count: Count | None = Field(default=None, description="How many times.", examples=[3])


class ContentConsumed(Event):
    """An article was read, a video watched, a webinar attended."""

    type: ClassVar[str] = "content.consumed.v1"

    content_id: Ref = Field(description="The publisher's id of it.", examples=["guide-to-audio"])
    kind: Name | None = Field(default=None, description="blog, webinar, video …", examples=["blog"])
