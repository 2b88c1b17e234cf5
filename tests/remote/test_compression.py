from __future__ import annotations

import gzip
import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.remote.compression import BLOCK, ZSTD, Compression, compressed
from portside.remote.errors import Unusable, WrongContent
from portside.remote.expansion import expanded

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17]
HOW = [Compression("gzip", 0), Compression("gzip", 1), Compression("gzip", 3), Compression("zstd", 3)]
MIXED = (random.Random(1).randbytes(BLOCK) + bytes(2 * BLOCK) + b"words " * 200_000)[: 3 * BLOCK + 17]


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def squeezed(content: bytes, how: Compression, *, size: int = BLOCK, threads: int = 2) -> bytes:
    with ThreadPoolExecutor(threads) as pool:
        return b"".join(compressed(pieces(content, size), how, pool))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("how", HOW, ids=lambda how: how.key)
def test_what_is_compressed_is_the_same_for_others(how: Compression, size: int) -> None:
    content = MIXED[:size]
    out = squeezed(content, how)
    zstd: Any = ZSTD
    assert (gzip.decompress(out) if how.kind == "gzip" else zstd.decompress(out)) == content


@pytest.mark.parametrize("how", HOW, ids=lambda how: how.key)
def test_the_result_depends_neither_on_cores_nor_on_how_the_bytes_come(how: Compression) -> None:
    expected = squeezed(MIXED, how)
    assert {squeezed(MIXED, how, size=size, threads=n) for size in (1000, 70_001, BLOCK) for n in (1, 5)} == {expected}


def test_nothing_is_what_none_does() -> None:
    assert squeezed(MIXED, Compression("none", 0), size=1000) == MIXED


@pytest.mark.parametrize(("kind", "level"), [("gzip", 4), ("gzip", -1), ("zstd", 0), ("zstd", 20), ("none", 1)])
def test_a_level_that_there_is_not_is_refused(kind: str, level: int) -> None:
    with pytest.raises(Unusable, match=f"{kind} has no level {level}"):
        Compression.of(kind, level)


def test_another_level_is_another_key() -> None:
    keys = {Compression.of(kind, level).key for kind, level in [("gzip", 1), ("gzip", 2), ("zstd", 1), ("none", None)]}
    assert len(keys) == 4


@given(st.binary(max_size=3000), st.integers(1, 3000), st.sampled_from(HOW))
@settings(max_examples=50)
def test_expanding_undoes_it(content: bytes, size: int, how: Compression) -> None:
    assert b"".join(expanded(pieces(squeezed(content, how), size), how.kind)) == content


def test_several_members_are_one_stream() -> None:
    zstd: Any = ZSTD
    assert b"".join(expanded([gzip.compress(b"one") + gzip.compress(b"two")], "gzip")) == b"onetwo"
    assert b"".join(expanded([zstd.compress(b"one") + zstd.compress(b"two")], "zstd")) == b"onetwo"


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_comes_in_small_pieces(kind: str) -> None:
    zstd: Any = ZSTD
    bomb = gzip.compress(bytes(64 * BLOCK)) if kind == "gzip" else zstd.compress(bytes(64 * BLOCK))
    sizes = [len(piece) for piece in expanded([bomb], kind)]
    assert sum(sizes) == 64 * BLOCK
    assert max(sizes) <= BLOCK


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "changed", "nothing like it"])
def test_damage_is_found(kind: str, damage: str) -> None:
    content = squeezed(MIXED, Compression.of(kind, None))
    broken = {
        "cut": content[:-7],
        "changed": content[:5000] + b"XXXX" + content[5004:],
        "nothing like it": b"words" * 99,
    }
    with pytest.raises(WrongContent, match="decompressed"):
        for _ in expanded(pieces(broken[damage], 65_536), kind):
            pass


def test_gzip_says_neither_when_nor_by_whom() -> None:
    header = squeezed(b"x", Compression("gzip", 1))[:10]
    assert header == bytes.fromhex("1f8b08000000000000ff")
    assert gzip.GzipFile(fileobj=io.BytesIO(squeezed(b"x", Compression("gzip", 1)))).read() == b"x"
