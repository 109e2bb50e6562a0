"""What exists at the beginning, from a YAML file: read with its line numbers, checked, planted by the sandbox's own
endpoints, so that its events happen too."""
