"""What reads foreign bytes, under a fuzzer that is guided by coverage: `make fuzz`.

`targets` names the doors and what must hold of each; `corpus` makes the inputs that it begins with; `child` runs one
door under atheris, which `make fuzz` installs. `tests/unit/cli/test_fuzz_targets.py` runs every door over its corpus
once, without a fuzzer.
"""
