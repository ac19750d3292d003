"""What holds for all tests: nothing is proven by how long an example takes."""

from hypothesis import HealthCheck, settings

# A starved machine may stand still for longer than any deadline. Else as Hypothesis has it here.
settings.register_profile(
    "patient",
    parent=settings(),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")
