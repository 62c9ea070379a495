"""Puts flows onto a server: the stack, the CLI, the demo."""
