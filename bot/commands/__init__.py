"""The commands of `python -m bot`, a file each: `add_arguments(parser)` and `run(args) -> exit status`."""
