"""Which firmware connects to a server, without a board: replay ClientHellos, read the answers.

Each answer is judged by the firmware's row of the table.
No session is completed and no application data is sent. Nothing here prints.
"""
