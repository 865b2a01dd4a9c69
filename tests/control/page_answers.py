"""What the made-up node of page_test.py answers, beside tests/control/sample_status.cc."""

SCRIPT = '<script>alert(1)</script>'
EVENTS = [
    {'number': 1, 'at': 1767135600, 'level': 'info', 'id': 'agent.ready', 'fields': []},
    {'number': 2, 'at': 1767224846, 'level': 'warning', 'id': 'server.down',
     'fields': [['server', 'lb7-2'], ['reason', 'status 503, expected 200']]},
    {'number': 3, 'at': 1767224846, 'level': 'warning', 'id': 'vip.withdrawn',
     'fields': [['vip', '198.51.100.53/32'], ['because', SCRIPT]]}]
ANSWER = {
    'client': '203.0.113.9:40000', 'vip': '198.51.100.1:80', 'service': 'tcp 198.51.100.1:80',
    'name': 'web', 'digest': 'mh1:4093:7d3a41c0e5b280', 'slots': 4093, 'slot': 1207,
    'owner': '192.0.2.102:80', 'owner_name': 'lb7-2', 'fallback': True,
    'server': '192.0.2.101:80', 'server_name': 'lb7-1', 'held': '192.0.2.102:80',
    'held_name': 'lb7-2', 'held_state': 'ESTABLISHED',
    'text': 'The kernel holds this flow to lb7-2; a new one would go to lb7-1.'}


UNKNOWN = (404, {'error': {'code': 'unknown-subject', 'message': 'no such service', 'next': ''}})


def traffic(status: dict) -> None:
    """Two seconds later."""
    status['counters_at'] += 2
    for service in status['services'][:2]:
        service['connections'] += 240
        service['bytes_in'] += 360000
