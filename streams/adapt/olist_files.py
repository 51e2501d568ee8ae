"""The CSV files of an Olist folder, checked, as orders with all that belongs to them.

Times stay as written here; what each fact becomes is `streams.adapt.olist`'s.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from streams.adapt.lines import Report
from streams.adapt.reading import read_bytes

Cells = dict[str, str]


class Item(NamedTuple):
    """One line of an order: one piece of a product, from one seller."""

    number: int
    product: str
    seller: str
    ship_by: str
    price: float | None


class Review(NamedTuple):
    """One review of an order; `where` is for what is wrong with it."""

    where: str
    review: str
    score: int
    answered: str


@dataclass(slots=True)
class Order:
    """A row of the orders file with its items and reviews. An empty string is a missing fact."""

    where: str
    order: str
    buyer: str
    state: str
    status: str
    placed: str
    approved: str
    handed_over: str
    delivered: str
    items: list[Item] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folder:
    """All that was read. `file` is the orders file, to which problems of an order belong."""

    file: Path
    orders: list[Order]
    categories: dict[str, str]
    states: dict[str, str]


_ORDERS = {
    "order_id",
    "customer_id",
    "order_status",
    "order_purchase_timestamp",
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
}
_ITEMS = {"order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date", "price"}
_REVIEWS = {"review_id", "order_id", "review_score", "review_creation_date", "review_answer_timestamp"}
_CUSTOMERS = {"customer_id", "customer_unique_id", "customer_state"}
_PRODUCTS = {"product_id", "product_category_name"}
_SELLERS = {"seller_id", "seller_state"}


def read_folder(path: Path, report: Report) -> Folder | None:
    """The orders in a folder, in the file's order. None (the report says why) without orders or items.

    Reviews, customers, products and sellers may be missing; then their fields are empty.
    """
    orders_file = _file(path, "orders")
    items_file = _file(path, "order_items")
    if orders_file is None or items_file is None:
        missing = "orders" if orders_file is None else "order_items"
        report.problem(path, "", f"has no olist_{missing}_dataset.csv or .csv.gz")
        return None
    customers = {row["customer_id"]: row for _, row in _optional(path, "customers", _CUSTOMERS, report)}
    products = {
        row["product_id"]: row["product_category_name"] for _, row in _optional(path, "products", _PRODUCTS, report)
    }
    sellers = {row["seller_id"]: row["seller_state"] for _, row in _optional(path, "sellers", _SELLERS, report)}
    orders: dict[str, Order] = {}
    for where, row in _rows(orders_file, _ORDERS, report):
        if not row["order_id"]:
            report.problem(orders_file, where, "no order_id")
        elif row["order_id"] in orders:
            report.problem(orders_file, where, f"order {row['order_id']} is there twice")
        else:
            orders[row["order_id"]] = _order(where, row, customers.get(row["customer_id"], {}))
    for where, row in _rows(items_file, _ITEMS, report):
        _add_item(orders, items_file, where, row, report)
    reviews_file = _file(path, "order_reviews")
    for where, row in _optional(path, "order_reviews", _REVIEWS, report):
        _add_review(orders, reviews_file or path, where, row, report)
    for order in orders.values():
        order.items.sort(key=lambda item: item.number)
    return Folder(orders_file, list(orders.values()), products, sellers)


def _order(where: str, row: Cells, customer: Cells) -> Order:
    return Order(
        where=where,
        order=row["order_id"],
        buyer=customer.get("customer_unique_id") or row["customer_id"],
        state=customer.get("customer_state", ""),
        status=row["order_status"],
        placed=row["order_purchase_timestamp"],
        approved=row["order_approved_at"],
        handed_over=row["order_delivered_carrier_date"],
        delivered=row["order_delivered_customer_date"],
    )


def _add_item(orders: dict[str, Order], file: Path, where: str, row: Cells, report: Report) -> None:
    order = orders.get(row["order_id"])
    if order is None:
        report.problem(file, where, f"an item of an unknown order {row['order_id']!r}")
        return
    if not row["product_id"] or not row["seller_id"]:
        report.problem(file, where, "no product_id" if row["seller_id"] else "no seller_id")
        return
    try:
        number = int(row["order_item_id"])
    except ValueError:
        report.problem(file, where, f"order_item_id {row['order_item_id']!r} is no number")
        return
    order.items.append(
        Item(number, row["product_id"], row["seller_id"], row["shipping_limit_date"], _price(row["price"]))
    )


def _price(text: str) -> float | None:
    try:
        price = float(text)
    except ValueError:
        return None
    return price if math.isfinite(price) else None


def _add_review(orders: dict[str, Order], file: Path, where: str, row: Cells, report: Report) -> None:
    order = orders.get(row["order_id"])
    if order is None:
        report.problem(file, where, f"a review of an unknown order {row['order_id']!r}")
        return
    try:
        score = int(row["review_score"])
    except ValueError:
        report.problem(file, where, f"review_score {row['review_score']!r} is no number")
        return
    if not row["review_id"]:
        report.problem(file, where, "no review_id")
        return
    answered = row["review_answer_timestamp"] or row["review_creation_date"]
    order.reviews.append(Review(where, row["review_id"], score, answered))


def _file(folder: Path, name: str) -> Path | None:
    for ending in (".csv", ".csv.gz"):
        path = folder / f"olist_{name}_dataset{ending}"
        if path.is_file():
            return path
    return None


def _optional(folder: Path, name: str, columns: set[str], report: Report) -> Iterator[tuple[str, Cells]]:
    file = _file(folder, name)
    if file is not None:
        yield from _rows(file, columns, report)


def _rows(file: Path, columns: set[str], report: Report) -> Iterator[tuple[str, Cells]]:
    """The rows of a file, and on which line each ends. Those of another width than the head are problems."""
    try:
        text = read_bytes(file).decode("utf-8-sig")
    except OSError as error:
        report.problem(file, "", f"cannot be read: {error.strerror or error}")
        return
    except UnicodeDecodeError as error:
        report.problem(file, "", f"not UTF-8: byte {error.start}")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = next(reader, [])
        missing = sorted(columns - set(head))
        if missing:
            report.problem(file, "", f"has no column {', '.join(missing)}")
            return
        for cells in reader:
            where = f"line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(head):
                report.problem(file, where, f"{len(cells)} cells under a head of {len(head)}")
                continue
            yield where, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    except csv.Error as error:
        report.problem(file, f"line {reader.line_num}", f"broken CSV: {error}")
