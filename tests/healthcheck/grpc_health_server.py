"""A gRPC server with grpc.health.v1.Health/Check, by python3-grpcio and without generated code.

Prints "listening on PORT" when it is ready, then serves until it is killed.
"""

import argparse
import sys
from concurrent import futures

import grpc

STATUS = {"UNKNOWN": 0, "SERVING": 1, "NOT_SERVING": 2}


def service_of(request):
    """HealthCheckRequest.service: field 1, a string shorter than 128 bytes."""
    if not request:
        return ""
    if request[0] != 0x0A or request[1] != len(request) - 2:
        raise ValueError(request)
    return request[2:].decode()


class Health(grpc.GenericRpcHandler):
    def __init__(self, status, services):
        self.answer = bytes([0x08, STATUS[status]])
        self.services = services

    def service(self, call):
        if call.method != "/grpc.health.v1.Health/Check":
            return None
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, request, context):
        if service_of(request) not in self.services:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return self.answer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--status", choices=STATUS, default="SERVING")
    parser.add_argument("--service", action="append", default=[""],
                        help="known beside the server as a whole; may be repeated")
    parser.add_argument("--no-health", action="store_true", help="without the health service")
    parser.add_argument("--certificate", help="PEM; with it, TLS")
    parser.add_argument("--key", help="PEM")
    options = parser.parse_args()

    handlers = () if options.no_health else (Health(options.status, options.service),)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=handlers)
    where = f"{options.address}:{options.port}"
    if options.certificate:
        with open(options.key, "rb") as key, open(options.certificate, "rb") as certificate:
            pairs = [(key.read(), certificate.read())]
        port = server.add_secure_port(where, grpc.ssl_server_credentials(pairs))
    else:
        port = server.add_insecure_port(where)
    if port == 0:
        sys.exit(f"cannot listen on {where}")
    server.start()
    print(f"listening on {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
