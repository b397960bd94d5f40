"""`--where` by DuckDB: the same condition on the unfiltered Parquet gives the same rows."""

import duckdb
import pytest

from readers import TESTDATA, done

CONDITIONS = [
    "src like '20%' and billsec between 8 and 60",
    "src = '2004'",
    "src <> '2004'",
    "src < dst or src > '6'",
    "src not like '%0_' and dst is not null",
    "src_name ilike '%AN%' or clid ilike '\"%'",
    "src_name like '%!%%' escape '!' or src_name not like '%e%'",
    "billsec > 0 and billsec <= duration",
    "billsec <> 0 and not (duration > 60)",
    "not (billsec > 10 or disposition = 'BUSY')",
    "disposition in ('BUSY', 'NO ANSWER', null)",
    "disposition not in ('ANSWERED', 'FAILED')",
    "disposition not in ('ANSWERED', null)",
    "billsec in (0, 5, 13, 21, -1, 60.0)",
    "billsec not between 1 and 100",
    "call_type is null or call_type = 'internal'",
    "call_type <> 'internal' and channel_tech = 'PJSIP'",
    "channel_kind like 'trunk%' or dstchannel_kind like 'trunk%'",
    "channel_peer = dstchannel_peer",
    "lower(lastapp) = 'dial' and upper(amaflags) like 'DOC%'",
    "length(src) = 4 and length(dst) <> 4",
    "length(lower(src_name)) > 10",
    "try_cast(src as bigint) between 1000 and 6000",
    "try_cast(src as bigint) = try_cast(dst as bigint)",
    "try_cast(dst as bigint) is null",
    "cast(billsec as varchar) like '1%'",
    "billsec::varchar = '60' or duration::text like '%5'",
    "source_offset > 1000 and vendor = 'ucm'",
    "vendor in ('nexo', 'kazoo') or format = 'yeastar-csv'",
    "sub_index is not null and record_kind = 'sub'",
    "recordfiles is not null and extra is null",
    "nat is true or nat is false",
    "nat is not true",
    "nat or port = 1",
    "answered_by = dst_number and dst_kind is null",
    "\"end\" > answer and answer > start",
    "\"end\" = answer or answer is null",
    "start >= '2024-05-17' and start < '2024-05-18 12:00'",
    "start between timestamp '2019-01-01 00:00:00' and timestamp '2023-12-31 23:59:59'",
    "start > date '2024-01-01' and answer is null",
    "start <> '2024-05-17 12:34:56'",
    "'2024' < src and ('5' >= dst or dst >= '9')",
    "true and (false or billsec >= 30)",
    "src = null or billsec = 0",
    "(((src = '2004' or (dst = '2004')) and ((billsec > 0))))",
]


@pytest.fixture(scope="module", params=[(), ("--timezone", "America/Chicago")], ids=["clock", "instants"])
def sample(request, tmp_path_factory):
    """All dumps of the sample whose times are of one kind, unfiltered; how they are read, and the zone."""
    path = tmp_path_factory.mktemp("where") / "all.parquet"
    years = ["2013", "2015", "2021", "2022", "2023", "2024"]
    inputs = ["sample"] if request.param else [f"sample/{year}" for year in years]
    done("convert", *inputs, "-o", path, *request.param, cwd=TESTDATA)
    return path, inputs, request.param


def rows(database, path, condition):
    query = f"SELECT source, source_offset FROM read_parquet('{path}') WHERE {condition}"
    return database.execute(query).fetchall()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_where_as_duckdb(sample, tmp_path, condition):
    unfiltered, inputs, zone = sample
    filtered = tmp_path / "some.parquet"
    done("convert", *inputs, "-o", filtered, "--where", condition, *zone, cwd=TESTDATA)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'America/Chicago'")
        assert rows(database, filtered, "true") == rows(database, unfiltered, condition)


def test_each_condition_tells_rows_apart(sample):
    """Hardly any is true of all rows or of none: they would prove nothing."""
    unfiltered, _, _ = sample
    with duckdb.connect() as database:
        count = len(rows(database, unfiltered, "true"))
        counts = [len(rows(database, unfiltered, condition)) for condition in CONDITIONS]
    assert sum(0 < matching < count for matching in counts) > len(CONDITIONS) * 3 / 4, counts
