# Empty on purpose: the plugin comes through the installed package's entry point, here as in any other suite.
# A `-p harness.pytest_plugin.plugin` or `pytest_plugins` would load it a second time and crash.
