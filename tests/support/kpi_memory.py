"""The metrics' pure core with a store in memory: what the database holds, in dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from rapport_metrics.domain.buyers import Buying, buying
from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.domain.contracts import Contract
from rapport_metrics.domain.engine import run
from rapport_metrics.domain.entities import Ref, pack, unpack
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import HOUR
from rapport_metrics.domain.outcome import MINUTE, Cell, PersonRow, Purchase
from rapport_metrics.domain.own import DEFAULTS, Options
from rapport_metrics.domain.reading import Reading, Row, read
from rapport_metrics.domain.working import Working


class Memory:
    """Takes batches, and answers for any window."""

    def __init__(self, options: Options = DEFAULTS) -> None:
        self._options = options
        self.states: dict[Ref, bytes] = {}
        self._by_metric: defaultdict[str, set[Cell]] = defaultdict(set)
        self.nums: Counter[Cell] = Counter()
        self.dens: Counter[Cell] = Counter()
        self.purchases: dict[str, Purchase] = {}
        self.contracts: dict[str, tuple[Contract, ...]] = {}
        self.activity: set[tuple[str, int]] = set()
        self.people: dict[str, PersonRow] = {}

    def take_all(self, happenings: Iterable[Happening], batch: int) -> "Memory":
        rest = iter(happenings)
        while taken := list(islice(rest, batch)):
            self.take(taken)
        return self

    def take(self, happenings: Sequence[Happening]) -> None:
        working = Working(happenings, purge_erased=self._options.purge_erased)
        while missing := working.missing():
            known = missing & self.states.keys()
            working.supply(missing, {ref: unpack(ref.kind, self.states[ref]) for ref in known})
        outcome = run(working, happenings, self._options)
        self.states |= {ref: pack(state) for ref, state in outcome.states.items()}
        for cell, (num, den) in outcome.cells.items():
            self._by_metric[cell.metric].add(cell)
            self.nums[cell] += num
            self.dens[cell] += den
        for order, purchase in outcome.purchases.items():
            self.purchases.pop(order, None)
            if purchase is not None:
                self.purchases[order] = purchase
        self.contracts |= outcome.contracts
        self.activity |= outcome.activity
        self.people |= outcome.people

    @property
    def cells(self) -> dict[Cell, tuple[int, int]]:
        """Those that are not 0; what went leaves nothing behind."""
        names = self.nums.keys() | self.dens.keys()
        return {
            cell: (self.nums[cell], self.dens[cell])
            for cell in names
            if self.nums[cell] or self.dens[cell]
        }

    def read(self, kpi: Kpi, start: int, end: int, dim: str = "", value: str = "") -> Reading:
        """The KPI of [start, end), of one value of a dimension where one is given."""
        since = 0 if kpi.shape == "level" else start // MINUTE
        rows = [
            Row(cell.metric, cell.bin, self.nums[cell], self.dens[cell])
            for metric in kpi.metrics
            for cell in self._by_metric[metric]
            if since <= cell.bucket < end // MINUTE
            and (not dim or getattr(cell.dims, dim) == value)
        ]
        return read(kpi, rows)

    def root(self, subject: str) -> str:
        row = self.people.get(subject)
        return subject if row is None else row.root

    def is_erased(self, subject: str) -> bool:
        row = self.people.get(subject)
        return row is not None and row.erased is not None

    def purchases_by_person(self) -> dict[str, list[tuple[int, int]]]:
        """Instant and net amount of each person's valid orders, ascending; nobody erased."""
        found: dict[str, list[tuple[int, int]]] = {}
        for purchase in self.purchases.values():
            if not self.is_erased(purchase.subject):
                found.setdefault(self.root(purchase.subject), []).append(
                    (purchase.at, purchase.net)
                )
        return {root: sorted(bought) for root, bought in found.items()}

    def buyers(self, start: int, end: int) -> list[Buying]:
        everybody = self.purchases_by_person().values()
        found = (buying([at for at, _ in bought], start, end) for bought in everybody)
        return [one for one in found if one is not None]

    def active_customers(self, start: int, end: int) -> int:
        return len(
            {
                self.root(subject)
                for subject, hour in self.activity
                if start <= hour * HOUR < end and not self.is_erased(subject)
            }
        )

    def persons_created_before(self, at: int) -> set[str]:
        return {
            row.root
            for row in self.people.values()
            if row.erased is None and row.created is not None and row.created < at
        }
