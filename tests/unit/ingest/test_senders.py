"""Signatures: the vectors are made by md5sum, sha256sum and openssl, of the body and secret below."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis.strategies import binary

from streams.ingest.senders import sender_of

SECRET, OTHER = b"pinch-of-salt", b"another-secret"
BODY = '{"nu":"7830001","note":"快件 a+b&c"}'.encode()
MD5, MD5_BASE64 = "8A01067DB9C182B3C01880DF84DDD35E", "OGEwMTA2N2RiOWMxODJiM2MwMTg4MGRmODRkZGQzNWU="
HMAC = "5ykTSx9Fx91dbCb6xnejQD+vkaM9R85HR72/aDdPxro="
SHA256 = "6b9ef73c2b67573eb944b5b764d6652caea3098432b443edb5d5a6e83ad20e76"
TOKEN = "a-token-of-twenty-ch"  # noqa: S105


def kuaidi100(sign: str) -> tuple[dict[str, str], bytes]:
    return {}, urlencode({"sign": sign, "param": BODY}).encode()


def kdniao(sign: str) -> tuple[dict[str, str], bytes]:
    return {}, urlencode({"RequestData": BODY, "DataSign": sign, "RequestType": "102"}).encode()


def header(name: str) -> Callable[[str], tuple[dict[str, str], bytes]]:
    return lambda sign: ({name: sign}, BODY)


SIGNED: list[tuple[str, Callable[[str], tuple[dict[str, str], bytes]], str]] = [
    ("kuaidi100", kuaidi100, MD5),
    ("kdniao", kdniao, MD5_BASE64),
    # It says that it encodes the signature, and so does the form.
    ("kdniao", kdniao, quote(MD5_BASE64)),
    ("aftership", header("aftership-hmac-sha256"), HMAC),
    ("shopify", header("X-Shopify-Hmac-Sha256"), HMAC),
    ("woocommerce", header("X-WC-Webhook-Signature"), HMAC),
    ("17track", header("sign"), SHA256),
]


@pytest.mark.parametrize(("name", "pushed", "sign"), SIGNED)
def test_a_right_signature_vouches_for_what_it_signs(
    name: str, pushed: Callable[[str], tuple[dict[str, str], bytes]], sign: str
) -> None:
    headers, body = pushed(sign)
    assert sender_of(name).vouched(headers, body, [SECRET]) == BODY
    # While one secret replaces the other, both hold.
    assert sender_of(name).vouched(headers, body, [OTHER, SECRET]) == BODY
    assert sender_of(name).vouched(headers, body, [SECRET, OTHER]) == BODY


@pytest.mark.parametrize(("name", "pushed", "sign"), SIGNED)
def test_nothing_else_does(name: str, pushed: Callable[[str], tuple[dict[str, str], bytes]], sign: str) -> None:
    sender = sender_of(name)
    headers, body = pushed(sign)
    assert sender.vouched(headers, body, [OTHER]) is None
    assert sender.vouched(headers, body.replace(b"7830001", b"7830002"), [SECRET]) is None
    for wrong in ("", sign[:-1], "x" + sign[1:], "é"):
        assert sender.vouched(*pushed(wrong), [SECRET]) is None
    assert sender.vouched({}, BODY, [SECRET]) is None
    assert sender.vouched({}, b"", [SECRET]) is None


def test_only_the_signed_field_is_read() -> None:
    _, body = kuaidi100(MD5)
    assert sender_of("kuaidi100").vouched({}, body + b"&more=%7B%22nu%22%3A%22forged%22%7D", [SECRET]) == BODY


def test_of_a_field_that_is_there_twice_the_first_is_both_checked_and_read() -> None:
    _, body = kuaidi100(MD5)
    assert sender_of("kuaidi100").vouched({}, body + b"&param=forged", [SECRET]) == BODY
    assert sender_of("kuaidi100").vouched({}, b"param=forged&" + body, [SECRET]) is None


def test_bytes_that_are_no_utf_8_are_signed_as_they_are() -> None:
    content = "快件".encode("gb18030")
    form = b"param=" + quote(content).encode() + b"&sign=" + b"0" * 32
    assert sender_of("kuaidi100").content(form) == content


def test_of_a_form_the_first_fields_are_looked_at() -> None:
    _, body = kuaidi100(MD5)
    assert sender_of("kuaidi100").vouched({}, b"a=1&" * 30 + body, [SECRET]) == BODY
    assert sender_of("kuaidi100").vouched({}, b"a=1&" * 31 + body, [SECRET]) is None


@given(binary(max_size=200))
def test_any_bytes_are_decoded_as_they_were_encoded(content: bytes) -> None:
    assert sender_of("kuaidi100").content(b"param=" + quote_plus(content).encode()) == content
    in_small_letters = "".join(f"%{byte:02x}" for byte in content)
    assert sender_of("kuaidi100").content(b"param=" + in_small_letters.encode()) == content


def test_what_need_not_be_encoded_may_stand_as_it_is() -> None:
    raw = b'{"a":"=b= c","d":"\r\n%0A"}'
    wanted = b'{"a":"=b= c","d":"\r\n\n"}'
    assert sender_of("kuaidi100").content(b"param=" + raw) == wanted
    assert sender_of("kuaidi100").content(b"param=" + raw.replace(b"\r\n", b"")) == wanted.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", ["sf-route", "cainiao", "mine"])
def test_the_rest_sends_a_token(name: str) -> None:
    sender = sender_of(name)
    basic = base64.b64encode(b"anybody:" + TOKEN.encode()).decode()
    for right in (f"Bearer {TOKEN}", f"bearer  {TOKEN} ", f"Basic {basic}"):
        assert sender.vouched({"Authorization": right}, BODY, [OTHER, TOKEN.encode()]) == BODY
    for wrong in ("", TOKEN, f"Bearer {TOKEN}x", f"Token {TOKEN}", "Basic ?", f"Basic {TOKEN}", "Bearer"):
        assert sender.vouched({"Authorization": wrong}, BODY, [TOKEN.encode()]) is None


def test_only_woocommerce_tries_an_address_without_a_signature() -> None:
    ping = b"webhook_id=12"
    assert sender_of("woocommerce").is_test({}, ping)
    assert not sender_of("woocommerce").is_test({"X-WC-Webhook-Signature": "x"}, ping)
    assert not sender_of("woocommerce").is_test({}, ping + b"0" * 64)
    assert not any(sender_of(name).is_test({}, ping) for name in ("shopify", "kuaidi100", "sf-route"))


def test_shops_are_named_by_their_address() -> None:
    assert sender_of("shopify").shop({"X-Shopify-Shop-Domain": "tea-house.myshopify.com"}) == "tea-house.myshopify.com"
    assert sender_of("woocommerce").shop({"X-WC-Webhook-Source": "https://tea.example/shop/"}) == "tea.example/shop"
    assert sender_of("shopify").shop({}) is None
    assert sender_of("kuaidi100").shop({"X-Shopify-Shop-Domain": "x"}) is None
