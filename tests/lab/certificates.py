"""Certificates for servers of the lab."""
from __future__ import annotations

import subprocess


def self_signed(certificate: str, key: str, days: int, *names: str) -> None:
    """Writes one for these host names, which is also the authority that it is checked against."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj",
                    f"/CN={names[0]}", "-addext",
                    "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
                    "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
