"""Addresses of the shop."""

from django.contrib.auth.views import LoginView
from django.urls import path

from paygres.contrib.django.views import messages
from shop import views

urlpatterns = [
    path("", views.home),
    path("buy/", views.buy),
    path("orders/<uuid:ident>/", views.read),
    path("subscriptions/", views.subscriptions),
    path("login/", LoginView.as_view(template_name="login.html")),
    path("hooks/paygres/", messages),
]
