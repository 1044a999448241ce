"""Boards of a labgrid lab, through labgrid-client as another program."""
