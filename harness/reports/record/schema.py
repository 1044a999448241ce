"""The JSON Schemas of what the harness writes, generated from the types that define it. Pure.

The package contains them as files for other programs; `UPDATE_TEXTS=1 pytest tests/unit/reports/record/test_schema.py` writes those.
"""

from __future__ import annotations

import json

import msgspec

from harness.reports.record.diagnosis_record import SCHEMA as DIAGNOSIS_SCHEMA
from harness.reports.record.diagnosis_record import DiagnosisRecord
from harness.reports.record.result_types import RULES, Entry, Json, Result
from harness.reports.record.run_types import JOURNAL_LINES, SCHEMA, RunRecord
from harness.reports.record.simulation_record import SCHEMA as SIMULATION_SCHEMA
from harness.reports.record.simulation_record import SimulationRecord

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run_schema() -> dict[str, Json]:
    """Return the schema of run.json (`tls-harness/run/2`); a line of run.jsonl is its `$defs/JournalLine`."""
    definitions = _definitions([RunRecord, *JOURNAL_LINES.values()])
    definitions["JournalLine"] = _journal_line()
    return {"$schema": DIALECT, "$id": "urn:tls-harness:run:2", **_top(RunRecord, SCHEMA), "$defs": definitions}


def diagnosis_schema() -> dict[str, Json]:
    """Return the schema of `tls-harness diagnose --json` (`tls-harness/diagnose/1`)."""
    definitions = _definitions([DiagnosisRecord])
    proved: Json = {"properties": {"fix": {"properties": {"proved": {"const": True}}}}}
    connected: Json = {"properties": {"result": {"type": "object", "properties": {"outcome": {"const": "connected"}}}}}
    trial = definitions["TrialEntry"]
    definitions["TrialEntry"] = {**(trial if isinstance(trial, dict) else {}), "if": proved, "then": connected}
    top = _top(DiagnosisRecord, DIAGNOSIS_SCHEMA)
    return {"$schema": DIALECT, "$id": "urn:tls-harness:diagnose:1", **top, "$defs": definitions}


def simulation_schema() -> dict[str, Json]:
    """Return the schema of `tls-harness simulate --json` (`tls-harness/simulate/1`)."""
    top = _top(SimulationRecord, SIMULATION_SCHEMA)
    return {"$schema": DIALECT, "$id": "urn:tls-harness:simulate:1", **top, "$defs": _definitions([SimulationRecord])}


def schema_text(schema: dict[str, Json]) -> str:
    """Write a schema with a line for each definition and each property, so that a change shows as a changed line."""
    lines = ["{"]
    for key, value in schema.items():
        if key != "$defs":
            lines.append(f" {json.dumps(key)}: {json.dumps(value)},")
    lines.append(' "$defs": {')
    definitions = schema["$defs"]
    for name, definition in definitions.items() if isinstance(definitions, dict) else ():
        lines += [*_definition_lines(name, definition), ","]
    return "\n".join([*lines[:-1], " }", "}"]).replace("\n,\n", ",\n") + "\n"


def _definition_lines(name: str, definition: Json) -> list[str]:
    if not isinstance(definition, dict) or not isinstance(definition.get("properties"), dict):
        return [f"  {json.dumps(name)}: {json.dumps(definition)}"]
    properties = definition["properties"]
    rest = json.dumps({key: value for key, value in definition.items() if key != "properties"})
    lines = [f'  {json.dumps(name)}: {rest[:-1]}, "properties": {{']
    if isinstance(properties, dict):
        lines += [f"   {json.dumps(key)}: {json.dumps(value)}," for key, value in properties.items()]
    return [*lines[:-1], lines[-1].rstrip(","), "  }}"]


def _top(kind: type[Entry], title: str) -> dict[str, Json]:
    return {"title": title, "$ref": f"#/$defs/{kind.__name__}"}


def _definitions(kinds: list[type[Entry]]) -> dict[str, Json]:
    """Return the definitions by name, with the rules of a result that its type cannot say."""
    _references, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    definitions: dict[str, Json] = {name: _compact(definition) for name, definition in found.items()}
    if Result.__name__ not in definitions:
        return definitions
    result = definitions[Result.__name__]
    rules: list[Json] = []
    for rule in RULES:
        kept: Json = {"not": {"type": "null"}} if rule.filled else {"maxItems": 0}
        words: Json = {"properties": {rule.key: {"enum": [str(word) for word in rule.words]}}}
        rules.append({"if": words, "then": {"properties": {rule.field: kept}}})
    definitions[Result.__name__] = {**(result if isinstance(result, dict) else {}), "allOf": rules}
    return definitions


def _compact(value: Json) -> Json:
    """Leave out titles, which only repeat the name, and join the lines of descriptions; write a nullable type as a list of types."""
    if isinstance(value, list):
        return [_compact(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _compact(item) for key, item in value.items() if key != "title" or not isinstance(item, str)}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = " ".join(text.split())
    choices = kept.get("anyOf")
    if isinstance(choices, list) and all(isinstance(item, dict) and item.keys() == {"type"} for item in choices):
        del kept["anyOf"]
        kept = {"type": [item["type"] for item in choices if isinstance(item, dict)], **kept}
    return kept


def _journal_line() -> dict[str, Json]:
    lines: list[Json] = [
        {"properties": {"record": {"const": kind}}, "$ref": f"#/$defs/{entry.__name__}"}
        for kind, entry in JOURNAL_LINES.items()
    ]
    return {
        "description": "One line of run.jsonl. The run comes first, then what is planned (plan, case), then boards, servers and "
        "results in the order they arrived. The last line marks the end of the run; it is missing if the run was killed.",
        "type": "object",
        "required": ["record"],
        "oneOf": lines,
    }
