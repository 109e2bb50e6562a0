"""`app` for any ASGI server: `uvicorn paygres.asgi:app`. Settings come from the environment."""

import sys

from paygres.server.app import create_app
from paygres.server.http.logs import configure
from paygres.server.settings import SettingsError, load

try:
    _settings = load()
except SettingsError as error:
    print("\n".join(error.problems), file=sys.stderr)
    raise SystemExit(64) from None

configure(_settings.log_level, _settings.log_format)
app = create_app(_settings)
