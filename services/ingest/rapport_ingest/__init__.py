"""The one door for publishers.

Reads: rapport.inbound.v1. Writes: rapport.interactions.v1.
Owns: quarantine, and the runtime's tables, in its own database; a spool on its own disk.
Serves: POST /v1/batch and the other routes of the SDKs, /v1/events, /batch, GET /v1/ops/…
"""
