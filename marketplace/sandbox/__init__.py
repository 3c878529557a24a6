"""A Paystack of one's own for development and tests: the real protocol over HTTP, on a file of its own.

It plays another company. It knows nothing of the marketplace but the address of its webhook, imports neither its
services nor its models, and is mounted only while developing without a key. A threaded web process must serve it,
since that process calls itself.
"""
