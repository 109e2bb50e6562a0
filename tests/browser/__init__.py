"""The pages of the sandbox in a real browser, with JavaScript and without."""
