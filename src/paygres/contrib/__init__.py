"""What a program may use beside the SDK, each by its own import: FastAPI, Django, the sandbox, a pytest plugin."""
