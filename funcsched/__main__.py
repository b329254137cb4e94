"""`python -m funcsched` is the command `funcsched`."""

from funcsched.command import main

if __name__ == "__main__":
    raise SystemExit(main())
