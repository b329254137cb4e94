"""`python -m funcsched` runs the command `funcsched`."""

from funcsched.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
