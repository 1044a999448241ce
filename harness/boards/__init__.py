"""Boards: specs, sessions, recovery and hooks; one folder for each of serial, agent, locks, virtual and labgrid."""
