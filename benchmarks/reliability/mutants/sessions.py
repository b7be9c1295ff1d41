"""One session of pytest for each test file: it forks to measure its reach, and for each mutant."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from .changes import Mutant
from .forks import Folder, limit, wait_for

START = 20
"""Seconds of a processor for what a fork takes beside its tests."""


@dataclass
class Reach:
    """Which lines the tests of one file run, and what they cost.

    Args:
        digest: Of the file.
        costs: Seconds of a processor of each test that passes; of many cases, of the first.
        lines: Of each module, the tests that run a line, by its text: a line moves with the code.
    """

    digest: str
    costs: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def tests_of(self, mutant: Mutant, package: Path) -> list[str]:
        """Return the tests that run a place, or else anything of its function.

        Those come first that cost little and run little else: they are about it.
        """
        texts = (package / mutant.module).read_text("utf-8").splitlines()
        known = self.lines.get(mutant.module, {})
        for first, last in (mutant.lines, mutant.around):
            lines = {text.strip() for text in texts[first - 1 : last]} - {"", ")", "]", "}"}
            tests = set().union(*(known.get(line, ()) for line in lines)) & self.costs.keys()
            if tests:
                break
        lines = Counter(
            test for known in self.lines.values() for run in known.values() for test in run
        )
        return sorted(tests, key=lambda test: self.costs[test] * lines[test])


def function_of(test: str) -> str:
    """Return the name of a test without that of its case."""
    return test.partition("[")[0]


class Session:
    """A plugin of pytest that runs tests in forks of the session that collected them.

    Args:
        files: The test files, from the top of the checkout.
        mutants: Those to try.
        work: The folder with what is known: `reach/`, `noticed` and `survived`.
        seconds: Of a processor, for the tests of one mutant in one file.
        control: Whether to change nothing: no test may fail then.
    """

    def __init__(
        self,
        files: list[str],
        mutants: list[Mutant],
        work: Path,
        *,
        seconds: float,
        control: bool,
    ) -> None:
        self.files, self.mutants, self.work, self.seconds = files, mutants, work, seconds
        self.control = control
        self.fork: Measure | Try | None = None
        self.ended = True
        self.starts_tensorflow = False

    def run(self, root: Path, package: Path, *, collect_in_forks: bool) -> bool:
        """Fork for each run, as soon as the tests are collected, or before.

        Args:
            root: The top of the checkout.
            package: The folder of the package.
            collect_in_forks: For a file that starts TensorFlow as it is collected.

        Returns:
            Whether the files do so, and nothing was run.
        """
        self.package = package
        os.chdir(root)
        with Folder() as self.folder:
            output = os.open(self.folder / "collected", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            if collect_in_forks and not self._fork_for_each():
                return False
            options = ["-q", "-s", "--tb=line", "-p", "no:cacheprovider"]
            pytest.main([*options, *self.files], plugins=[self])
            if self.fork:
                self.fork.finish()
        return self.starts_tensorflow

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give each fork a folder of its own for what tests write."""
        config.option.basetemp = self.folder / f"tmp{os.getpid()}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Go on with the tests of a run in its fork; return True elsewhere, and run nothing."""
        from hypothesis import HealthCheck, settings

        # Tests do not fail because other programs run.
        settings.register_profile("mutants", settings(), suppress_health_check=[*HealthCheck])
        settings.load_profile("mutants")
        if not self.fork:
            # Of its threads a fork would have one. Cases that are recurrent layers start it.
            self.starts_tensorflow = len([*Path("/proc/self/task").iterdir()]) > 1
            if self.starts_tensorflow or not self._fork_for_each():
                return True
        session.items[:] = self.fork.choose(session.items)
        session.config.option.maxfail = self.fork.MAX_FAILURES
        session.config._tmp_path_factory._given_basetemp = self.folder / f"tmp{os.getpid()}"
        session.config.pluginmanager.register(self.fork)
        return None

    def _fork_for_each(self) -> bool:
        """Fork for each run; return True in a fork, and False in this process, at the end."""
        for file in self.files:
            self.fork = self._run_file(file)
            if self.fork:
                return True
            print(file, len(read_noticed(self.work)), "noticed", file=sys.stderr, flush=True)
        return False

    def _run_file(self, file: str) -> Measure | Try | None:
        """Return what a fork has to do, and None in this process, when all forks have ended."""
        path = self.work / "reach" / file.replace("/", "+")
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        reach = pickle.loads(path.read_bytes()) if path.exists() else Reach("")
        known = read_survived(self.work, file)
        if reach.digest != digest:
            known = {}  # of other tests
            if self._is_fork(900):
                return Measure(file, Reach(digest), path, self.package)
            reach = pickle.loads(path.read_bytes()) if path.exists() else Reach("")
        for mutant in self.mutants:
            tests = reach.tests_of(mutant, self.package)
            if not tests or mutant.name in read_noticed(self.work):
                continue
            if known.get(mutant.name, 0.0) >= self.seconds and not self.control:
                continue
            if self._is_fork(int(START + 4 * self.seconds)):
                if not self.control:
                    put_in_place(mutant, self.package)
                return Try(tests, self.seconds, self.folder / "failure")
            self._note(mutant, file)
        return None

    def _note(self, mutant: Mutant, file: str) -> None:
        failure = self.folder / "failure"
        if not self.ended:
            note(self.work, mutant, f"{file} takes too long")
        elif failure.exists():
            note(self.work, mutant, failure.read_text("utf-8"))
        else:
            note(self.work, mutant, f"{file}\t{self.seconds}", kind="survived")
        failure.unlink(missing_ok=True)

    def _is_fork(self, seconds: int) -> bool:
        """Fork; return True in the fork, and False in this process when the fork has ended."""
        child = os.fork()
        if child:
            self.ended = wait_for(child, seconds)
            return False
        limit(seconds, self.folder / "output")
        return True


class Measure:
    """A plugin of pytest that measures the reach of each test, and of its first case."""

    MAX_FAILURES = 0

    def __init__(self, file: str, reach: Reach, path: Path, package: Path) -> None:
        from coverage import Coverage

        self.file, self.reach, self.path, self.package = file, reach, path, package
        self.coverage = Coverage(data_file=None, config_file=False, include=[f"{package}/*"])
        self.coverage.start()

    def choose(self, items: list[pytest.Item]) -> list[pytest.Item]:
        items = [item for item in items if item.nodeid.startswith(f"{self.file}::")]
        first = {function_of(item.nodeid): item for item in reversed(items)}
        return [item for item in items if first[function_of(item.nodeid)] is item]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        started = time.process_time()
        result = yield
        if item.nodeid in self.reach.costs:
            self.reach.costs[item.nodeid] = time.process_time() - started
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.reach.costs[report.nodeid] = 0.0
        elif report.failed:
            self.reach.costs.pop(report.nodeid, None)

    def finish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        for name in data.measured_files():
            texts = Path(name).read_text("utf-8").splitlines()
            lines = self.reach.lines.setdefault(str(Path(name).relative_to(self.package)), {})
            for number, tests in data.contexts_by_lineno(name).items():
                lines.setdefault(texts[number - 1].strip(), set()).update(tests)
        self.path.write_bytes(pickle.dumps(self.reach))


class Try:
    """A plugin of pytest that ends after some seconds, and keeps the name of a failed test."""

    MAX_FAILURES = 1

    def __init__(self, tests: list[str], seconds: float, failure: Path) -> None:
        self.tests, self.path = tests, failure
        self.end = time.process_time() + seconds

    def choose(self, items: list[pytest.Item]) -> list[pytest.Item]:
        by_name = {item.nodeid: item for item in items}
        functions = {function_of(test) for test in self.tests}
        cases = [item for item in items if function_of(item.nodeid) in functions]
        return [*dict.fromkeys([by_name[test] for test in self.tests] + cases)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> bool | None:
        return True if time.process_time() > self.end else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.path.write_text(report.nodeid, "utf-8")

    def finish(self) -> None:
        """Nothing is left to do."""


def put_in_place(mutant: Mutant, package: Path) -> None:
    """Change a function that is imported already, or its module when it is."""
    path = package / mutant.module
    code = compile(mutant.code(package), str(path), "exec", dont_inherit=True)
    name = ".".join(("kerasviz", *Path(mutant.module).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    if name not in sys.modules:
        original = SourceFileLoader.get_code
        SourceFileLoader.get_code = lambda loader, module: (
            code if Path(loader.path) == path else original(loader, module)
        )
        return
    owner: Any = sys.modules[name]
    for part in mutant.function.split("."):
        code = _code_in(code, part, mutant.around)
        owner = vars(owner)[part]
    function = _function_of(owner, code.co_firstlineno)
    function.__code__ = code


def _code_in(code: CodeType, name: str, around: tuple[int, int]) -> CodeType:
    """Return the code of a function or class; of several with a name, the one that is changed."""
    inner = [part for part in code.co_consts if isinstance(part, CodeType) and part.co_name == name]
    return max(inner, key=lambda part: (part.co_firstlineno <= around[0], part.co_firstlineno))


def _function_of(owner: Any, line: int) -> FunctionType:
    """Return the function in what a decorator made of it."""
    todo = [owner]
    while todo:
        each = todo.pop()
        if isinstance(each, FunctionType) and each.__code__.co_firstlineno == line:
            return each
        names = ("__wrapped__", "__func__", "func", "fget", "fset")
        todo += [getattr(each, key) for key in names if getattr(each, key, None) is not None]
        todo += [cell.cell_contents for cell in getattr(each, "__closure__", None) or ()]
    raise LookupError(f"no function of line {line}")


def read_noticed(work: Path) -> dict[str, str]:
    """Return the names of the mutants that were noticed, and by which test."""
    path = work / "noticed"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return dict(line.split("\t") for line in lines)


def read_survived(work: Path, file: str) -> dict[str, float]:
    """Return how many seconds of a test file each mutant survived: a run can be continued."""
    path = work / "survived"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    rows = [line.split("\t") for line in lines]
    return {name: float(seconds) for name, by, seconds in rows if by == file}


def note(work: Path, mutant: Mutant, by: str, *, kind: str = "noticed") -> None:
    """Add a mutant to those that were noticed, or survived: several processes do."""
    with (work / kind).open("a", encoding="utf-8") as file:
        file.write(f"{mutant.name}\t{by}\n")
