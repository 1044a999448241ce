"""One user's server and board: try them unchanged, explain why they do not connect, and try possible fixes.

`own` serves the user's files itself, `foreign` connects the board to a server that is already running. Both take a `Request` and return
a `Diagnosis`; neither prints.
"""
