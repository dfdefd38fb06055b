"""What a process tells of itself: metrics, whether it is well, whether it is ready.

    recorder.py   Recorder: what is recorded, and the one that records nothing
    metrics.py    the same for Prometheus: every metric, with its help
    staged.py     the time of a method as one stage of SMTP
    pulses.py     signs of life of loops and threads
    watchdog.py   ends a process that is wedged
    servers.py    whether MongoDB and the broker answer
    http.py       /metrics, /healthz, /readyz             starting.py   settings → all of it
    tracing.py    the same time for OpenTelemetry

Whoever records asks for `recorder()` when it is made; a process chooses its recorder before that.
"""

from tasks.observing.recorder import Recorder, record_with, recorder
from tasks.observing.staged import staged


__all__ = ["Recorder", "record_with", "recorder", "staged"]
