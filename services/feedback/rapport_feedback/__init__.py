"""Asks the right person once, listens, and closes the loop.

Reads: rapport.interactions.v1, rapport.customers.v1, rapport.feedback.v1, rapport.engagement.v1.
Writes: rapport.feedback.v1.
Owns: survey_definition, invitation, answer, loop, and those of runtime, people and sender.
Serves: /s/{token}, /v1/surveys, /v1/responses, /v1/feedback, /v1/loops, /v1/ops/…
"""
