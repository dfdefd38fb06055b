"""The Celery application: `celery -A tasks worker`. Each setting with its reason."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu import Queue

from config import logs
from config.settings import Settings, load_or_exit
from tasks.lanes import Lane


settings = load_or_exit()


def configuration(settings: Settings) -> dict[str, Any]:
    """Make Celery's settings. MongoDB is the queue of record; the broker only carries hints."""
    return {
        "broker_url": settings.celery_broker_url.get_secret_value(),
        # Pickle would let whoever reaches Redis run code in the workers.
        "task_serializer": "json",
        "accept_content": ["json"],
        # The outcome stands in the document.
        "task_ignore_result": True,
        "result_backend": None,
        # Listed in the order in which workers empty them. No named exchange: it would not
        # survive a FLUSHALL. A task for an unknown queue is an error, not a new queue.
        "task_queues": [Queue(lane.queue, routing_key=lane.queue) for lane in Lane],
        "task_default_queue": Lane.NORMAL.queue,
        "task_create_missing_queues": False,
        # The document's lease is the acknowledgement. Late acknowledgement on Redis loses
        # messages all the same, and kombu 5.7 ends a partly busy worker when Redis restarts.
        "task_acks_late": False,
        "worker_disable_prefetch": True,
        "worker_prefetch_multiplier": 1,
        "task_reject_on_worker_lost": False,
        # Celery 6 will end running tasks, in the middle of a mail, when the broker blinks.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # Without it a full (noeviction) or demoted Redis ends the worker.
        "broker_channel_error_retry": True,
        "broker_connection_timeout": 4,
        # The default waits for ever for a free producer.
        "broker_pool_acquire_timeout": 30,
        "broker_transport_options": transport_options(settings),
        # Our callers try again themselves, with the same ids.
        "task_publish_retry": False,
        # For Flower. Sent-events would double the cost of publishing.
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "worker_pool": settings.worker_pool,
        "worker_concurrency": settings.worker_concurrency,
        # Prefork only: a guard against leaks in libraries.
        "worker_max_tasks_per_child": 5000,
        # A forked child that needs longer to start (4 s is the default) is killed and forked anew.
        "worker_proc_alive_timeout": 30,
    }


def transport_options(settings: Settings) -> dict[str, Any]:
    """Make kombu's options of the Redis transport."""
    return {
        "global_keyprefix": settings.broker_prefix,
        # BRPOP looks at the queues in the order of task_queues: strict priority.
        "queue_order_strategy": "priority",
        # One list a queue instead of four.
        "priority_steps": [0],
        # kombu would try for 6 s, deaf to a stop. Who publishes tries again, and keeps its lease.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        # Without time-outs a publish to a hung Redis never returns.
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        # Only messages in hand during a late acknowledgement would ever wait for this.
        "visibility_timeout": 1800,
    }


app = Celery("mailtrigger", include=["tasks.send", "tasks.lifecycle"], set_as_current=False)
app.conf.update(configuration(settings))


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    logs.configure(settings.log_level, settings.log_format)
