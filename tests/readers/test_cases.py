"""Every case of testdata/cases.json, and the dumps that are too large to keep.

A case says which table a dump must become, which records are rejected and where, what the report
says. The tables were written from the documents, not by the program. The same table must come out
as JSONL and as Parquet, whoever reads the Parquet file.
"""

import json

import pytest

from readers import DUMPS, PARQUET_READERS, TESTDATA, differences, done, jsonl_rows, run, schema

CASES = json.loads((TESTDATA / "cases.json").read_text(encoding="utf-8"))
COUNTS = ("written", "filtered", "rejected", "duplicates")
PUBLISHED = (0, 4)


@pytest.fixture(scope="session")
def all_columns():
    return [column["name"] for column in schema()]


def columns_of(case, all_columns):
    options = case["options"]
    return options[options.index("--columns") + 1].split(",") if "--columns" in options else all_columns


def expected_rows(case, columns):
    """The table of a case: every column, in the order asked for; only `source` is not in the files."""
    source = "-" if case.get("stdin") else case["dump"]
    rows = jsonl_rows(TESTDATA / "expected" / case["expected"])
    return [{name: source if name == "source" else row.get(name) for name in columns} for row in rows]


def convert(case, output):
    """Runs a case into `output`: the result, the report (None where none was written) and the rejects."""
    report = output.with_name("report.json")
    stdin = (DUMPS / case["dump"]).read_bytes() if case.get("stdin") else None
    result = run("convert", "-" if case.get("stdin") else case["dump"], "-o", output, "--report-file", report,
                 *case["options"], stdin=stdin)
    rejects = output.with_name(output.name + ".rejects.jsonl")
    return (result, json.loads(report.read_bytes()) if report.exists() else None,
            jsonl_rows(rejects) if rejects.exists() else [])


def adds_up(report):
    for counts in [*report["inputs"], report["totals"]]:
        assert counts["records"] == sum(counts[name] for name in COUNTS), counts
    for name in ("records", *COUNTS, "repaired", "repeated_headers"):
        assert report["totals"][name] == sum(counts[name] for counts in report["inputs"]), name


def check_run(case, result, report, rejects, output):
    """Everything about a run but the table."""
    errors = result.stderr.decode()
    assert result.returncode == case["exit"], errors
    assert output.exists() == (case["exit"] in PUBLISHED)
    told = ""
    if case["exit"] != 2:
        assert report is not None, "no report was written"
        adds_up(report)
        [entry] = report["inputs"]
        told = json.dumps(entry, ensure_ascii=False)
        check_report(case, entry)
        check_rejects(case, rejects, report)
        warnings = "\n".join(entry["warnings"])
        for text in case.get("warning_contains", []):
            assert text.lower() in warnings.lower(), f"{text!r} is not in the warnings: {warnings!r}"
    for text in case.get("error_contains", []):
        assert text.lower() in (errors + told).lower(), f"{text!r} is not in the errors: {errors}{told}"
    if case.get("error_contains"):
        assert errors, "nothing on stderr"


def check_report(case, entry):
    for name, want in case.get("report", {}).items():
        got = entry[name]
        if name == "notes":
            got = {note: got.get(note, 0) for note in want}
        if name == "encoding":
            got, want = got.lower(), want.lower()
        assert got == want, f"report, {name}: {got!r}, expected {want!r}"


def check_rejects(case, rejects, report):
    wanted = case.get("rejects", [])
    got = [{name: reject.get(name) for name in want} for reject, want in zip(rejects, wanted)]
    assert (len(rejects), got) == (len(wanted), wanted)
    by_reason = {}
    for reject in wanted:
        by_reason[reject["reason"]] = by_reason.get(reject["reason"], 0) + 1
    assert {k: v for k, v in report["rejects"]["by_reason"].items() if v} == by_reason
    source = "-" if case.get("stdin") else case["dump"]
    for reject in rejects:
        assert reject["source"] == source
        assert reject["message"]
        assert ("raw" in reject) != ("raw_base64" in reject)


def every_case(wanted=lambda case: True):
    return pytest.mark.parametrize("case", [case for case in CASES if wanted(case)], ids=lambda case: case["name"])


@every_case()
def test_jsonl(case, tmp_path, all_columns):
    output = tmp_path / "out.jsonl"
    result, report, rejects = convert(case, output)
    check_run(case, result, report, rejects, output)
    if case["expected"]:
        columns = columns_of(case, all_columns)
        rows = jsonl_rows(output)
        for row in rows:
            assert list(row) == columns
        assert not (found := differences(rows, expected_rows(case, columns))), found


@every_case(lambda case: case["expected"])
def test_parquet(case, tmp_path, all_columns):
    output = tmp_path / "out.parquet"
    result, report, rejects = convert(case, output)
    check_run(case, result, report, rejects, output)
    want = expected_rows(case, columns_of(case, all_columns))
    for name, read in PARQUET_READERS.items():
        assert not (found := differences(read(output), want)), f"{name}\n{found}"
    [written] = report["outputs"]
    assert written["rows"] == len(want)
    assert written["bytes"] == output.stat().st_size


def test_every_dump_and_every_table_has_a_case():
    assert {path.name for path in DUMPS.iterdir()} == {case["dump"] for case in CASES}
    assert {path.name for path in (TESTDATA / "expected").iterdir()} == {case["expected"] for case in CASES} - {None}
    assert len({case["name"] for case in CASES}) == len(CASES)


# Several inputs in one run.

def convert_all(tmp_path, *arguments, **more):
    output, report = tmp_path / "out.jsonl", tmp_path / "report.json"
    result = run("convert", *arguments, "-o", output, "--report-file", report, **more)
    return result, json.loads(report.read_bytes()) if report.exists() else None, output


def test_several_formats_in_one_run(tmp_path):
    names = ["nexo-guide.csv", "cdrapi-32.csv", "asterisk-18.csv", "web-6100-guide.csv"]
    result, report, output = convert_all(tmp_path, *names)
    assert result.returncode == 0, result.stderr.decode()
    adds_up(report)
    assert [entry["source"] for entry in report["inputs"]] == names
    assert [row["source"] for row in jsonl_rows(output)] == [name for name, entry in zip(names, report["inputs"]) for _ in range(entry["written"])]


def test_a_file_reached_twice_is_read_once(tmp_path):
    result, report, _ = convert_all(tmp_path, "cdrapi-32.csv", "./cdrapi-32.csv", "cdrapi-3[2].csv")
    assert result.returncode == 0, result.stderr.decode()
    assert [entry["source"] for entry in report["inputs"]] == ["cdrapi-32.csv"]


def test_one_bad_input_does_not_lose_the_others(tmp_path):
    result, report, output = convert_all(tmp_path, "cdrapi-32.csv", "login-page.csv", "nexo-guide.csv")
    assert result.returncode == 4
    assert "login-page.csv" in result.stderr.decode()
    assert [bool(entry["error"]) for entry in report["inputs"]] == [False, True, False]
    assert len(jsonl_rows(output)) == 9


def test_strict_publishes_nothing_with_a_bad_input(tmp_path):
    result, _, output = convert_all(tmp_path, "cdrapi-32.csv", "login-page.csv", "--strict")
    assert result.returncode == 3
    assert not output.exists()


def test_wall_clock_and_instants_do_not_mix(tmp_path):
    result, _, output = convert_all(tmp_path, "cdrapi-32.csv", "kazoo-34.csv")
    assert result.returncode == 2
    assert "--timezone" in result.stderr.decode()
    assert not output.exists()
    result, report, output = convert_all(tmp_path, "cdrapi-32.csv", "kazoo-34.csv", "--timezone", "America/Chicago")
    assert result.returncode == 0, result.stderr.decode()
    assert all(row["start"].endswith("Z") for row in jsonl_rows(output))


def test_wrong_usage_is_told_before_anything_is_read(tmp_path):
    for arguments in (["no-such-file.csv"], ["no-such-*.csv"], ["cdrapi-32.csv", "--format", "no-such-format"],
                      ["cdrapi-32.csv", "--to", "parquet"]):
        result, report, output = convert_all(tmp_path, *arguments)
        assert (result.returncode, report) == (2, None), arguments
        assert result.stderr and not output.exists()
    assert run("convert", "cdrapi-32.csv").returncode == 2
    assert run("convert", "cdrapi-32.csv", "-o", "-").returncode == 2
    assert run("convert", "cdrapi-32.csv", "-o", tmp_path / "out.xyz").returncode == 2


def test_an_output_that_exists_is_kept_without_overwrite(tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("mine\n")
    assert run("convert", "cdrapi-32.csv", "-o", output).returncode in (1, 2)
    assert output.read_text() == "mine\n"
    done("convert", "cdrapi-32.csv", "-o", output, "--overwrite")
    assert len(jsonl_rows(output)) == 3


def test_old_rejects_go_where_there_are_none(tmp_path):
    output, rejects = tmp_path / "out.jsonl", tmp_path / "out.jsonl.rejects.jsonl"
    assert run("convert", "cdrapi-bad-values.csv", "-o", output).returncode == 4
    assert rejects.exists()
    done("convert", "cdrapi-32.csv", "-o", output, "--overwrite")
    assert not rejects.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_standard_output_streams(tmp_path):
    output = tmp_path / "out.jsonl"
    done("convert", "cdrapi-32.csv", "-o", output)
    assert done("convert", "cdrapi-32.csv", "-o", "-", "--to", "jsonl").stdout == output.read_bytes()


# Dumps that are too large to keep.

HEADER = b"AcctId,src,dst,caller_name,start,duration\n"
GOOD = b"%d,2001,2002,Ann Example,2024-05-17 12:34:56,64\n"


def convert_bytes(tmp_path, data, *options, pipe=False):
    dump = tmp_path / "dump.csv"
    dump.write_bytes(data)
    result, report, output = convert_all(tmp_path, "-" if pipe else "dump.csv", *options, cwd=tmp_path, stdin=data if pipe else None)
    rejects = tmp_path / "out.jsonl.rejects.jsonl"
    adds_up(report)
    return result, report, jsonl_rows(output), jsonl_rows(rejects) if rejects.exists() else []


def test_a_line_of_64_mib_is_rejected_in_bounded_memory(tmp_path):
    line = b"2,2001,2002," + b"x" * (64 << 20) + b",2024-05-17 12:34:56,64"
    first = GOOD % 1
    result, report, rows, rejects = convert_bytes(tmp_path, HEADER + first + line + b"\n" + GOOD % 3)
    assert result.returncode == 4, result.stderr.decode()
    assert [row["record_id"] for row in rows] == ["1", "3"]
    [reject] = rejects
    want = {"record": 2, "line": 3, "offset": len(HEADER + first), "length": len(line), "reason": "too-large",
            "raw": line[:64 << 10].decode(), "raw_cut": True}
    assert {name: reject.get(name) for name in want} == want
    assert rows[1]["source_offset"] == len(HEADER + first + line) + 1
    assert report["peak_memory_bytes"] <= 256 << 20


def test_a_million_commas_are_one_reject(tmp_path):
    line = b"," * 1_000_000
    result, _, rows, rejects = convert_bytes(tmp_path, HEADER + GOOD % 1 + line + b"\n" + GOOD % 3)
    assert result.returncode == 4, result.stderr.decode()
    assert [row["record_id"] for row in rows] == ["1", "3"]
    [reject] = rejects
    assert (reject["reason"], reject["record"], reject["line"], reject["raw"]) == ("field-count", 2, 3, line.decode())


def test_an_unclosed_quote_does_not_swallow_a_large_file(tmp_path):
    bad = b'1,2001,2002,"Ann Example,2024-05-17 12:34:56,64'
    result, _, rows, rejects = convert_bytes(tmp_path, HEADER + bad + b"\n" + b"".join(GOOD % n for n in range(2, 200_000)))
    assert result.returncode == 4, result.stderr.decode()
    assert len(rows) == 199_998
    [reject] = rejects
    assert (reject["reason"], reject["record"], reject["line"], reject["raw"]) == ("unclosed-quote", 1, 2, bad.decode())


WEB = b"Caller Number,Callee Number,Start Time,Disposition\n"
EITHER, DAY_FIRST = b"2001,2002,3/4/2018 9:05,Answered\n", b"2001,2002,13/4/2018 9:05,Answered\n"


def test_a_file_is_scanned_on_to_the_date_that_decides(tmp_path):
    count = (5 << 20) // len(EITHER)
    result, report, rows, _ = convert_bytes(tmp_path, WEB + EITHER * count + DAY_FIRST, "--columns", "start")
    assert result.returncode == 0, result.stderr.decode()
    assert report["inputs"][0]["date_order"] == "dmy"
    assert (rows[0]["start"], rows[-1]["start"], len(rows)) == ("2018-04-03T09:05:00", "2018-04-13T09:05:00", count + 1)


def test_a_pipe_is_month_first_with_a_warning(tmp_path):
    count = (5 << 20) // len(EITHER)
    result, report, rows, rejects = convert_bytes(tmp_path, WEB + EITHER * count + DAY_FIRST, "--columns", "start", pipe=True)
    assert result.returncode == 4
    assert report["inputs"][0]["date_order"] == "mdy"
    assert report["inputs"][0]["warnings"]
    assert (rows[0]["start"], len(rows)) == ("2018-03-04T09:05:00", count)
    assert [(reject["reason"], reject["record"]) for reject in rejects] == [("bad-date-order", count + 1)]
