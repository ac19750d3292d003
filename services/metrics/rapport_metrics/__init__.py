"""Every KPI, exact and streaming.

Reads: rapport.interactions.v1, rapport.customers.v1, rapport.feedback.v1.
Writes: rapport.metrics.v1.
Owns: entity, cell, dims, purchase, contract, activity, person, model, and the runtime's tables.
Serves: GET /v1/kpis, /v1/kpis/{kpi}, /v1/restatements, /v1/targets, /v1/alerts, /v1/ops/…
"""
