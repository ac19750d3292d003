"""The 360° view of a customer.

Reads: rapport.interactions.v1, rapport.customers.v1, rapport.feedback.v1, rapport.engagement.v1.
Writes: rapport.customers.v1.
Owns: profile, timeline, reference, identity_edge, purge, privacy_request, audit …, and the
runtime's tables, in its own database.
Serves: GET /v1/profiles, /v1/profiles/{ref}, /v1/profiles/{ref}/timeline, /v1/ops/…,
/v1/privacy/requests
"""
