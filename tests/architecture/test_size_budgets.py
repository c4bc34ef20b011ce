"""Files, classes and functions stay small enough to be read in one go."""

import statistics

from tests.architecture.sources import body_lines, class_lines, sources

FILE_LINES = 400
MEDIAN_FILE_LINES = 150
CLASS_LINES = 300
BODY_LINES = 50
# Most functions are much smaller than the stop: (lines, the share of functions that have no more)
BODY_SHARES = [(15, 0.80), (30, 0.95)]

# Tables of pure data may be as long as what they tell of. Each with its reason.
LONG_TABLES: dict[str, str] = {}


def test_no_file_is_longer_than_its_budget():
    too_long = {one.path: one.lines for one in sources() if one.lines > FILE_LINES and one.path not in LONG_TABLES}
    assert not too_long


def test_long_tables_exist_and_are_long():
    lengths = {one.path: one.lines for one in sources()}
    assert all(lengths.get(path, 0) > FILE_LINES for path in LONG_TABLES)


def test_files_are_short_on_the_whole():
    lengths = [one.lines for one in sources() if not one.path.endswith("__init__.py")]
    assert statistics.median(lengths) <= MEDIAN_FILE_LINES


def test_no_class_is_longer_than_its_budget():
    lengths = {f"{one.path}:{node.name}": class_lines(node) for one in sources() for node in one.classes()}
    assert not {name: lines for name, lines in lengths.items() if lines > CLASS_LINES}


def test_no_function_is_longer_than_its_budget():
    lengths = {
        f"{one.path}:{node.lineno} {node.name}": body_lines(node) for one in sources() for node in one.functions()
    }
    assert not {name: lines for name, lines in lengths.items() if lines > BODY_LINES}


def test_functions_are_short_on_the_whole():
    lengths = [body_lines(node) for one in sources() for node in one.functions()]
    for lines, share in BODY_SHARES:
        assert sum(length <= lines for length in lengths) / len(lengths) >= share, f"up to {lines} lines"
