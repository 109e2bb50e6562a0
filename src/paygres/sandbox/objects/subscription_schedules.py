"""Subscription schedules are not simulated: nothing here makes one, so their list is empty and every id unknown. A
change at a period's end is what `cancel_at`, `trial_end` and test clocks are for."""

from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

KIND = "subscription_schedule"


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find(KIND, id, "schedule", in_path=True)


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, KIND, params, "/v1/subscription_schedules")


ROUTES: Routes = {
    "GET /v1/subscription_schedules": list_all,
    "GET /v1/subscription_schedules/{schedule}": retrieve,
}
