"""Page and block keys lie in Redis as datasketch 2 lays them: what it writes and what we write is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from index_help import made_pages

from dedup.index import Index
from dedup.index.affine32 import shingle_hashes, sketches
from dedup.index.keys import sketched
from dedup.lsh import LSH

datasketch = pytest.importorskip("datasketch", reason="LOUD: nothing is held equal to datasketch: it is not there")


def minhash(text: str, options: Any, lsh: LSH) -> Any:
    """As somebody who has only datasketch makes it, of the hashes of a text's shingles."""
    made = datasketch.MinHash(lsh.num_hashes, seed=options.seed, scheme="affine32", hashfunc=int)
    made.update_batch(shingle_hashes(text, options).tolist())
    return made


def theirs(store: Any, basename: bytes, lsh: LSH) -> Any:
    """datasketch's index in the same Redis."""
    return datasketch.MinHashLSH(
        num_perm=lsh.num_hashes, params=(lsh.bands, lsh.rows), prepickle=False,
        storage_config={"type": "redis", "basename": basename, "redis": {"port": store.address.port}})


def dump(client: Any, base: bytes) -> dict[bytes, Any]:
    """All keys that begin so, and what they hold, with the base cut off."""
    read = {b"hash": client.hgetall, b"set": client.smembers, b"list": lambda key: client.lrange(key, 0, -1)}
    found = {}
    for key in client.scan_iter(match=base + b"_*"):
        held = read[client.type(key)](key)
        if isinstance(held, dict):
            held = {name: value.removeprefix(base) for name, value in held.items()}
        found[key.removeprefix(base)] = held
    return found


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_sketches_are_those_of_datasketch_bit_for_bit(seed: int) -> None:
    draw = np.random.default_rng(3)
    sizes = draw.integers(0, 400, 40)
    sizes[:2] = 0, 1
    first = np.append(0, np.cumsum(sizes))
    values = draw.integers(0, 2**32, int(first[-1]), dtype=np.uint32)
    values[:50] = 0, *[2**32 - 1] * 49
    ours = sketches(values, first, 96, seed)
    for number, registers in enumerate(ours):
        made = datasketch.MinHash(96, seed=seed, scheme="affine32", hashfunc=int)
        made.update_batch(values[first[number]:first[number + 1]].tolist())
        assert np.array_equal(made.hashvalues, registers)
        assert made.hashvalues.dtype == registers.dtype


def test_what_we_write_is_what_datasketch_writes(redis_server: str) -> None:
    pages = made_pages(8, 20)
    with Index.create(f"{redis_server}?name=layout", pages, levels="page,block", threshold=0.4) as index:
        store: Any = index._store
        for level, name in ((1, b"page"), (2, b"block")):
            made = keys_of(pages, index.options, level)
            other = theirs(store, b"other:" + name, made.lsh)
            for page, block, registers in zip(made.page.tolist(), made.extra.tolist(), made.registers, strict=True):
                member = page.to_bytes(4, "big") + block.to_bytes(4, "big")
                other.insert(member, datasketch.MinHash(made.lsh.num_hashes, hashvalues=registers, scheme="affine32"))
            expected = dump(store.client, b"other:" + name)
            assert len(expected) > 100
            assert dump(store.client, store.key(name.decode())) == expected


def keys_of(pages: Any, options: Any, level: int) -> Any:
    from dedup.blocks import read_corpus
    from dedup.engines.local import LocalEngine
    from dedup.model import Page

    corpus = read_corpus([Page(page["id"], page["text"], "s") for page in pages], LocalEngine(1), options)[0]
    return sketched(corpus, options, level)


def test_datasketch_opens_the_index_asks_it_and_takes_pages_out(redis_server: str) -> None:
    texts = [" ".join(f"w{n * (k + 3) % 211}x{k}" for n in range(120)) for k in range(6)]
    pages = [{"id": f"p{k}", "text": text} for k, text in enumerate(texts)]
    with Index.create(f"{redis_server}?name=asked", pages, levels="page") as index:
        store: Any = index._store
        lsh = LSH.for_threshold(0.8)
        other = theirs(store, store.key("page"), lsh)
        for page in pages:
            (found,) = other.query(minhash(page["text"], index.options, lsh))
            number = int.from_bytes(found[:4], "big")
            assert store.client.hget(store.key("names"), number) == page["id"].encode()
            assert found in other
        near = texts[2].replace("w3x2", "changed")
        assert other.query(minhash(near, index.options, lsh)) == other.query(minhash(texts[2], index.options, lsh))
        assert not other.query(minhash("nothing of this stands on any of the pages at all", index.options, lsh))
        assert index.seen({"id": "x", "text": texts[4]})
        other.remove((4).to_bytes(4, "big") + bytes(4))
        assert not index.seen({"id": "x", "text": texts[4]})
        assert index.verify().problems == ("page 4 is missing in the postings of level page",)


def test_what_datasketch_put_there_is_no_page_of_ours(redis_server: str) -> None:
    text = " ".join(f"word{n}" for n in range(100))
    with Index.create(f"{redis_server}?name=foreign", levels="page") as index:
        store: Any = index._store
        lsh = LSH.for_threshold(0.8)
        theirs(store, store.key("page"), lsh).insert(bytes(8), minhash(text, index.options, lsh))
        assert not index.seen({"id": "x", "text": text})  # no page of that number
        index.add([{"id": "a", "text": "other words"}])
        assert not index.seen({"id": "x", "text": text})  # a page of that number, with another text
        assert index.verify().ok
