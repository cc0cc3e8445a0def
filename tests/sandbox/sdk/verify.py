"""``python -m tests.sandbox.sdk.verify SECRET``: what the SDK's own receiver makes of webhooks.

Reads ``{"headers", "body"}`` as JSON lines; prints the class of each verified event.
"""

import json
import sys

import seam  # type: ignore[import-not-found,unused-ignore]

webhook = seam.SeamWebhook(sys.argv[1])
received = [json.loads(line) for line in sys.stdin]
json.dump([type(webhook.verify(each["body"], each["headers"])).__name__ for each in received], sys.stdout)
