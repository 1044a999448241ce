# Empty on purpose: the plugin comes through the installed package's entry point, here as in anybody's suite.
# A `-p harness.pytest_plugin.plugin` or `pytest_plugins` beside it would load it twice and crash.
