"""A release from commit to customers: cut, test, build, then one environment after another."""
