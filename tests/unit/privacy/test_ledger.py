"""The ledger of erasures shows when one is missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rapport_privacy.crypto import TamperedError
from rapport_privacy.ledger import GENESIS, LedgerEntry, LedgerHead, verify_chain


def ledger(length: int) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    digest = GENESIS
    for number in range(1, length + 1):
        entry = LedgerEntry(
            number=number,
            certificate_id=f"c-{number}",
            at=datetime(2026, 11, number, tzinfo=UTC),
            subjects=2,
            key_ids=("k-1", "k-2"),
            suppressions=("aa", "bb"),
        )
        digest = entry.digest_after(digest)
        entries.append(replace(entry, digest=digest))
    return entries


def test_a_whole_ledger_is_believed() -> None:
    entries = ledger(3)

    assert verify_chain(entries) == LedgerHead(3, entries[2].digest)
    assert verify_chain([]) == LedgerHead(0, GENESIS)


def without_one(entries: list[LedgerEntry]) -> Sequence[LedgerEntry]:
    return [entries[0], entries[2]]


def swapped(entries: list[LedgerEntry]) -> Sequence[LedgerEntry]:
    return [entries[1], entries[0], entries[2]]


def with_fewer_keys(entries: list[LedgerEntry]) -> Sequence[LedgerEntry]:
    return [replace(entries[0], key_ids=("k-1",)), *entries[1:]]


def with_moved_comma(entries: list[LedgerEntry]) -> Sequence[LedgerEntry]:
    return [*entries[:2], replace(entries[2], key_ids=("k-1",), suppressions=("k-2", "aa", "bb"))]


@pytest.mark.parametrize("forge", [without_one, swapped, with_fewer_keys, with_moved_comma])
def test_an_altered_ledger_is_not_believed(forge: object) -> None:
    assert callable(forge)

    with pytest.raises(TamperedError, match="ledger"):
        verify_chain(forge(ledger(3)))


def test_a_head_can_be_kept_as_text() -> None:
    head = verify_chain(ledger(2))

    assert LedgerHead.parse(f"{head}\n") == head


@pytest.mark.parametrize("text", ["", "3", "x:" + GENESIS, "3:abc"])
def test_a_text_that_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ledger head"):
        LedgerHead.parse(text)
