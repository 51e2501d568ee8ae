"""The catalogue of a notifier's metrics, as that of a worker: `streams.worker.catalogue`."""

from __future__ import annotations

from streams.worker.catalogue import Entry, Section

NOTIFIER = Section("Notifiers", (
    Entry("parcelwatch_notify_leading", "gauge", (), "1", "1 for the notifier of a group that tells; the others wait",
          "0 everywhere: the log says why."),
    Entry("parcelwatch_notify_alerts_total", "counter", (), "alerts", "Alerts read", "For comparison."),
    Entry("parcelwatch_notify_unreadable_total", "counter", (), "records", "Records that are no alert",
          "Above 0: something else writes into the topics of alerts; the log gives the offsets."),
    Entry("parcelwatch_notify_lost_total", "counter", (), "offsets",
          "Records deleted before they were read (upper bound)", "Above 0: lengthen the retention of `alerts.*`."),
    Entry("parcelwatch_notify_attempts_total", "counter", ("channel", "outcome"), "messages",
          "Attempts to send a message: `accepted`, `refused`, `limited` (too much came), `rejected` (the message is at "
          "fault), `uncertain` (nobody knows)",
          "Others than `accepted` rise: the log says why."),
    Entry("parcelwatch_notify_untold_total", "counter", ("reason",), "alerts",
          "Alerts that nobody is told of: `repeats`, `unrouted`, `unsaid` (over before anybody was told), `folded` "
          "(another alert says more)",
          "`unrouted` rises: no route takes them; see `parcelwatch notify --explain`."),
    Entry("parcelwatch_notify_waiting", "gauge", ("channel",), "alerts",
          "Alerts and ends that a channel is still to be told: wait, digest, quiet hours, cooldown, or trouble",
          "Grows by day: the channel takes less than comes. Use a digest."),
    Entry("parcelwatch_notify_channel_dead", "gauge", ("channel",), "1",
          "1 for a channel that has failed for longer than its patience",
          "See [the runbook](runbook/ParcelwatchChannelDead.md)."),
    Entry("parcelwatch_notify_dead_letters_total", "counter", ("channel", "reason"), "alerts",
          "Alerts that a channel could not be told of: `dead_channel`, `rejected`, `channel_removed`",
          "Rising: likewise."),
))  # fmt: skip

SECTIONS = (NOTIFIER,)
