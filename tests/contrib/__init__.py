"""What a program may use beside the SDK: the sandbox in tests, the pytest plugin."""
