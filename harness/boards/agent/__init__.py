"""The program on the board: deployment, protocol, probe, network and clock."""
