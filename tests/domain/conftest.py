"""Settings of Hypothesis for these tests: a slow machine fails none of them."""

from hypothesis import HealthCheck, settings

settings.register_profile("domain", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
settings.load_profile("domain")
