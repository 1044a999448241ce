"""One case on one board: runner, handshake, health, lab, observation."""
