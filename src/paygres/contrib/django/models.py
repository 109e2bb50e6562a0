"""Which messages of the server were taken in already."""

from django.db import models


class ReceivedMessage(models.Model):
    """One message; its id is the same each time it comes. Rows older than a week may be deleted."""

    id = models.CharField(primary_key=True, max_length=100)
    type = models.CharField(max_length=100)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "paygres_received_messages"

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
