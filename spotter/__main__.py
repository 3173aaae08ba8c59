"""`python -m spotter`: the same as the `spotter` command."""

from .cli import main

if __name__ == "__main__":
    main()
