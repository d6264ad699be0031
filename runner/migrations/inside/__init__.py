"""What runs inside the project's own programs, in the project's own Python (3.8 or newer): the standard library only.

It is loaded by path under the name ``dbproof_inside`` (see ``start.py``), so that neither the project's modules nor ours can be
taken for one another. It tells dbproof what happens through the named pipe of :mod:`runner.children`.
"""
