"""Orders."""

import uuid

from django.conf import settings
from django.db import models


class Order(models.Model):
    """One notebook; `status` is pending, paid or refunded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    status = models.CharField(max_length=20, default="pending")

    def __str__(self) -> str:
        return f"order {self.id}: {self.status}"
