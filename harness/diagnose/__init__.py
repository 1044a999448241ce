"""One user's server and board: try them as they are, say why they do not connect, try what would help.

`own` serves the user's files itself, `foreign` lets the board talk to a server that runs already. Both take a `Request` and give
a `Diagnosis`; neither prints.
"""
