"""What an endpoint is: a function of the unit of work, the checked parameters and the ids of the path, which
answers one object or one page of a list."""

from collections.abc import Callable, Mapping
from typing import Any

from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.lists import Page

Answer = Object | Page
Route = Callable[..., Answer]
Routes = Mapping[str, Route]
Params = dict[str, Any]
