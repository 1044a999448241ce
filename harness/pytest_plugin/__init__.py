"""The pytest plugin: `plugin` has the hooks, the other modules the code they call."""
