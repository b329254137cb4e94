"""The `funcsched` command."""
