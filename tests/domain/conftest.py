"""Hypothesis as these tests need it: slow machines are no failure of what is tested."""

from hypothesis import HealthCheck, settings

settings.register_profile("domain", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
settings.load_profile("domain")
