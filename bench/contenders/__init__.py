"""Who is measured, by name, in the order of the table."""

from __future__ import annotations

from bench.contenders.base import Contender
from bench.contenders.bullmq import BullMq
from bench.contenders.celery_task import CeleryTask
from bench.contenders.django import CeleryEmail, PostOffice, PostOfficeCelery
from bench.contenders.floor import Floor, GroupedFloor
from bench.contenders.ours import Ours, OursEach, OursTwo
from bench.contenders.zonemta import ZoneMta


_ALL: list[type[Contender]] = [
    Ours,
    OursTwo,
    OursEach,
    Floor,
    GroupedFloor,
    CeleryTask,
    BullMq,
    PostOffice,
    PostOfficeCelery,
    CeleryEmail,
    ZoneMta,
]
CONTENDERS: dict[str, type[Contender]] = {each.name: each for each in _ALL}
