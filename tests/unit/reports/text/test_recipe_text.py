"""A recipe on the screen: everything between two marks can be copied as it is."""

from harness.model import Command, Program, Recipe
from harness.reports.text.recipe_text import command_line, recipe_lines


def test_blocks():
    """Texts, commands, server, board, in this order; each mark says what to do with the block."""
    recipe = Recipe(
        texts=(Program(name="issuer.pem", text="-----BEGIN\nx\n"),),
        commands=(Command(arguments=("cat", "my cert.pem"), output="a b.pem"),),
        server=Program(name="server.py", text="import ssl\n\nif 1:\n    pass\n"),
        board=Program(name="board.py", text="import tls\n"),
        server_start=("/usr/bin/python3", "server.py"),
        board_start=(("mpremote", "cp", "a", ":a"), ("mpremote", "run", "board.py")),
    )
    assert recipe_lines(recipe) == [
        "# ---- save as issuer.pem, in an empty folder ----",
        "-----BEGIN",
        "x",
        "# ---- run these commands in that folder ----",
        "cat 'my cert.pem' > 'a b.pem'",
        "# ---- save as server.py, on this computer; then run: /usr/bin/python3 server.py ----",
        "import ssl",
        "",
        "if 1:",
        "    pass",
        "# ---- save as board.py, for the board; then run: mpremote cp a :a && mpremote run board.py ----",
        "import tls",
        "# ---- end ----",
    ]


def test_a_recipe_without_commands():
    """Nothing is asked for that is not needed."""
    board = Program(name="board.py", text="x\n")
    assert recipe_lines(Recipe(board=board)) == ["# ---- save as board.py, for the board ----", "x", "# ---- end ----"]
    assert command_line(Command(arguments=("a", "b;c"))) == "a 'b;c'"
