#!/usr/bin/env python3
"""check.py SCHEMA FOLDER: what record.c wrote, as others read it.

The JSON is valid by the published schema, the text for Prometheus by the parser of Prometheus' own client, and both
say what the struct says, which is what had been recorded.
"""

import json
import math
import pathlib
import sys
import unittest
from decimal import Decimal

import jsonschema
from prometheus_client.parser import text_string_to_metric_families

SCHEMA = json.loads(pathlib.Path(sys.argv[1]).read_text())
FOLDER = pathlib.Path(sys.argv[2])

SETS = ("nothing", "recorded", "queue", "idle_bridge", "bridge", "both", "reset_bridge", "reset")
DISTRIBUTIONS = ("latency", "round_trip", "handler_time")
QUANTILES = {"0.5": "p50_ns", "0.95": "p95_ns", "0.99": "p99_ns"}

# Field of the struct: where the JSON has it, and under what name and labels Prometheus sees it.
PLACES = {
    "connections_total": ("connections.total", "connections_total"),
    "connections_current": ("connections.current", "open_connections"),
    "connections_failed": ("connections.failed", "connection_failures_total"),
    "messages_sent": ("messages.sent", "sent_messages_total"),
    "messages_received": ("messages.received", "received_messages_total"),
    "bytes_sent": ("bytes.sent", "sent_bytes_total"),
    "bytes_received": ("bytes.received", "received_bytes_total"),
    "send_errors": ("errors.send", "errors_total", "send"),
    "receive_errors": ("errors.receive", "errors_total", "receive"),
    "timeout_errors": ("errors.timeout", "errors_total", "timeout"),
    "connection_errors": ("errors.connection", "errors_total", "connection"),
    "other_errors": ("errors.other", "errors_total", "other"),
}
# These change a little from one look to the next.
MEASURED = {
    "memory_used": ("memory_bytes.used", "memory_used_bytes"),
    "memory_peak": ("memory_bytes.peak", "memory_peak_bytes"),
    "memory_resident": ("memory_bytes.resident", "memory_resident_bytes"),
    "memory_buffered": ("memory_bytes.buffered", "memory_buffered_bytes"),
}
# But for what was recorded, until the reset, and what a queue holds that nobody empties.
RECORDED = ("memory_used", "memory_peak")
STEADY = {"recorded": RECORDED, "queue": (*RECORDED, "memory_buffered"), "both": RECORDED}
TYPES = {
    "network_system_info": "gauge",
    "network_system_uptime_seconds": "gauge",
    "network_system_connections": "counter",
    "network_system_open_connections": "gauge",
    "network_system_connection_failures": "counter",
    "network_system_sent_messages": "counter",
    "network_system_received_messages": "counter",
    "network_system_sent_bytes": "counter",
    "network_system_received_bytes": "counter",
    "network_system_errors": "counter",
    "network_system_latency_seconds": "summary",
    "network_system_round_trip_seconds": "summary",
    "network_system_handler_seconds": "summary",
    "network_system_memory_used_bytes": "gauge",
    "network_system_memory_peak_bytes": "gauge",
    "network_system_memory_resident_bytes": "gauge",
    "network_system_memory_buffered_bytes": "gauge",
}


def read(name: str, kind: str) -> str:
    return (FOLDER / f"{name}.{kind}").read_text()


def struct(name: str) -> dict:
    return json.loads(read(name, "struct"))


def report(name: str) -> dict:
    return json.loads(read(name, "json"), parse_float=Decimal)


def at(document: dict, path: str):
    for member in path.split("."):
        document = document[member]
    return document


def steady(name: str) -> dict:
    """The places of what is the same in the struct and in the reports."""
    return PLACES | {field: MEASURED[field] for field in STEADY.get(name, ())}


def changing(name: str) -> dict:
    return {field: place for field, place in MEASURED.items() if field not in STEADY.get(name, ())}


def samples(name: str) -> dict:
    """The value of each sample by its name, without the common beginning, and the values of its labels."""
    found = {}
    for family in text_string_to_metric_families(read(name, "prometheus")):
        for sample in family.samples:
            key = (sample.name.removeprefix("network_system_"), *sample.labels.values())
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


class Figures(unittest.TestCase):
    """What had been recorded is what the struct says."""

    def test_nothing(self):
        for name in ("nothing", "idle_bridge", "reset_bridge"):
            found = struct(name)
            self.assertEqual({found[field] for field in PLACES}, {0}, name)
            self.assertEqual({value for what in DISTRIBUTIONS for value in found[what].values()}, {0}, name)

    def test_what_was_recorded(self):
        found = struct("recorded")
        self.assertEqual([found[field] for field in PLACES], [3, 2, 2, 100, 40, 5050, 40000, 1, 2, 3, 4, 5])
        for name in STEADY:
            self.assertEqual([struct(name)[field] for field in RECORDED], [100000, 123456], name)
        latency = found["latency"]
        self.assertEqual([latency[figure] for figure in ("count", "sum_ns", "min_ns", "max_ns")],
                         [1000, 500500000, 1000, 1000000])
        for figure, exact in (("p50_ns", 500000), ("p95_ns", 950000), ("p99_ns", 990000)):
            self.assertTrue(exact <= latency[figure] <= exact * 1.01, f"{figure}: {latency[figure]}")
        # All within a second or two of a window of ten.
        for figure, total in (("connections_per_second", 3), ("messages_per_second", 140), ("bytes_per_second", 45050)):
            self.assertTrue(total / 10 <= found[figure] <= total, f"{figure}: {found[figure]}")

    def test_a_queue(self):
        found, before = struct("queue"), struct("recorded")
        self.assertEqual(before["memory_buffered"], 0)
        # The default queue, 1 MiB of messages of 10,000 bytes, and what the memory for them is more.
        self.assertTrue(1_000_000 < found["memory_buffered"] < 3 << 20, found["memory_buffered"])
        self.assertEqual({field: found[field] for field in PLACES}, {field: before[field] for field in PLACES})

    def test_a_bridge(self):
        found = struct("bridge")
        self.assertEqual([found[field] for field in PLACES], [2, 0, 0, 100, 100, 1000, 1000, 0, 0, 0, 0, 0])
        self.assertEqual(found["latency"]["count"], 0)
        for what in ("round_trip", "handler_time"):
            self.assertTrue(0 < found[what]["min_ns"] <= found[what]["max_ns"], what)

    def test_a_bridge_counts_for_the_process_too(self):
        both, recorded, bridge = struct("both"), struct("recorded"), struct("bridge")
        for field in PLACES:
            self.assertEqual(both[field], recorded[field] + bridge[field], field)
        self.assertEqual(both["latency"], recorded["latency"])
        self.assertEqual(both["round_trip"], bridge["round_trip"])

    def test_a_reset_leaves_what_is_open(self):
        found = struct("reset")
        self.assertEqual({field: value for field, value in found.items() if field in PLACES and value != 0},
                         {"connections_current": 2})
        self.assertGreater(found["start_ns"], struct("both")["last_update_ns"])


class Json(unittest.TestCase):
    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_the_schema_asks_for_every_member_and_no_other(self):
        def objects(schema):
            if isinstance(schema, dict):
                if schema.get("type") == "object":
                    yield schema
                for part in schema.values():
                    yield from objects(part)
        found = list(objects(SCHEMA))
        self.assertEqual(len(found), 7)
        for part in found:
            self.assertIs(part["additionalProperties"], False)
            self.assertEqual(sorted(part["required"]), sorted(part["properties"]))

    def test_reports_are_valid(self):
        validator = jsonschema.Draft202012Validator(SCHEMA)
        for name in SETS:
            with self.subTest(name):
                validator.validate(json.loads(read(name, "json")))

    def test_the_schema_refuses_other_things(self):
        validator = jsonschema.Draft202012Validator(SCHEMA)
        def broken(change):
            document = json.loads(read("recorded", "json"))
            change(document)
            return not validator.is_valid(document)
        self.assertTrue(broken(lambda document: document.pop("errors")))
        self.assertTrue(broken(lambda document: document["errors"].update(more=1)))
        self.assertTrue(broken(lambda document: document["messages"].update(sent=-1)))
        self.assertTrue(broken(lambda document: document["messages"].update(sent=1.5)))
        self.assertTrue(broken(lambda document: document["latency_us"].update(mean=None)))
        self.assertTrue(broken(lambda document: document["round_trip_us"].update(mean=1.0)))

    def test_it_says_what_the_struct_says(self):
        for name in SETS:
            document, figures = report(name), struct(name)
            for field, (path, *_) in steady(name).items():
                self.assertEqual(at(document, path), figures[field], f"{name}: {field}")
            for what in DISTRIBUTIONS:
                found, times = document[f"{what}_us"], figures[what]
                self.assertEqual(found["count"], times["count"])
                same = ("min", "max", "p50", "p95", "p99")
                expected = {figure: Decimal(times[f"{figure}_ns"]) / 1000 for figure in same}
                expected["mean"] = Decimal(times["sum_ns"] // max(times["count"], 1)) / 1000
                for figure, value in expected.items():
                    self.assertEqual(found[figure], value if times["count"] else None, f"{name}: {what}: {figure}")
            uptime_ms = (figures["last_update_ns"] - figures["start_ns"]) // 1_000_000
            self.assertTrue(uptime_ms <= document["uptime_ms"] < uptime_ms + 10_000)

    def test_memory_is_measured(self):
        for name in SETS:
            for field, (path, _) in changing(name).items():
                value, figure = at(report(name), path), struct(name)[field]
                self.assertTrue(abs(value - figure) <= figure / 10, f"{name}: {field}: {value}, not {figure}")
                self.assertTrue(field == "memory_buffered" or value > 1 << 20, f"{name}: {field}: {value}")


class Prometheus(unittest.TestCase):
    def test_every_family_has_its_type(self):
        for name in SETS:
            families = list(text_string_to_metric_families(read(name, "prometheus")))
            self.assertEqual({family.name: family.type for family in families}, TYPES)
            self.assertEqual(len(families), len(TYPES), "none is there twice")
            for family in families:
                self.assertTrue(family.documentation.endswith("."), family.name)
                self.assertTrue(family.samples, family.name)

    def test_counters_and_no_others_end_in_total(self):
        # The parser adds the ending where it is missing, so look at the text itself.
        lines = [line.split() for line in read("recorded", "prometheus").splitlines() if line.startswith("# TYPE ")]
        self.assertEqual(len(lines), len(TYPES))
        for _, _, name, kind in lines:
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
            self.assertNotIn("per_second", name)

    def test_it_says_what_the_struct_says(self):
        for name in SETS:
            found, figures = samples(name), struct(name)
            for field, (_, *key) in steady(name).items():
                self.assertEqual(found.pop(tuple(key)), figures[field], f"{name}: {field}")
            for what in DISTRIBUTIONS:
                times, family = figures[what], f"{what.removesuffix('_time')}_seconds"
                self.assertEqual(found.pop((f"{family}_count",)), times["count"])
                self.assertAlmostEqual(found.pop((f"{family}_sum",)), times["sum_ns"] / 1e9, 9)
                for quantile, figure in QUANTILES.items():
                    value = found.pop((family, quantile))
                    if times["count"] == 0:
                        self.assertTrue(math.isnan(value), f"{name}: {family}: {value}")
                    else:
                        self.assertAlmostEqual(value, times[figure] / 1e9, 9)
            for field, (_, key) in changing(name).items():
                value, figure = found.pop((key,)), figures[field]
                self.assertTrue(abs(value - figure) <= figure / 10, f"{name}: {field}: {value}, not {figure}")
            uptime = (figures["last_update_ns"] - figures["start_ns"]) / 1e9
            self.assertTrue(uptime <= found.pop(("uptime_seconds",)) < uptime + 10)
            self.assertEqual(found, {("info", report(name)["version"]): 1}, "nothing else is there")


class Text(unittest.TestCase):
    def test_people_read_the_same(self):
        text = read("recorded", "text")
        for line in (
            "connections  2 open, 3 in all, 2 failed, ",
            "messages     100 sent, 40 received, ",
            "bytes        4.9 KiB sent, 39.0 KiB received, ",
            "latency      mean 500.5 us, min 1.0 us, p50 50",
            "round trip   not measured",
            "errors       1 sending, 2 receiving, 3 time-outs, 4 of connections, 5 other",
        ):
            self.assertTrue(any(found.startswith(line) for found in text.splitlines()), f"{line}\n{text}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
