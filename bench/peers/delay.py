"""The usual solution, as Seam's guide shows it: Flask, svix, one Celery task for each event.

    gunicorn bench.peers.delay:app     the web side
    celery -A bench.peers.delay:queue worker     the other side

The task writes the event into the story of its code, as our worker does. It runs in the environment of the peers.
"""

import json
import os

from celery import Celery
from flask import Flask, Response, request
from redis import Redis
from svix.webhooks import Webhook, WebhookVerificationError

queue = Celery("peer", broker=os.environ["PEER_REDIS_URL"])
queue.conf.update(task_ignore_result=True, task_acks_late=True, worker_hijack_root_logger=False)
app = Flask(__name__)
_webhook = Webhook(os.environ["PEER_SECRET"])
_redis = Redis.from_url(os.environ["PEER_REDIS_URL"])


@queue.task(name="peer.record")
def record(event: dict[str, str]) -> None:
    """Write one event into the story of its code."""
    key = f"peer:{event['access_code_id']}"
    pipeline = _redis.pipeline(transaction=False)
    pipeline.rpush(key, json.dumps(event))
    pipeline.expire(key, 259_200)
    pipeline.incr("peer:recorded")
    pipeline.execute()


@app.post("/webhooks/seam")
def take() -> Response:
    """Verify, queue, answer."""
    body = request.get_data()
    try:
        _webhook.verify(body, dict(request.headers))
    except WebhookVerificationError:
        return Response(status=400)
    record.delay(json.loads(body))
    return Response(status=204)
