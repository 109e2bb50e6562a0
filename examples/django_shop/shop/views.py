"""Order, pay, look."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from shop.models import Order


@login_required(login_url="/login/")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html", {"orders": Order.objects.filter(owner=request.user)})


@login_required(login_url="/login/")
@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    order = Order.objects.create(owner=request.user)
    made = request.payments.stripe.create_checkout_session(
        "test",
        mode="payment",
        line_items=[{"price_id": settings.PRICE_ID}],
        success_url=request.build_absolute_uri("/"),
        cancel_url=request.build_absolute_uri("/"),
        metadata={"order_id": str(order.id)},
        idempotency_key=f"order:{order.id}",
    )
    return redirect(made.checkout_session.url)


async def subscriptions(request: HttpRequest) -> HttpResponse:
    """What the user has, in an async view."""
    user = await request.auser()
    if not user.is_authenticated:
        return JsonResponse({"error": "sign in first"}, status=401)
    payments = await request.apayments()
    found = await payments.stripe.get_subject("test", subject={"type": "user", "id": str(user.pk)})
    return JsonResponse({"granted": [one.lookup_key for one in found.subject.access if one.granted]})


def read(request: HttpRequest, ident: str) -> HttpResponse:
    order = get_object_or_404(Order, id=ident, owner=request.user if request.user.is_authenticated else None)
    return JsonResponse({"id": str(order.id), "status": order.status})
