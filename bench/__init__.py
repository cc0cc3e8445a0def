"""The benchmark: figures are ratios within one run, also to comparable systems (peers). `python -m bench --help`."""
