"""The table of messages that were taken in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="ReceivedMessage",
            fields=[
                ("id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=100)),
                ("received_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={"db_table": "paygres_received_messages"},
        ),
    ]
