"""The status page as a node serves it, with answers that a test makes up."""
import http.server
import json
import os
import re
import threading
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, 'control/page')
TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript'}


def policy() -> str:
    """What nodes send, from their source."""
    with open(os.path.join(ROOT, 'control/page_assets.h'), encoding='utf-8') as file:
        definition = file.read().split('kPagePolicy =')[1].split(';\n')[0]
    return ''.join(re.findall(r'"([^"]*)"', definition))


class PageServer(http.server.ThreadingHTTPServer):
    """`status`, `events` and `lookup` are what it answers; `silent`: nothing at all."""
    daemon_threads = True

    def __init__(self, status: dict):
        super().__init__(('127.0.0.1', 0), Handler)
        self.silent = False
        self.events: list[dict] = []
        self.lookup: tuple[int, dict] = (200, {})
        self.looked_up: list[dict] = []
        self.served = 0
        self.show(status)
        self.url = f'http://127.0.0.1:{self.server_address[1]}/'
        self.policy = policy()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def show(self, status: dict) -> None:
        self.status = status
        self.body = json.dumps(status).encode()     # a large one is not encoded for each request

    def handle_error(self, request, client_address):
        pass                                        # a browser that hangs up is no news


class Handler(http.server.BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        if self.server.silent:
            self.close_connection = True
        elif url.path == '/api/status':
            self.server.served += 1
            self.answer(200, 'application/json', self.server.body)
        elif url.path == '/api/events':
            newer = [event for event in self.server.events if event['number'] > int(asked['after'])]
            self.answer_json(200, {'events': newer})
        elif url.path == '/api/lookup':
            self.server.looked_up.append(asked)
            self.answer_json(*self.server.lookup)
        else:
            self.answer_file('index.html' if url.path == '/' else url.path[1:])

    def answer_file(self, name: str) -> None:
        if name not in os.listdir(PAGE):
            self.answer(404, 'text/plain', b'not found\n')
            return
        with open(os.path.join(PAGE, name), 'rb') as file:
            kind = TYPES[os.path.splitext(name)[1]]
            self.answer(200, kind + '; charset=utf-8', file.read())

    def answer_json(self, status: int, value: object) -> None:
        self.answer(status, 'application/json', json.dumps(value).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Content-Security-Policy', self.server.policy)
        self.send_header('X-Content-Type-Options', 'nosniff')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
