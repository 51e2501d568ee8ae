"""The protocol of a task as a model whose every state is looked at; see docs/reliability-model.md.

`python -m tests.model` checks it and tells the numbers of states; `--mutation NAME` shows how a mutation goes wrong.
"""
