"""A shop in Django beside a Paygres server.

export INSFORGE_URL=http://localhost:7130 INSFORGE_ANON_KEY=anon_… JWT_SECRET=…   # printed by `paygres dev --json`
export PRICE_ID=price_… WEBHOOK_SECRET=whsec_…   # of a destination http://localhost:8000/hooks/paygres/
python manage.py migrate
python manage.py runserver
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
