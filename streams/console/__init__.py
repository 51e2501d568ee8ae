"""The web console: alerts, timelines, shops, carriers and dead letters in a browser.

It reads topics, keeps what it shows in a database of its own, and writes no topic.
"""
