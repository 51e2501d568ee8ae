"""What the console shows, in an SQLite database of its own that is rebuilt from the topics at every start.

The database is SQLite's temporary kind: in memory while it is small, spilled to a private file when it grows, gone
with the process. One thread uses it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from schemas.outputs import AlertEvent, CategoryBaseline, HelpRates
from schemas.times import DAY, HOUR, parse
from schemas.topics import ALERTS, DEAD_LETTERS
from streams.alerts.cloudevents import name_of
from streams.alerts.wording import catalogue
from streams.engine.errors import UNDECODABLE
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from streams.rules.alert import RAISED
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.intake import OWN_HEADERS

HELP_RATES, CATEGORY_BASELINES = "help-rates", "category-baselines"
#: From the least to the gravest.
SEVERITIES = ("info", "warning", "critical")

_SCHEMA = """
PRAGMA cache_size = -65536;
-- What is filtered and sorted by is narrow and apart from what is searched, and that from what is shown.
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, type TEXT NOT NULL, subject TEXT NOT NULL,
  severity INTEGER NOT NULL, shop TEXT, order_id TEXT, carrier TEXT, facility TEXT, raised_at INTEGER NOT NULL,
  resolved_at INTEGER, resolution TEXT
);
CREATE TABLE texts (id INTEGER PRIMARY KEY, search TEXT NOT NULL);
CREATE TABLE bodies (id INTEGER PRIMARY KEY, raised BLOB, raised_for TEXT, resolved BLOB, resolved_for TEXT);
CREATE INDEX open_alerts ON alerts (severity DESC, raised_at DESC, key) WHERE resolved_at IS NULL;
CREATE INDEX open_shops ON alerts (shop) WHERE resolved_at IS NULL;
CREATE INDEX open_carriers ON alerts (carrier) WHERE resolved_at IS NULL;
CREATE INDEX open_facilities ON alerts (facility) WHERE resolved_at IS NULL;
CREATE INDEX by_time ON alerts (raised_at DESC, key);
CREATE INDEX by_severity ON alerts (severity DESC, raised_at DESC, key);
CREATE INDEX by_subject ON alerts (subject);
CREATE INDEX by_order ON alerts (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX by_shop ON alerts (shop, raised_at DESC);
CREATE INDEX by_type ON alerts (type, raised_at DESC);
CREATE TABLE shops (shop TEXT PRIMARY KEY, state TEXT, category TEXT, baseline REAL, rate_7 REAL, rate_30 REAL,
  as_of INTEGER, record BLOB) WITHOUT ROWID;
CREATE TABLE rates (shop TEXT, as_of INTEGER, rate_7 REAL, rate_30 REAL, baseline REAL, state TEXT,
  PRIMARY KEY (shop, as_of)) WITHOUT ROWID;
CREATE TABLE baselines (category TEXT, as_of INTEGER, shops INTEGER, rate REAL, PRIMARY KEY (category, as_of))
  WITHOUT ROWID;
CREATE TABLE dead (topic TEXT, part INTEGER, offset INTEGER, source TEXT, source_part INTEGER, source_offset INTEGER,
  code TEXT, detail TEXT, failed_at TEXT, PRIMARY KEY (topic, part, offset)) WITHOUT ROWID;
CREATE INDEX dead_by_code ON dead (code);
CREATE TABLE scans (carrier TEXT, hour INTEGER, count INTEGER NOT NULL, PRIMARY KEY (carrier, hour)) WITHOUT ROWID;
"""
#: Digits of the greatest number that a log and SQLite have both.
_DIGITS = 18
#: How long alerts count as open that nothing resolves (microseconds), and how they end then.
NOTICE, AGED = 7 * DAY, "aged"
_NOTICES = ", ".join(f"'{name}'" for name, type_ in ALERT_TYPES.items() if not type_.is_resolved_by_events)
_ALERT_TOPICS = frozenset(ALERTS.values())
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_LETTERS = frozenset(DEAD_LETTERS.values())


_PLACE = ("partition", "offset")


def _count(text: str) -> int:
    """A partition or an offset; -1 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else -1


class _Scan(msgspec.Struct):
    """What is counted of a scan; nothing else of it is decoded."""

    carrier: str
    occurred_at: str


class Store:
    """The database, and how records become its rows. `unreadable`: how many were none of ours."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.executescript(_SCHEMA)
        self.database.row_factory = sqlite3.Row
        self.unreadable = 0
        #: The types of all alerts so far.
        self.types: set[str] = set()
        self._newest = self._put_away_at = 0
        self._alert = msgspec.json.Decoder(AlertEvent).decode
        self._rates = msgspec.json.Decoder(HelpRates).decode
        self._baseline = msgspec.json.Decoder(CategoryBaseline).decode
        self._scan = msgspec.json.Decoder(_Scan).decode
        self._titles = {name: " ".join(words.title.values()) for name, words in catalogue().alerts.items()}

    def close(self) -> None:
        self.database.close()

    def put(self, topic: str, source: TopicPartition, records: Sequence[Record]) -> None:
        """Takes records of one partition, in offset order. `topic`: as the program calls it. A repeat changes nothing.

        What is no record of ours is counted and passed over.
        """
        if not records:
            return
        database = self.database
        database.execute("BEGIN")
        for record in records:
            try:
                if topic in _ALERT_TOPICS:
                    self._put_alert(record)
                elif topic in _LETTERS:
                    self._put_letter(source, record)
                elif topic == HELP_RATES:
                    self._put_rates(record)
                elif topic == CATEGORY_BASELINES:
                    self._put_baseline(record)
                else:
                    self._put_scan(record)
            except (*UNDECODABLE, ValueError):
                self.unreadable += 1
        if topic in _ALERT_TOPICS:
            self._put_away()
        database.execute("COMMIT")

    def _put_alert(self, record: Record) -> None:
        if record.value is None:
            return
        event = self._alert(record.value)
        data, type_ = event.data, name_of(event.type)
        at = parse(event.time)
        evidence = data.evidence
        raised = data.status == RAISED
        facility = evidence.get("facility")
        self._newest = max(self._newest, at)
        began = at if raised else parse(evidence["raised_at"]) if isinstance(evidence.get("raised_at"), str) else at
        searched = (event.subject, data.shop_id, data.order_id, data.carrier, type_, self._titles.get(type_))
        execute = self.database.execute
        (id_,) = execute(
            """INSERT INTO alerts (key, type, subject, severity, shop, order_id, carrier, facility, raised_at,
                 resolved_at, resolution)
               VALUES (:key, :type, :subject, :severity, :shop, :order, :carrier, :facility, :began,
                 :ended, :resolution)
               ON CONFLICT (key) DO UPDATE SET
                 facility = coalesce(excluded.facility, facility),
                 raised_at = CASE WHEN :raised THEN excluded.raised_at ELSE raised_at END,
                 resolved_at = coalesce(excluded.resolved_at, resolved_at),
                 resolution = coalesce(excluded.resolution, resolution)
               RETURNING id""",
            {
                "key": alert_key(type_, event.subject, data.episode), "type": type_, "subject": event.subject,
                "severity": SEVERITIES.index(data.severity), "shop": data.shop_id, "order": data.order_id,
                "carrier": data.carrier, "facility": facility if isinstance(facility, str) else None,
                "began": began, "ended": None if raised else at, "resolution": data.resolution, "raised": raised,
            },
        ).fetchone()  # fmt: skip
        self.types.add(type_)
        which = data.status
        # What the platform reads says more than what the merchant does: it stays.
        changed = execute(
            f"INSERT INTO bodies (id, {which}, {which}_for) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"  # noqa: S608
            f" {which} = excluded.{which}, {which}_for = excluded.{which}_for WHERE {which}_for IS NOT 'platform'",
            (id_, record.value, data.audience),
        )
        text = " ".join(dict.fromkeys(one for one in (*searched, *_texts(evidence)) if one)).lower()
        if raised and changed.rowcount:
            execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", (id_, text))
        else:
            execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (id_, text))

    def _put_away(self) -> None:
        """Takes notices that nothing will resolve from what is open, once they are old beside the newest alert."""
        if self._newest < self._put_away_at:
            return
        self._put_away_at = self._newest + HOUR
        self.database.execute(
            # The types' names are our own.
            f"UPDATE alerts SET resolved_at = raised_at + ?, resolution = ? WHERE type IN ({_NOTICES})"  # noqa: S608
            " AND resolved_at IS NULL AND raised_at < ?",
            (NOTICE, AGED, self._newest - NOTICE),
        )

    def _put_letter(self, source: TopicPartition, record: Record) -> None:
        # The worker's own headers are the last of their names. Key and value are the record's, and stay where they are.
        # Those of its producer may be any bytes, or none.
        said = {name: (text or b"").decode(errors="replace") for name, text in record.headers if name in OWN_HEADERS}
        place = (source.topic, source.partition, record.offset)
        origin = (said.get("source-topic", ""), *(_count(said.get(f"source-{name}", "")) for name in _PLACE))
        why = (said.get("error-code", ""), said.get("error-detail", ""), said.get("failed-at", ""))
        self.database.execute("INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", place + origin + why)

    def _put_rates(self, record: Record) -> None:
        shop = (record.key or b"").decode()
        if record.value is None:
            self.database.execute("DELETE FROM shops WHERE shop = ?", (shop,))
            return
        row = self._rates(record.value)
        at = parse(row.as_of)
        week, month = row.days_7.rate, row.days_30.rate
        self.database.execute(
            "INSERT OR REPLACE INTO shops VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (row.shop_id, row.state, row.main_category, row.baseline, week, month, at, record.value),
        )
        self.database.execute(
            "INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?, ?, ?)",
            (row.shop_id, at, week, month, row.baseline, row.state),
        )

    def _put_baseline(self, record: Record) -> None:
        if record.value is None:
            return
        row = self._baseline(record.value)
        self.database.execute(
            "INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?)",
            (row.category_id, parse(row.as_of), row.shops, row.rate),
        )

    def _put_scan(self, record: Record) -> None:
        if record.value is None:
            return
        scan = self._scan(record.value)
        self.database.execute(
            "INSERT INTO scans VALUES (?, ?, 1) ON CONFLICT (carrier, hour) DO UPDATE SET count = count + 1",
            (scan.carrier, parse(scan.occurred_at) // HOUR),
        )

    def rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """The rows of a query."""
        return self.database.execute(query, values).fetchall()


def _texts(value: object) -> Iterator[str]:
    """Every text in an alert's evidence but its times."""
    if isinstance(value, str):
        if not _TIME.fullmatch(value):
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def alert_key(type_: str, subject: str, episode: str) -> str:
    """What names an alert in the console's addresses, whichever topic it came from: 24 hexadecimal digits."""
    parts = "".join(f"{len(part)}:{part}," for part in (type_, subject, episode))
    return blake2b(parts.encode(), digest_size=12).hexdigest()
