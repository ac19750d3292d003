"""Acts before the customer has to ask, and can say why it did or did not.

Reads: rapport.interactions.v1, rapport.customers.v1, rapport.feedback.v1, rapport.metrics.v1.
Writes: rapport.engagement.v1.
Owns: trigger_version, moment, candidate, decision, and the tables of runtime, people and sender.
Serves: /v1/triggers, /v1/decisions, /v1/explain, /p/{token}, /v1/ops/…
"""
