"""A slow second implementation of the rules, against which the product's output is compared.

It reads the whole history at once, sorted by event time, and works out each shipment, order, ticket and
shop from its complete list of facts. It has no watermark, no timers and no state to settle, and shares no
code with the product: what both agree on was derived twice.
"""
