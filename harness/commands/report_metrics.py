"""`tls-harness report metrics` and `report badge`: a run for a dashboard and for a README."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.report_files import FILE_HELP, read_checked, write

if TYPE_CHECKING:
    from harness.commands import Commands

BADGE_FORMATS = (".json", ".svg")
METRICS_FORMATS = (".prom", ".txt")


def add(parts: Commands) -> None:
    """Declare both subcommands."""
    parser = parts.add_parser(
        "metrics",
        help="write a run as OpenMetrics text for Prometheus and Grafana",
        description="Write a run as OpenMetrics text: counts of verdicts, and handshake time and free heap of each cell.",
        epilog="examples:\n  $ tls-harness report metrics .compat/run.json -o /var/lib/node_exporter/tls_harness.prom\n"
        "  $ tls-harness report metrics .compat/run.json | curl --data-binary @- http://pushgateway:9091/metrics/job/tls\n\n"
        "The file is replaced in one step, so a collector never reads half of it.\n\n"
        "exit codes: 0 written, 2 usage error or not a run record, 10 OUT cannot be written",
    )
    parser.add_argument("run_file", metavar="RUN", help=FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        default=[],
        help=f"the output, repeatable: {' or '.join(METRICS_FORMATS)}. Default: print",
    )
    parser.set_defaults(run=metrics)
    parser = parts.add_parser(
        "badge",
        help="write a run as a badge for a README",
        description="Write a badge: an SVG image, or JSON that shields.io's endpoint badge reads.",
        epilog="examples:\n  $ tls-harness report badge .compat/run.json -o badge.svg\n"
        "  $ tls-harness report badge .compat/run.json -o badge.json --label 'TLS on ESP32'\n\n"
        "red: a fail or insecure; yellow: an error, an unusable board or results that are missing; green: all as expected.\n\n"
        "exit codes: 0 written, 2 usage error or not a run record, 10 OUT cannot be written",
    )
    parser.add_argument("run_file", metavar="RUN", help=FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        required=True,
        help="the output, repeatable: .svg is the image, .json for https://img.shields.io/endpoint?url=...",
    )
    parser.add_argument("--label", metavar="TEXT", help="the text on the left (default: MicroPython TLS)")
    parser.set_defaults(run=badge)


def metrics(options: argparse.Namespace) -> int:
    """Write or print the metrics of a run.

    Raises:
        UsageError: an invalid file or suffix.
        HarnessError: the output cannot be written.
    """
    from harness.reports.text.openmetrics import render_openmetrics

    file = read_checked(options.run_file, options.outputs, accepted=METRICS_FORMATS)
    text = render_openmetrics(file.run)
    for output in options.outputs:
        write(output, text)
    if not options.outputs:
        sys.stdout.write(text)
    return 0


def badge(options: argparse.Namespace) -> int:
    """Write the badge of a run.

    Raises:
        UsageError: an invalid file or suffix.
        HarnessError: the output cannot be written.
    """
    from harness.reports.text.badge import LABEL, badge_of

    file = read_checked(options.run_file, options.outputs, accepted=BADGE_FORMATS)
    made = badge_of(file.run, label=options.label or LABEL)
    for output in options.outputs:
        write(output, made.as_svg() if Path(output).suffix == ".svg" else made.as_endpoint())
    print(f"{made.label}: {made.message}")
    return 0
