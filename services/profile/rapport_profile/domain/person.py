"""Who somebody is and what they allow: traits, consents, preferences, loyalty, plans."""

from rapport_events import wire

from rapport_profile.domain.state import (
    EVERY_CHANNEL,
    Consent,
    Fact,
    Profile,
    Source,
    Subscription,
)

PlanEvent = (
    wire.SubscriptionStarted
    | wire.SubscriptionRenewed
    | wire.SubscriptionChanged
    | wire.SubscriptionCancelled
    | wire.SubscriptionEnded
)
PointsEvent = wire.PointsEarned | wire.PointsRedeemed | wire.PointsExpired

_EMAIL_MARKETING = "email/marketing"


def evolve_customer(profile: Profile, data: wire.Data, by: Source) -> None:
    """What a customer's registration and account say. Personal traits stay in their event."""
    match data:
        case wire.CustomerCreated():
            _learn(profile.traits, by, segment=data.segment)
            _learn(profile.preferences, by, tz=data.tz, language=data.language)
            if data.email_consent is not None:
                profile.consents[_EMAIL_MARKETING] = Consent(data.email_consent, by)
        case wire.CustomerGrouped():
            _learn(profile.traits, by, account_id=data.account_id)
        case wire.TierChanged():
            _learn(profile.traits, by, tier=data.after)
        case wire.ScoreUpdated():
            _learn(profile.scores, by, **{str(data.score): data.value})
        case wire.PreferenceChanged():
            _learn(
                profile.preferences,
                by,
                language=data.language,
                tz=data.tz,
                preferred_channel=data.preferred_channel,
                quiet_hours=data.quiet_hours,
            )


def evolve_consent(profile: Profile, data: wire.Data, by: Source, channel: str | None) -> None:
    """The newest word on a channel and purpose wins (kpis.md 6.7)."""
    match data:
        case wire.ConsentGranted():
            consent = Consent(True, by, data.proof, data.policy_version)  # noqa: FBT003
            _say(profile, data.channel, data.purpose, consent)
        case wire.ConsentWithdrawn():
            consent = Consent(False, by, data.proof, data.policy_version)  # noqa: FBT003
            _say(profile, data.channel, data.purpose, consent)
        case wire.MessageUnsubscribed():
            # Whoever unsubscribes has withdrawn, whatever the mailing tool calls it.
            where = data.channel or channel or "email"
            profile.consents[f"{where}/marketing"] = Consent(False, by)  # noqa: FBT003


def _say(profile: Profile, channel: str | None, purpose: str | None, consent: Consent) -> None:
    """A word on no channel is one on every channel: it replaces what was said on single ones."""
    if channel is None:
        for name in [name for name in profile.consents if name.endswith(f"/{purpose}")]:
            del profile.consents[name]
    profile.consents[f"{channel or EVERY_CHANNEL}/{purpose}"] = consent


def evolve_loyalty(profile: Profile, data: wire.Data) -> None:
    match data:
        case wire.PointsEarned():
            profile.points += data.points or 0
        case wire.PointsRedeemed() | wire.PointsExpired():
            profile.points -= data.points or 0


def evolve_plan(profile: Profile, data: wire.Data, by: Source) -> None:
    """Paid plans, told by their subscription events."""
    match data:
        case wire.SubscriptionCancellationRequested():
            _plan(profile, data.subscription).state = "cancelling"
        case _ if isinstance(data, PlanEvent):
            _evolve_terms(_plan(profile, data.subscription), data, by)


def _plan(profile: Profile, name: str) -> Subscription:
    return profile.subscriptions.setdefault(name, Subscription())


def _evolve_terms(plan: Subscription, data: PlanEvent, by: Source) -> None:
    plan.plan, plan.period = data.plan or plan.plan, data.period or plan.period
    plan.amount = plan.amount if data.amount is None else data.amount
    plan.currency = data.currency or plan.currency
    match data:
        case wire.SubscriptionStarted():
            plan.started_at, plan.state = plan.started_at or by.time, "active"
        case wire.SubscriptionRenewed():
            plan.state = "active"
        case wire.SubscriptionCancelled():
            plan.state = "cancelled"
        case wire.SubscriptionEnded():
            plan.state = "ended"


def _learn(facts: dict[str, Fact], by: Source, **values: object) -> None:
    for name, value in values.items():
        if value is not None:
            facts[name] = Fact(value if isinstance(value, str) else str(value), by)
