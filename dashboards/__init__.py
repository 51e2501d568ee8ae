"""Grafana's dashboards, built with Grafana's own SDK from the catalogue of metrics; no part of the installed product.

    python -m dashboards [--check] [FOLDER]

`queries` makes PromQL of catalogued metrics only, `panels` and `page` are the house style, and each dashboard has a
module. What they make is checked in at `deploy/grafana/dashboards`.
"""
