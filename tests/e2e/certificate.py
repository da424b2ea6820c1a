# SPDX-License-Identifier: MIT
"""Certificates of hosts that a test brings along, good ones and bad ones."""

import pathlib
import ssl
import tempfile

from sandbox import run

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Certificates:
    """Made in a directory of their own; `known' ones by the authority that the sandbox trusts."""

    def __init__(self, sandbox):
        self.known = pathlib.Path(sandbox.tls_ca).with_suffix("")
        self.directory = tempfile.TemporaryDirectory(prefix="outrider-tls-")
        self.unknown = self.path("nobody")
        run(["openssl", "req", "-x509", *KEY, "-days", "7", "-subj", "/CN=Nobody's authority",
             "-keyout", f"{self.unknown}.key", "-out", f"{self.unknown}.pem"])

    def close(self):
        self.directory.cleanup()

    def path(self, name):
        return pathlib.Path(self.directory.name, name)

    def context(self, name, days=7, known=True):
        """A server's SSLContext with a certificate of that name; it is over already if days are negative."""
        stem = self.path(f"{name}{days}{known}")
        authority = self.known if known else self.unknown
        run(["openssl", "req", *KEY, "-subj", "/CN=host", "-keyout", f"{stem}.key", "-out", f"{stem}.csr"])
        pathlib.Path(f"{stem}.names").write_text(f"subjectAltName=DNS:{name}", encoding="ascii")
        run(["openssl", "x509", "-req", "-in", f"{stem}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
             "-CAserial", str(self.path("serial")), "-CAcreateserial", "-days", str(days),
             "-extfile", f"{stem}.names", "-out", f"{stem}.pem"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{stem}.pem", f"{stem}.key")
        return context
