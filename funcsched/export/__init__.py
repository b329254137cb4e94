"""A schedule as source code without dependencies, in Python, C, torch or JAX.

A schedule evaluates itself in any number system. So `to_source` evaluates it once with symbols instead of numbers
(`symbol`), in number systems that record each operation (`systems`), and a printer writes the recorded operations as
statements of one language (`printer`, `languages`).
"""
