"""`python -m pgcourse` is the `pgcourse` command, where its script is not on the path."""

import sys

if __name__ == "__main__":
    try:
        from .cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        print("pgcourse: interrupted", file=sys.stderr)
        sys.exit(130)
