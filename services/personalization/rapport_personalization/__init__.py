"""Acts before the customer has to ask, and can say why it did or did not.

Reads: rapport.interactions.v1, rapport.customers.v1, rapport.feedback.v1, rapport.engagement.v1,
rapport.metrics.v1.
Writes: rapport.engagement.v1.
Owns: trigger_version, policies, moment, customer, candidate, decision, offer, model, scoring,
score, suggestion, suggestion_count, suggesting, backtest, backtest_decision, calendar,
person_grouping, trigger_step, and those of runtime, people and sender.
Serves: /v1/triggers, /v1/backtests, /v1/decisions, /v1/explain, /v1/customers/…, /v1/suggestions,
/p/{token}, /v1/ops/…
"""
