// Mistakes in what all checks have in common.
#include "site_text.h"

namespace l4ward::config {
namespace {

const std::string kDuration = "expected a duration such as 500ms, 2s or 5m, from 10ms to 1h";
const std::string kDownDuration = "expected a duration such as 500ms, 2s or 5m, from 10ms to 24h";
const std::string kName = "expected 1 to 64 letters, digits, '.', '_' or '-'";
const std::string kTypes = "tcp, http, https, dns, udp, icmp, grpc, exec, file or agent";

class Checks : public testing::TestWithParam<Mistake> {};

TEST_P(Checks, IsOneError) {
  expectError(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    LoadErrors, Checks,
    testing::Values(
        Mistake{
            "type: http", "type: httq",
            "11:11: checks.web.type: found 'httq', expected " + kTypes + " (did you mean 'http'?)"},
        Mistake{"type: http", "type: smtp-submission",
                "11:11: checks.web.type: found 'smtp-submission', expected " + kTypes},
        Mistake{"type: http", "type: [http]",
                "11:11: checks.web.type: found a list, expected " + kTypes},
        Mistake{"    type: http\n", "",
                "11:5: checks.web.type: found no such key, expected " + kTypes},
        Mistake{"  port:\n    type: tcp", "  port:\n    type: tcp\n    path: /",
                "18:11: checks.port.path: found this key in a check of type tcp, expected it only "
                "with type http, https or file"},
        Mistake{"path: /up", "path: up",
                "12:11: checks.web.path: found 'up', expected a path that begins with '/', at most "
                "1024 printable ASCII characters without blanks or '#'"},
        Mistake{"path: /up", "path: \"/up HTTP/1.1\\r\\nX: y\"",
                "12:11: checks.web.path: found '/up HTTP/1.1??X: y', expected a path that begins "
                "with '/', at most 1024 printable ASCII characters without blanks or '#'"},
        Mistake{"www.example.org", "\"a\\nb\"",
                "13:11: checks.web.host: found 'a?b', expected a host name or address, with a port "
                "if need be"},
        Mistake{"www.example.org", "www.exämple.org",
                "13:11: checks.web.host: found 'www.exämple.org', expected a host name or address, "
                "with a port if need be"},
        Mistake{"status: [200]", "status: []",
                "14:13: checks.web.status: found an empty list, expected 1 to 64 items"},
        Mistake{"status: [200]", "status: 200",
                "14:13: checks.web.status: found '200', expected a list"},
        Mistake{"status: [200]", "status: [99]",
                "14:14: checks.web.status[0]: found '99', expected a status from 100 to 599, or a "
                "range such as 200-299"},
        Mistake{"status: [200]", "status: [299-200]",
                "14:14: checks.web.status[0]: found '299-200', expected a status from 100 to 599, "
                "or a range such as 200-299"},
        Mistake{"status: [200]", "drain_status: [100-399]",
                "14:19: checks.web.drain_status: found status 200, which `status` has too, "
                "expected each status in one of the two"},
        Mistake{"interval: 2s", "interval: -2s",
                "15:15: checks.web.interval: found '-2s', " + kDuration},
        Mistake{"interval: 2s", "interval: 2",
                "15:15: checks.web.interval: found '2', " + kDuration},
        Mistake{"interval: 2s", "interval: 1.5s",
                "15:15: checks.web.interval: found '1.5s', " + kDuration},
        Mistake{"interval: 2s", "interval: 9ms",
                "15:15: checks.web.interval: found '9ms', " + kDuration},
        Mistake{"interval: 2s", "interval: 61m",
                "15:15: checks.web.interval: found '61m', " + kDuration},
        Mistake{"interval: 2s", "interval: [2s]",
                "15:15: checks.web.interval: found a list, " + kDuration},
        Mistake{"interval: 2s", "intervall: 2s",
                "15:5: checks.web.intervall: found the key 'intervall', expected a key that is "
                "known here (did you mean 'interval'?)"},
        Mistake{"interval: 2s", "path: /b",
                "15:5: checks.web.path: found the key 'path' a second time, expected it once (line "
                "12 has it too)"},
        Mistake{"interval: 2s", "timeout: 3s",
                "15:14: checks.web.timeout: found '3s', expected at most the interval, which is 2s "
                "by default"},
        Mistake{"interval: 2s", "interval: 1s\n    timeout: 1001ms",
                "16:14: checks.web.timeout: found '1001ms', expected at most the interval, which "
                "is 1s"},
        Mistake{"interval: 2s", "fast_interval: 3s",
                "15:20: checks.web.fast_interval: found '3s', expected at most the interval, which "
                "is 2s by default"},
        Mistake{"interval: 2s", "rise: 0",
                "15:11: checks.web.rise: found '0', expected a whole number from 1 to 100"},
        Mistake{"interval: 2s", "fall: 101",
                "15:11: checks.web.fall: found '101', expected a whole number from 1 to 100"},
        Mistake{"interval: 2s", "port: 0",
                "15:11: checks.web.port: found '0', expected a whole number from 1 to 65535"},
        Mistake{"interval: 2s", "port: 0x50",
                "15:11: checks.web.port: found '0x50', expected a whole number from 1 to 65535"},
        Mistake{"interval: 2s", "source: [192.0.2.3, 192.0.2.4]",
                "15:25: checks.web.source[1]: found a second IPv4 address, expected one a family"},
        Mistake{"interval: 2s", "source: '::'",
                "15:13: checks.web.source: found '::', expected an address of this node"},
        Mistake{"  port:\n", "  web:\n",
                "16:3: checks.web: found the key 'web' a second time, expected it once (line 10 "
                "has it too)"},
        Mistake{"  port:\n", "  a port:\n",
                "16:3: checks[\"a port\"]: found the name 'a port', " + kName},
        Mistake{"  port:\n", "  none:\n",
                "17:5: checks.none: found a check named none, expected another name: `check: none` "
                "in a pool means no check"},
        Mistake{"interval: 2s", "down_interval: 9ms",
                "15:20: checks.web.down_interval: found '9ms', " + kDownDuration},
        Mistake{"interval: 2s", "down_interval: 25h",
                "15:20: checks.web.down_interval: found '25h', " + kDownDuration},
        Mistake{"interval: 2s", "down_interval: 499ms",
                "15:20: checks.web.down_interval: found '499ms', expected at least the fast "
                "interval, which is 500ms by default"},
        Mistake{"interval: 2s", "fast_interval: 1s\n    down_interval: 999ms",
                "16:20: checks.web.down_interval: found '999ms', expected at least the fast "
                "interval, which is 1s"},
        // What is wrong by itself is not compared.
        Mistake{"interval: 2s", "fast_interval: 9ms\n    down_interval: 20ms",
                "15:20: checks.web.fast_interval: found '9ms', " + kDuration},
        Mistake{"interval: 2s", "fast_interval: 3s\n    down_interval: 1s",
                "15:20: checks.web.fast_interval: found '3s', expected at most the interval, which "
                "is 2s by default"},
        Mistake{"interval: 2s", "interval: 2h\n    timeout: 3s\n    down_interval: 20ms",
                "15:15: checks.web.interval: found '2h', " + kDuration}));

}  // namespace
}  // namespace l4ward::config
