"""`tls-harness cases`: the list as text and as JSON."""

import json

import pytest

from harness import cli
from harness.cases import all_cases, select


def output(arguments, capsys):
    """Run the command in this process and return its lines."""
    assert cli.main(["cases", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


@pytest.mark.parametrize("size", ["smoke", "core", "full"])
def test_one_line_per_case(size, capsys):
    """Each case of the set has one line: its id, the smallest set that contains it, its subject, and its title."""
    lines = output(["--cases", size], capsys)
    assert [line.split(maxsplit=3) for line in lines] == [
        [case.id, case.tier.value, case.subject.value, case.title] for case in select(size, on_request=size == "full")
    ]


def test_all_cases_without_an_option(capsys):
    """Without --cases the list is complete."""
    assert [line.split()[0] for line in output([], capsys)] == [case.id for case in all_cases()]


def test_verbose_prints_descriptions(capsys):
    """-v prints the description under each case, and nothing else."""
    text = " ".join(" ".join(output(["-v"], capsys)).split())
    expected = " ".join(
        f"{case.id} {case.tier.value} {case.subject.value} {case.title} {case.description}" for case in all_cases()
    )
    assert text == " ".join(expected.split())


def test_json_has_the_format_of_run_json(capsys):
    """--json prints what run.json has under `cases`."""
    data = json.loads("\n".join(output(["--json", "--cases", "smoke"], capsys)))
    assert set(data) == {"cases"}
    assert [case["case"] for case in data["cases"]] == [case.id for case in select("smoke")]
    assert [case["subject"] for case in data["cases"]] == [case.subject.value for case in select("smoke")]
    assert {"case", "topic", "title", "description", "tier"} <= set(data["cases"][0])
