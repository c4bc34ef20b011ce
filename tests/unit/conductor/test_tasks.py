"""The conductor registers what its contract names, and no more."""

from celery import current_app

from cloud.conductor import tasks
from cloud.conductor.schedule import SCHEDULE
from cloud.config.celery import app
from contracts import conductor
from contracts.envelope import Message


def named() -> set[str]:
    values = vars(conductor).values()
    texts = {value for value in values if isinstance(value, str) and value.startswith("conductor.v1.")}
    kinds = {value for value in values if isinstance(value, type) and issubclass(value, Message)}
    return texts | {kind.NAME for kind in kinds if getattr(kind, "NAME", "")}


def test_the_conductor_registers_exactly_the_tasks_of_its_contract():
    assert tasks
    registered = {name for name in app.tasks if not name.startswith("celery.")}
    assert registered == named()
    assert current_app.main == "novella"


def test_beat_sends_what_a_conductor_knows_and_nothing_that_piles_up():
    for entry in SCHEDULE.values():
        assert entry["task"] in named()
        assert entry["options"]["queue"] == "conductor"
        assert entry["options"]["expires"] > entry["schedule"]
