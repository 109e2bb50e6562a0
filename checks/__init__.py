"""Rules of this repository that no off-the-shelf linter knows; `python3 run.py check` runs them."""
